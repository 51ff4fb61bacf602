import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Tabs from "@cloudscape-design/components/tabs";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { Crumbs, MACHINES } from "../app/Crumbs";
import { editorHref, executionHref, go, Link, machineHref, mapRunHref } from "../app/Link";
import { done, failed } from "../app/notices";
import { Problem } from "../app/Problem";
import { type ExecutionView, executionRoute } from "../app/router";
import { StatusText } from "../app/StatusText";
import { dateText, durationText, nameOf } from "../app/words";
import { call } from "../aws/client";
import { waitingOfQuery } from "../aws/consoleApi";
import type { Execution } from "../aws/operations";
import { executionQuery, isExpress, machineOfExecutionQuery } from "../aws/queries";
import GraphView from "../graph/GraphView";
import { readDefinition } from "../model/definition";
import { edgesTaken, type Run, readHistory, runsByState, stateIdsByName, type Visit } from "../model/history";
import { isInItem, itemIn, mapOf } from "../model/items";
import { startedBy } from "../model/links";
import { EventList } from "./EventList";
import "./execution.css";
import { useEvents } from "./events";
import { Scrubber } from "./Scrubber";
import { Timeline } from "./Timeline";
import { VisitDetails } from "./VisitDetails";
import { VisitTable } from "./VisitTable";

// What is opened in some sittings alone.
const LogList = lazy(() => import("./LogList").then((of) => ({ default: of.LogList })));
const StartExecution = lazy(() => import("../machines/StartExecution").then((of) => ({ default: of.StartExecution })));

/** One execution: what it is, where it stands now or stood then, and what each state got and gave. */
export function ExecutionPage() {
  const { arn } = executionRoute.useParams();
  return <OneExecution key={arn} arn={arn} />;
}

function OneExecution({ arn }: { arn: string }) {
  const search = executionRoute.useSearch();
  const navigate = executionRoute.useNavigate();
  const [round, setRound] = useState(0);
  const feed = useEvents(arn, round);
  const execution = useQuery(executionQuery(arn));
  const machine = useQuery(machineOfExecutionQuery(arn));
  const [again, setAgain] = useState(false);
  const { events } = feed;
  const definition = useMemo(() => readDefinition(machine.data?.definition ?? ""), [machine.data]);
  const run = useMemo(() => readHistory(events, search.at), [events, search.at]);
  // One that is named by another of its events, such as the one that scheduled a task.
  const visit = search.visit === undefined ? undefined : (run.byId.get(search.visit) ?? run.visitOf.get(search.visit));
  const map = search.item === undefined ? undefined : mapOf(visit);
  const shown = useMemo((): Run => {
    const item = search.item;
    if (!map || item === undefined) return run;
    return { ...run, visits: run.visits.filter((visit) => isInItem(visit, map, item)) };
  }, [run, map, search.item]);
  const runs = useMemo(() => definition && runsByState(definition, shown), [definition, shown]);
  const taken = useMemo(() => definition && edgesTaken(definition, shown), [definition, shown]);
  const ids = useMemo(() => (definition ? stateIdsByName(definition) : new Map<string, string>()), [definition]);

  const queries = useQueryClient();
  const isEnded = feed.by === "ended";
  useEffect(() => {
    if (isEnded) queries.invalidateQueries({ queryKey: ["execution", arn] });
  }, [isEnded, queries, arn]);

  const waiting = useQuery(waitingOfQuery(arn, feed.by !== "ended" && !isExpress(arn)));
  const [pointed, setPointed] = useState<string>();
  const selected = visit ? ids.get(visit.name) : pointed;
  /** Another `item` of a Map, or `null`, all of them; else an item is followed within its Map, and left with it. */
  const choose = (visit: Visit | undefined, item?: number | null) => {
    setPointed(undefined);
    const followed = search.item !== undefined && map && visit ? itemIn(visit, map, search.item) : undefined;
    navigate({
      search: { ...search, visit: visit?.id, item: item === undefined ? followed : (item ?? undefined) },
      replace: true,
    });
  };
  const chooseState = (id: string | undefined) => {
    const name = id === undefined ? undefined : definition?.states.get(id)?.name;
    const last = shown.visits.findLast((visit) => visit.name === name);
    if (last) return choose(last);
    setPointed(id);
    navigate({ search: { ...search, visit: undefined }, replace: true });
  };
  const showAt = (at: number | undefined) => navigate({ search: { ...search, at }, replace: true });

  if (execution.error) return <Problem what="The execution cannot be shown" error={execution.error} />;
  if (!execution.data || !definition || !runs) return <Spinner size="large" />;
  const views = [
    {
      id: "timeline",
      label: "Timeline",
      content: <Timeline run={run} selected={visit} onSelect={choose} live={!isEnded && search.at === undefined} />,
    },
    { id: "table", label: "Table", content: <VisitTable run={run} selected={visit} onSelect={choose} /> },
    {
      id: "events",
      label: `Events (${events.length})`,
      content: <EventList arn={arn} events={events} run={run} selected={visit} onSelect={choose} until={search.at} />,
    },
    {
      id: "logs",
      label: "Logs",
      content: (
        <Suspense fallback={<Spinner />}>
          <LogList
            arn={arn}
            events={events}
            run={run}
            logging={machine.data?.loggingConfiguration}
            selected={visit}
            onSelect={choose}
          />
        </Suspense>
      ),
    },
  ];
  return (
    <div className="canvas execution">
      <Head
        execution={execution.data}
        run={run}
        past={search.at !== undefined}
        by={feed.by}
        state={selected === undefined ? undefined : definition.states.get(selected)?.name}
        onAgain={() => setAgain(true)}
        onRedriven={() => setRound((round) => round + 1)}
      />
      <Scrubber events={events} at={search.at} onChange={showAt} />
      <Failure run={run} onShow={choose} />
      <div className="execution-body">
        <GraphView
          definition={definition}
          label="Graph of the execution"
          runs={runs}
          {...(taken ? { taken } : {})}
          selected={selected}
          onSelect={chooseState}
        />
        <div className="execution-side">
          <div className="execution-views">
            <Tabs
              ariaLabel="Views of the execution"
              activeTabId={search.view ?? "timeline"}
              onChange={(event) =>
                navigate({ search: { ...search, view: event.detail.activeTabId as ExecutionView }, replace: true })
              }
              tabs={views}
            />
          </div>
          <section className="execution-details" aria-label="Selected state">
            <VisitDetails
              arn={arn}
              execution={execution.data}
              run={run}
              visit={visit}
              state={selected === undefined ? undefined : definition.states.get(selected)}
              text={definition.text}
              onSelect={choose}
              item={search.item}
              waiting={waiting.data?.find(({ task }) => run.visitOf.get(task) === visit)}
            />
          </section>
        </div>
      </div>
      <Suspense>
        {again && (
          <StartExecution
            machineArn={execution.data.stateMachineArn}
            type={isExpress(arn) ? "EXPRESS" : "STANDARD"}
            input={execution.data.input ?? "{}"}
            onClose={() => setAgain(false)}
          />
        )}
      </Suspense>
    </div>
  );
}

function Head(props: {
  execution: Execution;
  run: Run;
  past: boolean;
  by: string;
  /** The name of the selected state. */
  state: string | undefined;
  onAgain: () => void;
  onRedriven: () => void;
}) {
  const { execution, run } = props;
  const { executionArn, stateMachineArn } = execution;
  const queries = useQueryClient();
  const isRunning = !props.past && run.status === "RUNNING" && execution.status === "RUNNING";
  const stop = useMutation({
    mutationFn: () => call("StopExecution", { executionArn, cause: "Stopped in the console" }),
    onSuccess: () => done("The execution is stopped."),
    onError: (error) => failed("The execution cannot be stopped", error),
    onSettled: () => queries.invalidateQueries({ queryKey: ["execution", executionArn] }),
  });
  const redrive = useMutation({
    mutationFn: () => call("RedriveExecution", { executionArn }),
    onSuccess: () => {
      done("The execution goes on where it failed.");
      props.onRedriven();
    },
    onError: (error) => failed("The execution cannot be redriven", error),
    onSettled: () => queries.invalidateQueries({ queryKey: ["execution", executionArn] }),
  });
  const endMs = run.endMs ?? (isRunning ? Date.now() : run.lastMs);
  const isKept = !isExpress(executionArn);
  const parent = startedBy(execution.input);
  const status = run.visits.length > 0 || run.status !== "RUNNING" ? run.status : execution.status;
  return (
    <div className="canvas-head">
      <Crumbs way={[MACHINES, [nameOf(stateMachineArn), machineHref(stateMachineArn)]]} here={execution.name} />
      <Header
        variant="h1"
        info={
          <SpaceBetween direction="horizontal" size="m">
            <StatusText status={status} />
            <Box variant="span">{durationText(endMs - run.startMs)}</Box>
            <Box variant="span">{dateText(execution.startDate)}</Box>
            {parent && <Link href={executionHref(parent)}>Started by {nameOf(parent)}</Link>}
            {execution.mapRunArn && <Link href={mapRunHref(execution.mapRunArn)}>Map Run</Link>}
            {execution.billingDetails && (
              <Box variant="span">
                Express, billed {execution.billingDetails.billedDurationInMilliseconds} ms at{" "}
                {execution.billingDetails.billedMemoryUsedInMB} MB
              </Box>
            )}
            <Box variant="span" color="text-body-secondary">
              <span data-feed={props.by}>{props.by === "ended" ? "" : props.by === "stream" ? "Live" : "Polling"}</span>
            </Box>
          </SpaceBetween>
        }
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            {isKept && (
              <Button disabled={!isRunning} loading={stop.isPending} onClick={() => stop.mutate()}>
                Stop
              </Button>
            )}
            {isKept && (
              <Button
                disabled={execution.redriveStatus !== "REDRIVABLE" || props.past}
                loading={redrive.isPending}
                onClick={() => redrive.mutate()}
              >
                Redrive
              </Button>
            )}
            <Button onClick={() => go(editorHref(stateMachineArn, props.state))}>Edit</Button>
            {/* Children of a Map Run are started by it alone. */}
            {!execution.mapRunArn && <Button onClick={props.onAgain}>New execution</Button>}
          </SpaceBetween>
        }
      >
        {execution.name}
      </Header>
    </div>
  );
}

function Failure({ run, onShow }: { run: Run; onShow: (visit: Visit) => void }) {
  if (run.status !== "FAILED") return null;
  const visit = run.visits.findLast((visit) => visit.status === "failed");
  return (
    <Alert
      type="error"
      statusIconAriaLabel="Error"
      header={visit?.error || "The execution failed"}
      action={visit && <Button onClick={() => onShow(visit)}>Show {visit.name}</Button>}
    >
      {visit?.cause}
    </Alert>
  );
}
