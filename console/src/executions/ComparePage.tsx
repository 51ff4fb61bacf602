import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Crumbs, MACHINES } from "../app/Crumbs";
import { executionHref, Link, machineHref } from "../app/Link";
import { Problem } from "../app/Problem";
import { compareRoute } from "../app/router";
import { StatusText } from "../app/StatusText";
import { durationText, nameOf, prettyJson } from "../app/words";
import type { Execution } from "../aws/operations";
import { executionQuery, machineOfExecutionQuery } from "../aws/queries";
import GraphView, { type StateRun } from "../graph/GraphView";
import { StatusIcon } from "../graph/icons";
import { type Definition, readDefinition } from "../model/definition";
import { detailsOf, partsAt, type Run, readHistory, runsByState, type Visit } from "../model/history";
import "./execution.css";
import { fullEvent, useEvents } from "./events";

/** Two executions side by side: where they part, and what each state got and gave in both. */
export function ComparePage() {
  const { left, right } = compareRoute.useSearch();
  if (!left || !right) {
    return <Problem what="Two executions are compared" error="Select two of them in the list of a state machine." />;
  }
  return <Comparison key={`${left} ${right}`} left={left} right={right} />;
}

interface Side {
  arn: string;
  execution: Execution;
  run: Run;
}

function Comparison({ left, right }: { left: string; right: string }) {
  const machine = useQuery(machineOfExecutionQuery(left));
  const [one, other] = [useQuery(executionQuery(left)), useQuery(executionQuery(right))];
  const [ones, others] = [useEvents(left), useEvents(right)];
  const [a, b] = [useMemo(() => readHistory(ones.events), [ones]), useMemo(() => readHistory(others.events), [others])];
  const definition = useMemo(() => readDefinition(machine.data?.definition ?? ""), [machine.data]);
  const parts = useMemo(() => partsAt(a, b), [a, b]);
  const [chosen, setChosen] = useState<number>();
  const error = one.error ?? other.error ?? machine.error;
  if (error) return <Problem what="The executions cannot be compared" error={error} />;
  if (!one.data || !other.data || !definition) return <Spinner size="large" />;
  const sides: [Side, Side] = [
    { arn: left, execution: one.data, run: a },
    { arn: right, execution: other.data, run: b },
  ];
  const row = chosen ?? parts;
  const parting = parts === undefined ? undefined : (a.visits[parts] ?? b.visits[parts]);
  return (
    <div className="canvas execution">
      <div className="canvas-head">
        <Crumbs
          way={[MACHINES, [nameOf(one.data.stateMachineArn), machineHref(one.data.stateMachineArn)]]}
          here="Compare"
        />
        <Header variant="h1">
          {one.data.name} and {other.data.name}
        </Header>
      </div>
      <Alert type="info" statusIconAriaLabel="Info">
        {parting
          ? `They part at visit ${(parts ?? 0) + 1}, ${parting.name}. The graph marks where they differ.`
          : "They took the same way."}
      </Alert>
      <div className="execution-body">
        <GraphView definition={definition} label="Graph of both" runs={differences(definition, a, b)} />
        <div className="execution-side">
          <Rows sides={sides} parts={parts} row={row} onSelect={setChosen} />
          <section className="execution-details" aria-label="Selected visit in both">
            <div className="sides">
              {sides.map((side) => (
                <VisitData key={side.arn} side={side} visit={row === undefined ? undefined : side.run.visits[row]} />
              ))}
            </div>
          </section>
        </div>
      </div>
    </div>
  );
}

/** States by where they differ: `differs` marks those that only one entered, or that ended otherwise. */
function differences(definition: Definition, a: Run, b: Run): Map<string, StateRun> {
  const [ones, others] = [runsByState(definition, a), runsByState(definition, b)];
  const runs = new Map<string, StateRun>();
  for (const id of new Set([...ones.keys(), ...others.keys()])) {
    const [one, other] = [ones.get(id), others.get(id)];
    const isSame = one?.status === other?.status && one?.visits === other?.visits;
    const note = isSame ? undefined : !one ? "right only" : !other ? "left only" : `×${one.visits}, ×${other.visits}`;
    runs.set(id, { status: isSame ? (one?.status ?? "succeeded") : "differs", visits: 1, note });
  }
  return runs;
}

/** Rows that are drawn: what comes behind can be looked at in each execution by itself. */
const ROWS_MAX = 500;

function Rows(props: {
  sides: [Side, Side];
  parts: number | undefined;
  row: number | undefined;
  onSelect: (row: number) => void;
}) {
  const { sides, parts, row, onSelect } = props;
  const most = Math.max(...sides.map((side) => side.run.visits.length));
  const rows = Array.from({ length: Math.min(most, ROWS_MAX) }, (_, index) =>
    sides.map((side) => side.run.visits[index]),
  );
  return (
    <section className="execution-views" aria-label="Visits in both" tabIndex={0}>
      <table className="variables compare">
        <thead>
          <tr>
            <th scope="col">Visit</th>
            {sides.map(({ arn, execution, run }) => (
              <th scope="col" key={arn}>
                <SpaceBetween direction="horizontal" size="xs">
                  <Link href={executionHref(arn)}>{execution.name}</Link>
                  <StatusText status={execution.status} />
                  <span>{run.endMs === undefined ? "" : durationText(run.endMs - run.startMs)}</span>
                </SpaceBetween>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((visits, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a row is the place of two visits in their executions
            <tr key={index} className={`${index === parts ? "is-parting" : ""} ${index === row ? "is-selected" : ""}`}>
              <th scope="row">
                <button type="button" aria-pressed={index === row} onClick={() => onSelect(index)}>
                  {index + 1}
                </button>
              </th>
              {visits.map((visit, side) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: there are two sides
                <td key={side}>
                  <VisitCell visit={visit} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function VisitCell({ visit }: { visit: Visit | undefined }) {
  if (!visit) return <>–</>;
  return (
    <span className="status-cell" style={{ paddingInlineStart: visit.depth * 14 }}>
      <StatusIcon status={visit.status} />
      {visit.name}
      {visit.iteration === undefined ? "" : ` #${visit.iteration}`}
      <span>{visit.endMs === undefined ? "" : durationText(visit.endMs - visit.startMs)}</span>
    </span>
  );
}

function VisitData({ side, visit }: { side: Side; visit: Visit | undefined }) {
  const entered = useQuery(fullEvent(side.arn, visit?.id));
  const exited = useQuery(fullEvent(side.arn, visit?.exited?.id));
  const input = visit ? entered.data && detailsOf(entered.data).input : side.execution.input;
  const output = visit ? visit.exited && exited.data && detailsOf(exited.data).output : side.execution.output;
  return (
    <SpaceBetween size="xs">
      <Box variant="h3">
        {side.execution.name}: {visit?.name ?? "execution"}
      </Box>
      {visit?.error && <Box color="text-status-error">{`${visit.error}${visit.cause ? `: ${visit.cause}` : ""}`}</Box>}
      {[["Input", input] as const, ["Output", output] as const].map(([label, text]) => (
        <div key={label}>
          <Box variant="awsui-key-label">{label}</Box>
          <pre className="data mono" tabIndex={0}>
            {typeof text === "string" ? prettyJson(text) : "–"}
          </pre>
        </div>
      ))}
    </SpaceBetween>
  );
}
