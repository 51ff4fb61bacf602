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

/** The Express executions of a state machine that ended last: what the server still has in memory. */
export function ExpressExecutions({ machineArn }: { machineArn: string }) {
  const query = new URLSearchParams({ type: "EXPRESS", machine: machineArn }).toString();
  const ended = useInfiniteQuery(searchQuery(query, true));
  if (ended.error) return <Problem what="The executions cannot be listed" error={ended.error} />;
  const executions = ended.data?.pages.flatMap((page) => page.executions) ?? [];
  return (
    <Table
      items={executions}
      trackBy="executionArn"
      loading={ended.isPending}
      loadingText="Loading executions"
      ariaLabels={{ tableLabel: "Executions" }}
      columnDefinitions={COLUMNS}
      header={
        <Header
          counter={`(${executions.length})`}
          description="Those that ended last, from memory: they are gone when the server stops. Its logs keep what is logged."
        >
          Executions
        </Header>
      }
      empty={<Box textAlign="center">None has ended since the server started.</Box>}
    />
  );
}
