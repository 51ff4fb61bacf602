/**
 * What can be done about a problem at once, each fix a function of the definition alone.
 *
 * The server's sentences are AWS's and say what is meant; there is no other mark of it. Source of the sentences: the
 * definition cases of `crates/machine/tests/definitions`.
 */
import { type Definition, pointerOf, type Scope, STATE_TYPES, type State, type StateType } from "./definition";
import { deleteState, type Edited, freeName, freshState, renameState } from "./edits";
import type { Problem } from "./problems";
import {
  insertItem,
  type Json,
  jsonAt,
  nodeAt,
  type Path,
  removeAt,
  replaceMember,
  setValue,
  Written,
  writtenAt,
} from "./text";

export interface Fix {
  label: string;
  edit: (definition: Definition) => Edited;
}

/** The words of a sentence that one rule knows, and what can be done then. */
type Rule = [RegExp, (place: Place, words: string[]) => Fix[]];

interface Place {
  definition: Definition;
  problem: Problem;
  state: State | undefined;
  /** That the problem's place is in. */
  scope: Scope;
}

export function fixesOf(definition: Definition, problem: Problem): Fix[] {
  const state = problem.state === undefined ? undefined : definition.states.get(problem.state);
  const scope = scopeAround(definition, problem.path);
  if (!scope) return [];
  for (const [pattern, fixes] of RULES) {
    const words = pattern.exec(problem.message);
    if (words) return fixes({ definition, problem, state, scope }, words.slice(1));
  }
  return [];
}

const RULES: readonly Rule[] = [
  [/^These fields are required: \[(.*)\]$/, (place, [names = ""]) => names.split(", ").flatMap(required(place))],
  [
    /should (?:only be one|have only one) of the following fields: \[(.*)\]/,
    (place, [names = ""]) => oneOf(place, names),
  ],
  [/^Missing 'Next' target: (.*)$/, (place, [name = ""]) => unknownTarget(place, name)],
  [/^State "(.*)" is not reachable\.$/, unreachable],
  [/^Workflow has no terminal state$/, noEnd],
  [/^Field '(.*)' is not supported$/, (place, [name = ""]) => [removeField(place, name)]],
  [/^The QueryLanguage is set to '(\w+)', but field '(\w+)' is only supported/, wrongLanguage],
  [/^The field 'Type' should have one of these values/, wrongType],
  [/^Value cannot be empty$/, empty],
  [/^States\.ALL must appear alone and at end of list$/, allErrorsLast],
  [/^Duplicate State name: |exceeds the 80-character limit/, otherName],
  [/^No \.\$ on a field/, (place) => renameMember(place, (key) => `${key}.$`)],
  [
    /^The value for the field '(.*)\.\$' must be a valid JSONPath/,
    ({ problem }, [key = ""]) => [
      {
        label: `Take it as it is: “${key}”`,
        edit: ({ text }) => ({ text: replaceMember(text, [...problem.path, `${key}.$`], key) }),
      },
    ],
  ],
  [/^Expected value of type \[(INTEGER|NUMBER|BOOLEAN|STRING)\]$/, (place, [type = ""]) => asType(place, type)],
  [/^Reference to '\$' at the top level is not supported\.$/, dollar],
  [/^Without a Default/, withoutDefault],
];

function scopeAround(definition: Definition, path: Path): Scope | undefined {
  for (let length = path.length; length >= 0; length--) {
    const scope = definition.scopes.get(pointerOf(path.slice(0, length)));
    if (scope) return scope;
  }
  return undefined;
}

function fix(label: string, change: (text: string) => string): Fix {
  return { label, edit: ({ text }) => ({ text: change(text) }) };
}

function namesIn(definition: Definition, scope: Scope): string[] {
  return scope.states.flatMap((id) => definition.states.get(id)?.name ?? []);
}

/** The sibling behind a state in the text, else the first other one. */
function siblingOf({ definition, scope, state }: Place): string | undefined {
  const names = namesIn(definition, scope);
  const at = state ? names.indexOf(state.name) : -1;
  return names[at + 1] ?? names.find((name) => name !== state?.name);
}

const required =
  (place: Place) =>
  (name: string): Fix[] => {
    const { definition, problem, state } = place;
    const add = (label: string, value: Json) => fix(label, (text) => setValue(text, [...problem.path, name], value));
    const sibling = siblingOf(place);
    switch (name) {
      case "StartAt":
        return sibling === undefined ? [] : [add(`Start at ${sibling}`, sibling)];
      case "States":
        return [add("Add an empty list of states", {})];
      case "Type":
        return [add("Make it a Pass state", "Pass")];
      case "Next":
        return sibling === undefined ? [] : [add(`Go on to ${sibling}`, sibling)];
      case "Resource":
        return [add("Call a Lambda function", "arn:aws:states:::lambda:invoke")];
      case "ErrorEquals":
        return [add("All errors", ["States.ALL"])];
      case "Branches":
      case "ItemProcessor":
      case "Choices": {
        const fresh = state && (freshState(state.type as StateType, definition.language)[name] as Json | undefined);
        return fresh === undefined ? [] : [add(`Add ${name}`, fresh)];
      }
      default:
        return [];
    }
  };

/** Of several fields exactly one may be there: which stay, or which comes. */
function oneOf(place: Place, listed: string): Fix[] {
  const { problem, state, definition } = place;
  const names = listed.split(", ");
  const there = names.filter((name) => nodeAt(definition.text, [...problem.path, name]));
  if (there.length > 1) {
    return there.map((kept) =>
      fix(`Keep ${kept} alone`, (text) =>
        there.filter((name) => name !== kept).reduce((text, name) => removeAt(text, [...problem.path, name]), text),
      ),
    );
  }
  const add = (label: string, name: string, value: Json) =>
    fix(label, (text) => setValue(text, [...problem.path, name], value));
  if (names.includes("Next") && names.includes("End")) {
    const sibling = siblingOf(place);
    const on = sibling === undefined || !state ? [] : [add(`Go on to ${sibling}`, "Next", sibling)];
    return [add("End here", "End", true), ...on];
  }
  if (names.includes("Seconds")) return [add("Wait for 5 seconds", "Seconds", 5)];
  return [];
}

function unknownTarget({ definition, problem, scope, state }: Place, name: string): Fix[] {
  const { path } = problem;
  const near = nearest(
    name,
    namesIn(definition, scope).filter((other) => other !== state?.name || scope.states.length === 1),
  );
  const isName = name !== "" && freeName(definition, name) === name;
  const fixes: Fix[] = [];
  if (near !== undefined) fixes.push(fix(`Change it to ${near}`, (text) => setValue(text, path, near)));
  if (isName) {
    fixes.push({
      label: `Add a state ${name}`,
      edit: ({ text }) => ({
        text: setValue(text, [...scope.path, "States", name], { Type: "Pass", End: true }, state?.name),
        selected: pointerOf([...scope.path, "States", name]),
      }),
    });
  }
  if (path.at(-1) === "Next" && path.length === (state?.path.length ?? 0) + 1)
    fixes.push(fix("End here", (text) => replaceMember(text, path, "End", true)));
  return fixes;
}

function unreachable({ definition, problem, scope }: Place, [name = ""]: string[]): Fix[] {
  const id = pointerOf(problem.path);
  const fixes: Fix[] = [{ label: `Delete ${name}`, edit: (definition) => deleteState(definition, id) }];
  // What ended just before it in the text was most likely meant to lead here.
  const before = scope.states.slice(0, scope.states.indexOf(id)).toReversed();
  const ends = before.map((id) => definition.states.get(id)).find((state) => state?.fields.End === true);
  if (ends) {
    fixes.push(
      fix(`Go on to it from ${ends.name}`, (text) => replaceMember(text, [...ends.path, "End"], "Next", name)),
    );
  }
  return fixes;
}

function noEnd({ definition, scope }: Place): Fix[] {
  const last = scope.states.map((id) => definition.states.get(id)).findLast((state) => state && "Next" in state.fields);
  return last
    ? [fix(`End after ${last.name}`, (text) => replaceMember(text, [...last.path, "Next"], "End", true))]
    : [];
}

function removeField({ problem }: Place, name: string): Fix {
  return fix(`Remove ${name}`, (text) => removeAt(text, [...problem.path, name]));
}

/** Fields that mean the same in both languages. */
const TWINS: Record<string, string> = { Parameters: "Arguments", Arguments: "Parameters" };

function wrongLanguage(place: Place, [language = "", name = ""]: string[]): Fix[] {
  const { problem, state } = place;
  const fixes = [removeField(place, name)];
  const twin = TWINS[name];
  if (twin) fixes.unshift(fix(`Rename it to ${twin}`, (text) => replaceMember(text, [...problem.path, name], twin)));
  // A state machine in JSONata has no states in JSONPath.
  if (language === "JSONPath" && state) {
    fixes.push(
      fix(`Write ${state.name} in JSONata`, (text) =>
        setValue(text, [...state.path, "QueryLanguage"], "JSONata", "Type"),
      ),
    );
  }
  return fixes;
}

function wrongType({ problem, state }: Place): Fix[] {
  const near = nearest(state?.type ?? "", [...STATE_TYPES]) ?? "Pass";
  return [fix(`Make it a ${near} state`, (text) => setValue(text, problem.path, near))];
}

function empty(place: Place): Fix[] {
  const { definition, problem } = place;
  if (problem.path.at(-1) === "States") {
    const name = freeName(definition, "Pass");
    const owner = problem.path.slice(0, -1);
    return [
      {
        label: "Add a Pass state",
        edit: ({ text }) => ({
          text: setValue(
            setValue(text, [...problem.path, name], { Type: "Pass", End: true }),
            [...owner, "StartAt"],
            name,
          ),
          selected: pointerOf([...problem.path, name]),
        }),
      },
    ];
  }
  const sibling = siblingOf(place);
  if (problem.path.at(-1) === "Choices" && sibling !== undefined) {
    const rule: Json =
      place.state?.language === "JSONata"
        ? { Condition: "{% true %}", Next: sibling }
        : { Variable: "$", IsPresent: true, Next: sibling };
    return [fix("Add a rule", (text) => insertItem(text, problem.path, 0, rule))];
  }
  if (problem.path.at(-1) === "ErrorEquals")
    return [fix("All errors", (text) => setValue(text, problem.path, ["States.ALL"]))];
  return [];
}

function allErrorsLast({ problem, definition }: Place): Fix[] {
  const at = problem.path.lastIndexOf("ErrorEquals");
  const item = problem.path.slice(0, at);
  const list = item.slice(0, -1);
  const errors = nodeAt(definition.text, [...item, "ErrorEquals"]);
  const length = nodeAt(definition.text, list)?.children?.length ?? 0;
  if (at < 0 || !errors) return [];
  if ((errors.children?.length ?? 0) > 1)
    return [fix("Name States.ALL alone", (text) => setValue(text, [...item, "ErrorEquals"], ["States.ALL"]))];
  const written = writtenAt(definition.text, item);
  if (written === undefined || item.at(-1) === length - 1) return [];
  return [
    fix("Move it to the end", (text) => insertItem(removeAt(text, item), list, length - 1, new Written(written))),
  ];
}

const NAME_CHARS_MAX = 80;

function otherName({ definition, problem, state }: Place): Fix[] {
  if (!state) return [];
  const name = freeName(definition, state.name.slice(0, NAME_CHARS_MAX - 5));
  return [
    { label: `Rename it to ${name}`, edit: (definition) => renameState(definition, pointerOf(problem.path), name) },
  ];
}

function renameMember({ problem }: Place, rename: (key: string) => string): Fix[] {
  const key = problem.path.at(-1);
  if (typeof key !== "string") return [];
  const name = rename(key);
  return [fix(`Name it “${name}”`, (text) => replaceMember(text, problem.path, name))];
}

function asType({ problem, definition }: Place, type: string): Fix[] {
  const node = nodeAt(definition.text, problem.path);
  const value: unknown = node?.value;
  const fits =
    type === "BOOLEAN"
      ? value === "true" || value === "false"
      : type !== "STRING" && typeof value === "string" && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(value);
  if (fits) return [fix(`Make it ${value}`, (text) => setValue(text, problem.path, new Written(String(value))))];
  const json = jsonAt(definition.text, problem.path);
  if (type === "STRING" && json !== undefined && (node?.type === "number" || node?.type === "boolean"))
    return [fix(`Make it “${json}”`, (text) => setValue(text, problem.path, json))];
  return [];
}

/** `$.a` of JSONPath within JSONata most likely means the state's input. */
function dollar({ problem, definition }: Place): Fix[] {
  const value: unknown = nodeAt(definition.text, problem.path)?.value;
  if (typeof value !== "string" || !/(?<![\w$])\$(?=[.[]|\s*%\})/.test(value)) return [];
  const changed = value.replaceAll(/(?<![\w$])\$(?=[.[]|\s*%\})/g, "$states.input");
  return [fix("Read the state's input", (text) => setValue(text, problem.path, changed))];
}

function withoutDefault(place: Place): Fix[] {
  const { definition, state, scope } = place;
  if (!state) return [];
  const name = freeName(definition, "No rule fits");
  const sibling = siblingOf(place);
  const path = [...state.path, "Default"];
  const fail = { Type: "Fail", Error: "NoRuleFits", Cause: `No rule of ${state.name} fits the input` };
  const fixes = [
    fix("Fail in a state of its own", (text) =>
      setValue(setValue(text, path, name), [...scope.path, "States", name], fail, state.name),
    ),
  ];
  if (sibling !== undefined) fixes.push(fix(`Go on to ${sibling}`, (text) => setValue(text, path, sibling)));
  return fixes;
}

/** The candidate most like a word, if one is like it: at most a third of its letters are others. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const name of candidates) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance <= Math.ceil(Math.max(word.length, name.length) / 3) && (!best || distance < best.distance))
      best = { name, distance };
  }
  return best?.name;
}

function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const change = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
