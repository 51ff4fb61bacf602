/**
 * The fields of every type of state, by query language. Source: Amazon States Language; the machine's own tables
 * (`crates/machine/src/state`) decide, this one only says how they are edited. `fields.test.ts` compares the two.
 */
import type { QueryLanguage, State, StateType } from "../model/definition";
import type { Path } from "../model/text";
import type { Sees } from "./designData";

export type FieldKind =
  | { kind: "text" }
  | { kind: "long" }
  /** A text, or in JSONata an expression. */
  | { kind: "expression" }
  /** A number, or in JSONata an expression. */
  | { kind: "number" }
  /** A path of JSONPath. */
  | { kind: "path" }
  /** Any JSON, written as it should stand in the text. */
  | { kind: "json" }
  /** What a task calls. */
  | { kind: "resource" }
  /** What the action that a task calls is given: JSON. */
  | { kind: "parameters" }
  | { kind: "choice"; options: readonly string[] }
  /** The name of a sibling. */
  | { kind: "sibling" };

export interface Field {
  path: Path;
  label: string;
  hint?: string;
  of: FieldKind;
  /** What its expressions read. */
  sees?: Sees;
  /** An old name of another field: shown where it is used. */
  isOld?: boolean;
}

export interface FieldGroup {
  title: string;
  fields: readonly Field[];
  /** Closed unless one of its fields is there. */
  isRare?: boolean;
}

function field(name: string, label: string, of: FieldKind, hint?: string, sees?: Sees): Field {
  return {
    path: name.split("/"),
    label,
    of,
    ...(hint === undefined ? {} : { hint }),
    ...(sees === undefined ? {} : { sees }),
  };
}

const text = (name: string, label: string, hint?: string): Field => field(name, label, { kind: "text" }, hint);
const expression = (name: string, label: string, hint?: string): Field =>
  field(name, label, { kind: "expression" }, hint);
const number = (name: string, label: string, hint?: string): Field => field(name, label, { kind: "number" }, hint);
const path = (name: string, label: string, sees?: Sees): Field => field(name, label, { kind: "path" }, undefined, sees);
const json = (name: string, label: string, hint?: string, sees?: Sees): Field =>
  field(name, label, { kind: "json" }, hint, sees);
const choice = (name: string, label: string, ...options: string[]): Field =>
  field(name, label, { kind: "choice", options });

const COMMENT = field("Comment", "Comment", { kind: "long" });
const LANGUAGE = choice("QueryLanguage", "Query language", "JSONPath", "JSONata");

/** Of the state machine itself. */
export const MACHINE_FIELDS: FieldGroup[] = [
  {
    title: "State machine",
    fields: [COMMENT, LANGUAGE, number("TimeoutSeconds", "Time-out in seconds"), text("Version", "Version")],
  },
];

const RUNS_TASKS: readonly StateType[] = ["Task", "Map", "Parallel"];
const PRODUCES: readonly StateType[] = ["Task", "Map", "Parallel", "Pass"];

export function fieldsOfState(state: Pick<State, "type" | "language" | "fields">): FieldGroup[] {
  const { type, language } = state;
  const isPath = language === "JSONPath";
  const is = (types: readonly StateType[]) => types.includes(type as StateType);
  const groups: FieldGroup[] = [
    { title: type, fields: ownFields(type, isPath) },
    ...(type === "Map" ? distributedGroups(state, isPath) : []),
    { title: "Input and output", fields: dataFields(type, isPath, is) },
    { title: "About it", fields: [COMMENT, LANGUAGE] },
  ];
  return groups.filter((group) => group.fields.length > 0);
}

/** A number, and in JSONPath the path that may stand in its place. */
function numberOrPath(isPath: boolean, name: string, label: string, hint?: string): Field[] {
  return [number(name, label, hint), ...(isPath ? [path(`${name}Path`, `${label}, by path`)] : [])];
}

function ownFields(type: string, isPath: boolean): Field[] {
  switch (type) {
    case "Task":
      return [
        field("Resource", "Resource", { kind: "resource" }, "An activity, a function or an action of a service"),
        isPath
          ? field("Parameters", "Parameters", { kind: "parameters" })
          : field("Arguments", "Arguments", { kind: "parameters" }),
        ...numberOrPath(isPath, "TimeoutSeconds", "Time-out in seconds"),
        ...numberOrPath(isPath, "HeartbeatSeconds", "Heartbeat in seconds"),
        json("Credentials", "Credentials", '{"RoleArn": …}'),
      ];
    case "Pass":
      return isPath ? [json("Result", "Result"), json("Parameters", "Parameters")] : [];
    case "Wait":
      return [
        number("Seconds", "Seconds"),
        expression("Timestamp", "Until", "A moment such as 2026-03-14T01:59:00Z"),
        ...(isPath ? [path("SecondsPath", "Seconds by path"), path("TimestampPath", "Until by path")] : []),
      ];
    case "Parallel":
      return [isPath ? json("Parameters", "Parameters") : json("Arguments", "Arguments")];
    case "Map":
      return [
        ...(isPath ? [path("ItemsPath", "Items by path")] : [json("Items", "Items")]),
        json("ItemSelector", "Item selector"),
        ...(isPath ? [{ ...json("Parameters", "Parameters", "The old name of the item selector"), isOld: true }] : []),
        ...numberOrPath(isPath, "MaxConcurrency", "At most at once", "0 or empty: no bound"),
        choice("ItemProcessor/ProcessorConfig/Mode", "Mode", "INLINE", "DISTRIBUTED"),
      ];
    case "Fail":
      return [
        expression("Error", "Error"),
        expression("Cause", "Cause"),
        ...(isPath ? [path("ErrorPath", "Error by path"), path("CausePath", "Cause by path")] : []),
      ];
    default:
      return [];
  }
}

/** What a distributed Map has besides; shown for one, and where some of it is there. */
function distributedGroups({ fields }: Pick<State, "fields">, isPath: boolean): FieldGroup[] {
  const processor = fields.ItemProcessor as { ProcessorConfig?: { Mode?: unknown } } | undefined;
  const isDistributed = processor?.ProcessorConfig?.Mode === "DISTRIBUTED";
  const parameters = isPath ? "Parameters" : "Arguments";
  const groups: FieldGroup[] = [
    {
      title: "Distributed",
      fields: [
        choice("ItemProcessor/ProcessorConfig/ExecutionType", "Type of its executions", "STANDARD", "EXPRESS"),
        text("Label", "Label", "The beginning of the Map Run's name"),
        ...numberOrPath(isPath, "ToleratedFailureCount", "Tolerated failures"),
        ...numberOrPath(isPath, "ToleratedFailurePercentage", "Tolerated failures in percent"),
      ],
    },
    {
      title: "Item reader",
      isRare: true,
      fields: [
        choice("ItemReader/Resource", "Read by", "arn:aws:states:::s3:getObject", "arn:aws:states:::s3:listObjectsV2"),
        json(`ItemReader/${parameters}`, "From where", '{"Bucket": …, "Key": …}'),
        choice("ItemReader/ReaderConfig/InputType", "Format", "CSV", "JSON", "JSONL", "PARQUET", "MANIFEST"),
        choice("ItemReader/ReaderConfig/ManifestType", "Kind of manifest", "S3_INVENTORY", "ATHENA_DATA"),
        choice("ItemReader/ReaderConfig/Transformation", "Transformation", "NONE", "LOAD_AND_FLATTEN"),
        choice("ItemReader/ReaderConfig/CSVHeaderLocation", "Headers of a CSV file", "FIRST_ROW", "GIVEN"),
        json("ItemReader/ReaderConfig/CSVHeaders", "Its headers", '["id", "name"]'),
        choice("ItemReader/ReaderConfig/CSVDelimiter", "Its delimiter", "COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"),
        text("ItemReader/ReaderConfig/ItemsPointer", "Where in a JSON file the items are", "A JSON pointer"),
        ...numberOrPath(isPath, "ItemReader/ReaderConfig/MaxItems", "At most so many items"),
      ],
    },
    {
      title: "Batches",
      isRare: true,
      fields: [
        ...numberOrPath(isPath, "ItemBatcher/MaxItemsPerBatch", "Items in one batch"),
        ...numberOrPath(isPath, "ItemBatcher/MaxInputBytesPerBatch", "Bytes in one batch"),
        json("ItemBatcher/BatchInput", "Input of each batch besides"),
      ],
    },
    {
      title: "Result writer",
      isRare: true,
      fields: [
        choice("ResultWriter/Resource", "Written by", "arn:aws:states:::s3:putObject"),
        json(`ResultWriter/${parameters}`, "To where", '{"Bucket": …, "Prefix": …}'),
        choice("ResultWriter/WriterConfig/Transformation", "Transformation", "NONE", "COMPACT", "FLATTEN"),
        choice("ResultWriter/WriterConfig/OutputType", "Format", "JSON", "JSONL"),
      ],
    },
  ];
  const isThere = (group: FieldGroup) =>
    group.fields.some((field) => String(field.path[0]) !== "ItemProcessor" && String(field.path[0]) in fields);
  return groups.filter((group) => isDistributed || isThere(group));
}

function dataFields(type: string, isPath: boolean, is: (types: readonly StateType[]) => boolean): Field[] {
  if (type === "Fail") return [];
  const after: Sees = is(RUNS_TASKS) ? "result" : "input";
  const assign = type === "Succeed" ? [] : [json("Assign", "Assign", "Variables by name", after)];
  if (!isPath) return [json("Output", "Output", undefined, after), ...assign];
  return [
    path("InputPath", "Input path"),
    ...(is(RUNS_TASKS) ? [json("ResultSelector", "Result selector", undefined, "result")] : []),
    ...(is(PRODUCES) ? [text("ResultPath", "Result path", "Where in the input the result is put")] : []),
    path("OutputPath", "Output path", after),
    ...assign,
  ];
}

/** What an item of `Retry` has. */
export const RETRIER: Field[] = [
  number("IntervalSeconds", "First pause in seconds"),
  number("MaxAttempts", "Attempts"),
  number("BackoffRate", "Pause grows by"),
  number("MaxDelaySeconds", "Longest pause in seconds"),
  choice("JitterStrategy", "Jitter", "NONE", "FULL"),
  text("Comment", "Comment"),
];

export function catcherFields(language: QueryLanguage): Field[] {
  return [
    field("Next", "Then", { kind: "sibling" }),
    ...(language === "JSONPath"
      ? [text("ResultPath", "Result path", "Where in the input the error is put")]
      : [json("Output", "Output", undefined, "error")]),
    json("Assign", "Assign", undefined, "error"),
    text("Comment", "Comment"),
  ];
}

export function ruleFields(language: QueryLanguage): Field[] {
  return [
    ...(language === "JSONata"
      ? [expression("Condition", "Condition", "{% an expression that is true or false %}")]
      : []),
    field("Next", "Then", { kind: "sibling" }),
    text("Comment", "Comment"),
    ...(language === "JSONata" ? [json("Output", "Output")] : []),
    json("Assign", "Assign"),
  ];
}
