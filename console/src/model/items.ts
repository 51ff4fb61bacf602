/** The items of a Map state in an execution: how each stands, by the events of the Map. */
import { detailsOf, msOf, type Run, type StateStatus, type Visit } from "./history";

export interface Item {
  index: number;
  /** `waiting`: it has not begun. */
  status: StateStatus | "waiting";
  startMs: number | undefined;
  endMs: number | undefined;
  /** The last state that it entered. */
  last: Visit | undefined;
  error: string | undefined;
}

const OUTCOMES: Record<string, StateStatus> = {
  MapIterationStarted: "running",
  MapIterationSucceeded: "succeeded",
  MapIterationFailed: "failed",
  MapIterationAborted: "aborted",
};

/** In the order of the items; there may be 10,000 and more. */
export function itemsOf(run: Run, map: Visit): Item[] {
  const items: Item[] = Array.from({ length: map.items?.total ?? 0 }, (_, index) => ({
    index,
    status: "waiting",
    startMs: undefined,
    endMs: undefined,
    last: undefined,
    error: undefined,
  }));
  for (const event of map.events) {
    const status = OUTCOMES[event.type];
    const item = items[Number(detailsOf(event).index)];
    if (!status || !item) continue;
    item.status = status;
    if (status === "running") item.startMs ??= msOf(event);
    item.endMs = status === "running" ? undefined : msOf(event);
  }
  for (const visit of run.visits) {
    if (visit.parent !== map || visit.iteration === undefined) continue;
    const item = items[visit.iteration];
    if (!item) continue;
    item.last = visit;
    if (item.status === "failed") item.error = visit.error ?? item.error;
  }
  return items;
}

/** The Map that a visit is, or is in. */
export function mapOf(visit: Visit | undefined): Visit | undefined {
  let at = visit;
  while (at && at.type !== "Map") at = at.parent;
  return at;
}

/** The item of the Map that a visit is in; of the Map itself the one that is looked at; `undefined` outside of it. */
export function itemIn(visit: Visit, map: Visit, looked: number): number | undefined {
  if (visit === map) return looked;
  for (let at: Visit | undefined = visit; at; at = at.parent) if (at.parent === map) return at.iteration;
  return undefined;
}

/** Whether a visit is outside of the Map, or in that item of it. */
export function isInItem(visit: Visit, map: Visit, item: number): boolean {
  for (let at = visit; at.parent; at = at.parent) if (at.parent === map) return at.iteration === item;
  return true;
}
