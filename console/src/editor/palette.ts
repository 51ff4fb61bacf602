/** What can be added: the types of states, and tasks for the common integrations. */
import { type Fields, type QueryLanguage, STATE_TYPES, type StateType } from "../model/definition";
import type { Json } from "../model/text";
import { SERVICES, type Suffix } from "./services";

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

/** What waiting means, in words. */
const WAITING: Record<Suffix, string> = {
  ".sync": "and wait",
  ".sync:2": "and wait, output as JSON",
  ".waitForTaskToken": "and wait for token",
};

/** Every optimised integration that is not among the common ones. */
const REST: Addable[] = SERVICES.flatMap(({ id, title, actions, suffixes }) =>
  actions.flatMap((action) =>
    (["", ...suffixes] as const).map((suffix) => {
      const name = `${action.charAt(0).toUpperCase()}${action.slice(1)}`;
      const label = `${title}: ${name}${suffix === "" ? "" : ` ${WAITING[suffix]}`}`;
      return task(
        `${id}:${action}${suffix}`,
        label,
        `arn:aws:states:::${id}:${action}${suffix}`,
        {},
        `${id} ${action}`,
      );
    }),
  ),
).filter((item) => !ADDABLE.some((common) => common.label === item.label));

/** Any action of any service, by its name in the SDK: `s3:putObject`. */
function sdkAction(find: string): Addable[] {
  const [, service, action] = /^(?:aws-sdk:)?([a-z][a-z0-9]+):([a-z]\w+)$/.exec(find.trim()) ?? [];
  if (!service || !action) return [];
  const resource = `arn:aws:states:::aws-sdk:${service}:${action}`;
  return [task(`aws-sdk:${service}:${action}`, `AWS SDK: ${service} ${action}`, resource, {}, "")];
}

/** Without letters the common ones; with some, all that they fit. */
export function findAddable(find: string): Addable[] {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return ADDABLE;
  const fits = (item: Addable) => {
    const all = `${item.label} ${item.words}`.toLowerCase();
    return words.every((word) => all.includes(word));
  };
  return [...ADDABLE.filter(fits), ...REST.filter(fits), ...sdkAction(find)];
}

/** What was dragged, by its id. */
export function addableById(id: string): Addable | undefined {
  const known = [...ADDABLE, ...REST].find((item) => item.id === id);
  return known ?? (id.startsWith("aws-sdk:") ? sdkAction(id)[0] : undefined);
}
