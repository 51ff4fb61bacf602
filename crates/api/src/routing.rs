//! The routing configuration of an alias: one or two versions of one state machine, and their weights.
//!
//! Source of the sentences: recorded answers.

use std::sync::Arc;

use stepwell_engine::Route;

use crate::{
    arn::{self, StateMachineArn},
    error::{Error, Reason},
    fields::{ARN, Fields},
};

/// Routes of one alias. Source: API model.
const ROUTES: (usize, usize) = (1, 2);
/// A weight is a share in percent. Source: API model.
const WEIGHT_MAX: i64 = 100;

/// The routes of an alias, all of one state machine.
pub(crate) struct Routing {
    pub(crate) state_machine_arn: Arc<str>,
    pub(crate) routes: Vec<Route>,
}

/// The list `routingConfiguration` as it was sent.
pub(crate) struct RoutingFields(Vec<(Arc<str>, i64)>);

impl RoutingFields {
    pub(crate) fn required(fields: &mut Fields<'_>) -> Result<RoutingFields, Error> {
        let found = RoutingFields::optional(fields)?;
        if found.is_none() {
            fields.note_null("routingConfiguration");
        }
        Ok(found.unwrap_or(RoutingFields(Vec::new())))
    }

    pub(crate) fn optional(fields: &mut Fields<'_>) -> Result<Option<RoutingFields>, Error> {
        let routes = fields.optional_objects("routingConfiguration", |route| {
            let version = route.required_text("stateMachineVersionArn", &ARN)?;
            let weight = route.required_integer("weight", 0, WEIGHT_MAX)?;
            Ok((version, weight))
        })?;
        let Some(routes) = routes else { return Ok(None) };
        let shown: Vec<String> = routes
            .iter()
            .map(|(arn, weight)| format!("RoutingConfigurationListItem(stateMachineVersionArn={arn}, weight={weight})"))
            .collect();
        fields.note_count("routingConfiguration", &shown, ROUTES);
        Ok(Some(RoutingFields(routes)))
    }

    /// Once all constraints hold: versions, distinct, of one machine, whose weights make 100.
    pub(crate) fn checked(&self) -> Result<Routing, Error> {
        let invalid =
            |message: String| Error::Validation { message, reason: Some(Reason::InvalidRoutingConfiguration) };
        let received = self.0.iter().map(|(arn, _)| &**arn).collect::<Vec<_>>().join(", ");
        let not_versions = || {
            invalid(format!("Routing configuration must contain state machine version ARNs. Received: [{received}]"))
        };
        let mut state_machine_arn: Option<&str> = None;
        let mut routes: Vec<Route> = Vec::with_capacity(self.0.len());
        for (arn, weight) in &self.0 {
            let StateMachineArn::Version { machine, number } = arn::state_machine(arn)? else {
                return Err(not_versions());
            };
            if state_machine_arn.is_some_and(|other| other != machine) {
                // The sentence is ours.
                return Err(invalid(format!(
                    "Routing configuration must contain versions of the same state machine. Received: [{received}]"
                )));
            }
            if routes.iter().any(|route| route.version == number) {
                return Err(invalid(format!(
                    "Routing configuration must contain distinct state machine version ARNs. Received: [{received}]"
                )));
            }
            state_machine_arn = Some(machine);
            routes.push(Route { version: number, weight: u8::try_from(*weight).map_err(|_| not_versions())? });
        }
        if routes.iter().map(|route| u32::from(route.weight)).sum::<u32>() != 100 {
            let weights: Vec<String> = self.0.iter().map(|(_, weight)| weight.to_string()).collect();
            return Err(invalid(format!(
                "Sum of routing configuration weights must equal 100. Received: [{}]",
                weights.join(", ")
            )));
        }
        let state_machine_arn = state_machine_arn.ok_or_else(not_versions)?.into();
        Ok(Routing { state_machine_arn, routes })
    }
}

#[cfg(test)]
mod tests {
    use stepwell_expr::json;

    use super::*;

    const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:M";

    fn read(routes: &[(&str, i64)]) -> Result<Vec<(u64, u8)>, String> {
        let items: Vec<String> = routes
            .iter()
            .map(|(tail, weight)| format!(r#"{{"stateMachineVersionArn":"{MACHINE}{tail}","weight":{weight}}}"#))
            .collect();
        let body = json::parse(&format!(r#"{{"routingConfiguration":[{}]}}"#, items.join(","))).unwrap();
        let mut fields = Fields::of(&body).unwrap();
        let routing = RoutingFields::required(&mut fields).unwrap();
        let checked = fields.check().and_then(|()| routing.checked()).map_err(|error| error.to_string())?;
        assert_eq!(&*checked.state_machine_arn, MACHINE);
        Ok(checked.routes.iter().map(|route| (route.version, route.weight)).collect())
    }

    #[test]
    fn routes() {
        assert_eq!(read(&[(":1", 100)]), Ok(vec![(1, 100)]));
        assert_eq!(read(&[(":2", 0), (":1", 100)]), Ok(vec![(2, 0), (1, 100)]));
        let cases = [
            (
                vec![(":1", 70), (":2", 29)],
                "Sum of routing configuration weights must equal 100. Received: [70, 29]".to_string(),
            ),
            (
                vec![("", 100)],
                format!("Routing configuration must contain state machine version ARNs. Received: [{MACHINE}]"),
            ),
            (
                vec![(":1", 50), (":PROD", 50)],
                format!(
                    "Routing configuration must contain state machine version ARNs. Received: [{MACHINE}:1, {MACHINE}:PROD]"
                ),
            ),
            (
                vec![(":1", 50), (":1", 50)],
                format!(
                    "Routing configuration must contain distinct state machine version ARNs. Received: [{MACHINE}:1, {MACHINE}:1]"
                ),
            ),
            (
                vec![(":1", 50), (":2", 50), (":3", 0)],
                format!(
                    "1 validation error detected: Value '[RoutingConfigurationListItem(stateMachineVersionArn={MACHINE}:1, \
                     weight=50), RoutingConfigurationListItem(stateMachineVersionArn={MACHINE}:2, weight=50), \
                     RoutingConfigurationListItem(stateMachineVersionArn={MACHINE}:3, weight=0)]' at \
                     'routingConfiguration' failed to satisfy constraint: Member must have length less than or equal to 2"
                ),
            ),
            (
                vec![],
                "1 validation error detected: Value '[]' at 'routingConfiguration' failed to satisfy constraint: \
                 Member must have length greater than or equal to 1"
                    .into(),
            ),
            (
                vec![(":1", 101)],
                "1 validation error detected: Value '101' at 'routingConfiguration.1.member.weight' failed to satisfy \
                 constraint: Member must have value less than or equal to 100"
                    .into(),
            ),
        ];
        for (routes, expected) in cases {
            assert_eq!(read(&routes), Err(expected), "{routes:?}");
        }
    }
}
