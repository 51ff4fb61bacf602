/** The counts of a Map Run as parts of one bar. */
import type { ChildStatus, MapRunCounts } from "../aws/operations";

export interface Part {
  name: string;
  count: number;
  /** A colour of `app.css`. */
  colour: string;
  /** Between 0 and 1. */
  share: number;
}

const PARTS: [keyof MapRunCounts, string, string][] = [
  ["succeeded", "Succeeded", "--ok"],
  ["failed", "Failed", "--bad"],
  ["timedOut", "Timed out", "--caught"],
  ["aborted", "Aborted", "--pass"],
  ["running", "Running", "--accent"],
  ["pending", "Pending", "--line"],
  ["pendingRedrive", "Pending redrive", "--wait"],
];

/** Those that are there, in the order of the bar; their shares are of what is told, or of the total if that is more. */
export function partsOf(counts: MapRunCounts): Part[] {
  const told = PARTS.reduce((sum, [key]) => sum + (counts[key] ?? 0), 0);
  const whole = Math.max(told, counts.total, 1);
  return PARTS.flatMap(([key, name, colour]) => {
    const count = counts[key] ?? 0;
    return count > 0 ? [{ name, count, colour, share: count / whole }] : [];
  });
}

/** How much has ended, between 0 and 1. */
export function progressOf(counts: MapRunCounts): number {
  const ended = counts.succeeded + counts.failed + counts.timedOut + counts.aborted;
  return counts.total === 0 ? 0 : ended / counts.total;
}

export const CHILD_STATUSES: readonly ChildStatus[] = [
  "RUNNING",
  "SUCCEEDED",
  "FAILED",
  "TIMED_OUT",
  "ABORTED",
  "PENDING_REDRIVE",
];

const OF_STATUS: Record<ChildStatus, keyof MapRunCounts> = {
  RUNNING: "running",
  SUCCEEDED: "succeeded",
  FAILED: "failed",
  TIMED_OUT: "timedOut",
  ABORTED: "aborted",
  PENDING_REDRIVE: "pendingRedrive",
};

/** How many child executions there are, of one status or of any; those that have not begun are none yet. */
export function countOf(counts: MapRunCounts, status: ChildStatus | undefined): number {
  const statuses = status === undefined ? CHILD_STATUSES : [status];
  return statuses.reduce((sum, status) => sum + (counts[OF_STATUS[status]] ?? 0), 0);
}
