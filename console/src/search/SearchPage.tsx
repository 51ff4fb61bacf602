import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import PropertyFilter, { type PropertyFilterProps } from "@cloudscape-design/components/property-filter";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { compareHref, go, Link, machineHref, mapRunHref } from "../app/Link";
import { done, failed } from "../app/notices";
import { Problem } from "../app/Problem";
import { PERIODS, type SearchWords, searchRoute } from "../app/router";
import { statusName } from "../app/StatusText";
import { dateText, nameOf, numberText } from "../app/words";
import { call } from "../aws/client";
import { type FoundExecution, searchQuery, stateQuery } from "../aws/consoleApi";
import { EXECUTION_STATUSES } from "../aws/operations";
import { machinesQuery } from "../aws/queries";
import { EXECUTION_COLUMNS } from "../executions/columns";
import { isDeep, serverQuery, tokensOf, wordsOf } from "./filters";
import "./search.css";

/** So many more are looked for by themselves, and so many answers are asked for; then a button goes on. */
const WANTED = 50;
const ANSWERS = 20;

const PERIOD_WORDS = {
  "15m": "Last 15 minutes",
  "1h": "Last hour",
  "1d": "Last day",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
};
const ANY_TIME = { value: "", label: "Any time" };
const BETWEEN = { value: "between", label: "Between …" };
const TIMES = [ANY_TIME, ...PERIODS.map((period) => ({ value: period, label: PERIOD_WORDS[period] })), BETWEEN];

const PROPERTIES: PropertyFilterProps.FilteringProperty[] = [
  { key: "name", propertyLabel: "Name", groupValuesLabel: "Names", operators: [":"] },
  { key: "status", propertyLabel: "Status", groupValuesLabel: "Statuses", operators: ["="] },
  { key: "machine", propertyLabel: "State machine", groupValuesLabel: "State machines", operators: ["="] },
  { key: "error", propertyLabel: "Error", groupValuesLabel: "Errors", operators: [":"] },
  { key: "input", propertyLabel: "Input", groupValuesLabel: "Inputs", operators: [":"] },
  { key: "output", propertyLabel: "Output", groupValuesLabel: "Outputs", operators: [":"] },
];
const VALUES = new Set(["input", "output"]);

const { name, status, started, duration } = EXECUTION_COLUMNS;
const COLUMNS: TableProps.ColumnDefinition<FoundExecution>[] = [
  name,
  { id: "machine", header: "State machine", cell: ({ stateMachineArn: arn }) => <Origin arn={arn} /> },
  status,
  { id: "error", header: "Error", cell: ({ error }) => error ?? "–" },
  started,
  duration,
];

/** Whose execution it is: a state machine's, or a Map Run's. */
function Origin({ arn }: { arn: string }) {
  if (arn.includes(":mapRun:")) return <Link href={mapRunHref(arn)}>Map Run</Link>;
  return <Link href={machineHref(arn)}>{nameOf(arn)}</Link>;
}

/** Executions of all state machines, by what they are and what they carry. The search is in the address. */
export function SearchPage() {
  const words = searchRoute.useSearch();
  const [opened] = useState(() => Date.now() / 1000);
  const search = useSearch(words, opened);
  const [selected, setSelected] = useState<FoundExecution[]>([]);
  const { found, examined, reached } = search;
  if (search.error) {
    return (
      <SpaceBetween size="l">
        <Filter words={words} />
        <Problem what="The search does not work" error={search.error} retry={search.again} />
      </SpaceBetween>
    );
  }
  return (
    <Table
      variant="full-page"
      stickyHeader
      columnDefinitions={COLUMNS}
      items={found}
      trackBy="executionArn"
      selectionType="multi"
      selectedItems={selected}
      onSelectionChange={(event) => setSelected(event.detail.selectedItems)}
      loading={search.isBusy && found.length === 0}
      loadingText={examined > 0 ? `Looked at ${numberText(examined)} executions` : "Searching"}
      ariaLabels={{
        selectionGroupLabel: "Executions",
        allItemsSelectionLabel: () => "Select all",
        itemSelectionLabel: (_, execution) => `Select ${execution.name}`,
        tableLabel: "Executions",
      }}
      header={
        <Header
          variant="awsui-h1-sticky"
          counter={search.isPending ? "" : `(${numberText(found.length)}${search.more ? "+" : ""})`}
          actions={<Actions selected={selected} onDone={() => setSelected([])} onRefresh={search.again} />}
        >
          Executions
        </Header>
      }
      filter={<Filter words={words} />}
      empty={<Box textAlign="center">{search.more ? "None was found yet." : "None was found."}</Box>}
      footer={
        <div className="search-foot">
          <output>
            {search.isBusy ? "Searching: " : ""}
            {numberText(examined)} executions looked at
            {search.more && reached !== undefined ? `, back to ${dateText(reached)}` : ""}
          </output>
          {search.more && !search.isBusy && <Button onClick={search.further}>Search further</Button>}
        </div>
      }
    />
  );
}

/** Goes on by itself until enough are found, within a bound. */
function useSearch(words: SearchWords, now: number) {
  const query = serverQuery(words, now);
  const pages = useInfiniteQuery(searchQuery(query, !isDeep(words)));
  const [wanted, setWanted] = useState({ query, found: WANTED, answers: ANSWERS });
  const bound = wanted.query === query ? wanted : { query, found: WANTED, answers: ANSWERS };
  const answers = pages.data?.pages ?? [];
  const found = useMemo(() => unique(answers.flatMap((page) => page.executions)), [answers]);
  const goesOn = pages.hasNextPage && found.length < bound.found && answers.length < bound.answers && !pages.error;
  useEffect(() => {
    if (goesOn && !pages.isFetching) pages.fetchNextPage();
  }, [goesOn, pages.isFetching, pages.fetchNextPage]);
  return {
    found,
    examined: answers.reduce((sum, page) => sum + page.examined, 0),
    reached: answers.findLast((page) => page.reached !== undefined)?.reached,
    more: pages.hasNextPage,
    isPending: pages.isPending,
    isBusy: pages.isPending || goesOn,
    error: pages.error,
    again: () => pages.refetch(),
    further: () => setWanted({ query, found: found.length + WANTED, answers: answers.length + ANSWERS }),
  };
}

/** What ended between two answers is told twice. */
function unique(executions: FoundExecution[]): FoundExecution[] {
  return [...new Map(executions.map((execution) => [execution.executionArn, execution])).values()];
}

function Filter({ words }: { words: SearchWords }) {
  const navigate = searchRoute.useNavigate();
  const machines = useQuery(machinesQuery);
  const state = useQuery(stateQuery);
  const set = (change: SearchWords) => navigate({ search: { ...words, ...change }, replace: true });
  const time = words.period ?? (words.from !== undefined || words.until !== undefined ? BETWEEN.value : "");
  const valuesAreOff = state.data?.searchesValues === false;
  const options = [
    ...EXECUTION_STATUSES.map((status) => ({ propertyKey: "status", value: status, label: statusName(status) })),
    ...(machines.data ?? []).map((machine) => ({
      propertyKey: "machine",
      value: machine.stateMachineArn,
      label: machine.name,
    })),
  ];
  return (
    <SpaceBetween size="xs">
      <div className="search-line">
        <PropertyFilter
          filteringAriaLabel="Find executions"
          filteringPlaceholder="Find by name, status, state machine, error, input or output"
          hideOperations
          query={{ operation: "and", tokens: tokensOf(words) }}
          filteringProperties={PROPERTIES.filter((property) => !valuesAreOff || !VALUES.has(property.key))}
          filteringOptions={options}
          onChange={(event) => {
            const none = { name: undefined, status: undefined, machine: undefined, error: undefined };
            set({ ...none, input: undefined, output: undefined, ...wordsOf(event.detail.tokens) });
          }}
        />
        <Select
          ariaLabel="When they started"
          selectedOption={TIMES.find((option) => option.value === time) ?? ANY_TIME}
          options={TIMES}
          onChange={(event) => {
            const value = event.detail.selectedOption.value;
            const period = PERIODS.find((period) => period === value);
            const from = value === BETWEEN.value ? Math.floor(Date.now() / 1000) - 3_600 : undefined;
            set({ period, from, until: undefined });
          }}
        />
        <SegmentedControl
          label="Type of state machine"
          selectedId={words.type ?? "STANDARD"}
          onChange={(event) => set({ type: event.detail.selectedId === "EXPRESS" ? "EXPRESS" : undefined })}
          options={[
            { id: "STANDARD", text: "Standard" },
            { id: "EXPRESS", text: "Express" },
          ]}
        />
      </div>
      {time === BETWEEN.value && <Between words={words} onChange={set} />}
      {words.type === "EXPRESS" && (
        <Alert type="info" statusIconAriaLabel="Info">
          Express executions are in memory alone: those that run and the last thousand that ended, until the server
          stops.
        </Alert>
      )}
    </SpaceBetween>
  );
}

/** Two moments; the input elements are the browser's own, in its time zone. */
function Between({ words, onChange }: { words: SearchWords; onChange: (change: SearchWords) => void }) {
  const seconds = (text: string) => (text === "" ? undefined : new Date(text).getTime() / 1000);
  return (
    <div className="search-between">
      <label>
        From{" "}
        <input
          type="datetime-local"
          value={localText(words.from)}
          onChange={(event) => onChange({ from: seconds(event.target.value) })}
        />
      </label>
      <label>
        until{" "}
        <input
          type="datetime-local"
          value={localText(words.until)}
          onChange={(event) => onChange({ until: seconds(event.target.value) })}
        />
      </label>
    </div>
  );
}

/** `2026-03-14T09:26` in the browser's time zone. */
function localText(seconds: number | undefined): string {
  if (seconds === undefined) return "";
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function Actions(props: { selected: FoundExecution[]; onDone: () => void; onRefresh: () => void }) {
  const { selected, onDone, onRefresh } = props;
  const queries = useQueryClient();
  const running = selected.filter(({ status }) => status === "RUNNING");
  const ended = selected.filter(({ status }) => ["FAILED", "TIMED_OUT", "ABORTED"].includes(status));
  const [left, right] = selected;
  const act = useMutation({
    mutationFn: async ({ work }: { work: Promise<unknown>[]; did: string }) => {
      const settled = await Promise.allSettled(work);
      const refused = settled.find((one) => one.status === "rejected");
      if (refused) throw refused.reason;
    },
    onSuccess: (_, { work, did }) => done(`${work.length} ${work.length === 1 ? "is" : "are"} ${did}.`),
    onError: (error) => failed("Not all could be changed", error),
    onSettled: () => {
      onDone();
      return queries.invalidateQueries({ queryKey: ["search"] });
    },
  });
  const each = (executions: FoundExecution[], work: (executionArn: string) => Promise<unknown>, did: string) =>
    act.mutate({ work: executions.map(({ executionArn }) => work(executionArn)), did });
  const stop = (executionArn: string) => call("StopExecution", { executionArn, cause: "Stopped in the console" });
  const redrive = (executionArn: string) => call("RedriveExecution", { executionArn });
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <Button iconName="refresh" ariaLabel="Search again" onClick={onRefresh} />
      <Button
        disabled={!left || !right || selected.length > 2}
        onClick={() => left && right && go(compareHref(left.executionArn, right.executionArn))}
      >
        Compare
      </Button>
      <Button disabled={ended.length === 0 || act.isPending} onClick={() => each(ended, redrive, "redriven")}>
        Redrive
      </Button>
      <Button disabled={running.length === 0 || act.isPending} onClick={() => each(running, stop, "stopped")}>
        Stop
      </Button>
    </SpaceBetween>
  );
}
