/**
 * The fields of every type of state, by query language. Source: Amazon States Language; the machine's own tables
 * (`crates/machine/src/state`) decide, this one only says how they are edited.
 */
import type { QueryLanguage, StateType } from "../model/definition";
import type { Path } from "../model/text";

export type FieldKind =
  | { kind: "text" }
  | { kind: "long" }
  /** A number, or in JSONata an expression. */
  | { kind: "number" }
  /** Any JSON, written as it should stand in the text. */
  | { kind: "json" }
  | { kind: "choice"; options: readonly string[] }
  /** The name of a sibling. */
  | { kind: "sibling" };

export interface Field {
  path: Path;
  label: string;
  hint?: string;
  of: FieldKind;
}

export interface FieldGroup {
  title: string;
  fields: readonly Field[];
}

const text = (name: string, label: string, hint?: string): Field => field(name, label, { kind: "text" }, hint);
const number = (name: string, label: string, hint?: string): Field => field(name, label, { kind: "number" }, hint);
const json = (name: string, label: string, hint?: string): Field => field(name, label, { kind: "json" }, hint);

function field(name: string, label: string, of: FieldKind, hint?: string): Field {
  return { path: name.split("."), label, of, ...(hint === undefined ? {} : { hint }) };
}

const COMMENT = field("Comment", "Comment", { kind: "long" });
const LANGUAGE = field("QueryLanguage", "Query language", { kind: "choice", options: ["JSONPath", "JSONata"] });

/** Of the state machine itself. */
export const MACHINE_FIELDS: FieldGroup[] = [
  {
    title: "State machine",
    fields: [COMMENT, LANGUAGE, number("TimeoutSeconds", "Time-out in seconds"), text("Version", "Version")],
  },
];

const RUNS_TASKS: readonly StateType[] = ["Task", "Map", "Parallel"];
const PRODUCES: readonly StateType[] = ["Task", "Map", "Parallel", "Pass"];

export function fieldsOfState(type: string, language: QueryLanguage): FieldGroup[] {
  const isPath = language === "JSONPath";
  const is = (types: readonly StateType[]) => types.includes(type as StateType);
  const groups = [
    { title: "State", fields: [COMMENT, LANGUAGE] },
    { title: type, fields: ownFields(type, isPath) },
    { title: "Input and output", fields: dataFields(type, isPath, is) },
  ];
  return groups.filter((group) => group.fields.length > 0);
}

function ownFields(type: string, isPath: boolean): Field[] {
  switch (type) {
    case "Task":
      return [
        text("Resource", "Resource", "The ARN of an activity, a function or a service integration"),
        isPath ? json("Parameters", "Parameters") : json("Arguments", "Arguments"),
        number("TimeoutSeconds", "Time-out in seconds"),
        ...(isPath ? [text("TimeoutSecondsPath", "… by path")] : []),
        number("HeartbeatSeconds", "Heartbeat in seconds"),
        ...(isPath ? [text("HeartbeatSecondsPath", "… by path")] : []),
        json("Credentials", "Credentials"),
      ];
    case "Pass":
      return isPath ? [json("Result", "Result"), json("Parameters", "Parameters")] : [];
    case "Wait":
      return [
        number("Seconds", "Seconds"),
        text("Timestamp", "Until", "A moment such as 2026-03-14T01:59:00Z"),
        ...(isPath ? [text("SecondsPath", "Seconds by path"), text("TimestampPath", "Until by path")] : []),
      ];
    case "Parallel":
      return [isPath ? json("Parameters", "Parameters") : json("Arguments", "Arguments")];
    case "Map":
      return [
        ...(isPath ? [text("ItemsPath", "Items by path")] : [json("Items", "Items")]),
        json("ItemSelector", "Item selector"),
        number("MaxConcurrency", "At most at once", "0 or empty: no bound"),
        ...(isPath ? [text("MaxConcurrencyPath", "… by path")] : []),
        field("ItemProcessor.ProcessorConfig.Mode", "Mode", { kind: "choice", options: ["INLINE", "DISTRIBUTED"] }),
        number("ToleratedFailureCount", "Tolerated failures"),
        number("ToleratedFailurePercentage", "Tolerated failures in percent"),
        json("ItemReader", "Item reader"),
        json("ItemBatcher", "Item batcher"),
        json("ResultWriter", "Result writer"),
        text("Label", "Label"),
      ];
    case "Fail":
      return [
        text("Error", "Error"),
        field("Cause", "Cause", { kind: "long" }),
        ...(isPath ? [text("ErrorPath", "Error by path"), text("CausePath", "Cause by path")] : []),
      ];
    default:
      return [];
  }
}

function dataFields(type: string, isPath: boolean, is: (types: readonly StateType[]) => boolean): Field[] {
  if (type === "Fail") return [];
  if (!isPath)
    return [json("Output", "Output"), ...(type === "Succeed" ? [] : [json("Assign", "Assign", "Variables by name")])];
  return [
    text("InputPath", "Input path"),
    ...(is(RUNS_TASKS) ? [json("ResultSelector", "Result selector")] : []),
    ...(is(PRODUCES) ? [text("ResultPath", "Result path")] : []),
    text("OutputPath", "Output path"),
    ...(type === "Succeed" ? [] : [json("Assign", "Assign", "Variables by name")]),
  ];
}

/** What an item of `Retry` has. */
export const RETRIER: Field[] = [
  number("IntervalSeconds", "First pause in seconds"),
  number("MaxAttempts", "Attempts"),
  number("BackoffRate", "Pause grows by"),
  number("MaxDelaySeconds", "Longest pause in seconds"),
  field("JitterStrategy", "Jitter", { kind: "choice", options: ["NONE", "FULL"] }),
];

export function catcherFields(language: QueryLanguage): Field[] {
  return [
    field("Next", "Then", { kind: "sibling" }),
    ...(language === "JSONPath" ? [text("ResultPath", "Result path")] : [json("Output", "Output")]),
    json("Assign", "Assign"),
  ];
}

export function ruleFields(language: QueryLanguage): Field[] {
  return [
    ...(language === "JSONata"
      ? [field("Condition", "Condition", { kind: "long" }, "{% an expression that is true or false %}")]
      : []),
    field("Next", "Then", { kind: "sibling" }),
    text("Comment", "Comment"),
    ...(language === "JSONata" ? [json("Output", "Output")] : []),
    json("Assign", "Assign"),
  ];
}

/** The operators of a comparison in JSONPath, each with a constant operand and most also with a path. */
export const OPERATORS: readonly string[] = [
  ...["String", "Numeric", "Timestamp"].flatMap((type) =>
    ["Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"].flatMap((comparison) => [
      `${type}${comparison}`,
      `${type}${comparison}Path`,
    ]),
  ),
  "StringMatches",
  "BooleanEquals",
  "BooleanEqualsPath",
  "IsNull",
  "IsPresent",
  "IsNumeric",
  "IsString",
  "IsBoolean",
  "IsTimestamp",
];
