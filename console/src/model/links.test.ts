import { describe, expect, it } from "vitest";
import { startedBy, startedIn } from "./links";

const event = (type: string, details: Record<string, unknown>) => ({
  id: 1,
  previousEventId: 0,
  timestamp: 0,
  type,
  [`${type}EventDetails`]: details,
});

describe("links between executions", () => {
  it("lead to the one that started it", () => {
    expect(startedBy('{"a":1,"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID":"arn:e"}')).toBe("arn:e");
    for (const input of [undefined, "1", '{"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID":1}', '["AWS_STEP'])
      expect(startedBy(input)).toBeUndefined();
  });

  it("lead to what it has started", () => {
    const output = '{"ExecutionArn":"arn:child","StartDate":1}';
    expect(
      startedIn([
        event("TaskSubmitted", { resourceType: "states", resource: "startExecution.sync", output }),
        event("TaskSucceeded", { resourceType: "states", resource: "startExecution.sync", output }),
        event("TaskSucceeded", { resourceType: "lambda", output: '{"ExecutionArn":"no"}' }),
        event("MapRunStarted", { mapRunArn: "arn:run" }),
      ]),
    ).toEqual({ executions: ["arn:child"], mapRuns: ["arn:run"] });
  });
});
