/** What can be added: the types of states, and tasks for every integration. */
import { type Fields, type QueryLanguage, STATE_TYPES, type StateType } from "../model/definition";
import type { Json } from "../model/text";
import type { Called, Services } from "./catalogue";
import { SERVICES, type Suffix } from "./services";

export type Group = "Flow" | "Actions" | "AWS SDK";

export interface Addable {
  id: string;
  label: string;
  group: Group;
  type: StateType;
  /** Further words that find it. */
  words: string;
  /** Of a task. */
  resource?: string;
  /** The action whose required parameters it begins with; the server knows them. */
  calls?: Called;
  /** Parameters that say more than those that are required. */
  parameters?: Record<string, Json>;
}

export interface Found {
  items: Addable[];
  /** How many more fit: more letters find them. */
  more: number;
}

/** More are found by more letters. */
const FOUND_MAX = 60;

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

function task(id: string, label: string, resource: string, words: string): Addable {
  return { id, label, group: "Actions", type: "Task", words, resource };
}

const ARN = "arn:aws:states:::";
const TOKEN = ".waitForTaskToken";

/** One that begins with these parameters. */
function common(label: string, call: string, parameters: Record<string, Json>, words: string): Addable {
  return { ...task(call, label, `${ARN}${call}`, words), parameters };
}

export const ADDABLE: Addable[] = [
  ...STATE_TYPES.map((type): Addable => ({ id: type, label: type, group: "Flow", type, words: WORDS[type] ?? "" })),
  common("Lambda: Invoke", "lambda:invoke", { FunctionName: "" }, "function code"),
  common(
    "Lambda: Invoke and wait for token",
    `lambda:invoke${TOKEN}`,
    { FunctionName: "" },
    "function callback human approval",
  ),
  task("activity", "Activity", "arn:aws:states:us-east-1:123456789012:activity:name", "worker poll"),
  common("SQS: SendMessage", "sqs:sendMessage", { QueueUrl: "", MessageBody: {} }, "queue"),
  common("SNS: Publish", "sns:publish", { TopicArn: "", Message: "" }, "topic notify"),
  common("DynamoDB: PutItem", "dynamodb:putItem", { TableName: "", Item: {} }, "table"),
  common("DynamoDB: GetItem", "dynamodb:getItem", { TableName: "", Key: {} }, "table"),
  common("EventBridge: PutEvents", "events:putEvents", { Entries: [] }, "bus"),
  common(
    "Step Functions: StartExecution and wait",
    "states:startExecution.sync:2",
    { StateMachineArn: "", Input: {} },
    "nested workflow child",
  ),
  common(
    "HTTP: Invoke",
    "http:invoke",
    { ApiEndpoint: "https://", Method: "GET", Authentication: { ConnectionArn: "" } },
    "api rest call third party",
  ),
];

/** What waiting means, in words. */
const WAITING: Record<Suffix, string> = {
  ".sync": "and wait",
  ".sync:2": "and wait, output as JSON",
  [TOKEN]: "and wait for token",
};

const capital = (name: string) => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

/** Every optimised integration that is not among the common ones. */
const REST: Addable[] = SERVICES.flatMap(({ id, title, actions, suffixes }) =>
  actions.flatMap((action) =>
    (["", ...suffixes] as const).map((suffix): Addable => {
      const label = `${title}: ${capital(action)}${suffix === "" ? "" : ` ${WAITING[suffix]}`}`;
      const call = `${id}:${action}${suffix}`;
      return { ...task(call, label, `${ARN}${call}`, `${id} ${action}`), calls: { service: id, action } };
    }),
  ),
).filter((item) => !ADDABLE.some((common) => common.id === item.id));

/** An action of the SDK, ready to be looked for. */
interface SdkAction {
  service: string;
  title: string;
  action: string;
  /** All of it, in small letters. */
  text: string;
}

/** Read off the names once. */
const SDK = new WeakMap<Services, SdkAction[]>();

function sdkActions(services: Services): SdkAction[] {
  const known = SDK.get(services);
  if (known) return known;
  const all = Object.entries(services).flatMap(([service, { title, actions }]) =>
    actions.map((action) => ({ service, title, action, text: `aws-sdk ${title} ${service} ${action}`.toLowerCase() })),
  );
  SDK.set(services, all);
  return all;
}

function sdkTask({ service, title, action }: Omit<SdkAction, "text">, waits: boolean): Addable {
  const call = `aws-sdk:${service}:${action}${waits ? TOKEN : ""}`;
  const label = `${title}: ${capital(action)}${waits ? ` ${WAITING[TOKEN]}` : ""}`;
  const calls = { service: `aws-sdk:${service}`, action };
  return { ...task(call, label, `${ARN}${call}`, ""), group: "AWS SDK", calls };
}

/** How far what is meant is from what these words say: a service by its name, then an action by its beginning. */
function distance(words: readonly string[], { service, title, action }: SdkAction): number {
  const [small, named] = [action.toLowerCase(), title.toLowerCase()];
  const of = (word: string) => {
    if (word === service || word === named) return 0;
    if (small.startsWith(word)) return 1;
    return service.startsWith(word) || named.startsWith(word) ? 2 : 3;
  };
  return words.reduce((sum, word) => sum + of(word), 0);
}

const isOfWaiting = (word: string) =>
  word.length > 2 && ["wait", "token", "callback"].some((all) => all.startsWith(word));

/** Without letters the common ones; with some, all that they fit. */
export function findAddable(find: string, services: Services | undefined): Found {
  const words = find
    .toLowerCase()
    .replace(/^arn:[\w-]+:states:+/, "")
    .split(/[\s:.,]+/)
    .filter(Boolean);
  if (words.length === 0) return { items: ADDABLE, more: 0 };
  const fits = (item: Addable) => {
    const all = `${item.label} ${item.words} ${item.resource ?? ""}`.toLowerCase();
    return words.every((word) => all.includes(word));
  };
  const waits = words.some(isOfWaiting) || words.includes("waitfortasktoken");
  const named = words.filter((word) => !isOfWaiting(word) && word !== "waitfortasktoken");
  const sdk = (named.length > 0 && services ? sdkActions(services) : [])
    .filter(({ text }) => named.every((word) => text.includes(word)))
    .map((action) => ({ action, distance: distance(named, action) }))
    // Of what is as near, the shorter name; of a service alone, its actions in their order.
    .sort((a, b) => a.distance - b.distance || (named.length > 1 ? a.action.action.length - b.action.action.length : 0))
    .map(({ action }) => action);
  const before = [...ADDABLE.filter(fits), ...REST.filter(fits)];
  const room = Math.max(0, FOUND_MAX - before.length);
  const items = [...before, ...sdk.slice(0, room).map((action) => sdkTask(action, waits))];
  return { items, more: Math.max(0, sdk.length - room) };
}

/** What was dragged, by its id. */
export function addableById(id: string, services: Services | undefined): Addable | undefined {
  const known = [...ADDABLE, ...REST].find((item) => item.id === id);
  if (known) return known;
  const [, service, action, token] = /^aws-sdk:([\w-]+):(\w+)(\.waitForTaskToken)?$/.exec(id) ?? [];
  if (!service || !action) return undefined;
  return sdkTask({ service, action, title: services?.[service]?.title ?? service }, token !== undefined);
}

/** The fields of a new state; `undefined`: what one of its type has. `parameters`: what its action requires. */
export function fieldsOf(
  item: Addable,
  language: QueryLanguage,
  parameters: Record<string, Json> | undefined,
): Fields | undefined {
  if (item.resource === undefined) return undefined;
  const given = item.parameters ?? parameters;
  const name = language === "JSONata" ? "Arguments" : "Parameters";
  return { Type: "Task", Resource: item.resource, ...(given ? { [name]: given } : {}) };
}
