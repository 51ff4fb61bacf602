import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { failed } from "../app/notices";
import { Problem } from "../app/Problem";
import { functionsRoute } from "../app/router";
import { prettyJson } from "../app/words";
import { Code } from "../code/Code";
import { functionsQuery, type HostedFunction, invoke, logQuery } from "./queries";
import "./functions.css";

const RUNTIMES: Record<string, string> = { "python3.11": "Python", "nodejs20.x": "Node", "provided.al2023": "Program" };

/** Functions that run on this machine in the place of Lambda's: what they are, what they print, a try of each. */
export function FunctionsPage() {
  const { function: chosen } = functionsRoute.useSearch();
  const navigate = functionsRoute.useNavigate();
  const functions = useQuery(functionsQuery);
  if (functions.error) {
    return <Problem what="The functions cannot be listed" error={functions.error} retry={functions.refetch} />;
  }
  if (!functions.data) return <Spinner size="large" />;
  const selected = functions.data.find(({ FunctionName }) => FunctionName === chosen) ?? functions.data[0];
  return (
    <SpaceBetween size="l">
      <Table
        items={functions.data}
        trackBy="FunctionName"
        selectionType="single"
        selectedItems={selected ? [selected] : []}
        onSelectionChange={(event) =>
          navigate({ search: { function: event.detail.selectedItems[0]?.FunctionName }, replace: true })
        }
        onRowClick={(event) => navigate({ search: { function: event.detail.item.FunctionName }, replace: true })}
        ariaLabels={{
          selectionGroupLabel: "Functions",
          itemSelectionLabel: (_, one) => `Select ${one.FunctionName}`,
          tableLabel: "Functions",
        }}
        columnDefinitions={[
          { id: "name", header: "Name", cell: (one) => one.FunctionName, isRowHeader: true },
          { id: "runtime", header: "Runs as", cell: (one) => RUNTIMES[one.Runtime] ?? one.Runtime },
          { id: "handler", header: "Handler", cell: (one) => one.Handler },
          { id: "timeout", header: "Time limit", cell: (one) => `${one.Timeout} s` },
          { id: "memory", header: "Memory limit", cell: (one) => (one.MemorySize ? `${one.MemorySize} MiB` : "–") },
        ]}
        header={
          <Header
            variant="h1"
            counter={`(${functions.data.length})`}
            description="They run on this machine in the place of the Lambda functions of the same names."
          >
            Functions
          </Header>
        }
        empty={
          <Box textAlign="center" padding="l">
            <SpaceBetween size="xs">
              <Box>No function runs on this machine.</Box>
              <Box variant="code">stepwell function add NAME --python FILE</Box>
            </SpaceBetween>
          </Box>
        }
      />
      {selected && <OneFunction key={selected.FunctionName} one={selected} />}
    </SpaceBetween>
  );
}

function OneFunction({ one }: { one: HostedFunction }) {
  return (
    <div className="function">
      <Trial one={one} />
      <Log one={one} />
    </div>
  );
}

function Trial({ one }: { one: HostedFunction }) {
  const [payload, setPayload] = useState("{}");
  const queries = useQueryClient();
  const trial = useMutation({
    mutationFn: () => invoke(one.FunctionName, payload),
    onError: (error) => failed("The function was not run", error),
    onSettled: () => queries.invalidateQueries({ queryKey: ["function-log", one.FunctionName] }),
  });
  return (
    <Container
      header={
        <Header
          variant="h2"
          actions={
            <Button loading={trial.isPending} onClick={() => trial.mutate()}>
              Run
            </Button>
          }
        >
          Try {one.FunctionName}
        </Header>
      }
    >
      <SpaceBetween size="s">
        <KeyValuePairs items={[{ label: "ARN", value: <span className="wrap">{one.FunctionArn}</span> }]} />
        <Box variant="awsui-key-label">Payload</Box>
        <div className="function-payload">
          <Code text={payload} label="Payload" onChange={setPayload} />
        </div>
        {trial.data && (
          <section aria-label="Answer">
            <SpaceBetween size="xs">
              <StatusIndicator type={trial.data.failed ? "error" : "success"}>
                {trial.data.failed ? "It failed" : "It answered"} after {Math.round(trial.data.tookMs)} ms
              </StatusIndicator>
              <pre className="data mono" tabIndex={0}>
                {prettyJson(trial.data.payload)}
              </pre>
            </SpaceBetween>
          </section>
        )}
      </SpaceBetween>
    </Container>
  );
}

/** What it printed last; the end stays in sight unless somebody has scrolled back. */
function Log({ one }: { one: HostedFunction }) {
  const log = useQuery(logQuery(one.FunctionName));
  const [find, setFind] = useState("");
  const host = useRef<HTMLPreElement>(null);
  const isAtEnd = useRef(true);
  const lines = (log.data ?? "").split("\n").slice(0, -1);
  const shown = find ? lines.filter((line) => line.toLowerCase().includes(find.toLowerCase())) : lines;
  const text = shown.join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: new text is what moves the end
  useEffect(() => {
    if (isAtEnd.current && host.current) host.current.scrollTop = host.current.scrollHeight;
  }, [text]);
  return (
    <Container
      header={
        <Header variant="h2" counter={`(${shown.length} lines)`}>
          Log
        </Header>
      }
    >
      <SpaceBetween size="s">
        <input
          className="function-find"
          type="search"
          placeholder="Find in the log"
          aria-label="Find in the log"
          value={find}
          onChange={(event) => setFind(event.target.value)}
        />
        <pre
          ref={host}
          className="data mono function-log"
          tabIndex={0}
          onScroll={({ currentTarget }) => {
            const { scrollTop, clientHeight, scrollHeight } = currentTarget;
            isAtEnd.current = scrollTop + clientHeight >= scrollHeight - 8;
          }}
        >
          {text || (find ? "No line matches." : "It has printed nothing since the server started.")}
        </pre>
      </SpaceBetween>
    </Container>
  );
}
