import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { useInfiniteQuery } from "@tanstack/react-query";
import { executionHref, Link } from "../app/Link";
import { Problem } from "../app/Problem";
import { StatusText } from "../app/StatusText";
import { dateText, durationText } from "../app/words";
import { searchQuery } from "../aws/consoleApi";

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
      columnDefinitions={[
        {
          id: "name",
          header: "Name",
          cell: (execution) => <Link href={executionHref(execution.executionArn)}>{execution.name}</Link>,
          isRowHeader: true,
        },
        { id: "status", header: "Status", cell: (execution) => <StatusText status={execution.status} /> },
        { id: "error", header: "Error", cell: (execution) => execution.error ?? "–" },
        { id: "started", header: "Started", cell: (execution) => dateText(execution.startDate) },
        {
          id: "duration",
          header: "Duration",
          cell: ({ startDate, stopDate }) =>
            stopDate === undefined ? "–" : durationText((stopDate - startDate) * 1000),
        },
      ]}
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
