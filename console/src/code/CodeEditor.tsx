import { autocompletion, closeBrackets } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, linter, lintGutter, setDiagnostics } from "@codemirror/lint";
import { searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, Prec } from "@codemirror/state";
import { EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { useLook } from "../app/look";
import { notationOf } from "../model/text";
import { COLOURS, type Completer, completing, difference, expressions, fromOutside, look } from "./parts";

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
  /** What can be written at the caret. */
  completer?: Completer;
}

/** JSON or YAML as text. */
export default function CodeEditor(props: CodeEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const dark = useLook((look) => look.dark);
  const theme = useRef(new Compartment());
  const grammar = useRef(new Compartment());
  const notation = notationOf(props.text);

  // The view is made once; what changes is told to it below.
  useEffect(() => {
    if (!host.current) return;
    const made = new EditorView({ parent: host.current, state: stateOf(latest, theme.current, grammar.current) });
    // Whoever uses the keyboard alone must be able to scroll.
    made.scrollDOM.tabIndex = 0;
    view.current = made;
    return () => made.destroy();
  }, []);

  useEffect(() => {
    view.current?.dispatch({ effects: theme.current.reconfigure(look(dark)) });
  }, [dark]);

  useEffect(() => {
    view.current?.dispatch({ effects: grammar.current.reconfigure(notation === "JSON" ? json() : yaml()) });
  }, [notation]);

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

function stateOf(latest: { current: CodeEditorProps }, theme: Compartment, grammar: Compartment): EditorState {
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
    latest.current.completer ? completing((text, caret) => latest.current.completer?.(text, caret)) : autocompletion(),
    grammar.of(notationOf(text) === "JSON" ? json() : yaml()),
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
