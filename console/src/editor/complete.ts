/** What can be written next in an expression: real names from real data, variables, functions. Pure. */
import type { QueryLanguage } from "../model/definition";
import { type FunctionHint, INTRINSIC_FUNCTIONS, JSONATA_FUNCTIONS } from "./functions";

/** What an expression sees, as far as it is known: values of an earlier run or of a test. */
export interface Data {
  input: unknown;
  context: unknown;
  variables: Readonly<Record<string, unknown>>;
  /** `undefined`: the field does not see it, or it is not known. */
  result?: unknown;
  errorOutput?: unknown;
}

export interface Option {
  label: string;
  /** What is written, if not the label. */
  apply?: string;
  kind: "function" | "variable" | "property" | "text";
  /** Beside the label: a signature, or the value as it is. */
  detail: string;
  says?: string;
}

export interface Completion {
  /** Where in the text the word begins that an option replaces. */
  from: number;
  options: Option[];
}

/** Values are shown no longer than this. */
const SHOWN_CHARS_MAX = 40;
/** More names of one object are not offered. */
const OPTIONS_MAX = 200;

/** `text`: the expression up to the caret, without delimiters. */
export function complete(text: string, language: QueryLanguage, data: Data): Completion | undefined {
  if (isInQuotes(text)) return undefined;
  return language === "JSONata" ? jsonata(text, data) : jsonPath(text, data);
}

function isInQuotes(text: string): boolean {
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] ?? "";
    if (quote !== "" && sign === "\\") at++;
    else if (quote === "" && (sign === "'" || sign === '"')) quote = sign;
    else if (sign === quote) quote = "";
  }
  // `$['na` of JSONPath names a member.
  return quote !== "";
}

/** A name, names in quotes, and what selects items, before the last dot. */
const STEPS = /(\$[\w$]*)((?:\.(?:\w+|`[^`]*`)|\[[^\]]*\])*)\.(\w*|`[^`]*)$/;
const WORD = /\$[\w]*$/;

function jsonata(text: string, data: Data): Completion | undefined {
  const path = STEPS.exec(text);
  if (path) {
    const [, head = "", steps = "", word = ""] = path;
    const value = head === "$states" ? statesOf(data) : head in roots(data) ? roots(data)[head] : undefined;
    return value === undefined ? undefined : members(follow(value, steps), text.length - word.length, "JSONata");
  }
  const word = WORD.exec(text)?.[0];
  if (word === undefined) return undefined;
  const states: Option = { label: "$states", kind: "variable", detail: Object.keys(statesOf(data)).join(", ") };
  return {
    from: text.length - word.length,
    options: [states, ...variables(data), ...JSONATA_FUNCTIONS.map(calling)],
  };
}

function jsonPath(text: string, data: Data): Completion | undefined {
  const path = STEPS.exec(text);
  if (path) {
    const [, head = "", steps = "", word = ""] = path;
    const value = head === "$" ? data.input : head === "$$" ? data.context : roots(data)[head];
    return value === undefined ? undefined : members(follow(value, steps), text.length - word.length, "JSONPath");
  }
  const call = /(?:^|[\s(,])(S[\w.]*)$/.exec(text)?.[1];
  if (call !== undefined || text.trim() === "") {
    const fresh: Option[] = text.trim() === "" ? jsonPathRoots(data) : [];
    return { from: text.length - (call?.length ?? 0), options: [...fresh, ...INTRINSIC_FUNCTIONS.map(calling)] };
  }
  const word = /\$[\w$]*$/.exec(text)?.[0];
  if (word === undefined) return undefined;
  return { from: text.length - word.length, options: jsonPathRoots(data) };
}

function jsonPathRoots(data: Data): Option[] {
  return [
    { label: "$", kind: "variable", detail: shown(data.input) },
    { label: "$$", kind: "variable", detail: "the Context object" },
    ...variables(data),
  ];
}

function statesOf({ input, context, result, errorOutput }: Data): Record<string, unknown> {
  return {
    input,
    context,
    ...(result === undefined ? {} : { result }),
    ...(errorOutput === undefined ? {} : { errorOutput }),
  };
}

function roots({ variables }: Data): Record<string, unknown> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [`$${name}`, value]));
}

function variables(data: Data): Option[] {
  return Object.entries(data.variables).map(([name, value]) => ({
    label: `$${name}`,
    kind: "variable",
    detail: shown(value),
  }));
}

function calling({ name, signature, says }: FunctionHint): Option {
  return { label: name, apply: `${name}(`, kind: "function", detail: signature, says };
}

/** The value that steps such as `.a[0].b` lead to; a step into an array goes into its first item, as JSONata does. */
function follow(value: unknown, steps: string): unknown {
  let at = value;
  for (const [, name, quoted, index] of steps.matchAll(/\.(?:(\w+)|`([^`]*)`)|\[([^\]]*)\]/g)) {
    const key = name ?? quoted ?? (index === undefined ? undefined : /^'(.*)'$/.exec(index)?.[1]);
    if (key === undefined) at = Array.isArray(at) ? at[/^\d+$/.test(index ?? "") ? Number(index) : 0] : at;
    else at = memberOf(Array.isArray(at) ? at[0] : at, key);
  }
  return at;
}

function memberOf(value: unknown, key: string): unknown {
  return value !== null && typeof value === "object" && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function members(value: unknown, from: number, language: QueryLanguage): Completion | undefined {
  const object = Array.isArray(value) ? value[0] : value;
  if (object === null || typeof object !== "object") return undefined;
  const options = Object.entries(object as Record<string, unknown>).slice(0, OPTIONS_MAX);
  return {
    from,
    options: options.map(([label, value]) => {
      const isPlain = /^[A-Za-z_]\w*$/.test(label);
      const written = language === "JSONata" ? `\`${label}\`` : `['${label.replaceAll("'", "\\'")}']`;
      return { label, ...(isPlain ? {} : { apply: written }), kind: "property", detail: shown(value) };
    }),
  };
}

/** A value in few letters. */
export function shown(value: unknown): string {
  const text = value === undefined ? "" : JSON.stringify(value);
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX - 1)}…` : text;
}
