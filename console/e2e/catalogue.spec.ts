import { code, form, graph, openEditor, save, saved } from "./editor";
import { expect, expectAccessible, test } from "./stepwell";

const TEXT = `{
  "QueryLanguage": "JSONata",
  "StartAt": "Both",
  "States": {
    "Both": {
      "Type": "Parallel",
      "Branches": [{"StartAt": "Left", "States": {"Left": {"Type": "Pass", "End": true}}}],
      "End": true
    }
  }
}
`;

test("any action of AWS is found, dragged in with what it requires, given more, changed to another", async ({
  page,
  stepwell,
}) => {
  const arn = await openEditor(page, stepwell, TEXT);
  const palette = page.getByRole("navigation", { name: "States to add" });
  await palette.getByRole("searchbox").fill("s3 put");
  await palette
    .getByRole("button", { name: "S3: PutObject", exact: true })
    .dragTo(graph(page).getByRole("button", { name: "Insert between Left and the end" }));
  await expect(graph(page).getByLabel("Task PutObject", { exact: true })).toBeVisible();
  await expect(code(page)).toContainText("arn:aws:states:::aws-sdk:s3:putObject");
  await expect(code(page)).toContainText('"Bucket": ""');

  // A parameter that is not required.
  await form(page).getByRole("button", { name: "Add a parameter" }).click();
  await page.getByRole("option", { name: /^ContentType/ }).click();
  await expect(code(page)).toContainText('"ContentType": ""');
  await expectAccessible(page);

  // Another action: what was written stays, since it is not what was filled in.
  const resource = form(page).getByRole("combobox", { name: "Resource" });
  await resource.fill("dynamo delete table");
  await page.getByRole("option", { name: /DynamoDb: DeleteTable arn/ }).click();
  await expect(code(page)).toContainText("aws-sdk:dynamodb:deleteTable");
  await expect(code(page)).toContainText('"ContentType": ""');

  // By keyboard, behind it; now what was filled in goes with the action.
  await graph(page)
    .getByLabel(/^Task PutObject/)
    .focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("/");
  await page.getByRole("combobox", { name: "What to insert" }).fill("glue start job wait");
  await page.getByRole("option", { name: "Glue: StartJobRun and wait Actions" }).click();
  await expect(code(page)).toContainText('"JobName": ""');
  await form(page).getByRole("combobox", { name: "Resource" }).fill("kinesis putrecord");
  await page.getByRole("option", { name: /Kinesis: PutRecord arn/ }).click();
  await expect(code(page)).toContainText('"Data": ""');
  await expect(code(page)).not.toContainText("JobName");
  await save(page);
  const { States } = JSON.parse(await saved(stepwell, arn)).States.Both.Branches[0];
  expect(States["StartJobRun and wait"]).toEqual({
    Type: "Task",
    Resource: "arn:aws:states:::aws-sdk:kinesis:putRecord",
    Arguments: { Data: "" },
    End: true,
  });
});

test("a link leads to the state that is edited", async ({ page, stepwell }) => {
  await openEditor(page, stepwell, TEXT);
  await graph(page).getByLabel("Pass Left", { exact: true }).click();
  await expect(page).toHaveURL(/\?state=Left$/);
  await page.reload();
  await expect(form(page).getByRole("heading", { name: "Left", level: 2 })).toBeVisible();
});
