import { describe, expect, it } from "vitest";
import { type HistoryEvent, readHistory } from "./history";
import { isInItem, itemIn, itemsOf, mapOf } from "./items";

/** Each line: type, the id of the event before it, and details. Ids count from 1. */
function events(lines: [string, number, Record<string, unknown>?][]): HistoryEvent[] {
  return lines.map(([type, previousEventId, details], index) => ({
    id: index + 1,
    previousEventId,
    timestamp: index,
    type,
    ...(details ? { anyEventDetails: details } : {}),
  }));
}

const run = readHistory(
  events([
    ["ExecutionStarted", 0],
    ["MapStateEntered", 0, { name: "All" }],
    ["MapStateStarted", 2, { length: 4 }],
    ["MapIterationStarted", 3, { name: "All", index: 0 }],
    ["TaskStateEntered", 4, { name: "Do" }],
    ["MapIterationStarted", 3, { name: "All", index: 1 }],
    ["TaskStateEntered", 6, { name: "Do" }],
    ["TaskStateExited", 7, { name: "Do" }],
    ["MapIterationSucceeded", 8, { name: "All", index: 1 }],
    ["TaskScheduled", 5],
    ["TaskFailed", 10, { error: "Bad" }],
    ["MapIterationFailed", 11, { name: "All", index: 0 }],
    ["MapIterationStarted", 3, { name: "All", index: 2 }],
  ]),
);

describe("items of a Map", () => {
  const map = run.visits[0];

  it("are told by its events", () => {
    if (!map) throw new Error("there is a Map");
    const items = itemsOf(run, map);
    expect(items.map(({ status }) => status)).toEqual(["failed", "succeeded", "running", "waiting"]);
    expect(items[0]).toMatchObject({ startMs: 3_000, endMs: 11_000, error: "Bad" });
    expect(items[1]?.last?.id).toBe(7);
  });

  it("hold the visits within", () => {
    if (!map) throw new Error("there is a Map");
    const within = (item: number) => run.visits.filter((visit) => isInItem(visit, map, item)).map(({ id }) => id);
    expect(within(0)).toEqual([2, 5]);
    expect(within(1)).toEqual([2, 7]);
    expect(mapOf(run.visits[2])).toBe(map);
    expect(run.visits.map((visit) => itemIn(visit, map, 2))).toEqual([2, 0, 1]);
    expect(mapOf(map)).toBe(map);
  });
});
