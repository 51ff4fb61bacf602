/** What lists of executions show of each, wherever they stand. */
import { executionHref, Link } from "../app/Link";
import { StatusText } from "../app/StatusText";
import { dateText, durationText } from "../app/words";
import type { ExecutionListed } from "../aws/operations";

export const EXECUTION_COLUMNS = {
  name: {
    id: "name",
    header: "Name",
    cell: ({ executionArn, name }: ExecutionListed) => <Link href={executionHref(executionArn)}>{name}</Link>,
    isRowHeader: true,
  },
  status: { id: "status", header: "Status", cell: ({ status }: ExecutionListed) => <StatusText status={status} /> },
  started: { id: "started", header: "Started", cell: ({ startDate }: ExecutionListed) => dateText(startDate) },
  ended: { id: "ended", header: "Ended", cell: ({ stopDate }: ExecutionListed) => dateText(stopDate) },
  duration: {
    id: "duration",
    header: "Duration",
    cell: ({ startDate, stopDate }: ExecutionListed) =>
      stopDate === undefined ? "–" : durationText((stopDate - startDate) * 1000),
  },
};
