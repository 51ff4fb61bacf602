import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { done } from "../app/notices";
import { prettyJson } from "../app/words";
import { messageOf, write } from "../aws/client";
import type { WaitingTask } from "../aws/consoleApi";
import { Code } from "../code/Code";
import { jsonProblem, lastAnswer, rememberAnswer } from "./answers";

type Way = "succeed" | "fail";

/** Ends a waiting task: with an output, or with an error and its cause. What a state was answered last is offered again. */
export function AnswerTask({ task, onAnswered }: { task: WaitingTask; onAnswered?: () => void }) {
  const [way, setWay] = useState<Way>("succeed");
  const [output, setOutput] = useState(() => lastAnswer(task));
  const [error, setError] = useState("");
  const [cause, setCause] = useState("");
  const queries = useQueryClient();
  const problem = way === "succeed" ? jsonProblem(output) : undefined;
  const answer = useMutation({
    mutationFn: () =>
      write(
        `executions/${encodeURIComponent(task.executionArn)}/tasks/${task.task}`,
        way === "succeed" ? { output } : { error, cause },
      ),
    onSuccess: () => {
      if (way === "succeed") rememberAnswer(task, output);
      done(way === "succeed" ? `${task.state} goes on.` : `${task.state} has failed.`);
      onAnswered?.();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["waiting"] }),
  });
  return (
    <section className="answer" aria-label="Answer">
      <SegmentedControl
        label="How the task ends"
        selectedId={way}
        onChange={(event) => setWay(event.detail.selectedId as Way)}
        options={[
          { id: "succeed", text: "Approve", iconName: "status-positive" },
          { id: "fail", text: "Fail", iconName: "status-negative" },
        ]}
      />
      {answer.error && (
        <Alert type="error" statusIconAriaLabel="Error" header="It was not answered">
          {messageOf(answer.error)}
        </Alert>
      )}
      {way === "succeed" ? (
        <>
          <Box variant="awsui-key-label">Output of the task</Box>
          <div className="answer-editor">
            <Code text={output} label="Output" onChange={setOutput} />
          </div>
          <Box color={problem ? "text-status-error" : "text-body-secondary"} fontSize="body-s">
            {problem ?? "JSON; the state goes on with it."}
          </Box>
        </>
      ) : (
        <SpaceBetween size="s">
          <FormField label="Error" constraintText="A Catch or Retry of the state may name it.">
            <Input value={error} onChange={(event) => setError(event.detail.value)} />
          </FormField>
          <FormField label="Cause">
            <Textarea value={cause} rows={4} onChange={(event) => setCause(event.detail.value)} />
          </FormField>
        </SpaceBetween>
      )}
      <SpaceBetween direction="horizontal" size="xs">
        <Button
          variant="primary"
          disabled={problem !== undefined}
          loading={answer.isPending}
          onClick={() => answer.mutate()}
        >
          {way === "succeed" ? "Approve and go on" : "Fail the task"}
        </Button>
        {way === "succeed" && <Button onClick={() => setOutput(prettyJson(output))}>Format</Button>}
      </SpaceBetween>
    </section>
  );
}
