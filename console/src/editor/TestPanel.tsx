import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import Textarea from "@cloudscape-design/components/textarea";
import { useMutation } from "@tanstack/react-query";
import { prettyJson } from "../app/words";
import { call, messageOf } from "../aws/client";
import type { TestedState } from "../aws/operations";
import { type Definition, type State, scopeOf } from "../model/definition";
import { treeOf } from "../model/jsonText";
import { toJson } from "../model/text";
import { FRESH, type TestCase } from "./tests";

const STATUSES: Record<TestedState["status"], [StatusIndicatorProps.Type, string]> = {
  SUCCEEDED: ["success", "Succeeded"],
  FAILED: ["error", "Failed"],
  CAUGHT_ERROR: ["warning", "Error caught"],
  RETRIABLE: ["warning", "Would be tried again"],
};

/** Runs the selected state alone, on the server, with the text as it is now. Nothing is saved or recorded there. */
export function TestPanel(props: {
  roleArn: string;
  definition: Definition;
  state: State | undefined;
  /** By the state's name. */
  tests: Record<string, TestCase>;
  onKeep: (name: string, part: Partial<TestCase>) => void;
  onSelect: (id: string) => void;
}) {
  const { roleArn, definition, state, tests, onKeep: keep, onSelect } = props;
  const test = useMutation({
    mutationFn: (asked: { state: State; given: TestCase }) => run(definition, roleArn, asked),
  });
  if (!state) return <Box color="text-body-secondary">Select a state to test it.</Box>;
  const given = tests[state.name] ?? FRESH;
  const result = test.variables?.state.name === state.name ? test : undefined;
  const next = result?.data?.nextState;
  const nextId = next && scopeOf(definition, state.scope).states.find((id) => definition.states.get(id)?.name === next);
  const isMockable = ["Task", "Map", "Parallel"].includes(state.type);
  const texts = [given.input, given.variables, given.mock].filter((text) => text.trim() !== "");
  const areJson = texts.every((text) => treeOf(text) !== undefined);
  return (
    <SpaceBetween size="m">
      <Box variant="h2">Test {state.name}</Box>
      <JsonField label="Input" text={given.input} onChange={(input) => keep(state.name, { input })} />
      <ExpandableSection headerText="Variables" headingTagOverride="h3" defaultExpanded={given.variables !== "{}"}>
        <JsonField
          label="Variables, by name"
          text={given.variables}
          onChange={(variables) => keep(state.name, { variables })}
        />
      </ExpandableSection>
      {isMockable && (
        <ExpandableSection headerText="Instead of the call" headingTagOverride="h3" defaultExpanded={given.mock !== ""}>
          <SpaceBetween size="s">
            <JsonField label="Its result" text={given.mock} onChange={(mock) => keep(state.name, { mock })} />
            <FormField label="Or its error" stretch>
              <Input
                value={given.mockError}
                placeholder="States.TaskFailed"
                onChange={({ detail }) => keep(state.name, { mockError: detail.value })}
              />
            </FormField>
          </SpaceBetween>
        </ExpandableSection>
      )}
      <Button
        variant="primary"
        disabled={!areJson}
        loading={test.isPending}
        onClick={() => test.mutate({ state, given })}
      >
        Test state
      </Button>
      {result?.error && (
        <Alert type="error" statusIconAriaLabel="Error" header="It cannot be tested so">
          {messageOf(result.error)}
        </Alert>
      )}
      {result?.data && (
        <section aria-label="Result of the test">
          <SpaceBetween size="s">
            <Status {...result.data} />
            {result.data.output !== undefined && <Data label="Output" text={result.data.output} />}
            {nextId && (
              <Button
                onClick={() => {
                  if (next && result.data?.output !== undefined) keep(next, { input: prettyJson(result.data.output) });
                  onSelect(nextId);
                }}
              >
                Go on to {next} with this output
              </Button>
            )}
            {isMockable && result.data.inspectionData?.result !== undefined && given.mock === "" && (
              <Button onClick={() => keep(state.name, { mock: prettyJson(result.data?.inspectionData?.result ?? "") })}>
                Pin this result
              </Button>
            )}
            <Stages data={result.data.inspectionData} />
          </SpaceBetween>
        </section>
      )}
    </SpaceBetween>
  );
}

async function run(definition: Definition, roleArn: string, { state, given }: { state: State; given: TestCase }) {
  const { input, variables, mock, mockError } = given;
  const stands =
    mockError !== "" ? { errorOutput: { error: mockError } } : mock.trim() !== "" ? { result: mock } : undefined;
  return call("TestState", {
    definition: toJson(definition.text) ?? definition.text,
    stateName: state.name,
    roleArn,
    input,
    ...(variables.trim() === "" || variables.trim() === "{}" ? {} : { variables }),
    ...(stands ? { mock: { ...stands, fieldValidationMode: "NONE" as const } } : {}),
    inspectionLevel: "DEBUG",
  });
}

function Status({ status, error, cause, nextState }: TestedState) {
  const [type, text] = STATUSES[status];
  return (
    <SpaceBetween size="xxs">
      <SpaceBetween direction="horizontal" size="s">
        <StatusIndicator type={type}>{text}</StatusIndicator>
        {nextState !== undefined && <span>→ {nextState}</span>}
      </SpaceBetween>
      {error !== undefined && <Box color="text-status-error">{`${error}${cause ? `: ${cause}` : ""}`}</Box>}
    </SpaceBetween>
  );
}

/** How the input became the output, step by step. */
function Stages({ data }: { data: TestedState["inspectionData"] }) {
  const stages = Object.entries(data ?? {}).filter(([, value]) => typeof value === "string");
  if (stages.length === 0) return null;
  return (
    <ExpandableSection headerText="Step by step" headingTagOverride="h3">
      <SpaceBetween size="xs">
        {stages.map(([name, value]) => (
          <Data key={name} label={name} text={String(value)} />
        ))}
      </SpaceBetween>
    </ExpandableSection>
  );
}

function Data({ label, text }: { label: string; text: string }) {
  return (
    <div>
      <Box variant="awsui-key-label">{label}</Box>
      <pre className="data mono" tabIndex={0}>
        {prettyJson(text)}
      </pre>
    </div>
  );
}

function JsonField({ label, text, onChange }: { label: string; text: string; onChange: (text: string) => void }) {
  const isJson = text.trim() === "" || treeOf(text) !== undefined;
  return (
    <FormField label={label} errorText={isJson ? undefined : "This is not JSON yet."} stretch>
      <div className="mono">
        <Textarea
          rows={Math.min(8, Math.max(2, text.split("\n").length))}
          value={text}
          onChange={({ detail }) => onChange(detail.value)}
        />
      </div>
    </FormField>
  );
}
