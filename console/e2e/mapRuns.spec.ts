import { expect, expectAccessible, test } from "./stepwell";

test("a Map Run: its progress, its children, a change while it runs", async ({ page, stepwell }) => {
  const { activityArn } = await stepwell.call<{ activityArn: string }>("CreateActivity", { name: "each" });
  const machine = await stepwell.machine("distributed", {
    QueryLanguage: "JSONata",
    StartAt: "All",
    States: {
      All: {
        Type: "Map",
        Label: "All",
        MaxConcurrency: 2,
        Items: "{% [1..4] %}",
        ItemProcessor: {
          ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
          StartAt: "Each",
          States: { Each: { Type: "Task", Resource: activityArn, End: true } },
        },
        End: true,
      },
    },
  });
  const arn = await stepwell.execution(machine, "parent");
  const task = () => stepwell.call<{ taskToken: string }>("GetActivityTask", { activityArn });
  await stepwell.call("SendTaskSuccess", { taskToken: (await task()).taskToken, output: "1" });
  await page.goto(stepwell.executionPage(arn));
  const graph = page.getByLabel("Graph of the execution");
  await page.getByRole("region", { name: "Timeline" }).getByRole("button").first().click();
  await page.getByRole("link", { name: "Map Run" }).click();
  await expect(page.getByRole("heading", { name: "Map Run", exact: true })).toBeVisible();
  await expect(page.getByRole("img", { name: "Items: 25 % have ended" })).toBeVisible();
  const children = page.getByRole("table", { name: "Child executions" });
  await expect(children.getByText("Succeeded")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("dialog").getByRole("spinbutton", { name: "Child executions at a time" }).fill("3");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("The Map Run is changed.", { exact: true })).toBeVisible();
  await stepwell.call("SendTaskFailure", { taskToken: (await task()).taskToken, error: "Bad" });
  expect(await stepwell.end(arn)).toBe("FAILED");
  await page.reload();
  await expect(page.getByText("Failed").first()).toBeVisible();
  await page.getByRole("button", { name: /Any status/ }).click();
  await page.getByRole("option", { name: "Failed" }).click();
  await expect(page).toHaveURL(/status=FAILED/);
  await children.getByRole("link").first().click();
  await expect(graph.getByLabel("Task Each, failed")).toBeVisible();
  await expect(page.getByRole("link", { name: "Map Run" })).toBeVisible();
});
