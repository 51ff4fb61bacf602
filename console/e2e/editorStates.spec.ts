import { code, form, graph, openEditor, save, saved, undo } from "./editor";
import { expect, expectAccessible, test } from "./stepwell";

// Each looks at accessibility as well, which takes its time on a machine that is busy.
test.describe.configure({ timeout: 180_000 });

const CHAIN = {
  StartAt: "A",
  States: {
    A: { Type: "Pass", Next: "B" },
    B: { Type: "Pass", Next: "C" },
    C: { Type: "Pass", Next: "D" },
    D: { Type: "Pass", End: true },
  },
};

test("several states are wrapped, copied, taken out; ends of edges are dragged; one history", async ({
  page,
  stepwell,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const arn = await openEditor(page, stepwell, CHAIN);
  const state = (name: string) => graph(page).getByLabel(`Pass ${name}`, { exact: true });
  await state("B").click();
  await state("C").click({ modifiers: ["Control"] });
  await expect(form(page).getByRole("heading", { name: "2 states" })).toBeVisible();
  await expectAccessible(page);
  await state("C").focus();
  await page.keyboard.press("g");
  await expect(graph(page).getByLabel("Parallel Parallel, holds 2 states")).toBeVisible();
  await undo(page).click();
  // The same by keyboard: C joins B.
  await state("B").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Control+c");
  expect(Object.keys(JSON.parse(await page.evaluate(() => navigator.clipboard.readText())))).toEqual(["B", "C"]);
  await page.keyboard.press("m");
  await expect(graph(page).getByLabel("Map Map, holds 2 states")).toBeVisible();
  // Into the new Map, by the button of an edge in it.
  await graph(page).getByRole("button", { name: "Insert between C and the end" }).focus();
  await page.keyboard.press("Control+v");
  await expect(graph(page).getByLabel("Map Map, holds 4 states")).toBeVisible();
  await expect(state("C (1)")).toBeVisible();
  await graph(page).getByLabel("Map Map, holds 4 states").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("u");
  await expect(graph(page).getByLabel(/^Map Map/)).toBeHidden();
  await expect(graph(page).getByText("6 states")).toBeVisible();
  await save(page);
  const names = Object.keys(JSON.parse(await saved(stepwell, arn)).States);
  expect(names).toEqual(["A", "B", "C", "B (1)", "C (1)", "D"]);
  // A's end goes to D.
  await state("A").click();
  const end = graph(page).locator('.edge-end[data-edge$="/States/A/Next"]');
  const [from, to] = [await end.boundingBox(), await state("D").boundingBox()];
  if (!from || !to) throw new Error("not to be seen");
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 5 });
  await page.mouse.up();
  await expect(page.getByRole("button", { name: "Undo: led an edge to D" })).toBeVisible();
  await expect(graph(page).getByLabel("Pass B, 1 problems", { exact: true })).toBeVisible();
});

test("states are extracted to a state machine of their own, which runs in their place", async ({ page, stepwell }) => {
  const arn = await openEditor(page, stepwell, CHAIN);
  const state = (name: string) => graph(page).getByLabel(`Pass ${name}`, { exact: true });
  await state("B").click();
  await state("C").click({ modifiers: ["Control"] });
  await state("C").focus();
  await page.keyboard.press("x");
  const dialog = page.getByRole("dialog", { name: "Extract to a state machine" });
  await dialog.getByRole("textbox", { name: "Name" }).fill("inner");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Extract", exact: true }).click();
  await expect(graph(page).getByText("3 states")).toBeVisible();
  await save(page);
  const outer = await stepwell.execution(arn, "outer", { kept: true });
  expect(await stepwell.end(outer)).toBe("SUCCEEDED");
  const { output } = await stepwell.call<{ output: string }>("DescribeExecution", { executionArn: outer });
  expect(JSON.parse(output)).toEqual({ kept: true });
  const inner = await saved(stepwell, arn.replace("edited", "inner"));
  expect(Object.keys(JSON.parse(inner).States)).toEqual(["B", "C"]);
});

test("problems are fixed where they are shown: in the list, in the form", async ({ page, stepwell }) => {
  await openEditor(page, stepwell, CHAIN);
  await code(page).click();
  await page.keyboard.press("Control+a");
  const broken = {
    StartAt: "Ask",
    States: {
      Ask: { Type: "Choice", Choices: [{ Variable: "$.a", IsNull: true, Next: "Answr" }] },
      Answer: { Type: "Pass" },
    },
  };
  await page.keyboard.insertText(JSON.stringify(broken, null, 2));
  const problems = page.getByRole("region", { name: "Problems" });
  await expect(problems.getByRole("button", { name: /errors, 1 warnings/ })).toBeVisible();
  await problems.getByRole("button", { name: /errors, 1 warnings/ }).click();
  await expect(problems.getByText("Missing 'Next' target: Answr")).toBeVisible();
  await expectAccessible(page);
  await problems.getByRole("button", { name: "Change it to Answer" }).click();
  await expect(problems.getByText("Missing 'Next' target")).toBeHidden();
  await graph(page).getByLabel("Pass Answer, 1 problems").click();
  await form(page).getByRole("button", { name: "End here" }).click();
  await expect(problems.getByRole("button", { name: "0 errors, 1 warnings" })).toBeVisible();
  await graph(page).getByLabel("Choice Ask, 1 problems").click();
  await form(page).getByRole("button", { name: "Fail in a state of its own" }).click();
  await expect(page.getByText("No problems")).toBeVisible();
  await expect(graph(page).getByLabel("Fail No rule fits")).toBeVisible();
  // Conditions are composed in the form.
  await form(page).getByRole("button", { name: "Form of condition 1" }).click();
  await page.getByRole("option", { name: /\(Or\)/ }).click();
  await expect(form(page).getByRole("group", { name: "Condition 1.2" })).toBeVisible();
  await form(page).getByRole("button", { name: "Form of condition 1.2" }).click();
  await page.getByRole("option", { name: /\(Not\)/ }).click();
  await expect(code(page)).toContainText('"Not"');
  await expect(page.getByText("No problems")).toBeVisible();
  await expectAccessible(page);
});
