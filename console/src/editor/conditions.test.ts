import { describe, expect, test } from "vitest";
import type { Fields } from "../model/definition";
import { Written } from "../model/text";
import { addCondition, compose, decompose, innerConditions, recompose, setOperator, typedOperand } from "./conditions";

const RULE = '{"Variable": "$.a", "NumericEquals": 1.0, "Next": "B", "Comment": "why"}';
const parsed = (text: string) => JSON.parse(text) as Fields;
/** A change of the rule, and what it then is. */
const changed = (text: string, change: (text: string, rule: Fields) => string) => change(text, parsed(text));

describe("conditions", () => {
  test("are composed and decomposed; numbers keep their spelling", () => {
    const and = changed(RULE, (text, rule) => compose(text, [], rule, "And"));
    expect(and).toContain('"And": [{"Variable": "$.a", "NumericEquals": 1.0}, {"Variable": "$", "IsPresent": true}]');
    expect(parsed(and)).toMatchObject({ Next: "B", Comment: "why" });
    expect(parsed(and)).not.toHaveProperty("Variable");
    const back = changed(and, (text, rule) => decompose(text, [], rule));
    expect(parsed(back)).toEqual(parsed(RULE));
    expect(back).toContain("1.0");
    const not = changed(RULE, (text, rule) => compose(text, [], rule, "Not"));
    expect(parsed(not)).toMatchObject({ Not: { Variable: "$.a", NumericEquals: 1 }, Next: "B" });
  });

  test("change from one composition to another", () => {
    const and = changed(RULE, (text, rule) => compose(text, [], rule, "And"));
    const or = changed(and, (text, rule) => recompose(text, [], rule, "Or"));
    expect(innerConditions(parsed(or)).map(({ path }) => path)).toEqual([
      ["Or", 0],
      ["Or", 1],
    ]);
    const not = changed(or, (text, rule) => recompose(text, [], rule, "Not"));
    expect(parsed(not).Not).toEqual({ Variable: "$.a", NumericEquals: 1 });
    const list = changed(not, (text, rule) => recompose(text, [], rule, "And"));
    expect(parsed(list).And).toEqual([{ Variable: "$.a", NumericEquals: 1 }]);
    const longer = changed(list, (text, rule) => addCondition(text, [], rule));
    expect(innerConditions(parsed(longer)).length).toBe(2);
  });

  test("compositions nest", () => {
    const and = changed(RULE, (text, rule) => compose(text, [], rule, "And"));
    const inner = innerConditions(parsed(and))[1];
    const nested = compose(and, inner?.path ?? [], inner?.condition ?? {}, "Not");
    expect(parsed(nested).And).toEqual([
      { Variable: "$.a", NumericEquals: 1 },
      { Not: { Variable: "$", IsPresent: true } },
    ]);
  });

  test("another operator gets an operand that fits", () => {
    const to = (operator: string) => parsed(changed(RULE, (text, rule) => setOperator(text, [], rule, operator)));
    expect(to("NumericLessThan")).toMatchObject({ NumericLessThan: 1 });
    expect(to("StringEquals")).toMatchObject({ StringEquals: "1" });
    expect(to("IsNull")).toMatchObject({ IsNull: true });
    expect(to("NumericEqualsPath")).toMatchObject({ NumericEqualsPath: "$" });
    expect(changed(RULE, (text, rule) => setOperator(text, [], rule, "NumericLessThan"))).toContain("1.0");
    expect(typedOperand("NumericEquals", "1.50")).toEqual(new Written("1.50"));
    expect(typedOperand("StringEquals", "1.50")).toBe("1.50");
    expect(typedOperand("IsNull", "false")).toBe(false);
  });
});
