//! What is run: every kind of wait, alone and inside each other. Whatever happens, each of them ends.

const LAMBDA: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

/// A Wait state `W<seconds>` is checked to have taken that long: see `checks`.
const PASS: &str = r#"{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}"#;

const CHAIN: &str = r#"{"StartAt":"P","States":{
    "P":{"Type":"Pass","Parameters":{"in.$":"$","id.$":"States.UUID()"},"Next":"W60"},
    "W60":{"Type":"Wait","Seconds":60,"Next":"T"},
    "T":{"Type":"Task","Resource":"LAMBDA","TimeoutSeconds":30,"Next":"W3600",
        "Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":5,"BackoffRate":2,"MaxAttempts":3}],
        "Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"W3600"}]},
    "W3600":{"Type":"Wait","Seconds":3600,"End":true}}}"#;

/// Parallel in Map in Parallel, with retries and catches at each level.
const NESTED: &str = r#"{"StartAt":"O","States":{
    "O":{"Type":"Parallel","End":true,
        "Retry":[{"ErrorEquals":["Scripted"],"IntervalSeconds":7,"MaxAttempts":1}],
        "Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"}],
        "Branches":[
            {"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$.items","MaxConcurrency":2,"End":true,
                "ItemProcessor":{"StartAt":"I","States":{
                    "I":{"Type":"Parallel","End":true,"Catch":[{"ErrorEquals":["Scripted"],"Next":"D"}],"Branches":[
                        {"StartAt":"T","States":{"T":{"Type":"Task","Resource":"LAMBDA","TimeoutSeconds":20,"End":true,
                            "Retry":[{"ErrorEquals":["Scripted"],"IntervalSeconds":2,"MaxAttempts":1}]}}},
                        {"StartAt":"W5","States":{"W5":{"Type":"Wait","Seconds":5,"End":true}}}]},
                    "D":{"Type":"Pass","End":true}}}}}},
            {"StartAt":"U","States":{"U":{"Type":"Task","Resource":"LAMBDA","TimeoutSeconds":40,"End":true}}}]},
    "C":{"Type":"Pass","Next":"W2"},
    "W2":{"Type":"Wait","Seconds":2,"End":true}}}"#;

/// More transitions than one step may make.
const LONG_MAP: &str = r#"{"StartAt":"A","States":{
    "A":{"Type":"Pass","Parameters":{"items.$":"States.ArrayRange(1,400,1)"},"Next":"M"},
    "M":{"Type":"Map","ItemsPath":"$.items","End":true,"ResultPath":null,"ItemProcessor":{"StartAt":"I","States":{
        "I":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"C"},"C":{"Type":"Pass","End":true}}}}}}"#;

const WORK: &str = r#"{"StartAt":"T","States":{
    "T":{"Type":"Task","Resource":"ACTIVITY","TimeoutSeconds":600,"HeartbeatSeconds":60,"End":true,
        "Retry":[{"ErrorEquals":["States.Timeout","States.HeartbeatTimeout"],"IntervalSeconds":1,"MaxAttempts":2}],
        "Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"}]},
    "C":{"Type":"Pass","End":true}}}"#;

const CALLBACK: &str = r#"{"StartAt":"T","States":{
    "T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","TimeoutSeconds":500,
        "HeartbeatSeconds":50,"Parameters":{"FunctionName":"f","Payload":{"token.$":"$$.Task.Token","in.$":"$"}},
        "Retry":[{"ErrorEquals":["Scripted"],"IntervalSeconds":3,"MaxAttempts":2}],
        "Catch":[{"ErrorEquals":["States.ALL"],"Next":"W2"}],"End":true},
    "W2":{"Type":"Wait","Seconds":2,"End":true}}}"#;

/// Several callbacks at once, and an end of the whole.
const CALLBACKS: &str = r#"{"StartAt":"P","TimeoutSeconds":700,"States":{
    "P":{"Type":"Parallel","End":true,"Branches":[
        {"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters":{"FunctionName":"f","Payload":{"token.$":"$$.Task.Token"}},"End":true}}},
        {"StartAt":"A","States":{"A":{"Type":"Task","Resource":"ACTIVITY","End":true}}},
        {"StartAt":"W30","States":{"W30":{"Type":"Wait","Seconds":30,"End":true}}}]}}}"#;

const TIMED: &str = r#"{"StartAt":"P","TimeoutSeconds":100,"States":{
    "P":{"Type":"Parallel","End":true,"Branches":[
        {"StartAt":"W1000","States":{"W1000":{"Type":"Wait","Seconds":1000,"End":true}}},
        {"StartAt":"T","States":{"T":{"Type":"Task","Resource":"LAMBDA","End":true}}}]}}}"#;

const LOOP: &str = r#"{"QueryLanguage":"JSONata","StartAt":"S","States":{
    "S":{"Type":"Pass","Assign":{"n":0,"seen":"{% $states.input %}"},"Next":"W1"},
    "W1":{"Type":"Wait","Seconds":1,"Next":"N"},
    "N":{"Type":"Pass","Assign":{"n":"{% $n + 1 %}"},"Next":"Q"},
    "Q":{"Type":"Choice","Choices":[{"Condition":"{% $n < 8 %}","Next":"W1"}],"Default":"T"},
    "T":{"Type":"Task","Resource":"LAMBDA","Arguments":{"n":"{% $n %}","seen":"{% $seen %}"},"TimeoutSeconds":90,
        "Output":"{% $states.result %}","End":true,
        "Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"MaxAttempts":4}]}}}"#;

/// Child executions of the items that the execution was given; some may fail, none need to.
const SPREAD: &str = r#"{"StartAt":"M","States":{
    "M":{"Type":"Map","Label":"m","ItemsPath":"$.items","MaxConcurrency":3,"ToleratedFailurePercentage":60,"End":true,
        "Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":3,"MaxAttempts":1}],
        "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"T","States":{
            "T":{"Type":"Task","Resource":"LAMBDA","TimeoutSeconds":20,"ResultPath":null,"Next":"W3"},
            "W3":{"Type":"Wait","Seconds":3,"End":true}}}}}}"#;

/// Child executions of items that are read in pages, two a batch, within another Map.
const READ: &str = r#"{"StartAt":"O","States":{
    "O":{"Type":"Map","ItemSelector":{"n.$":"$$.Map.Item.Value"},"ItemsPath":"$.pair","End":true,"ItemProcessor":{"StartAt":"M","States":{
        "M":{"Type":"Map","Label":"r","End":true,"ToleratedFailureCount":1,
            "Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"C"}],
            "ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Count":9},"ReaderConfig":{"InputType":"JSON"}},
            "ItemBatcher":{"MaxItemsPerBatch":2},"ItemSelector":{"n.$":"$$.Map.Item.Value"},
            "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"A","States":{
                "A":{"Type":"Task","Resource":"ACTIVITY","HeartbeatSeconds":60,"ResultPath":null,"End":true}}}},
        "C":{"Type":"Pass","End":true}}}}}}"#;

/// Names and definitions.
pub(crate) fn all(activity_arn: &str) -> Vec<(&'static str, String)> {
    let machines = [
        ("pass", PASS),
        ("chain", CHAIN),
        ("nested", NESTED),
        ("long-map", LONG_MAP),
        ("work", WORK),
        ("callback", CALLBACK),
        ("callbacks", CALLBACKS),
        ("timed", TIMED),
        ("loop", LOOP),
        ("spread", SPREAD),
        ("read", READ),
    ];
    let complete = |text: &str| text.replace("LAMBDA", LAMBDA).replace("ACTIVITY", activity_arn);
    machines.map(|(name, definition)| (name, complete(definition))).into()
}
