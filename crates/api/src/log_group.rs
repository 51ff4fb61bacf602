//! Whether the log group of a `loggingConfiguration` is there, asked of CloudWatch Logs.

use std::{sync::Arc, time::Duration};

use stepwell_engine::Engine;
use stepwell_expr::Value;
use stepwell_machine::{Failure, TaskOutcome, TaskRequest};

use crate::{configuration::LOG_DESTINATION_NOT_FOUND, error::Error, limits::LOG_GROUP_SECONDS_MAX};

/// Refuses a block whose log group is not there. `block` has been checked.
///
/// One of which CloudWatch Logs says nothing, since it cannot be reached or refuses the call, is accepted, and logged:
/// a state machine must not depend on that.
pub(crate) async fn check(engine: &Engine, block: &Value, role_arn: &Arc<str>) -> Result<(), Error> {
    let Some((group, region)) = group_of(block) else { return Ok(()) };
    // Names that begin with it come in order, so its own is the first.
    let parameters = [("LogGroupNamePrefix", Value::from(group)), ("Limit", Value::from(1))];
    let (service, action) = ("aws-sdk:cloudwatchlogs", "describeLogGroups");
    let request = TaskRequest::of_server(service, action, Value::object(parameters), role_arn.clone(), region);
    let asked = tokio::time::timeout(Duration::from_secs(LOG_GROUP_SECONDS_MAX), engine.run_task(request)).await;
    match asked {
        Ok(TaskOutcome::Succeeded { output }) if has_group(output.value(), group) => Ok(()),
        Ok(TaskOutcome::Succeeded { .. }) => Err(Error::InvalidLoggingConfiguration(LOG_DESTINATION_NOT_FOUND)),
        Ok(TaskOutcome::Failed(Failure { error, cause })) => {
            let (error, cause) = (error.as_deref(), cause.as_deref());
            tracing::warn!(group, error, cause, "whether a log group is there cannot be told");
            Ok(())
        }
        Err(_) => {
            tracing::warn!(group, "whether a log group is there cannot be told in time");
            Ok(())
        }
    }
}

/// The name and the region of the one log group.
fn group_of(block: &Value) -> Option<(&str, &str)> {
    let destination = block.get("destinations")?.as_array()?.first()?;
    let arn = destination.get("cloudWatchLogsLogGroup")?.get("logGroupArn")?.as_str()?;
    let parts: Vec<&str> = arn.split(':').collect();
    Some((parts.get(6)?, parts.get(3)?))
}

fn has_group(answer: &Value, group: &str) -> bool {
    let groups = answer.get("LogGroups").and_then(Value::as_array).unwrap_or_default();
    groups.iter().any(|found| found.get("LogGroupName").and_then(Value::as_str) == Some(group))
}

#[cfg(test)]
mod tests {
    use stepwell_expr::json;

    use super::*;

    #[test]
    fn the_group_of_a_block() {
        let arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/m:*";
        let block =
            format!(r#"{{"level":"ALL","destinations":[{{"cloudWatchLogsLogGroup":{{"logGroupArn":"{arn}"}}}}]}}"#);
        assert_eq!(group_of(&json::parse(&block).unwrap()), Some(("/aws/vendedlogs/m", "eu-west-1")));
        assert_eq!(group_of(&json::parse(r#"{"level":"OFF","destinations":[]}"#).unwrap()), None);
        assert_eq!(group_of(&json::parse(r#"{"level":"OFF"}"#).unwrap()), None);
    }

    #[test]
    fn a_group_is_there_only_by_its_own_name() {
        let answer = json::parse(r#"{"LogGroups":[{"LogGroupName":"/a/b"}]}"#).unwrap();
        assert!(has_group(&answer, "/a/b"));
        assert!(!has_group(&answer, "/a"));
        assert!(!has_group(&json::parse("{}").unwrap(), "/a"));
    }
}
