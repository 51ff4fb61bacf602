/**
 * A definition's text, in whichever notation it is: read as a tree, and edited in the smallest way.
 *
 * Which notation a text is in, it tells itself: what begins with a brace or a bracket is JSON, the rest is YAML. The
 * reader of YAML is loaded when the first such text is opened ({@link learnYaml}); until then YAML cannot be read.
 */
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import type { Json, Path, Written } from "./jsonText";
import * as json from "./jsonText";

export { type Json, type Path, Written } from "./jsonText";

/** What is wrong with a text as such. */
export interface TextError {
  message: string;
  from: number;
  to: number;
}

/** What a notation can do; each function does nothing where a path leads nowhere. */
export interface Notation {
  treeOf: (text: string) => Node | undefined;
  errorsOf: (text: string) => TextError[];
  setValue: (text: string, path: Path, value: Json | Written, after?: string) => string;
  removeAt: (text: string, path: Path) => string;
  replaceMember: (text: string, path: Path, key: string, value?: Json) => string;
  insertItem: (text: string, path: Path, index: number, value: Json | Written) => string;
  writtenAt: (text: string, path: Path) => string | undefined;
  /** The same in JSON, numbers spelled as they are; `undefined` if it cannot be read. */
  toJson: (text: string) => string | undefined;
  /** What is JSON, in this notation. */
  fromJson: (text: string) => string;
}

export type NotationName = "JSON" | "YAML";

export function notationOf(text: string): NotationName {
  return /^\s*([{[]|$)/.test(text) ? "JSON" : "YAML";
}

const JSON_NOTATION: Notation = {
  ...json,
  errorsOf: (text) => {
    const errors: ParseError[] = [];
    parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
    return errors.map(({ error, offset, length }) => ({
      message: `This is not JSON: ${printParseErrorCode(error)}`,
      from: Math.min(offset, text.length),
      to: Math.min(offset + Math.max(1, length), text.length),
    }));
  },
  toJson: (text) => text,
  fromJson: (text) => text,
};

const UNREAD: Notation = {
  treeOf: () => undefined,
  errorsOf: () => [],
  setValue: (text) => text,
  removeAt: (text) => text,
  replaceMember: (text) => text,
  insertItem: (text) => text,
  writtenAt: () => undefined,
  toJson: () => undefined,
  fromJson: (text) => text,
};

const notations: Record<NotationName, Notation> = { JSON: JSON_NOTATION, YAML: UNREAD };

export function learnYaml(yaml: Notation) {
  notations.YAML = yaml;
}

export function notation(name: NotationName): Notation {
  return notations[name];
}

const of = (text: string) => notations[notationOf(text)];

/** The tree of a text without errors, with places in it; `undefined` if it has some. */
export function treeOf(text: string): Node | undefined {
  return of(text).treeOf(text);
}

export function errorsOf(text: string): TextError[] {
  return of(text).errorsOf(text);
}

export function nodeAt(text: string, path: Path): Node | undefined {
  const tree = treeOf(text);
  return tree && findNodeAtLocation(tree, [...path]);
}

/** Sets the value at `path`, adding the last step of the path if it is missing, behind the member `after` if told. */
export function setValue(text: string, path: Path, value: Json | Written, after?: string): string {
  return of(text).setValue(text, path, value, after);
}

/** As {@link setValue}, making the objects on the way that are missing. */
export function setDeep(text: string, path: Path, value: Json | Written): string {
  let missing = path.length;
  while (missing > 1 && !nodeAt(text, path.slice(0, missing - 1))) missing--;
  if (missing === path.length) return setValue(text, path, value);
  if (path.slice(missing).some((step) => typeof step === "number")) return text;
  const made = setValue(text, path.slice(0, missing), {});
  return setDeep(made, path, value);
}

/** Takes the member or item at `path` away, with what separates it from others. */
export function removeAt(text: string, path: Path): string {
  return of(text).removeAt(text, path);
}

/** As {@link removeAt}, with the objects around it that are empty then, but not those of the first `kept` steps. */
export function removeDeep(text: string, path: Path, kept: number): string {
  const owner = nodeAt(text, path.slice(0, -1));
  const isAlone = path.length - 1 > kept && owner?.type === "object" && owner.children?.length === 1;
  return isAlone && nodeAt(text, path) ? removeDeep(text, path.slice(0, -1), kept) : removeAt(text, path);
}

/** Gives the member at `path` another key and, if told, another value, in its place. */
export function replaceMember(text: string, path: Path, key: string, value?: Json): string {
  return of(text).replaceMember(text, path, key, value);
}

/** Adds an item before the one at `index`, or at the end. */
export function insertItem(text: string, path: Path, index: number, value: Json | Written): string {
  return of(text).insertItem(text, path, index, value);
}

/** The text of the value at a path, its lines moved to the left as far as its first line stands. */
export function writtenAt(text: string, path: Path): string | undefined {
  return of(text).writtenAt(text, path);
}

/** The value at a path as JSON, numbers spelled as they are. */
export function jsonAt(text: string, path: Path): string | undefined {
  const written = writtenAt(text, path);
  return written === undefined ? undefined : toJson(written, notationOf(text));
}

/** A text as JSON, which is what servers are told; `undefined` if it cannot be read. */
export function toJson(text: string, name: NotationName = notationOf(text)): string | undefined {
  return notations[name].toJson(text);
}
