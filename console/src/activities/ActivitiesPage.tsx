import { useCollection } from "@cloudscape-design/collection-hooks";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ColumnLayout from "@cloudscape-design/components/column-layout";
import Container from "@cloudscape-design/components/container";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Pagination from "@cloudscape-design/components/pagination";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Dialog } from "../app/Dialog";
import { executionHref, Link } from "../app/Link";
import { done, failed } from "../app/notices";
import { Problem } from "../app/Problem";
import { activitiesRoute } from "../app/router";
import { dateText, nameOf, numberText } from "../app/words";
import { call } from "../aws/client";
import { type ActivityStanding, activitiesQuery, activityQuery } from "../aws/consoleApi";

/** So few that what is told of the selected one stays in sight. */
const PAGE = 10;

const COLUMNS = [
  {
    id: "name",
    header: "Name",
    cell: ({ name, activityArn }: ActivityStanding) => (
      <Link href={`/activities?activity=${encodeURIComponent(activityArn)}`}>{name}</Link>
    ),
    sortingField: "name",
    isRowHeader: true,
  },
  {
    id: "waiting",
    header: "Waiting tasks",
    cell: (activity: ActivityStanding) => numberText(activity.waiting),
    sortingField: "waiting",
  },
  {
    id: "workers",
    header: "Polling workers",
    cell: (activity: ActivityStanding) => numberText(activity.workers),
    sortingField: "workers",
  },
  {
    id: "created",
    header: "Created",
    cell: (activity: ActivityStanding) => dateText(activity.creationDate),
    sortingField: "creationDate",
  },
];

/** Activities: list, create, delete; of the selected one, the tasks and workers that wait for each other. */
export function ActivitiesPage() {
  const activities = useQuery(activitiesQuery);
  const [creating, setCreating] = useState(false);
  const queries = useQueryClient();
  const { items, collectionProps, filterProps, paginationProps } = useCollection(activities.data ?? [], {
    filtering: {},
    pagination: { pageSize: PAGE },
    sorting: {},
  });
  const { activity: chosen } = activitiesRoute.useSearch();
  const navigate = activitiesRoute.useNavigate();
  const one = activities.data?.find(({ activityArn }) => activityArn === chosen);
  const choose = (activity: ActivityStanding | undefined) =>
    navigate({ search: { activity: activity?.activityArn }, replace: true });
  const remove = useMutation({
    mutationFn: ({ activityArn }: ActivityStanding) => call("DeleteActivity", { activityArn }),
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
        trackBy="activityArn"
        selectionType="single"
        selectedItems={one ? [one] : []}
        onSelectionChange={(event) => choose(event.detail.selectedItems[0])}
        onRowClick={(event) => choose(event.detail.item)}
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
      {one && <Queue key={one.activityArn} activity={one} />}
      {creating && <CreateActivity onClose={() => setCreating(false)} />}
    </>
  );
}

/** Both sides of an activity, as they are now. */
function Queue({ activity }: { activity: ActivityStanding }) {
  const queue = useQuery(activityQuery(activity.activityArn));
  if (queue.error) return <Problem what="Its queue cannot be shown" error={queue.error} />;
  if (!queue.data) return <Spinner />;
  const { waiting, more, tasks, polling, workers } = queue.data;
  const left = waiting - tasks.length;
  return (
    <Box padding={{ top: "l" }}>
      <SpaceBetween size="m">
        <div>
          <Box variant="awsui-key-label">ARN of {activity.name}</Box>
          <CopyToClipboard
            variant="inline"
            textToCopy={activity.activityArn}
            copyButtonAriaLabel="Copy ARN"
            copySuccessText="Copied"
            copyErrorText="It cannot be copied"
          />
        </div>
        <ColumnLayout columns={2}>
          <Container
            header={
              <Header variant="h2" counter={`(${waiting}${more ? "+" : ""})`}>
                Tasks of {activity.name} that wait for a worker
              </Header>
            }
          >
            {tasks.length === 0 ? (
              <Box color="text-body-secondary">None waits.</Box>
            ) : (
              <ol>
                {tasks.map(({ executionArn, task }) => (
                  <li key={`${executionArn}/${task}`}>
                    <Link href={`${executionHref(executionArn)}?visit=${task}`}>{nameOf(executionArn)}</Link>
                  </li>
                ))}
              </ol>
            )}
            {left > 0 && <Box color="text-body-secondary">and {numberText(left)} more</Box>}
          </Container>
          <Container
            header={
              <Header variant="h2" counter={`(${polling})`}>
                Workers that poll
              </Header>
            }
          >
            {workers.length === 0 ? (
              <Box color="text-body-secondary">None polls now.</Box>
            ) : (
              <ul>
                {workers.map((worker, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: workers need no name, and it need not be one of a kind
                  <li key={index}>{worker || "without a name"}</li>
                ))}
              </ul>
            )}
          </Container>
        </ColumnLayout>
      </SpaceBetween>
    </Box>
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
    <Dialog
      header="Create activity"
      action="Create"
      disabled={!name}
      isBusy={create.isPending}
      onAct={() => create.mutate()}
      onClose={onClose}
    >
      <FormField label="Name" constraintText="1 to 80 characters">
        <Input value={name} onChange={(event) => setName(event.detail.value)} />
      </FormField>
    </Dialog>
  );
}
