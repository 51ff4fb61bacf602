/** Several regions and accounts on one server: each page shows what belongs to one, and its address says to which. */
import type { Page } from "@playwright/test";
import { expect, expectAccessible, type Stepwell, test } from "./stepwell";

const OTHER = "eu-west-1/111122223333";
const WAIT = { StartAt: "W", States: { W: { Type: "Wait", Seconds: 3600, End: true } } };
const MENU = "Region and account";

const owned = (owner: string) => `owner=${encodeURIComponent(owner)}`;
const row = (page: Page, name: string) => page.getByRole("link", { name, exact: true });

/** A state machine `here` with an execution for the server's own, and one `there` for the other owner. */
async function prepare(stepwell: Stepwell) {
  const here = await stepwell.machine("here", WAIT);
  const there = await stepwell.machine("there", WAIT, "STANDARD", OTHER);
  await stepwell.execution(here, "e-here");
  return { here, there, execution: await stepwell.execution(there, "e-there") };
}

test("with one owner there is nothing to choose", async ({ page, stepwell }) => {
  await stepwell.machine("here", WAIT);
  await page.goto(stepwell.page("/server"));
  await expect(page.getByText("123456789012, us-east-1")).toBeVisible();
  await expect(page.getByRole("button", { name: MENU })).toHaveCount(0);
});

test("a region and account is chosen, and stays", async ({ page, stepwell }) => {
  await prepare(stepwell);
  await page.goto(stepwell.page("/state-machines"));
  await expect(row(page, "here")).toBeVisible();
  await expect(row(page, "there")).toHaveCount(0);
  await page.getByRole("button", { name: MENU }).click();
  await page.getByRole("menuitem", { name: "eu-west-1 · 111122223333" }).click();
  await expect(page).toHaveURL(stepwell.page(`/state-machines?${owned(OTHER)}`));
  await expect(row(page, "there")).toBeVisible();
  await expect(row(page, "here")).toHaveCount(0);
  await expectAccessible(page);

  // Words of the page's own, other pages, and the page loaded anew.
  await page.getByPlaceholder("Find by name").fill("the");
  await expect(page).toHaveURL(/find=the/);
  await expect(page).toHaveURL(new RegExp(owned(OTHER)));
  await page.getByRole("link", { name: "Executions", exact: true }).click();
  await expect(row(page, "e-there")).toBeVisible();
  await expect(row(page, "e-here")).toHaveCount(0);
  await page.reload();
  await expect(row(page, "e-there")).toBeVisible();

  // What is created is the other owner's.
  await page.getByRole("link", { name: "State machines", exact: true }).click();
  await page.getByRole("button", { name: "Create state machine" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("made");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await expect(page).toHaveURL(/arn%3Aaws%3Astates%3Aeu-west-1%3A111122223333%3AstateMachine%3Amade\/edit$/);
  await page.getByRole("button", { name: MENU }).click();
  await page.getByRole("menuitem", { name: "us-east-1 · 123456789012" }).click();
  await expect(row(page, "here")).toBeVisible();
  await expect(row(page, "made")).toHaveCount(0);
});

test("a link to anything of another owner shows it, and what is around it", async ({ page, stepwell }) => {
  const { there, execution } = await prepare(stepwell);
  await page.goto(stepwell.executionPage(execution));
  await expect(page.getByRole("heading", { name: "e-there" })).toBeVisible();
  await expect(page.getByRole("button", { name: MENU })).toHaveText("eu-west-1 · 111122223333");
  await page.goto(stepwell.machinePage(there));
  await expect(row(page, "e-there")).toBeVisible();
  await page.getByRole("navigation", { name: "Breadcrumbs" }).getByRole("link", { name: "State machines" }).click();
  await expect(page).toHaveURL(stepwell.page(`/state-machines?${owned(OTHER)}`));
  await expect(row(page, "there")).toBeVisible();
  await expect(row(page, "here")).toHaveCount(0);
});
