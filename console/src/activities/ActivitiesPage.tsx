import { useCollection } from "@cloudscape-design/collection-hooks";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { done, failed } from "../app/notices";
import { Problem } from "../app/Problem";
import { dateText } from "../app/words";
import { call } from "../aws/client";
import type { ActivityListed } from "../aws/operations";
import { activitiesQuery } from "../aws/queries";

const PAGE = 25;

const COLUMNS = [
  {
    id: "name",
    header: "Name",
    cell: (activity: ActivityListed) => activity.name,
    sortingField: "name",
    isRowHeader: true,
  },
  { id: "arn", header: "ARN", cell: (activity: ActivityListed) => activity.activityArn },
  {
    id: "created",
    header: "Created",
    cell: (activity: ActivityListed) => dateText(activity.creationDate),
    sortingField: "creationDate",
  },
];

/** Activities: list, create, delete. */
export function ActivitiesPage() {
  const activities = useQuery(activitiesQuery);
  const [creating, setCreating] = useState(false);
  const queries = useQueryClient();
  const { items, collectionProps, filterProps, paginationProps } = useCollection(activities.data ?? [], {
    filtering: {},
    pagination: { pageSize: PAGE },
    sorting: {},
    selection: { trackBy: "activityArn" },
  });
  const one = collectionProps.selectedItems?.[0];
  const remove = useMutation({
    mutationFn: ({ activityArn }: ActivityListed) => call("DeleteActivity", { activityArn }),
    onSuccess: (_, { name }) => done(`${name} is deleted.`),
    onError: (error) => failed("The activity cannot be deleted", error),
    onSettled: () => queries.invalidateQueries({ queryKey: ["activities"] }),
  });
  if (activities.error) {
    return <Problem what="The activities cannot be listed" error={activities.error} retry={activities.refetch} />;
  }
  return (
    <>
      <Table
        {...collectionProps}
        variant="full-page"
        columnDefinitions={COLUMNS}
        items={items}
        selectionType="single"
        loading={activities.isPending}
        loadingText="Loading activities"
        ariaLabels={{
          selectionGroupLabel: "Activities",
          itemSelectionLabel: (_, activity) => `Select ${activity.name}`,
          tableLabel: "Activities",
        }}
        header={
          <Header
            variant="awsui-h1-sticky"
            counter={activities.data && `(${activities.data.length})`}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button iconName="refresh" ariaLabel="Refresh" onClick={() => activities.refetch()} />
                <Button disabled={!one} loading={remove.isPending} onClick={() => one && remove.mutate(one)}>
                  Delete
                </Button>
                <Button variant="primary" onClick={() => setCreating(true)}>
                  Create activity
                </Button>
              </SpaceBetween>
            }
          >
            Activities
          </Header>
        }
        filter={<TextFilter {...filterProps} filteringPlaceholder="Find" filteringAriaLabel="Find activities" />}
        pagination={<Pagination {...paginationProps} />}
        empty={<Box textAlign="center">There are no activities yet.</Box>}
      />
      {creating && <CreateActivity onClose={() => setCreating(false)} />}
    </>
  );
}

function CreateActivity({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: () => call("CreateActivity", { name }),
    onSuccess: () => {
      done(`${name} is created.`);
      onClose();
    },
    onError: (error) => failed("The activity cannot be created", error),
    onSettled: () => queries.invalidateQueries({ queryKey: ["activities"] }),
  });
  return (
    <Modal
      visible
      header="Create activity"
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" disabled={!name} loading={create.isPending} onClick={() => create.mutate()}>
              Create
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <FormField label="Name" constraintText="1 to 80 characters">
        <Input value={name} onChange={(event) => setName(event.detail.value)} />
      </FormField>
    </Modal>
  );
}
