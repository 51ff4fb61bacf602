/** The pictures of docs/console, each in both looks: `PICTURES=../docs/console npx playwright test`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { ASK, ASKS, FILES } from "./asking";
import { expect, type Stepwell, setDark, test } from "./stepwell";

const TO = process.env.PICTURES ?? ".";
const SAMPLES = join(import.meta.dirname, "../../samples");

test.use({ files: FILES, viewport: { width: 1440, height: 900 } });
test.setTimeout(300_000);

async function picture(page: Page, name: string) {
  for (const dark of [false, true]) {
    await setDark(page, dark);
    await page.mouse.move(720, 4);
    // Whatever was just loaded has been drawn.
    await page.waitForLoadState("networkidle").catch(() => undefined);
    await page.screenshot({ path: join(TO, `${name}${dark ? "-dark" : ""}.png`), animations: "disabled" });
  }
  await setDark(page, false);
}

const sample = (name: string) => readFileSync(join(SAMPLES, `${name}/${name}.asl.json`), "utf8");

/** State machines and executions of several kinds, as a small shop might have them. */
async function furnish(stepwell: Stepwell) {
  const order = await stepwell.machine("order-check", ORDER);
  const parts = [];
  for (const [index, amount] of [40, 7_200, 15, 930, 12_000, 64].entries()) {
    const input = { order: { id: `A-${1041 + index}`, customer: CUSTOMERS[index % 3], amount } };
    parts.push(await stepwell.execution(order, `order-${1041 + index}`, input));
  }
  for (const arn of parts) await stepwell.end(arn);
  const asks = await stepwell.machine("expense-claim", ASKS);
  for (const [index, purpose] of ["Train to Basel", "Desk lamp", "Conference, two days"].entries()) {
    await stepwell.execution(asks, `claim-${77 + index}`, {
      claim: `C-${77 + index}`,
      by: CUSTOMERS[index],
      purpose,
      cents: [18_400, 6_900, 74_000][index],
    });
  }
  const quick = await stepwell.machine("price-quote", { ...ORDER, Comment: "Express" }, "EXPRESS");
  for (const amount of [12, 9_000, 75]) {
    const input = JSON.stringify({ order: { id: `Q-${amount}`, customer: CUSTOMERS[0], amount } });
    await stepwell.call("StartSyncExecution", { stateMachineArn: quick, name: `quote-${amount}`, input });
  }
  return { order, parts, quick };
}

const CUSTOMERS = ["Ada Lovelace", "Grace Hopper", "Alan Turing"];

const ORDER = {
  QueryLanguage: "JSONata",
  StartAt: "Read the order",
  States: {
    "Read the order": {
      Type: "Pass",
      Assign: { id: "{% $states.input.order.id %}", amount: "{% $states.input.order.amount %}" },
      Next: "Large?",
    },
    "Large?": {
      Type: "Choice",
      Choices: [{ Condition: "{% $amount > 10000 %}", Next: "Too large" }],
      Default: "Parcels",
    },
    Parcels: {
      Type: "Map",
      Items: "{% [1..$ceil($amount / 100)] %}",
      ItemProcessor: {
        StartAt: "Pack",
        States: {
          Pack: { Type: "Pass", Output: "{% {'parcel': $states.input, 'order': $id} %}", Next: "Label" },
          Label: { Type: "Pass", End: true },
        },
      },
      Next: "Done",
    },
    "Too large": { Type: "Fail", Error: "Order.TooLarge", Cause: "Orders over 10,000 are for people." },
    Done: { Type: "Succeed" },
  },
};

test("pages", async ({ page, stepwell }) => {
  const { order, parts } = await furnish(stepwell);
  await stepwell.machine("order-fulfilment", sample("order-fulfilment"));
  const { activityArn } = await stepwell.call<{ activityArn: string }>("CreateActivity", { name: "pick-and-pack" });
  await stepwell.call("CreateActivity", { name: "call-the-customer" });
  const picks = await stepwell.machine("warehouse", {
    StartAt: "Pick",
    States: { Pick: { Type: "Task", Resource: activityArn, End: true } },
  });
  for (const number of [1, 2, 3, 4]) await stepwell.execution(picks, `pick-${number}`);

  await page.goto(stepwell.page("/state-machines"));
  await expect(page.getByRole("link", { name: "warehouse" })).toBeVisible();
  await picture(page, "state-machines");

  await page.goto(stepwell.page("/executions?input=$.order.amount%3D7200&period=1d"));
  await expect(page.getByRole("link", { name: "order-1042" })).toBeVisible();
  await page.goto(stepwell.page("/executions?status=RUNNING,FAILED,SUCCEEDED&period=1d"));
  await expect(page.getByRole("link", { name: "order-1042" })).toBeVisible();
  await picture(page, "search");

  await page.goto(stepwell.page("/tasks?find="));
  await expect(page.getByRole("button", { name: ASK })).toHaveCount(3);
  await expect(page.getByRole("textbox", { name: "Output" })).toBeVisible();
  await picture(page, "waiting-tasks");

  await page.goto(stepwell.page(`/activities?activity=${encodeURIComponent(activityArn)}`));
  await expect(page.getByRole("link", { name: "pick-1" })).toBeVisible();
  await picture(page, "activities");

  await page.goto(stepwell.page("/functions"));
  await page.getByRole("button", { name: "Run" }).click();
  await expect(page.getByRole("region", { name: "Answer" })).toBeVisible();
  await picture(page, "functions");

  await page.goto(stepwell.page("/server"));
  await expect(page.getByText("It reads and writes")).toBeVisible();
  await picture(page, "server");

  await page.goto(stepwell.executionPage(parts[1] ?? ""));
  const graph = page.getByLabel("Graph of the execution");
  await page.getByRole("button", { name: /^Parcels/ }).click();
  await expect(graph.getByLabel(/^Map Parcels/)).toBeVisible();
  await picture(page, "map-items");

  await page.goto(stepwell.machinePage(order));
  await expect(page.getByRole("link", { name: "order-1041" })).toBeVisible();
  await picture(page, "state-machine");
});
