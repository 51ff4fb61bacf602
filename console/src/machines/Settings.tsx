import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { done, failed } from "../app/notices";
import { call } from "../aws/client";
import type { Logging, Machine } from "../aws/operations";
import { machineQuery } from "../aws/queries";

type Level = NonNullable<Logging["level"]>;

const LEVELS: { id: Level; text: string }[] = [
  { id: "OFF", text: "Nothing" },
  { id: "ALL", text: "Every event" },
  { id: "ERROR", text: "Errors" },
  { id: "FATAL", text: "Bad ends alone" },
];

/** What of a state machine can be changed besides its definition. */
interface Kept {
  role: string;
  level: Level;
  withData: boolean;
  group: string;
  tracing: boolean;
}

function keptOf(machine: Machine): Kept {
  const logging = machine.loggingConfiguration;
  return {
    role: machine.roleArn,
    level: logging?.level ?? "OFF",
    withData: logging?.includeExecutionData ?? false,
    group: logging?.destinations?.[0]?.cloudWatchLogsLogGroup?.logGroupArn ?? groupFor(machine),
    tracing: machine.tracingConfiguration?.enabled ?? false,
  };
}

/** The log group that AWS's console names. */
function groupFor({ stateMachineArn, name }: Machine): string {
  const [, partition, , region, account] = stateMachineArn.split(":");
  return `arn:${partition}:logs:${region}:${account}:log-group:/aws/vendedlogs/states/${name}-Logs:*`;
}

/** Role, logging and tracing, to be changed together. */
export function Settings({ machine }: { machine: Machine }) {
  const { stateMachineArn } = machine;
  const kept = keptOf(machine);
  const [edited, setEdited] = useState<Kept>();
  const queries = useQueryClient();
  const shown = edited ?? kept;
  const edit = (part: Partial<Kept>) => setEdited({ ...shown, ...part });
  const save = useMutation({
    mutationFn: ({ role, level, withData, group, tracing }: Kept) =>
      call("UpdateStateMachine", {
        stateMachineArn,
        roleArn: role,
        loggingConfiguration:
          level === "OFF"
            ? { level, includeExecutionData: false }
            : {
                level,
                includeExecutionData: withData,
                destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: group } }],
              },
        tracingConfiguration: { enabled: tracing },
      }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: machineQuery(stateMachineArn).queryKey });
      setEdited(undefined);
      done("The settings are saved.");
    },
    onError: (error) => failed("The settings cannot be saved", error),
  });
  const isChanged = edited !== undefined && JSON.stringify(edited) !== JSON.stringify(kept);
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              {isChanged && (
                <Button variant="link" onClick={() => setEdited(undefined)}>
                  Discard
                </Button>
              )}
              <Button disabled={!isChanged} loading={save.isPending} onClick={() => save.mutate(shown)}>
                Save settings
              </Button>
            </SpaceBetween>
          }
        >
          Settings
        </Header>
      }
    >
      <SpaceBetween size="l">
        <FormField
          label="Role"
          description="Handed to AWS with each call where the server assumes roles; kept and shown in any case."
          stretch
        >
          <Input value={shown.role} onChange={({ detail }) => edit({ role: detail.value })} />
        </FormField>
        <FormField label="What is logged" description="To where the server sends execution logs.">
          <SegmentedControl
            label="What is logged"
            selectedId={shown.level}
            options={LEVELS}
            onChange={({ detail }) => edit({ level: detail.selectedId as Level })}
          />
        </FormField>
        {shown.level !== "OFF" && (
          <SpaceBetween size="l">
            <Checkbox checked={shown.withData} onChange={({ detail }) => edit({ withData: detail.checked })}>
              With inputs and outputs
            </Checkbox>
            <FormField label="Log group" description="The ARN of a CloudWatch log group; it ends with :*" stretch>
              <Input value={shown.group} onChange={({ detail }) => edit({ group: detail.value })} />
            </FormField>
          </SpaceBetween>
        )}
        <Checkbox
          checked={shown.tracing}
          description="Kept and shown; nothing is traced yet."
          onChange={({ detail }) => edit({ tracing: detail.checked })}
        >
          X-Ray tracing
        </Checkbox>
        <Box color="text-body-secondary" fontSize="body-s">
          Name and type cannot be changed. Executions that run already keep the settings that they began with.
        </Box>
      </SpaceBetween>
    </Container>
  );
}
