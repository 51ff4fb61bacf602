/** What states were answered last, in this browser; and whether an answer is JSON. */
import type { WaitingTask } from "../aws/consoleApi";

const KEY = "stepwell.answers";
/** States whose last answer is kept, and how long one may be. */
const STATES_MAX = 50;
const CHARS_MAX = 4_000;

const nameOf = (task: Pick<WaitingTask, "stateMachineArn" | "state">) => `${task.stateMachineArn} ${task.state}`;

function kept(): [string, string][] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(value) ? (value as [string, string][]) : [];
  } catch {
    return [];
  }
}

export function lastAnswer(task: Pick<WaitingTask, "stateMachineArn" | "state">): string {
  return kept().find(([name]) => name === nameOf(task))?.[1] ?? '{\n  "approved": true\n}';
}

export function rememberAnswer(task: Pick<WaitingTask, "stateMachineArn" | "state">, output: string) {
  if (output.length > CHARS_MAX) return;
  const others = kept().filter(([name]) => name !== nameOf(task));
  localStorage.setItem(KEY, JSON.stringify([[nameOf(task), output], ...others].slice(0, STATES_MAX)));
}

export function jsonProblem(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
