import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import Textarea from "@cloudscape-design/components/textarea";
import { useEffect, useState } from "react";
import { type Json, nodeAt, type Path, treeOf, Written, writtenAt } from "../model/text";
import type { Field } from "./fields";

export interface FieldInputProps {
  field: Field;
  /** The whole text, and where in it the owner of the field is. */
  text: string;
  owner: Path;
  siblings: readonly string[];
  problem?: string | undefined;
  onChange: (path: Path, value: Json | Written | undefined) => void;
}

const NONE = { value: "", label: "–" };

/** One field of a form; an empty one is not in the text. */
export function FieldInput(props: FieldInputProps) {
  const { field, text, owner, siblings, problem, onChange } = props;
  const node = nodeAt(text, [...owner, ...field.path]);
  const value: unknown =
    node?.type === "string" || node?.type === "number" || node?.type === "boolean" ? node.value : undefined;
  const shown = value === undefined ? (node ? (writtenAt(text, [...owner, ...field.path]) ?? "") : "") : String(value);
  const set = (value: Json | Written | undefined) => onChange(field.path, value);
  const { of, label, hint } = field;
  if (of.kind === "json") {
    const written = node ? (writtenAt(text, [...owner, ...field.path]) ?? "") : "";
    return <JsonInput label={label} hint={hint} written={written} problem={problem} onChange={set} />;
  }
  return (
    <FormField label={label} description={hint} errorText={problem} stretch>
      {of.kind === "choice" || of.kind === "sibling" ? (
        <Select
          selectedOption={shown === "" ? NONE : { value: shown, label: shown }}
          options={[NONE, ...(of.kind === "choice" ? of.options : siblings).map((value) => ({ value, label: value }))]}
          onChange={(event) => set(event.detail.selectedOption.value || undefined)}
        />
      ) : of.kind === "long" ? (
        <Textarea rows={2} value={shown} onChange={(event) => set(event.detail.value || undefined)} />
      ) : (
        <Input
          value={shown}
          onChange={({ detail }) => {
            const isNumber = of.kind === "number" && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(detail.value);
            set(detail.value === "" ? undefined : isNumber ? new Written(detail.value) : detail.value);
          }}
        />
      )}
    </FormField>
  );
}

/** JSON as it stands in the text. What is not JSON yet stays here and is not put there. */
function JsonInput(props: {
  label: string;
  hint: string | undefined;
  written: string;
  problem: string | undefined;
  onChange: (value: Written | undefined) => void;
}) {
  const { label, hint, written, problem, onChange } = props;
  const [typed, setTyped] = useState(written);
  // What was changed elsewhere is shown, unless it is what was typed here.
  const [seen, setSeen] = useState(written);
  useEffect(() => {
    if (written === seen) return;
    setSeen(written);
    setTyped((typed) => (typed.trim() === written ? typed : written));
  }, [written, seen]);
  const isJson = typed.trim() === "" || treeOf(typed) !== undefined;
  const rows = Math.min(10, Math.max(1, typed.split("\n").length));
  return (
    <FormField label={label} description={hint} errorText={isJson ? problem : "This is not JSON yet."} stretch>
      <div className="mono">
        <Textarea
          rows={rows}
          value={typed}
          placeholder="–"
          onChange={({ detail }) => {
            setTyped(detail.value);
            const trimmed = detail.value.trim();
            if (trimmed === "") onChange(undefined);
            else if (treeOf(trimmed)) onChange(new Written(trimmed));
          }}
        />
      </div>
    </FormField>
  );
}
