import { describe, expect, it } from "vitest";
import { jsonChanges } from "./jsonDifference";

const changes = (before: unknown, after: unknown, most = 100) =>
  jsonChanges(JSON.stringify(before), JSON.stringify(after), most).map(
    ({ path, kind, before, after }) => `${kind} ${path} ${before ?? ""}→${after ?? ""}`,
  );

describe("changes between JSON values", () => {
  it("are told by path", () => {
    expect(changes({ a: 1, b: { c: [1, 2], "d e": 0 } }, { a: 1, b: { c: [1, 3, 4] }, f: null })).toEqual([
      "changed $.b.c[1] 2→3",
      "added $.b.c[2] →4",
      'removed $.b["d e"] 0→',
      "added $.f →null",
    ]);
    expect(changes([], {})).toEqual(["changed $ []→{}"]);
    expect(changes("same", "same")).toEqual([]);
  });

  it("are bounded", () => {
    expect(changes({ a: 1, b: 2, c: 3 }, {}, 2)).toHaveLength(2);
  });

  it("are the whole where a text is no JSON", () => {
    expect(jsonChanges("{", "1", 9)).toEqual([{ path: "$", kind: "changed", before: "{", after: "1" }]);
  });
});
