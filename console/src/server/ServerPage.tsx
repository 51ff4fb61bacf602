import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import { useQuery } from "@tanstack/react-query";
import { Problem } from "../app/Problem";
import { bytesText, dateText, numberText, spanText } from "../app/words";
import { type Limit, stateQuery } from "../aws/consoleApi";
import "./server.css";

/** How the server is, and how much there is of what is bounded. */
export function ServerPage() {
  const state = useQuery(stateQuery);
  if (state.error)
    return <Problem what="The server does not tell how it is" error={state.error} retry={state.refetch} />;
  if (!state.data) return <Spinner size="large" />;
  const { status, reason, version, region, account, since, limits, searchesValues } = state.data;
  const used = limits.filter((limit) => limit.used !== undefined);
  const each = limits.filter((limit) => limit.used === undefined);
  return (
    <SpaceBetween size="l">
      <Header variant="h1">Server</Header>
      <Container header={<Header variant="h2">Health</Header>}>
        <KeyValuePairs
          columns={4}
          items={[
            {
              label: "Status",
              value:
                status === "ok" ? (
                  <StatusIndicator>It reads and writes</StatusIndicator>
                ) : (
                  <StatusIndicator type="error">{`Nothing is written any more: ${reason ?? ""}`}</StatusIndicator>
                ),
            },
            { label: "Running for", value: `${spanText(Date.now() / 1000 - since)}, since ${dateText(since)}` },
            { label: "Version", value: version },
            { label: "Account and region", value: `${account}, ${region}` },
            {
              label: "Search in inputs and outputs",
              value: searchesValues ? "On" : "Off (search_values in stepwell.toml)",
            },
          ]}
        />
      </Container>
      <Container header={<Header variant="h2">In use</Header>}>
        <div className="limits">
          {used.map((limit) => (
            <Meter key={limit.name} limit={limit} />
          ))}
        </div>
      </Container>
      <Table
        variant="container"
        header={<Header variant="h2">Limits</Header>}
        ariaLabels={{ tableLabel: "Limits" }}
        items={each}
        trackBy="name"
        columnDefinitions={[
          { id: "name", header: "Of", cell: (limit) => limit.name, isRowHeader: true },
          { id: "most", header: "At most", cell: amount },
        ]}
      />
    </SpaceBetween>
  );
}

function amount({ most, unit }: Limit): string {
  return unit === "bytes" ? bytesText(most) : numberText(most);
}

/** From this share on there is little room left. */
const NEARLY_FULL = 0.8;

function Meter({ limit }: { limit: Limit }) {
  const { name, used = 0, most } = limit;
  return (
    <div>
      <Box variant="awsui-key-label">{name}</Box>
      <meter aria-label={name} min={0} max={most} high={most * NEARLY_FULL} optimum={0} value={used} />
      <div className="limit-words">
        <strong>{numberText(used)}</strong> of {numberText(most)}
      </div>
    </div>
  );
}
