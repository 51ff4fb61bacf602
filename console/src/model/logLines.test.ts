import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { HistoryEvent } from "./history";
import { levelOf, logLines } from "./logLines";

const source = (path: string) => readFileSync(new URL(`../../../crates/${path}`, import.meta.url), "utf8");

/** The types of events that a pattern of the server names. */
function typesIn(patterns: string): string[] {
  return [...patterns.matchAll(/Detail::(\w+)(?: \{ kind: StateType::(\w+))?/g)].map(([, detail = "", kind]) =>
    detail === "StateEntered" && kind ? `${kind}StateEntered` : detail,
  );
}

test("levels are those of the server", () => {
  const rules = /fn severity[\s\S]*?\n\}\n/.exec(source("engine/src/logs.rs"))?.[0] ?? "";
  const [fatal = "", error = "", usual = ""] = rules.split(/=> Severity::\w+,/);
  expect(typesIn(fatal).length).toBe(3);
  expect(typesIn(error).length).toBeGreaterThan(15);
  for (const type of typesIn(fatal)) expect(levelOf(type), type).toBe("FATAL");
  for (const type of typesIn(error)) expect(levelOf(type), type).toBe("ERROR");
  for (const type of typesIn(usual)) expect(levelOf(type), type).toBe("ALL");
});

const EVENTS: HistoryEvent[] = [
  { id: 1, previousEventId: 0, timestamp: 1_700_000_000.123, type: "ExecutionStarted" },
  {
    id: 3,
    previousEventId: 2,
    timestamp: 1_700_000_000.123,
    type: "PassStateExited",
    stateExitedEventDetails: { name: "S", output: "{ }", outputDetails: { truncated: false } },
  },
  { id: 4, previousEventId: 3, timestamp: 1_700_000_001, type: "ExecutionFailed" },
  { id: 5, previousEventId: 4, timestamp: 1_700_000_002, type: "ExecutionRedriven" },
];

test("a line has the form that the server gives it", () => {
  const rest = '"previous_event_id":"2","event_timestamp":"1700000000123","execution_arn":"arn:e","redrive_count":"0"}';
  const head = '{"id":"3","type":"PassStateExited","details":';
  expect(logLines("arn:e", EVENTS, "ALL", true)[1]?.text).toBe(
    `${head}{"name":"S","output":"{ }","outputDetails":{"truncated":false}},${rest}`,
  );
  expect(logLines("arn:e", EVENTS, "ALL", false)[1]?.text).toBe(`${head}{"name":"S"},${rest}`);
  expect(logLines("arn:e", EVENTS, "ALL", true)[3]?.text).toContain('"details":{},');
  expect(logLines("arn:e", EVENTS, "ALL", true)[3]?.text).toContain('"redrive_count":"1"');
});

test("a level leaves out what is less", () => {
  expect(logLines("arn:e", EVENTS, "ERROR", true).map(({ id, level }) => [id, level])).toEqual([[4, "FATAL"]]);
});
