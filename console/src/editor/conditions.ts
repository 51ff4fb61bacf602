/** Conditions of Choice rules in JSONPath: a comparison, or And, Or, Not over others, at any depth. Pure. */
import type { Fields } from "../model/definition";
import { type Json, type Path, removeAt, replaceMember, setValue, Written, writtenAt } from "../model/text";

export const COMPOSED = ["And", "Or", "Not"] as const;
export type Composed = (typeof COMPOSED)[number];

/** The operators of a comparison in JSONPath, each with a constant operand and most also with a path. */
export const OPERATORS: readonly string[] = [
  ...["String", "Numeric", "Timestamp"].flatMap((type) =>
    ["Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"].flatMap((comparison) => [
      `${type}${comparison}`,
      `${type}${comparison}Path`,
    ]),
  ),
  "StringMatches",
  "BooleanEquals",
  "BooleanEqualsPath",
  "IsNull",
  "IsPresent",
  "IsNumeric",
  "IsString",
  "IsBoolean",
  "IsTimestamp",
];

/** A rule's own members, which no condition within it has. */
const OF_RULE = ["Next", "Assign", "Output"];
const FRESH: { readonly [key: string]: Json } = { Variable: "$", IsPresent: true };

export function composedBy(condition: Fields): Composed | undefined {
  return COMPOSED.find((key) => key in condition);
}

export function operatorOf(condition: Fields): string | undefined {
  return OPERATORS.find((operator) => operator in condition);
}

/** The conditions within a composed one, each with its path in it. */
export function innerConditions(condition: Fields): { path: Path; condition: Fields }[] {
  const key = composedBy(condition);
  if (key === undefined) return [];
  const inner = condition[key];
  const asFields = (value: Json | undefined): Fields =>
    value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Fields) : {};
  if (key === "Not") return [{ path: [key], condition: asFields(inner) }];
  return Array.isArray(inner) ? inner.map((item, index) => ({ path: [key, index], condition: asFields(item) })) : [];
}

/** Puts the condition at a path into And, Or or Not; the rule that it may be keeps where it leads. */
export function compose(text: string, path: Path, condition: Fields, by: Composed): string {
  const kept = Object.keys(condition).filter((key) => !OF_RULE.includes(key) && key !== "Comment");
  const members = kept.map((key) => `${JSON.stringify(key)}: ${writtenAt(text, [...path, key]) ?? "null"}`);
  const inner = `{${members.join(", ")}}`;
  const fresh = JSON.stringify(FRESH).replaceAll(":", ": ").replaceAll(",", ", ");
  const composed = by === "Not" ? inner : `[${inner}, ${fresh}]`;
  const bare = kept.reduce((text, key) => removeAt(text, [...path, key]), text);
  return setValue(bare, [...path, by], new Written(composed));
}

/** Replaces a composed condition by the first within it. */
export function decompose(text: string, path: Path, condition: Fields): string {
  const key = composedBy(condition);
  const [first] = innerConditions(condition);
  if (key === undefined || !first) return text;
  const members = Object.keys(first.condition).filter((name) => !OF_RULE.includes(name));
  const written = members.map((name) => [name, writtenAt(text, [...path, ...first.path, name]) ?? "null"] as const);
  return written.reduce(
    (text, [name, value]) => setValue(text, [...path, name], new Written(value)),
    removeAt(text, [...path, key]),
  );
}

/** Changes And to Or and the like: Not holds one condition, the others a list. */
export function recompose(text: string, path: Path, condition: Fields, by: Composed): string {
  const key = composedBy(condition);
  if (key === undefined || key === by) return text;
  if (key !== "Not" && by !== "Not") return replaceMember(text, [...path, key], by);
  const [first] = innerConditions(condition);
  const written = first && writtenAt(text, [...path, ...first.path]);
  if (written === undefined) return text;
  const value = new Written(by === "Not" ? written : `[${written}]`);
  return setValue(removeAt(text, [...path, key]), [...path, by], value);
}

export function addCondition(text: string, path: Path, condition: Fields): string {
  const key = composedBy(condition);
  if (key === undefined || key === "Not") return text;
  return setValue(text, [...path, key, innerConditions(condition).length], FRESH);
}

/** Gives a comparison another operator, and an operand that fits it. */
export function setOperator(text: string, path: Path, condition: Fields, operator: string): string {
  const before = operatorOf(condition);
  if (before === undefined) return setValue(text, [...path, operator], operandFor(operator, undefined));
  const operand = condition[before];
  return fits(operator, operand)
    ? replaceMember(text, [...path, before], operator)
    : replaceMember(text, [...path, before], operator, operandFor(operator, operand));
}

function kindOf(operator: string): "text" | "number" | "truth" {
  if (operator.endsWith("Path")) return "text";
  if (operator.startsWith("Numeric")) return "number";
  return operator.startsWith("Is") || operator === "BooleanEquals" ? "truth" : "text";
}

function fits(operator: string, operand: Json | undefined): boolean {
  const kind = kindOf(operator);
  if (operator.endsWith("Path")) return typeof operand === "string" && operand.startsWith("$");
  return typeof operand === (kind === "truth" ? "boolean" : kind === "number" ? "number" : "string");
}

function operandFor(operator: string, before: Json | undefined): Json {
  switch (kindOf(operator)) {
    case "truth":
      return true;
    case "number":
      return Number.isFinite(Number(before)) && before !== "" && before !== null ? Number(before) : 0;
    case "text":
      return operator.endsWith("Path")
        ? "$"
        : operator.startsWith("Timestamp")
          ? "2026-01-01T00:00:00Z"
          : String(before ?? "");
  }
}

/** An operand as it is typed. */
export function typedOperand(operator: string, typed: string): Json | Written {
  const kind = kindOf(operator);
  if (kind === "truth" && (typed === "true" || typed === "false")) return typed === "true";
  if (kind === "number" && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(typed)) return new Written(typed);
  return typed;
}
