/** What is known of the data that the selected state sees, from tests and from the last execution. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { call, read } from "../aws/client";
import type { Machine } from "../aws/operations";
import { fullEvent } from "../executions/events";
import type { State } from "../model/definition";
import { detailsOf, type HistoryEvent, readHistory } from "../model/history";
import { type DesignData, designData } from "./designData";
import type { TestCase } from "./tests";

/** Executions that are looked at for one that has ended. */
const EXECUTIONS = 10;
/** Pages of its events that are read; what it did later is not known here. */
const PAGES_MAX = 6;
const STALE_MS = 30_000;

export function useDesignData(
  machine: Machine,
  state: State | undefined,
  test: TestCase | undefined,
): DesignData | undefined {
  const last = useQuery({
    queryKey: ["last-execution", machine.stateMachineArn],
    queryFn: async ({ signal }) => {
      const asked = { stateMachineArn: machine.stateMachineArn, maxResults: EXECUTIONS };
      const { executions } = await call("ListExecutions", asked, signal);
      return executions.find((execution) => execution.status !== "RUNNING") ?? executions[0] ?? null;
    },
    enabled: machine.type === "STANDARD",
    staleTime: STALE_MS,
  }).data;
  const events = useQuery({
    queryKey: ["events-for-design", last?.executionArn, last?.status],
    queryFn: ({ signal }) => eventsOf(last?.executionArn ?? "", signal),
    enabled: Boolean(last),
    staleTime: STALE_MS,
  }).data;
  const seen = useMemo(() => (events ? readHistory(events) : undefined), [events]);
  const visit = state && seen?.visits.findLast((visit) => visit.name === state.name);
  const resulting = visit?.events.findLast((event) => /Succeeded$/.test(event.type)) ?? visit?.exited;
  // Large payloads come with their events alone.
  const isShort = (event: HistoryEvent | undefined, name: string) => event !== undefined && !(name in detailsOf(event));
  const arn = last?.executionArn ?? "";
  const entered = useQuery(fullEvent(arn, isShort(visit?.entered, "input") ? visit?.entered.id : undefined)).data;
  const resulted = useQuery(fullEvent(arn, isShort(resulting, "output") ? resulting?.id : undefined)).data;
  return useMemo(() => {
    if (!state) return undefined;
    const full = new Map([entered, resulted].flatMap((event) => (event ? [[event.id, event] as const] : [])));
    const run = events && last ? readHistory(events.map((event) => full.get(event.id) ?? event)) : undefined;
    const known = {
      test,
      run: run && last ? { run, name: last.name, arn: last.executionArn } : undefined,
      machine: { arn: machine.stateMachineArn, name: machine.name, roleArn: machine.roleArn },
    };
    return designData(state, known);
  }, [state, test, events, last, entered, resulted, machine]);
}

async function eventsOf(arn: string, signal: AbortSignal): Promise<HistoryEvent[]> {
  const all: HistoryEvent[] = [];
  for (let page = 0; page < PAGES_MAX; page++) {
    const path = `executions/${encodeURIComponent(arn)}/events?after=${all.at(-1)?.id ?? 0}`;
    const { events, more } = await read<{ events: HistoryEvent[]; more: boolean }>(path, signal);
    all.push(...events);
    if (!more) break;
  }
  return all;
}
