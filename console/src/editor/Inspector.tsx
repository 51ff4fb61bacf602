import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useState } from "react";
import { TypeIcon } from "../graph/icons";
import { type State, scopeOf, TOP } from "../model/definition";
import { addBranch, renameState } from "../model/edits";
import type { Problem } from "../model/problems";
import { type Json, nodeAt, type Path, replaceMember, setValue } from "../model/text";
import type { Action } from "./actions";
import { useTools } from "./context";
import { FieldInput } from "./FieldInput";
import { ProblemNote } from "./Fixes";
import { catcherFields, type FieldGroup, fieldsOfState, MACHINE_FIELDS, RETRIER } from "./fields";
import { Items } from "./Items";
import { Rules } from "./Rules";

export interface InspectorProps {
  state: State | undefined;
  problems: readonly Problem[];
  /** The state whose name is to be written next; set anew for each time. */
  renaming: { state: string } | undefined;
  /** What can be done with what is selected. */
  actions: readonly Action[];
  /** How many states are selected. */
  count: number;
}

/** The form of what is selected: a state, several, else the state machine. */
export function Inspector(props: InspectorProps) {
  const { definition } = useTools();
  const { state, problems, count, actions } = props;
  if (count > 1) {
    return (
      <SpaceBetween size="m">
        <div className="inspector-title">
          <Box variant="h2">{count} states</Box>
        </div>
        <SpaceBetween size="xs" direction="horizontal">
          {actions.map((action) => (
            <Button key={action.id} disabled={action.disabled !== undefined} onClick={action.run}>
              {action.label}
            </Button>
          ))}
        </SpaceBetween>
        {actions.flatMap(({ disabled }) => disabled ?? []).length > 0 && (
          <Box color="text-body-secondary">{actions.find((action) => action.disabled)?.disabled}</Box>
        )}
      </SpaceBetween>
    );
  }
  if (!state) {
    const names = scopeOf(definition, TOP).states.flatMap((id) => definition.states.get(id)?.name ?? []);
    const start = {
      title: "Start",
      fields: [{ path: ["StartAt"], label: "Start at", of: { kind: "sibling" as const } }],
    };
    const general = problems.filter((problem) => problem.state === undefined);
    return (
      <SpaceBetween size="m">
        <div className="inspector-title">
          <Box variant="h2">State machine</Box>
        </div>
        <Notes problems={general} />
        <Groups groups={[...MACHINE_FIELDS, start]} state={undefined} siblings={names} problemOf={() => undefined} />
        <Box color="text-body-secondary">Select a state to edit it. Press / to insert one, ? for all keys.</Box>
      </SpaceBetween>
    );
  }
  return <StateForm {...props} state={state} problems={problems.filter((problem) => problem.state === state.id)} />;
}

function Notes({ problems }: { problems: readonly Problem[] }) {
  return problems.map((problem) => (
    <div key={`${problem.from} ${problem.message}`} className="note">
      <ProblemNote problem={problem} />
    </div>
  ));
}

function StateForm(props: InspectorProps & { state: State }) {
  const { state, problems, actions } = props;
  const { definition, edit } = useTools();
  const names = scopeOf(definition, state.scope).states.flatMap((id) => definition.states.get(id)?.name ?? []);
  const groups = fieldsOfState(state);
  const isWithin = (problem: Problem, path: Path) => {
    const whole = [...state.path, ...path];
    return whole.every((step, index) => problem.path[index] === step);
  };
  const problemOf = (path: Path) =>
    problems.find((problem) => isWithin(problem, path) || (path.length === 1 && problem.field === path[0]));
  const shown = new Set([
    ...groups.flatMap((group) => group.fields.flatMap((field) => problemOf(field.path) ?? [])),
    ...problems.filter(
      (problem) =>
        ["Retry", "Catch", "Choices"].includes(String(problem.field)) && problem.path.length > state.path.length + 2,
    ),
    ...problems.filter((problem) => problem.field === "Default"),
  ]);
  return (
    <SpaceBetween size="m">
      <div className="inspector-title">
        <span className="inspector-icon">
          <TypeIcon type={state.type} />
        </span>
        <Box variant="h2">{state.name}</Box>
        <span>{state.type}</span>
        <ButtonDropdown
          variant="icon"
          ariaLabel="Actions on this state"
          expandToViewport
          items={actions.map(({ id, label, keys, disabled }) => ({
            id,
            text: label,
            ...(keys === undefined ? {} : { secondaryText: keys }),
            ...(disabled === undefined ? {} : { disabled: true, disabledReason: disabled }),
          }))}
          onItemClick={({ detail }) => actions.find((action) => action.id === detail.id)?.run()}
        />
      </div>
      <Notes problems={problems.filter((problem) => !shown.has(problem))} />
      <NameInput key={state.id} {...props} />
      {state.type === "Choice" && <Rules state={state} siblings={names} problemOf={problemOf} />}
      <Groups groups={groups.slice(0, -1)} state={state} siblings={names} problemOf={problemOf} />
      {state.type === "Parallel" && (
        <Button iconName="add-plus" onClick={() => edit("added a branch", addBranch(definition, state.id))}>
          Add branch
        </Button>
      )}
      {["Task", "Map", "Parallel"].includes(state.type) && (
        <>
          <Items
            state={state}
            list="Retry"
            siblings={names}
            fresh={{ ErrorEquals: ["States.ALL"] }}
            fields={RETRIER}
            problemOf={problemOf}
          />
          <Items
            state={state}
            list="Catch"
            siblings={names}
            fresh={{ ErrorEquals: ["States.ALL"], Next: names.find((name) => name !== state.name) ?? "" }}
            fields={catcherFields(state.language)}
            problemOf={problemOf}
          />
        </>
      )}
      {!["Choice", "Succeed", "Fail"].includes(state.type) && <NextInput state={state} names={names} />}
      <Groups groups={groups.slice(-1)} state={state} siblings={names} problemOf={problemOf} />
    </SpaceBetween>
  );
}

function NameInput({ state, renaming }: InspectorProps & { state: State }) {
  const { definition, edit } = useTools();
  const [typed, setTyped] = useState(state.name);
  useEffect(() => {
    if (renaming?.state === state.id) document.querySelector<HTMLInputElement>("#state-name")?.select();
  }, [renaming, state.id]);
  const commit = () => {
    const edited = renameState(definition, state.id, typed);
    if (edited.text === definition.text) setTyped(state.name);
    else edit(`renamed ${state.name}`, edited);
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

function NextInput({ state, names }: { state: State; names: readonly string[] }) {
  const { definition, edit } = useTools();
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
    edit(`changed where ${state.name} leads`, { text: edited, selected: state.id });
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
  state: State | undefined;
  siblings: readonly string[];
  problemOf: (path: Path) => Problem | undefined;
}

function Groups({ groups, state, siblings, problemOf }: GroupsProps) {
  const { definition } = useTools();
  const isThere = (group: FieldGroup) =>
    group.fields.some((field) => nodeAt(definition.text, [...(state?.path ?? []), ...field.path]));
  return groups.map((group) => (
    <ExpandableSection
      key={group.title}
      defaultExpanded={!group.isRare || isThere(group)}
      headerText={group.title}
      headingTagOverride="h3"
    >
      <SpaceBetween size="s">
        {group.fields.map((field) => (
          <FieldInput
            key={field.path.join(".")}
            field={field}
            state={state}
            siblings={siblings}
            problem={problemOf(field.path)}
          />
        ))}
      </SpaceBetween>
    </ExpandableSection>
  ));
}
