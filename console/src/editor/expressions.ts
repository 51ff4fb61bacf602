/**
 * The expressions within a field's text, which is JSON or bare text: what is completed at the caret, what is previewed.
 *
 * In JSONata a string is an expression if it stands in `{% %}`; in JSONPath what a member whose name ends in `.$` holds,
 * and the whole of a field that is a path.
 */
import type { Node } from "jsonc-parser";
import type { QueryLanguage } from "../model/definition";
import { treeOf } from "../model/jsonText";
import type { Json } from "../model/text";

export interface Expression {
  /** Without delimiters. */
  text: string;
  /** Where in the field's text it stands as it is written there, delimiters left out. */
  from: number;
  to: number;
}

/** How a field's text is to be read. */
export type FieldSyntax = "json" | "text" | "path";

/** An expression of the field, up to a bound. */
const EXPRESSIONS_MAX = 30;

/** All expressions in a field's text, in their order. */
export function expressionsIn(text: string, syntax: FieldSyntax, language: QueryLanguage): Expression[] {
  if (syntax === "path" && language === "JSONPath") return text === "" ? [] : [{ text, from: 0, to: text.length }];
  if (syntax !== "json") return delimited(text, 0);
  const tree = treeOf(text);
  if (!tree) return [];
  const found: Expression[] = [];
  collect(tree, text, language, found);
  return found.slice(0, EXPRESSIONS_MAX);
}

function collect(node: Node, text: string, language: QueryLanguage, found: Expression[]) {
  if (node.type === "string") {
    const written = text.slice(node.offset + 1, node.offset + node.length - 1);
    if (language === "JSONata") found.push(...delimited(written, node.offset + 1));
    else if (isPathMember(node))
      found.push({ text: unescaped(written), from: node.offset + 1, to: node.offset + node.length - 1 });
    return;
  }
  const inner = node.type === "property" ? node.children?.slice(1) : node.children;
  for (const child of inner ?? []) collect(child, text, language, found);
}

function isPathMember(node: Node): boolean {
  return node.parent?.type === "property" && String(node.parent.children?.[0]?.value).endsWith(".$");
}

function delimited(text: string, offset: number): Expression[] {
  const whole = /^(\s*\{%)([\s\S]*?)(%\}\s*)$/.exec(text);
  if (!whole) return [];
  const [, open = "", inside = ""] = whole;
  return [{ text: unescaped(inside), from: offset + open.length, to: offset + open.length + inside.length }];
}

function unescaped(written: string): string {
  if (!written.includes("\\")) return written;
  try {
    return JSON.parse(`"${written}"`) as string;
  } catch {
    return written;
  }
}

/** The expression that is being written at the caret, up to it; it need not be closed, nor the JSON around it whole. */
export function writtenBefore(
  text: string,
  caret: number,
  syntax: FieldSyntax,
  language: QueryLanguage,
): { text: string; from: number } | undefined {
  const before = text.slice(0, caret);
  if (syntax === "path" && language === "JSONPath") return { text: before, from: 0 };
  if (language === "JSONata") {
    const open = before.lastIndexOf("{%");
    if (open < 0 || before.indexOf("%}", open) >= 0) return undefined;
    return { text: before.slice(open + 2), from: open + 2 };
  }
  const member = /"(?:[^"\\]|\\.)*\.\$"\s*:\s*"((?:[^"\\]|\\.)*)$/.exec(before);
  return member ? { text: member[1] ?? "", from: before.length - (member[1] ?? "").length } : undefined;
}

/**
 * The value of a whole field, with each expression replaced by what it gave; members lose their `.$`. `undefined` for
 * one that has none.
 */
export function assembled(
  text: string,
  syntax: FieldSyntax,
  language: QueryLanguage,
  valueBy: (expression: string) => Json | undefined,
): Json | undefined {
  if (syntax !== "json") {
    const [only] = expressionsIn(text, syntax, language);
    return only ? valueBy(only.text.trim()) : undefined;
  }
  const tree = treeOf(text);
  return tree && put(tree, text, language, valueBy);
}

function put(
  node: Node,
  text: string,
  language: QueryLanguage,
  valueBy: (expression: string) => Json | undefined,
): Json | undefined {
  const own: Expression[] = [];
  if (node.type === "string") collect(node, text, language, own);
  if (own[0]) return valueBy(own[0].text.trim());
  if (node.type === "array") return (node.children ?? []).map((child) => put(child, text, language, valueBy) ?? null);
  if (node.type === "object") {
    const members = (node.children ?? []).flatMap((member): [string, Json][] => {
      const [key, value] = member.children ?? [];
      const name = String(key?.value ?? "");
      const given = value && put(value, text, language, valueBy);
      return given === undefined ? [] : [[language === "JSONPath" ? name.replace(/\.\$$/, "") : name, given]];
    });
    return Object.fromEntries(members);
  }
  return (node.value ?? null) as Json;
}
