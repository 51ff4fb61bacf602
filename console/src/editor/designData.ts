/** What is known at design time of the data that a state's expressions will see: of a test, else of the last run. */

import type { State } from "../model/definition";
import type { HistoryEvent, Run, Visit } from "../model/history";
import { detailsOf, variablesAt } from "../model/history";
import type { Data } from "./complete";
import type { TestCase } from "./tests";

export interface DesignData extends Data {
  /** Where it is from, in words. */
  from: string;
}

/** Which data a field's expressions read as `$` in JSONPath, and whether they see a result in JSONata. */
export type Sees = "input" | "result" | "output" | "error";

export interface Known {
  test: TestCase | undefined;
  run: { run: Run; name: string; arn: string } | undefined;
  machine: { arn: string; name: string; roleArn: string };
}

export function designData(state: State, known: Known): DesignData {
  const visit = known.run?.run.visits.findLast((visit) => visit.name === state.name);
  const { test } = known;
  const isTested = test !== undefined && (test.input.trim() !== "{}" || test.variables.trim() !== "{}");
  const variables = isTested
    ? asObject(parsed(test.variables))
    : visit && known.run
      ? assigned(known.run.run, visit)
      : {};
  const input = isTested ? parsed(test.input) : visit ? payload(visit.entered, "input") : undefined;
  const pinned = test && test.mock.trim() !== "" ? parsed(test.mock) : undefined;
  const result = pinned ?? (visit ? resultOf(visit) : undefined);
  const errorOutput = { Error: visit?.error ?? "States.TaskFailed", Cause: visit?.cause ?? "" };
  return {
    input: input ?? {},
    variables,
    context: contextOf(state, known, input ?? {}),
    ...(result === undefined ? {} : { result }),
    errorOutput,
    from: `${isTested ? "the input of the test" : visit ? `the input of ${known.run?.name}` : "an empty input"}${
      pinned === undefined ? "" : " and the pinned result"
    }`,
  };
}

/** The data as one field sees it. */
export function seenBy(data: DesignData, state: State, sees: Sees): DesignData {
  const { result, errorOutput, ...rest } = data;
  if (state.language === "JSONata") {
    if (sees === "error") return { ...rest, errorOutput };
    return sees === "input" || result === undefined ? rest : { ...rest, result };
  }
  // `$` is the effective input before the call, and what came of it behind.
  const { InputPath } = state.fields;
  const input = typeof InputPath === "string" ? (memberAt(data.input, InputPath) ?? data.input) : data.input;
  if (sees === "error") return { ...rest, input: errorOutput };
  return { ...rest, input: sees === "input" || result === undefined ? input : result };
}

/** What a definite path of dots leads to. */
function memberAt(value: unknown, path: string): unknown {
  if (!/^\$(\.\w+)*$/.test(path)) return undefined;
  return path
    .split(".")
    .slice(1)
    .reduce<unknown>(
      (at, key) => (at !== null && typeof at === "object" ? (at as Record<string, unknown>)[key] : undefined),
      value,
    );
}

function payload(event: HistoryEvent, name: string): unknown {
  const text = detailsOf(event)[name];
  return typeof text === "string" ? parsed(text) : undefined;
}

function resultOf(visit: Visit): unknown {
  const came = visit.events.findLast((event) => /(Succeeded)$/.test(event.type) && "output" in detailsOf(event));
  if (came) return payload(came, "output");
  return visit.exited ? payload(visit.exited, "output") : undefined;
}

function assigned(run: Run, visit: Visit): Record<string, unknown> {
  return Object.fromEntries([...variablesAt(run, visit).before].map(([name, text]) => [name, parsed(text)]));
}

/** As the server makes it. Source: Step Functions guide, the Context object. */
function contextOf(state: State, { machine, run }: Known, input: unknown): unknown {
  const first = run?.run.visits[0];
  const moment = new Date(first?.startMs ?? 0).toISOString();
  return {
    Execution: {
      Id: run?.arn ?? `${machine.arn.replace(":stateMachine:", ":execution:")}:name`,
      Input: (first && payload(first.entered, "input")) ?? input,
      Name: run?.name ?? "name",
      RoleArn: machine.roleArn,
      StartTime: moment,
      RedriveCount: 0,
    },
    StateMachine: { Id: machine.arn, Name: machine.name },
    State: { Name: state.name, EnteredTime: moment, RetryCount: 0 },
    ...(state.type === "Task" ? { Task: { Token: "token" } } : {}),
    ...(state.type === "Map" || state.path.includes("ItemProcessor") ? { Map: { Item: { Index: 0, Value: {} } } } : {}),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
