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

test("10,000 child executions are browsed: by page, by status, by what they were given", async ({ page, stepwell }) => {
  test.setTimeout(240_000);
  const machine = await stepwell.machine("large", {
    QueryLanguage: "JSONata",
    StartAt: "All",
    States: {
      All: {
        Type: "Map",
        Label: "All",
        ToleratedFailurePercentage: 100,
        Items: '{% [1..10000].{ "number": $ } %}',
        ItemProcessor: {
          ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
          StartAt: "Check",
          States: {
            Check: {
              Type: "Choice",
              Choices: [{ Condition: "{% $states.input.number % 5000 = 0 %}", Next: "Bad" }],
              Default: "Good",
            },
            Bad: { Type: "Fail", Error: "Number.Round" },
            Good: { Type: "Pass", Output: "{% $states.input.number %}", End: true },
          },
        },
        Output: "done",
        End: true,
      },
    },
  });
  const executionArn = await stepwell.execution(machine, "parent");
  expect(await stepwell.end(executionArn, 180_000)).toBe("SUCCEEDED");
  const { mapRuns } = await stepwell.call<{ mapRuns: { mapRunArn: string }[] }>("ListMapRuns", { executionArn });
  await page.goto(stepwell.page(`/map-runs/${encodeURIComponent(mapRuns[0]?.mapRunArn ?? "")}`));
  const children = page.getByRole("table", { name: "Child executions" });
  await expect(children.getByRole("link")).toHaveCount(50);
  await expect(page.getByText("1 of 200", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Next page" }).click();
  await expect(page.getByText("2 of 200", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: /Any status/ }).click();
  await page.getByRole("option", { name: "Failed" }).click();
  await expect(children.getByRole("link")).toHaveCount(2);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Search in them" }).click();
  const filter = page.getByRole("combobox", { name: "Find executions" });
  await filter.fill("Input:$.number=4321");
  await filter.press("Enter");
  const found = page.getByRole("table", { name: "Executions" });
  await expect(found.getByRole("link", { name: "Map Run" })).toHaveCount(1);
  await found.getByRole("link").first().click();
  await expect(page.getByLabel("Graph of the execution").getByLabel("Pass Good, succeeded")).toBeVisible();
});
