/** What can be added: the types of states, and tasks for the common integrations. */
import { type Fields, type QueryLanguage, STATE_TYPES, type StateType } from "../model/definition";
import type { Json } from "../model/text";

export interface Addable {
  id: string;
  label: string;
  group: "Flow" | "Actions";
  type: StateType;
  /** Further words that find it. */
  words: string;
  /** `undefined`: what a new state of the type has. */
  fields: ((language: QueryLanguage) => Fields) | undefined;
}

const WORDS: Partial<Record<StateType, string>> = {
  Choice: "if branch condition",
  Parallel: "branches fork join",
  Map: "loop for each items",
  Wait: "sleep delay until",
  Pass: "transform data",
  Succeed: "success end",
  Fail: "error end",
  Task: "call run",
};

function task(id: string, label: string, resource: string, parameters: Record<string, Json>, words: string): Addable {
  const fields = (language: QueryLanguage): Fields => ({
    Type: "Task",
    Resource: resource,
    [language === "JSONata" ? "Arguments" : "Parameters"]: parameters,
  });
  return { id, label, group: "Actions", type: "Task", words, fields };
}

export const ADDABLE: Addable[] = [
  ...STATE_TYPES.map(
    (type): Addable => ({ id: type, label: type, group: "Flow", type, words: WORDS[type] ?? "", fields: undefined }),
  ),
  task("lambda", "Lambda: Invoke", "arn:aws:states:::lambda:invoke", { FunctionName: "" }, "function code"),
  task(
    "lambda-token",
    "Lambda: Invoke and wait for token",
    "arn:aws:states:::lambda:invoke.waitForTaskToken",
    { FunctionName: "" },
    "callback human approval",
  ),
  {
    id: "activity",
    label: "Activity",
    group: "Actions",
    type: "Task",
    words: "worker poll",
    fields: () => ({ Type: "Task", Resource: "arn:aws:states:us-east-1:123456789012:activity:name" }),
  },
  task("sqs", "SQS: SendMessage", "arn:aws:states:::sqs:sendMessage", { QueueUrl: "", MessageBody: {} }, "queue"),
  task("sns", "SNS: Publish", "arn:aws:states:::sns:publish", { TopicArn: "", Message: "" }, "topic notify"),
  task("dynamodb-put", "DynamoDB: PutItem", "arn:aws:states:::dynamodb:putItem", { TableName: "", Item: {} }, "table"),
  task("dynamodb-get", "DynamoDB: GetItem", "arn:aws:states:::dynamodb:getItem", { TableName: "", Key: {} }, "table"),
  task("events", "EventBridge: PutEvents", "arn:aws:states:::events:putEvents", { Entries: [] }, "bus"),
  task(
    "states",
    "Step Functions: StartExecution and wait",
    "arn:aws:states:::states:startExecution.sync:2",
    { StateMachineArn: "", Input: {} },
    "nested workflow child",
  ),
  task(
    "http",
    "HTTP: Invoke",
    "arn:aws:states:::http:invoke",
    { ApiEndpoint: "https://", Method: "GET", Authentication: { ConnectionArn: "" } },
    "api rest call third party",
  ),
];

export function findAddable(find: string): Addable[] {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  return ADDABLE.filter((item) => {
    const all = `${item.label} ${item.words}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}
