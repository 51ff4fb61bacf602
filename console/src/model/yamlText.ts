/**
 * Edits of YAML as text: what is not touched keeps its spelling, its comments and its layout.
 *
 * The tree has the same nodes as that of JSON, so whatever reads definitions reads both. Values are put in and taken out
 * by lines; within brackets, as in JSON. A value that changes in part is changed in that part alone. Source: YAML 1.2,
 * core schema.
 */
import { findNodeAtLocation, type Node, type NodeType } from "jsonc-parser";
import { type Document, isAlias, isMap, isScalar, isSeq, type Pair, type Node as Parsed, parseDocument } from "yaml";
import * as json from "./jsonText";
import { type Json, type Path, Written } from "./jsonText";
import type { Notation, TextError } from "./text";

interface YamlNode {
  type: NodeType;
  offset: number;
  length: number;
  value?: unknown;
  /** An object or array within brackets. */
  isFlow?: boolean;
  /** A text that is spread over lines. */
  isSpread?: boolean;
  children?: YamlNode[];
  parent?: YamlNode;
}

/** Aliases are followed no deeper, and no further than to so many nodes: they may hold each other again and again. */
const NODES_MAX = 200_000;

interface Read {
  tree: YamlNode | undefined;
  errors: TextError[];
}

const TEXTS_MAX = 4;
const texts = new Map<string, Read>();

function read(text: string): Read {
  const known = texts.get(text);
  if (known) return known;
  const document = parseDocument(text, { keepSourceTokens: true, prettyErrors: false });
  const errors: TextError[] = document.errors.map(({ message, pos: [from, to] }) => ({
    message: `This is not YAML: ${message.split("\n")[0]}`,
    from: Math.min(from, text.length),
    to: Math.min(Math.max(to, from + 1), text.length),
  }));
  let tree: YamlNode | undefined;
  if (errors.length === 0 && document.contents) {
    const budget = { nodes: NODES_MAX };
    tree = nodeOf(document, document.contents, text, budget);
    if (budget.nodes <= 0) {
      errors.push({ message: "Its aliases make it too large", from: 0, to: 1 });
      tree = undefined;
    }
  }
  const result = { tree, errors };
  texts.set(text, result);
  for (const oldest of texts.keys()) if (texts.size > TEXTS_MAX) texts.delete(oldest);
  return result;
}

function nodeOf(document: Document.Parsed, parsed: Parsed | null, text: string, budget: { nodes: number }): YamlNode {
  const [from = 0, to = from] = parsed?.range ?? [];
  const node: YamlNode = { type: "null", offset: from, length: lengthOf(text, from, to), value: null };
  if (budget.nodes-- <= 0) return node;
  if (isAlias(parsed)) {
    const target = parsed.resolve(document);
    return target ? { ...nodeOf(document, target as Parsed, text, budget), offset: from, length: node.length } : node;
  }
  if (isMap(parsed)) {
    node.type = "object";
    node.isFlow = parsed.flow === true;
    node.children = (parsed.items as Pair<Parsed, Parsed | null>[]).map((pair) => {
      const key = nodeOf(document, pair.key, text, budget);
      const value = nodeOf(document, pair.value, text, budget);
      if (!pair.value?.range) value.offset = key.offset + key.length;
      const length = Math.max(key.length, value.offset + value.length - key.offset);
      const member: YamlNode = { type: "property", offset: key.offset, length, children: [key, value], parent: node };
      key.type = "string";
      key.value = String(key.value);
      key.parent = member;
      value.parent = member;
      return member;
    });
  } else if (isSeq(parsed)) {
    node.type = "array";
    node.isFlow = parsed.flow === true;
    node.children = parsed.items.map((item) => {
      const child = nodeOf(document, item as Parsed, text, budget);
      child.parent = node;
      return child;
    });
  } else if (isScalar(parsed)) {
    const { value } = parsed;
    node.value = typeof value === "bigint" ? Number(value) : value;
    node.type =
      typeof value === "string"
        ? "string"
        : typeof value === "number" || typeof value === "bigint"
          ? "number"
          : typeof value === "boolean"
            ? "boolean"
            : "null";
    node.isSpread = text.slice(from, from + node.length).includes("\n");
  }
  return node;
}

/** Without the blanks and lines behind it that a block takes in. */
function lengthOf(text: string, from: number, to: number): number {
  let end = to;
  while (end > from && /\s/.test(text[end - 1] ?? "")) end--;
  return end - from;
}

function nodeAt(text: string, path: Path): YamlNode | undefined {
  const { tree } = read(text);
  return tree && (findNodeAtLocation(tree, [...path]) as YamlNode | undefined);
}

const endOf = (node: YamlNode) => node.offset + node.length;

/** The place behind the line in which a place is, and what of it is a comment. */
function nextLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end + 1;
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

function columnOf(text: string, at: number): number {
  return at - lineStart(text, at);
}

/** One step of indentation. */
function unitOf(text: string): string {
  return /\n( +)[^\s#-]/.exec(text)?.[1] ?? "  ";
}

function splice(text: string, from: number, to: number, content: string): string {
  return text.slice(0, from) + content + text.slice(to);
}

/** A value to be put in: a tree over a text of its own, so that numbers keep their spelling. */
interface Given {
  node: Node;
  text: string;
}

function given(value: Json | Written): Given {
  const text = value instanceof Written ? value.text : JSON.stringify(value);
  const node = json.treeOf(text) ?? read(text).tree;
  if (!node) throw new Error("what is put into a text can be read");
  return { node, text };
}

function setValue(text: string, path: Path, value: Json | Written, after?: string): string {
  const node = nodeAt(text, path);
  if (node) return replace(text, path, node, value);
  const last = path.at(-1);
  const owner = nodeAt(text, path.slice(0, -1));
  if (owner?.type === "object" && typeof last === "string") return addMember(text, path, owner, last, value, after);
  if (owner?.type === "array" && typeof last === "number") return insertItem(text, path.slice(0, -1), last, value);
  return text;
}

function replace(text: string, path: Path, node: YamlNode, value: Json | Written): string {
  const put = given(value);
  const now = toValue(node);
  const then = toValue(put.node);
  if (spelling(node, text) === spelling(put.node, put.text)) return text;
  // In part, where both are objects, or arrays of one length: comments within stay.
  if (isObject(now) && isObject(then) && Object.keys(then).length > 0 && node.children?.length) {
    const removed = Object.keys(now).filter((key) => !Object.hasOwn(then, key));
    const less = removed.reduce((text, key) => removeAt(text, [...path, key]), text);
    return (put.node.children ?? []).reduce((text, member) => {
      const [key, item] = member.children ?? [];
      return key && item ? setValue(text, [...path, String(key.value)], partOf(put, item)) : text;
    }, less);
  }
  if (Array.isArray(now) && Array.isArray(then) && now.length === then.length && now.length > 0) {
    return (put.node.children ?? []).reduce(
      (text, item, index) => setValue(text, [...path, index], partOf(put, item)),
      text,
    );
  }
  const owner = node.parent;
  const isFlow = isInFlow(node);
  if (!owner) return `${block(put, "", unitOf(text), false).replace(/^\n/, "")}\n`;
  if (isFlow) return splice(text, node.offset, endOf(node), flow(put));
  const isMember = owner.type === "property";
  const begin = isMember ? colonOf(text, owner) + 1 : dashOf(text, node) + 1;
  const column = isMember ? columnOf(text, owner.offset) : columnOf(text, begin - 1);
  const indent = " ".repeat(column);
  const isLine = !node.isSpread && !(node.children?.length && !node.isFlow);
  const printed = block(put, indent, unitOf(text), !isMember);
  // A line for a line keeps what is around it, as a comment behind it.
  if (isLine && node.length > 0 && !printed.includes("\n"))
    return splice(text, node.offset, endOf(node), printed.trimStart());
  return splice(text, begin, Math.max(begin, endOf(node)), printed);
}

function partOf(put: Given, node: Node): Written {
  return new Written(spelling(node, put.text));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function toValue(node: Node): unknown {
  if (node.type === "object")
    return Object.fromEntries(
      (node.children ?? []).map(({ children: [key, value] = [] }) => [key?.value, value && toValue(value)]),
    );
  if (node.type === "array") return (node.children ?? []).map(toValue);
  return node.value;
}

function isInFlow(node: YamlNode): boolean {
  for (let at = node.parent; at; at = at.parent) if (at.isFlow) return true;
  return false;
}

/** Where the colon of a member is. */
function colonOf(text: string, member: YamlNode): number {
  const [key] = member.children ?? [];
  return text.indexOf(":", key ? endOf(key) : member.offset);
}

/** Where the dash of an item is. */
function dashOf(text: string, item: YamlNode): number {
  return text.lastIndexOf("-", item.offset - 1);
}

function addMember(
  text: string,
  path: Path,
  owner: YamlNode,
  key: string,
  value: Json | Written,
  after: string | undefined,
): string {
  const put = given(value);
  const members = owner.children ?? [];
  const place = members.findIndex((member) => member.children?.[0]?.value === after);
  const index = after === undefined || place < 0 ? members.length : place + 1;
  if (members.length === 0 && !isInFlow(owner)) return fill(text, path.slice(0, -1), owner, { [key]: 0 }, path, value);
  if (owner.isFlow || isInFlow(owner)) return json.addElement(text, owner, index, () => `${scalar(key)}: ${flow(put)}`);
  const before = members[index - 1];
  if (!before) return text;
  const indent = " ".repeat(columnOf(text, before.offset));
  const line = `${indent}${scalar(key)}:${block(put, indent, unitOf(text), false)}\n`;
  return putLine(text, nextLine(text, endOf(before)), line);
}

/** Puts something into an object or array that is empty, and so stands in brackets or is missing. */
function fill(text: string, path: Path, owner: YamlNode, frame: Json, inner: Path, value: Json | Written): string {
  const member = owner.parent;
  if (!member) {
    const put = given(value);
    const key = scalar(String(inner.at(-1)));
    return splice(text, owner.offset, endOf(owner), `${key}:${block(put, "", unitOf(text), false)}`);
  }
  const begin = member.type === "property" ? colonOf(text, member) + 1 : dashOf(text, owner) + 1;
  const column = member.type === "property" ? columnOf(text, member.offset) : columnOf(text, begin - 1);
  const framed = block(given(frame), " ".repeat(column), unitOf(text), member.type !== "property");
  const made = splice(text, begin, Math.max(begin, endOf(owner)), framed);
  return nodeAt(made, path) ? setValue(made, inner, value) : text;
}

/** Puts lines in; the text before them may lack its last line end. */
function putLine(text: string, at: number, line: string): string {
  const isOpen = at > 0 && text[at - 1] !== "\n";
  return splice(text, at, at, isOpen ? `\n${line.slice(0, -1)}` : line);
}

function insertItem(text: string, path: Path, index: number, value: Json | Written): string {
  const owner = nodeAt(text, path);
  if (owner?.type !== "array") return text;
  const items = owner.children ?? [];
  if (items.length === 0 && !isInFlow(owner)) return fill(text, path, owner, [0], [...path, 0], value);
  const put = given(value);
  if (owner.isFlow || isInFlow(owner))
    return json.addElement(text, owner, Math.min(index, items.length), () => flow(put));
  const [first] = items;
  if (!first) return text;
  const indent = " ".repeat(columnOf(text, dashOf(text, first)));
  const line = `${indent}-${block(put, indent, unitOf(text), true)}\n`;
  const next = items[index];
  const last = items.at(-1);
  // Before the first, the dash may stand behind another one.
  if (next && text.slice(lineStart(text, next.offset), dashOf(text, next)).trim() === "")
    return splice(text, lineStart(text, dashOf(text, next)), lineStart(text, dashOf(text, next)), line);
  return last ? putLine(text, nextLine(text, endOf(last)), line) : text;
}

function removeAt(text: string, path: Path): string {
  const node = nodeAt(text, path);
  const owner = nodeAt(text, path.slice(0, -1));
  if (!node || !owner) return text;
  const element = node.parent?.type === "property" ? node.parent : node;
  if (owner.isFlow || isInFlow(owner)) return json.cut(text, owner, element);
  if (owner.children?.length === 1) return emptied(text, owner);
  const start = element.type === "property" ? element.offset : dashOf(text, element);
  const begin = lineStart(text, start);
  const end = nextLine(text, Math.max(start, endOf(element)));
  if (text.slice(begin, start).trim() === "") {
    // The last line of a text without a line end takes the one before it along.
    return end === text.length && text[end - 1] !== "\n"
      ? splice(text, Math.max(0, begin - 1), end, "")
      : splice(text, begin, end, "");
  }
  // It begins behind the dash of an item: the next one moves there.
  const next = owner.children?.find((child) => child.offset > element.offset);
  return next ? splice(text, start, next.offset, "") : text;
}

/** An object or array of lines whose only element goes. */
function emptied(text: string, owner: YamlNode): string {
  const brackets = owner.type === "object" ? "{}" : "[]";
  const member = owner.parent;
  if (!member) return `${brackets}\n`;
  const begin = member.type === "property" ? colonOf(text, member) + 1 : dashOf(text, owner) + 1;
  return splice(text, begin, endOf(owner), ` ${brackets}`);
}

function replaceMember(text: string, path: Path, key: string, value?: Json): string {
  const member = nodeAt(text, path)?.parent;
  const [old] = member?.children ?? [];
  if (!old) return text;
  const renamed = splice(text, old.offset, endOf(old), scalar(key));
  return value === undefined ? renamed : setValue(renamed, [...path.slice(0, -1), key], value);
}

function writtenAt(text: string, path: Path): string | undefined {
  const node = nodeAt(text, path);
  if (!node) return undefined;
  // What is spread over lines hangs on the indentation around it.
  if (node.isSpread) return JSON.stringify(node.value);
  const indent = " ".repeat(columnOf(text, node.offset));
  return text.slice(node.offset, endOf(node)).replaceAll(`\n${indent}`, "\n");
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/;

/** A value as JSON on one line, numbers spelled as they are. */
function spelling(node: Node, text: string): string {
  switch (node.type) {
    case "object": {
      const members = (node.children ?? []).map(({ children: [key, value] = [] }) => {
        return `${JSON.stringify(String(key?.value))}: ${value ? spelling(value, text) : "null"}`;
      });
      return `{${members.join(", ")}}`;
    }
    case "array":
      return `[${(node.children ?? []).map((item) => spelling(item, text)).join(", ")}]`;
    case "number": {
      const written = text.slice(node.offset, node.offset + node.length);
      return NUMBER.test(written) ? written : (JSON.stringify(node.value) ?? "null");
    }
    default:
      return JSON.stringify(node.value ?? null);
  }
}

function toJson(text: string): string | undefined {
  const { tree } = read(text);
  return tree && pretty(tree, text, "");
}

function pretty(node: Node, text: string, indent: string): string {
  const inner = `${indent}  `;
  const items = node.children ?? [];
  if (node.type === "object" && items.length > 0) {
    const members = items.map(({ children: [key, value] = [] }) => {
      return `${inner}${JSON.stringify(String(key?.value))}: ${value ? pretty(value, text, inner) : "null"}`;
    });
    return `{\n${members.join(",\n")}\n${indent}}`;
  }
  if (node.type === "array" && items.some((item) => item.children?.length)) {
    return `[\n${items.map((item) => inner + pretty(item, text, inner)).join(",\n")}\n${indent}]`;
  }
  return spelling(node, text);
}

/** A value on one line, as it may stand within brackets. */
function flow({ node, text }: Given): string {
  return spelling(node, text);
}

/**
 * A value as it stands behind a colon or, `inItem`, behind a dash: on the same line with a blank before it, or on lines of
 * its own, without the last line end. `indent`: of the line with the colon or the dash.
 */
function block(put: Given, indent: string, unit: string, inItem: boolean): string {
  // Written in YAML, it keeps its comments.
  const isOwn = put.node.children?.length && !(put.node as YamlNode).isFlow && !/^\s*[{[]/.test(put.text);
  const deeper = inItem ? `${indent}  ` : indent + unit;
  if (isOwn && put.node.offset === put.text.length - put.text.trimStart().length) {
    const lines = put.text.trim().split("\n");
    const moved = lines.map((line, index) => (line === "" || (index === 0 && inItem) ? line : deeper + line));
    return inItem ? ` ${moved.join("\n")}` : `\n${moved.join("\n")}`;
  }
  const { node } = put;
  const items = node.children ?? [];
  if (node.type === "object" && items.length > 0) {
    const members = items.map(({ children: [key, value] = [] }) => {
      const behind = value ? block({ node: value, text: put.text }, deeper, unit, false) : "";
      return `${scalar(String(key?.value))}:${behind}`;
    });
    return `${inItem ? " " : `\n${deeper}`}${members.join(`\n${deeper}`)}`;
  }
  if (node.type === "array" && items.length > 0) {
    const lines = items.map((item) => `-${block({ node: item, text: put.text }, deeper, unit, true)}`);
    return `${inItem ? " " : `\n${deeper}`}${lines.join(`\n${deeper}`)}`;
  }
  if (node.type === "string") return ` ${textOf(String(node.value), deeper)}`;
  return ` ${spelling(node, put.text)}`;
}

/** A text as a scalar; several lines as a literal block, where they can be. */
function textOf(value: string, indent: string): string {
  const body = value.replace(/\n$/, "");
  const lines = body.split("\n");
  const isLiteral =
    lines.length > 1 &&
    !/^[ \n]|\n$|[ \t](\n|$)/.test(body) &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these cannot stand in a literal block
    !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(value);
  if (!isLiteral) return scalar(value);
  return `|${body === value ? "-" : ""}\n${lines.map((line) => (line === "" ? "" : indent + line)).join("\n")}`;
}

/** What YAML takes for something else than a text, or might in an older version. */
const OTHERWISE = /^(true|false|null|yes|no|on|off|y|n|~)$/i;
const PLAIN = /^[A-Za-z_$][\w $./()@+,:=*%?!<>|&[\]{}'-]*$/;

/** A text on one line: plain where that means the same everywhere, else in quotes. */
function scalar(value: string): string {
  const isPlain =
    PLAIN.test(value) && !OTHERWISE.test(value) && !/: |:$| $|[[\]{},&*!|>%'?]/.test(value) && value.length < 200;
  return isPlain ? value : JSON.stringify(value);
}

function fromJson(text: string): string {
  const node = json.treeOf(text);
  if (!node) return text;
  return `${block({ node, text }, "", "  ", false).replace(/^\n/, "").replaceAll(/^ {2}/gm, "")}\n`;
}

export const YAML: Notation = {
  treeOf: (text) => read(text).tree,
  errorsOf: (text) => {
    const { errors, tree } = read(text);
    return errors.length === 0 && tree?.type !== "object"
      ? [{ message: "A definition in YAML is an object: StartAt, States…", from: 0, to: Math.min(1, text.length) }]
      : errors;
  },
  setValue,
  removeAt,
  replaceMember,
  insertItem,
  writtenAt,
  toJson,
  fromJson,
};
