import StatusIndicator, { type StatusIndicatorProps } from "@cloudscape-design/components/status-indicator";
import type { ChildStatus } from "../aws/operations";

const LOOKS: Record<ChildStatus, [StatusIndicatorProps.Type, string]> = {
  RUNNING: ["in-progress", "Running"],
  SUCCEEDED: ["success", "Succeeded"],
  FAILED: ["error", "Failed"],
  TIMED_OUT: ["warning", "Timed out"],
  ABORTED: ["stopped", "Aborted"],
  PENDING_REDRIVE: ["pending", "Pending redrive"],
};

export function statusName(status: ChildStatus): string {
  return LOOKS[status][1];
}

/** An execution's status by colour, icon and word. */
export function StatusText({ status }: { status: ChildStatus }) {
  const [type, text] = LOOKS[status];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}
