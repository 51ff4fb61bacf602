/** What the server answers below `/console/api/`, beside AWS's actions. Source: `crates/api/src/console.rs`. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { read } from "./client";
import type { ActivityListed, Execution, ExecutionListed, ExecutionStatus } from "./operations";

/** A task that an answer with its token would end. Times are seconds since 1970. */
export interface WaitingTask {
  executionArn: string;
  stateMachineArn: string;
  /** The event that scheduled it. */
  task: number;
  state: string;
  kind: "callback" | "activity";
  resource: string;
  since: number;
  timesOut?: number;
  heartbeatSeconds?: number;
  /** JSON text; left out when it is large. */
  input?: string;
}

interface WaitingPage {
  tasks: WaitingTask[];
  examined: number;
  next?: string;
}

export interface Waiting {
  tasks: WaitingTask[];
  /** Executions that run were left out: there are too many. */
  more: boolean;
}

/** Waiting tasks that the inbox holds, and answers that it is gathered from. */
const INBOX = { tasks: 300, answers: 6 };
const INBOX_REFRESH_MS = 2_000;
const LIVE_MS = 3_000;

export const waitingQuery = queryOptions({
  queryKey: ["waiting"],
  queryFn: async ({ signal }): Promise<Waiting> => {
    const tasks: WaitingTask[] = [];
    let next: string | undefined;
    for (let answers = 0; answers < INBOX.answers && tasks.length < INBOX.tasks; answers++) {
      const page: WaitingPage = await read(`tasks${next ? `?after=${next}` : ""}`, signal);
      tasks.push(...page.tasks);
      next = page.next;
      if (!next) break;
    }
    return { tasks: tasks.sort((a, b) => b.since - a.since), more: next !== undefined };
  },
  refetchInterval: INBOX_REFRESH_MS,
});

export const waitingOfQuery = (executionArn: string, running: boolean) =>
  queryOptions({
    queryKey: ["waiting", executionArn],
    queryFn: async ({ signal }) =>
      (await read<{ tasks: WaitingTask[] }>(`executions/${encodeURIComponent(executionArn)}/tasks`, signal)).tasks,
    enabled: running,
    refetchInterval: LIVE_MS,
  });

export interface FoundExecution extends ExecutionListed {
  error?: string;
}

export interface FoundPage {
  executions: FoundExecution[];
  examined: number;
  /** The start of the last execution that was looked at. */
  reached?: number;
  next?: string;
}

/** One answer after another, each a bounded piece of work of the server; `query` is in the form of the server's. */
export const searchQuery = (query: string, live: boolean) =>
  infiniteQueryOptions({
    queryKey: ["search", query],
    queryFn: ({ pageParam, signal }) =>
      read<FoundPage>(`search?${query}${pageParam ? `&after=${pageParam}` : ""}`, signal),
    initialPageParam: "",
    getNextPageParam: (page: FoundPage) => page.next,
    // What takes many answers is not asked for again by itself.
    refetchInterval: (state) => (live && (state.state.data?.pages.length ?? 0) <= 1 ? LIVE_MS : false),
  });

export interface Counts {
  /** Each is counted up to so many. */
  countedTo: number;
  machines: ({ stateMachineArn: string } & Record<ExecutionStatus, number>)[];
}

const COUNTS_REFRESH_MS = 10_000;

export const countsQuery = (machines: string[]) => {
  const query = machines.map((arn) => `machine=${encodeURIComponent(arn)}`).join("&");
  return queryOptions({
    queryKey: ["counts", query],
    queryFn: ({ signal }) => read<Counts>(`counts?${query}`, signal),
    enabled: machines.length > 0,
    refetchInterval: COUNTS_REFRESH_MS,
  });
};

export const expressQuery = (executionArn: string) =>
  queryOptions({
    queryKey: ["execution", executionArn],
    queryFn: ({ signal }) => read<Execution>(`express/${encodeURIComponent(executionArn)}`, signal),
  });

export interface ActivityStanding extends ActivityListed {
  /** Tasks that wait for a worker. */
  waiting: number;
  /** Workers that wait for a task. */
  workers: number;
}

export const activitiesQuery = queryOptions({
  queryKey: ["activities"],
  queryFn: async ({ signal }) =>
    (await read<{ activities: ActivityStanding[]; more: boolean }>("activities", signal)).activities,
  refetchInterval: LIVE_MS,
});

export interface ActivityQueue {
  waiting: number;
  more: boolean;
  tasks: { executionArn: string; task: number }[];
  polling: number;
  workers: string[];
}

export const activityQuery = (activityArn: string) =>
  queryOptions({
    queryKey: ["activity", activityArn],
    queryFn: ({ signal }) => read<ActivityQueue>(`activities/${encodeURIComponent(activityArn)}`, signal),
    refetchInterval: LIVE_MS,
  });

export interface Limit {
  name: string;
  /** `undefined`: it holds for each single thing. */
  used?: number;
  most: number;
  unit: "" | "bytes";
}

/** An account in a region. */
export interface Owner {
  region: string;
  account: string;
}

export interface ServerState {
  status: "ok" | "poisoned";
  reason?: string;
  version: string;
  /** Whose state this is. */
  region: string;
  account: string;
  /** The server's own. */
  own: Owner;
  /** Who has state machines or activities here, and the server's own. */
  owners: Owner[];
  since: number;
  searchesValues: boolean;
  limits: Limit[];
}

export const stateQuery = queryOptions({
  queryKey: ["state"],
  queryFn: ({ signal }) => read<ServerState>("state", signal),
  refetchInterval: LIVE_MS,
});
