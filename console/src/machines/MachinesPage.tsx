import { useCollection } from "@cloudscape-design/collection-hooks";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { editorHref, go, Link, machineHref } from "../app/Link";
import { show, useOwners } from "../app/owners";
import { Problem } from "../app/Problem";
import { machinesRoute } from "../app/router";
import { statusName } from "../app/StatusText";
import { dateText, numberText } from "../app/words";
import { type Counts, countsQuery } from "../aws/consoleApi";
import { EXECUTION_STATUSES, type MachineListed } from "../aws/operations";
import { ownerName } from "../aws/owner";
import { machinesQuery } from "../aws/queries";
import { DeleteMachine } from "./DeleteMachine";

const PAGE = 25;
const OTHERS_SHOWN_MAX = 10;

const COLUMNS = [
  {
    id: "name",
    header: "Name",
    cell: (machine: MachineListed) => <Link href={machineHref(machine.stateMachineArn)}>{machine.name}</Link>,
    sortingField: "name",
    isRowHeader: true,
  },
  {
    id: "type",
    header: "Type",
    cell: (machine: MachineListed) => (machine.type === "EXPRESS" ? "Express" : "Standard"),
    sortingField: "type",
  },
  {
    id: "created",
    header: "Created",
    cell: (machine: MachineListed) => dateText(machine.creationDate),
    sortingField: "creationDate",
  },
];

/** A count leads to the executions that it counts; Express executions are not kept. */
function countColumns(counts: Counts | undefined): TableProps.ColumnDefinition<MachineListed>[] {
  const byMachine = new Map(counts?.machines.map((machine) => [machine.stateMachineArn, machine]));
  return EXECUTION_STATUSES.map((status) => ({
    id: status,
    header: statusName(status),
    cell: ({ stateMachineArn, type }) => {
      const count = byMachine.get(stateMachineArn)?.[status];
      if (count === undefined || type === "EXPRESS") return "–";
      if (count === 0) return "0";
      const more = count >= (counts?.countedTo ?? 0) ? "+" : "";
      return <Link href={`${machineHref(stateMachineArn)}?status=${status}`}>{`${numberText(count)}${more}`}</Link>;
    },
  }));
}

/** Where there is something, for whoever looks in the wrong region. */
function Elsewhere() {
  const { owners, chosen } = useOwners();
  const others = owners.filter((owner) => owner !== chosen);
  if (others.length === 0) return null;
  return (
    <SpaceBetween size="xs">
      <Box>There may be some here:</Box>
      {others.slice(0, OTHERS_SHOWN_MAX).map((owner) => (
        <Button key={owner} variant="inline-link" onClick={() => show(owner, "/state-machines")}>
          {ownerName(owner, owners)}
        </Button>
      ))}
    </SpaceBetween>
  );
}

export function MachinesPage() {
  const { find = "" } = machinesRoute.useSearch();
  const navigate = machinesRoute.useNavigate();
  const machines = useQuery(machinesQuery);
  const [selected, setSelected] = useState<MachineListed[]>([]);
  const [deleting, setDeleting] = useState(false);
  const found = (machines.data ?? []).filter((machine) => machine.name.toLowerCase().includes(find.toLowerCase()));
  const { items, collectionProps, paginationProps } = useCollection(found, {
    pagination: { pageSize: PAGE },
    sorting: { defaultState: { sortingColumn: { sortingField: "creationDate" }, isDescending: true } },
    selection: {},
  });
  const counts = useQuery(countsQuery(items.map(({ stateMachineArn }) => stateMachineArn)));
  const one = selected[0];
  if (machines.error) {
    return <Problem what="The state machines cannot be listed" error={machines.error} retry={machines.refetch} />;
  }
  return (
    <>
      <Table
        {...collectionProps}
        variant="full-page"
        columnDefinitions={[...COLUMNS, ...countColumns(counts.data)]}
        items={items}
        trackBy="stateMachineArn"
        selectionType="single"
        selectedItems={selected}
        onSelectionChange={(event) => setSelected(event.detail.selectedItems)}
        loading={machines.isPending}
        loadingText="Loading state machines"
        ariaLabels={{
          selectionGroupLabel: "State machines",
          itemSelectionLabel: (_, machine) => `Select ${machine.name}`,
          tableLabel: "State machines",
        }}
        header={
          <Header
            variant="awsui-h1-sticky"
            counter={machines.data && `(${machines.data.length})`}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button iconName="refresh" ariaLabel="Refresh" onClick={() => machines.refetch()} />
                <Button disabled={!one} onClick={() => one && go(editorHref(one.stateMachineArn))}>
                  Edit
                </Button>
                <Button disabled={!one} onClick={() => setDeleting(true)}>
                  Delete
                </Button>
                <Button variant="primary" onClick={() => go("/create")}>
                  Create state machine
                </Button>
              </SpaceBetween>
            }
          >
            State machines
          </Header>
        }
        filter={
          <TextFilter
            filteringText={find}
            filteringPlaceholder="Find by name"
            filteringAriaLabel="Find state machines by name"
            countText={`${found.length} found`}
            onChange={(event) => navigate({ search: { find: event.detail.filteringText || undefined }, replace: true })}
          />
        }
        pagination={<Pagination {...paginationProps} />}
        empty={
          <Box textAlign="center" padding="l">
            <SpaceBetween size="m">
              <Box>{find ? "No state machine has such a name." : "There are no state machines yet."}</Box>
              {!find && <Button onClick={() => go("/create")}>Create the first</Button>}
              {!find && <Elsewhere />}
            </SpaceBetween>
          </Box>
        }
      />
      {one && deleting && (
        <DeleteMachine
          machine={one}
          onClose={(deleted) => {
            setDeleting(false);
            if (deleted) setSelected([]);
          }}
        />
      )}
    </>
  );
}
