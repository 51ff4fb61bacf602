import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type QueryLanguage, STATE_TYPES } from "../model/definition";
import type { Json } from "../model/text";
import { fieldsOfState } from "./fields";

/** Edited otherwise than as a field: by the graph, or by a list of its own. */
const ELSEWHERE = ["Type", "Next", "End", "Retry", "Catch", "Choices", "Default", "Branches", "Iterator"];

/** The fields that the machine knows, of a table in its source. */
function table(file: string, name: string, language: QueryLanguage): string[] {
  const source = readFileSync(new URL(`../../../crates/machine/src/${file}`, import.meta.url), "utf8");
  const found = new RegExp(`const ${name}: &FieldTable =([^;]*);`).exec(source)?.[1];
  if (found === undefined) throw new Error(`no table ${name} in ${file}`);
  const other = language === "JSONPath" ? "JSONATA" : "JSON_PATH";
  return [...found.matchAll(/\("(\w+)", (\w+)\)/g)].filter(([, , of]) => of !== other).map(([, name = ""]) => name);
}

const MAP = { ItemProcessor: { ProcessorConfig: { Mode: "DISTRIBUTED" } } } as Record<string, Json>;

test.each(
  STATE_TYPES.flatMap(
    (type) =>
      [
        { type, language: "JSONPath" },
        { type, language: "JSONata" },
      ] as const,
  ),
)("$type in $language: every field of the machine has its place", ({ type, language }) => {
  const groups = fieldsOfState({ type, language, fields: type === "Map" ? MAP : {} });
  const paths = groups.flatMap((group) => group.fields.map((field) => field.path));
  const has = (name: string, owner?: string) =>
    paths.some((path) => (owner === undefined ? path[0] === name : path.at(-2) === owner && path.at(-1) === name));
  const own = table(`state/${type.toLowerCase()}.rs`, "FIELDS", language);
  expect(own.filter((name) => !ELSEWHERE.includes(name) && !has(name))).toEqual([]);
  const missing = (owner: string, name: string) =>
    table("state/map.rs", name, language).filter((name) => !name.endsWith("Config") && !has(name, owner));
  if (type === "Map") {
    expect(missing("ProcessorConfig", "CONFIG_FIELDS")).toEqual([]);
    expect(missing("ItemReader", "READER_FIELDS")).toEqual([]);
    expect(missing("ReaderConfig", "READER_CONFIG_FIELDS")).toEqual([]);
    expect(missing("ItemBatcher", "BATCHER_FIELDS")).toEqual([]);
    expect(missing("ResultWriter", "WRITER_FIELDS")).toEqual([]);
    expect(missing("WriterConfig", "WRITER_CONFIG_FIELDS")).toEqual([]);
  }
});
