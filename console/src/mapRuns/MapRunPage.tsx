import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { keepPreviousData, queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Crumbs } from "../app/Crumbs";
import { Dialog } from "../app/Dialog";
import { executionHref, go, Link } from "../app/Link";
import { done } from "../app/notices";
import { Pager, usePages } from "../app/Pager";
import { Problem } from "../app/Problem";
import { mapRunRoute } from "../app/router";
import { StatusText, statusName } from "../app/StatusText";
import { dateText, durationText, nameOf, numberText } from "../app/words";
import { call, messageOf } from "../aws/client";
import type { ChildStatus, ExecutionListed, MapRun, MapRunCounts } from "../aws/operations";
import { EXECUTION_COLUMNS } from "../executions/columns";
import { CHILD_STATUSES, countOf, partsOf, progressOf } from "./counts";
import "./mapRun.css";

const LIVE_MS = 2_000;
const PAGE = 50;

const mapRunQuery = (mapRunArn: string) =>
  queryOptions({
    queryKey: ["map-run", mapRunArn],
    queryFn: ({ signal }) => call("DescribeMapRun", { mapRunArn }, signal),
    refetchInterval: (query) => (query.state.data?.status === "RUNNING" ? LIVE_MS : false),
  });

const childrenQuery = (
  mapRunArn: string,
  statusFilter: ChildStatus | undefined,
  nextToken: string | undefined,
  live: boolean,
) =>
  queryOptions({
    queryKey: ["map-run", mapRunArn, "children", statusFilter, nextToken],
    queryFn: ({ signal }) => call("ListExecutions", { mapRunArn, statusFilter, maxResults: PAGE, nextToken }, signal),
    refetchInterval: live ? LIVE_MS : false,
    placeholderData: keepPreviousData,
  });

/** One run of a distributed Map: how its items and child executions stand, and each child. */
export function MapRunPage() {
  const { arn } = mapRunRoute.useParams();
  const run = useQuery(mapRunQuery(arn));
  const [changing, setChanging] = useState(false);
  if (run.error) return <Problem what="The Map Run cannot be shown" error={run.error} retry={run.refetch} />;
  if (!run.data) return <Spinner size="large" />;
  const { status, executionArn, startDate, stopDate } = run.data;
  const isRunning = status === "RUNNING";
  return (
    <ContentLayout
      breadcrumbs={
        <Crumbs
          way={[
            ["Executions", "/executions"],
            [nameOf(executionArn), executionHref(executionArn)],
          ]}
          here="Map Run"
        />
      }
      header={
        <Header
          variant="h1"
          info={
            <SpaceBetween direction="horizontal" size="m">
              <StatusText status={status} />
              <Box variant="span">{durationText(((stopDate ?? Date.now() / 1000) - startDate) * 1000)}</Box>
            </SpaceBetween>
          }
          actions={
            <Button disabled={!isRunning} onClick={() => setChanging(true)}>
              Edit
            </Button>
          }
        >
          Map Run
        </Header>
      }
    >
      <SpaceBetween size="l">
        <ColumnLayout columns={2}>
          <Progress title="Items" counts={run.data.itemCounts} />
          <Progress title="Child executions" counts={run.data.executionCounts} />
        </ColumnLayout>
        <Details run={run.data} />
        <Children arn={arn} counts={run.data.executionCounts} live={isRunning} />
      </SpaceBetween>
      {changing && <Change run={run.data} onClose={() => setChanging(false)} />}
    </ContentLayout>
  );
}

function Progress({ title, counts }: { title: string; counts: MapRunCounts }) {
  const parts = partsOf(counts);
  const percent = Math.floor(progressOf(counts) * 100);
  return (
    <Container
      header={
        <Header variant="h2" counter={`(${numberText(counts.total)})`}>
          {title}
        </Header>
      }
    >
      <div className="parts" role="img" aria-label={`${title}: ${percent} % have ended`}>
        {parts.map(({ name, share, colour }) => (
          <span key={name} style={{ inlineSize: `${share * 100}%`, background: `var(${colour})` }} />
        ))}
      </div>
      <ul className="parts-legend">
        {parts.map(({ name, count, colour }) => (
          <li key={name}>
            <span className="part-dot" style={{ background: `var(${colour})` }} />
            {name} <strong>{numberText(count)}</strong>
          </li>
        ))}
        {counts.resultsWritten > 0 && (
          <li>
            Results written <strong>{numberText(counts.resultsWritten)}</strong>
          </li>
        )}
      </ul>
    </Container>
  );
}

function Details({ run }: { run: MapRun }) {
  return (
    <Container header={<Header variant="h2">Details</Header>}>
      <KeyValuePairs
        columns={4}
        items={[
          { label: "Execution", value: <Link href={executionHref(run.executionArn)}>{nameOf(run.executionArn)}</Link> },
          { label: "Started", value: dateText(run.startDate) },
          { label: "Ended", value: dateText(run.stopDate) },
          {
            label: "Redrives",
            value: `${run.redriveCount ?? 0}${run.redriveDate ? `, ${dateText(run.redriveDate)}` : ""}`,
          },
          {
            label: "At a time",
            value: run.maxConcurrency === 0 ? "As many as there are" : numberText(run.maxConcurrency),
          },
          {
            label: "Tolerated failures",
            value: `${numberText(run.toleratedFailureCount)} or ${numberText(run.toleratedFailurePercentage)} %`,
          },
          { label: "ARN", value: <span className="wrap">{run.mapRunArn}</span> },
        ]}
      />
    </Container>
  );
}

const ANY = { value: "", label: "Any status" };
const STATUSES = [ANY, ...CHILD_STATUSES.map((status) => ({ value: status, label: statusName(status) }))];

const { name, status: statusColumn, started, duration } = EXECUTION_COLUMNS;
const items = { id: "items", header: "Items", cell: ({ itemCount }: ExecutionListed) => itemCount ?? "–" };
const COLUMNS = [name, statusColumn, items, started, duration];

function Children({ arn, counts, live }: { arn: string; counts: MapRunCounts; live: boolean }) {
  const { status } = mapRunRoute.useSearch();
  const navigate = mapRunRoute.useNavigate();
  const pages = usePages();
  const children = useQuery(childrenQuery(arn, status, pages.token, live));
  if (children.error) return <Problem what="The child executions cannot be listed" error={children.error} />;
  const { executions = [], nextToken } = children.data ?? {};
  const count = countOf(counts, status);
  return (
    <Table
      items={executions}
      trackBy="executionArn"
      loading={children.isPending}
      loadingText="Loading executions"
      ariaLabels={{ tableLabel: "Child executions" }}
      columnDefinitions={COLUMNS}
      header={
        <Header
          variant="h2"
          counter={`(${numberText(count)})`}
          actions={<Button onClick={() => go(`/executions?machine=${encodeURIComponent(arn)}`)}>Search in them</Button>}
        >
          Child executions
        </Header>
      }
      filter={
        <Select
          ariaLabel="Status of the child executions"
          selectedOption={STATUSES.find((option) => option.value === status) ?? ANY}
          options={STATUSES}
          onChange={(event) => {
            pages.toFirst();
            const value = event.detail.selectedOption.value;
            navigate({ search: { status: CHILD_STATUSES.find((status) => status === value) }, replace: true });
          }}
        />
      }
      pagination={<Pager pages={pages} next={nextToken} of={Math.ceil(count / PAGE)} />}
      empty={<Box textAlign="center">{status ? "None has this status." : "There are none."}</Box>}
    />
  );
}

/** What may be changed while it runs. */
function Change({ run, onClose }: { run: MapRun; onClose: () => void }) {
  const [concurrency, setConcurrency] = useState(String(run.maxConcurrency));
  const [count, setCount] = useState(String(run.toleratedFailureCount));
  const [percentage, setPercentage] = useState(String(run.toleratedFailurePercentage));
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: () =>
      call("UpdateMapRun", {
        mapRunArn: run.mapRunArn,
        maxConcurrency: Number(concurrency),
        toleratedFailureCount: Number(count),
        toleratedFailurePercentage: Number(percentage),
      }),
    onSuccess: () => {
      done("The Map Run is changed.");
      onClose();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["map-run", run.mapRunArn] }),
  });
  return (
    <Dialog
      header="Edit the Map Run"
      action="Save"
      isBusy={change.isPending}
      onAct={() => change.mutate()}
      onClose={onClose}
    >
      <FormField
        label="Child executions at a time"
        constraintText="0: as many as there are"
        errorText={change.error ? messageOf(change.error) : ""}
      >
        <Input type="number" value={concurrency} onChange={(event) => setConcurrency(event.detail.value)} />
      </FormField>
      <FormField label="Tolerated failed items">
        <Input type="number" value={count} onChange={(event) => setCount(event.detail.value)} />
      </FormField>
      <FormField label="Tolerated failed items, in per cent">
        <Input type="number" value={percentage} onChange={(event) => setPercentage(event.detail.value)} />
      </FormField>
    </Dialog>
  );
}
