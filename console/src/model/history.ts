/**
 * A history as visits: each time a state was entered, until it was left.
 *
 * Events name the event before them in their own branch (`previousEventId`), which is how it is known whose they are.
 * Read up to any event, it tells how the execution stood at that moment. Source: API model, recorded histories.
 */
import type { Definition, StateId } from "./definition";

export type StateStatus = "running" | "succeeded" | "failed" | "caught" | "aborted";

type Details = Record<string, unknown>;

/** An event as the API gives it; one member `…EventDetails` besides these. */
export interface HistoryEvent {
  id: number;
  previousEventId: number;
  /** Seconds since 1970. */
  timestamp: number;
  type: string;
  [details: string]: unknown;
}

export interface Attempt {
  scheduled: HistoryEvent | undefined;
  startMs: number;
  endMs: number | undefined;
  outcome: "running" | "succeeded" | "failed";
  error: string | undefined;
  cause: string | undefined;
}

/** One stay in a state. */
export interface Visit {
  /** Of the event that entered it. */
  id: number;
  name: string;
  type: string;
  status: StateStatus;
  startMs: number;
  endMs: number | undefined;
  entered: HistoryEvent;
  exited: HistoryEvent | undefined;
  /** The Map or Parallel state that it happened in. */
  parent: Visit | undefined;
  /** Which item of that Map. */
  iteration: number | undefined;
  depth: number;
  attempts: Attempt[];
  /** Events of this visit alone, without those of states within. */
  events: HistoryEvent[];
  /** Of a Map: how its items stand. */
  items: { total: number; succeeded: number; failed: number; started: number } | undefined;
  error: string | undefined;
  cause: string | undefined;
  /** It had failed, and goes on after a redrive. */
  reopened: boolean;
}

export interface Run {
  visits: Visit[];
  byId: Map<number, Visit>;
  /** The visit that each event belongs to, by event id. */
  visitOf: Map<number, Visit>;
  /** The names of states that led to each other, as `from → to`, within one scope. */
  steps: Set<string>;
  status: "RUNNING" | "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";
  startMs: number;
  endMs: number | undefined;
  /** Of the last event. */
  lastMs: number;
}

const ENDS: Record<string, Run["status"]> = {
  ExecutionSucceeded: "SUCCEEDED",
  ExecutionFailed: "FAILED",
  ExecutionTimedOut: "TIMED_OUT",
  ExecutionAborted: "ABORTED",
};

export function detailsOf(event: HistoryEvent): Details {
  const key = Object.keys(event).find((key) => key.endsWith("EventDetails"));
  return key ? (event[key] as Details) : {};
}

export function msOf(event: HistoryEvent): number {
  return Math.round(event.timestamp * 1000);
}

/** Where an event stands: whose it is, and in which item of which Map. */
interface Place {
  visit: Visit | undefined;
  iteration: number | undefined;
}

/** Reads events in their order; those with an id beyond `until` are not looked at. */
export function readHistory(events: readonly HistoryEvent[], until = Number.POSITIVE_INFINITY): Run {
  const run: Run = {
    visits: [],
    byId: new Map(),
    visitOf: new Map(),
    steps: new Set(),
    status: "RUNNING",
    startMs: 0,
    endMs: undefined,
    lastMs: 0,
  };
  const places = new Map<number, Place>();
  for (const event of events) {
    if (event.id > until) break;
    const place = readEvent(
      run,
      event,
      places.get(event.previousEventId) ?? { visit: undefined, iteration: undefined },
    );
    places.set(event.id, place);
    if (place.visit) {
      run.visitOf.set(event.id, place.visit);
      place.visit.events.push(event);
    }
    run.lastMs = msOf(event);
  }
  return run;
}

function readEvent(run: Run, event: HistoryEvent, before: Place): Place {
  const { type } = event;
  const ms = msOf(event);
  if (type === "ExecutionStarted") {
    run.startMs = ms;
    return before;
  }
  const end = ENDS[type];
  if (end) {
    closeAll(run, event, end, before.visit);
    return { visit: undefined, iteration: undefined };
  }
  if (type === "ExecutionRedriven") return redrive(run);
  if (type.endsWith("StateEntered")) return enter(run, event, before);
  if (type.endsWith("StateExited")) return exit(event, resumed(run, event, before));
  if (/^(Map|Parallel)State|^MapIteration|^MapRun/.test(type)) return ofContainer(event, resumed(run, event, before));
  const place = resumed(run, event, before);
  if (place.visit) attempt(place.visit, event);
  return place;
}

/** What had not succeeded goes on. What comes next names the redrive as the event before it, not its own branch. */
function redrive(run: Run): Place {
  run.status = "RUNNING";
  run.endMs = undefined;
  for (const visit of run.visits) {
    if (visit.exited) continue;
    began(visit);
    visit.endMs = undefined;
    visit.reopened = true;
  }
  return { visit: undefined, iteration: undefined };
}

/** Where an event stands that names a redrive, or an item started anew by one, as the event before it. */
function resumed(run: Run, event: HistoryEvent, before: Place): Place {
  const isWithin = before.visit !== undefined && isContainer(before.visit) && event.type.endsWith("Scheduled");
  if (before.visit && !isWithin) return before;
  const name = detailsOf(event).name;
  const visit = run.visits.find(
    (visit) =>
      visit.reopened &&
      !visit.exited &&
      (name === undefined
        ? visit.type === "Task" && visit.attempts.at(-1)?.outcome !== "running"
        : visit.name === name) &&
      (!isWithin || (visit.parent === before.visit && visit.iteration === before.iteration)),
  );
  return visit ? { visit, iteration: visit.iteration } : before;
}

function enter(run: Run, event: HistoryEvent, before: Place): Place {
  const details = detailsOf(event);
  const name = String(details.name ?? "");
  // Behind a state that was left stands its sibling; behind one that was not, a state within it.
  const isWithin = before.visit !== undefined && before.visit.exited === undefined && isContainer(before.visit);
  const parent = isWithin ? before.visit : before.visit?.parent;
  const iteration = isWithin ? before.iteration : before.visit?.iteration;
  if (before.visit && !isWithin) run.steps.add(`${before.visit.name}\n${name}`);
  const visit: Visit = {
    id: event.id,
    name,
    type: event.type.replace("StateEntered", ""),
    status: "running",
    startMs: msOf(event),
    endMs: undefined,
    entered: event,
    exited: undefined,
    parent,
    iteration,
    depth: parent ? parent.depth + 1 : 0,
    attempts: [],
    events: [],
    items: undefined,
    error: undefined,
    cause: undefined,
    reopened: false,
  };
  run.visits.push(visit);
  run.byId.set(visit.id, visit);
  return { visit, iteration };
}

function exit(event: HistoryEvent, before: Place): Place {
  const name = String(detailsOf(event).name ?? "");
  let { visit } = before;
  while (visit && visit.name !== name) visit = visit.parent;
  if (!visit) return before;
  visit.exited = event;
  visit.endMs = msOf(event);
  visit.status = visit.error !== undefined || visit.status === "failed" ? "caught" : "succeeded";
  return { visit, iteration: visit.iteration };
}

function ofContainer(event: HistoryEvent, before: Place): Place {
  const kind = event.type.startsWith("Map") ? "Map" : "Parallel";
  let { visit } = before;
  while (visit && (visit.type !== kind || visit.exited)) visit = visit.parent;
  if (!visit) return before;
  const details = detailsOf(event);
  const items = visit.items;
  const index = typeof details.index === "number" ? details.index : undefined;
  switch (event.type) {
    case "ParallelStateStarted":
      began(visit);
      break;
    case "MapStateStarted":
      began(visit);
      visit.items = { total: Number(details.length ?? 0), succeeded: 0, failed: 0, started: 0 };
      break;
    case "MapRunStarted":
      // Its items are executions of their own, which the Map Run counts.
      visit.items = undefined;
      break;
    case "MapIterationStarted":
      if (items) items.started++;
      return { visit, iteration: index };
    case "MapIterationSucceeded":
      if (items) items.succeeded++;
      break;
    case "MapIterationFailed":
    case "MapIterationAborted":
      if (items) items.failed++;
      closeWithin(before.visit, visit, msOf(event));
      break;
    case "MapStateFailed":
    case "ParallelStateFailed":
      visit.status = "failed";
      closeWithin(before.visit, visit, msOf(event));
      break;
    case "MapStateAborted":
    case "ParallelStateAborted":
      visit.status = "aborted";
      visit.endMs = msOf(event);
      break;
  }
  return { visit, iteration: visit.iteration };
}

/** It is entered, or tried again. */
function began(visit: Visit) {
  visit.status = "running";
  visit.error = undefined;
  visit.cause = undefined;
}

/** What failed within a container failed it. */
function closeWithin(from: Visit | undefined, container: Visit, ms: number) {
  for (let visit = from; visit && visit !== container; visit = visit.parent) {
    if (visit.exited) continue;
    visit.status = "failed";
    visit.endMs = ms;
    container.error ??= visit.error;
    container.cause ??= visit.cause;
  }
}

function attempt(visit: Visit, event: HistoryEvent) {
  const { type } = event;
  const ms = msOf(event);
  const last = visit.attempts.at(-1);
  const details = detailsOf(event);
  if (type.endsWith("Scheduled")) {
    visit.error = undefined;
    visit.cause = undefined;
    visit.attempts.push({
      scheduled: event,
      startMs: ms,
      endMs: undefined,
      outcome: "running",
      error: undefined,
      cause: undefined,
    });
  } else if (/^(Task|LambdaFunction|Activity)Succeeded$/.test(type)) {
    if (last) Object.assign(last, { outcome: "succeeded", endMs: ms });
  } else if (/Failed$|TimedOut$/.test(type)) {
    visit.error = String(details.error ?? type);
    visit.cause = details.cause === undefined ? undefined : String(details.cause);
    if (last && last.outcome === "running") {
      Object.assign(last, { outcome: "failed", endMs: ms, error: visit.error, cause: visit.cause });
    }
  } else if (type.endsWith("StateAborted")) {
    visit.status = "aborted";
    visit.endMs = ms;
  }
}

function closeAll(run: Run, event: HistoryEvent, status: Run["status"], last: Visit | undefined) {
  run.status = status;
  run.endMs = msOf(event);
  if (status === "SUCCEEDED") {
    // A Succeed state at the top has been left; nothing else is open.
    return;
  }
  const { error, cause } = detailsOf(event) as { error?: string; cause?: string };
  const failed = new Set<Visit>();
  if (status === "FAILED") for (let visit = last; visit; visit = visit.parent) failed.add(visit);
  for (const visit of run.visits) {
    if (visit.exited || visit.endMs !== undefined) continue;
    visit.endMs = run.endMs;
    const attempt = visit.attempts.at(-1);
    if (attempt?.outcome === "running") Object.assign(attempt, { outcome: "failed", endMs: run.endMs });
    if (!failed.has(visit)) {
      visit.status = "aborted";
      continue;
    }
    visit.status = "failed";
    visit.error ??= error;
    visit.cause ??= cause;
  }
}

function isContainer(visit: Visit): boolean {
  return visit.type === "Map" || visit.type === "Parallel";
}

/** The state of the definition that a name in a history means; names are unique, since AWS demands it. */
export function stateIdsByName(definition: Definition): Map<string, StateId> {
  const ids = new Map<string, StateId>();
  for (const state of definition.states.values()) if (!ids.has(state.name)) ids.set(state.name, state.id);
  return ids;
}

/** How each state that was entered stands: running if any visit is, else as the last one ended. */
export function runsByState(
  definition: Definition,
  run: Run,
): Map<StateId, { status: StateStatus; visits: number; note?: string }> {
  const ids = stateIdsByName(definition);
  const runs = new Map<StateId, { status: StateStatus; visits: number; note?: string }>();
  for (const visit of run.visits) {
    const id = ids.get(visit.name);
    if (id === undefined) continue;
    const before = runs.get(id);
    const status = before && (before.status === "running" || visit.status === "running") ? "running" : visit.status;
    const note = visit.items ? `${visit.items.succeeded}/${visit.items.total}` : before?.note;
    runs.set(id, { status, visits: (before?.visits ?? 0) + 1, ...(note === undefined ? {} : { note }) });
  }
  return runs;
}

/** The ids of the edges along which the execution went. */
export function edgesTaken(definition: Definition, run: Run): Set<string> {
  const taken = new Set<string>();
  const names = (id: StateId | undefined) => (id === undefined ? undefined : definition.states.get(id)?.name);
  const entered = new Set(run.visits.map((visit) => visit.name));
  const left = new Set(run.visits.filter((visit) => visit.exited).map((visit) => visit.name));
  const caught = new Set(run.visits.filter((visit) => visit.status === "caught").map((visit) => visit.name));
  const fine = new Set(run.visits.filter((visit) => visit.status === "succeeded").map((visit) => visit.name));
  for (const edge of definition.edges) {
    const [from, to] = [names(edge.from), names(edge.to)];
    const isTaken =
      edge.kind === "start"
        ? to !== undefined && entered.has(to)
        : edge.kind === "end"
          ? from !== undefined && left.has(from)
          : run.steps.has(`${from}\n${to}`) && (edge.kind === "catch" ? caught : fine).has(from ?? "");
    if (isTaken) taken.add(edge.id);
  }
  return taken;
}

/** Variables as they stood when a visit began (`before`) and when it was left, as JSON text by name. */
export function variablesAt(run: Run, visit: Visit): { before: Map<string, string>; after: Map<string, string> } {
  const before = new Map<string, string>();
  const scopes = new Set<string>();
  for (let at: Visit | undefined = visit; at; at = at.parent) scopes.add(scopeKey(at));
  for (const other of run.visits) {
    if (other.exited && other.exited.id < visit.id && scopes.has(scopeKey(other))) assign(before, other);
  }
  const after = new Map(before);
  assign(after, visit);
  return { before, after };
}

/** Branches of one Parallel share it; that they cannot see each other's variables is held by the definition's checks. */
function scopeKey(visit: Visit): string {
  return `${visit.parent?.id ?? 0}/${visit.iteration ?? ""}`;
}

function assign(variables: Map<string, string>, visit: Visit) {
  const assigned = visit.exited && detailsOf(visit.exited).assignedVariables;
  for (const [name, value] of Object.entries((assigned ?? {}) as Record<string, string>)) variables.set(name, value);
}

/** Where two executions part: the first visits that differ in state or in how they ended; `undefined` if none do. */
export function partsAt(one: Run, other: Run): number | undefined {
  const most = Math.max(one.visits.length, other.visits.length);
  for (let index = 0; index < most; index++) {
    const [a, b] = [one.visits[index], other.visits[index]];
    if (a?.name !== b?.name || a?.status !== b?.status) return index;
  }
  return undefined;
}
