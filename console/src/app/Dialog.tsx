import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { ReactNode } from "react";

/** Asks for something to be done, or not. */
export function Dialog(props: {
  header: string;
  /** What the button that does it says. */
  action: string;
  disabled?: boolean;
  isBusy: boolean;
  size?: "medium" | "large";
  onAct: () => void;
  onClose: () => void;
  children: ReactNode;
}) {
  const { action, onClose } = props;
  return (
    <Modal
      visible
      size={props.size ?? "medium"}
      header={props.header}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" disabled={props.disabled ?? false} loading={props.isBusy} onClick={props.onAct}>
              {action}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">{props.children}</SpaceBetween>
    </Modal>
  );
}
