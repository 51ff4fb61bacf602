import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Dialog } from "../app/Dialog";
import { executionHref, go, Link } from "../app/Link";
import { StatusText } from "../app/StatusText";
import { prettyJson } from "../app/words";
import { call, messageOf } from "../aws/client";
import type { MachineType } from "../aws/operations";
import { lastInputQuery } from "../aws/queries";
import { Code } from "../code/Code";
import { lastInputs, rememberInput } from "./inputs";

const OPTION_CHARS = 70;

/**
 * Starts an execution and goes to it; one of an Express state machine is waited for, and its outcome shown here.
 * `input` is what stands in the editor first.
 */
export function StartExecution(props: { machineArn: string; type: MachineType; input?: string; onClose: () => void }) {
  const { machineArn, type, onClose } = props;
  const [inputs] = useState(() => lastInputs(machineArn));
  const [name, setName] = useState("");
  const [typed, setInput] = useState(() => props.input ?? inputs[0]);
  // What nobody has started from this browser begins with what it was given last.
  const last = useQuery({ ...lastInputQuery(machineArn), enabled: typed === undefined && type === "STANDARD" });
  const input = typed ?? (last.data ? prettyJson(last.data) : "{}");
  const queries = useQueryClient();
  const asked = { stateMachineArn: machineArn, name: name || undefined, input };
  const sync = useMutation({
    mutationFn: () => call("StartSyncExecution", asked),
    onSuccess: () => {
      rememberInput(machineArn, input);
      return queries.invalidateQueries({ queryKey: ["search"] });
    },
  });
  const start = useMutation({
    mutationFn: () => call("StartExecution", asked),
    onSuccess: ({ executionArn }) => {
      rememberInput(machineArn, input);
      queries.invalidateQueries({ queryKey: ["executions", machineArn] });
      go(executionHref(executionArn));
    },
  });
  return (
    <Dialog
      size="large"
      header="Start execution"
      action="Start"
      isBusy={start.isPending || sync.isPending}
      onAct={() => (type === "EXPRESS" ? sync : start).mutate()}
      onClose={onClose}
    >
      {(start.error ?? sync.error) && (
        <Alert type="error" statusIconAriaLabel="Error" header="It was not started">
          {messageOf(start.error ?? sync.error)}
        </Alert>
      )}
      {sync.data && (
        <section aria-label="Outcome">
          <SpaceBetween direction="horizontal" size="m">
            <StatusText status={sync.data.status} />
            <Link href={executionHref(sync.data.executionArn)}>Show the execution</Link>
          </SpaceBetween>
          <pre className="data mono" tabIndex={0}>
            {sync.data.output === undefined
              ? `${sync.data.error ?? ""}: ${sync.data.cause ?? ""}`
              : prettyJson(sync.data.output)}
          </pre>
        </section>
      )}
      <FormField label="Name" constraintText="Left empty, it gets one of its own.">
        <Input value={name} onChange={(event) => setName(event.detail.value)} />
      </FormField>
      {inputs.length > 0 && (
        <FormField label="Last inputs">
          <Select
            selectedOption={null}
            placeholder="Take one of the last inputs"
            options={inputs.map((value) => ({ value, label: value.replaceAll(/\s+/g, " ").slice(0, OPTION_CHARS) }))}
            onChange={(event) => setInput(event.detail.selectedOption.value ?? "{}")}
          />
        </FormField>
      )}
      <SpaceBetween size="xs">
        <Box variant="awsui-key-label">Input</Box>
        <div className="input-editor">
          <Code text={input} label="Input" onChange={setInput} />
        </div>
        <Button onClick={() => setInput(prettyJson(input))}>Format</Button>
      </SpaceBetween>
    </Dialog>
  );
}
