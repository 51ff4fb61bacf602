//! Small definitions at random: all eight state types, both languages, containers in containers.
//!
//! Most states hand their input on, so that those behind them find what they read; some fail on purpose.

use std::fmt::Write;

use proptest::{collection::vec, option, prelude::*, sample::select};

/// One state of a chain, or a Choice with what it leads to. Each chain gets a last Pass, so that every state has a next.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// A Pass with these fields.
    Pass(&'static str),
    /// A Wait with these fields.
    Wait(&'static str),
    /// To a Succeed or a Fail with these fields, under this condition; else on.
    Leave {
        condition: &'static str,
        to: &'static str,
    },
    /// Back to the first state of the chain, once or twice.
    Loop {
        times: u8,
    },
    /// A Task with these fields.
    Task {
        fields: &'static str,
        limits: &'static str,
        handlers: Handlers,
    },
    Parallel {
        branches: Vec<Vec<Shape>>,
        fields: &'static str,
        handlers: Handlers,
    },
    Map {
        processor: Vec<Shape>,
        concurrency: u8,
        fields: &'static str,
        handlers: Handlers,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Handlers {
    retry: Option<(&'static str, u8, u8, bool)>,
    catch: Option<&'static str>,
}

/// The input of every execution.
pub(crate) const INPUT: &str = r#"{ "n": 3, "items": [1, 2, 3], "s": "text" }"#;

const JSONATA: &str = r#""QueryLanguage":"JSONata""#;

fn pass() -> impl Strategy<Value = Shape> {
    let fields = [
        "",
        r#""Parameters":{"n.$":"States.MathRandom(0, 9)","items.$":"$.items","s":"F"},"#,
        r#""Result":[1],"ResultPath":"$.items","#,
        r#""QueryLanguage":"JSONata","Output":{"n":"{% $count($states.input.items) %}","items":[7,8,9],"s":"{% $uuid() %}"},"#,
        r#""Result":{"k":[1,2]},"#,
        r#""Result":[1,2],"#,
        r#""Parameters":{"was.$":"$","u.$":"States.UUID()"},"#,
        r#""Parameters":{"r.$":"States.MathRandom(1, 1000)"},"ResultPath":"$.r","#,
        r#""Assign":{"@.$":"$","@more":1},"ResultPath":null,"#,
        r#""Result":1,"ResultPath":"$.one","OutputPath":"$.one","#,
        r#""InputPath":"$$.State","#,
        r#""InputPath":"$.s","#,
        r#""QueryLanguage":"JSONata","Output":"{% $states.context.Execution.Input %}","#,
        r#""QueryLanguage":"JSONata","Output":["{% $uuid() %}","{% $random() %}"],"Assign":{"@":"{% $states.input %}"},"#,
        r#""QueryLanguage":"JSONata","Output":{"now":"{% $now() %}","set":"{% $exists($@) %}"},"#,
        r#""QueryLanguage":"JSONata","Output":"{% $states.input.n %}","#,
    ];
    select(fields.to_vec()).prop_map(Shape::Pass)
}

fn wait() -> impl Strategy<Value = Shape> {
    let fields = [
        r#""Seconds":0,"#,
        r#""Seconds":2,"#,
        r#""Seconds":5,"#,
        r#""SecondsPath":"$$.Execution.Input.n","#,
        r#""SecondsPath":"$.n","#,
        r#""Seconds":1,"Assign":{"@.$":"$$.State.Name"},"#,
        r#""Timestamp":"2023-11-14T22:13:27Z","Assign":{"@.$":"$"},"#,
        r#""QueryLanguage":"JSONata","Seconds":"{% 1 + 3 %}","Output":"{% [$states.input] %}","#,
        r#""QueryLanguage":"JSONata","Timestamp":"{% $fromMillis($toMillis($states.context.State.EnteredTime) + 1500) %}","#,
    ];
    select(fields.to_vec()).prop_map(Shape::Wait)
}

fn leave() -> impl Strategy<Value = Shape> {
    let conditions = [
        r#""Variable":"$$.Execution.Input.n","NumericEquals":3"#,
        r#""Variable":"$.n","IsPresent":true"#,
        r#""Variable":"$.n","NumericGreaterThan":1"#,
        r#""And":[{"Variable":"$$.State.Name","StringMatches":"s*3"},{"Not":{"Variable":"$","IsNull":true}}]"#,
    ];
    let ends = [
        r#""Type":"Succeed""#,
        r#""Type":"Succeed","OutputPath":null"#,
        r#""Type":"Fail","Error":"E","Cause":"why""#,
        r#""Type":"Fail","ErrorPath":"$.s""#,
        r#""Type":"Fail","QueryLanguage":"JSONata","Error":"{% 'F' %}""#,
    ];
    (select(conditions.to_vec()), select(ends.to_vec())).prop_map(|(condition, to)| Shape::Leave { condition, to })
}

fn handlers() -> impl Strategy<Value = Handlers> {
    let errors = ["E", "F", "States.ALL", "States.Timeout", "States.TaskFailed", "States.HeartbeatTimeout"];
    let retry = (select(errors.to_vec()), 1..4_u8, 0..3_u8, any::<bool>());
    (option::of(retry), option::of(select(errors.to_vec()))).prop_map(|(retry, catch)| Handlers { retry, catch })
}

fn task() -> impl Strategy<Value = Shape> {
    let fields = [
        r#""Resource":"arn:aws:states:us-east-1:123456789012:activity:a","#,
        r#""Resource":"arn:aws:states:us-east-1:123456789012:activity:a","ResultPath":null,"#,
        r#""Resource":"arn:aws:states:us-east-1:123456789012:activity:a","ResultPath":"$.s","#,
        r#""Resource":"arn:aws:states:us-east-1:123456789012:activity:gone","#,
        r#""Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","ResultPath":"$.items","#,
        r#""Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","ResultPath":null,"#,
        r#""Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload.$":"$"},"ResultSelector":{"r.$":"$"},"Assign":{"@.$":"$"},"#,
        r#""Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{"QueueUrl":"q","MessageBody.$":"$$.Task.Token"},"#,
        r#""QueryLanguage":"JSONata","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Arguments":{"QueueUrl":"q","MessageBody":"{% $states.context.Task.Token %}"},"Output":"{% $states.result %}","#,
        r#""QueryLanguage":"JSONata","Resource":"arn:aws:states:us-east-1:123456789012:activity:a","Arguments":"{% $states.context.Execution.Input.n %}","Output":"{% $states.input %}","#,
        r#""QueryLanguage":"JSONata","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","Arguments":"{% $states.input.n %}","#,
        r#""QueryLanguage":"JSONata","Resource":"arn:aws:states:us-east-1:123456789012:activity:a","Output":"{% $states.result.x %}","Assign":{"@":"{% $states.result %}"},"#,
    ];
    let limits = ["", "", r#""TimeoutSeconds":4,"#, r#""TimeoutSeconds":9,"HeartbeatSeconds":3,"#];
    (select(fields.to_vec()), select(limits.to_vec()), handlers()).prop_map(|(fields, limits, handlers)| Shape::Task {
        fields,
        limits,
        handlers,
    })
}

/// A chain of states, with containers nested at most twice.
pub(crate) fn chain() -> impl Strategy<Value = Vec<Shape>> {
    let leaf = prop_oneof![
        4 => pass(),
        2 => wait(),
        1 => leave(),
        1 => (1..3_u8).prop_map(|times| Shape::Loop { times }),
        4 => task(),
    ];
    let shape = leaf.prop_recursive(2, 24, 4, |inner| {
        let parallel_fields = [
            "",
            r#""ResultPath":null,"#,
            r#""ResultPath":"$.s","#,
            r#""ResultPath":"$.both","#,
            r#""Parameters":{"n":1,"s.$":"$$.State.Name"},"Assign":{"@.$":"$[0]"},"#,
            r#""QueryLanguage":"JSONata","Output":"{% $count($states.result) %}","#,
            r#""QueryLanguage":"JSONata","Arguments":"{% $states.input.items %}","#,
        ];
        let map_fields = [
            "",
            r#""ItemsPath":"$$.Execution.Input.items","#,
            r#""ItemsPath":"$$.Execution.Input.items","ResultPath":null,"#,
            r#""ItemsPath":"$$.Execution.Input.items","ItemSelector":{"n.$":"$$.Map.Item.Value","items":[4,5],"s":"E"},"ResultPath":"$.s","#,
            r#""ItemsPath":"$$.Execution.Input.items","ItemSelector":{"i.$":"$$.Map.Item.Index","n":3},"ResultPath":null,"#,
            r#""ItemsPath":"$$.Execution.Input.items","ItemSelector":{"v.$":"States.ArrayGetItem($$.Execution.Input.items, States.MathAdd($$.Map.Item.Value, 0))"},"#,
            r#""QueryLanguage":"JSONata","Items":"{% [1..5] %}","Output":"{% $states.result[0] %}","#,
            r#""QueryLanguage":"JSONata","Items":[1,2,3],"ItemSelector":"{% $states.context.Map.Item.Value < 3 ? {'n': 1} : $missing %}","#,
            r#""QueryLanguage":"JSONata","Items":[],"#,
        ];
        let chain = vec(inner, 1..3);
        prop_oneof![
            (vec(chain.clone(), 1..4), select(parallel_fields.to_vec()), handlers())
                .prop_map(|(branches, fields, handlers)| Shape::Parallel { branches, fields, handlers }),
            (chain, 0..4_u8, select(map_fields.to_vec()), handlers()).prop_map(
                |(processor, concurrency, fields, handlers)| Shape::Map { processor, concurrency, fields, handlers }
            ),
        ]
    });
    vec(shape, 1..5)
}

/// The definition of a chain at the top level.
pub(crate) fn definition(chain: &[Shape], timeout_seconds: Option<u8>) -> String {
    let scope = scope(chain, 0, &mut 0);
    let timeout = timeout_seconds.map(|seconds| format!(r#""TimeoutSeconds":{seconds},"#)).unwrap_or_default();
    format!("{{{timeout}{scope}}}")
}

/// `"StartAt":…,"States":{…}`; names are unique in the whole definition.
///
/// `@` in fields is a variable of the scope: inner ones may not have an outer one's name.
fn scope(chain: &[Shape], depth: u32, next_name: &mut u32) -> String {
    let mut name = || {
        *next_name += 1;
        format!("s{next_name}")
    };
    let names: Vec<String> = (0..=chain.len()).map(|_| name()).collect();
    let mut states = String::new();
    for (at, shape) in chain.iter().enumerate() {
        let (name, next) = (&names[at], &names[at + 1]);
        let text = state(shape, [name, &names[0], next], depth, next_name);
        let _ = write!(states, "{text},");
    }
    let last = &names[chain.len()];
    format!(r#""StartAt":"{}","States":{{{states}"{last}":{{"Type":"Pass","End":true}}}}"#, names[0])
}

/// `"NAME":{…}`, and further states that it needs. `names`: its own, the chain's first, the next.
fn state(shape: &Shape, names: [&str; 3], depth: u32, next_name: &mut u32) -> String {
    let [name, first, next] = names;
    let named = |fields: &str| fields.replace('@', &format!("v{depth}"));
    match shape {
        Shape::Pass(fields) => format!(r#""{name}":{{"Type":"Pass",{}"Next":"{next}"}}"#, named(fields)),
        Shape::Wait(fields) => format!(r#""{name}":{{"Type":"Wait",{}"Next":"{next}"}}"#, named(fields)),
        Shape::Leave { condition, to } => format!(
            r#""{name}":{{"Type":"Choice","Choices":[{{{condition},"Next":"{name}end"}}],"Default":"{next}"}},"{name}end":{{{to}}}"#
        ),
        Shape::Loop { times } => format!(
            r#""{name}":{{"Type":"Choice",{JSONATA},"Choices":[{{"Condition":"{{% ($exists(${name}) ? ${name} : 0) < {times} %}}","Assign":{{"{name}":"{{% ($exists(${name}) ? ${name} : 0) + 1 %}}"}},"Next":"{first}"}}],"Default":"{next}"}}"#
        ),
        Shape::Task { fields, limits, handlers } => {
            let (fields, handlers) = (named(fields), handlers.fields(next));
            format!(r#""{name}":{{"Type":"Task",{fields}{limits}{handlers}"Next":"{next}"}}"#)
        }
        Shape::Parallel { branches, fields, handlers } => {
            let (fields, handlers) = (named(fields), handlers.fields(next));
            let branches: Vec<String> =
                branches.iter().map(|branch| format!("{{{}}}", scope(branch, depth + 1, next_name))).collect();
            let branches = branches.join(",");
            format!(r#""{name}":{{"Type":"Parallel",{fields}{handlers}"Branches":[{branches}],"Next":"{next}"}}"#)
        }
        Shape::Map { processor, concurrency, fields, handlers } => {
            let (fields, handlers) = (named(fields), handlers.fields(next));
            let processor = scope(processor, depth + 1, next_name);
            format!(
                r#""{name}":{{"Type":"Map",{fields}{handlers}"MaxConcurrency":{concurrency},"ItemProcessor":{{{processor}}},"Next":"{next}"}}"#
            )
        }
    }
}

impl Handlers {
    fn fields(&self, next: &str) -> String {
        let mut fields = String::new();
        if let Some((error, interval, attempts, jitter)) = self.retry {
            let jitter = if jitter { r#","JitterStrategy":"FULL""# } else { "" };
            let _ = write!(
                fields,
                r#""Retry":[{{"ErrorEquals":["{error}"],"IntervalSeconds":{interval},"MaxAttempts":{attempts}{jitter}}}],"#
            );
        }
        if let Some(error) = self.catch {
            let _ = write!(fields, r#""Catch":[{{"ErrorEquals":["{error}"],"Next":"{next}"}}],"#);
        }
        fields
    }
}
