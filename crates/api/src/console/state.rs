//! How the server is, how much there is of what is bounded, and its bounds.

use stepwell_engine::{Owner, Usage, limits as engine};
use stepwell_machine::limits as machine;

use crate::{http::Api, limits, writer::Writer};

/// A bound: what, how much there is (`None`: it holds for each single thing), how much there may be, of what unit.
struct Limit {
    name: &'static str,
    used: Option<u64>,
    most: u64,
    unit: &'static str,
}

/// `{"status", "reason", "version", "region", "account", "own": {"region", "account"}, "owners": [{"region", "account"}], "since",
/// "searchesValues", "limits": [{"name", "used", "most", "unit"}]}`: whose state this is, and who else has something here.
pub(super) fn answer(api: &Api, owner: &Owner) -> String {
    let health = api.engine.health();
    let mut answer = Writer::object();
    answer.string("status", if health.poisoned.is_some() { "poisoned" } else { "ok" });
    answer.optional_string("reason", health.poisoned.as_deref());
    answer.string("version", env!("CARGO_PKG_VERSION"));
    write_owner(&mut answer, owner);
    answer.member_object("own", |own| write_owner(own, api.engine.owner()));
    answer.objects("owners", &api.engine.owners(), write_owner);
    let usage = api.engine.usage(owner);
    answer.timestamp("since", usage.opened_ms);
    answer.bool("searchesValues", api.searches_values);
    answer.objects("limits", limits_of(api, &usage), |limit, of| {
        limit.string("name", of.name);
        if let Some(used) = of.used {
            limit.number("used", used);
        }
        limit.number("most", of.most);
        limit.string("unit", of.unit);
    });
    answer.end()
}

fn write_owner(writer: &mut Writer, owner: &Owner) {
    writer.string("region", owner.region());
    writer.string("account", owner.account());
}

fn limits_of(api: &Api, usage: &Usage) -> Vec<Limit> {
    let used = |name, used: usize, most: usize| Limit { name, used: Some(used as u64), most: most as u64, unit: "" };
    let each = |name, most: u64, unit| Limit { name, used: None, most, unit };
    let streams = limits::STREAMS_MAX - api.streams.available_permits();
    let quotas = usage.quotas;
    let mut limits = vec![
        Limit { name: "Running executions", used: Some(usage.open_executions), most: quotas.open_executions, unit: "" },
        used("State machines", usage.state_machines, quotas.state_machines),
        used("Activities", usage.activities, quotas.activities),
        used("Running Express executions", usage.express_running, engine::EXPRESS_RUNS_MAX),
        used("Ended Express executions that are kept", usage.express_kept, engine::EXPRESS_ENDED_MAX),
        used("Event streams that are open", streams, limits::STREAMS_MAX),
        each("Versions of a state machine", quotas.versions as u64, ""),
        each("Aliases of a state machine", quotas.aliases as u64, ""),
        each("Input or output of a state", quotas.limits.payload_bytes as u64, "bytes"),
        each("Definition", machine::DEFINITION_BYTES_MAX as u64, "bytes"),
        each("Events of an execution", quotas.limits.history_events, ""),
        each("Request", api.request_bytes as u64, "bytes"),
        each("Tags of a resource", quotas.tags as u64, ""),
        each("Executions that one step of a search looks at", engine::SEARCH_EXAMINED_MAX, ""),
        each("Inputs and outputs that one step of a search reads", engine::SEARCH_READ_MAX as u64, ""),
    ];
    // What was lifted is no limit.
    limits.retain(|limit| limit.most != u64::MAX);
    limits
}
