import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { compareHref, go } from "../app/Link";
import { done, failed } from "../app/notices";
import { Pager, usePages } from "../app/Pager";
import { Problem } from "../app/Problem";
import { machineRoute } from "../app/router";
import { statusName } from "../app/StatusText";
import { call } from "../aws/client";
import { EXECUTION_STATUSES, type ExecutionListed, type ExecutionStatus } from "../aws/operations";
import { executionsQuery } from "../aws/queries";
import { EXECUTION_COLUMNS } from "../executions/columns";

const ANY = { value: "", label: "Any status" };
const STATUSES = [ANY, ...EXECUTION_STATUSES.map((status) => ({ value: status, label: statusName(status) }))];

const { name, status, started, ended, duration } = EXECUTION_COLUMNS;
const COLUMNS = [name, status, started, ended, duration];

/** The executions of a state machine, newest first, a page at a time. The filter is in the address. */
export function Executions({ machineArn }: { machineArn: string }) {
  const search = machineRoute.useSearch();
  const navigate = machineRoute.useNavigate();
  const pages = usePages();
  const [selected, setSelected] = useState<ExecutionListed[]>([]);
  const executions = useQuery(executionsQuery(machineArn, search.status, pages.token));
  const queries = useQueryClient();
  const find = search.find ?? "";
  const page = executions.data?.executions ?? [];
  const shown = page.filter((execution) => execution.name.toLowerCase().includes(find.toLowerCase()));
  const running = selected.filter((execution) => execution.status === "RUNNING");
  const stop = useMutation({
    mutationFn: () =>
      Promise.all(
        running.map(({ executionArn }) => call("StopExecution", { executionArn, cause: "Stopped in the console" })),
      ),
    onSuccess: (stopped) => done(stopped.length === 1 ? "The execution is stopped." : `${stopped.length} are stopped.`),
    onError: (error) => failed("Not all could be stopped", error),
    onSettled: () => {
      setSelected([]);
      return queries.invalidateQueries({ queryKey: ["executions", machineArn] });
    },
  });
  if (executions.error) return <Problem what="The executions cannot be listed" error={executions.error} />;
  const next = executions.data?.nextToken;
  const [left, right] = selected;
  return (
    <Table
      columnDefinitions={COLUMNS}
      items={shown}
      trackBy="executionArn"
      selectionType="multi"
      selectedItems={selected}
      onSelectionChange={(event) => setSelected(event.detail.selectedItems)}
      loading={executions.isPending}
      loadingText="Loading executions"
      ariaLabels={{
        selectionGroupLabel: "Executions",
        allItemsSelectionLabel: () => "Select all",
        itemSelectionLabel: (_, execution) => `Select ${execution.name}`,
        tableLabel: "Executions",
      }}
      header={
        <Header
          counter={`(${shown.length}${next ? "+" : ""})`}
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button iconName="refresh" ariaLabel="Refresh executions" onClick={() => executions.refetch()} />
              <Button
                disabled={!left || !right || selected.length > 2}
                onClick={() => left && right && go(compareHref(left.executionArn, right.executionArn))}
              >
                Compare
              </Button>
              <Button disabled={running.length === 0} loading={stop.isPending} onClick={() => stop.mutate()}>
                Stop
              </Button>
            </SpaceBetween>
          }
        >
          Executions
        </Header>
      }
      filter={
        <SpaceBetween direction="horizontal" size="xs">
          <TextFilter
            filteringText={find}
            filteringPlaceholder="Find by name on this page"
            filteringAriaLabel="Find executions by name"
            onChange={(event) =>
              navigate({ search: { ...search, find: event.detail.filteringText || undefined }, replace: true })
            }
          />
          <Select
            ariaLabel="Status"
            selectedOption={STATUSES.find((status) => status.value === search.status) ?? ANY}
            options={STATUSES}
            onChange={(event) => {
              const status = (event.detail.selectedOption.value || undefined) as ExecutionStatus | undefined;
              pages.toFirst();
              navigate({ search: { ...search, status } });
            }}
          />
        </SpaceBetween>
      }
      pagination={<Pager pages={pages} next={next} />}
      empty={<Box textAlign="center">{search.status || find ? "None matches." : "It was never started."}</Box>}
    />
  );
}
