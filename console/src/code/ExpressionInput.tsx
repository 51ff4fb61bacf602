import { closeBrackets } from "@codemirror/autocomplete";
import { defaultKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { useLook } from "../app/look";
import { COLOURS, type Completer, completing, difference, expressions, fromOutside, look } from "./parts";

export interface ExpressionInputProps {
  text: string;
  label: string;
  /** One line alone. */
  isLine: boolean;
  isInvalid: boolean;
  /** Of the text, what is wrong. */
  wrong: readonly { from: number; to: number; message: string }[];
  completer: Completer;
  onChange: (text: string) => void;
  undo: () => void;
  redo: () => void;
}

/** A field for JSON with expressions, or for one expression: with colours, completion, and its errors marked. */
export default function ExpressionInput(props: ExpressionInputProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const dark = useLook((look) => look.dark);
  const theme = useRef(new Compartment());
  const marks = useRef(new Compartment());

  // The view is made once; what changes is told to it below.
  useEffect(() => {
    if (!host.current) return;
    const { text, isLine } = latest.current;
    const run = (what: "undo" | "redo") => () => {
      latest.current[what]();
      return true;
    };
    const state = EditorState.create({
      doc: text,
      extensions: [
        completing((text, caret) => latest.current.completer(text, caret)),
        closeBrackets(),
        bracketMatching(),
        isLine ? EditorState.transactionFilter.of((change) => (change.newDoc.lines > 1 ? [] : change)) : json(),
        syntaxHighlighting(COLOURS),
        expressions,
        theme.current.of(look(useLook.getState().dark)),
        marks.current.of([]),
        EditorState.tabSize.of(2),
        EditorView.lineWrapping,
        placeholder("–"),
        Prec.highest(
          keymap.of([
            { key: "Mod-z", run: run("undo"), preventDefault: true },
            { key: "Mod-y", run: run("redo"), preventDefault: true },
            { key: "Mod-Shift-z", run: run("redo"), preventDefault: true },
          ]),
        ),
        keymap.of(defaultKeymap),
        EditorView.updateListener.of((update) => {
          if (update.transactions.some((transaction) => transaction.annotation(fromOutside))) return;
          if (update.docChanged) latest.current.onChange(update.state.doc.toString());
        }),
      ],
    });
    const made = new EditorView({ parent: host.current, state });
    view.current = made;
    return () => made.destroy();
  }, []);

  useEffect(() => {
    view.current?.dispatch({ effects: theme.current.reconfigure(look(dark)) });
  }, [dark]);

  const { text, label, isInvalid, wrong } = props;
  useEffect(() => {
    const attributes = { "aria-label": label, "aria-invalid": String(isInvalid) };
    view.current?.dispatch({ effects: marks.current.reconfigure(EditorView.contentAttributes.of(attributes)) });
  }, [label, isInvalid]);

  useEffect(() => {
    const editor = view.current;
    const change = editor && difference(editor.state.doc.toString(), text);
    if (change) editor.dispatch({ changes: change, annotations: fromOutside.of(true) });
  }, [text]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const fits = wrong.filter(({ to }) => to <= editor.state.doc.length);
    editor.dispatch(
      setDiagnostics(
        editor.state,
        fits.map((place) => ({ ...place, severity: "error" as const })),
      ),
    );
  }, [wrong]);

  return <div className={`expression mono${isInvalid ? " is-invalid" : ""}`} ref={host} />;
}
