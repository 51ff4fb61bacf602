import { describe, expect, test } from "vitest";
import { type Definition, readDefinition } from "./definition";
import { edgesTaken, type HistoryEvent, readHistory, runsByState, variablesAt } from "./history";

/** Events from lines `TYPE [previous] [name|details as JSON]`; without a previous one it is the line before. */
function events(lines: string): HistoryEvent[] {
  return lines
    .trim()
    .split("\n")
    .map((line, index) => {
      const [, type = "", previous, rest] = /^\s*(\w+)(?: <(\d+))?(?: (.*))?$/.exec(line) ?? [];
      const details = rest?.startsWith("{") ? JSON.parse(rest) : rest ? { name: rest } : undefined;
      return {
        id: index + 1,
        previousEventId: previous === undefined ? index : Number(previous),
        timestamp: 1_700_000_000 + index,
        type,
        ...(details ? { someEventDetails: details } : {}),
      };
    });
}

function lines(history: string, until?: number): string[] {
  return readHistory(events(history), until).visits.map(
    (visit) =>
      `${"  ".repeat(visit.depth)}${visit.name}${visit.iteration === undefined ? "" : `#${visit.iteration}`} ${visit.status}${visit.error ? ` ${visit.error}` : ""}`,
  );
}

const PARALLEL = `
  ExecutionStarted
  ParallelStateEntered P
  ParallelStateStarted
  PassStateEntered <3 A
  PassStateExited A
  TaskStateEntered <3 B
  ActivityScheduled
  ActivityStarted
  ActivitySucceeded
  TaskStateExited B
  ParallelStateSucceeded
  ParallelStateExited P
  PassStateEntered Z
  PassStateExited Z
  ExecutionSucceeded`;

describe("visits", () => {
  test("branches are within their Parallel, what follows is beside it", () => {
    expect(lines(PARALLEL)).toEqual(["P succeeded", "  A succeeded", "  B succeeded", "Z succeeded"]);
  });

  test("up to any event it is as it was then", () => {
    expect(lines(PARALLEL, 8)).toEqual(["P running", "  A succeeded", "  B running"]);
    expect(readHistory(events(PARALLEL), 8).status).toBe("RUNNING");
    expect(lines(PARALLEL, 1)).toEqual([]);
    for (let until = 1; until <= 15; until++) {
      const all = lines(PARALLEL, until);
      expect(all.length).toBeLessThanOrEqual(4);
    }
  });

  test("a retried task has attempts; a caught error is told from success", () => {
    const history = `
      ExecutionStarted
      TaskStateEntered T
      LambdaFunctionScheduled
      LambdaFunctionStarted
      LambdaFunctionFailed {"error":"E","cause":"c"}
      LambdaFunctionScheduled
      LambdaFunctionStarted
      LambdaFunctionFailed {"error":"F"}
      TaskStateExited T
      FailStateEntered X
      ExecutionFailed {"error":"G","cause":"g"}`;
    expect(lines(history)).toEqual(["T caught F", "X failed G"]);
    const [visit] = readHistory(events(history)).visits;
    expect(visit?.attempts.map(({ outcome, error }) => [outcome, error])).toEqual([
      ["failed", "E"],
      ["failed", "F"],
    ]);
    expect(lines(history, 6)).toEqual(["T running"]);
  });

  test("items of a Map, one of which fails it", () => {
    const history = `
      ExecutionStarted
      MapStateEntered M
      MapStateStarted {"length":2}
      MapIterationStarted {"name":"M","index":0}
      PassStateEntered I
      PassStateExited I
      MapIterationSucceeded {"name":"M","index":0}
      MapIterationStarted <3 {"name":"M","index":1}
      FailStateEntered F
      MapIterationFailed {"name":"M","index":1}
      MapStateFailed
      ExecutionFailed {"error":"E"}`;
    expect(lines(history)).toEqual(["M failed E", "  I#0 succeeded", "  F#1 failed"]);
    expect(readHistory(events(history)).visits[0]?.items).toEqual({ total: 2, started: 2, succeeded: 1, failed: 1 });
  });

  test("a redrive goes on where it failed", () => {
    const history = `
      ExecutionStarted
      ParallelStateEntered P
      ParallelStateStarted
      PassStateEntered <3 A
      PassStateExited A
      TaskStateEntered <3 B
      LambdaFunctionScheduled
      LambdaFunctionFailed {"error":"E"}
      ParallelStateFailed
      ExecutionFailed {"error":"E"}
      ExecutionRedriven {"redriveCount":1}
      LambdaFunctionScheduled
      LambdaFunctionSucceeded
      TaskStateExited B
      ParallelStateSucceeded
      ParallelStateExited P
      ExecutionSucceeded`;
    expect(lines(history, 10)).toEqual(["P failed E", "  A succeeded", "  B failed E"]);
    expect(lines(history, 11)).toEqual(["P running", "  A succeeded", "  B running"]);
    expect(lines(history)).toEqual(["P succeeded", "  A succeeded", "  B succeeded"]);
    expect(readHistory(events(history)).visits[2]?.attempts.map((attempt) => attempt.outcome)).toEqual([
      "failed",
      "succeeded",
    ]);
  });

  test("what was open when it was stopped is aborted", () => {
    const history = `
      ExecutionStarted
      WaitStateEntered W
      ExecutionAborted {"cause":"c"}`;
    expect(lines(history)).toEqual(["W aborted"]);
    expect(readHistory(events(history)).endMs).toBe(1_700_000_002_000);
  });
});

test("variables before and after a visit, by scope", () => {
  const history = `
    ExecutionStarted
    PassStateEntered A
    PassStateExited {"name":"A","assignedVariables":{"x":"1"}}
    PassStateEntered B
    PassStateExited {"name":"B","assignedVariables":{"x":"2","y":"3"}}`;
  const run = readHistory(events(history));
  const [a, b] = run.visits;
  if (!a || !b) throw new Error("two visits");
  expect([...variablesAt(run, a).before]).toEqual([]);
  expect([...variablesAt(run, b).before]).toEqual([["x", "1"]]);
  expect([...variablesAt(run, b).after]).toEqual([
    ["x", "2"],
    ["y", "3"],
  ]);
});

test("the graph shows the last visit and the edges that were taken", () => {
  const definition = readDefinition(
    JSON.stringify({
      StartAt: "P",
      States: {
        P: {
          Type: "Parallel",
          Branches: [
            { StartAt: "A", States: { A: { Type: "Pass", End: true } } },
            { StartAt: "B", States: { B: { Type: "Task", End: true } } },
          ],
          Catch: [{ ErrorEquals: ["States.ALL"], Next: "Z" }],
          Next: "Z",
        },
        Z: { Type: "Pass", End: true },
      },
    }),
  ) as Definition;
  const run = readHistory(events(PARALLEL));
  expect(Object.fromEntries(runsByState(definition, run))).toMatchObject({
    "/States/P": { status: "succeeded", visits: 1 },
    "/States/Z": { status: "succeeded", visits: 1 },
  });
  const taken = edgesTaken(definition, run);
  const kinds = definition.edges.filter((edge) => taken.has(edge.id)).map((edge) => edge.kind);
  expect(kinds.filter((kind) => kind === "catch")).toEqual([]);
  expect(kinds.length).toBe(definition.edges.length - 1);
});
