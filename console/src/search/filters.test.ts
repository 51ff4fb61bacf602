import { describe, expect, it } from "vitest";
import type { SearchWords } from "../app/router";
import { serverQuery, tokensOf, wordsOf } from "./filters";

const token = (propertyKey: string | undefined, value: string) => ({
  ...(propertyKey ? { propertyKey } : {}),
  operator: ":",
  value,
});

describe("a search", () => {
  it("goes from the address to the filter and back", () => {
    const words: SearchWords = { status: "RUNNING,FAILED", name: "order", machine: "arn:m", output: "$.id=7" };
    expect(tokensOf(words).map(({ propertyKey, value }) => `${propertyKey}=${value}`)).toEqual([
      "status=RUNNING",
      "status=FAILED",
      "name=order",
      "machine=arn:m",
      "output=$.id=7",
    ]);
    expect(wordsOf(tokensOf(words))).toEqual(words);
  });

  it("takes what is typed without a property as a name, the last of several, and statuses by their words", () => {
    expect(wordsOf([token(undefined, "a"), token("name", "b"), token("status", "Timed out")])).toEqual({
      name: "b",
      status: "TIMED_OUT",
    });
    expect(wordsOf([token("status", "nonsense"), token("color", "red")])).toEqual({});
  });

  it("is asked of the server", () => {
    expect(serverQuery({ status: "FAILED,ABORTED", input: "a b", period: "1h" }, 10_030)).toBe(
      "status=FAILED&status=ABORTED&input=a+b&from=6420",
    );
    expect(serverQuery({ type: "EXPRESS", from: 5.5, until: 9.2 }, 0)).toBe("type=EXPRESS&from=5&until=10");
    expect(serverQuery({ type: "STANDARD", status: "x" }, 0)).toBe("");
  });
});
