//! Jobs (`.sync`): how each is asked for its state, when it has ended, and how it is stopped.
//!
//! The submission's answer is durable before the first question (`TaskSubmitted`), so a restart goes on asking. Source:
//! Step Functions guide, "Integrating optimized services", and the services' API models.

use std::time::Duration;

use stepwell_expr::{Payload, Value};
use stepwell_machine::Failure;
use tokio::time::sleep;

use crate::{
    Work,
    aws::{CallError, node::Spelling},
    limits::{JOB_POLL_FIRST_MS, JOB_POLL_MAX_MS},
    optimised::Action,
};

/// One kind of job, by the action that submits it.
struct Job {
    service: &'static str,
    action: &'static str,
    /// Asks for the job.
    describe: Question,
    /// Where the answer tells the state; a path of names and positions.
    state: &'static str,
    succeeded: &'static [&'static str],
    failed: &'static [&'static str],
    /// Success is that there is no such thing any more.
    ends_by_vanishing: bool,
    result: Shown,
    stop: Option<Question>,
}

/// A call about a job.
struct Question {
    action: &'static str,
    parameters: &'static [(&'static str, From)],
}

/// Where a parameter comes from.
enum From {
    /// The submission's answer, at this path.
    Answer(&'static str),
    /// The same as the only item of a list.
    Listed(&'static str),
    /// The task's own parameters, at this path.
    Given(&'static str),
    Text(&'static str),
}

/// What of the last answer is the task's result.
enum Shown {
    All,
    /// What is at this path.
    At(&'static str),
    /// An object with what is at the path as its one member.
    Named(&'static str, &'static str),
}

use From::{Answer, Given, Listed, Text};

const WHY: &str = "Stopped by Step Functions: the execution no longer waits for it.";

macro_rules! question {
    ($action:literal $(, $name:literal = $from:expr)*) => {
        Question { action: $action, parameters: &[$(($name, $from)),*] }
    };
}

/// A job with the usual ending.
const fn job(
    service: &'static str,
    action: &'static str,
    describe: Question,
    state: &'static str,
    ends: (&'static [&'static str], &'static [&'static str]),
    result: Shown,
    stop: Option<Question>,
) -> Job {
    let (succeeded, failed) = ends;
    Job { service, action, describe, state, succeeded, failed, ends_by_vanishing: false, result, stop }
}

/// One that ends when the thing is gone.
const fn deletion(
    service: &'static str,
    action: &'static str,
    describe: Question,
    state: &'static str,
    failed: &'static [&'static str],
) -> Job {
    Job {
        service,
        action,
        describe,
        state,
        succeeded: &[],
        failed,
        ends_by_vanishing: true,
        result: Shown::All,
        stop: None,
    }
}

const BUILD_ENDS: (&[&str], &[&str]) = (&["SUCCEEDED"], &["FAILED", "FAULT", "TIMED_OUT", "STOPPED"]);
const SAGEMAKER_ENDS: (&[&str], &[&str]) = (&["Completed"], &["Failed", "Stopped"]);
const BATCH_OF_BUILDS: &str = "BuildBatches.0";

const JOBS: &[Job] = &[
    job(
        "athena",
        "startQueryExecution",
        question!("getQueryExecution", "QueryExecutionId" = Answer("QueryExecutionId")),
        "QueryExecution.Status.State",
        (&["SUCCEEDED"], &["FAILED", "CANCELLED"]),
        Shown::All,
        Some(question!("stopQueryExecution", "QueryExecutionId" = Answer("QueryExecutionId"))),
    ),
    job(
        "batch",
        "submitJob",
        question!("describeJobs", "Jobs" = Listed("JobId")),
        "Jobs.0.Status",
        (&["SUCCEEDED"], &["FAILED"]),
        Shown::At("Jobs.0"),
        Some(question!("terminateJob", "JobId" = Answer("JobId"), "Reason" = Text(WHY))),
    ),
    job(
        "bedrock",
        "createModelCustomizationJob",
        question!("getModelCustomizationJob", "JobIdentifier" = Answer("JobArn")),
        "Status",
        (&["Completed"], &["Failed", "Stopped"]),
        Shown::All,
        Some(question!("stopModelCustomizationJob", "JobIdentifier" = Answer("JobArn"))),
    ),
    job(
        "codebuild",
        "startBuild",
        question!("batchGetBuilds", "Ids" = Listed("Build.Id")),
        "Builds.0.BuildStatus",
        BUILD_ENDS,
        Shown::Named("Build", "Builds.0"),
        Some(question!("stopBuild", "Id" = Answer("Build.Id"))),
    ),
    job(
        "codebuild",
        "startBuildBatch",
        question!("batchGetBuildBatches", "Ids" = Listed("BuildBatch.Id")),
        "BuildBatches.0.BuildBatchStatus",
        BUILD_ENDS,
        Shown::Named("BuildBatch", BATCH_OF_BUILDS),
        Some(question!("stopBuildBatch", "Id" = Answer("BuildBatch.Id"))),
    ),
    job(
        "codebuild",
        "retryBuildBatch",
        question!("batchGetBuildBatches", "Ids" = Listed("BuildBatch.Id")),
        "BuildBatches.0.BuildBatchStatus",
        BUILD_ENDS,
        Shown::Named("BuildBatch", BATCH_OF_BUILDS),
        Some(question!("stopBuildBatch", "Id" = Answer("BuildBatch.Id"))),
    ),
    job(
        "databrew",
        "startJobRun",
        question!("describeJobRun", "Name" = Given("Name"), "RunId" = Answer("RunId")),
        "State",
        (&["SUCCEEDED"], &["FAILED", "TIMEOUT", "STOPPED"]),
        Shown::All,
        Some(question!("stopJobRun", "Name" = Given("Name"), "RunId" = Answer("RunId"))),
    ),
    job(
        "ecs",
        "runTask",
        question!("describeTasks", "Cluster" = Answer("Tasks.0.ClusterArn"), "Tasks" = Listed("Tasks.0.TaskArn")),
        "Tasks.0.LastStatus",
        // Whether it succeeded is for its containers to say: `exited_well`.
        (&["STOPPED"], &[]),
        Shown::At("Tasks.0"),
        Some(question!(
            "stopTask",
            "Cluster" = Answer("Tasks.0.ClusterArn"),
            "Task" = Answer("Tasks.0.TaskArn"),
            "Reason" = Text(WHY)
        )),
    ),
    job(
        "eks",
        "createCluster",
        question!("describeCluster", "Name" = Answer("Cluster.Name")),
        "Cluster.Status",
        (&["ACTIVE"], &["FAILED"]),
        Shown::All,
        None,
    ),
    deletion(
        "eks",
        "deleteCluster",
        question!("describeCluster", "Name" = Given("Name")),
        "Cluster.Status",
        &["FAILED"],
    ),
    job(
        "eks",
        "createNodegroup",
        question!("describeNodegroup", "ClusterName" = Given("ClusterName"), "NodegroupName" = Given("NodegroupName")),
        "Nodegroup.Status",
        (&["ACTIVE"], &["CREATE_FAILED", "DEGRADED"]),
        Shown::All,
        None,
    ),
    deletion(
        "eks",
        "deleteNodegroup",
        question!("describeNodegroup", "ClusterName" = Given("ClusterName"), "NodegroupName" = Given("NodegroupName")),
        "Nodegroup.Status",
        &["DELETE_FAILED"],
    ),
    job(
        "eks",
        "createFargateProfile",
        question!(
            "describeFargateProfile",
            "ClusterName" = Given("ClusterName"),
            "FargateProfileName" = Given("FargateProfileName")
        ),
        "FargateProfile.Status",
        (&["ACTIVE"], &["CREATE_FAILED"]),
        Shown::All,
        None,
    ),
    deletion(
        "eks",
        "deleteFargateProfile",
        question!(
            "describeFargateProfile",
            "ClusterName" = Given("ClusterName"),
            "FargateProfileName" = Given("FargateProfileName")
        ),
        "FargateProfile.Status",
        &["DELETE_FAILED"],
    ),
    // Clusters are not torn down when the execution stops. Source: Step Functions guide.
    job(
        "elasticmapreduce",
        "createCluster",
        question!("describeCluster", "ClusterId" = Answer("ClusterId")),
        "Cluster.Status.State",
        (&["WAITING"], &["TERMINATED", "TERMINATED_WITH_ERRORS"]),
        Shown::All,
        None,
    ),
    job(
        "elasticmapreduce",
        "terminateCluster",
        question!("describeCluster", "ClusterId" = Given("ClusterId")),
        "Cluster.Status.State",
        (&["TERMINATED", "TERMINATED_WITH_ERRORS"], &[]),
        Shown::All,
        None,
    ),
    job(
        "elasticmapreduce",
        "addStep",
        question!("describeStep", "ClusterId" = Given("ClusterId"), "StepId" = Answer("StepId")),
        "Step.Status.State",
        (&["COMPLETED"], &["CANCELLED", "FAILED", "INTERRUPTED"]),
        Shown::All,
        Some(question!("cancelSteps", "ClusterId" = Given("ClusterId"), "StepIds" = Listed("StepId"))),
    ),
    job(
        "emr-containers",
        "startJobRun",
        question!("describeJobRun", "Id" = Answer("Id"), "VirtualClusterId" = Answer("VirtualClusterId")),
        "JobRun.State",
        (&["COMPLETED"], &["FAILED", "CANCELLED"]),
        Shown::All,
        Some(question!("cancelJobRun", "Id" = Answer("Id"), "VirtualClusterId" = Answer("VirtualClusterId"))),
    ),
    job(
        "emr-containers",
        "deleteVirtualCluster",
        question!("describeVirtualCluster", "Id" = Answer("Id")),
        "VirtualCluster.State",
        (&["TERMINATED"], &["ARRESTED"]),
        Shown::All,
        None,
    ),
    job(
        "emr-serverless",
        "createApplication",
        question!("getApplication", "ApplicationId" = Answer("ApplicationId")),
        "Application.State",
        (&["CREATED", "STARTED"], &["TERMINATED"]),
        Shown::All,
        None,
    ),
    job(
        "emr-serverless",
        "startApplication",
        question!("getApplication", "ApplicationId" = Given("ApplicationId")),
        "Application.State",
        (&["STARTED"], &["TERMINATED"]),
        Shown::All,
        None,
    ),
    job(
        "emr-serverless",
        "stopApplication",
        question!("getApplication", "ApplicationId" = Given("ApplicationId")),
        "Application.State",
        (&["STOPPED"], &["TERMINATED"]),
        Shown::All,
        None,
    ),
    job(
        "emr-serverless",
        "deleteApplication",
        question!("getApplication", "ApplicationId" = Given("ApplicationId")),
        "Application.State",
        (&["TERMINATED"], &[]),
        Shown::All,
        None,
    ),
    job(
        "emr-serverless",
        "startJobRun",
        question!("getJobRun", "ApplicationId" = Answer("ApplicationId"), "JobRunId" = Answer("JobRunId")),
        "JobRun.State",
        (&["SUCCESS"], &["FAILED", "CANCELLED"]),
        Shown::All,
        Some(question!("cancelJobRun", "ApplicationId" = Answer("ApplicationId"), "JobRunId" = Answer("JobRunId"))),
    ),
    job(
        "emr-serverless",
        "cancelJobRun",
        question!("getJobRun", "ApplicationId" = Given("ApplicationId"), "JobRunId" = Given("JobRunId")),
        "JobRun.State",
        (&["CANCELLED"], &["SUCCESS", "FAILED"]),
        Shown::All,
        None,
    ),
    job(
        "glue",
        "startJobRun",
        question!("getJobRun", "JobName" = Given("JobName"), "RunId" = Answer("JobRunId")),
        "JobRun.JobRunState",
        (&["SUCCEEDED"], &["FAILED", "ERROR", "TIMEOUT", "STOPPED", "EXPIRED"]),
        Shown::At("JobRun"),
        Some(question!("batchStopJobRun", "JobName" = Given("JobName"), "JobRunIds" = Listed("JobRunId"))),
    ),
    job(
        "mediaconvert",
        "createJob",
        question!("getJob", "Id" = Answer("Job.Id")),
        "Job.Status",
        (&["COMPLETE"], &["ERROR", "CANCELED"]),
        Shown::All,
        Some(question!("cancelJob", "Id" = Answer("Job.Id"))),
    ),
    job(
        "sagemaker",
        "createTrainingJob",
        question!("describeTrainingJob", "TrainingJobName" = Given("TrainingJobName")),
        "TrainingJobStatus",
        SAGEMAKER_ENDS,
        Shown::All,
        Some(question!("stopTrainingJob", "TrainingJobName" = Given("TrainingJobName"))),
    ),
    job(
        "sagemaker",
        "createTransformJob",
        question!("describeTransformJob", "TransformJobName" = Given("TransformJobName")),
        "TransformJobStatus",
        SAGEMAKER_ENDS,
        Shown::All,
        Some(question!("stopTransformJob", "TransformJobName" = Given("TransformJobName"))),
    ),
    job(
        "sagemaker",
        "createHyperParameterTuningJob",
        question!(
            "describeHyperParameterTuningJob",
            "HyperParameterTuningJobName" = Given("HyperParameterTuningJobName")
        ),
        "HyperParameterTuningJobStatus",
        SAGEMAKER_ENDS,
        Shown::All,
        Some(question!(
            "stopHyperParameterTuningJob",
            "HyperParameterTuningJobName" = Given("HyperParameterTuningJobName")
        )),
    ),
    job(
        "sagemaker",
        "createLabelingJob",
        question!("describeLabelingJob", "LabelingJobName" = Given("LabelingJobName")),
        "LabelingJobStatus",
        SAGEMAKER_ENDS,
        Shown::All,
        Some(question!("stopLabelingJob", "LabelingJobName" = Given("LabelingJobName"))),
    ),
    job(
        "sagemaker",
        "createProcessingJob",
        question!("describeProcessingJob", "ProcessingJobName" = Given("ProcessingJobName")),
        "ProcessingJobStatus",
        SAGEMAKER_ENDS,
        Shown::All,
        Some(question!("stopProcessingJob", "ProcessingJobName" = Given("ProcessingJobName"))),
    ),
];

/// What a job is doing.
enum Progress {
    Runs,
    Succeeded(Value),
    Failed(Value),
}

/// Waits for the end of a job that was submitted. Dropping the future leaves the job alone.
pub(crate) async fn watch(work: &Work<'_>, action: &Action, submitted: &Value) -> Result<Payload, Failure> {
    let Some(job) = Job::of(action) else {
        return Err(Failure::new("Stepwell.NotSupported", "the job cannot be watched"));
    };
    let mut pause = Duration::from_millis(JOB_POLL_FIRST_MS);
    loop {
        sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_millis(JOB_POLL_MAX_MS));
        match job.ask(work, action, submitted).await {
            Ok(Progress::Runs) => {}
            Ok(Progress::Succeeded(result)) => return Ok(Payload::from_value(result)),
            Ok(Progress::Failed(result)) => return Err(Failure::new("States.TaskFailed", result.to_string())),
            // The job goes on whatever becomes of one question: only a refusal for good ends the watch.
            Err(error) if is_passing(&error) => {}
            Err(error) => return Err(action.failure(work, &error)),
        }
    }
}

/// Stops a job. One that its service refuses to stop, since it has ended perhaps, is nobody's concern any more; an error
/// says why it is to be tried again.
pub(crate) async fn stop(work: &Work<'_>, action: &Action, submitted: &Value) -> Result<(), String> {
    let Some(question) = Job::of(action).and_then(|job| job.stop.as_ref()) else { return Ok(()) };
    match question.call(work, action, submitted).await {
        Ok(_) => Ok(()),
        Err(error) if is_passing(&error) => Err(error.to_string()),
        Err(error) => {
            let arn = &*work.request.execution_arn;
            tracing::warn!(arn, error = error.to_string(), "the service refuses to stop a job");
            Ok(())
        }
    }
}

/// True of errors that a later question may not meet.
fn is_passing(error: &CallError) -> bool {
    match error {
        CallError::Client(_) | CallError::NoCredentials | CallError::Unreadable => true,
        CallError::Service { error, .. } => {
            error.status >= 500 || error.status == 429 || error.code.to_ascii_lowercase().contains("throttl")
        }
        CallError::Role { .. } | CallError::Parameters(_) | CallError::Catalogue(_) => false,
    }
}

impl Job {
    fn of(action: &Action) -> Option<&'static Job> {
        JOBS.iter().find(|job| job.service == action.service && job.action == action.action)
    }

    async fn ask(&self, work: &Work<'_>, action: &Action, submitted: &Value) -> Result<Progress, CallError> {
        match self.describe.call(work, action, submitted).await {
            Ok(answer) => Ok(self.progress(&answer)),
            Err(CallError::Service { error, .. })
                if self.ends_by_vanishing && (error.status == 404 || error.code.contains("NotFound")) =>
            {
                Ok(Progress::Succeeded(Value::empty_object()))
            }
            Err(error) => Err(error),
        }
    }

    fn progress(&self, answer: &Value) -> Progress {
        let state = at(answer, self.state);
        let state = state.as_str().unwrap_or_default();
        let result = match &self.result {
            Shown::All => answer.clone(),
            Shown::At(path) => at(answer, path),
            Shown::Named(name, path) => Value::object([(*name, at(answer, path))]),
        };
        if self.failed.contains(&state) || (self.service == "ecs" && state == "STOPPED" && !exited_well(&result)) {
            Progress::Failed(result)
        } else if self.succeeded.contains(&state) {
            Progress::Succeeded(result)
        } else {
            Progress::Runs
        }
    }
}

/// True if every container of an ECS task ended with exit code 0.
///
/// Differs from AWS: containers that are not essential count too, since the task does not say which are.
fn exited_well(task: &Value) -> bool {
    let containers = task.get("Containers").and_then(Value::as_array).unwrap_or_default();
    containers.iter().all(|container| container.get("ExitCode").and_then(Value::as_i64) == Some(0))
}

impl Question {
    async fn call(&self, work: &Work<'_>, action: &Action, submitted: &Value) -> Result<Value, CallError> {
        let given = work.parameters().value();
        let parameters = self.parameters.iter().map(|(name, from)| {
            let value = match from {
                Answer(path) => at(submitted, path),
                Listed(path) => Value::array(vec![at(submitted, path)]),
                Given(path) => at(given, path),
                Text(text) => Value::from(*text),
            };
            (*name, value)
        });
        let service = action.calls.0;
        let parameters = Value::object(parameters);
        let reply = work.aws().call(&work.caller(), service, self.action, &parameters, Spelling::Api).await?;
        Ok(reply.result)
    }
}

/// What is at a path of names and positions; `null` where there is nothing.
fn at(value: &Value, path: &str) -> Value {
    let step = |value: Value, part: &str| match (&value, part.parse::<usize>()) {
        (Value::Array(items), Ok(index)) => items.get(index).cloned().unwrap_or_default(),
        (value, _) => value.get(part).cloned().unwrap_or_default(),
    };
    path.split('.').fold(value.clone(), step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::catalogue::Catalogue;

    /// Every question of the table can be asked, with parameters that its action has.
    #[test]
    fn every_question_is_in_the_models() {
        let catalogue = Catalogue::embedded();
        if !catalogue.is_present() {
            return;
        }
        for job in JOBS {
            let action = Action::of(job.service, job.action).unwrap();
            for question in [Some(&job.describe), job.stop.as_ref()].into_iter().flatten() {
                let service = action.calls.0;
                let parameters = catalogue.fields(service, question.action).unwrap().unwrap().parameters;
                for (name, _) in question.parameters {
                    let known = parameters.iter().any(|field| field.name.eq_ignore_ascii_case(name));
                    assert!(known, "{service}:{} {name}", question.action);
                }
                let given = |field: &&crate::Field| {
                    question.parameters.iter().any(|(name, _)| field.name.eq_ignore_ascii_case(name))
                };
                let missing = parameters.iter().filter(|field| field.required).find(|field| !given(field));
                assert_eq!(missing, None, "{service}:{}", question.action);
            }
        }
    }

    #[test]
    fn states_become_progress() {
        let job = Job::of(Action::of("batch", "submitJob").unwrap()).unwrap();
        let answer = |state: &str| {
            Value::object([("Jobs", Value::array(vec![Value::object([("Status", Value::from(state))])]))])
        };
        assert!(matches!(job.progress(&answer("RUNNABLE")), Progress::Runs));
        assert!(matches!(job.progress(&answer("FAILED")), Progress::Failed(_)));
        let Progress::Succeeded(result) = job.progress(&answer("SUCCEEDED")) else { panic!("it has succeeded") };
        assert_eq!(result.to_string(), "{\"Status\":\"SUCCEEDED\"}");
    }

    #[test]
    fn containers_decide_over_an_ecs_task() {
        let job = Job::of(Action::of("ecs", "runTask").unwrap()).unwrap();
        let answer = |code: i64| {
            let container = Value::object([("ExitCode", Value::from(code))]);
            let task = [("LastStatus", Value::from("STOPPED")), ("Containers", Value::array(vec![container]))];
            Value::object([("Tasks", Value::array(vec![Value::object(task)]))])
        };
        assert!(matches!(job.progress(&answer(0)), Progress::Succeeded(_)));
        assert!(matches!(job.progress(&answer(1)), Progress::Failed(_)));
    }
}
