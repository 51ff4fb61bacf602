/** What pages ask the server for, as queries whose answers they share. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { call, pages } from "./client";
import { expressQuery } from "./consoleApi";
import type { Execution, ExecutionStatus, Machine } from "./operations";

/** State machines or activities that one list holds; more are searched by the API itself. */
const LISTED_MAX = 5_000;
const EXECUTIONS_PAGE = 50;
/** How often a list that may change by itself is asked for again. */
const REFRESH_MS = 3_000;

export const machinesQuery = queryOptions({
  queryKey: ["machines"],
  queryFn: ({ signal }) =>
    pages(LISTED_MAX, async (nextToken) => {
      const page = await call("ListStateMachines", { maxResults: 1000, nextToken }, signal);
      return { items: page.stateMachines, nextToken: page.nextToken };
    }),
});

export const machineQuery = (stateMachineArn: string) =>
  queryOptions({
    queryKey: ["machine", stateMachineArn],
    queryFn: ({ signal }) => call("DescribeStateMachine", { stateMachineArn }, signal),
  });

export const tagsQuery = (resourceArn: string) =>
  queryOptions({
    queryKey: ["tags", resourceArn],
    queryFn: async ({ signal }) => (await call("ListTagsForResource", { resourceArn }, signal)).tags,
  });

export const versionsQuery = (stateMachineArn: string) =>
  queryOptions({
    queryKey: ["versions", stateMachineArn],
    queryFn: ({ signal }) =>
      pages(LISTED_MAX, async (nextToken) => {
        const page = await call("ListStateMachineVersions", { stateMachineArn, maxResults: 1000, nextToken }, signal);
        return { items: page.stateMachineVersions, nextToken: page.nextToken };
      }),
  });

export const aliasesQuery = (stateMachineArn: string) =>
  queryOptions({
    queryKey: ["aliases", stateMachineArn],
    queryFn: async ({ signal }) => {
      // A state machine has at most 100, so this is one page. Source: Step Functions quotas.
      const page = await call("ListStateMachineAliases", { stateMachineArn, maxResults: 1000 }, signal);
      return Promise.all(
        page.stateMachineAliases.map(({ stateMachineAliasArn }) =>
          call("DescribeStateMachineAlias", { stateMachineAliasArn }, signal),
        ),
      );
    },
  });

/** One page, by the token that the page before gave. */
export const executionsQuery = (
  stateMachineArn: string,
  statusFilter: ExecutionStatus | undefined,
  nextToken?: string,
) =>
  queryOptions({
    queryKey: ["executions", stateMachineArn, statusFilter, nextToken],
    queryFn: ({ signal }) =>
      call("ListExecutions", { stateMachineArn, statusFilter, maxResults: EXECUTIONS_PAGE, nextToken }, signal),
    refetchInterval: REFRESH_MS,
    placeholderData: keepPreviousData,
  });

/** The input of the execution of a Standard state machine that was started last; `null` if there is none. */
export const lastInputQuery = (stateMachineArn: string) =>
  queryOptions({
    queryKey: ["last-input", stateMachineArn],
    queryFn: async ({ signal }) => {
      const [last] = (await call("ListExecutions", { stateMachineArn, maxResults: 1 }, signal)).executions;
      if (!last) return null;
      return (await call("DescribeExecution", { executionArn: last.executionArn }, signal)).input ?? null;
    },
  });

/** Whether this is the ARN of an Express execution: it ends with an id of its own, and is in memory alone. */
export const isExpress = (executionArn: string) => executionArn.split(":")[5] === "express";

export const executionQuery = (executionArn: string) =>
  isExpress(executionArn)
    ? expressQuery(executionArn)
    : queryOptions({
        queryKey: ["execution", executionArn],
        queryFn: ({ signal }): Promise<Execution> => call("DescribeExecution", { executionArn }, signal),
      });

/** The state machine of an execution; of an Express one, as it is now. */
export const machineOfExecutionQuery = (executionArn: string) =>
  queryOptions({
    queryKey: ["machine-of-execution", executionArn],
    queryFn: ({ signal }): Promise<Pick<Machine, "definition" | "stateMachineArn" | "loggingConfiguration">> =>
      isExpress(executionArn)
        ? call("DescribeStateMachine", { stateMachineArn: machineOfExpress(executionArn) }, signal)
        : call("DescribeStateMachineForExecution", { executionArn }, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** `…:express:MACHINE:NAME:ID` */
function machineOfExpress(executionArn: string): string {
  const parts = executionArn.split(":");
  return [...parts.slice(0, 5), "stateMachine", parts[6]].join(":");
}
