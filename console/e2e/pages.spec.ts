import { ASK, ASKS, FILES } from "./asking";
import { expect, expectAccessible, test } from "./stepwell";

test.use({ files: FILES });

test("waiting tasks: one is approved, one is refused, live", async ({ page, stepwell }) => {
  const machine = await stepwell.machine("claims", ASKS);
  const yes = await stepwell.execution(machine, "claim-1", { claim: "C-1", by: "Ada", purpose: "Train", cents: 1 });
  await page.goto(stepwell.page("/tasks"));
  const list = page.getByRole("region", { name: "Tasks" });
  await expect(list.getByRole("button", { name: /claim-1/ })).toBeVisible();
  await expect(page.getByText('"purpose": "Train"')).toBeVisible();
  await expectAccessible(page);
  // What begins to wait comes by itself.
  const no = await stepwell.execution(machine, "claim-2", { claim: "C-2", by: "Alan", purpose: "Boat", cents: 2 });
  await list.getByRole("button", { name: /claim-2/ }).click();
  await expect(page).toHaveURL(/claim-2/);
  await page
    .getByRole("radio", { name: "Fail" })
    .or(page.getByRole("button", { name: "Fail", exact: true }))
    .click();
  await page.getByRole("textbox", { name: "Error" }).fill("Claim.Refused");
  await page.getByRole("textbox", { name: "Cause" }).fill("too dear");
  await page.getByRole("button", { name: "Fail the task" }).click();
  await expect(page.getByText(`${ASK} has failed.`, { exact: true })).toBeVisible();
  expect(await stepwell.end(no)).toBe("FAILED");
  await list.getByRole("button", { name: /claim-1/ }).click();
  await page.getByRole("textbox", { name: "Output" }).fill('{"approved": "by a person"}');
  await page.getByRole("button", { name: "Approve and go on" }).click();
  await expect(page.getByText("Nothing waits for an answer")).toBeVisible();
  expect(await stepwell.end(yes)).toBe("SUCCEEDED");
  const { output } = await stepwell.call<{ output: string }>("DescribeExecution", { executionArn: yes });
  expect(JSON.parse(output)).toEqual({ approved: "by a person" });
});

test("tasks of a Map Run's child executions are in the inbox, and answered there", async ({ page, stepwell }) => {
  const machine = await stepwell.machine("round", {
    QueryLanguage: "JSONata",
    StartAt: "Each",
    States: {
      Each: {
        Type: "Map",
        Label: "Each",
        Items: [1, 2].map((cents) => ({ claim: `C-${cents}`, by: "Ada", purpose: "Train", cents })),
        ItemProcessor: {
          StartAt: ASKS.StartAt,
          States: ASKS.States,
          ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
        },
        End: true,
      },
    },
  });
  const arn = await stepwell.execution(machine, "round-1");
  await page.goto(stepwell.page("/tasks"));
  const list = page.getByRole("region", { name: "Tasks" });
  await expect(list.getByRole("button")).toHaveCount(2);
  await expect(list.getByText("round/Each").first()).toBeVisible();
  for (const left of [1, 0]) {
    await list.getByRole("button").first().click();
    await page.getByRole("textbox", { name: "Output" }).fill('{"approved": true}');
    await page.getByRole("button", { name: "Approve and go on" }).click();
    await expect(list.getByRole("button")).toHaveCount(left);
  }
  expect(await stepwell.end(arn)).toBe("SUCCEEDED");
});

test("a search over all executions, in the address; redrive what was found", async ({ page, stepwell }) => {
  const definition = {
    QueryLanguage: "JSONata",
    StartAt: "Check",
    States: {
      Check: { Type: "Choice", Choices: [{ Condition: "{% $states.input.n > 1 %}", Next: "Bad" }], Default: "Good" },
      Bad: { Type: "Fail", Error: "Order.Bad" },
      Good: { Type: "Pass", Output: { receipt: "R-77" }, End: true },
    },
  };
  const [one, two] = [await stepwell.machine("one", definition), await stepwell.machine("two", definition)];
  const good = await stepwell.execution(one, "good-1", { n: 1, order: { id: "A-1" } });
  const bad = await stepwell.execution(two, "bad-1", { n: 2, order: { id: "A-2" } });
  for (const arn of [good, bad]) await stepwell.end(arn);
  await page.goto(stepwell.page("/executions"));
  await expect(page.getByRole("link", { name: "good-1" })).toBeVisible();
  await expect(page.getByRole("link", { name: "bad-1" })).toBeVisible();
  await expectAccessible(page);
  const filter = page.getByRole("combobox", { name: "Find executions" });
  await filter.fill("Input:$.order.id=A-1");
  await filter.press("Enter");
  await expect(page).toHaveURL(/input=/);
  await expect(page.getByRole("link", { name: "bad-1" })).toBeHidden();
  await page.reload();
  await expect(page.getByRole("link", { name: "good-1" })).toBeVisible();
  await expect(page.getByRole("link", { name: "bad-1" })).toBeHidden();
  await page.goto(stepwell.page("/executions?output=r-77&status=SUCCEEDED"));
  await expect(page.getByRole("link", { name: "good-1" })).toBeVisible();
  await page.goto(stepwell.page("/executions?error=order.bad"));
  await page.getByRole("checkbox", { name: "Select bad-1" }).check();
  await page.getByRole("button", { name: "Redrive" }).click();
  await expect(page.getByText("1 is redriven.", { exact: true })).toBeVisible();
  await page.getByRole("link", { name: "bad-1" }).click();
  await expect(page.getByRole("heading", { name: "bad-1" })).toBeVisible();
});

test("functions with their logs, the server with its limits, both sides of an activity", async ({ page, stepwell }) => {
  await page.goto(stepwell.page("/functions"));
  await page.getByRole("radio", { name: "Select ask" }).check();
  await page.getByRole("textbox", { name: "Payload" }).fill('{"purpose": "a trial"}');
  await page.getByRole("button", { name: "Run" }).click();
  await expect(page.getByRole("region", { name: "Answer" }).getByText('"asked": true')).toBeVisible();
  await expect(page.getByText("asked: a trial")).toBeVisible();
  await expectAccessible(page);

  await page.goto(stepwell.page("/server"));
  await expect(page.getByText("It reads and writes")).toBeVisible();
  await expect(page.getByRole("meter", { name: "Running executions" })).toBeVisible();
  await expectAccessible(page);

  const { activityArn } = await stepwell.call<{ activityArn: string }>("CreateActivity", { name: "pick" });
  const machine = await stepwell.machine("picks", {
    StartAt: "P",
    States: { P: { Type: "Task", Resource: activityArn, End: true } },
  });
  await stepwell.execution(machine, "pick-1");
  await page.goto(stepwell.page("/activities"));
  await page.getByRole("radio", { name: "Select pick" }).check();
  await expect(page.getByRole("link", { name: "pick-1" })).toBeVisible();
  await stepwell.call("GetActivityTask", { activityArn });
  await expect(page.getByText("None waits.")).toBeVisible();
  const poll = stepwell.call<{ taskToken?: string }>("GetActivityTask", { activityArn, workerName: "worker-7" });
  await expect(page.getByText("worker-7")).toBeVisible();
  await expectAccessible(page);
  await stepwell.execution(machine, "pick-2");
  expect((await poll).taskToken).toBeTruthy();
});
