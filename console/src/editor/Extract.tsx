import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Dialog } from "../app/Dialog";
import { done } from "../app/notices";
import { call, messageOf } from "../aws/client";
import type { Machine } from "../aws/operations";
import type { StateId } from "../model/definition";
import { extracted, regionOf, runInstead } from "../model/region";
import { useTools } from "./context";

/** Makes a state machine of the selected states, and a task of them that runs it. */
export function Extract(props: { machine: Machine; states: readonly StateId[]; onClose: () => void }) {
  const { machine, states, onClose } = props;
  const { definition, edit } = useTools();
  const region = regionOf(definition, states);
  const first = "problem" in region ? "" : region.entry.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  const [name, setName] = useState(`${machine.name}-${first}`.slice(0, NAME_CHARS_MAX));
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: async () => {
      if ("problem" in region) throw new Error(region.problem);
      const made = { name, definition: extracted(definition, region), roleArn: machine.roleArn };
      const { stateMachineArn } = await call("CreateStateMachine", { ...made, type: "STANDARD", tags: [] });
      edit(`extracted ${name}`, runInstead(definition, region, stateMachineArn));
    },
    onSuccess: () => {
      queries.invalidateQueries({ queryKey: ["machines"] });
      done(`${name} is created; this state machine runs it once it is saved.`);
      onClose();
    },
  });
  return (
    <Dialog
      header="Extract to a state machine"
      action="Extract"
      disabled={name === ""}
      isBusy={create.isPending}
      onAct={() => create.mutate()}
      onClose={onClose}
    >
      {create.error && (
        <Alert type="error" statusIconAriaLabel="Error" header="It was not created">
          {messageOf(create.error)}
        </Alert>
      )}
      <Box>
        {states.length === 1 ? "The selected state becomes" : `The ${states.length} selected states become`} a state
        machine of its own, and a task in their place runs it and waits for its output. Variables of this state machine
        are not seen there.
      </Box>
      <FormField label="Name" constraintText={`1 to ${NAME_CHARS_MAX} characters. It cannot be changed later.`}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
    </Dialog>
  );
}

/** Source: API model. */
const NAME_CHARS_MAX = 80;
