import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import { messageOf } from "../aws/client";

/** Stands where something could not be loaded. */
export function Problem({ what, error, retry }: { what: string; error: unknown; retry?: () => void }) {
  return (
    <Alert
      type="error"
      statusIconAriaLabel="Error"
      header={what}
      action={retry && <Button onClick={retry}>Try again</Button>}
    >
      {messageOf(error)}
    </Alert>
  );
}
