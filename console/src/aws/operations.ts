/** The actions that the console calls, in AWS's spelling. Timestamps are seconds since 1970. Source: API model. */
export type MachineType = "STANDARD" | "EXPRESS";
export const EXECUTION_STATUSES = ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"] as const;
export type ExecutionStatus = (typeof EXECUTION_STATUSES)[number];

export interface MachineListed {
  stateMachineArn: string;
  name: string;
  type: MachineType;
  creationDate: number;
}

export interface Machine {
  stateMachineArn: string;
  name: string;
  status: string;
  definition: string;
  roleArn: string;
  type: MachineType;
  creationDate: number;
  revisionId?: string;
  loggingConfiguration?: Logging;
  tracingConfiguration?: { enabled?: boolean };
}

export interface Logging {
  level?: "ALL" | "ERROR" | "FATAL" | "OFF";
  includeExecutionData?: boolean;
  destinations?: { cloudWatchLogsLogGroup?: { logGroupArn?: string } }[];
}

export interface ExecutionListed {
  executionArn: string;
  stateMachineArn: string;
  name: string;
  status: ExecutionStatus;
  startDate: number;
  stopDate?: number;
  /** Of a child of a Map Run: the items that it was given. */
  itemCount?: number;
}

export interface Execution extends ExecutionListed {
  input?: string;
  output?: string;
  error?: string;
  cause?: string;
  redriveStatus?: "REDRIVABLE" | "NOT_REDRIVABLE" | "REDRIVABLE_BY_MAP_RUN";
  redriveCount?: number;
  redriveStatusReason?: string;
  stateMachineVersionArn?: string;
  stateMachineAliasArn?: string;
  /** Of a child of a distributed Map. */
  mapRunArn?: string;
  /** Of an Express execution. */
  billingDetails?: { billedMemoryUsedInMB: number; billedDurationInMilliseconds: number };
}

/** Children of a Map Run may also wait for their redrive. */
export type ChildStatus = ExecutionStatus | "PENDING_REDRIVE";

export interface MapRunListed {
  executionArn: string;
  mapRunArn: string;
  stateMachineArn: string;
  startDate: number;
  stopDate?: number;
}

/** How many items or child executions of a Map Run stand how. */
export interface MapRunCounts {
  pending: number;
  running: number;
  succeeded: number;
  failed: number;
  timedOut: number;
  aborted: number;
  total: number;
  resultsWritten: number;
  failuresNotRedrivable?: number;
  pendingRedrive?: number;
}

export interface MapRun {
  mapRunArn: string;
  executionArn: string;
  status: "RUNNING" | "SUCCEEDED" | "FAILED" | "ABORTED";
  startDate: number;
  stopDate?: number;
  maxConcurrency: number;
  toleratedFailurePercentage: number;
  toleratedFailureCount: number;
  itemCounts: MapRunCounts;
  executionCounts: MapRunCounts;
  redriveCount?: number;
  redriveDate?: number;
}

export interface Tag {
  key: string;
  value: string;
}

export interface Diagnostic {
  severity: "ERROR" | "WARNING";
  code: string;
  message: string;
  location?: string;
}

export interface ActivityListed {
  activityArn: string;
  name: string;
  creationDate: number;
}

export interface TestedState {
  status: "SUCCEEDED" | "FAILED" | "RETRIABLE" | "CAUGHT_ERROR";
  output?: string;
  error?: string;
  cause?: string;
  nextState?: string;
  inspectionData?: { result?: string; [stage: string]: unknown };
}

export interface Version {
  stateMachineVersionArn: string;
  creationDate: number;
}

export interface Route {
  stateMachineVersionArn: string;
  weight: number;
}

export interface Alias {
  stateMachineAliasArn: string;
  name: string;
  description?: string;
  routingConfiguration: Route[];
}

interface Page {
  maxResults?: number;
  nextToken?: string | undefined;
}

interface Operation<Input, Output> {
  input: Input;
  output: Output;
}

export interface Operations {
  ListStateMachines: Operation<Page, { stateMachines: MachineListed[]; nextToken?: string }>;
  DescribeStateMachine: Operation<{ stateMachineArn: string }, Machine>;
  DescribeStateMachineForExecution: Operation<
    { executionArn: string },
    Omit<Machine, "status" | "creationDate" | "type">
  >;
  CreateStateMachine: Operation<
    { name: string; definition: string; roleArn: string; type: MachineType; tags?: Tag[] },
    { stateMachineArn: string }
  >;
  UpdateStateMachine: Operation<
    {
      stateMachineArn: string;
      definition?: string;
      roleArn?: string;
      loggingConfiguration?: Logging;
      tracingConfiguration?: { enabled: boolean };
    },
    { updateDate: number; revisionId?: string }
  >;
  DeleteStateMachine: Operation<{ stateMachineArn: string }, Record<string, never>>;
  ValidateStateMachineDefinition: Operation<
    { definition: string; type?: MachineType; severity?: "ERROR" | "WARNING" },
    { result: "OK" | "FAIL"; diagnostics: Diagnostic[]; truncated: boolean }
  >;
  ListExecutions: Operation<
    { stateMachineArn?: string; mapRunArn?: string; statusFilter?: ChildStatus | undefined } & Page,
    { executions: ExecutionListed[]; nextToken?: string }
  >;
  DescribeExecution: Operation<{ executionArn: string }, Execution>;
  StartExecution: Operation<
    { stateMachineArn: string; name?: string | undefined; input: string },
    { executionArn: string; startDate: number }
  >;
  StartSyncExecution: Operation<
    { stateMachineArn: string; name?: string | undefined; input: string },
    {
      executionArn: string;
      status: "SUCCEEDED" | "FAILED" | "TIMED_OUT";
      output?: string;
      error?: string;
      cause?: string;
    }
  >;
  ListMapRuns: Operation<{ executionArn: string } & Page, { mapRuns: MapRunListed[]; nextToken?: string }>;
  DescribeMapRun: Operation<{ mapRunArn: string }, MapRun>;
  UpdateMapRun: Operation<
    {
      mapRunArn: string;
      maxConcurrency?: number;
      toleratedFailurePercentage?: number;
      toleratedFailureCount?: number;
    },
    Record<string, never>
  >;
  RedriveExecution: Operation<{ executionArn: string }, { redriveDate: number }>;
  StopExecution: Operation<{ executionArn: string; error?: string; cause?: string }, { stopDate: number }>;
  ListTagsForResource: Operation<{ resourceArn: string }, { tags: Tag[] }>;
  TagResource: Operation<{ resourceArn: string; tags: Tag[] }, Record<string, never>>;
  UntagResource: Operation<{ resourceArn: string; tagKeys: string[] }, Record<string, never>>;
  TestState: Operation<
    {
      definition: string;
      stateName: string;
      roleArn: string;
      input: string;
      variables?: string;
      inspectionLevel: "INFO" | "DEBUG" | "TRACE";
      mock?: { result?: string; errorOutput?: { error: string }; fieldValidationMode: "STRICT" | "PRESENT" | "NONE" };
    },
    TestedState
  >;
  PublishStateMachineVersion: Operation<
    { stateMachineArn: string; description?: string | undefined },
    { stateMachineVersionArn: string }
  >;
  ListStateMachineVersions: Operation<
    { stateMachineArn: string } & Page,
    { stateMachineVersions: Version[]; nextToken?: string }
  >;
  DeleteStateMachineVersion: Operation<{ stateMachineVersionArn: string }, Record<string, never>>;
  ListStateMachineAliases: Operation<
    { stateMachineArn: string } & Page,
    { stateMachineAliases: { stateMachineAliasArn: string; creationDate: number }[]; nextToken?: string }
  >;
  DescribeStateMachineAlias: Operation<{ stateMachineAliasArn: string }, Alias>;
  CreateStateMachineAlias: Operation<{ name: string; routingConfiguration: Route[] }, { stateMachineAliasArn: string }>;
  UpdateStateMachineAlias: Operation<
    { stateMachineAliasArn: string; routingConfiguration: Route[] },
    { updateDate: number }
  >;
  DeleteStateMachineAlias: Operation<{ stateMachineAliasArn: string }, Record<string, never>>;
  ListActivities: Operation<Page, { activities: ActivityListed[]; nextToken?: string }>;
  CreateActivity: Operation<{ name: string }, { activityArn: string; creationDate: number }>;
  DeleteActivity: Operation<{ activityArn: string }, Record<string, never>>;
  SendTaskSuccess: Operation<{ taskToken: string; output: string }, Record<string, never>>;
  SendTaskFailure: Operation<{ taskToken: string; error?: string; cause?: string }, Record<string, never>>;
}
