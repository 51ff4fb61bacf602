import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { calledBy, placeholder, type Services } from "./catalogue";
import { addableById, fieldsOf, findAddable } from "./palette";
import { SERVICES } from "./services";

test("every optimised integration of the machine can be added, and no other", () => {
  const source = readFileSync(new URL("../../../crates/machine/src/state/resource.rs", import.meta.url), "utf8");
  const table = /const OPTIMISED: [^=]*= &\[([\s\S]*?)\n\];/.exec(source)?.[1] ?? "";
  const suffixes: Record<string, string[]> = {
    RR: [],
    RR_SYNC: [".sync"],
    RR_TOKEN: [".waitForTaskToken"],
    RR_SYNC_TOKEN: [".sync", ".waitForTaskToken"],
    ALL: [".sync", ".sync:2", ".waitForTaskToken"],
  };
  const rows = [...table.matchAll(/\(\s*"([\w-]+)",\s*&\[([^\]]*)\],\s*(\w+),?\s*\)/g)].map(
    ([, id, actions = "", patterns = ""]) => ({
      id,
      actions: [...actions.matchAll(/"(\w+)"/g)].map(([, action]) => action),
      suffixes: suffixes[patterns],
    }),
  );
  expect(SERVICES.map(({ id, actions, suffixes }) => ({ id, actions, suffixes }))).toEqual(rows);
});

const S = {
  s3: { title: "S3", actions: ["getObject", "putObject", "putObjectAcl"] },
  s3control: { title: "S3Control", actions: ["putJobTagging"] },
  sqs: { title: "Sqs", actions: ["sendMessage"] },
};

const labels = (find: string, services: Services = S) => findAddable(find, services).items.map((item) => item.label);

test("without letters the common ones; with some every integration, what is meant first", () => {
  expect(findAddable("", S).items.length).toBeLessThan(30);
  expect(labels("lambda")[0]).toBe("Lambda: Invoke");
  expect(labels("glue wait")).toContain("Glue: StartJobRun and wait");
  expect(labels("s3 put")).toEqual(["S3: PutObject", "S3: PutObjectAcl", "S3Control: PutJobTagging"]);
  expect(labels("aws-sdk:s3:getObject")).toEqual(["S3: GetObject"]);
  expect(labels("s3 get token")).toEqual(["S3: GetObject and wait for token"]);
  expect(labels("send message")).toEqual([
    "SQS: SendMessage",
    "SQS: SendMessage and wait for token",
    "Sqs: SendMessage",
  ]);
  expect(labels("arn:aws:states:::aws-sdk:sqs:sendMessage.waitForTaskToken")).toEqual([
    "Sqs: SendMessage and wait for token",
  ]);
  expect(findAddable("s3 put", undefined).items).toEqual([]);
});

test("of thousands a few are shown, and how many more there are", () => {
  const actions = Array.from({ length: 10_000 }, (_, n) => `do${n}`);
  const found = findAddable("many do", { many: { title: "Many", actions } });
  expect(found.items.length + found.more).toBe(10_000);
  expect(found.items.length).toBeLessThan(100);
});

test("what is dragged is known by its id, and begins with what its action requires", () => {
  for (const find of ["s3 put", "s3 get token", "glue", ""]) {
    for (const item of findAddable(find, S).items) expect(addableById(item.id, S)).toEqual(item);
  }
  const [put] = findAddable("s3:putObject", S).items;
  if (!put) throw new Error("nothing was found");
  expect(put.calls).toEqual({ service: "aws-sdk:s3", action: "putObject" });
  expect(fieldsOf(put, "JSONata", { Bucket: "" })).toEqual({
    Type: "Task",
    Resource: "arn:aws:states:::aws-sdk:s3:putObject",
    Arguments: { Bucket: "" },
  });
  const pass = addableById("Pass", S);
  expect(pass && fieldsOf(pass, "JSONPath", undefined)).toBeUndefined();
});

test("the action that a resource calls", () => {
  expect(calledBy("arn:aws:states:::aws-sdk:s3:putObject")).toEqual({ service: "aws-sdk:s3", action: "putObject" });
  expect(calledBy("arn:aws:states:::states:startExecution.sync:2")?.action).toBe("startExecution");
  expect(calledBy("arn:aws:states:us-east-1:123456789012:activity:a")).toBeUndefined();
  expect(calledBy("arn:aws:lambda:us-east-1:123456789012:function:f")).toBeUndefined();
  expect(placeholder("list of string")).toEqual([]);
  expect([placeholder("integer"), placeholder("map of string"), placeholder("timestamp")]).toEqual([0, {}, ""]);
});
