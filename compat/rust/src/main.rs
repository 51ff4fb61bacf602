//! A walk through the API with the AWS SDK for Rust. Usage: stepwell-compat-rust ENDPOINT

use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_sdk_sfn::{
    Client, Config,
    config::Region,
    operation::describe_execution::DescribeExecutionOutput,
    types::{ExecutionStatus, HistoryEventType, RoutingConfigurationListItem, Tag},
};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const ROLE: &str = "arn:aws:iam::123456789012:role/compat";
const PASS: &str = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;
const LONG_WAIT: &str = r#"{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":3600,"End":true}}}"#;

#[tokio::main]
async fn main() -> Outcome {
    let endpoint = std::env::args().nth(1).ok_or("usage: stepwell-compat-rust ENDPOINT")?;
    let config = Config::builder()
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("compat", "compat", None, None, "compat"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let sfn = Client::from_conf(config);
    machines(&sfn).await?;
    executions(&sfn).await?;
    activities(&sfn).await?;
    println!("the walk is done");
    Ok(())
}

/// A state machine, its versions, an alias, its tags, and what is refused.
async fn machines(sfn: &Client) -> Outcome {
    let tag = Tag::builder().key("from").value("Rust").build();
    let made = sfn
        .create_state_machine()
        .name("rust")
        .definition(PASS)
        .role_arn(ROLE)
        .publish(true)
        .tags(tag)
        .send()
        .await?;
    let arn = made.state_machine_arn();
    let version = made.state_machine_version_arn().ok_or("a version was published")?;
    assert_eq!(version, format!("{arn}:1"));
    let described = sfn.describe_state_machine().state_machine_arn(arn).send().await?;
    assert_eq!(described.definition(), PASS);
    let tags = sfn.list_tags_for_resource().resource_arn(arn).send().await?;
    assert_eq!(tags.tags()[0].value(), Some("Rust"));
    let other = sfn.create_state_machine().name("rust").definition(LONG_WAIT).role_arn(ROLE).send().await;
    assert!(other.is_err_and(|error| error.into_service_error().is_state_machine_already_exists()));
    let updated = sfn.update_state_machine().state_machine_arn(arn).definition(LONG_WAIT).publish(true).send().await?;
    assert_eq!(updated.state_machine_version_arn(), Some(&*format!("{arn}:2")));
    let versions = sfn.list_state_machine_versions().state_machine_arn(arn).send().await?;
    assert_eq!(versions.state_machine_versions().len(), 2);
    let route = RoutingConfigurationListItem::builder().state_machine_version_arn(version).weight(100).build()?;
    let alias = sfn.create_state_machine_alias().name("PROD").routing_configuration(route).send().await?;
    assert_eq!(alias.state_machine_alias_arn(), format!("{arn}:PROD"));
    let judged = sfn.validate_state_machine_definition().definition("{}").send().await?;
    assert_eq!(judged.result().as_str(), "FAIL");
    Ok(())
}

/// Executions to their ends, their history and lists in pages.
async fn executions(sfn: &Client) -> Outcome {
    let machines: Result<Vec<_>, _> = sfn.list_state_machines().into_paginator().page_size(1).items().send().collect().await;
    let arn = machines?.iter().find(|machine| machine.name() == "rust").ok_or("it is listed")?.state_machine_arn().to_owned();
    let alias = format!("{arn}:PROD");
    let started = sfn.start_execution().state_machine_arn(&alias).name("first").input(r#"{"n": 1.50}"#).send().await?;
    let execution = ended(sfn, started.execution_arn()).await?;
    assert_eq!((execution.status(), execution.output()), (&ExecutionStatus::Succeeded, Some(r#"{"n": 1.50}"#)));
    assert_eq!(execution.state_machine_alias_arn(), Some(&*alias));
    assert_eq!(execution.state_machine_version_arn(), Some(&*format!("{arn}:1")));
    let history = sfn.get_execution_history().execution_arn(started.execution_arn()).into_paginator().page_size(1);
    let events: Result<Vec<_>, _> = history.items().send().collect().await;
    let types: Vec<_> = events?.into_iter().map(|event| event.r#type).collect();
    assert_eq!(
        types,
        [
            HistoryEventType::ExecutionStarted,
            HistoryEventType::PassStateEntered,
            HistoryEventType::PassStateExited,
            HistoryEventType::ExecutionSucceeded
        ]
    );

    let waiting = sfn.start_execution().state_machine_arn(&arn).send().await?;
    sfn.stop_execution().execution_arn(waiting.execution_arn()).error("Enough").cause("by hand").send().await?;
    let stopped = ended(sfn, waiting.execution_arn()).await?;
    assert_eq!((stopped.status(), stopped.error()), (&ExecutionStatus::Aborted, Some("Enough")));
    let listed = sfn.list_executions().state_machine_arn(&arn).into_paginator().page_size(1);
    let listed: Result<Vec<_>, _> = listed.items().send().collect().await;
    assert_eq!(listed?.len(), 2);
    let missing = sfn.describe_execution().execution_arn(format!("{}-other", waiting.execution_arn())).send().await;
    assert!(missing.is_err_and(|error| error.into_service_error().is_execution_does_not_exist()));
    sfn.delete_state_machine().state_machine_arn(&arn).send().await?;
    Ok(())
}

/// An activity's task, answered.
async fn activities(sfn: &Client) -> Outcome {
    let activity = sfn.create_activity().name("rust").send().await?;
    let activity = activity.activity_arn();
    let definition =
        format!(r#"{{"StartAt":"T","States":{{"T":{{"Type":"Task","Resource":"{activity}","End":true}}}}}}"#);
    let machine = sfn.create_state_machine().name("rust-activity").definition(definition).role_arn(ROLE).send().await?;
    let started = sfn.start_execution().state_machine_arn(machine.state_machine_arn()).input("[1]").send().await?;
    let task = sfn.get_activity_task().activity_arn(activity).worker_name("walk").send().await?;
    assert_eq!(task.input(), Some("[1]"));
    let token = task.task_token().ok_or("a task waits")?;
    sfn.send_task_success().task_token(token).output(r#""done""#).send().await?;
    assert_eq!(ended(sfn, started.execution_arn()).await?.output(), Some(r#""done""#));
    Ok(())
}

/// Polls until an execution has ended, at most a minute; the API has no waiters of its own.
async fn ended(sfn: &Client, execution_arn: &str) -> Outcome<DescribeExecutionOutput> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let execution = sfn.describe_execution().execution_arn(execution_arn).send().await?;
        if *execution.status() != ExecutionStatus::Running {
            return Ok(execution);
        }
        if Instant::now() > deadline {
            return Err(format!("{execution_arn} does not end").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
