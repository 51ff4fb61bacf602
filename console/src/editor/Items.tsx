import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useState } from "react";
import type { Fields, State } from "../model/definition";
import { addToList, setField as setFieldOf } from "../model/edits";
import type { Problem } from "../model/problems";
import { insertItem, type Json, type Path, removeAt, Written, writtenAt } from "../model/text";
import { useSetField, useTools } from "./context";
import { FieldInput } from "./FieldInput";
import { ProblemNote } from "./Fixes";
import type { Field } from "./fields";

export function itemsOf(state: State, list: string): Fields[] {
  const items = state.fields[list];
  return Array.isArray(items) ? (items as Fields[]) : [];
}

function errorsOf(item: Fields): string {
  return Array.isArray(item.ErrorEquals) ? item.ErrorEquals.map(String).join(", ") : "";
}

/** The retriers or catchers of a state, in their order. */
export function Items(props: {
  state: State;
  list: "Retry" | "Catch";
  siblings: readonly string[];
  fresh: Json;
  fields: readonly Field[];
  problemOf: (path: Path) => Problem | undefined;
}) {
  const { state, list, siblings, fields, problemOf } = props;
  const { definition, edit } = useTools();
  const setField = useSetField(state);
  const items = itemsOf(state, list);
  const title = (item: Fields) =>
    `${errorsOf(item) || "no error yet"}${list === "Catch" ? ` → ${String(item.Next ?? "")}` : ""}`;
  return (
    <ExpandableSection
      headerText={`${list} (${items.length})`}
      headingTagOverride="h3"
      defaultExpanded={items.length > 0}
    >
      <SpaceBetween size="s">
        {items.map((item, index) => {
          const problem = problemOf([list, index, "ErrorEquals"]);
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: an item is its place in the list; it has no other name
            <ExpandableSection key={index} variant="inline" headerText={title(item)}>
              <SpaceBetween size="s">
                <FormField
                  label="Errors"
                  description="Separated by commas"
                  errorText={problem && <ProblemNote problem={problem} />}
                  stretch
                >
                  <Errors
                    errors={errorsOf(item)}
                    onChange={(errors) => setField([list, index, "ErrorEquals"], errors)}
                  />
                </FormField>
                {fields.map((field) => (
                  <FieldInput
                    key={field.path.join(".")}
                    field={field}
                    state={state}
                    within={[list, index]}
                    siblings={siblings}
                    problem={problemOf([list, index, ...field.path])}
                  />
                ))}
                <ListTools state={state} list={list} index={index} length={items.length} />
              </SpaceBetween>
            </ExpandableSection>
          );
        })}
        <Button
          iconName="add-plus"
          onClick={() => edit(`added to ${list} of ${state.name}`, addToList(definition, state.id, list, props.fresh))}
        >
          {list === "Retry" ? "Add retrier" : "Add catcher"}
        </Button>
      </SpaceBetween>
    </ExpandableSection>
  );
}

function names(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** Error names as they are typed: a comma at the end stays until a name follows. */
function Errors({ errors, onChange }: { errors: string; onChange: (errors: string[]) => void }) {
  const [typed, setTyped] = useState(errors);
  useEffect(() => {
    setTyped((typed) => (names(typed).join(", ") === errors ? typed : errors));
  }, [errors]);
  return (
    <Input
      value={typed}
      onChange={({ detail }) => {
        setTyped(detail.value);
        onChange(names(detail.value));
      }}
    />
  );
}

/** Moves an item of a list up or down, or takes it away; the order counts, since the first that fits is taken. */
export function ListTools(props: { state: State; list: string; index: number; length: number }) {
  const { state, list, index, length } = props;
  const { definition, edit } = useTools();
  const path = [...state.path, list];
  const move = (to: number) => {
    const written = writtenAt(definition.text, [...path, index]);
    if (written === undefined) return;
    const text = insertItem(removeAt(definition.text, [...path, index]), path, to, new Written(written));
    edit(`moved an item of ${list}`, { text, selected: state.id });
  };
  const remove = length === 1 && list !== "Choices" ? [list] : [list, index];
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <Button
        iconName="angle-up"
        variant="icon"
        ariaLabel={`Move item ${index + 1} of ${list} up`}
        disabled={index === 0}
        onClick={() => move(index - 1)}
      />
      <Button
        iconName="angle-down"
        variant="icon"
        ariaLabel={`Move item ${index + 1} of ${list} down`}
        disabled={index + 1 >= length}
        onClick={() => move(index + 1)}
      />
      <Button
        iconName="remove"
        ariaLabel={`Remove item ${index + 1} of ${list}`}
        onClick={() =>
          edit(`removed from ${list} of ${state.name}`, setFieldOf(definition, state.id, remove, undefined))
        }
      >
        Remove
      </Button>
    </SpaceBetween>
  );
}
