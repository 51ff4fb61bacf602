import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tabs from "@cloudscape-design/components/tabs";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Facts } from "../app/Facts";
import { executionHref, Link, mapRunHref } from "../app/Link";
import { durationText, nameOf, numberText, prettyJson } from "../app/words";
import type { WaitingTask } from "../aws/consoleApi";
import type { Execution } from "../aws/operations";
import { StatusIcon } from "../graph/icons";
import type { State } from "../model/definition";
import { type Attempt, detailsOf, type Run, type Visit, variablesAt } from "../model/history";
import { jsonChanges } from "../model/jsonDifference";
import { startedIn } from "../model/links";
import { AnswerTask } from "../tasks/AnswerTask";
import { fullEvent } from "./events";
import { ItemList } from "./ItemList";

/** What a state got and gave in one visit; without a visit, what the execution did. */
export function VisitDetails(props: {
  arn: string;
  execution: Execution;
  run: Run;
  visit: Visit | undefined;
  state: State | undefined;
  text: string;
  onSelect: (visit: Visit | undefined, item?: number | null) => void;
  /** The item of a Map that is looked at. */
  item: number | undefined;
  /** Its task, if that waits for an answer with its token. */
  waiting: WaitingTask | undefined;
}) {
  const { arn, execution, run, visit, state, text, waiting } = props;
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
  const started = startedIn(visit.events);
  const input = entered.data && (detailsOf(entered.data).input as string | undefined);
  const output = exited.data && visit.exited && (detailsOf(exited.data).output as string | undefined);
  const variables = variablesAt(run, visit);
  return (
    <SpaceBetween size="xs">
      <div className="visit-title">
        <StatusIcon status={visit.status} />
        <Box variant="h3">{visit.name}</Box>
        <WhichVisit visits={visits} visit={visit} onSelect={props.onSelect} />
        {waiting && <AnswerButton task={waiting} />}
      </div>
      {started.executions.length + started.mapRuns.length > 0 && (
        <div className="links">
          {started.executions.map((arn) => (
            <Link key={arn} href={executionHref(arn)}>
              Execution {nameOf(arn)}
            </Link>
          ))}
          {started.mapRuns.map((arn) => (
            <Link key={arn} href={mapRunHref(arn)}>
              Map Run
            </Link>
          ))}
        </div>
      )}
      {visit.error !== undefined && (
        <Box color="text-status-error">
          {visit.error}
          {visit.cause ? `: ${visit.cause}` : ""}
        </Box>
      )}
      <Tabs
        ariaLabel="About this visit"
        activeTabId={tab === "items" && !visit.items ? "data" : tab}
        onChange={(event) => setTab(event.detail.activeTabId)}
        tabs={[
          ...(visit.items
            ? [
                {
                  id: "items",
                  label: `Items (${numberText(visit.items.total)})`,
                  content: (
                    <ItemList
                      run={run}
                      map={visit}
                      selected={props.item}
                      onSelect={(item) => props.onSelect(visit, item?.index ?? null)}
                    />
                  ),
                },
              ]
            : []),
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
            id: "changes",
            label: "Changes",
            content: <Changes input={input} output={output} />,
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

/** So many visits are offered by name; more are gone to by number. */
const VISITS_NAMED_MAX = 100;

function WhichVisit(props: { visits: Visit[]; visit: Visit; onSelect: (visit: Visit) => void }) {
  const { visits, visit, onSelect } = props;
  if (visits.length <= 1) return null;
  const number = visits.indexOf(visit) + 1;
  const words = (other: Visit, index: number) =>
    `${index + 1} of ${visits.length}${other.iteration === undefined ? "" : `, item ${other.iteration}`}, ${other.status}`;
  if (visits.length > VISITS_NAMED_MAX) {
    return (
      <>
        <input
          type="number"
          aria-label="Which visit"
          min={1}
          max={visits.length}
          value={number}
          onChange={(event) => {
            const other = visits[Number(event.target.value) - 1];
            if (other) onSelect(other);
          }}
        />
        <Box variant="span">{words(visit, number - 1).replace(/^\d+ /, "")}</Box>
      </>
    );
  }
  return (
    <select
      aria-label="Which visit"
      value={visit.id}
      onChange={(event) => {
        const other = visits.find(({ id }) => id === Number(event.target.value));
        if (other) onSelect(other);
      }}
    >
      {visits.map((other, index) => (
        <option key={other.id} value={other.id}>
          {words(other, index)}
        </option>
      ))}
    </select>
  );
}

/** The answer to a task that waits for one, in the place of whoever holds its token. */
function AnswerButton({ task }: { task: WaitingTask }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button onClick={() => setAsking(true)}>Answer</Button>
      {asking && (
        <Modal visible header={`Answer ${task.state}`} closeAriaLabel="Close" onDismiss={() => setAsking(false)}>
          <AnswerTask task={task} onAnswered={() => setAsking(false)} />
        </Modal>
      )}
    </>
  );
}

const CHANGES_MAX = 500;

function Changes({ input, output }: { input: string | undefined; output: string | undefined }) {
  if (input === undefined || output === undefined) {
    return <Box color="text-body-secondary">There are no two sides yet.</Box>;
  }
  const changes = jsonChanges(input, output, CHANGES_MAX);
  if (changes.length === 0) return <Box color="text-body-secondary">The output is the input.</Box>;
  return (
    <Facts
      columns={["Where", "Input", "Output"]}
      rows={changes.map(({ path, kind, before, after }) => ({
        key: path,
        className: `is-${kind}`,
        cells: [path, before ?? "–", after ?? "–"],
      }))}
    />
  );
}

function Variables({ before, after }: { before: Map<string, string>; after: Map<string, string> }) {
  if (after.size === 0) return <Box color="text-body-secondary">No variable is assigned at this point.</Box>;
  return (
    <Facts
      columns={["Name", "Before", "After"]}
      rows={[...after].map(([name, value]) => ({
        key: name,
        className: before.get(name) === value ? "" : "is-changed",
        cells: [`$${name}`, before.get(name) ?? "–", value],
      }))}
    />
  );
}

function Attempts({ attempts }: { attempts: readonly Attempt[] }) {
  return (
    <Facts
      columns={["Attempt", "Outcome", "Duration", "Error"]}
      rows={attempts.map(({ scheduled, startMs, endMs, outcome, error, cause }, index) => ({
        key: scheduled?.id ?? startMs,
        cells: [
          index + 1,
          outcome,
          endMs === undefined ? "–" : durationText(endMs - startMs),
          `${error ?? ""}${cause ? `: ${cause}` : ""}`,
        ],
      }))}
    />
  );
}
