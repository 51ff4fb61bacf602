/**
 * The events of an execution as they come: pushed by the server, or fetched at intervals where that does not work.
 *
 * Payloads over 4 KiB are not among them (`truncated` says so); {@link fullEvent} fetches an event with all its data.
 */
import { queryOptions } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { read } from "../aws/client";
import { isExpress } from "../aws/queries";
import type { HistoryEvent } from "../model/history";

interface Batch {
  events: HistoryEvent[];
  more: boolean;
  /** Of an Express execution: its last event may be one that the server has not kept. */
  ended?: boolean;
}

export interface EventFeed {
  events: readonly HistoryEvent[];
  /** All that is there has come. */
  complete: boolean;
  /** How they come now. */
  by: "stream" | "polling" | "ended";
  error: unknown;
}

const POLL_MS = 1_000;
/** So often a stream may break off without a message before polling takes over. */
const BREAKS_MAX = 3;

const START: EventFeed = { events: [], complete: false, by: "stream", error: undefined };

const pathOf = (arn: string) => `executions/${encodeURIComponent(arn)}`;

/** Another `round` follows it anew: an execution that was redriven goes on behind its end. */
export function useEvents(executionArn: string, round = 0): EventFeed {
  const [feed, setFeed] = useState(START);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the round is what starts it anew
  useEffect(() => {
    setFeed(START);
    return follow(executionArn, setFeed);
  }, [executionArn, round]);
  return feed;
}

/** Follows an execution until its end; answers how to stop. */
function follow(arn: string, tell: (feed: EventFeed) => void): () => void {
  const stop = new AbortController();
  let events: HistoryEvent[] = [];
  let breaks = 0;

  const take = (batch: Batch, by: EventFeed["by"]) => {
    const last = events.at(-1)?.id ?? 0;
    const fresh = batch.events.filter((event) => event.id > last);
    events = fresh.length > 0 ? [...events, ...fresh] : events;
    const ended = !batch.more && (batch.ended ?? isEnd(events.at(-1)));
    tell({ events, complete: !batch.more, by: ended ? "ended" : by, error: undefined });
    return ended;
  };

  const poll = async () => {
    while (!stop.signal.aborted) {
      try {
        const batch = await read<Batch>(`${pathOf(arn)}/events?after=${events.at(-1)?.id ?? 0}`, stop.signal);
        if (take(batch, "polling")) return;
        if (batch.more) continue;
      } catch (error) {
        if (stop.signal.aborted) return;
        tell({ events, complete: events.length > 0, by: "polling", error });
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };

  // They are in memory alone, where looking costs little.
  if (isExpress(arn)) {
    void poll();
    return () => stop.abort();
  }
  const source = new EventSource(`/console/api/${pathOf(arn)}/stream`);
  stop.signal.addEventListener("abort", () => source.close());
  source.onmessage = (message) => {
    breaks = 0;
    if (take(JSON.parse(String(message.data)) as Batch, "stream")) source.close();
  };
  source.addEventListener("end", () => source.close());
  source.onerror = () => {
    breaks++;
    // A refused stream is closed by the browser; one that breaks off is opened again by it, behind the last event.
    if (source.readyState !== EventSource.CLOSED && breaks < BREAKS_MAX) return;
    source.close();
    void poll();
  };
  return () => stop.abort();
}

function isEnd(event: HistoryEvent | undefined): boolean {
  return event !== undefined && /^Execution(Succeeded|Failed|TimedOut|Aborted)$/.test(event.type);
}

/** An event with all its data. What has happened does not change, so it is kept. */
export const fullEvent = (executionArn: string, id: number | undefined) =>
  queryOptions({
    queryKey: ["event", executionArn, id],
    queryFn: async ({ signal }) =>
      (await read<{ event: HistoryEvent }>(`${pathOf(executionArn)}/events/${id}`, signal)).event,
    enabled: id !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
