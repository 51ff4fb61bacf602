import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Problem } from "../app/Problem";
import { type FoundExecution, searchQuery } from "../aws/consoleApi";
import { EXECUTION_COLUMNS } from "../executions/columns";

const { name, status, started, duration } = EXECUTION_COLUMNS;
const error = { id: "error", header: "Error", cell: ({ error }: FoundExecution) => error ?? "–" };
const COLUMNS = [name, status, error, started, duration];

/** The Express executions of a state machine that run or ended last: what the server has in memory. */
export function ExpressExecutions({ machineArn }: { machineArn: string }) {
  const query = new URLSearchParams({ type: "EXPRESS", machine: machineArn }).toString();
  const found = useInfiniteQuery(searchQuery(query, true));
  if (found.error) return <Problem what="The executions cannot be listed" error={found.error} />;
  const executions = found.data?.pages.flatMap((page) => page.executions) ?? [];
  return (
    <Table
      items={executions}
      trackBy="executionArn"
      loading={found.isPending}
      loadingText="Loading executions"
      ariaLabels={{ tableLabel: "Executions" }}
      columnDefinitions={COLUMNS}
      header={
        <Header
          counter={`(${executions.length})`}
          description="Those that run and those that ended last, from memory: they are gone when the server stops. Its logs keep what is logged."
        >
          Executions
        </Header>
      }
      empty={<Box textAlign="center">None has run since the server started.</Box>}
    />
  );
}
