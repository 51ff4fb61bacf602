import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { complete, type Data } from "./complete";
import { assembled, expressionsIn, writtenBefore } from "./expressions";
import { INTRINSIC_FUNCTIONS, JSONATA_FUNCTIONS } from "./functions";

const DATA: Data = {
  input: { order: { id: 7, items: [{ sku: "a", "unit price": 2 }] } },
  context: { Execution: { Id: "arn" } },
  variables: { total: 12, user: { name: "N" } },
  result: { Payload: { ok: true } },
};

/** The labels that are offered, those of functions left out. */
function offered(text: string, language: "JSONata" | "JSONPath", data = DATA): string[] | undefined {
  return complete(text, language, data)
    ?.options.filter((option) => option.kind !== "function")
    .map((option) => option.apply ?? option.label);
}

describe("completion", () => {
  test("JSONata: real names, variables, what $states holds", () => {
    expect(offered("$states.", "JSONata")).toEqual(["input", "context", "result"]);
    expect(offered("$states.input.order.", "JSONata")).toEqual(["id", "items"]);
    expect(offered("$sum($states.input.order.items.", "JSONata")).toEqual(["sku", "`unit price`"]);
    expect(offered("$states.input.order.items[0].un", "JSONata")).toEqual(["sku", "`unit price`"]);
    expect(offered("1 + $user.n", "JSONata")).toEqual(["name"]);
    expect(offered("$", "JSONata")).toEqual(["$states", "$total", "$user"]);
    expect(offered("$states.input.missing.", "JSONata")).toBeUndefined();
    expect(offered("'a $", "JSONata")).toBeUndefined();
    const { result, ...before } = DATA;
    expect(offered("$states.", "JSONata", before)).toEqual(["input", "context"]);
  });

  test("JSONPath: real names, the Context object, variables, intrinsic functions", () => {
    expect(offered("$.order.", "JSONPath")).toEqual(["id", "items"]);
    expect(offered("$.order.items[0].", "JSONPath")).toEqual(["sku", "['unit price']"]);
    expect(offered("$$.Execution.", "JSONPath")).toEqual(["Id"]);
    expect(offered("States.Format('{}', $user.", "JSONPath")).toEqual(["name"]);
    expect(offered("$", "JSONPath")).toEqual(["$", "$$", "$total", "$user"]);
    const call = complete("States.MathAdd(1, States.M", "JSONPath", DATA);
    expect(call?.from).toBe("States.MathAdd(1, ".length);
    expect(call?.options.map((option) => option.label)).toContain("States.MathRandom");
  });

  test("what replaces a word begins where it begins", () => {
    expect(complete("1 + $states.inp", "JSONata", DATA)?.from).toBe("1 + $states.".length);
    expect(complete("1 + $to", "JSONata", DATA)?.from).toBe("1 + ".length);
  });

  test("each function of the server is known, and no other", () => {
    const root = new URL("../../../crates/expr/src/", import.meta.url).pathname;
    const table = readFileSync(`${root}jsonata/function.rs`, "utf8");
    const names = [...table.matchAll(/^ {4}\("(\w+)", "<.*>", \d, /gm)].map(([, name]) => `$${name}`);
    expect(JSONATA_FUNCTIONS.map((hint) => hint.name)).toEqual(names);
    const intrinsic = readFileSync(`${root}intrinsic/function.rs`, "utf8");
    const calls = [...intrinsic.matchAll(/"(States\.\w+)"\)/g)].map(([, name]) => name);
    expect(INTRINSIC_FUNCTIONS.map((hint) => hint.name)).toEqual(calls);
  });
});

describe("expressions of a field", () => {
  const json = '{"a": "{% $x %}", "b": ["{% 1 +\\n 2 %}", 3], "c.$": "$.d", "e": "plain"}';

  test("are found with their places", () => {
    const found = expressionsIn(json, "json", "JSONata");
    expect(found.map(({ text }) => text)).toEqual([" $x ", " 1 +\n 2 "]);
    expect(json.slice(found[0]?.from, found[0]?.to)).toBe(" $x ");
    expect(expressionsIn(json, "json", "JSONPath").map(({ text }) => text)).toEqual(["$.d"]);
    expect(expressionsIn("$.a", "path", "JSONPath")).toEqual([{ text: "$.a", from: 0, to: 3 }]);
    expect(expressionsIn("{% 1 %}", "text", "JSONata")).toEqual([{ text: " 1 ", from: 2, to: 5 }]);
    expect(expressionsIn("plain", "text", "JSONata")).toEqual([]);
  });

  test("are known while they are written", () => {
    expect(writtenBefore('{"a": "{% $sta', 14, "json", "JSONata")).toEqual({ text: " $sta", from: 9 });
    expect(writtenBefore('{"a": "{% 1 %}", "', 18, "json", "JSONata")).toBeUndefined();
    expect(writtenBefore('{"a.$": "$.or', 13, "json", "JSONPath")).toEqual({ text: "$.or", from: 9 });
    expect(writtenBefore('{"a": "$.or', 11, "json", "JSONPath")).toBeUndefined();
    expect(writtenBefore("$.or", 4, "path", "JSONPath")).toEqual({ text: "$.or", from: 0 });
  });

  test("are replaced by what they give", () => {
    const value = assembled(json, "json", "JSONata", (text) => (text === "$x" ? { n: 1 } : undefined));
    expect(value).toEqual({ a: { n: 1 }, b: [null, 3], "c.$": "$.d", e: "plain" });
    expect(assembled('{"c.$": "$.d", "e": 1}', "json", "JSONPath", () => 5)).toEqual({ c: 5, e: 1 });
    expect(assembled("{% $x %}", "text", "JSONata", () => true)).toBe(true);
  });
});
