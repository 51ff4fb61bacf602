/** What an execution is part of, and what it has started, as far as inputs and events tell. */
import { detailsOf, type HistoryEvent } from "./history";

/** Source: Step Functions guide, "Starting workflow executions from a task state". */
const STARTED_BY = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID";

/** The execution that started this one, if its input says so. */
export function startedBy(input: string | undefined): string | undefined {
  return textIn(input, STARTED_BY);
}

export interface Started {
  executions: string[];
  mapRuns: string[];
}

/** What events of one visit say that they have started. */
export function startedIn(events: readonly HistoryEvent[]): Started {
  const executions = new Set<string>();
  const mapRuns = new Set<string>();
  for (const event of events) {
    const { resourceType, output, mapRunArn } = detailsOf(event) as {
      resourceType?: string;
      output?: string;
      mapRunArn?: string;
    };
    if (mapRunArn) mapRuns.add(mapRunArn);
    const arn =
      resourceType === "states" || resourceType === "aws-sdk:sfn" ? textIn(output, "ExecutionArn") : undefined;
    if (arn) executions.add(arn);
  }
  return { executions: [...executions], mapRuns: [...mapRuns] };
}

/** A member that is a string, of a JSON object. */
function textIn(json: string | undefined, member: string): string | undefined {
  if (!json?.includes(member)) return undefined;
  try {
    const value = (JSON.parse(json) as Record<string, unknown> | null)?.[member];
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
