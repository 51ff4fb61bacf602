import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { addableById, findAddable } from "./palette";
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

test("letters find the common ones first, then all; any action of an SDK by its name", () => {
  expect(findAddable("").length).toBeLessThan(30);
  expect(findAddable("lambda")[0]?.id).toBe("lambda");
  expect(findAddable("glue wait").map((item) => item.label)).toContain("Glue: StartJobRun and wait");
  const [sdk] = findAddable("s3:putObject");
  expect(sdk?.fields?.("JSONata")).toEqual({
    Type: "Task",
    Resource: "arn:aws:states:::aws-sdk:s3:putObject",
    Arguments: {},
  });
  expect(addableById(sdk?.id ?? "")?.label).toBe(sdk?.label);
  expect(addableById("glue:startJobRun.sync")?.fields?.("JSONPath").Resource).toBe(
    "arn:aws:states:::glue:startJobRun.sync",
  );
});
