import FormField from "@cloudscape-design/components/form-field";
import { lazy, type ReactNode, Suspense, useMemo, useState } from "react";
import type { QueryLanguage } from "../model/definition";
import { type Completion, complete, type Data } from "./complete";
import { useTools } from "./context";
import type { DesignData } from "./designData";
import { type FieldSyntax, writtenBefore } from "./expressions";
import { type Preview, usePreview } from "./preview";

const ExpressionInput = lazy(() => import("../code/ExpressionInput"));

const NOTHING: Data = { input: {}, context: {}, variables: {} };

/** A field for expressions: completed from real data, and shown with what it gives now. */
export function ExpressionField(props: {
  label: string;
  hint: string | undefined;
  text: string;
  syntax: FieldSyntax;
  language: QueryLanguage;
  /** `undefined`: nothing is known, so nothing is evaluated. */
  data: DesignData | undefined;
  problem: ReactNode;
  onChange: (text: string) => void;
}) {
  const { label, hint, text, syntax, language, data, problem, onChange } = props;
  const { undo, redo } = useTools();
  const preview = usePreview(text, syntax, language, data);
  const wrong = useMemo(() => preview?.wrong.map(placed) ?? [], [preview?.wrong]);
  const completer = (text: string, caret: number): Completion | undefined => {
    const written = writtenBefore(text, caret, syntax, language);
    const found = written && complete(written.text, language, data ?? NOTHING);
    return found && { ...found, from: found.from + written.from };
  };
  return (
    <FormField label={label} description={hint} errorText={problem} stretch>
      <Suspense fallback={<div className="expression mono">{text}</div>}>
        <ExpressionInput
          text={text}
          label={label}
          isLine={syntax === "path"}
          isInvalid={problem !== undefined || wrong.length > 0}
          wrong={wrong}
          completer={completer}
          onChange={onChange}
          undo={undo}
          redo={redo}
        />
      </Suspense>
      {preview && data && <Shown label={label} preview={preview} from={data.from} />}
    </FormField>
  );
}

/** Where in the field's text an expression is wrong. With escapes before it the place is that of the whole expression. */
function placed({ expression, cause, from, to }: Preview["wrong"][number]) {
  const isPlain = expression.to - expression.from === expression.text.length;
  if (!isPlain) return { from: expression.from, to: expression.to, message: cause };
  return {
    from: expression.from + from,
    to: Math.min(expression.from + Math.max(to, from), expression.to),
    message: cause,
  };
}

function Shown({ label, preview, from }: { label: string; preview: Preview; from: string }) {
  const [isOpen, setOpen] = useState(false);
  const { value, wrong, isPending } = preview;
  const [first] = wrong;
  if (first) {
    return (
      <div className="preview is-wrong" role="status" aria-label={`Preview of ${label}`}>
        <pre className="mono">{excerpt(first.expression.text, first.from, first.to)}</pre>
        <span>
          {first.name ? `${first.name}: ` : ""}
          {first.cause}
        </span>
      </div>
    );
  }
  if (value === undefined) return isPending ? <div className="preview">…</div> : null;
  const whole = JSON.stringify(value, null, 2);
  const line = JSON.stringify(value);
  const isLong = line.length > 60;
  return (
    <div className={`preview${isPending ? " is-pending" : ""}`} role="status" aria-label={`Preview of ${label}`}>
      {isLong && (
        <button type="button" aria-expanded={isOpen} aria-label={`All of ${label}`} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "▾" : "▸"}
        </button>
      )}
      <pre className="mono" title={`with ${from}`}>
        {isOpen ? whole : line}
      </pre>
    </div>
  );
}

/** The line of an expression with carets below the place. */
export function excerpt(text: string, from: number, to: number): string {
  const start = text.lastIndexOf("\n", from - 1) + 1;
  const next = text.indexOf("\n", from);
  const line = text.slice(start, next < 0 ? text.length : next);
  const lead = line.length - line.trimStart().length;
  const width = Math.max(1, Math.min(to, start + line.length) - from);
  return `${line.trim()}\n${" ".repeat(Math.max(0, from - start - lead))}${"^".repeat(width)}`;
}
