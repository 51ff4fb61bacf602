import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Table from "@cloudscape-design/components/table";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { Dialog } from "../app/Dialog";
import { done, failed } from "../app/notices";
import { Problem } from "../app/Problem";
import { dateText, nameOf } from "../app/words";
import { call } from "../aws/client";
import type { Alias, Machine, Route, Version } from "../aws/operations";
import { aliasesQuery, machineQuery, versionsQuery } from "../aws/queries";
import type { StateRun } from "../graph/GraphView";
import { readDefinition } from "../model/definition";
import { differenceOf } from "../model/difference";

const GraphView = lazy(() => import("../graph/GraphView"));

/** Published versions, and the aliases that point at one or two of them. */
export function Versions({ machine }: { machine: Machine }) {
  const arn = machine.stateMachineArn;
  const versions = useQuery(versionsQuery(arn));
  const aliases = useQuery(aliasesQuery(arn));
  const [compared, setCompared] = useState<Version>();
  const [routing, setRouting] = useState<Alias | "new">();
  const change = useChange(arn);
  const error = versions.error ?? aliases.error;
  if (error) return <Problem what="The versions cannot be listed" error={error} />;
  if (!versions.data || !aliases.data) return <Spinner />;
  const at = (version: Version) =>
    aliases.data.filter((alias) =>
      alias.routingConfiguration.some((route) => route.stateMachineVersionArn === version.stateMachineVersionArn),
    );
  return (
    <SpaceBetween size="l">
      <Table
        items={versions.data}
        trackBy="stateMachineVersionArn"
        ariaLabels={{ tableLabel: "Versions" }}
        columnDefinitions={[
          {
            id: "version",
            header: "Version",
            cell: (version) => nameOf(version.stateMachineVersionArn),
            isRowHeader: true,
          },
          { id: "created", header: "Published", cell: (version) => dateText(version.creationDate) },
          {
            id: "aliases",
            header: "Aliases",
            cell: (version) =>
              at(version)
                .map(({ name }) => name)
                .join(", ") || "–",
          },
          {
            id: "actions",
            header: "Actions",
            cell: (version) => (
              <SpaceBetween direction="horizontal" size="xs">
                <Button
                  ariaLabel={`Changes since version ${nameOf(version.stateMachineVersionArn)}`}
                  onClick={() => setCompared(version)}
                >
                  Changes since
                </Button>
                <Button
                  iconName="remove"
                  variant="icon"
                  ariaLabel={`Delete version ${nameOf(version.stateMachineVersionArn)}`}
                  onClick={() => {
                    const { stateMachineVersionArn } = version;
                    change.mutate({
                      did: `Version ${nameOf(stateMachineVersionArn)} is deleted.`,
                      work: () => call("DeleteStateMachineVersion", { stateMachineVersionArn }),
                    });
                  }}
                />
              </SpaceBetween>
            ),
          },
        ]}
        header={
          <Header
            counter={`(${versions.data.length})`}
            actions={
              <Button
                onClick={() =>
                  change.mutate({
                    did: "The definition as it is now is published.",
                    work: () => call("PublishStateMachineVersion", { stateMachineArn: arn }),
                  })
                }
              >
                Publish version
              </Button>
            }
          >
            Versions
          </Header>
        }
        empty={<Box textAlign="center">None is published.</Box>}
      />
      <Table
        items={aliases.data}
        trackBy="stateMachineAliasArn"
        ariaLabels={{ tableLabel: "Aliases" }}
        columnDefinitions={[
          { id: "name", header: "Alias", cell: (alias) => alias.name, isRowHeader: true },
          {
            id: "routes",
            header: "Leads to",
            cell: (alias) =>
              alias.routingConfiguration
                .map((route) => `version ${nameOf(route.stateMachineVersionArn)} (${route.weight} %)`)
                .join(", "),
          },
          {
            id: "actions",
            header: "Actions",
            cell: (alias) => (
              <SpaceBetween direction="horizontal" size="xs">
                <Button ariaLabel={`Change alias ${alias.name}`} onClick={() => setRouting(alias)}>
                  Change
                </Button>
                <Button
                  iconName="remove"
                  variant="icon"
                  ariaLabel={`Delete alias ${alias.name}`}
                  onClick={() => {
                    const { stateMachineAliasArn } = alias;
                    change.mutate({
                      did: `Alias ${alias.name} is deleted.`,
                      work: () => call("DeleteStateMachineAlias", { stateMachineAliasArn }),
                    });
                  }}
                />
              </SpaceBetween>
            ),
          },
        ]}
        header={
          <Header
            counter={`(${aliases.data.length})`}
            actions={
              <Button disabled={versions.data.length === 0} onClick={() => setRouting("new")}>
                Create alias
              </Button>
            }
          >
            Aliases
          </Header>
        }
        empty={<Box textAlign="center">There is none.</Box>}
      />
      {compared && <Changes machine={machine} version={compared} onClose={() => setCompared(undefined)} />}
      {routing && (
        <Routing
          machineArn={arn}
          alias={routing === "new" ? undefined : routing}
          versions={versions.data}
          onClose={() => setRouting(undefined)}
        />
      )}
    </SpaceBetween>
  );
}

function useChange(machineArn: string, onDone?: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ work }: { did: string; work: () => Promise<unknown> }) => work(),
    onSuccess: (_, { did }) => {
      done(did);
      onDone?.();
    },
    onError: (error) => failed("That was refused", error),
    onSettled: () =>
      Promise.all(["versions", "aliases"].map((key) => queries.invalidateQueries({ queryKey: [key, machineArn] }))),
  });
}

/** What has changed since a version, on the graph as it is now. */
function Changes({ machine, version, onClose }: { machine: Machine; version: Version; onClose: () => void }) {
  const old = useQuery(machineQuery(version.stateMachineVersionArn));
  const [before, after] = useMemo(
    () => [readDefinition(old.data?.definition ?? ""), readDefinition(machine.definition)],
    [old.data, machine],
  );
  const difference = useMemo(() => before && after && differenceOf(before, after), [before, after]);
  const runs = useMemo(() => {
    const runs = new Map<string, StateRun>();
    for (const state of difference?.added ?? []) runs.set(state.id, { status: "succeeded", visits: 1, note: "added" });
    for (const { state, fields } of difference?.changed ?? []) {
      runs.set(state.id, { status: "differs", visits: 1, note: fields.join(", ") });
    }
    return runs;
  }, [difference]);
  const removed = difference?.removed.map((state) => state.name) ?? [];
  return (
    <Modal
      visible
      size="max"
      header={`Changes since version ${nameOf(version.stateMachineVersionArn)}`}
      closeAriaLabel="Close"
      onDismiss={onClose}
    >
      {old.error ? (
        <Problem what="The version cannot be shown" error={old.error} />
      ) : !after || !difference ? (
        <Spinner />
      ) : (
        <SpaceBetween size="s">
          <Alert type="info" statusIconAriaLabel="Info">
            {runs.size + removed.length === 0
              ? "Nothing has changed."
              : `${difference.added.length} states added, ${difference.changed.length} changed, ${removed.length} removed${removed.length > 0 ? `: ${removed.join(", ")}` : ""}.`}
          </Alert>
          <div className="changes">
            <Suspense fallback={<Spinner />}>
              <GraphView definition={after} label="Graph of the changes" runs={runs} />
            </Suspense>
          </div>
        </SpaceBetween>
      )}
    </Modal>
  );
}

const NO_SECOND = { value: "", label: "No second version" };

/** A new alias, or another way for one. */
function Routing(props: {
  machineArn: string;
  alias: Alias | undefined;
  versions: readonly Version[];
  onClose: () => void;
}) {
  const { machineArn, alias, versions, onClose } = props;
  const [first, second] = alias?.routingConfiguration ?? [];
  const [name, setName] = useState(alias?.name ?? "");
  const [one, setOne] = useState(first?.stateMachineVersionArn ?? versions[0]?.stateMachineVersionArn ?? "");
  const [other, setOther] = useState(second?.stateMachineVersionArn ?? "");
  const [weight, setWeight] = useState(String(second?.weight ?? 10));
  const change = useChange(machineArn, onClose);
  const share = Number(weight);
  const isShare = Number.isInteger(share) && share >= 0 && share <= 100;
  const routes: Route[] = other
    ? [
        { stateMachineVersionArn: one, weight: 100 - share },
        { stateMachineVersionArn: other, weight: share },
      ]
    : [{ stateMachineVersionArn: one, weight: 100 }];
  const save = () =>
    change.mutate({
      did: `Alias ${name} is saved.`,
      work: () =>
        alias
          ? call("UpdateStateMachineAlias", {
              stateMachineAliasArn: alias.stateMachineAliasArn,
              routingConfiguration: routes,
            })
          : call("CreateStateMachineAlias", { name, routingConfiguration: routes }),
    });
  const options = versions.map(({ stateMachineVersionArn: value }) => ({ value, label: `Version ${nameOf(value)}` }));
  const shown = (value: string) => options.find((option) => option.value === value) ?? null;
  return (
    <Dialog
      header={alias ? `Change alias ${alias.name}` : "Create alias"}
      action="Save"
      disabled={!name || !one || one === other || !isShare}
      isBusy={change.isPending}
      onAct={save}
      onClose={onClose}
    >
      {!alias && (
        <FormField label="Name">
          <Input value={name} onChange={({ detail }) => setName(detail.value)} />
        </FormField>
      )}
      <FormField label="Version">
        <Select
          selectedOption={shown(one)}
          options={options}
          onChange={({ detail }) => setOne(detail.selectedOption.value ?? "")}
        />
      </FormField>
      <FormField label="Second version" errorText={one === other ? "It is the first one." : undefined}>
        <Select
          selectedOption={shown(other) ?? NO_SECOND}
          options={[NO_SECOND, ...options]}
          onChange={({ detail }) => setOther(detail.selectedOption.value ?? "")}
        />
      </FormField>
      {other && (
        <FormField label="Share of the second, in percent" errorText={isShare ? undefined : "A whole number to 100."}>
          <Input value={weight} onChange={({ detail }) => setWeight(detail.value)} />
        </FormField>
      )}
    </Dialog>
  );
}
