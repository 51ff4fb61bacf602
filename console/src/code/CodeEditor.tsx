import { autocompletion, closeBrackets } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { bracketMatching, foldGutter, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, linter, lintGutter, setDiagnostics } from "@codemirror/lint";
import { searchKeymap } from "@codemirror/search";
import { Annotation, Compartment, EditorState, type Extension, Prec } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
  MatchDecorator,
  ViewPlugin,
  type ViewUpdate,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import { useLook } from "../app/look";

/** Marks changes that follow the text outside, which must not be told back to it. */
const fromOutside = Annotation.define<boolean>();

export interface CodeEditorProps {
  text: string;
  label: string;
  onChange?: (text: string) => void;
  /** Where the caret was put by hand. */
  onCaret?: (offset: number) => void;
  /** Undo and redo are somebody else's: the editor then has no history of its own. */
  history?: { undo: () => void; redo: () => void };
  diagnostics?: readonly Diagnostic[];
  /** A range to show and mark; a new object shows it again. */
  reveal?: { from: number; to: number } | undefined;
  readOnly?: boolean;
}

/** JSON as text. */
export default function CodeEditor(props: CodeEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const dark = useLook((look) => look.dark);
  const theme = useRef(new Compartment());

  // The view is made once; what changes is told to it below.
  useEffect(() => {
    if (!host.current) return;
    const made = new EditorView({ parent: host.current, state: stateOf(latest, theme.current) });
    // Whoever uses the keyboard alone must be able to scroll.
    made.scrollDOM.tabIndex = 0;
    view.current = made;
    return () => made.destroy();
  }, []);

  useEffect(() => {
    view.current?.dispatch({ effects: theme.current.reconfigure(look(dark)) });
  }, [dark]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const change = difference(editor.state.doc.toString(), props.text);
    if (change) editor.dispatch({ changes: change, annotations: fromOutside.of(true) });
  }, [props.text]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || !props.diagnostics) return;
    const length = editor.state.doc.length;
    const fits = props.diagnostics.filter((diagnostic) => diagnostic.to <= length);
    editor.dispatch(setDiagnostics(editor.state, fits));
  }, [props.diagnostics]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || !props.reveal || props.reveal.from > editor.state.doc.length) return;
    editor.dispatch({
      selection: { anchor: props.reveal.from },
      effects: EditorView.scrollIntoView(props.reveal.from, { y: "start", yMargin: 40 }),
      annotations: fromOutside.of(true),
    });
  }, [props.reveal]);

  return <div className="code mono" ref={host} />;
}

function stateOf(latest: { current: CodeEditorProps }, theme: Compartment): EditorState {
  const { text, label, readOnly, history: others, diagnostics } = latest.current;
  const run = (step: "undo" | "redo") => () => {
    latest.current.history?.[step]();
    return true;
  };
  const extensions: Extension[] = [
    lineNumbers(),
    foldGutter(),
    highlightActiveLine(),
    bracketMatching(),
    closeBrackets(),
    indentOnInput(),
    autocompletion(),
    json(),
    syntaxHighlighting(COLOURS),
    expressions,
    lintGutter(),
    // Where others find the problems, the grammar's own would come twice.
    diagnostics ? [] : linter(jsonParseLinter(), { delay: 300 }),
    theme.of(look(useLook.getState().dark)),
    EditorState.tabSize.of(2),
    EditorState.readOnly.of(readOnly ?? false),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ "aria-label": label }),
    others
      ? Prec.highest(
          keymap.of([
            { key: "Mod-z", run: run("undo"), preventDefault: true },
            { key: "Mod-y", run: run("redo"), preventDefault: true },
            { key: "Mod-Shift-z", run: run("redo"), preventDefault: true },
          ]),
        )
      : [history(), keymap.of(historyKeymap)],
    keymap.of([...defaultKeymap, ...searchKeymap, indentWithTab]),
    EditorView.updateListener.of((update) => {
      if (update.transactions.some((transaction) => transaction.annotation(fromOutside))) return;
      if (update.docChanged) latest.current.onChange?.(update.state.doc.toString());
      if (update.selectionSet) latest.current.onCaret?.(update.state.selection.main.head);
    }),
  ];
  return EditorState.create({ doc: text, extensions });
}

/** The smallest change that turns one text into the other: carets and folds elsewhere stay. */
function difference(before: string, after: string): { from: number; to: number; insert: string } | undefined {
  if (before === after) return undefined;
  let from = 0;
  while (from < before.length && before[from] === after[from]) from++;
  let end = 0;
  const most = Math.min(before.length, after.length) - from;
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  return { from, to: before.length - end, insert: after.slice(from, after.length - end) };
}

function look(dark: boolean): Extension {
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

const expressions = ViewPlugin.fromClass(
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

const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--task)" },
  { tag: tags.string, color: "var(--ok)" },
  { tag: tags.number, color: "var(--wait)" },
  { tag: [tags.bool, tags.null], color: "var(--choice)" },
]);
