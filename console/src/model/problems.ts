/** Where the problems are that the server found, and those of the text itself. */
import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import type { Diagnostic } from "../aws/operations";
import { type Definition, pointerOf, type StateId } from "./definition";

export interface Problem {
  severity: "ERROR" | "WARNING";
  message: string;
  /** In the text. */
  from: number;
  to: number;
  state: StateId | undefined;
  /** The member of the state that it is about, if it is about one. */
  field: string | undefined;
}

/** Problems of text that is no JSON; the server could not say more. */
export function textProblems(text: string): Problem[] {
  const errors: ParseError[] = [];
  parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  return errors.map(({ error, offset, length }) => ({
    severity: "ERROR",
    message: `This is not JSON: ${printParseErrorCode(error)}`,
    from: Math.min(offset, text.length),
    to: Math.min(offset + Math.max(1, length), text.length),
    state: undefined,
    field: undefined,
  }));
}

export function placeProblems(definition: Definition, diagnostics: readonly Diagnostic[]): Problem[] {
  const root = parseTree(definition.text);
  return diagnostics.map(({ severity, message, location }) => {
    const found = root && location !== undefined ? walk(root, location, []) : undefined;
    const path = found?.path ?? [];
    const { state, rest } = ownerOf(definition, path);
    const member = found?.node.parent?.type === "property" ? found.node.parent : found?.node;
    // A whole state is marked at its name.
    const key = member?.type === "property" && found?.node.type === "object" ? member.children?.[0] : undefined;
    const marked = key ?? member;
    const from = marked?.offset ?? 0;
    const to = marked ? from + marked.length : 1;
    const field = typeof rest[0] === "string" ? rest[0] : undefined;
    return { severity, message, from, to, state, field };
  });
}

/** The innermost state that a path leads into, and what remains of the path. */
function ownerOf(
  definition: Definition,
  path: (string | number)[],
): { state: StateId | undefined; rest: (string | number)[] } {
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
