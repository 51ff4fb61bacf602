/** What each state was tested with, kept in this browser for the next time. */
export interface TestCase {
  input: string;
  /** An object of variables by name. */
  variables: string;
  /** The result that stands in for the call of a Task, or for what a Map or Parallel holds; empty: it is called. */
  mock: string;
  /** The mock is an error name instead. */
  mockError: string;
}

export const FRESH: TestCase = { input: "{}", variables: "{}", mock: "", mockError: "" };

/** More are not kept. */
const CASES_MAX = 200;

const keyOf = (machineArn: string) => `stepwell.tests.${machineArn}`;

export function readTests(machineArn: string): Record<string, TestCase> {
  try {
    return JSON.parse(localStorage.getItem(keyOf(machineArn)) ?? "{}") as Record<string, TestCase>;
  } catch {
    return {};
  }
}

export function keepTests(machineArn: string, tests: Record<string, TestCase>) {
  const last = Object.fromEntries(Object.entries(tests).slice(-CASES_MAX));
  try {
    localStorage.setItem(keyOf(machineArn), JSON.stringify(last));
  } catch {
    // The browser has no room: what was tested is a convenience.
  }
}
