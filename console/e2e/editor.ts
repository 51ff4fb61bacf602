/** What the tests of the editor share. */
import type { Page } from "@playwright/test";
import { expect, type Stepwell } from "./stepwell";

/** A thousand states, in a browser that has loaded nothing yet, on a machine that is busy. */
const OPENED_MS = 60_000;

/** Opens a definition in the editor; answers the state machine's ARN. */
export async function openEditor(
  page: Page,
  stepwell: Stepwell,
  definition: unknown,
  name = "edited",
): Promise<string> {
  const arn = await stepwell.machine(name, definition);
  await page.goto(stepwell.machinePage(arn, "/edit"));
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible({ timeout: OPENED_MS });
  await expect(code(page)).toBeVisible({ timeout: OPENED_MS });
  return arn;
}

export const graph = (page: Page) => page.getByLabel("Graph", { exact: true });
export const code = (page: Page) => page.getByRole("textbox", { name: /^Definition as/ });
export const form = (page: Page) => page.getByRole("region", { name: "Form" });
export const undo = (page: Page) => page.getByRole("button", { name: /^Undo/ });

/** Form or code alone, or both. */
export const beside = (page: Page, panel: "Both" | "Form" | "Code" | "Test") =>
  page.getByRole("button", { name: panel, exact: true });

export async function saved(stepwell: Stepwell, stateMachineArn: string): Promise<string> {
  return (await stepwell.call<{ definition: string }>("DescribeStateMachine", { stateMachineArn })).definition;
}

export async function save(page: Page, name = "edited") {
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText(`${name} is saved.`, { exact: true })).toBeVisible();
}
