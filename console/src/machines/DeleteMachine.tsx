import Box from "@cloudscape-design/components/box";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Dialog } from "../app/Dialog";
import { done, failed } from "../app/notices";
import { call } from "../aws/client";

const WORD = "delete";

export function DeleteMachine(props: {
  machine: { stateMachineArn: string; name: string };
  onClose: (deleted: boolean) => void;
}) {
  const { machine, onClose } = props;
  const [typed, setTyped] = useState("");
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => call("DeleteStateMachine", { stateMachineArn: machine.stateMachineArn }),
    onSuccess: () => {
      done(`${machine.name} is deleted, or will be when its executions have ended.`);
      onClose(true);
      queries.invalidateQueries({ queryKey: ["machines"] });
    },
    onError: (error) => failed(`${machine.name} cannot be deleted`, error),
  });
  return (
    <Dialog
      header={`Delete ${machine.name}?`}
      action="Delete"
      disabled={typed !== WORD}
      isBusy={remove.isPending}
      onAct={() => remove.mutate()}
      onClose={() => onClose(false)}
    >
      <Box>Executions that run go on to their end. This cannot be undone.</Box>
      <FormField label={`To confirm, type ${WORD}`}>
        <Input value={typed} placeholder={WORD} onChange={(event) => setTyped(event.detail.value)} />
      </FormField>
    </Dialog>
  );
}
