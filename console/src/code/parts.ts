/** What the code editor and the fields for expressions share: colours, expressions within texts, completion. */
import { autocompletion, type Completion as Offer, startCompletion } from "@codemirror/autocomplete";
import { HighlightStyle } from "@codemirror/language";
import { Annotation, type Extension } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  EditorView,
  MatchDecorator,
  ViewPlugin,
  type ViewUpdate,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Completion, Option } from "../editor/complete";

/** Marks changes that follow the text outside, which must not be told back to it. */
export const fromOutside = Annotation.define<boolean>();

/** What can be written at a place of a text. */
export type Completer = (text: string, caret: number) => Completion | undefined;

/** Completion while one types, and by Ctrl+Space. */
export function completing(completer: Completer): Extension {
  return autocompletion({
    icons: false,
    override: [
      ({ state, pos, explicit }) => {
        const found = completer(state.doc.toString(), pos);
        if (!found || (found.from === pos && !explicit && !/[.$"{ ]/.test(state.sliceDoc(pos - 1, pos)))) return null;
        return { from: found.from, options: found.options.map(offer), validFor: /^[$\w]*$/ };
      },
    ],
  });
}

function offer({ label, apply, kind, detail, says }: Option): Offer {
  const isOpen = kind === "function" || label === "$states";
  return {
    label,
    type: kind,
    detail,
    ...(says === undefined ? {} : { info: says }),
    apply: (view, _, from, to) => {
      const insert = label === "$states" ? "$states." : (apply ?? label);
      view.dispatch({
        changes: { from, to, insert },
        selection: { anchor: from + insert.length },
        userEvent: "input.complete",
      });
      if (isOpen) startCompletion(view);
    },
  };
}

/** The smallest change that turns one text into the other: carets and folds elsewhere stay. */
export function difference(before: string, after: string): { from: number; to: number; insert: string } | undefined {
  if (before === after) return undefined;
  let from = 0;
  while (from < before.length && before[from] === after[from]) from++;
  let end = 0;
  const most = Math.min(before.length, after.length) - from;
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  return { from, to: before.length - end, insert: after.slice(from, after.length - end) };
}

export function look(dark: boolean): Extension {
  const selection = dark ? "#2a4a6b" : "#cfe4fb";
  return EditorView.theme(
    {
      "&": { backgroundColor: "var(--paper)", color: "var(--ink)", fontSize: "13px" },
      ".cm-scroller": { fontFamily: "inherit" },
      ".cm-gutters": { backgroundColor: "var(--paper-2)", color: "var(--ink-2)", border: "none" },
      ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: dark ? "#ffffff10" : "#00000008" },
      ".cm-content": { caretColor: "var(--ink)" },
      "&.cm-focused .cm-selectionBackground, .cm-selectionBackground, ::selection": { backgroundColor: selection },
      ".cm-expr, .cm-expr span": { color: "var(--ink)" },
      ".cm-expr .cm-var": { color: "var(--choice)", fontWeight: "bold" },
      ".cm-expr .cm-fn": { color: "var(--task)" },
      ".cm-expr .cm-text": { color: "var(--ok)" },
      ".cm-expr .cm-num": { color: "var(--wait)" },
      ".cm-expr .cm-word, .cm-expr .cm-mark": { color: "var(--flow)", fontWeight: "bold" },
      ".cm-tooltip": { backgroundColor: "var(--paper)", color: "var(--ink)", border: "1px solid var(--line)" },
      ".cm-tooltip-autocomplete > ul > li": { display: "flex", gap: "12px", padding: "2px 8px" },
      ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--paper)" },
      ".cm-completionDetail": { marginInlineStart: "auto", fontStyle: "normal", color: "var(--ink-2)" },
      "li[aria-selected] .cm-completionDetail": { color: "var(--paper)" },
      ".cm-diagnosticAction": { backgroundColor: "var(--accent)", color: "var(--paper)", borderRadius: "4px" },
    },
    { dark },
  );
}

/** JSONata within strings, and what in it has a colour of its own. */
const EXPRESSION = /\{%(?:[^"\\]|\\.)*?%\}/g;
const PARTS =
  /(\$[A-Za-z_]\w*)(?=\s*\()|(\$+[A-Za-z_]*\w*)|('(?:[^'\\]|\\.)*')|(\b\d+(?:\.\d+)?\b)|(\{%|%\})|\b(and|or|in|true|false|null|function)\b/g;
const CLASSES = ["cm-fn", "cm-var", "cm-text", "cm-num", "cm-mark", "cm-word"];

const decorator = new MatchDecorator({
  regexp: EXPRESSION,
  decorate: (add, from, to, [text = ""]) => {
    add(from, to, Decoration.mark({ class: "cm-expr" }));
    for (const part of text.matchAll(PARTS)) {
      const name = CLASSES[part.slice(1).findIndex((group) => group !== undefined)];
      if (name) add(from + part.index, from + part.index + part[0].length, Decoration.mark({ class: name }));
    }
  },
});

export const expressions = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = decorator.createDeco(view);
    }
    update(update: ViewUpdate) {
      this.decorations = decorator.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

export const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--task)" },
  { tag: tags.string, color: "var(--ok)" },
  { tag: tags.number, color: "var(--wait)" },
  { tag: [tags.bool, tags.null], color: "var(--choice)" },
]);
