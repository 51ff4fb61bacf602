import { readFileSync } from "node:fs";
import { expect, expectAccessible, test } from "./stepwell";

const FAILS = {
  QueryLanguage: "JSONata",
  StartAt: "First",
  States: {
    First: { Type: "Pass", Assign: { n: 1 }, Output: { order: "A-1" }, Next: "Last" },
    Last: { Type: "Fail", Error: "Order.Bad", Cause: "nothing in it" },
  },
};

const GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/orders-Logs:*";

test("logging is switched on; the lines on the page are those of the log, for Standard and Express", async ({
  page,
  stepwell,
}) => {
  for (const type of ["STANDARD", "EXPRESS"]) {
    const before = stepwell.logLines().length;
    const machine = await stepwell.machine(`orders-${type}`, FAILS, type);
    await page.goto(stepwell.machinePage(machine, "?tab=settings"));
    await page.getByRole("button", { name: "Every event" }).click();
    await page.getByRole("checkbox", { name: "With inputs and outputs" }).check();
    await page.getByRole("textbox", { name: "Log group" }).fill(GROUP);
    if (type === "STANDARD") await expectAccessible(page);
    await page.getByRole("button", { name: "Save settings" }).click();
    await expect(page.getByText("The settings are saved.", { exact: true })).toBeVisible();
    const described = await stepwell.call<{ loggingConfiguration: unknown }>("DescribeStateMachine", {
      stateMachineArn: machine,
    });
    expect(described.loggingConfiguration).toEqual({
      level: "ALL",
      includeExecutionData: true,
      destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: GROUP } }],
    });
    await page.getByRole("button", { name: "Start execution" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Start", exact: true }).click();
    if (type === "EXPRESS") await page.getByRole("link", { name: "Show the execution" }).click();
    await page.getByRole("tab", { name: "Logs" }).click();
    const log = page.getByRole("region", { name: "Log" });
    await expect(log.getByRole("button")).toHaveCount(5);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download the lines" }).click();
    const lines = readFileSync(await (await download).path(), "utf8")
      .trim()
      .split("\n");
    await expect.poll(() => stepwell.logLines().slice(before)).toEqual(lines);
    await page.getByRole("combobox", { name: "Level" }).selectOption("Errors");
    await expect(log.getByRole("button")).toHaveCount(2);
    await log.getByRole("button", { name: /FailStateEntered/ }).click();
    await expect(log.getByText('"redrive_count": "0"')).toBeVisible();
    // One selection: the line's state is the graph's.
    await expect(
      page.getByRole("region", { name: "Selected state" }).getByRole("heading", { name: "Last" }),
    ).toBeVisible();
    if (type === "STANDARD") await expectAccessible(page);
  }
});

test("what is not logged is shown all the same, and said to be so", async ({ page, stepwell }) => {
  const machine = await stepwell.machine("silent", FAILS);
  const arn = await stepwell.execution(machine, "one");
  await stepwell.end(arn);
  await page.goto(stepwell.executionPage(arn, "?view=logs"));
  await expect(page.getByText("The state machine logs nothing")).toBeVisible();
  await page.getByRole("searchbox", { name: "Find in the lines of the log" }).fill("A-1");
  await expect(
    page.getByRole("region", { name: "Log" }).getByRole("button", { name: /PassStateExited/ }),
  ).toBeVisible();
  expect(stepwell.logLines()).toEqual([]);
});
