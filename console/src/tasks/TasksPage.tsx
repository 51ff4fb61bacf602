import Alert from "@cloudscape-design/components/alert";
import Badge from "@cloudscape-design/components/badge";
import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Spinner from "@cloudscape-design/components/spinner";
import TextFilter from "@cloudscape-design/components/text-filter";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { executionHref, Link, machineHref } from "../app/Link";
import { Problem } from "../app/Problem";
import { Rows } from "../app/Rows";
import { tasksRoute } from "../app/router";
import { dateText, nameOf, prettyJson, spanText } from "../app/words";
import { type WaitingTask, waitingQuery } from "../aws/consoleApi";
import { AnswerTask } from "./AnswerTask";
import "./tasks.css";

const ROW = 64;
const TICK_MS = 1_000;

const keyOf = (task: WaitingTask) => `${task.executionArn}/${task.task}`;

/** The inbox: tasks that go on once somebody answers with their token. */
export function TasksPage() {
  const { find = "", task: chosen } = tasksRoute.useSearch();
  const navigate = tasksRoute.useNavigate();
  const waiting = useQuery(waitingQuery);
  const now = useSeconds();
  if (waiting.error) {
    return <Problem what="The waiting tasks cannot be listed" error={waiting.error} retry={waiting.refetch} />;
  }
  if (!waiting.data) return <Spinner size="large" />;
  const { tasks, more } = waiting.data;
  const text = find.toLowerCase();
  const shown = tasks.filter((task) =>
    `${task.state} ${task.executionArn} ${task.resource} ${task.input ?? ""}`.toLowerCase().includes(text),
  );
  const selected = tasks.find((task) => keyOf(task) === chosen) ?? (chosen === undefined ? shown[0] : undefined);
  const choose = (task: WaitingTask | undefined) =>
    navigate({ search: { find: find || undefined, task: task && keyOf(task) }, replace: true });
  return (
    <div className="inbox">
      <Header
        variant="h1"
        counter={`(${tasks.length}${more ? "+" : ""})`}
        description="They go on once somebody answers in the place of whoever holds their token."
      >
        Waiting tasks
      </Header>
      {tasks.length === 0 && !more && chosen === undefined ? (
        <Box textAlign="center" padding="xxl" color="text-body-secondary">
          <Box variant="h3">Nothing waits for an answer</Box>
          Tasks whose resource ends with .waitForTaskToken, and those of activities that a worker has taken,
          <br />
          are here as long as they wait; also those of a Map Run's child executions.
        </Box>
      ) : (
        <div className="inbox-body">
          <div className="inbox-list">
            <TextFilter
              filteringText={find}
              filteringPlaceholder="Find by state, execution or input"
              filteringAriaLabel="Find waiting tasks"
              onChange={(event) =>
                navigate({ search: { find: event.detail.filteringText || undefined, task: chosen }, replace: true })
              }
            />
            <TaskList tasks={shown} selected={selected} now={now} onSelect={choose} />
            {more && (
              <Box color="text-body-secondary" fontSize="body-s">
                More executions run than are looked at here.
              </Box>
            )}
          </div>
          <div className="inbox-one">
            {selected ? (
              <OneTask key={keyOf(selected)} task={selected} now={now} onAnswered={() => choose(undefined)} />
            ) : (
              <Nothing isGone={chosen !== undefined} find={find} />
            )}
          </div>
        </div>
      )}
    </div>
  );
}

function Nothing({ isGone, find }: { isGone: boolean; find: string }) {
  if (isGone) {
    return (
      <Alert type="info" statusIconAriaLabel="Info">
        That task does not wait any more.
      </Alert>
    );
  }
  return (
    <Box textAlign="center" padding="xxl" color="text-body-secondary">
      {find ? "None matches." : "Nothing waits for an answer."}
    </Box>
  );
}

function TaskList(props: {
  tasks: WaitingTask[];
  selected: WaitingTask | undefined;
  now: number;
  onSelect: (task: WaitingTask) => void;
}) {
  const { tasks, selected, now, onSelect } = props;
  return (
    <Rows items={tasks} keyOf={keyOf} height={ROW} label="Tasks" className="inbox-rows">
      {(task) => (
        <button
          type="button"
          className={task === selected ? "is-selected" : ""}
          aria-pressed={task === selected}
          onClick={() => onSelect(task)}
        >
          <span className="inbox-state">{task.state}</span>
          <span className="inbox-since">{spanText(now - task.since)}</span>
          <span className="inbox-execution">
            {nameOf(task.stateMachineArn)} / {nameOf(task.executionArn)}
          </span>
          {task.timesOut !== undefined && <span className="inbox-since">{spanText(task.timesOut - now)} left</span>}
        </button>
      )}
    </Rows>
  );
}

function OneTask({ task, now, onAnswered }: { task: WaitingTask; now: number; onAnswered: () => void }) {
  return (
    <SpaceBetween size="l">
      <SpaceBetween size="xs">
        <Header
          variant="h2"
          info={<Badge color={task.kind === "callback" ? "blue" : "grey"}>{KINDS[task.kind]}</Badge>}
        >
          {task.state}
        </Header>
        <KeyValuePairs
          columns={3}
          items={[
            {
              label: "Execution",
              value: (
                <Link href={`${executionHref(task.executionArn)}?visit=${task.task}`}>{nameOf(task.executionArn)}</Link>
              ),
            },
            {
              label: "State machine",
              value: <Link href={machineHref(task.stateMachineArn)}>{nameOf(task.stateMachineArn)}</Link>,
            },
            { label: "Resource", value: <span className="wrap">{task.resource}</span> },
            { label: "Waits since", value: `${dateText(task.since)} (${spanText(now - task.since)})` },
            {
              label: "Times out",
              value:
                task.timesOut === undefined ? "–" : `${dateText(task.timesOut)} (in ${spanText(task.timesOut - now)})`,
            },
            {
              label: "Heartbeat",
              value: task.heartbeatSeconds === undefined ? "–" : `every ${spanText(task.heartbeatSeconds)}`,
            },
          ]}
        />
      </SpaceBetween>
      <div className="inbox-sides">
        <SpaceBetween size="xs">
          <Box variant="awsui-key-label">What the task was given</Box>
          <pre className="data mono" tabIndex={0}>
            {task.input === undefined ? "It is large: the execution shows it." : prettyJson(task.input)}
          </pre>
        </SpaceBetween>
        <AnswerTask task={task} onAnswered={onAnswered} />
      </div>
    </SpaceBetween>
  );
}

const KINDS = { callback: "Callback", activity: "Activity" };

/** The time in seconds since 1970, again each second. */
function useSeconds(): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
