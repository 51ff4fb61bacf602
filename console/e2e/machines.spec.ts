import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, expectAccessible, test } from "./stepwell";

const SAMPLES = join(import.meta.dirname, "../../samples");
const PASS = { StartAt: "A", States: { A: { Type: "Pass", End: true } } };
const WAIT = { StartAt: "W", States: { W: { Type: "Wait", Seconds: 3600, End: true } } };

test("what the server sends with its pages", async ({ stepwell, request }) => {
  const page = await request.get(stepwell.page("/"));
  expect(page.headers()["content-security-policy"]).toContain("default-src 'self'; script-src 'self';");
  expect(page.headers()["cache-control"]).toBe("no-cache");
  const again = await request.get(stepwell.page("/"), { headers: { "if-none-match": page.headers().etag ?? "" } });
  expect(again.status()).toBe(304);
  const script = /src="\/console\/(assets\/[^"]+)"/.exec(await page.text())?.[1];
  const asset = await request.get(stepwell.page(`/${script}`), { headers: { "accept-encoding": "br, gzip" } });
  expect(asset.headers()["content-encoding"]).toBe("br");
  expect(asset.headers()["cache-control"]).toContain("immutable");
  const plain = await request.get(stepwell.page(`/${script}`), { headers: { "accept-encoding": "gzip" } });
  expect(plain.headers()["content-encoding"]).toBe("gzip");
  const foreign = await request.post(stepwell.url, {
    headers: { origin: "https://elsewhere.example", "x-amz-target": "AWSStepFunctions.ListStateMachines" },
    data: "{}",
  });
  expect(foreign.status()).toBe(403);
});

test("an empty list leads to creation, from blank and from a sample", async ({ page, stepwell }) => {
  await page.goto(stepwell.page("/"));
  await expect(page.getByText("There are no state machines yet.")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Create the first" }).click();
  await expect(page.getByRole("heading", { name: "Create state machine" })).toBeVisible();
  await expect(page.getByLabel("Graph of the definition").getByText("Hello")).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel("order-fulfilment").click();
  await expect(page.getByRole("textbox", { name: "Name" })).toHaveValue("order-fulfilment");
  await page.getByRole("textbox", { name: "Name" }).fill("from-sample");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await expect(page).toHaveURL(/edit$/);
  await page.goto(stepwell.page("/state-machines"));
  await expect(page.getByRole("link", { name: "from-sample" })).toBeVisible();
});

test("from a file and pasted; what the server refuses is told", async ({ page, stepwell, complaints }) => {
  await page.goto(stepwell.page("/create"));
  await page.getByRole("radio", { name: /^A file/ }).check();
  await page.locator('input[type="file"]').setInputFiles(join(SAMPLES, "saga/saga.asl.json"));
  await expect(page.getByRole("textbox", { name: "Name" })).toHaveValue("saga");
  const code = page.getByRole("textbox", { name: "Definition" });
  await code.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText('{"StartAt": "X", "States": {}}');
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await expect(page.getByText("It was not created")).toBeVisible();
  // The browser itself tells of every refusal.
  expect(complaints.splice(0)).toEqual([expect.stringContaining("status of 400")]);
  await code.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(readFileSync(join(SAMPLES, "saga/saga.asl.json"), "utf8"));
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await expect(page).toHaveURL(/edit$/);
});

test("search is in the address; deletion asks", async ({ page, stepwell }) => {
  await stepwell.machine("keep-me", PASS);
  await stepwell.machine("delete-me", PASS);
  await page.goto(stepwell.page("/state-machines"));
  await page.getByRole("searchbox", { name: "Find state machines by name" }).fill("delete-me");
  await expect(page).toHaveURL(/find=delete-me/);
  await expect(page.getByRole("link", { name: "keep-me" })).toBeHidden();
  await page.reload();
  await expect(page.getByRole("link", { name: "delete-me" })).toBeVisible();
  await page.getByRole("radio", { name: "Select delete-me" }).check();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Delete", exact: true })).toBeDisabled();
  await dialog.getByRole("textbox").fill("delete");
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.getByRole("link", { name: "delete-me" })).toBeHidden();
});

test("start, filter by status in the address, stop", async ({ page, stepwell }) => {
  const arn = await stepwell.machine("waits", WAIT);
  await page.goto(stepwell.machinePage(arn));
  await expectAccessible(page);
  await page.getByRole("button", { name: "Start execution" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name" }).fill("first");
  await dialog.getByRole("textbox", { name: "Input" }).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText('{"order": 7}');
  await dialog.getByRole("button", { name: "Start", exact: true }).click();
  await expect(page.getByRole("heading", { name: "first" })).toBeVisible();
  await page.goto(stepwell.machinePage(arn, "?status=RUNNING"));
  await page.getByRole("checkbox", { name: "Select first" }).check();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await expect(page.getByText("None matches.")).toBeVisible();
  await page.getByRole("button", { name: /Running Status|Status Running/ }).click();
  await page.getByRole("option", { name: "Aborted" }).click();
  await expect(page).toHaveURL(/status=ABORTED/);
  await expect(page.getByRole("link", { name: "first" })).toBeVisible();
  // The last input is offered again.
  await page.getByRole("button", { name: "Start execution" }).click();
  await expect(page.getByRole("dialog").getByText('"order": 7')).toBeVisible();
});

test("definition beside its graph; tags", async ({ page, stepwell }) => {
  const arn = await stepwell.machine(
    "sample",
    readFileSync(join(SAMPLES, "order-fulfilment/order-fulfilment.asl.json"), "utf8"),
  );
  await page.goto(stepwell.machinePage(arn, "?tab=definition"));
  await expect(page.getByLabel("Graph", { exact: true })).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Definition" })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("tab", { name: "Tags" }).click();
  await page.getByRole("button", { name: "Add tag" }).click();
  await page.getByRole("textbox", { name: "Key" }).fill("team");
  await page.getByRole("textbox", { name: "Value" }).fill("orders");
  await page.getByRole("button", { name: "Save tags" }).click();
  await expect(page.getByText("The tags are saved.", { exact: true })).toBeVisible();
  const { tags } = await stepwell.call<{ tags: unknown[] }>("ListTagsForResource", { resourceArn: arn });
  expect(tags).toEqual([{ key: "team", value: "orders" }]);
});

test("activities", async ({ page, stepwell }) => {
  await page.goto(stepwell.page("/activities"));
  await page.getByRole("button", { name: "Create activity" }).click();
  await page.getByRole("dialog").getByRole("textbox", { name: "Name" }).fill("pick");
  await page.getByRole("dialog").getByRole("button", { name: "Create", exact: true }).click();
  await expect(page.getByText("pick is created.", { exact: true })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("radio", { name: "Select pick" }).check();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.getByText("There are no activities yet.")).toBeVisible();
});

test("versions and aliases; what changed since a version, on the graph", async ({ page, stepwell }) => {
  const arn = await stepwell.machine("versioned", WAIT);
  await page.goto(stepwell.machinePage(arn, "?tab=versions"));
  await page.getByRole("button", { name: "Publish version" }).click();
  await expect(page.getByRole("rowheader", { name: "1" })).toBeVisible();
  const changed = {
    StartAt: "W",
    States: { W: { ...WAIT.States.W, Seconds: 1, End: undefined, Next: "S" }, S: { Type: "Succeed" } },
  };
  await stepwell.call("UpdateStateMachine", { stateMachineArn: arn, definition: JSON.stringify(changed) });
  await page.reload();
  await page.getByRole("button", { name: "Publish version" }).click();
  await expect(page.getByRole("rowheader", { name: "2" })).toBeVisible();
  await page.getByRole("button", { name: "Create alias" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Name" }).fill("live");
  await dialog.getByRole("button", { name: /No second version/ }).click();
  await page.getByRole("option", { name: "Version 1" }).click();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("version 2 (90 %), version 1 (10 %)")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Changes since version 1" }).click();
  await expect(page.getByText("1 states added, 1 changed, 0 removed.")).toBeVisible();
  await expect(page.getByLabel("Graph of the changes").getByLabel("Wait W, differs")).toBeVisible();
});

test("an Express state machine is started and its outcome shown", async ({ page, stepwell }) => {
  const definition = { StartAt: "A", States: { A: { Type: "Pass", Result: { quick: true }, End: true } } };
  const arn = await stepwell.machine("express", definition, "EXPRESS");
  await page.goto(stepwell.machinePage(arn));
  await expect(page.getByText("None has run since the server started.")).toBeVisible();
  await page.getByRole("button", { name: "Start execution" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start", exact: true }).click();
  const outcome = page.getByRole("region", { name: "Outcome" });
  await expect(outcome.getByText("Succeeded")).toBeVisible();
  await expect(outcome.getByText('"quick": true')).toBeVisible();
  // From memory: in the list, and with all its events.
  await page.goto(stepwell.machinePage(arn));
  await page.getByRole("table", { name: "Executions" }).getByRole("link").click();
  await expect(page.getByLabel("Graph of the execution").getByLabel("Pass A, succeeded")).toBeVisible();
  await expect(page.getByText(/Express, billed 100 ms/)).toBeVisible();
  await page.getByRole("tab", { name: "Events (4)" }).click();
  await expect(page.getByRole("button", { name: /ExecutionSucceeded/ })).toBeVisible();
  await expectAccessible(page);
});

test("an Express execution is watched while it runs", async ({ page, stepwell }) => {
  const definition = { StartAt: "W", States: { W: { Type: "Wait", Seconds: 10, End: true } } };
  const arn = await stepwell.machine("slow-express", definition, "EXPRESS");
  await stepwell.execution(arn, "watched");
  await page.goto(stepwell.machinePage(arn));
  const row = page.getByRole("table", { name: "Executions" }).getByRole("row", { name: /watched/ });
  await expect(row.getByText("Running")).toBeVisible();
  await row.getByRole("link").click();
  await expect(page.getByLabel("Graph of the execution").getByLabel("Wait W, running")).toBeVisible();
  await expect(page.getByRole("tab", { name: "Events (2)" })).toBeVisible();
  await expect(page.getByLabel("Graph of the execution").getByLabel("Wait W, succeeded")).toBeVisible();
  await expect(page.getByText(/Express, billed/)).toBeVisible();
});

test("pasted as YAML: its comments stay in the editor; the next start begins with the last input", async ({
  page,
  stepwell,
}) => {
  await page.goto(stepwell.page("/create"));
  await page.getByRole("textbox", { name: "Definition" }).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText("# by hand\nStartAt: A\nStates:\n  A:\n    Type: Pass\n    End: true\n");
  await expect(page.getByLabel("Graph of the definition").getByText("A", { exact: true })).toBeVisible();
  await page.getByRole("textbox", { name: "Name" }).fill("from-yaml");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await expect(page.getByRole("textbox", { name: "Definition as YAML" })).toContainText("# by hand");
  const arn = "arn:aws:states:us-east-1:123456789012:stateMachine:from-yaml";
  const { definition } = await stepwell.call<{ definition: string }>("DescribeStateMachine", { stateMachineArn: arn });
  expect(JSON.parse(definition)).toEqual({ StartAt: "A", States: { A: { Type: "Pass", End: true } } });
  await stepwell.execution(arn, "one", { order: "A-1" });
  await page.goto(stepwell.machinePage(arn, "?start=true"));
  await expect(page.getByRole("dialog").getByRole("textbox", { name: "Input" })).toContainText('"order": "A-1"');
});
