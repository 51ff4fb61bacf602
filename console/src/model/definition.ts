/**
 * A definition as a graph, read off its text.
 *
 * The text is the truth: this is made anew from it after each edit and never written back. No edge leaves its scope:
 * `Next`, `Catch`, `Choices` and `Default` name siblings. Source: Amazon States Language.
 */
import { getNodeValue, type Node } from "jsonc-parser";
import { type Json, type Path, treeOf } from "./text";

export const STATE_TYPES = ["Task", "Choice", "Parallel", "Map", "Pass", "Wait", "Succeed", "Fail"] as const;
export type StateType = (typeof STATE_TYPES)[number];
export type QueryLanguage = "JSONPath" | "JSONata";
export type Fields = { readonly [name: string]: Json | undefined };

/** A place in the definition, as a JSON pointer: unique, and stable while what comes before it keeps its name. */
export type StateId = string;
export type ScopeId = string;

export interface State {
  id: StateId;
  name: string;
  /** As it is written; may be none of {@link STATE_TYPES}. */
  type: string;
  path: Path;
  scope: ScopeId;
  fields: Fields;
  language: QueryLanguage;
  /** Scopes of branches or of the item processor. */
  scopes: ScopeId[];
  offset: number;
  length: number;
}

export interface Scope {
  id: ScopeId;
  path: Path;
  /** The state that holds it; the top level has none. */
  owner: StateId | undefined;
  title: string;
  states: StateId[];
}

export type EdgeKind = "start" | "next" | "end" | "choice" | "default" | "catch";

/** From a state, or the scope's start, to a sibling or the scope's end. */
export interface Edge {
  id: string;
  scope: ScopeId;
  kind: EdgeKind;
  from: StateId | undefined;
  to: StateId | undefined;
  label: string;
  /** Of the value that names the target; for `end` of the member `End`. */
  path: Path;
}

export interface Definition {
  text: string;
  fields: Fields;
  language: QueryLanguage;
  scopes: Map<ScopeId, Scope>;
  states: Map<StateId, State>;
  edges: Edge[];
}

export const TOP: ScopeId = "";

export function pointerOf(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** `undefined` if the text is not JSON, or no object. */
export function readDefinition(text: string): Definition | undefined {
  const root = treeOf(text);
  if (root?.type !== "object") return undefined;
  const fields = fieldsOf(root);
  const definition: Definition = {
    text,
    fields,
    language: languageOf(fields, "JSONPath"),
    scopes: new Map(),
    states: new Map(),
    edges: [],
  };
  readScope(definition, root, [], undefined, "");
  return definition;
}

export function scopeOf(definition: Definition, id: ScopeId): Scope {
  const scope = definition.scopes.get(id);
  if (!scope) throw new Error(`no scope at ${id}`);
  return scope;
}

/** All states of a scope and of the scopes within, in the order of the text. */
export function statesWithin(definition: Definition, id: ScopeId): State[] {
  return [...definition.states.values()].filter((state) => state.scope === id || state.scope.startsWith(`${id}/`));
}

function languageOf(fields: Fields, otherwise: QueryLanguage): QueryLanguage {
  const language = fields.QueryLanguage;
  return language === "JSONata" || language === "JSONPath" ? language : otherwise;
}

function memberOf(node: Node | undefined, key: string): Node | undefined {
  return node?.type === "object"
    ? node.children?.find((member) => member.children?.[0]?.value === key)?.children?.[1]
    : undefined;
}

function fieldsOf(node: Node): Fields {
  return node.type === "object" ? (getNodeValue(node) as Fields) : {};
}

function readScope(definition: Definition, node: Node, path: Path, owner: StateId | undefined, title: string) {
  const id = pointerOf(path);
  const scope: Scope = { id, path, owner, title, states: [] };
  definition.scopes.set(id, scope);
  for (const member of memberOf(node, "States")?.children ?? []) {
    const [key, value] = member.children ?? [];
    if (!key || value?.type !== "object") continue;
    const name = key.value as string;
    const statePath = [...path, "States", name];
    const fields = fieldsOf(value);
    const state: State = {
      id: pointerOf(statePath),
      name,
      type: typeof fields.Type === "string" ? fields.Type : "",
      path: statePath,
      scope: id,
      fields,
      language: languageOf(fields, definition.language),
      scopes: [],
      offset: member.offset,
      length: member.length,
    };
    scope.states.push(state.id);
    definition.states.set(state.id, state);
    for (const inner of innerScopes(value, state)) {
      state.scopes.push(pointerOf(inner.path));
      readScope(definition, inner.node, inner.path, state.id, inner.title);
    }
  }
  readEdges(definition, scope, fieldsOf(node).StartAt);
}

function innerScopes(node: Node, state: State): { node: Node; path: Path; title: string }[] {
  if (state.type === "Parallel") {
    const branches = memberOf(node, "Branches")?.children ?? [];
    return branches.flatMap((branch, index) =>
      branch.type === "object"
        ? [{ node: branch, path: [...state.path, "Branches", index], title: `Branch ${index + 1}` }]
        : [],
    );
  }
  if (state.type === "Map") {
    for (const key of ["ItemProcessor", "Iterator"]) {
      const processor = memberOf(node, key);
      if (processor?.type === "object")
        return [{ node: processor, path: [...state.path, key], title: "For each item" }];
    }
  }
  return [];
}

function readEdges(definition: Definition, scope: Scope, startAt: Json | undefined) {
  const sibling = (name: Json | undefined): StateId | undefined => {
    if (typeof name !== "string") return undefined;
    const id = pointerOf([...scope.path, "States", name]);
    return scope.states.includes(id) ? id : undefined;
  };
  const add = (kind: EdgeKind, from: StateId | undefined, to: StateId | undefined, path: Path, label = "") => {
    definition.edges.push({ id: `${scope.id}#${pointerOf(path)}`, scope: scope.id, kind, from, to, label, path });
  };
  const start = sibling(startAt);
  if (start || scope.states.length === 0) add("start", undefined, start, [...scope.path, "StartAt"]);
  for (const id of scope.states) {
    const state = definition.states.get(id);
    if (!state) continue;
    const { fields, path } = state;
    if (state.type === "Choice") {
      items(fields.Choices).forEach((rule, index) => {
        const to = sibling(rule.Next);
        if (to) add("choice", id, to, [...path, "Choices", index, "Next"], ruleLabel(rule));
      });
      const otherwise = sibling(fields.Default);
      if (otherwise) add("default", id, otherwise, [...path, "Default"], "default");
    } else if (fields.End === true) {
      add("end", id, undefined, [...path, "End"]);
    } else {
      const next = sibling(fields.Next);
      if (next) add("next", id, next, [...path, "Next"]);
    }
    items(fields.Catch).forEach((catcher, index) => {
      const to = sibling(catcher.Next);
      if (to) add("catch", id, to, [...path, "Catch", index, "Next"], errorsLabel(catcher.ErrorEquals));
    });
  }
}

function items(value: Json | undefined): Fields[] {
  return Array.isArray(value)
    ? value.map((item) => (item !== null && typeof item === "object" && !Array.isArray(item) ? (item as Fields) : {}))
    : [];
}

function errorsLabel(errors: Json | undefined): string {
  return Array.isArray(errors) ? errors.map(String).join(", ") : "";
}

const WORDS: readonly [RegExp, string][] = [
  [/GreaterThanEquals(Path)?$/, "≥"],
  [/LessThanEquals(Path)?$/, "≤"],
  [/GreaterThan(Path)?$/, ">"],
  [/LessThan(Path)?$/, "<"],
  [/Matches$/, "matches"],
  [/Equals(Path)?$/, "="],
];

/** A Choice rule in few words: its comment, else its condition. */
export function ruleLabel(rule: Fields): string {
  if (typeof rule.Comment === "string") return rule.Comment;
  if (typeof rule.Condition === "string") return rule.Condition.replace(/^\{%\s*/, "").replace(/\s*%\}$/, "");
  if (typeof rule.Condition === "boolean") return String(rule.Condition);
  if (rule.Not) return `not (${ruleLabel(rule.Not as Fields)})`;
  for (const [key, word] of [
    ["And", " and "],
    ["Or", " or "],
  ] as const) {
    if (Array.isArray(rule[key])) return items(rule[key]).map(ruleLabel).join(word);
  }
  const comparison = Object.entries(rule).find(
    ([key]) => !["Variable", "Next", "Comment", "Assign", "Output"].includes(key),
  );
  if (!comparison) return String(rule.Variable ?? "");
  const [operator, operand] = comparison;
  const variable = String(rule.Variable ?? "");
  if (operator.startsWith("Is"))
    return `${variable} ${operand === false ? "is not" : "is"} ${operator.slice(2).toLowerCase()}`;
  const word = WORDS.find(([pattern]) => pattern.test(operator))?.[1] ?? operator;
  return `${variable} ${word} ${typeof operand === "string" ? operand : JSON.stringify(operand)}`;
}
