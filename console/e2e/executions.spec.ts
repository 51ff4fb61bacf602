import { expect, expectAccessible, test } from "./stepwell";

/** A loop with a variable, a caught error, branches, items, and an activity that keeps it waiting. */
const definition = (activity: string) => ({
  QueryLanguage: "JSONata",
  StartAt: "Count",
  States: {
    Count: { Type: "Pass", Assign: { n: "{% $exists($n) ? $n + 1 : 1 %}" }, Next: "Enough?" },
    "Enough?": { Type: "Choice", Choices: [{ Condition: "{% $n >= 3 %}", Next: "Both" }], Default: "Count" },
    Both: {
      Type: "Parallel",
      Branches: [
        {
          StartAt: "Items",
          States: {
            Items: {
              Type: "Map",
              Items: "{% [1, 2, 3] %}",
              ItemProcessor: {
                StartAt: "Double",
                States: { Double: { Type: "Pass", Output: "{% $states.input * 2 %}", End: true } },
              },
              End: true,
            },
          },
        },
        { StartAt: "Big", States: { Big: { Type: "Pass", Output: { text: "{% $string([1..3000]) %}" }, End: true } } },
      ],
      Next: "Ask",
    },
    Ask: {
      Type: "Task",
      Resource: activity,
      Arguments: { question: "go on?" },
      Catch: [{ ErrorEquals: ["No"], Next: "Refused" }],
      Next: "Done",
    },
    Refused: { Type: "Fail", Error: "Refused", Cause: "somebody said no" },
    Done: { Type: "Succeed" },
  },
});

test("live to its end, then back in time", async ({ page, stepwell }) => {
  const { activityArn } = await stepwell.call<{ activityArn: string }>("CreateActivity", { name: "ask" });
  const machine = await stepwell.machine("live", definition(activityArn));
  const arn = await stepwell.execution(machine, "one", { hello: "world" });
  await page.goto(stepwell.executionPage(arn));
  const graph = page.getByLabel("Graph of the execution");
  await expect(graph.getByLabel("Task Ask, running")).toBeVisible();
  await expect(page.locator('[data-feed="stream"]')).toBeVisible();

  const { taskToken } = await stepwell.call<{ taskToken: string }>("GetActivityTask", { activityArn });
  await stepwell.call("SendTaskSuccess", { taskToken, output: '{"yes": true}' });
  await expect(graph.getByLabel("Task Ask, succeeded")).toBeVisible();
  await expect(page.locator('[data-feed="ended"]')).toBeAttached();
  await expect(graph.getByLabel("Pass Count, succeeded, entered 3 times")).toBeVisible();
  await expect(graph.getByLabel("Pass Double, succeeded, entered 3 times")).toBeVisible();

  // One selection: the graph's is the timeline's and the details'.
  await graph.getByLabel("Task Ask, succeeded").click();
  const details = page.getByRole("region", { name: "Selected state" });
  await expect(details.getByRole("heading", { name: "Ask" })).toBeVisible();
  await expect(details.getByText('"yes": true')).toBeVisible();
  await expect(page.getByRole("button", { name: /^Ask/, pressed: true })).toBeVisible();
  await page.getByRole("tab", { name: "Table" }).click();
  await expect(page.getByRole("radio", { name: "Select Ask" })).toBeChecked();
  await page.getByRole("tab", { name: /^Events/ }).click();
  await page.getByRole("searchbox", { name: "Find events by type or state" }).fill("Big");
  await page.getByRole("button", { name: /PassStateExited/ }).click();
  await expect(details.getByRole("heading", { name: "Big" })).toBeVisible();
  // Its output is over 4 KiB, so it is fetched by itself.
  await expect(details.getByText(/2999,3000/)).toBeVisible();

  // Time travel: the first round of the loop.
  await page.getByRole("tab", { name: "Timeline" }).click();
  await page.getByRole("slider").fill("3");
  await expect(page).toHaveURL(/at=3/);
  await expect(graph.getByLabel("Pass Count, succeeded", { exact: true })).toBeVisible();
  await expect(graph.getByLabel("Task Ask", { exact: true })).toBeVisible();
  await page.reload();
  await expect(graph.getByLabel("Pass Count, succeeded", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Now" }).click();
  await graph.getByLabel(/^Pass Count/).click();
  await page.getByLabel("Which visit").selectOption({ index: 1 });
  await page.getByRole("tab", { name: /^Variables/ }).click();
  await expect(details.getByRole("row", { name: "$n 1 2" })).toBeVisible();
  await expectAccessible(page);
});

test("a failure is shown where it happened; stop and start anew", async ({ page, stepwell }) => {
  const { activityArn } = await stepwell.call<{ activityArn: string }>("CreateActivity", { name: "refuse" });
  const machine = await stepwell.machine("fails", definition(activityArn));
  const arn = await stepwell.execution(machine, "two");
  const { taskToken } = await stepwell.call<{ taskToken: string }>("GetActivityTask", { activityArn });
  await stepwell.call("SendTaskFailure", { taskToken, error: "No", cause: "not today" });
  expect(await stepwell.end(arn)).toBe("FAILED");
  await page.goto(stepwell.executionPage(arn));
  const graph = page.getByLabel("Graph of the execution");
  await expect(graph.getByLabel("Task Ask, caught")).toBeVisible();
  await page.getByRole("button", { name: "Show Refused" }).click();
  await expect(
    page.getByRole("region", { name: "Selected state" }).getByText("Refused: somebody said no"),
  ).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "New execution" }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Name" }).fill("three");
  await page.getByRole("dialog").getByRole("button", { name: "Start", exact: true }).click();
  await expect(graph.getByLabel("Task Ask, running")).toBeVisible();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await expect(graph.getByLabel("Task Ask, aborted")).toBeVisible();
});

test("a failed execution is redriven and watched to its end", async ({ page, stepwell }) => {
  const { activityArn } = await stepwell.call<{ activityArn: string }>("CreateActivity", { name: "again" });
  const machine = await stepwell.machine("redriven", {
    StartAt: "Try",
    States: { Try: { Type: "Task", Resource: activityArn, Next: "After" }, After: { Type: "Pass", End: true } },
  });
  const arn = await stepwell.execution(machine, "six");
  const task = () => stepwell.call<{ taskToken: string }>("GetActivityTask", { activityArn });
  await stepwell.call("SendTaskFailure", { taskToken: (await task()).taskToken, error: "No" });
  expect(await stepwell.end(arn)).toBe("FAILED");
  await page.goto(stepwell.executionPage(arn));
  const graph = page.getByLabel("Graph of the execution");
  await expect(graph.getByLabel("Task Try, failed")).toBeVisible();
  await page.getByRole("button", { name: "Redrive" }).click();
  await expect(graph.getByLabel("Task Try, running")).toBeVisible();
  await stepwell.call("SendTaskSuccess", { taskToken: (await task()).taskToken, output: "{}" });
  await expect(graph.getByLabel("Pass After, succeeded")).toBeVisible();
  await expect(page.locator('[data-feed="ended"]')).toBeAttached();
});

test("without a stream it polls", async ({ page, stepwell, complaints }) => {
  const machine = await stepwell.machine("polled", {
    StartAt: "A",
    States: { A: { Type: "Wait", Seconds: 2, Next: "B" }, B: { Type: "Pass", End: true } },
  });
  await page.route("**/stream", (route) => route.abort());
  const arn = await stepwell.execution(machine, "four");
  await page.goto(stepwell.executionPage(arn));
  await expect(page.getByLabel("Graph of the execution").getByLabel("Pass B, succeeded")).toBeVisible();
  // The stream that was cut is told by the browser itself.
  expect(complaints.every((text) => text.includes("ERR_FAILED"))).toBe(true);
  complaints.length = 0;
});

test("a stream goes on behind the last event that came", async ({ stepwell }) => {
  const machine = await stepwell.machine("resumed", {
    StartAt: "A",
    States: { A: { Type: "Pass", Next: "B" }, B: { Type: "Pass", End: true } },
  });
  const arn = await stepwell.execution(machine, "five");
  await stepwell.end(arn);
  const path = `${stepwell.url}/console/api/executions/${encodeURIComponent(arn)}/stream`;
  const whole = await (await fetch(path)).text();
  expect(whole).toMatch(/^id: 6\ndata: \{"events":\[/);
  expect(whole).toMatch(/event: end\ndata: \{\}\n\n$/);
  const rest = await (await fetch(path, { headers: { "last-event-id": "4" } })).text();
  expect([...rest.matchAll(/"type":"(\w+)"/g)].map((match) => match[1])).toEqual([
    "PassStateExited",
    "ExecutionSucceeded",
  ]);
  expect((await fetch(path.replace("five", "none"))).status).toBe(400);
});

test("two executions are compared: where they part, and what they got", async ({ page, stepwell }) => {
  const machine = await stepwell.machine("parts", {
    QueryLanguage: "JSONata",
    StartAt: "Read",
    States: {
      Read: { Type: "Pass", Output: "{% $states.input %}", Next: "Large?" },
      "Large?": {
        Type: "Choice",
        Choices: [{ Condition: "{% $states.input.n > 10 %}", Next: "Large" }],
        Default: "Small",
      },
      Large: { Type: "Pass", End: true },
      Small: { Type: "Pass", End: true },
    },
  });
  const arns = [
    await stepwell.execution(machine, "small", { n: 1 }),
    await stepwell.execution(machine, "large", { n: 99 }),
  ];
  for (const arn of arns) expect(await stepwell.end(arn)).toBe("SUCCEEDED");
  await page.goto(stepwell.machinePage(machine));
  await page.getByRole("checkbox", { name: "Select small" }).check();
  await page.getByRole("checkbox", { name: "Select large" }).check();
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(page.getByText(/They part at visit 3, (Small|Large)\./)).toBeVisible();
  await expect(page.getByLabel("Graph of both").getByLabel("Pass Small, differs")).toBeVisible();
  await page.getByRole("button", { name: "1", exact: true }).click();
  const both = page.getByRole("region", { name: "Selected visit in both" });
  await expect(both.getByText('"n": 99').first()).toBeVisible();
  await expect(both.getByText('"n": 1', { exact: false }).first()).toBeVisible();
  await expectAccessible(page);
});
