import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import type { ExecutionStatus } from "../aws/operations";

const LOOKS: Record<ExecutionStatus, [StatusIndicatorProps.Type, string]> = {
  RUNNING: ["in-progress", "Running"],
  SUCCEEDED: ["success", "Succeeded"],
  FAILED: ["error", "Failed"],
  TIMED_OUT: ["warning", "Timed out"],
  ABORTED: ["stopped", "Aborted"],
};

export function statusName(status: ExecutionStatus): string {
  return LOOKS[status][1];
}

/** An execution's status by colour, icon and word. */
export function StatusText({ status }: { status: ExecutionStatus }) {
  const [type, text] = LOOKS[status];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}
