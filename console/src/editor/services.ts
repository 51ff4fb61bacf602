/**
 * The optimised integrations, and how each of their actions can be called. Source: Step Functions guide, "Integrating
 * services". `palette.test.ts` compares this with the machine's own table.
 */
export interface Service {
  /** As in the ARN of a resource. */
  id: string;
  title: string;
  actions: readonly string[];
  /** What may stand behind the action in the ARN; calling it alone always may. */
  suffixes: readonly Suffix[];
}

export type Suffix = ".sync" | ".sync:2" | ".waitForTaskToken";

const SYNC: readonly Suffix[] = [".sync"];
const TOKEN: readonly Suffix[] = [".waitForTaskToken"];
const BOTH: readonly Suffix[] = [".sync", ".waitForTaskToken"];

const of = (id: string, title: string, actions: string, suffixes: readonly Suffix[] = []): Service => ({
  id,
  title,
  actions: actions.split(" "),
  suffixes,
});

export const SERVICES: readonly Service[] = [
  of("apigateway", "API Gateway", "invoke", TOKEN),
  of("athena", "Athena", "startQueryExecution", SYNC),
  of("athena", "Athena", "stopQueryExecution getQueryExecution getQueryResults"),
  of("batch", "Batch", "submitJob", BOTH),
  of("bedrock", "Bedrock", "invokeModel", TOKEN),
  of("bedrock", "Bedrock", "createModelCustomizationJob", SYNC),
  of("codebuild", "CodeBuild", "startBuild startBuildBatch retryBuildBatch", SYNC),
  of("codebuild", "CodeBuild", "stopBuild stopBuildBatch batchDeleteBuilds deleteBuildBatch batchGetReports"),
  of("databrew", "Glue DataBrew", "startJobRun", BOTH),
  of("dynamodb", "DynamoDB", "getItem putItem updateItem deleteItem"),
  of("ecs", "ECS", "runTask", BOTH),
  of(
    "eks",
    "EKS",
    "createCluster deleteCluster createNodegroup deleteNodegroup createFargateProfile deleteFargateProfile runJob",
    BOTH,
  ),
  of("eks", "EKS", "call", TOKEN),
  of("elasticmapreduce", "EMR", "createCluster terminateCluster addStep", BOTH),
  of(
    "elasticmapreduce",
    "EMR",
    "setClusterTerminationProtection cancelStep modifyInstanceFleetByName modifyInstanceGroupByName",
    TOKEN,
  ),
  of("emr-containers", "EMR on EKS", "createVirtualCluster", TOKEN),
  of("emr-containers", "EMR on EKS", "deleteVirtualCluster startJobRun", BOTH),
  of(
    "emr-serverless",
    "EMR Serverless",
    "createApplication startApplication stopApplication deleteApplication startJobRun cancelJobRun",
    BOTH,
  ),
  of("events", "EventBridge", "putEvents", TOKEN),
  of("glue", "Glue", "startJobRun", BOTH),
  of("http", "HTTP", "invoke"),
  of("lambda", "Lambda", "invoke", TOKEN),
  of("mediaconvert", "MediaConvert", "createJob", SYNC),
  of(
    "sagemaker",
    "SageMaker",
    "createTrainingJob createTransformJob createHyperParameterTuningJob createLabelingJob createProcessingJob",
    SYNC,
  ),
  of("sagemaker", "SageMaker", "createEndpoint createEndpointConfig createModel updateEndpoint"),
  of("sns", "SNS", "publish", TOKEN),
  of("sqs", "SQS", "sendMessage", TOKEN),
  of("states", "Step Functions", "startExecution", [".sync", ".sync:2", ".waitForTaskToken"]),
];
