import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useState } from "react";
import { type Definition, type Fields, ruleLabel, type State, scopeOf, TOP } from "../model/definition";
import { addBranch, addToList, deleteState, duplicateState, type Edited, renameState, setField } from "../model/edits";
import { type Json, type Path, removeAt, replaceMember, setValue, type Written } from "../model/text";
import type { Problem } from "../model/problems";
import { FieldInput } from "./FieldInput";
import {
  catcherFields,
  type Field,
  type FieldGroup,
  fieldsOfState,
  MACHINE_FIELDS,
  OPERATORS,
  RETRIER,
  ruleFields,
} from "./fields";

export interface InspectorProps {
  definition: Definition;
  state: State | undefined;
  problems: readonly Problem[];
  /** The state whose name is to be written next; set anew for each time. */
  renaming: { state: string } | undefined;
  onEdit: (label: string, edited: Edited, mergeKey?: string) => void;
}

/** The form of what is selected: a state, else the state machine. */
export function Inspector(props: InspectorProps) {
  const { definition, state, problems, onEdit } = props;
  if (!state) {
    const names = scopeOf(definition, TOP).states.flatMap((id) => definition.states.get(id)?.name ?? []);
    const start: Field = { path: ["StartAt"], label: "Start at", of: { kind: "sibling" } };
    const set = (path: Path, value: Json | Written | undefined) => {
      const text = value === undefined ? removeAt(definition.text, path) : setValue(definition.text, path, value);
      onEdit(`changed ${path.join(".")}`, { text }, `machine ${path.join(".")}`);
    };
    return (
      <SpaceBetween size="m">
        <Box variant="h2">State machine</Box>
        <Groups
          groups={[...MACHINE_FIELDS, { title: "Start", fields: [start] }]}
          text={definition.text}
          owner={[]}
          siblings={names}
          problemOf={() => undefined}
          onChange={set}
        />
        <Box color="text-body-secondary">Select a state to edit it. Press / to insert one.</Box>
      </SpaceBetween>
    );
  }
  return <StateForm {...props} state={state} problems={problems.filter((problem) => problem.state === state.id)} />;
}

function StateForm(props: InspectorProps & { state: State }) {
  const { definition, state, problems, onEdit } = props;
  const names = scopeOf(definition, state.scope).states.flatMap((id) => definition.states.get(id)?.name ?? []);
  const set = (path: Path, value: Json | Written | undefined) => {
    const name = path.join(".");
    onEdit(`changed ${name} of ${state.name}`, setField(definition, state.id, path, value), `${state.id} ${name}`);
  };
  const problemOf = (field: Field) => problems.find((problem) => problem.field === field.path[0])?.message;
  const shared = { text: definition.text, siblings: names, onEdit };
  const general = problems.filter((problem) => problem.field === undefined);
  return (
    <SpaceBetween size="m">
      <div className="inspector-title">
        <Box variant="h2">{state.name}</Box>
        <span>{state.type}</span>
        <Button
          iconName="copy"
          variant="icon"
          ariaLabel="Duplicate"
          onClick={() => onEdit(`duplicated ${state.name}`, duplicateState(definition, state.id))}
        />
        <Button
          iconName="remove"
          variant="icon"
          ariaLabel="Delete state"
          onClick={() => onEdit(`deleted ${state.name}`, deleteState(definition, state.id))}
        />
      </div>
      {general.map((problem) => (
        <Box key={problem.message} color="text-status-error">
          {problem.message}
        </Box>
      ))}
      <NameInput key={state.id} {...props} />
      <Groups
        groups={fieldsOfState(state.type, state.language)}
        text={definition.text}
        owner={state.path}
        siblings={names}
        problemOf={problemOf}
        onChange={set}
      />
      {state.type === "Parallel" && (
        <Button iconName="add-plus" onClick={() => onEdit("added a branch", addBranch(definition, state.id))}>
          Add branch
        </Button>
      )}
      {state.type === "Choice" && <Rules {...shared} definition={definition} state={state} problemOf={problemOf} />}
      {["Task", "Map", "Parallel"].includes(state.type) && (
        <>
          <Items
            {...shared}
            definition={definition}
            state={state}
            list="Retry"
            title="Retry"
            itemTitle={(item) => errorsOf(item) || "no error yet"}
            fresh={{ ErrorEquals: ["States.ALL"] }}
            fields={RETRIER}
          />
          <Items
            {...shared}
            definition={definition}
            state={state}
            list="Catch"
            title="Catch"
            itemTitle={(item) => `${errorsOf(item) || "no error yet"} → ${String(item.Next ?? "")}`}
            fresh={{ ErrorEquals: ["States.ALL"], Next: names.find((name) => name !== state.name) ?? "" }}
            fields={catcherFields(state.language)}
          />
        </>
      )}
      {!["Choice", "Succeed", "Fail"].includes(state.type) && <NextInput {...props} names={names} />}
    </SpaceBetween>
  );
}

function NameInput({ definition, state, renaming, onEdit }: InspectorProps & { state: State }) {
  const [typed, setTyped] = useState(state.name);
  useEffect(() => {
    if (renaming?.state === state.id) document.querySelector<HTMLInputElement>("#state-name")?.select();
  }, [renaming, state.id]);
  const commit = () => {
    const edited = renameState(definition, state.id, typed);
    if (edited.text === definition.text) setTyped(state.name);
    else onEdit(`renamed ${state.name}`, edited);
  };
  const isTaken = typed !== state.name && [...definition.states.values()].some((other) => other.name === typed);
  return (
    <FormField label="Name" errorText={isTaken ? "Another state has this name." : undefined} stretch>
      <Input
        controlId="state-name"
        value={typed}
        onChange={(event) => setTyped(event.detail.value)}
        onBlur={commit}
        onKeyDown={(event) => event.detail.key === "Enter" && commit()}
      />
    </FormField>
  );
}

const END = { value: "\n", label: "End" };

function NextInput({ definition, state, names, onEdit }: InspectorProps & { state: State; names: readonly string[] }) {
  const isEnd = state.fields.End === true;
  const next = typeof state.fields.Next === "string" ? state.fields.Next : undefined;
  const change = (value: string) => {
    const { text } = definition;
    const isToEnd = value === END.value;
    const [from, key] = [isEnd ? "End" : "Next", isToEnd ? "End" : "Next"];
    const given: Json = isToEnd ? true : value;
    const edited =
      from in state.fields
        ? replaceMember(text, [...state.path, from], key, given)
        : setValue(text, [...state.path, key], given);
    onEdit(`changed what follows ${state.name}`, { text: edited, selected: state.id });
  };
  const shown = isEnd ? END : next === undefined ? null : { value: next, label: next };
  return (
    <FormField label="Then" stretch>
      <Select
        selectedOption={shown}
        placeholder="Nothing yet"
        options={[END, ...names.filter((name) => name !== state.name).map((value) => ({ value, label: value }))]}
        onChange={(event) => event.detail.selectedOption.value && change(event.detail.selectedOption.value)}
      />
    </FormField>
  );
}

interface GroupsProps {
  groups: readonly FieldGroup[];
  text: string;
  owner: Path;
  siblings: readonly string[];
  problemOf: (field: Field) => string | undefined;
  onChange: (path: Path, value: Json | Written | undefined) => void;
}

function Groups({ groups, problemOf, ...shared }: GroupsProps) {
  return groups.map((group) => (
    <ExpandableSection key={group.title} defaultExpanded headerText={group.title} headingTagOverride="h3">
      <SpaceBetween size="s">
        {group.fields.map((field) => (
          <FieldInput key={field.path.join(".")} {...shared} field={field} problem={problemOf(field)} />
        ))}
      </SpaceBetween>
    </ExpandableSection>
  ));
}

function itemsOf(state: State, list: string): Fields[] {
  const items = state.fields[list];
  return Array.isArray(items) ? (items as Fields[]) : [];
}

function errorsOf(item: Fields): string {
  return Array.isArray(item.ErrorEquals) ? item.ErrorEquals.map(String).join(", ") : "";
}

interface ItemsProps {
  definition: Definition;
  state: State;
  text: string;
  siblings: readonly string[];
  list: "Retry" | "Catch";
  title: string;
  itemTitle: (item: Fields) => string;
  fresh: Json;
  fields: readonly Field[];
  onEdit: InspectorProps["onEdit"];
}

function Items(props: ItemsProps) {
  const { definition, state, list, title, fields, onEdit } = props;
  const items = itemsOf(state, list);
  const set = (index: number, path: Path, value: Json | Written | undefined) => {
    const whole = [list, index, ...path];
    onEdit(
      `changed ${list} of ${state.name}`,
      setField(definition, state.id, whole, value),
      `${state.id} ${whole.join(".")}`,
    );
  };
  return (
    <ExpandableSection
      headerText={`${title} (${items.length})`}
      headingTagOverride="h3"
      defaultExpanded={items.length > 0}
    >
      <SpaceBetween size="s">
        {items.map((item, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an item is its place in the list; it has no other name
          <ExpandableSection key={index} variant="inline" headerText={props.itemTitle(item)}>
            <SpaceBetween size="s">
              <FormField label="Errors" description="Separated by commas" stretch>
                <Input
                  value={errorsOf(item)}
                  onChange={({ detail }) =>
                    set(
                      index,
                      ["ErrorEquals"],
                      detail.value.split(",").map((error) => error.trim()),
                    )
                  }
                />
              </FormField>
              {fields.map((field) => (
                <FieldInput
                  key={field.path.join(".")}
                  field={field}
                  text={props.text}
                  owner={[...state.path, list, index]}
                  siblings={props.siblings}
                  onChange={(path, value) => set(index, path, value)}
                />
              ))}
              <RemoveItem state={state} definition={definition} list={list} index={index} onEdit={onEdit} />
            </SpaceBetween>
          </ExpandableSection>
        ))}
        <Button
          iconName="add-plus"
          onClick={() =>
            onEdit(`added to ${list} of ${state.name}`, addToList(definition, state.id, list, props.fresh))
          }
        >
          {list === "Retry" ? "Add retrier" : "Add catcher"}
        </Button>
      </SpaceBetween>
    </ExpandableSection>
  );
}

function RemoveItem(props: {
  state: State;
  definition: Definition;
  list: string;
  index: number;
  onEdit: InspectorProps["onEdit"];
}) {
  const { state, definition, list, index, onEdit } = props;
  const isLast = itemsOf(state, list).length === 1 && list !== "Choices";
  const path = isLast ? [list] : [list, index];
  return (
    <Button
      iconName="remove"
      ariaLabel={`Remove item ${index + 1} of ${list}`}
      onClick={() => onEdit(`removed from ${list} of ${state.name}`, setField(definition, state.id, path, undefined))}
    >
      Remove
    </Button>
  );
}

function Rules(props: {
  definition: Definition;
  state: State;
  text: string;
  siblings: readonly string[];
  problemOf: (field: Field) => string | undefined;
  onEdit: InspectorProps["onEdit"];
}) {
  const { definition, state, siblings, text, onEdit } = props;
  const rules = itemsOf(state, "Choices");
  const isPath = state.language === "JSONPath";
  const other = siblings.find((name) => name !== state.name) ?? "";
  const fresh: Json = isPath
    ? { Variable: "$", IsPresent: true, Next: other }
    : { Condition: "{% true %}", Next: other };
  const set = (path: Path, value: Json | Written | undefined) => {
    const key = path.join(".");
    onEdit(`changed the rules of ${state.name}`, setField(definition, state.id, path, value), `${state.id} ${key}`);
  };
  const otherwise: Field = { path: ["Default"], label: "Otherwise", of: { kind: "sibling" } };
  return (
    <ExpandableSection defaultExpanded headerText={`Rules (${rules.length})`} headingTagOverride="h3">
      <SpaceBetween size="s">
        {rules.map((rule, index) => {
          const owner = [...state.path, "Choices", index];
          return (
            <ExpandableSection
              // biome-ignore lint/suspicious/noArrayIndexKey: a rule is its place in the list; it has no other name
              key={index}
              variant="inline"
              headerText={`${index + 1}. ${ruleLabel(rule)} → ${String(rule.Next ?? "")}`}
            >
              <SpaceBetween size="s">
                {isPath && (
                  <Comparison definition={definition} state={state} rule={rule} index={index} onEdit={onEdit} />
                )}
                {ruleFields(state.language).map((field) => (
                  <FieldInput
                    key={field.path.join(".")}
                    field={field}
                    text={text}
                    owner={owner}
                    siblings={siblings}
                    onChange={(path, value) => set(["Choices", index, ...path], value)}
                  />
                ))}
                <RemoveItem state={state} definition={definition} list="Choices" index={index} onEdit={onEdit} />
              </SpaceBetween>
            </ExpandableSection>
          );
        })}
        <Button
          iconName="add-plus"
          onClick={() => onEdit(`added a rule to ${state.name}`, addToList(definition, state.id, "Choices", fresh))}
        >
          Add rule
        </Button>
        <FieldInput
          field={otherwise}
          text={text}
          owner={state.path}
          siblings={siblings}
          problem={props.problemOf(otherwise)}
          onChange={set}
        />
      </SpaceBetween>
    </ExpandableSection>
  );
}

/** A single comparison in JSONPath; compositions (And, Or, Not) are edited as text. */
function Comparison(props: {
  definition: Definition;
  state: State;
  rule: Fields;
  index: number;
  onEdit: InspectorProps["onEdit"];
}) {
  const { definition, state, rule, index, onEdit } = props;
  const operator = OPERATORS.find((operator) => operator in rule);
  if (!operator) {
    return <Box color="text-body-secondary">This rule is composed; edit it in the code.</Box>;
  }
  const path = ["Choices", index];
  const edit = (edited: Edited, key: string) =>
    onEdit(`changed a rule of ${state.name}`, edited, `${state.id} ${index} ${key}`);
  const operand = (typed: string): Json | Written => {
    if (/^(Numeric\w*|Is\w+|BooleanEquals)$/.test(operator) && !operator.endsWith("Path")) {
      if (typed === "true" || typed === "false") return typed === "true";
      if (/^-?\d+(\.\d+)?$/.test(typed)) return Number(typed);
    }
    return typed;
  };
  return (
    <>
      <FormField label="Variable" stretch>
        <Input
          value={String(rule.Variable ?? "")}
          onChange={({ detail }) =>
            edit(setField(definition, state.id, [...path, "Variable"], detail.value), "Variable")
          }
        />
      </FormField>
      <FormField label="Operator" stretch>
        <Select
          filteringType="auto"
          selectedOption={{ value: operator, label: operator }}
          options={OPERATORS.map((value) => ({ value, label: value }))}
          onChange={({ detail }) => {
            const to = detail.selectedOption.value ?? operator;
            const text = replaceMember(definition.text, [...state.path, ...path, operator], to);
            edit({ text, selected: state.id }, "operator");
          }}
        />
      </FormField>
      <FormField label="Operand" stretch>
        <Input
          value={String(rule[operator] ?? "")}
          onChange={({ detail }) =>
            edit(setField(definition, state.id, [...path, operator], operand(detail.value)), "operand")
          }
        />
      </FormField>
    </>
  );
}
