import { FILES } from "./asking";
import { code, form, graph, openEditor, save, saved } from "./editor";
import { expect, expectAccessible, test } from "./stepwell";

test.use({ files: FILES });

/** A branch, many states, a task that a person answers, one that a worker fails first, and what is left of the `count`. */
function definition(count: number, activityArn: string) {
  const states: Record<string, unknown> = {};
  const chain = count - 5;
  for (let n = 1; n <= chain; n++) states[`S${n}`] = { Type: "Pass", Next: n < chain ? `S${n + 1}` : "Ask" };
  const branch = { StartAt: "Inner", States: { Inner: { Type: "Pass", End: true } } };
  return {
    QueryLanguage: "JSONata",
    StartAt: "Both",
    States: {
      Both: { Type: "Parallel", Branches: [branch], Output: "{% $states.input %}", Next: "S1" },
      ...states,
      Ask: {
        Type: "Task",
        Resource: "arn:aws:states:::lambda:invoke.waitForTaskToken",
        Arguments: { FunctionName: "ask", Payload: { token: "{% $states.context.Task.Token %}" } },
        Next: "Work",
      },
      Work: { Type: "Task", Resource: activityArn, Arguments: {}, Next: "Done" },
      Done: { Type: "Succeed" },
    },
  };
}

for (const count of [30, 200, 1_000]) {
  test(`${count} states: dragged into a branch, edited by form and code, undone, tested, saved, run, approved, redriven, scrubbed, compared`, async ({
    page,
    stepwell,
  }) => {
    test.setTimeout(300_000);
    const { activityArn } = await stepwell.call<{ activityArn: string }>("CreateActivity", { name: "work" });
    const task = () => stepwell.call<{ taskToken: string }>("GetActivityTask", { activityArn });
    const arn = await openEditor(page, stepwell, definition(count, activityArn), "large");
    await expect(graph(page).getByText(`${count} states`)).toBeVisible();

    // Dragged into the branch, edited by form and by code, undone.
    const palette = page.getByRole("navigation", { name: "States to add" });
    const target = graph(page).getByRole("button", { name: "Insert between Inner and the end" });
    await palette.getByRole("button", { name: "Wait", exact: true }).dragTo(target);
    await expect(graph(page).getByText(`${count + 1} states`)).toBeVisible();
    await form(page).getByRole("textbox", { name: "Seconds", exact: true }).fill("1");
    await expect(code(page)).toContainText('"Seconds": 1');
    await code(page).getByText('"Seconds"').click();
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.type("0");
    await expect(form(page).getByRole("textbox", { name: "Seconds", exact: true })).toHaveText("10");
    await page.getByRole("button", { name: "Undo: typed" }).click();
    await expect(form(page).getByRole("textbox", { name: "Seconds", exact: true })).toHaveText("1");

    // A state is tested; then all is saved.
    await graph(page).getByLabel("Pass Inner", { exact: true }).click();
    await page.getByRole("button", { name: "Test", exact: true }).click();
    const panel = page.getByRole("region", { name: "Test", exact: true });
    await panel.getByRole("button", { name: "Test state" }).click();
    await expect(panel.getByText("Succeeded")).toBeVisible();
    await save(page, "large");
    const inner = JSON.parse(await saved(stepwell, arn)).States.Both.Branches[0].States;
    expect(inner).toEqual({ Inner: { Type: "Pass", Next: "Wait" }, Wait: { Type: "Wait", Seconds: 1, End: true } });
    if (count === 30) await expectAccessible(page);

    // Run from the editor, watched live.
    await page.getByRole("button", { name: "Start execution" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Name" }).fill("first");
    if (count === 30) await expectAccessible(page);
    await dialog.getByRole("button", { name: "Start", exact: true }).click();
    const timeline = page.getByRole("region", { name: "Timeline" });
    const shown = page.getByLabel("Graph of the execution");
    await expect(page.locator('[data-feed="stream"]')).toBeVisible();

    // The token of its task is approved in the inbox.
    await page.goto(stepwell.page("/tasks"));
    await page.getByRole("textbox", { name: "Output" }).fill('{"approved": true}');
    await page.getByRole("button", { name: "Approve and go on" }).click();
    const first = `${arn.replace(":stateMachine:", ":execution:")}:first`;
    await stepwell.call("SendTaskFailure", { taskToken: (await task()).taskToken, error: "No" });

    // It has failed: redriven, it is watched to its end.
    await page.goto(stepwell.executionPage(first));
    await page.getByRole("button", { name: "Show Work" }).click();
    await page.getByRole("button", { name: "Redrive" }).click();
    await expect(page.locator('[data-feed="stream"]')).toBeVisible();
    await stepwell.call("SendTaskSuccess", { taskToken: (await task()).taskToken, output: "{}" });
    await expect(page.locator('[data-feed="ended"]')).toBeAttached();
    await expect(page.getByText("Succeeded").first()).toBeVisible();
    if (count === 30) await expectAccessible(page);

    // Back to its second event, when it was in the branch.
    await page.getByRole("slider").fill("2");
    await expect(timeline.getByRole("button")).toHaveCount(1);
    await shown.getByRole("button", { name: "Show the whole graph" }).click();
    await page.getByRole("button", { name: "Now" }).click();

    // Another one is refused; the two part there.
    const second = await stepwell.execution(arn, "second");
    const find = `${stepwell.url}/console/api/executions/${encodeURIComponent(second)}/tasks`;
    await expect.poll(async () => (await (await fetch(find)).json()).tasks.length).toBe(1);
    await page.goto(stepwell.page("/tasks"));
    await page.getByRole("button", { name: "Fail", exact: true }).click();
    await page.getByRole("textbox", { name: "Error" }).fill("Refused");
    await page.getByRole("button", { name: "Fail the task" }).click();
    expect(await stepwell.end(second)).toBe("FAILED");
    await page.goto(stepwell.page(`/compare?left=${encodeURIComponent(first)}&right=${encodeURIComponent(second)}`));
    await expect(page.getByText(/They part at visit \d+, Ask\./)).toBeVisible();
    if (count === 30) await expectAccessible(page);
  });
}
