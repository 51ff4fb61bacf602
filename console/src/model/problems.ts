/** Where the problems are that the server found, those of the text itself, and our own advice. */
import type { Node } from "jsonc-parser";
import type { Diagnostic } from "../aws/operations";
import { type Definition, pointerOf, type StateId } from "./definition";
import { errorsOf, type Path, treeOf } from "./text";

export interface Problem {
  severity: "ERROR" | "WARNING";
  message: string;
  /** In the text. */
  from: number;
  to: number;
  /** Of what it is about. */
  path: Path;
  state: StateId | undefined;
  /** The member of the state that it is about, if it is about one. */
  field: string | undefined;
}

/** Problems of text that cannot be read; the server could not say more. */
export function textProblems(text: string): Problem[] {
  return errorsOf(text).map((error) => ({
    ...error,
    severity: "ERROR",
    path: [],
    state: undefined,
    field: undefined,
  }));
}

export function placeProblems(definition: Definition, diagnostics: readonly Diagnostic[]): Problem[] {
  const root = treeOf(definition.text);
  return diagnostics.map(({ severity, message, location }) => {
    const found = root && location !== undefined ? walk(root, location, []) : undefined;
    const path = found?.path ?? [];
    return { ...placed(definition, found?.node, path, message), severity, message };
  });
}

/** What is allowed and most often forgotten. */
export function adviceOn(definition: Definition): Problem[] {
  const root = treeOf(definition.text);
  const problems: Problem[] = [];
  for (const state of definition.states.values()) {
    if (state.type !== "Choice" || "Default" in state.fields) continue;
    const message = "Without a Default, an input that no rule fits fails with States.NoChoiceMatched.";
    const found = root && walk(root, locationOf(state.path), []);
    problems.push({
      ...placed(definition, found?.node, state.path, message),
      field: "Default",
      severity: "WARNING",
      message,
    });
  }
  return problems;
}

function locationOf(path: Path): string {
  return path.map((step) => (typeof step === "number" ? `[${step}]` : `/${step}`)).join("");
}

function placed(definition: Definition, node: Node | undefined, path: Path, message: string) {
  const { state, rest } = ownerOf(definition, path);
  const member = node?.parent?.type === "property" ? node.parent : node;
  // A whole state is marked at its name.
  const key = member?.type === "property" && node?.type === "object" ? member.children?.[0] : undefined;
  const marked = key ?? member;
  const from = marked?.offset ?? 0;
  const to = marked ? from + marked.length : 1;
  const named = rest.length === 0 ? /[Ff]ield '([^']+)'/.exec(message)?.[1] : undefined;
  const field = typeof rest[0] === "string" ? rest[0] : named;
  return { from, to, path, state, field };
}

/** The innermost state that a path leads into, and what remains of the path. */
function ownerOf(definition: Definition, path: Path): { state: StateId | undefined; rest: Path } {
  for (let length = path.length; length >= 2; length--) {
    const id = pointerOf(path.slice(0, length));
    if (definition.states.has(id)) return { state: id, rest: path.slice(length) };
  }
  return { state: undefined, rest: path };
}

/**
 * Follows a location such as `/States/A/Choices[0]/Next`. Keys may hold what separates them, so all readings are tried.
 * What leads no further is the place: locations may name members that are missing.
 */
function walk(
  node: Node,
  location: string,
  path: (string | number)[],
): { node: Node; path: (string | number)[] } | undefined {
  if (location === "" || location === "/") return { node, path };
  if (node.type === "array") {
    const [whole, index] = /^\[(\d+)\]/.exec(location) ?? [];
    const item = node.children?.[Number(index)];
    return whole && item ? walk(item, location.slice(whole.length), [...path, Number(index)]) : { node, path };
  }
  if (node.type !== "object" || !location.startsWith("/")) return { node, path };
  let furthest: { node: Node; path: (string | number)[] } = { node, path };
  for (const member of node.children ?? []) {
    const [key, value] = member.children ?? [];
    const name = key?.value as string;
    if (!value || !location.startsWith(name, 1)) continue;
    const rest = location.slice(1 + name.length);
    if (rest !== "" && !/^[/[]/.test(rest)) continue;
    const found = walk(value, rest, [...path, name]);
    if (found && found.path.length > furthest.path.length) furthest = found;
  }
  return furthest;
}
