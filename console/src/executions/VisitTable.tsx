import { useCollection } from "@cloudscape-design/collection-hooks";
import Box from "@cloudscape-design/components/box";
import Pagination from "@cloudscape-design/components/pagination";
import Table from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { durationText } from "../app/words";
import { StatusIcon } from "../graph/icons";
import type { Run, Visit } from "../model/history";

const PAGE = 30;

const columns = (run: Run) => [
  {
    id: "name",
    header: "State",
    cell: (visit: Visit) => (
      <span style={{ paddingInlineStart: visit.depth * 14 }}>
        {visit.name}
        {visit.iteration === undefined ? "" : ` #${visit.iteration}`}
      </span>
    ),
    sortingField: "name",
    isRowHeader: true,
  },
  { id: "type", header: "Type", cell: (visit: Visit) => visit.type, sortingField: "type" },
  {
    id: "status",
    header: "Status",
    cell: (visit: Visit) => (
      <span className="status-cell">
        <StatusIcon status={visit.status} /> {visit.status}
      </span>
    ),
    sortingField: "status",
  },
  {
    id: "after",
    header: "Started after",
    cell: (visit: Visit) => durationText(visit.startMs - run.startMs),
    sortingField: "startMs",
  },
  {
    id: "duration",
    header: "Duration",
    cell: (visit: Visit) => (visit.endMs === undefined ? "–" : durationText(visit.endMs - visit.startMs)),
    sortingComparator: (a: Visit, b: Visit) => (a.endMs ?? 0) - a.startMs - ((b.endMs ?? 0) - b.startMs),
  },
  { id: "attempts", header: "Attempts", cell: (visit: Visit) => visit.attempts.length || "–" },
];

/** Each visit as a row. */
export function VisitTable(props: { run: Run; selected: Visit | undefined; onSelect: (visit: Visit) => void }) {
  const { run, selected, onSelect } = props;
  const { items, collectionProps, filterProps, paginationProps } = useCollection(run.visits, {
    filtering: {
      filteringFunction: (visit, text) =>
        `${visit.name} ${visit.type} ${visit.status}`.toLowerCase().includes(text.toLowerCase()),
    },
    pagination: { pageSize: PAGE },
    sorting: {},
  });
  return (
    <Table
      {...collectionProps}
      variant="embedded"
      contentDensity="compact"
      columnDefinitions={columns(run)}
      items={items}
      trackBy={(visit) => String(visit.id)}
      selectionType="single"
      selectedItems={selected ? [selected] : []}
      onSelectionChange={(event) => event.detail.selectedItems[0] && onSelect(event.detail.selectedItems[0])}
      onRowClick={(event) => onSelect(event.detail.item)}
      ariaLabels={{
        selectionGroupLabel: "Visits",
        itemSelectionLabel: (_, visit) => `Select ${visit.name}`,
        tableLabel: "Visits of states",
      }}
      filter={
        <TextFilter
          {...filterProps}
          filteringPlaceholder="Find by name, type or status"
          filteringAriaLabel="Find visits"
        />
      }
      pagination={<Pagination {...paginationProps} />}
      empty={<Box textAlign="center">No state was entered.</Box>}
    />
  );
}
