import { ASK, ASKS, FILES } from "./asking";
import { expect, expectAccessible, test } from "./stepwell";

/** Ten thousand items make more events than AWS lets an execution have. */
const LIMITS = '\n[limits]\nhistory_events = "off"\n';

test.use({ files: { ...FILES, "stepwell.toml": FILES["stepwell.toml"] + LIMITS } });

const ITEMS = 10_000;

test("10,000 items of a Map are browsed, and the graph shows one of them", async ({ page, stepwell }) => {
  const machine = await stepwell.machine("items", {
    QueryLanguage: "JSONata",
    StartAt: "All",
    States: {
      All: {
        Type: "Map",
        Items: `{% [1..${ITEMS}] %}`,
        ItemProcessor: {
          StartAt: "Odd?",
          States: {
            "Odd?": {
              Type: "Choice",
              Choices: [{ Condition: "{% $states.input % 2 = 1 %}", Next: "Odd" }],
              Default: "Even",
            },
            Odd: { Type: "Pass", Output: { kind: "odd" }, End: true },
            Even: { Type: "Pass", Output: { kind: "even" }, End: true },
          },
        },
        End: true,
      },
    },
  });
  test.setTimeout(180_000);
  const arn = await stepwell.execution(machine, "many");
  expect(await stepwell.end(arn)).toBe("SUCCEEDED");
  await page.goto(stepwell.executionPage(arn, "?visit=2"));
  await page.getByRole("tab", { name: "Items (10,000)" }).click();
  await page.getByRole("searchbox", { name: "Find items by number or error" }).fill("9999");
  await page.getByRole("button", { name: "Item 9999, succeeded" }).click();
  await expect(page).toHaveURL(/item=9999/);
  const graph = page.getByLabel("Graph of the execution");
  await expect(graph.getByLabel("Pass Even, succeeded", { exact: true })).toBeVisible();
  await expect(graph.getByLabel("Pass Odd", { exact: true })).toBeVisible();
  await expectAccessible(page);
  // A state of that item, and what it changed.
  await graph.getByLabel("Pass Even, succeeded", { exact: true }).click();
  await expect(page.getByRole("spinbutton", { name: "Which visit" })).toHaveValue("5000");
  await page.getByRole("tab", { name: "Changes" }).click();
  const details = page.getByRole("region", { name: "Selected state" });
  await expect(details.getByRole("row", { name: '$ 10000 {"kind":"even"}' })).toBeVisible();
});

test("child and parent lead to each other; a task is answered where it waits", async ({ page, stepwell }) => {
  const asks = await stepwell.machine("asks", ASKS);
  const parent = await stepwell.machine("parent", {
    QueryLanguage: "JSONata",
    StartAt: "Call",
    States: {
      Call: {
        Type: "Task",
        Resource: "arn:aws:states:::states:startExecution.sync:2",
        Arguments: {
          StateMachineArn: asks,
          Name: "child-1",
          Input: {
            AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: "{% $states.context.Execution.Id %}",
            claim: "C-1",
            by: "Ada",
            purpose: "Train",
            cents: 1,
          },
        },
        End: true,
      },
    },
  });
  const arn = await stepwell.execution(parent, "parent-1");
  await page.goto(stepwell.executionPage(arn));
  await page.getByLabel("Graph of the execution").getByLabel("Task Call, running").click();
  await page.getByRole("link", { name: "Execution child-1" }).click();
  await expect(page.getByRole("link", { name: "Started by parent-1" })).toBeVisible();
  const graph = page.getByLabel("Graph of the execution");
  await graph.getByLabel(`Task ${ASK}, running`).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Answer" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Approve and go on" }).click();
  await expect(graph.getByLabel("Pass Pay out, succeeded")).toBeVisible();
  await page.getByRole("link", { name: "Started by parent-1" }).click();
  await expect(page.getByLabel("Graph of the execution").getByLabel("Task Call, succeeded")).toBeVisible();
});
