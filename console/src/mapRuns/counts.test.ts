import { describe, expect, it } from "vitest";
import { partsOf, progressOf } from "./counts";

const counts = {
  pending: 4,
  running: 2,
  succeeded: 3,
  failed: 1,
  timedOut: 0,
  aborted: 0,
  total: 10,
  resultsWritten: 3,
};

describe("the counts of a Map Run", () => {
  it("are parts of one bar", () => {
    expect(partsOf(counts).map(({ name, share }) => `${name} ${share}`)).toEqual([
      "Succeeded 0.3",
      "Failed 0.1",
      "Running 0.2",
      "Pending 0.4",
    ]);
    expect(progressOf(counts)).toBeCloseTo(0.4);
  });

  it("may be none, and less than the total while items are read", () => {
    const none = { ...counts, pending: 0, running: 0, succeeded: 0, failed: 0, total: 0 };
    expect(partsOf(none)).toEqual([]);
    expect(progressOf(none)).toBe(0);
    expect(partsOf({ ...none, succeeded: 1, total: 4 })[0]?.share).toBe(0.25);
  });
});
