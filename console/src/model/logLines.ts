/**
 * The lines that an execution's events make in the execution log. Source of the form: `crates/api/src/log_record.rs`; of
 * the levels: `crates/engine/src/logs.rs`, which `logLines.test.ts` compares with this. Pure.
 */
import { type HistoryEvent, msOf } from "./history";

/** A level of logging, and of a line: the strictest that still logs it. */
export type LogLevel = "ALL" | "ERROR" | "FATAL";

export const LOG_LEVELS: readonly LogLevel[] = ["ALL", "ERROR", "FATAL"];

export interface LogLine {
  /** Of its event. */
  id: number;
  ms: number;
  level: LogLevel;
  type: string;
  /** Its details alone, as JSON. */
  details: string;
  /** The whole line: one JSON object. */
  text: string;
}

const FATAL = new Set(["ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"]);
const ERROR = new Set([
  "FailStateEntered",
  "LambdaFunctionFailed",
  "LambdaFunctionTimedOut",
  "ActivityFailed",
  "ActivityTimedOut",
  "TaskFailed",
  "TaskTimedOut",
  "TaskStateAborted",
  "WaitStateAborted",
  "ParallelStateFailed",
  "ParallelStateAborted",
  "MapStateFailed",
  "MapStateAborted",
  "MapIterationFailed",
  "MapIterationAborted",
  "MapRunFailed",
  "MapRunAborted",
  "EvaluationFailed",
]);

export function levelOf(type: string): LogLevel {
  if (FATAL.has(type)) return "FATAL";
  return ERROR.has(type) ? "ERROR" : "ALL";
}

/** What a line leaves out where a log is to hold no data. */
const DATA = new Set([
  "input",
  "inputDetails",
  "output",
  "outputDetails",
  "parameters",
  "assignedVariables",
  "assignedVariablesDetails",
]);

/** The lines of a level, in the order of the events. */
export function logLines(
  executionArn: string,
  events: readonly HistoryEvent[],
  level: LogLevel,
  withData: boolean,
): LogLine[] {
  const lines: LogLine[] = [];
  let redrives = 0;
  for (const event of events) {
    const { id, type, previousEventId } = event;
    if (type === "ExecutionRedriven") redrives++;
    const own = levelOf(type);
    if (LOG_LEVELS.indexOf(own) < LOG_LEVELS.indexOf(level)) continue;
    const details = Object.entries(event).find(([name]) => name.endsWith("EventDetails"))?.[1] ?? {};
    const kept = Object.entries(details as object).filter(([name]) => withData || !DATA.has(name));
    const record = {
      id: String(id),
      type,
      details: Object.fromEntries(kept),
      previous_event_id: String(previousEventId),
      event_timestamp: String(msOf(event)),
      execution_arn: executionArn,
      redrive_count: String(redrives),
    };
    const gist = JSON.stringify(record.details);
    lines.push({ id, ms: msOf(event), level: own, type, details: gist, text: JSON.stringify(record) });
  }
  return lines;
}
