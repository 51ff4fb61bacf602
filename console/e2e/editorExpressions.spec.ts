import { code, form, graph, openEditor, save, saved, undo } from "./editor";
import { expect, expectAccessible, test } from "./stepwell";

// Each looks at accessibility as well, which takes its time on a machine that is busy.
test.describe.configure({ timeout: 180_000 });

const JSONATA = {
  QueryLanguage: "JSONata",
  StartAt: "Set",
  States: {
    Set: { Type: "Pass", Assign: { rate: 2 }, Next: "Price" },
    Price: { Type: "Pass", Output: "{% $states.input.order.total * $rate %}", End: true },
  },
};

test("expressions are completed from the last run and show what they give, errors with their place", async ({
  page,
  stepwell,
}) => {
  const arn = await stepwell.machine("edited", JSONATA);
  await stepwell.end(await stepwell.execution(arn, "run", { order: { total: 21, "unit price": 1 } }));
  await page.goto(stepwell.machinePage(arn, "/edit"));
  await graph(page).getByLabel("Pass Price", { exact: true }).click();
  const output = form(page).getByRole("textbox", { name: "Output", exact: true });
  const preview = form(page).getByRole("status", { name: "Preview of Output" });
  await expect(preview).toContainText("42");
  await output.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("{% $states.input.order.");
  const options = page.locator(".cm-tooltip-autocomplete li");
  await expect(options.filter({ hasText: "total" })).toContainText("21");
  await expect(options.filter({ hasText: "unit price" })).toBeVisible();
  await options.filter({ hasText: "total" }).click();
  await page.keyboard.type(" + $ra");
  await expect(options.filter({ hasText: "$rate" })).toContainText("2");
  await page.keyboard.press("Escape");
  await page.keyboard.type("te %}");
  await expect(preview).toContainText("23");
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText("{% $states.input.order.total + 'a' %}");
  await expect(preview).toContainText("$states.input.order.total + 'a'\n                          ^");
  await expect(preview).toContainText("States.QueryEvaluationError");
  await expectAccessible(page);
  // The field's own undo is the editor's; how many steps the typing made depends on its pauses.
  await expect(async () => {
    await output.press("Control+z");
    await expect(page.getByText("Saved", { exact: true })).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await expect(preview).toContainText("42");
});

test("JSONPath: the Context object, functions with their signatures, templates as a whole", async ({
  page,
  stepwell,
}) => {
  const definition = {
    StartAt: "Make",
    States: { Make: { Type: "Pass", Parameters: { "greeting.$": "$.name", fixed: 1 }, End: true } },
  };
  await openEditor(page, stepwell, definition);
  await graph(page).getByLabel("Pass Make", { exact: true }).click();
  await expect(form(page).getByText("No data to show what it gives").first()).toBeVisible();
  await page.keyboard.press("t");
  await page
    .getByRole("region", { name: "Test", exact: true })
    .getByRole("textbox", { name: "Input" })
    .fill('{"name": "Ada"}');
  await page.getByRole("button", { name: "Form", exact: true }).click();
  await expect(form(page).getByRole("status", { name: "Preview of Parameters" })).toContainText(
    '{"greeting":"Ada","fixed":1}',
  );
  const path = form(page).getByRole("textbox", { name: "Output path" });
  await path.click();
  await page.keyboard.type("$$.Exec");
  await expect(page.locator(".cm-tooltip-autocomplete li").first()).toContainText("Execution");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("$.name");
  await expect(form(page).getByRole("status", { name: "Preview of Output path" })).toContainText('"Ada"');
});

test("a definition is edited as YAML: its comments stay, what is saved is its JSON", async ({ page, stepwell }) => {
  const map = {
    StartAt: "Each",
    States: {
      Each: {
        Type: "Map",
        ItemProcessor: {
          ProcessorConfig: { Mode: "INLINE" },
          StartAt: "One",
          States: { One: { Type: "Pass", Result: 1, End: true } },
        },
        End: true,
      },
    },
  };
  const arn = await openEditor(page, stepwell, map);
  await page.getByRole("button", { name: "JSON", exact: true }).click();
  await page.getByRole("menuitem", { name: "Write as YAML" }).click();
  await expect(page.getByRole("textbox", { name: "Definition as YAML" })).toContainText("StartAt: Each");
  await code(page).click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.insertText("# Why it is so\n");
  await graph(page)
    .getByLabel("Map Each, holds 1 states")
    .click({ position: { x: 60, y: 10 } });
  await form(page).getByRole("button", { name: /^Mode/ }).click();
  await page.getByRole("option", { name: "DISTRIBUTED" }).click();
  await form(page).getByRole("textbox", { name: "Tolerated failures", exact: true }).fill("3");
  await form(page).getByRole("button", { name: "Batches" }).click();
  await form(page).getByRole("textbox", { name: "Items in one batch", exact: true }).fill("10");
  await form(page)
    .getByRole("button", { name: /^Type of its executions/ })
    .click();
  await page.getByRole("option", { name: "EXPRESS" }).click();
  await expect(page.getByText("No problems")).toBeVisible();
  await expectAccessible(page);
  await save(page);
  const written = JSON.parse(await saved(stepwell, arn)).States.Each;
  expect(written).toMatchObject({
    ToleratedFailureCount: 3,
    ItemBatcher: { MaxItemsPerBatch: 10 },
    ItemProcessor: { ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "EXPRESS" } },
  });
  await page.reload();
  await expect(code(page)).toContainText("# Why it is so");
  await expect(code(page)).toContainText("MaxItemsPerBatch: 10");
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  await form(page).getByRole("textbox", { name: "Comment" }).fill("touched");
  await expect(code(page)).toContainText("Comment: touched");
  await expect(code(page)).toContainText("# Why it is so");
  await undo(page).click();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export" }).click();
  await page.getByRole("menuitem", { name: "Definition (YAML)" }).click();
  expect((await download).suggestedFilename()).toBe("edited.asl.yaml");
});
