/** What can be written at a place of a definition's text: names of states, fields, expressions. Pure. */
import { getLocation } from "jsonc-parser";
import { type Definition, pointerOf, type Scope, STATE_TYPES, type State } from "../model/definition";
import { notationOf } from "../model/text";
import { type Completion, complete, type Data, type Option } from "./complete";
import { type DesignData, seenBy } from "./designData";
import { writtenBefore } from "./expressions";
import { fieldsOfState } from "./fields";

/** Members that name a state. */
const TARGETS = ["Next", "Default", "StartAt"];
const OTHER_FIELDS = ["Type", "Next", "End", "Retry", "Catch"];
const LINE = /^\s*(?:- )?["']?([\w.$]+)["']?\s*:\s*["']?([^"']*)$/;

/**
 * `definition` may be that of an earlier text, as the text need not be readable while it is written. `data` is that of
 * the state around the place, where it is known.
 */
export function completeCode(
  text: string,
  caret: number,
  definition: Definition,
  data: DesignData | undefined,
): Completion | undefined {
  const isJson = notationOf(text) === "JSON";
  const location = isJson ? getLocation(text, caret) : undefined;
  const state = location ? around(definition, location.path) : enclosing(definition, caret);
  const language = state?.language ?? definition.language;
  const lineStart = text.lastIndexOf("\n", caret - 1) + 1;
  const line = text.slice(lineStart, caret);
  const written = writtenBefore(line, line.length, "json", language);
  if (written) {
    const seen: Data = data && state ? seenBy(data, state, "result") : { input: {}, context: {}, variables: {} };
    const found = complete(written.text, language, seen);
    return found && { ...found, from: found.from + written.from + lineStart };
  }
  if (location?.isAtPropertyKey && state && location.path.length === state.path.length + 1) {
    const from = caret - (/[\w]*$/.exec(line)?.[0].length ?? 0);
    return { from, options: fieldNames(state).map((name) => named(name, "field")) };
  }
  const [, key = "", value = ""] = LINE.exec(line.slice(line.lastIndexOf(",") + 1).replace(/^\s*\{?\s*/, "")) ?? [];
  const from = caret - value.length;
  if (TARGETS.includes(key)) {
    const scope = scopeAround(definition, location?.path, state);
    const names = scope?.states.flatMap((id) => definition.states.get(id)?.name ?? []) ?? [];
    return {
      from,
      options: names.map((name) =>
        named(name, definition.states.get(pointerOf([...(scope?.path ?? []), "States", name]))?.type ?? ""),
      ),
    };
  }
  if (key === "Type") return { from, options: STATE_TYPES.map((type) => named(type, "type of state")) };
  if (key === "QueryLanguage") return { from, options: ["JSONata", "JSONPath"].map((name) => named(name, "")) };
  return undefined;
}

function named(label: string, detail: string): Option {
  return { label, kind: "text", detail };
}

function fieldNames(state: State): string[] {
  const own = fieldsOfState(state).flatMap((group) => group.fields.map((field) => String(field.path[0])));
  const there = new Set(Object.keys(state.fields));
  return [...new Set([...own, ...OTHER_FIELDS])].filter((name) => !there.has(name));
}

function around(definition: Definition, path: readonly (string | number)[]): State | undefined {
  for (let length = path.length; length >= 2; length--) {
    const state = definition.states.get(pointerOf(path.slice(0, length)));
    if (state) return state;
  }
  return undefined;
}

function enclosing(definition: Definition, caret: number): State | undefined {
  let found: State | undefined;
  for (const state of definition.states.values()) {
    const isAround = caret >= state.offset && caret <= state.offset + state.length;
    if (isAround && (!found || state.length < found.length)) found = state;
  }
  return found;
}

/** The scope whose states a target at the place names. */
function scopeAround(
  definition: Definition,
  path: readonly (string | number)[] | undefined,
  state: State | undefined,
): Scope | undefined {
  if (path?.at(-1) === "StartAt") return definition.scopes.get(pointerOf(path.slice(0, -1)));
  return definition.scopes.get(state?.scope ?? "");
}
