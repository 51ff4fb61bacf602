import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import Tabs from "@cloudscape-design/components/tabs";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import { Crumbs, MACHINES } from "../app/Crumbs";
import { editorHref, go } from "../app/Link";
import { Problem } from "../app/Problem";
import { type MachineTab, machineRoute } from "../app/router";
import { dateText } from "../app/words";
import type { Machine } from "../aws/operations";
import { machineQuery } from "../aws/queries";
import { Code } from "../code/Code";
import { readDefinition } from "../model/definition";
import { DeleteMachine } from "./DeleteMachine";
import { Executions } from "./Executions";
import { ExpressExecutions } from "./ExpressExecutions";
import { Settings } from "./Settings";
import { StartExecution } from "./StartExecution";
import { Tags } from "./Tags";
import { Versions } from "./Versions";

const GraphView = lazy(() => import("../graph/GraphView"));

export function MachinePage() {
  const { arn } = machineRoute.useParams();
  const search = machineRoute.useSearch();
  const navigate = machineRoute.useNavigate();
  const machine = useQuery(machineQuery(arn));
  const [deleting, setDeleting] = useState(false);
  if (machine.error) return <Problem what="The state machine cannot be shown" error={machine.error} />;
  if (!machine.data) return <Spinner size="large" />;
  const { name } = machine.data;
  const start = (start: boolean) => navigate({ search: { ...search, start: start || undefined } });
  return (
    <ContentLayout
      breadcrumbs={<Crumbs way={[MACHINES]} here={name} />}
      header={
        <Header
          variant="h1"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button onClick={() => setDeleting(true)}>Delete</Button>
              <Button onClick={() => go(editorHref(arn))}>Edit</Button>
              <Button variant="primary" onClick={() => start(true)}>
                Start execution
              </Button>
            </SpaceBetween>
          }
        >
          {name}
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Details machine={machine.data} />
        <Tabs
          ariaLabel="About this state machine"
          activeTabId={search.tab ?? "executions"}
          onChange={(event) => navigate({ search: { ...search, tab: event.detail.activeTabId as MachineTab } })}
          tabs={[
            { id: "executions", label: "Executions", content: <ExecutionsOf machine={machine.data} /> },
            { id: "definition", label: "Definition", content: <DefinitionView text={machine.data.definition} /> },
            { id: "versions", label: "Versions and aliases", content: <Versions machine={machine.data} /> },
            { id: "settings", label: "Settings", content: <Settings machine={machine.data} /> },
            { id: "tags", label: "Tags", content: <Tags resourceArn={arn} /> },
          ]}
        />
      </SpaceBetween>
      {search.start && <StartExecution machineArn={arn} type={machine.data.type} onClose={() => start(false)} />}
      {deleting && (
        <DeleteMachine
          machine={machine.data}
          onClose={(deleted) => {
            setDeleting(false);
            if (deleted) go("/state-machines");
          }}
        />
      )}
    </ContentLayout>
  );
}

function ExecutionsOf({ machine }: { machine: Machine }) {
  if (machine.type === "STANDARD") return <Executions machineArn={machine.stateMachineArn} />;
  return <ExpressExecutions machineArn={machine.stateMachineArn} />;
}

function Details({ machine }: { machine: Machine }) {
  const arn = machine.stateMachineArn;
  return (
    <Container header={<Header variant="h2">Details</Header>}>
      <KeyValuePairs
        columns={4}
        items={[
          {
            label: "ARN",
            value: (
              <CopyToClipboard
                variant="inline"
                textToCopy={arn}
                copyButtonAriaLabel="Copy ARN"
                copySuccessText="Copied"
                copyErrorText="It cannot be copied"
              />
            ),
          },
          { label: "Type", value: machine.type === "EXPRESS" ? "Express" : "Standard" },
          { label: "Status", value: machine.status === "DELETING" ? "Being deleted" : "Active" },
          { label: "Created", value: dateText(machine.creationDate) },
          { label: "Role", value: machine.roleArn },
          { label: "Revision", value: machine.revisionId ?? "–" },
        ]}
      />
    </Container>
  );
}

function DefinitionView({ text }: { text: string }) {
  const definition = useMemo(() => readDefinition(text), [text]);
  const [selected, setSelected] = useState<string>();
  const state = selected === undefined ? undefined : definition?.states.get(selected);
  const reveal = useMemo(() => (state ? { from: state.offset, to: state.offset + state.length } : undefined), [state]);
  return (
    <div className="halves tall">
      <Suspense fallback={<Spinner />}>
        {definition && (
          <GraphView definition={definition} label="Graph" selected={selected} onSelect={(id) => setSelected(id)} />
        )}
      </Suspense>
      <Code text={text} label="Definition" readOnly reveal={reveal} />
    </div>
  );
}
