import Autosuggest from "@cloudscape-design/components/autosuggest";
import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { activitiesQuery } from "../aws/consoleApi";
import { functionsQuery } from "../functions/queries";
import type { State } from "../model/definition";
import { calledBy, parametersQuery, placeholder, useAddable } from "./catalogue";
import { useSetField } from "./context";

/** Where a task's parameters stand. */
const parametersOf = (state: State) => (state.language === "JSONata" ? "Arguments" : "Parameters");

/** What a task calls: typed, or found among every integration, the activities and the functions on this machine. */
export function ResourceField(props: {
  label: string;
  hint: string | undefined;
  resource: string;
  state: State;
  problem: ReactNode;
}) {
  const { resource, state } = props;
  // What it was when it began to be typed into.
  const [begun, setBegun] = useState<string>();
  const isUsed = begun !== undefined;
  const found = useAddable(isUsed ? resource || " " : "");
  const activities = useQuery({ ...activitiesQuery, enabled: isUsed, refetchInterval: false });
  const functions = useQuery({ ...functionsQuery, enabled: isUsed });
  const queries = useQueryClient();
  const set = useSetField(state);
  const given = state.fields[parametersOf(state)];
  const fits = (name: string) => name.toLowerCase().includes(resource.trim().toLowerCase());
  const named = (label: string, all: { name: string; arn: string }[] = []) => {
    const options = all.filter(({ name, arn }) => fits(name) || fits(arn));
    return options.map(({ name, arn }) => ({ value: arn, label: name, description: label }));
  };
  const groups = (["Actions", "AWS SDK"] as const)
    .map((group) => ({
      label: group,
      options: found.items.flatMap(({ id, label, resource, ...item }) =>
        item.group !== group || resource === undefined || id === "activity"
          ? []
          : [{ value: resource, label, description: resource }],
      ),
    }))
    .filter(({ options }) => options.length > 0);
  const own = [
    ...named(
      "Activity",
      activities.data?.map(({ name, activityArn }) => ({ name, arn: activityArn })),
    ),
    ...named(
      "Function on this machine",
      functions.data?.map((of) => ({ name: of.FunctionName, arn: of.FunctionArn })),
    ),
  ];
  const choose = async (chosen: string) => {
    const before = calledBy(begun ?? "");
    const skeletonOf = async (called: ReturnType<typeof calledBy>) =>
      called && (await queries.ensureQueryData(parametersQuery(called)).catch(() => undefined))?.skeleton;
    const [old, skeleton] = [await skeletonOf(before), await skeletonOf(calledBy(chosen))];
    // What was filled in for the one before goes with it; what somebody wrote stays.
    const isUntouched = given === undefined || [{}, old].some((own) => JSON.stringify(own) === JSON.stringify(given));
    setBegun(chosen);
    set(["Resource"], chosen, isUntouched && skeleton ? { [parametersOf(state)]: skeleton } : {});
  };
  return (
    <FormField label={props.label} description={props.hint} errorText={props.problem} stretch>
      <Autosuggest
        value={resource}
        filteringType="manual"
        ariaLabel={props.label}
        enteredTextLabel={(typed) => `As typed: ${typed}`}
        placeholder="An ARN, or letters such as “s3 put”"
        options={[...own, ...groups]}
        expandToViewport
        statusType={found.isLoading ? "loading" : "finished"}
        loadingText="Loading the actions of AWS"
        finishedText={found.more > 0 ? `${found.more.toLocaleString("en")} more: type more letters.` : ""}
        empty="Nothing fits."
        virtualScroll
        onFocus={() => setBegun(resource)}
        onChange={({ detail }) => set(["Resource"], detail.value || undefined)}
        onSelect={({ detail }) => void choose(detail.value)}
      />
    </FormField>
  );
}

/** The parameters of the action that are not there yet; one that is chosen begins with a value to be replaced. */
export function MoreParameters({ state }: { state: State }) {
  const called = calledBy(String(state.fields.Resource ?? ""));
  const known = useQuery({ ...parametersQuery(called ?? { service: "", action: "" }), enabled: called !== undefined });
  const set = useSetField(state);
  const name = parametersOf(state);
  const given = state.fields[name] ?? {};
  if (!called || !known.data || typeof given !== "object" || Array.isArray(given)) return null;
  const { parameters, skeleton } = known.data;
  const isThere = (of: string) => {
    const small = `${of.charAt(0).toLowerCase()}${of.slice(1)}`;
    return [of, `${of}.$`, small, `${small}.$`].some((key) => key in (given as object));
  };
  const absent = parameters.filter((parameter) => !isThere(parameter.name));
  if (absent.length === 0) return null;
  return (
    <Select
      selectedOption={null}
      ariaLabel="Add a parameter"
      placeholder={`Add a parameter (${absent.length})`}
      filteringType="auto"
      filteringPlaceholder="Find"
      filteringAriaLabel="Find parameters"
      options={absent.map(({ name, type, required }) => ({
        value: name,
        label: name,
        labelTag: required ? "required" : "",
        description: type,
      }))}
      onChange={({ detail }) => {
        const chosen = absent.find((parameter) => parameter.name === detail.selectedOption.value);
        if (chosen) set([name, chosen.name], skeleton[chosen.name] ?? placeholder(chosen.type));
      }}
    />
  );
}
