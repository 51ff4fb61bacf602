//! `stepwell run`: one execution without a server; nothing is kept.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use stepwell_engine::{
    Clock, Config, CreateStateMachine, CreateStateMachineError, Engine, GetHistory, SkippingClock, StartExecution,
    StartExecutionError, Summary, SystemClock, Tags,
};
use stepwell_expr::{Payload, Value};
use stepwell_machine::{Failure, Status, TestCase, definition::MachineType, mock::MockError};
use stepwell_store::memory::Memory;

use crate::{
    argument::read_json,
    cli::RunOptions,
    config::Identity,
    definition_file::{Definition, Source},
    exit::{BadInput, Exit},
    function,
    serve::runtime,
    tasks::Tasks,
    trace::{self, BOLD, GREEN, RED},
    validate,
};

/// How often the trace looks for new events.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Events read at a time.
const EVENTS_AT_A_TIME: usize = 1_000;

pub(crate) fn run(options: &RunOptions) -> anyhow::Result<Exit> {
    let source = Source::read(&options.file)?;
    let definition = source.definition().map_err(|refusal| refusal.in_file(&options.file))?;
    let input = read_json("input", &options.input)?;
    let test_case = options.mock.as_deref().map(test_case).transpose()?.map(Arc::new);
    let (identity, mut file) = Identity::of_run(options)?;
    let runtime = runtime()?;
    let clock: Arc<dyn Clock> = if options.fast { Arc::new(SkippingClock::default()) } else { Arc::new(SystemClock) };
    let config = Config {
        account: identity.account.as_str().into(),
        region: identity.region.as_str().into(),
        drivers: 1,
        clock,
        announces_status: false,
        quotas: file.limits.quotas,
    };
    let functions = function::host(&identity, std::mem::take(&mut file.functions));
    let tasks = Arc::new(Tasks::new(&identity, &file, functions));
    let engine = Engine::open(Arc::new(Memory::new()), config, tasks.clone(), runtime.handle().clone())?;
    tasks.begin(&engine, None);
    runtime.block_on(async {
        let exit = execute(&engine, options, &identity.account, definition, input, test_case).await;
        engine.shut_down().await;
        exit
    })
}

/// `FILE#CASE` or `FILE#MACHINE/CASE`.
fn test_case(argument: &str) -> anyhow::Result<TestCase> {
    let Some((file, case)) = argument.rsplit_once('#') else {
        return Err(BadInput(format!("`{argument}` names no test case: write FILE#CASE")).into());
    };
    let config = validate::read(file.as_ref())?;
    let refused = |error: MockError| BadInput(format!("{file}: {error}"));
    if let Some((machine, case)) = case.rsplit_once('/') {
        return Ok(TestCase::select(&config, machine, case).map_err(refused)?);
    }
    let machines = TestCase::machines_with(&config, case).map_err(refused)?;
    match machines.as_slice() {
        [machine] => Ok(TestCase::select(&config, machine, case).map_err(refused)?),
        [] => Err(BadInput(format!("{file}: no state machine has a test case `{case}`")).into()),
        several => {
            let names = several.iter().map(|name| format!("`{name}/{case}`")).collect::<Vec<_>>().join(", ");
            Err(BadInput(format!("{file}: several state machines have the test case `{case}`: choose {names}")).into())
        }
    }
}

async fn execute(
    engine: &Engine,
    options: &RunOptions,
    account: &str,
    definition: Definition,
    input: Payload,
    test_case: Option<Arc<TestCase>>,
) -> anyhow::Result<Exit> {
    let created = engine
        .create_state_machine(CreateStateMachine {
            owner: engine.owner().clone(),
            name: "run".into(),
            machine_type: MachineType::Standard,
            definition: definition.json.as_str().into(),
            role_arn: format!("arn:aws:iam::{account}:role/stepwell-run").into(),
            logging: Value::empty_object(),
            tracing: Value::empty_object(),
            encryption: Value::empty_object(),
            tags: Tags::new(),
            publish: None,
        })
        .await;
    let machine = match created {
        Ok(created) => created.machine,
        Err(CreateStateMachineError::InvalidDefinition(diagnostics)) => {
            for problem in definition.problems(&diagnostics) {
                validate::print_problem(&options.file, &problem);
            }
            return Err(BadInput("the definition has problems".to_owned()).into());
        }
        Err(error) => return Err(error.into()),
    };
    let start = StartExecution {
        state_machine_arn: machine.arn.clone(),
        name: options.name.as_deref().map(Into::into),
        input,
        trace_header: None,
        origin: None,
        test_case,
    };
    let started = match engine.start_execution(start).await {
        Err(StartExecutionError::TestCase(error)) => return Err(BadInput(error.to_string()).into()),
        started => started.context("the execution could not be started")?,
    };
    follow(engine, &started.arn, started.start_ms, !options.json).await?;
    let summary = engine.execution(&started.arn).await?;
    Ok(report(&summary, options.json))
}

/// Prints the events as they come, until the execution has ended.
async fn follow(engine: &Engine, arn: &Arc<str>, start_ms: i64, print: bool) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let ended = !matches!(engine.execution(arn).await?.status, Status::Running);
        let get =
            GetHistory { execution_arn: arn.clone(), reverse: false, with_data: print, limit: EVENTS_AT_A_TIME, after };
        let page = engine.history(get).await?;
        if print {
            page.events.iter().for_each(|event| trace::print(event, start_ms));
        }
        if page.events.is_empty() {
            if ended {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        after = page.events.last().map(|event| event.id).or(after);
    }
}

fn report(summary: &Summary, as_json: bool) -> Exit {
    let (status, output, failure) = match &summary.status {
        Status::Running => ("RUNNING", None, None),
        Status::Succeeded { output, .. } => ("SUCCEEDED", Some(output), None),
        Status::Failed { failure, .. } => ("FAILED", None, Some(failure)),
        Status::TimedOut { failure, .. } => ("TIMED_OUT", None, Some(failure)),
        Status::Aborted { failure, .. } => ("ABORTED", None, Some(failure)),
    };
    if as_json {
        anstream::println!("{}", summary_json(summary, status, output, failure));
    } else if let Some(output) = output {
        anstream::println!("{GREEN}{status}{GREEN:#}\n{}", output.text());
    } else if let Some(failure) = failure {
        let error = failure.error.as_deref().unwrap_or("no error name");
        anstream::println!("{RED}{status}{RED:#} {BOLD}{error}{BOLD:#}\n{}", failure.cause.as_deref().unwrap_or(""));
    }
    if output.is_some() { Exit::Done } else { Exit::Failed }
}

fn summary_json(summary: &Summary, status: &str, output: Option<&Payload>, failure: Option<&Failure>) -> Value {
    let text = |text: &Option<Arc<str>>| text.clone().map(Value::String);
    let members = [
        ("executionArn", Some(Value::String(summary.arn.clone()))),
        ("status", Some(Value::from(status))),
        ("output", output.map(|output| output.value().clone())),
        ("error", failure.and_then(|failure| text(&failure.error))),
        ("cause", failure.and_then(|failure| text(&failure.cause))),
    ];
    Value::object(members.into_iter().filter_map(|(name, value)| Some((name, value?))))
}
