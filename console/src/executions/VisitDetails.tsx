import Box from "@cloudscape-design/components/box";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tabs from "@cloudscape-design/components/tabs";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { durationText, prettyJson } from "../app/words";
import type { Execution } from "../aws/operations";
import { StatusIcon } from "../graph/icons";
import type { State } from "../model/definition";
import { type Attempt, detailsOf, type Run, type Visit, variablesAt } from "../model/history";
import { fullEvent } from "./events";

/** What a state got and gave in one visit; without a visit, what the execution did. */
export function VisitDetails(props: {
  arn: string;
  execution: Execution;
  run: Run;
  visit: Visit | undefined;
  state: State | undefined;
  text: string;
  onSelect: (visit: Visit) => void;
}) {
  const { arn, execution, run, visit, state, text } = props;
  const [tab, setTab] = useState("data");
  const entered = useQuery(fullEvent(arn, visit?.id));
  const exited = useQuery(fullEvent(arn, visit?.exited?.id));
  if (!visit && !state) {
    const isOver = run.status === execution.status && run.status !== "RUNNING";
    return (
      <Sides
        title="Execution"
        left={["Input", execution.input]}
        right={["Output", isOver ? execution.output : undefined]}
        none={run.status === "RUNNING" ? "It has not ended." : "It has none."}
      />
    );
  }
  const definition = state && (
    <Data
      text={prettyJson(
        text.slice(text.indexOf(":", state.offset + state.name.length) + 1, state.offset + state.length),
      )}
    />
  );
  if (!visit) {
    return (
      <SpaceBetween size="s">
        <Box variant="h3">{state?.name}</Box>
        <Box>It was not entered{props.run.status === "RUNNING" ? " yet" : ""}.</Box>
        {definition}
      </SpaceBetween>
    );
  }
  const visits = run.visits.filter((other) => other.name === visit.name);
  const input = entered.data && (detailsOf(entered.data).input as string | undefined);
  const output = exited.data && visit.exited && (detailsOf(exited.data).output as string | undefined);
  const variables = variablesAt(run, visit);
  return (
    <SpaceBetween size="xs">
      <div className="visit-title">
        <StatusIcon status={visit.status} />
        <Box variant="h3">{visit.name}</Box>
        {visits.length > 1 && (
          <select
            aria-label="Which visit"
            value={visit.id}
            onChange={(event) => {
              const other = run.byId.get(Number(event.target.value));
              if (other) props.onSelect(other);
            }}
          >
            {visits.map((other, index) => (
              <option key={other.id} value={other.id}>
                {`${index + 1} of ${visits.length}${other.iteration === undefined ? "" : `, item ${other.iteration}`}, ${other.status}`}
              </option>
            ))}
          </select>
        )}
      </div>
      {visit.error !== undefined && (
        <Box color="text-status-error">
          {visit.error}
          {visit.cause ? `: ${visit.cause}` : ""}
        </Box>
      )}
      <Tabs
        ariaLabel="About this visit"
        activeTabId={tab}
        onChange={(event) => setTab(event.detail.activeTabId)}
        tabs={[
          {
            id: "data",
            label: "Input and output",
            content: (
              <Sides
                left={["Input", input]}
                right={["Output", output]}
                none={visit.exited ? "–" : "It was not left."}
              />
            ),
          },
          {
            id: "variables",
            label: `Variables (${variables.after.size})`,
            content: <Variables before={variables.before} after={variables.after} />,
          },
          {
            id: "details",
            label: "Details",
            content: (
              <SpaceBetween size="m">
                <KeyValuePairs
                  columns={3}
                  items={[
                    { label: "Type", value: visit.type },
                    { label: "Started after", value: durationText(visit.startMs - run.startMs) },
                    {
                      label: "Duration",
                      value: visit.endMs === undefined ? "–" : durationText(visit.endMs - visit.startMs),
                    },
                    ...(visit.items
                      ? [
                          {
                            label: "Items",
                            value: `${visit.items.succeeded} of ${visit.items.total} succeeded, ${visit.items.failed} failed`,
                          },
                        ]
                      : []),
                  ]}
                />
                {visit.attempts.length > 0 && <Attempts attempts={visit.attempts} />}
              </SpaceBetween>
            ),
          },
          { id: "definition", label: "Definition", content: definition },
        ]}
      />
    </SpaceBetween>
  );
}

function Sides(props: {
  title?: string;
  left: [string, string | undefined];
  right: [string, string | undefined];
  none: string;
}) {
  return (
    <SpaceBetween size="xs">
      {props.title && <Box variant="h3">{props.title}</Box>}
      <div className="sides">
        {[props.left, props.right].map(([label, text]) => (
          <div key={label}>
            <Box variant="awsui-key-label">{label}</Box>
            {text === undefined ? (
              <Box color="text-body-secondary">{props.none}</Box>
            ) : (
              <Data text={prettyJson(text)} />
            )}
          </div>
        ))}
      </div>
    </SpaceBetween>
  );
}

function Data({ text }: { text: string }) {
  return (
    <pre className="data mono" tabIndex={0}>
      {text}
    </pre>
  );
}

function Variables({ before, after }: { before: Map<string, string>; after: Map<string, string> }) {
  if (after.size === 0) return <Box color="text-body-secondary">No variable is assigned at this point.</Box>;
  return (
    <table className="variables">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {[...after].map(([name, value]) => (
          <tr key={name} className={before.get(name) === value ? "" : "is-changed"}>
            <th scope="row">${name}</th>
            <td className="mono">{before.get(name) ?? "–"}</td>
            <td className="mono">{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Attempts({ attempts }: { attempts: readonly Attempt[] }) {
  return (
    <table className="variables">
      <thead>
        <tr>
          <th scope="col">Attempt</th>
          <th scope="col">Outcome</th>
          <th scope="col">Duration</th>
          <th scope="col">Error</th>
        </tr>
      </thead>
      <tbody>
        {attempts.map((attempt, index) => (
          <tr key={attempt.scheduled?.id ?? attempt.startMs}>
            <th scope="row">{index + 1}</th>
            <td>{attempt.outcome}</td>
            <td>{attempt.endMs === undefined ? "–" : durationText(attempt.endMs - attempt.startMs)}</td>
            <td>
              {attempt.error}
              {attempt.cause ? `: ${attempt.cause}` : ""}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
