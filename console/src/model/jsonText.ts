/**
 * Edits of JSON as text: what is not touched keeps its spelling, order and layout.
 *
 * A value is never parsed and printed again around an edit: `JSON.parse` would turn 12345678901234567890 into another
 * number and 1.0 into 1. New text takes on the layout of what it is put into: a member of an object that stands on one
 * line stays on that line, others get a line of their own.
 */
import { findNodeAtLocation, type Node, parseTree } from "jsonc-parser";

export type Path = readonly (string | number)[];
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A value as somebody wrote it, to be put into a text letter by letter. It must be JSON. */
export class Written {
  constructor(readonly text: string) {}
}

/** The last texts that were read: a form looks at one text once for each of its fields. */
const TREES_MAX = 4;
const trees = new Map<string, Node | undefined>();

/** The tree of a text that is JSON throughout; `undefined` if it is not. */
export function treeOf(text: string): Node | undefined {
  if (trees.has(text)) return trees.get(text);
  const errors: { error: number }[] = [];
  const read = parseTree(text, errors as never[], { disallowComments: true, allowTrailingComma: false });
  const tree = errors.length === 0 ? read : undefined;
  trees.set(text, tree);
  for (const oldest of trees.keys()) if (trees.size > TREES_MAX) trees.delete(oldest);
  return tree;
}

/** The node at a path; `undefined` if nothing is there. */
export function nodeAt(text: string, path: Path): Node | undefined {
  const tree = treeOf(text);
  return tree && findNodeAtLocation(tree, [...path]);
}

/** Sets the value at `path`, adding the last step of the path if it is missing. Unchanged where the path leads nowhere. */
export function setValue(text: string, path: Path, value: Json | Written, after?: string): string {
  const node = nodeAt(text, path);
  if (node) return splice(text, node.offset, node.length, printAt(text, node.offset, value, isOneLine(text, node)));
  const last = path.at(-1);
  const owner = nodeAt(text, path.slice(0, -1));
  if (owner?.type === "object" && typeof last === "string") return addMember(text, owner, last, value, after);
  if (owner?.type === "array" && typeof last === "number") return addItem(text, owner, last, value);
  return text;
}

/** Takes the member or item at `path` away, with its comma. */
export function removeAt(text: string, path: Path): string {
  const node = nodeAt(text, path);
  const owner = nodeAt(text, path.slice(0, -1));
  if (!node || !owner?.children) return text;
  return cut(text, owner, elementOf(node));
}

/** Takes an element of an object or array with brackets away, with its comma. */
export function cut(text: string, owner: Node, element: Node): string {
  const children = owner.children ?? [];
  const index = children.findIndex((child) => child.offset === element.offset);
  const before = children[index - 1];
  const next = children[index + 1];
  if (next) return splice(text, element.offset, next.offset - element.offset, "");
  if (before) return splice(text, end(before), end(element) - end(before), "");
  return splice(text, owner.offset + 1, owner.length - 2, "");
}

/** Gives the member at `path` another key and, if told, another value, in its place. */
export function replaceMember(text: string, path: Path, key: string, value?: Json): string {
  const node = nodeAt(text, path);
  const member = node && elementOf(node);
  const [oldKey, oldValue] = member?.children ?? [];
  if (!oldKey || !oldValue) return text;
  const renamed = splice(text, oldKey.offset, oldKey.length, JSON.stringify(key));
  return value === undefined ? renamed : setValue(renamed, [...path.slice(0, -1), key], value);
}

/** Adds an item before the one at `index`, or at the end. */
export function insertItem(text: string, path: Path, index: number, value: Json | Written): string {
  const owner = nodeAt(text, path);
  return owner?.type === "array" ? addItem(text, owner, index, value) : text;
}

function addMember(text: string, owner: Node, key: string, value: Json | Written, after: string | undefined): string {
  const keys = (owner.children ?? []).map((member) => member.children?.[0]?.value as string);
  const place = after === undefined ? -1 : keys.indexOf(after);
  const index = place < 0 ? keys.length : place + 1;
  return addElement(text, owner, index, (style) => `${JSON.stringify(key)}:${style.space}${print(value, style)}`);
}

function addItem(text: string, owner: Node, index: number, value: Json | Written): string {
  return addElement(text, owner, Math.min(index, owner.children?.length ?? 0), (style) => print(value, style));
}

/** Adds an element to an object or array with brackets, laid out as what is around it. */
export function addElement(text: string, owner: Node, index: number, element: (style: Style) => string): string {
  const children = owner.children ?? [];
  const style = styleOf(text, owner);
  const separator = style.lines ? `\n${style.indent}` : style.space;
  const before = children[index - 1];
  const next = children[index];
  if (next && !before) return splice(text, next.offset, 0, `${element(style)},${separator}`);
  if (before) return splice(text, end(before), 0, `,${separator}${element(style)}`);
  const close = style.lines ? `\n${style.indent.slice(0, style.indent.length - style.unit.length)}` : "";
  return splice(text, owner.offset + 1, owner.length - 2, `${style.lines ? separator : ""}${element(style)}${close}`);
}

/** How what is put into an object or array is laid out. */
export interface Style {
  /** One line for each element. */
  lines: boolean;
  /** What each such line begins with. */
  indent: string;
  unit: string;
  /** After colons and, on one line, after commas. */
  space: string;
}

function styleOf(text: string, owner: Node): Style {
  const unit = unitOf(text);
  const space = /"\s*:\s/.test(text) || !text.includes(":") ? " " : "";
  const first = owner.children?.[0];
  if (first) {
    const lines = text.slice(owner.offset, first.offset).includes("\n");
    return { lines, indent: lines ? indentAt(text, first.offset) : "", unit, space };
  }
  return { lines: text.includes("\n"), indent: indentAt(text, owner.offset) + unit, unit, space };
}

/** One step of indentation: that of the first line that has some. */
function unitOf(text: string): string {
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";
}

function indentAt(text: string, offset: number): string {
  const line = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(line, offset))?.[0] ?? "";
}

function isOneLine(text: string, node: Node): boolean {
  const isEmpty = (node.children?.length ?? 0) === 0;
  return !isEmpty && !text.slice(node.offset, end(node)).includes("\n");
}

function printAt(text: string, offset: number, value: Json | Written, oneLine: boolean): string {
  const unit = unitOf(text);
  const space = /"\s*:\s/.test(text) || !text.includes(":") ? " " : "";
  return print(value, { lines: !oneLine && text.includes("\n"), indent: indentAt(text, offset), unit, space });
}

/** A value as text; `style.indent` is that of the line on which it begins. */
function print(value: Json | Written, style: Style): string {
  if (value instanceof Written) return value.text.replaceAll("\n", `\n${style.indent}`);
  if (!style.lines) return printLine(value, style.space);
  return JSON.stringify(value, null, style.unit).replaceAll("\n", `\n${style.indent}`);
}

function printLine(value: Json, space: string): string {
  if (Array.isArray(value)) return `[${value.map((item) => printLine(item, space)).join(`,${space}`)}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}:${space}${printLine(item, space)}`,
  );
  return `{${members.join(`,${space}`)}}`;
}

/** What stands in the owner's list of elements: the member of a value in an object, or the item itself. */
function elementOf(node: Node): Node {
  return node.parent?.type === "property" ? node.parent : node;
}

function end(node: Node): number {
  return node.offset + node.length;
}

function splice(text: string, offset: number, length: number, content: string): string {
  return text.slice(0, offset) + content + text.slice(offset + length);
}

/** The text of the value at a path, its lines moved to the left as far as the value's own first line stands. */
export function writtenAt(text: string, path: Path): string | undefined {
  const node = nodeAt(text, path);
  if (!node) return undefined;
  const indent = indentAt(text, node.offset);
  return text.slice(node.offset, end(node)).replaceAll(`\n${indent}`, "\n");
}
