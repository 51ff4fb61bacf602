//! EMR: instance fleets and groups that are named, where the service wants their ids.
//!
//! Source: Step Functions guide, "Create and manage Amazon EMR clusters with Step Functions".

use stepwell_expr::{Payload, Value};
use stepwell_machine::Failure;

use crate::{
    Work,
    aws::node::ParameterError,
    limits::EMR_PAGES_MAX,
    optimised::{Action, with},
};

/// What is named: how it is given, listed and told apart.
struct Named {
    /// The parameter that holds the name.
    name: &'static str,
    /// The parameter that says what is to become of it.
    change: &'static str,
    /// The action that lists those of a cluster, and the member of its answer.
    list: (&'static str, &'static str),
    id: &'static str,
    /// Where the call wants the change.
    wanted: &'static str,
    is_list: bool,
}

const FLEET: Named = Named {
    name: "InstanceFleetName",
    change: "InstanceFleet",
    list: ("listInstanceFleets", "InstanceFleets"),
    id: "InstanceFleetId",
    wanted: "InstanceFleet",
    is_list: false,
};
const GROUP: Named = Named {
    name: "InstanceGroupName",
    change: "InstanceGroup",
    list: ("listInstanceGroups", "InstanceGroups"),
    id: "InstanceGroupId",
    wanted: "InstanceGroups",
    is_list: true,
};

/// `modifyInstanceFleetByName` and `modifyInstanceGroupByName`.
pub(crate) async fn modify_by_name(work: &Work<'_>, action: &Action) -> Result<Payload, Failure> {
    let named = if action.action == "modifyInstanceFleetByName" { &FLEET } else { &GROUP };
    let given = action.given(work)?;
    let required = |name: &str| {
        let value = given.get(name).filter(|value| !value.is_null()).cloned();
        value.ok_or_else(|| action.failure(work, &ParameterError::Missing(name.to_owned()).into()))
    };
    let (cluster, name, change) = (required("ClusterId")?, required(named.name)?, required(named.change)?);
    if change.get(named.id).is_some() {
        return Err(action.failure(work, &ParameterError::Unknown(named.id.to_owned()).into()));
    }
    let change = with(&change, &[(named.id, named.find(work, action, &cluster, &name).await?)]);
    let change = if named.is_list { Value::array(vec![change]) } else { change };
    let reply = action.call(work, &Value::object([("ClusterId", cluster), (named.wanted, change)])).await?;
    action.output(work, given, &reply)
}

impl Named {
    async fn find(&self, work: &Work<'_>, action: &Action, cluster: &Value, name: &Value) -> Result<Value, Failure> {
        let (list, member) = self.list;
        let mut asked = Value::object([("ClusterId", cluster.clone())]);
        for _ in 0..EMR_PAGES_MAX {
            let page = action.call_other(work, action.calls.0, list, &asked, None).await?.result;
            let items = page.get(member).and_then(Value::as_array).unwrap_or_default();
            if let Some(found) = items.iter().find(|item| item.get("Name") == Some(name)) {
                return Ok(found.get("Id").cloned().unwrap_or_default());
            }
            match page.get("Marker").filter(|marker| !marker.is_null()) {
                Some(marker) => asked = with(&asked, &[("Marker", marker.clone())]),
                None => break,
            }
        }
        // No source tells what AWS says here.
        let cause = format!("the cluster {cluster} has nothing in {member} that is named {name}");
        Err(Failure::new("ElasticMapReduce.InvalidRequestException", cause))
    }
}
