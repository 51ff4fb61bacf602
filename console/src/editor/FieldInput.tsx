import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import Textarea from "@cloudscape-design/components/textarea";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import type { State } from "../model/definition";
import { treeOf } from "../model/jsonText";
import type { Problem } from "../model/problems";
import { type Json, jsonAt, nodeAt, type Path, Written } from "../model/text";
import { useSetField, useTools } from "./context";
import { type DesignData, seenBy } from "./designData";
import { ExpressionField } from "./ExpressionField";
import { ProblemNote } from "./Fixes";
import type { Field } from "./fields";
import { MoreParameters, ResourceField } from "./ResourceField";

export interface FieldInputProps {
  field: Field;
  /** Whose field it is; `undefined` for the state machine. */
  state: State | undefined;
  /** Where in the state the owner of the field is. */
  within?: Path;
  siblings?: readonly string[];
  problem?: Problem | undefined;
}

const NONE = { value: "", label: "–" };
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?$/;

/** One field of a form; an empty one is not in the text. */
export function FieldInput(props: FieldInputProps) {
  const { field, state, within = [], siblings = [] } = props;
  const { definition, data } = useTools();
  const setField = useSetField(state);
  const { of, label, hint, sees = "input" } = field;
  const path = [...within, ...field.path];
  const whole = [...(state?.path ?? []), ...path];
  const node = nodeAt(definition.text, whole);
  const seen = useMemo(() => (state && data ? seenBy(data, state, sees) : undefined), [state, data, sees]);
  const set = (value: Json | Written | undefined) => setField(path, value);
  const problem = props.problem && <ProblemNote problem={props.problem} />;
  const isScalar = node?.type === "string" || node?.type === "number" || node?.type === "boolean";
  const shown = isScalar
    ? node.type === "string"
      ? String(node.value)
      : (jsonAt(definition.text, whole) ?? "")
    : node
      ? (jsonAt(definition.text, whole) ?? "")
      : "";
  const language = state?.language ?? definition.language;
  if (field.isOld && !node) return null;
  if (of.kind === "resource" && state) {
    return <ResourceField label={label} hint={hint} resource={shown} state={state} problem={problem} />;
  }
  if (of.kind === "json" || of.kind === "parameters") {
    const isExpression = node?.type === "string" && isDelimited(String(node.value));
    const written = node ? (isExpression ? String(node.value) : (jsonAt(definition.text, whole) ?? "")) : "";
    return (
      <>
        <JsonField
          label={label}
          hint={hint}
          written={written}
          state={state}
          data={seen}
          problem={problem}
          onChange={set}
        />
        {of.kind === "parameters" && state && <MoreParameters state={state} />}
      </>
    );
  }
  const typed = (text: string) => {
    const isNumber = of.kind === "number" && NUMBER.test(text);
    set(text === "" ? undefined : isNumber ? new Written(text) : text);
  };
  const isExpressive =
    (language === "JSONata" && state !== undefined && (of.kind === "expression" || of.kind === "number")) ||
    (language === "JSONPath" && of.kind === "path");
  if (isExpressive) {
    return (
      <ExpressionField
        label={label}
        hint={hint}
        text={shown}
        syntax={language === "JSONPath" ? "path" : "text"}
        language={language}
        data={seen}
        problem={problem}
        onChange={typed}
      />
    );
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
        <Input value={shown} onChange={({ detail }) => typed(detail.value)} />
      )}
    </FormField>
  );
}

function isDelimited(text: string): boolean {
  return /^\s*\{%[\s\S]*%\}\s*$/.test(text);
}

/**
 * JSON as it stands in the text, or one expression without the quotes around it. What is neither yet stays here and is
 * not put there.
 */
function JsonField(props: {
  label: string;
  hint: string | undefined;
  written: string;
  state: State | undefined;
  data: DesignData | undefined;
  problem: ReactNode;
  onChange: (value: Json | Written | undefined) => void;
}) {
  const { label, hint, written, state, data, problem, onChange } = props;
  const [typed, setTyped] = useState(written);
  // What was changed elsewhere is shown, unless it is what was typed here.
  const [seen, setSeen] = useState(written);
  useEffect(() => {
    if (written === seen) return;
    setSeen(written);
    setTyped((typed) => (typed.trim() === written ? typed : written));
  }, [written, seen]);
  const language = state?.language ?? "JSONPath";
  const isExpression = language === "JSONata" && typed.trim().startsWith("{%");
  const isWhole = typed.trim() === "" || (isExpression ? isDelimited(typed) : treeOf(typed) !== undefined);
  const complaint = isExpression ? "The expression does not end with %} yet." : "This is not JSON yet.";
  return (
    <ExpressionField
      label={label}
      hint={hint}
      text={typed}
      syntax={isExpression ? "text" : "json"}
      language={language}
      data={data}
      problem={isWhole ? problem : complaint}
      onChange={(text) => {
        setTyped(text);
        const trimmed = text.trim();
        if (trimmed === "") onChange(undefined);
        else if (language === "JSONata" && trimmed.startsWith("{%")) isDelimited(text) && onChange(trimmed);
        else if (treeOf(trimmed)) onChange(new Written(trimmed));
      }}
    />
  );
}
