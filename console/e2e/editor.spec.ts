import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { code, form, graph, openEditor, save, saved } from "./editor";
import { expect, expectAccessible, type Stepwell, test } from "./stepwell";

const TEXT = `{
  "Comment": "kept as it is:   spaces",
  "StartAt": "First",
  "States": {
    "First": { "Type": "Pass", "Result": 12345678901234567890, "Next": "Both" },
    "Both": {
      "Type": "Parallel",
      "Branches": [
        {"StartAt": "Left", "States": {"Left": {"Type": "Pass", "End": true}}},
        {"StartAt": "Right", "States": {"Right": {"Type": "Pass", "End": true}}}
      ],
      "End": true
    }
  }
}
`;

const open = (page: Page, stepwell: Stepwell, text = TEXT, name = "edited") => openEditor(page, stepwell, text, name);

test("drag into a nested branch, undo, redo, save: nothing else in the text changes", async ({ page, stepwell }) => {
  const arn = await open(page, stepwell);
  const palette = page.getByRole("navigation", { name: "States to add" });
  const target = graph(page).getByRole("button", { name: "Insert between Left and the end" });
  await palette.getByRole("button", { name: "Wait", exact: true }).dragTo(target);
  await expect(graph(page).getByLabel("Wait Wait", { exact: true })).toBeVisible();
  const line =
    '{"StartAt": "Left", "States": {"Left": {"Type": "Pass", "Next": "Wait"}, "Wait": {"Type": "Wait", "Seconds": 5, "End": true}}}';
  await expect(code(page)).toContainText(line);
  await page.getByRole("button", { name: "Undo: added Wait" }).click();
  await expect(graph(page).getByLabel("Wait Wait", { exact: true })).toBeHidden();
  await page.getByRole("button", { name: "Redo: added Wait" }).click();
  // The form of what was added is open.
  await form(page).getByRole("textbox", { name: "Seconds", exact: true }).fill("7");
  await expect(code(page)).toContainText('"Seconds": 7');
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("edited is saved.", { exact: true })).toBeVisible();
  const before = '{"StartAt": "Left", "States": {"Left": {"Type": "Pass", "End": true}}}';
  expect(await saved(stepwell, arn)).toBe(TEXT.replace(before, line.replace("5", "7")));
  await expectAccessible(page);
});

test("by keyboard: insert, walk, rename, duplicate, delete, undo all", async ({ page, stepwell }) => {
  await open(page, stepwell);
  await graph(page).getByLabel("Pass First", { exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("/");
  await page.getByRole("combobox", { name: "What to insert" }).fill("loop");
  await expect(page.getByRole("listbox").getByRole("option").first()).toHaveAccessibleName("Map Flow");
  await page.keyboard.press("Enter");
  await expect(graph(page).getByLabel(/^Map Map/)).toBeVisible();
  // What was added is selected; into its empty scope goes the next.
  await graph(page).getByRole("button", { name: "Insert between the start and the end" }).click();
  await page.getByRole("combobox").fill("succeed");
  await page.keyboard.press("Enter");
  await expect(graph(page).getByLabel("Map Map, holds 1 states")).toBeVisible();
  await graph(page).getByLabel("Pass First", { exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowDown");
  await expect(form(page).getByRole("heading", { name: "Map", level: 2 })).toBeVisible();
  await page.keyboard.press("F2");
  await expect(form(page).getByRole("textbox", { name: "Name" })).toBeFocused();
  await page.keyboard.type("Each");
  await page.keyboard.press("Enter");
  await expect(code(page)).toContainText('"Next": "Each"');
  await graph(page).getByLabel("Pass First", { exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+d");
  await expect(graph(page).getByLabel("Pass First (1)")).toBeVisible();
  await page.keyboard.press("Delete");
  await expect(graph(page).getByLabel("Pass First (1)")).toBeHidden();
  for (let steps = 0; steps < 5; steps++) await page.getByRole("button", { name: /^Undo/ }).click();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
});

test("by code: the graph follows, keeps the last good state, shares the history", async ({ page, stepwell }) => {
  await open(page, stepwell);
  await code(page).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText('{"StartAt":"Only","States":{"Only":{"Type":"Succeed"}}}');
  await expect(graph(page).getByLabel("Succeed Only", { exact: true })).toBeVisible();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("x");
  await expect(page.getByText(/its last good state/)).toBeVisible();
  await expect(graph(page).getByLabel("Succeed Only", { exact: true })).toBeVisible();
  await expect(page.getByRole("region", { name: "Problems" })).toContainText("errors");
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await expect(graph(page).getByLabel("Pass First", { exact: true })).toBeVisible();
});

test("a problem is shown on node, field and line", async ({ page, stepwell }) => {
  await open(page, stepwell, '{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1,"End":true}}}');
  await graph(page).getByLabel("Wait W", { exact: true }).click();
  await form(page).getByRole("textbox", { name: "Seconds", exact: true }).fill("soon");
  await expect(graph(page).getByLabel("Wait W, 1 problems")).toBeVisible();
  await expect(
    form(page)
      .getByText(/Expected value of type \[INTEGER\]|Seconds/)
      .first(),
  ).toBeVisible();
  await expect(page.locator(".cm-lint-marker-error")).toBeVisible();
  await page.getByRole("button", { name: /1 errors/ }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: /^Undo/ }).click();
  await expect(page.getByText("No problems")).toBeVisible();
});

test("a draft survives a reload; who saved meanwhile is told", async ({ page, stepwell }) => {
  const arn = await open(page, stepwell);
  await graph(page).getByLabel("Pass First", { exact: true }).click();
  await form(page).getByRole("textbox", { name: "Comment" }).fill("mine");
  await expect(page.getByText(/kept as a draft/)).toBeVisible();
  await expect.poll(() => page.evaluate(() => JSON.stringify(localStorage))).toContain("mine");
  await page.reload();
  await expect(page.getByText("This is the draft that you did not save.")).toBeVisible();
  await expect(code(page)).toContainText('"Comment": "mine"');
  const theirs = TEXT.replace("kept as it is", "theirs");
  await stepwell.call("UpdateStateMachine", { stateMachineArn: arn, definition: theirs });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Somebody else has saved this state machine meanwhile")).toBeVisible();
  expect(await saved(stepwell, arn)).toBe(theirs);
  await page.getByRole("button", { name: "Load what is saved" }).click();
  await expect(code(page)).toContainText("theirs");
  await page.getByRole("button", { name: /^Undo/ }).click();
  await expect(code(page)).toContainText('"Comment": "mine"');
});

test("forms of rules and catchers; a state moves by dragging", async ({ page, stepwell }) => {
  const text = readFileSync(
    new URL("../../samples/order-fulfilment/order-fulfilment.asl.json", import.meta.url),
    "utf8",
  );
  await open(page, stepwell, text, "sample");
  await graph(page).getByLabel("Choice How fast", { exact: true }).click();
  await expect(form(page).getByText("Rules (2)")).toBeVisible();
  await form(page).getByRole("button", { name: "Add rule" }).click();
  await expect(form(page).getByText("Rules (3)")).toBeVisible();
  await graph(page).getByLabel("Task Charge card", { exact: true }).click();
  await form(page).getByRole("button", { name: "Add catcher" }).click();
  await expect(form(page).getByText("Catch (2)")).toBeVisible();
  await graph(page).getByRole("button", { name: "Show the whole graph" }).click();
  const price = graph(page).getByLabel("Pass Price the order", { exact: true });
  await price.dragTo(graph(page).getByRole("button", { name: "Insert between the start and Check credit" }));
  await expect(
    graph(page).getByRole("button", { name: "Insert between Price the order and Check credit" }),
  ).toBeVisible();
});

test("a state is tested with the text as it is, and the next with its output", async ({ page, stepwell }) => {
  const definition = {
    QueryLanguage: "JSONata",
    StartAt: "Double",
    States: {
      Double: { Type: "Pass", Output: { n: "{% $states.input.n * $by %}" }, Next: "Call" },
      Call: {
        Type: "Task",
        Resource: "arn:aws:states:::lambda:invoke",
        Arguments: { FunctionName: "f", Payload: "{% $states.input %}" },
        Output: "{% $states.result.Payload %}",
        End: true,
      },
    },
  };
  await open(page, stepwell, JSON.stringify(definition, null, 2), "tested");
  await graph(page).getByLabel("Pass Double", { exact: true }).click();
  await page.getByRole("button", { name: "Test", exact: true }).click();
  const panel = page.getByRole("region", { name: "Test", exact: true });
  await panel.getByRole("textbox", { name: "Input" }).fill('{"n": 21}');
  await panel.getByRole("button", { name: "Variables" }).click();
  await panel.getByRole("textbox", { name: "Variables, by name" }).fill('{"by": 2}');
  await panel.getByRole("button", { name: "Test state" }).click();
  const result = panel.getByRole("region", { name: "Result of the test" });
  await expect(result.getByText("Succeeded")).toBeVisible();
  await expect(result.getByText('"n": 42')).toBeVisible();
  await result.getByRole("button", { name: "Go on to Call with this output" }).click();
  await expect(panel.getByRole("textbox", { name: "Input" })).toHaveValue(/"n": 42/);
  await panel.getByRole("button", { name: "Instead of the call" }).click();
  await panel.getByRole("textbox", { name: "Its result" }).fill('{"Payload": "pinned", "StatusCode": 200}');
  await panel.getByRole("button", { name: "Test state" }).click();
  await expect(result.getByText('"pinned"').first()).toBeVisible();
  await panel.getByRole("textbox", { name: "Or its error" }).fill("Oops");
  await panel.getByRole("button", { name: "Test state" }).click();
  await expect(result.getByText("Failed")).toBeVisible();
  await expectAccessible(page);
});

test("a state is copied and pasted as text", async ({ page, stepwell, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, stepwell);
  await graph(page).getByLabel("Pass First", { exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+c");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain('"First": { "Type": "Pass", "Result": 12345678901234567890');
  await page.keyboard.press("Control+v");
  await expect(graph(page).getByLabel("Pass First (1)")).toBeVisible();
});

test("the graph is exported as SVG and PNG, the definition as it is", async ({ page, stepwell }) => {
  await open(page, stepwell);
  for (const [item, name] of [
    ["Definition (JSON)", "edited.asl.json"],
    ["Graph (SVG)", "edited.svg"],
    ["Graph (PNG)", "edited.png"],
  ] as const) {
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: item }).click();
    const file = await download;
    expect(file.suggestedFilename()).toBe(name);
    const content = readFileSync(await file.path());
    if (name.endsWith(".json")) expect(content.toString()).toBe(TEXT);
    if (name.endsWith(".svg")) expect(content.toString()).toContain(">First</text>");
    if (name.endsWith(".png")) expect(content.subarray(1, 4).toString()).toBe("PNG");
  }
});

const SAMPLES = new URL("../../samples/", import.meta.url);

test("each sample is loaded, one field of it touched, saved: only that field's text has changed", async ({
  page,
  stepwell,
}) => {
  test.setTimeout(180_000);
  const names = readdirSync(SAMPLES, { withFileTypes: true }).flatMap((entry) =>
    existsSync(new URL(`${entry.name}/${entry.name}.asl.json`, SAMPLES)) ? [entry.name] : [],
  );
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) {
    const text = readFileSync(new URL(`${name}/${name}.asl.json`, SAMPLES), "utf8");
    const arn = await open(page, stepwell, text, name);
    await form(page).getByRole("textbox", { name: "Comment" }).fill('touched, in "quotes"');
    await save(page, name);
    const comment = JSON.stringify(JSON.parse(text).Comment);
    expect(await saved(stepwell, arn)).toBe(text.replace(comment, JSON.stringify('touched, in "quotes"')));
  }
});
