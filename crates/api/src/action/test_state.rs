//! TestState: runs one state by the machine's own code, without an execution.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use stepwell_engine::{Clock, Engine, Owner, SystemClock, record::ExecutionId};
use stepwell_expr::{Payload, Value, json};
use stepwell_machine::{
    ExpressStart, Failure, Identity, TaskOutcome, TaskRequest, Workflow,
    definition::{Lone, LoneError},
    effect::Exchange,
    program::ServicePattern,
    root::Root,
    state::{Kind, StateType, task::Resource},
    trial::{Begun, Conditions, Ending, Trial},
};
use tokio::time::timeout;
use uuid::Uuid;

use self::mock::{Mock, MockFields};
use crate::{
    action::{Request, start_execution::checked_input},
    arn,
    error::Error,
    fields::{ARN, DEFINITION, Fields, PAYLOAD, TEST_STATE_NAME},
    limits::TEST_SECONDS_MAX,
    race::{First, race},
};

mod answer;
mod context;
mod mock;

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let asked = read(request.fields()?)?;
    let inspects = asked.inspects;
    let shows = (inspects == Inspection::DataAndExchange).then_some(asked.reveals_secrets);
    let mut exchange = None;
    // A definition of 1 MiB takes a while: not on a thread that serves other connections.
    let engine = request.engine.clone();
    let owner = request.owner();
    let prepared = blocking(move || prepare(asked, &engine, &owner)).await??;
    let Prepared { trial, mock, failing_iterations, input } = prepared;
    let (trial, begun) = blocking(move || {
        let begun = trial.begin();
        (trial, begun)
    })
    .await?;
    let next = match (begun, mock) {
        (Begun::Ended(ending), _) => Next::Ended(ending),
        (Begun::Waits { until_ms }, _) => unless_stopping(&request, wait(until_ms)).await?,
        (Begun::Iterations { length }, Some(mock)) => {
            Next::Result(after_iterations(&trial, mock, failing_iterations, length)?)
        }
        (Begun::Task { .. } | Begun::Branches { .. }, Some(mock)) => Next::Result(mock),
        (Begun::Task { request: Some(task), timeout_seconds }, None) => {
            match request.engine.parameters_problem(&task) {
                Some(problem) => Next::Ended(trial.unsendable(&task.input, &problem)),
                None => {
                    let ran = unless_stopping(&request, run(&request, task, timeout_seconds, shows)).await?;
                    exchange = ran.1;
                    Next::Result(ran.0)
                }
            }
        }
        (Begun::Task { request: None, .. }, None) => return Err(Error::UntestableState(NEEDS_MOCK)),
        (Begun::Branches { .. } | Begun::Iterations { .. }, None) => {
            return Err(Error::UntestableState(NO_CONTAINERS));
        }
    };
    blocking(move || {
        let ending = match next {
            Next::Ended(ending) => ending,
            Next::WaitIsOver => trial.wait_is_over(),
            Next::Result(result) => trial.conclude(result),
        };
        let stages = (inspects != Inspection::Nothing).then(|| trial.stages());
        answer::write(&input, &ending, stages.as_ref(), exchange.as_deref())
    })
    .await
}

/// Source: recorded answers.
const NO_CONTAINERS: &str = "TestState API does not support Map or Parallel states. Supported state types include: \
     [Task, Wait, Pass, Succeed, Fail, Choice]";
/// The sentence is ours.
const NEEDS_MOCK: &str = "TestState API does not support Activity tasks, or the service integration patterns .sync and \
     .waitForTaskToken, when a mock is not specified";

enum Next {
    Ended(Ending),
    WaitIsOver,
    Result(Mock),
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Internal)
}

/// The member `inspectionLevel`: what of the test is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inspection {
    Nothing,
    Data,
    /// Of an HTTP Task also request and response.
    DataAndExchange,
}

/// The request's members.
struct Asked {
    definition: Arc<str>,
    state_name: Option<Arc<str>>,
    role_arn: Option<Arc<str>>,
    input: Payload,
    inspects: Inspection,
    reveals_secrets: bool,
    variables: Option<Arc<str>>,
    context: Option<Arc<str>>,
    mock: Option<MockFields>,
    configuration: Configuration,
}

/// The member `stateConfiguration`.
#[derive(Default)]
struct Configuration {
    retries: u64,
    failing_iterations: Option<u64>,
    reader_data: Option<Arc<str>>,
}

fn read(mut fields: Fields<'_>) -> Result<Asked, Error> {
    const LEVELS: [(&str, Inspection); 3] =
        [("INFO", Inspection::Nothing), ("DEBUG", Inspection::Data), ("TRACE", Inspection::DataAndExchange)];
    let definition = fields.required_text("definition", &DEFINITION)?;
    let role_arn = fields.optional_text("roleArn", &ARN)?;
    let input = fields.optional_text("input", &PAYLOAD)?;
    let inspects = fields.optional_choice("inspectionLevel", &LEVELS)?.unwrap_or(Inspection::Nothing);
    let reveals_secrets = fields.optional_bool("revealSecrets")?.unwrap_or(false);
    let variables = fields.optional_text("variables", &PAYLOAD)?;
    let state_name = fields.optional_text("stateName", &TEST_STATE_NAME)?;
    let mock = MockFields::read(&mut fields)?;
    let context = fields.optional_text("context", &PAYLOAD)?;
    let configuration = read_configuration(&mut fields)?.unwrap_or_default();
    fields.check()?;
    role_arn.as_deref().map_or(Ok(()), arn::role)?;
    Ok(Asked {
        definition,
        state_name,
        role_arn,
        input: checked_input(input)?,
        inspects,
        reveals_secrets,
        variables,
        context,
        mock,
        configuration,
    })
}

fn read_configuration(fields: &mut Fields<'_>) -> Result<Option<Configuration>, Error> {
    let count = |fields: &mut Fields<'_>, name: &str| {
        let count = fields.optional_integer(name, 0, i32::MAX.into())?;
        Ok::<_, Error>(count.and_then(|count| u64::try_from(count).ok()))
    };
    fields.optional_object("stateConfiguration", |block| {
        let retries = count(block, "retrierRetryCount")?;
        // Which state inside it failed changes nothing of how a Map or Parallel fails.
        block.optional_text("errorCausedByState", &TEST_STATE_NAME)?;
        let failing_iterations = count(block, "mapIterationFailureCount")?;
        let reader_data = block.optional_text("mapItemReaderData", &PAYLOAD)?;
        Ok(Configuration { retries: retries.unwrap_or(0), failing_iterations, reader_data })
    })
}

/// Everything checked, and ready to begin.
struct Prepared {
    trial: Trial,
    mock: Option<Mock>,
    failing_iterations: Option<u64>,
    input: Payload,
}

/// Source of the order of these checks: recorded answers.
fn prepare(asked: Asked, engine: &Engine, owner: &Owner) -> Result<Prepared, Error> {
    let lone = engine.check_state(&asked.definition, asked.state_name.as_deref());
    let lone = lone.map_err(|error| match error {
        LoneError::InvalidDefinition(problems) => Error::invalid_definition(&problems),
        LoneError::StateNotFound => Error::validation("State not found in definition"),
    })?;
    let Configuration { retries, failing_iterations, reader_data } = asked.configuration;
    let mock = match asked.mock {
        Some(_) if asked.reveals_secrets => {
            return Err(Error::validation("TestState does not support RevealSecrets when a mock is specified."));
        }
        Some(mock) => Some(mock.checked(&lone)?),
        None => {
            check_unmocked(&lone, failing_iterations, asked.role_arn.is_some())?;
            None
        }
    };
    let context = match (&asked.context, &mock) {
        (None, _) => None,
        (Some(text), Some(_)) => Some(context::checked(text, &lone)?),
        // The sentence is ours.
        (Some(_), None) => {
            return Err(Error::validation("TestState does not support Context when a mock is not specified."));
        }
    };
    let conditions = Conditions {
        identity: identity(owner, asked.role_arn.unwrap_or_default(), asked.input.clone()),
        retries,
        now_ms: SystemClock.now_ms(),
        context,
        variables: variables(asked.variables.as_deref())?,
        reader_data,
        limits: engine.quotas().limits,
    };
    let trial = Trial::new(lone, conditions);
    Ok(Prepared { trial, mock, failing_iterations, input: asked.input })
}

/// What a state without a mock must be.
fn check_unmocked(lone: &Lone, failing_iterations: Option<u64>, has_role: bool) -> Result<(), Error> {
    let state = lone.program.state(lone.state);
    if failing_iterations.is_some() {
        return Err(Error::validation(
            "TestState does not support MapIterationFailureCount when a mock is not specified.",
        ));
    }
    match &state.kind {
        Kind::Map(_) | Kind::Parallel(_) => Err(Error::UntestableState(NO_CONTAINERS)),
        Kind::Task(task) => match &task.resource {
            Resource::Activity { .. } => Err(Error::UntestableState(NEEDS_MOCK)),
            Resource::Service { pattern, .. } if *pattern != ServicePattern::RequestResponse => {
                Err(Error::UntestableState(NEEDS_MOCK))
            }
            Resource::Service { .. } | Resource::LambdaFunction { .. } if !has_role => {
                Err(Error::validation("RoleArn must be specified when testing a Task state"))
            }
            Resource::Service { .. } | Resource::LambdaFunction { .. } => Ok(()),
        },
        Kind::Wait(_) | Kind::Pass(_) | Kind::Succeed(_) | Kind::Fail(_) | Kind::Choice(_) => Ok(()),
    }
}

/// The sentence is ours.
fn variables(text: Option<&str>) -> Result<BTreeMap<Arc<str>, Payload>, Error> {
    let Some(text) = text else { return Ok(BTreeMap::new()) };
    let parsed = json::parse(text).ok();
    let Some(members) = parsed.as_ref().and_then(Value::as_object) else {
        return Err(Error::validation("Variables must be a JSON object"));
    };
    Ok(members.iter().map(|(name, value)| (name.clone(), Payload::from_value(value.clone()))).collect())
}

/// An execution that there is not. Source of its form: recorded answers.
fn identity(owner: &Owner, role_arn: Arc<str>, input: Payload) -> Identity {
    let arn_prefix = owner.arn_prefix();
    let (machine, name) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let arn: Arc<str> = format!("{arn_prefix}:express:{machine}:{name}").into();
    let mut root = [0; 32];
    root[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    root[16..].copy_from_slice(Uuid::new_v4().as_bytes());
    Identity {
        id: ExecutionId::of_arn(&arn).0,
        arn,
        name: name.into(),
        state_machine_arn: format!("{arn_prefix}:stateMachine:{machine}").into(),
        state_machine_name: machine.into(),
        role_arn,
        region: owner.region().clone(),
        root: Root(root),
        start_ms: SystemClock.now_ms(),
        input,
        test_case: None,
        workflow: Workflow::Express(ExpressStart::Synchronous),
        child: None,
        qualifier: None,
    }
}

/// A server that stops does not wait for tests.
async fn unless_stopping<T>(request: &Request<'_>, work: impl Future<Output = T>) -> Result<T, Error> {
    let mut stopping = request.stopping.clone();
    let stopped = async move { drop(stopping.wait_for(|stopping| *stopping).await) };
    match race(work, stopped).await {
        First::Left(done) => Ok(done),
        First::Right(()) => Err(Error::ServiceUnavailable),
    }
}

/// A Wait state really waits, as long as a test may take.
async fn wait(until_ms: i64) -> Next {
    let ms = u64::try_from(until_ms.saturating_sub(SystemClock.now_ms())).unwrap_or(0);
    if ms > TEST_SECONDS_MAX * 1_000 {
        tokio::time::sleep(Duration::from_secs(TEST_SECONDS_MAX)).await;
        return Next::Ended(Ending::Failed { failure: Failure::named("States.Timeout") });
    }
    tokio::time::sleep(Duration::from_millis(ms)).await;
    Next::WaitIsOver
}

/// A task really runs, as long as it or a test may take. `shows`: what was sent is to be shown, with its secrets or not.
async fn run(
    request: &Request<'_>,
    task: TaskRequest,
    timeout_seconds: Option<u64>,
    shows: Option<bool>,
) -> (Mock, Option<Box<Exchange>>) {
    let seconds = timeout_seconds.map_or(TEST_SECONDS_MAX, |seconds| seconds.min(TEST_SECONDS_MAX));
    let engine = request.engine;
    let run = async {
        match shows {
            Some(reveals_secrets) => engine.run_task_shown(task, reveals_secrets).await,
            None => (engine.run_task(task).await, None),
        }
    };
    match timeout(Duration::from_secs(seconds), run).await {
        Ok((TaskOutcome::Succeeded { output }, exchange)) => (Ok(output), exchange),
        Ok((TaskOutcome::Failed(failure), exchange)) => (Err(failure), exchange),
        Err(_) => (Err(Failure::named("States.Timeout")), None),
    }
}

/// The result of a Map of which some iterations are taken to have failed. Source: recorded answers.
fn after_iterations(trial: &Trial, mock: Mock, failing: Option<u64>, length: Option<usize>) -> Result<Mock, Error> {
    debug_assert_eq!(trial.kind(), StateType::Map, "only a Map has iterations");
    let Some(failing) = failing else { return Ok(mock) };
    let length = length.map(|length| length as u64);
    if length.is_some_and(|length| failing > length) {
        return Err(Error::validation(
            "Map iteration failure count must be less than or equal to the number of Map iterations",
        ));
    }
    let stages = trial.stages();
    let too_many = stages.tolerated_failure_count.is_some_and(|tolerated| failing > tolerated);
    let share = length.filter(|length| *length > 0).map(|length| failing as f64 * 100.0 / length as f64);
    let too_large = match (stages.tolerated_failure_percentage, share) {
        (Some(tolerated), Some(share)) => share > tolerated,
        _ => false,
    };
    if mock.is_ok() && (too_many || too_large) {
        return Ok(Err(Failure::new(
            "States.ExceedToleratedFailureThreshold",
            "The specified tolerated failure threshold was exceeded",
        )));
    }
    Ok(mock)
}
