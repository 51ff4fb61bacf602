//! Definitions and scripts of events from bytes: every byte is a choice of the grammar, so that whoever changes bytes
//! (proptest here, a fuzzer in `fuzz/`) changes choices, and what comes out is nearly always a definition.
//!
//! All eight types with all their fields, in both languages; now and then a field of another type, a value of another
//! kind, a name that is taken or missing. What compiles is run.

use std::fmt::Write;

use stepwell_machine::{
    Severity,
    definition::{Compiled, MachineType, advice, compile, load},
};

use crate::runs::{Happening, Manner, Outcome, run};

/// States of one definition.
const STATES_MAX: usize = 24;
/// Containers in containers.
const DEPTH_MAX: usize = 3;
/// Templates, conditions and expressions in one another.
const NESTING_MAX: usize = 3;
/// Happenings of one script.
const HAPPENINGS_MAX: usize = 40;

/// Executions with more events than these go round and round to their bound; they run once.
const EVENTS_AGAIN_MAX: usize = 2_000;

/// Compiles what `bytes` choose; what compiles is run as they choose, in two ways that must come to the same. True if it
/// was run.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let mut choices = Choices { bytes, at: 0 };
    let express = choices.rarely(16);
    let way = choices.below(4);
    let fuel = 1 + choices.below(60) as u64;
    let text = definition(&mut choices);
    let machine_type = if express { MachineType::Express } else { MachineType::Standard };
    let Compiled { program, diagnostics } = compile(&text, machine_type);
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    assert_eq!(program.is_some(), errors == 0, "{diagnostics:?} in {text}");
    if way == 3 {
        assert!(advice(&text, machine_type).iter().all(|diagnostic| diagnostic.severity == Severity::Warning));
        assert!(errors > 0 || load(&text, machine_type).is_some(), "what compiles loads: {text}");
    }
    let Some(program) = program else { return false };
    let script = script(&mut choices);
    let punctual = way == 1;
    let plain = run(&program, &script, Manner { twice: way == 0, punctual, ..Manner::plain() });
    if plain.events() > EVENTS_AGAIN_MAX || plain.is_cut() {
        return true;
    }
    let again = match way {
        1 => run(&program, &script, Manner { fuel: vec![fuel, 2 * fuel], punctual, ..Manner::plain() }),
        2 => run(&program, &script, Manner { absent: true, ..Manner::plain() }),
        _ => return true,
    };
    assert_eq!(plain, again, "{text}");
    true
}

/// Choices from bytes; where they end, the first of each.
struct Choices<'d> {
    bytes: &'d [u8],
    at: usize,
}

impl Choices<'_> {
    /// A number below `end`, which is at most 256.
    fn below(&mut self, end: usize) -> usize {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(byte) % end
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn rarely(&mut self, once_in: usize) -> bool {
        self.below(once_in) == once_in - 1
    }

    fn are_over(&self) -> bool {
        self.at >= self.bytes.len()
    }
}

fn script(choices: &mut Choices) -> Vec<Happening> {
    let mut script = Vec::new();
    while script.len() < HAPPENINGS_MAX && !choices.are_over() {
        script.push(match choices.below(12) {
            0..=2 => Happening::Passes { ms: 50 * choices.below(120) as i64 },
            3..=5 => Happening::Returned { task: choices.below(256) as u8, outcome: outcome(choices) },
            6 | 7 => Happening::Answered { task: choices.below(256) as u8, outcome: outcome(choices) },
            8 => Happening::Started { task: choices.below(256) as u8 },
            9 => Happening::Heartbeat { task: choices.below(256) as u8 },
            10 => Happening::Unnoticed { ms: 50 * choices.below(120) as i64 },
            _ => match choices.below(3) {
                0 => Happening::Continued,
                1 => Happening::StartedAgain,
                _ => Happening::Stopped,
            },
        });
    }
    script
}

fn outcome(choices: &mut Choices) -> Outcome {
    const RESULTS: [&str; 5] = [r#"{ "x" : 1 }"#, "[]", "null", r#""text""#, r#"{"n":2,"s":"E","items":[3,4]}"#];
    const ERRORS: [Option<&str>; 5] =
        [Some("E"), Some("States.Timeout"), Some("States.Runtime"), Some("States.DataLimitExceeded"), None];
    if choices.rarely(3) { Err(choices.one(&ERRORS)) } else { Ok(choices.one(&RESULTS)) }
}

fn definition(choices: &mut Choices) -> String {
    let jsonata = choices.below(2) == 1;
    let mut fields = Vec::new();
    if jsonata || choices.rarely(4) {
        fields.push(format!(r#""QueryLanguage":"{}""#, language(jsonata)));
    }
    if choices.rarely(8) {
        fields.push(format!(r#""TimeoutSeconds":{}"#, choices.one(&["30", "5", "1", "0"])));
    }
    let mut grammar = Grammar { choices, jsonata, states: 0 };
    fields.push(grammar.scope(0));
    format!("{{{}}}", fields.join(","))
}

fn language(jsonata: bool) -> &'static str {
    if jsonata { "JSONata" } else { "JSONPath" }
}

const REFERENCES: &[&str] = &["$", "$.n", "$.items", "$.s", "$.items[1]", "$.x", "$['n']", "$.a.b", "$.items[9]"];
const PATHS: &[&str] = &[
    "$",
    "$.n",
    "$.items",
    "$.s",
    "$$",
    "$$.Execution.Input",
    "$$.Execution.Input.items",
    "$$.State.Name",
    "$$.Map.Item.Value",
    "$$.Task.Token",
    "$v0",
    "$v1.n",
    "$..n",
    "$.items[*]",
    "$.items[?(@ > 1)]",
    "$.items[0:2]",
    "$.items[-1]",
    "$.items.length()",
    "$['n','s']",
    "$.none",
    "$.items[9]",
];
const CALLS: &[&str] = &[
    "States.UUID()",
    "States.Array($.n, 'a', 1, null)",
    "States.Format('{} of {}', $.n, $$.State.Name)",
    "States.ArrayPartition($.items, 2)",
    "States.ArrayContains($.items, 2)",
    "States.ArrayRange(0, 9, 3)",
    "States.ArrayGetItem($.items, 7)",
    "States.ArrayLength($.items)",
    "States.ArrayUnique($.items)",
    "States.Base64Encode($.s)",
    "States.Base64Decode($.s)",
    "States.Hash($.s, 'SHA-1')",
    "States.JsonMerge($$.Execution.Input, $, false)",
    "States.StringToJson($.s)",
    "States.JsonToString($)",
    "States.MathRandom(0, 9)",
    "States.MathAdd($.n, -1)",
    "States.StringSplit($.s, 'e')",
    "States.Nothing()",
];
const ATOMS: &[&str] = &[
    "$states.input",
    "$states.input.n",
    "$states.input.items",
    "$states.input.s",
    "$states.context.Execution.Input.items",
    "$states.context.State.Name",
    "$states.context.Map.Item.Index",
    "$states.context.Task.Token",
    "$v0",
    "$v1.n",
    "1",
    "'x'",
    "null",
    "true",
    "[1, 2, 3]",
    "{'n': 1, 'items': [1]}",
    "$uuid()",
    "$random()",
    "$now()",
    "$states",
    "$sum",
    "$none",
    "$contains($string($states.input), /e/)",
];
const ANY: &[&str] = &[
    "null",
    "true",
    "-1",
    "0",
    "1.5",
    "1e400",
    r#""""#,
    r#""text""#,
    r#""$.n""#,
    r#""{% 1 %}""#,
    r#""{% 1""#,
    "[]",
    "[1]",
    "{}",
    r#"{"a":{"b":[1,"x"]}}"#,
    r#"{"a.$":"$.n"}"#,
    "99999999",
    "100000000",
];

/// What an expression may see of `$states` beside input and context.
#[derive(Clone, Copy, Default)]
struct Sees {
    result: bool,
    error: bool,
}

struct Grammar<'c, 'd> {
    choices: &'c mut Choices<'d>,
    /// The language of the machine.
    jsonata: bool,
    states: usize,
}

impl Grammar<'_, '_> {
    /// `"StartAt":…,"States":{…}`
    fn scope(&mut self, depth: usize) -> String {
        let count = (1 + self.choices.below(4)).min(STATES_MAX.saturating_sub(self.states).max(1));
        let names: Vec<String> = (0..count)
            .map(|_| {
                self.states += 1;
                if self.choices.rarely(250) { "s1".to_owned() } else { format!("s{}", self.states) }
            })
            .collect();
        let states: Vec<String> = (0..count).map(|at| self.state(&names, at, depth)).collect();
        format!(r#""StartAt":"{}","States":{{{}}}"#, names[0], states.join(","))
    }

    /// A later state of the scope; rarely any, which may lead round and round, or one that is not there.
    fn target(&mut self, names: &[String], at: usize) -> String {
        match self.choices.below(250) {
            249 => "nowhere".to_owned(),
            228..=248 => names[self.choices.below(names.len())].clone(),
            _ => names[(at + 1 + self.choices.below(names.len())).min(names.len() - 1)].clone(),
        }
    }

    /// The next state, so that all are reached.
    fn next(&mut self, names: &[String], at: usize) -> String {
        match names.get(at + 1) {
            Some(next) if !self.choices.rarely(100) => next.clone(),
            _ => self.target(names, at),
        }
    }

    fn state(&mut self, names: &[String], at: usize, depth: usize) -> String {
        let contains = depth < DEPTH_MAX && self.states < STATES_MAX;
        let is_last = at + 1 == names.len();
        let kinds: &[&str] = match (contains, is_last) {
            (true, true) => &["Pass", "Task", "Map", "Parallel", "Wait", "Succeed", "Fail"],
            (true, false) => &["Pass", "Task", "Map", "Parallel", "Wait", "Choice"],
            (false, true) => &["Pass", "Task", "Wait", "Succeed", "Fail"],
            (false, false) => &["Pass", "Task", "Wait", "Choice"],
        };
        let kind = self.choices.one(kinds);
        let jsonata = if self.jsonata { !self.choices.rarely(128) } else { self.choices.rarely(3) };
        let mut fields = vec![format!(r#""Type":"{kind}""#)];
        if jsonata != self.jsonata || self.choices.rarely(16) {
            fields.push(format!(r#""QueryLanguage":"{}""#, language(jsonata)));
        }
        if !matches!(kind, "Choice" | "Succeed" | "Fail") {
            fields.push(match is_last && !self.choices.rarely(20) {
                true => r#""End":true"#.to_owned(),
                false => format!(r#""Next":"{}""#, self.next(names, at)),
            });
        }
        self.flow(kind, jsonata, depth, &mut fields);
        match kind {
            "Task" => self.task(jsonata, &mut fields),
            "Wait" => self.wait(jsonata, &mut fields),
            "Fail" => self.fail(jsonata, &mut fields),
            "Choice" => self.choice(jsonata, names, at, depth, &mut fields),
            "Parallel" => {
                let branches: Vec<String> =
                    (0..=self.choices.below(3)).map(|_| format!("{{{}}}", self.scope(depth + 1))).collect();
                fields.push(format!(r#""Branches":[{}]"#, branches.join(",")));
            }
            "Map" => self.map(jsonata, depth, &mut fields),
            _ => {}
        }
        if matches!(kind, "Task" | "Parallel" | "Map") {
            self.handlers(jsonata, names, at, depth, &mut fields);
        }
        if self.choices.rarely(128) {
            let field = self.choices.one(&["Extra", "Next", "Result", "Seconds", "Output", "Parameters", "Choices"]);
            fields.push(format!(r#""{field}":{}"#, self.choices.one(ANY)));
        }
        format!(r#""{}":{{{}}}"#, names[at], fields.join(","))
    }

    /// A field, one time in three; rarely with any value at all.
    fn maybe(&mut self, field: &str, fields: &mut Vec<String>, value: impl FnOnce(&mut Self) -> String) {
        if self.choices.rarely(3) {
            let value = if self.choices.rarely(200) { self.choices.one(ANY).to_owned() } else { value(self) };
            fields.push(format!(r#""{field}":{value}"#));
        }
    }

    /// The fields that shape data.
    fn flow(&mut self, kind: &str, jsonata: bool, depth: usize, fields: &mut Vec<String>) {
        let contains = matches!(kind, "Task" | "Parallel" | "Map");
        let sees = Sees { result: contains, error: false };
        if kind == "Fail" {
            return;
        }
        if kind != "Succeed" {
            self.maybe("Assign", fields, |it| it.assign(jsonata, depth, sees));
        }
        if jsonata {
            self.maybe("Output", fields, |it| it.jsonata_template(0, sees));
            if matches!(kind, "Parallel") {
                self.maybe("Arguments", fields, |it| it.jsonata_template(0, Sees::default()));
            }
            return;
        }
        self.maybe("InputPath", fields, |it| it.path_or_null());
        self.maybe("OutputPath", fields, |it| it.path_or_null());
        if contains {
            self.maybe("ResultSelector", fields, |it| it.object_template());
        }
        if contains || kind == "Pass" {
            self.maybe("ResultPath", fields, |it| match it.choices.below(3) {
                0 => "null".to_owned(),
                _ => it.reference(),
            });
        }
        match kind {
            "Pass" => {
                self.maybe("Result", fields, |it| it.choices.one(ANY).to_owned());
                self.maybe("Parameters", fields, |it| it.object_template());
            }
            "Parallel" => self.maybe("Parameters", fields, |it| it.object_template()),
            _ => {}
        }
    }

    fn assign(&mut self, jsonata: bool, depth: usize, sees: Sees) -> String {
        let name = if self.choices.rarely(100) { "v0".to_owned() } else { format!("v{depth}") };
        if jsonata {
            format!(r#"{{"{name}":{}}}"#, self.jsonata_template(1, sees))
        } else if self.choices.below(2) == 0 {
            format!(r#"{{"{name}.$":"{}"}}"#, self.path_or_call())
        } else {
            format!(r#"{{"{name}":{}}}"#, self.object_template())
        }
    }

    fn path_or_null(&mut self) -> String {
        if self.choices.rarely(6) { "null".to_owned() } else { format!(r#""{}""#, self.choices.one(PATHS)) }
    }

    fn reference(&mut self) -> String {
        format!(r#""{}""#, self.choices.one(REFERENCES))
    }

    fn path_or_call(&mut self) -> &'static str {
        if self.choices.below(3) == 2 { self.choices.one(CALLS) } else { self.choices.one(PATHS) }
    }

    fn object_template(&mut self) -> String {
        self.json_path_template(0)
    }

    fn json_path_template(&mut self, nesting: usize) -> String {
        let mut text = "{".to_owned();
        for (at, name) in ["n", "items", "s"].into_iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let _ = match self.choices.below(4) {
                0 => write!(text, r#"{comma}"{name}.$":"$.{name}""#),
                1 => write!(text, r#"{comma}"{name}.$":"{}""#, self.path_or_call()),
                2 if nesting < NESTING_MAX => {
                    write!(text, r#"{comma}"{name}":[{}]"#, self.json_path_template(nesting + 1))
                }
                _ => write!(text, r#"{comma}"{name}":{}"#, self.choices.one(ANY).replace(r#""{% 1""#, "1")),
            };
        }
        text.push('}');
        text
    }

    fn jsonata_template(&mut self, nesting: usize, sees: Sees) -> String {
        match self.choices.below(6) {
            0..=2 => self.expression_text(sees),
            3 if nesting < NESTING_MAX => {
                let inner = self.jsonata_template(nesting + 1, sees);
                format!(r#"{{"n":3,"items":{inner},"s":"E"}}"#)
            }
            4 if nesting < NESTING_MAX => {
                let inner = self.jsonata_template(nesting + 1, sees);
                format!(r#"[1,{inner},"{{% $states.input.n %}}"]"#)
            }
            _ => {
                self.choices.one(&["1", r#""text""#, "[]", "{}", "null", r#"{"n":2,"items":[1,2],"s":"E"}"#]).to_owned()
            }
        }
    }

    fn expression_text(&mut self, sees: Sees) -> String {
        format!(r#""{{% {} %}}""#, self.expression(0, sees))
    }

    fn atom(&mut self, sees: Sees) -> &'static str {
        match self.choices.below(3) {
            0 if sees.result => self.choices.one(&["$states.result", "$states.result.n", "$states.result[0]"]),
            0 if sees.error => "$states.errorOutput.Error",
            _ => self.choices.one(ATOMS),
        }
    }

    fn expression(&mut self, nesting: usize, sees: Sees) -> String {
        let form = if nesting < NESTING_MAX { self.choices.below(28) } else { 0 };
        if form < 8 {
            return self.atom(sees).to_owned();
        }
        if form == 27 {
            let refused = ["phone", "$$", "1 +", "$states.result"];
            let fine = ["$range(1, 3, 1)", "[1..5]", "$eval('1')", "$error('mine')"];
            let of = if self.choices.rarely(8) { &refused } else { &fine };
            return self.choices.one(of).to_owned();
        }
        let mut inner = || self.expression(nesting + 1, sees);
        match form {
            8 => format!("{} & {}", inner(), inner()),
            9 => format!("({} + {})", inner(), inner()),
            10 => format!("{} = {}", inner(), inner()),
            11 => format!("({} ? {} : {})", inner(), inner(), inner()),
            12 => format!("[{}, {}]", inner(), inner()),
            13 => format!("{{'n': {}, 'items': {}}}", inner(), inner()),
            14 => format!("$count({})", inner()),
            15 => format!("$string({})", inner()),
            16 => format!("$map({}, function($x, $i) {{ [$x, {}] }})", inner(), inner()),
            17 => format!("$filter({}, function($x) {{ $x > {} }})", inner(), inner()),
            18 => format!("$merge([{}, {}])", inner(), inner()),
            19 => format!("({}).n", inner()),
            20 => format!("({})[n = {}]", inner(), inner()),
            21 => format!("($x := {}; $x & {})", inner(), inner()),
            22 => format!("$partition({}, 2)", inner()),
            23 => format!("$parse({})", inner()),
            24 => format!("$hash({}, 'MD5')", inner()),
            25 => format!("$reduce({}, function($a, $b) {{ $a & $b }})", inner()),
            _ => format!("$exists({})", inner()),
        }
    }

    fn seconds(&mut self, jsonata: bool) -> String {
        match self.choices.below(4) {
            0 if jsonata => self.expression_text(Sees::default()),
            1 if jsonata => r#""{% $states.input.n + 1 %}""#.to_owned(),
            _ => self.choices.one(&["1", "2", "3", "5", "9", "60"]).to_owned(),
        }
    }

    /// A number in one of its forms, one time in three.
    fn number(&mut self, field: &str, jsonata: bool, fields: &mut Vec<String>) {
        if !jsonata && self.choices.rarely(3) {
            self.maybe(&format!("{field}Path"), fields, |it| it.reference());
        } else {
            self.maybe(field, fields, |it| it.seconds(jsonata));
        }
    }

    fn task(&mut self, jsonata: bool, fields: &mut Vec<String>) {
        let resource = self.choices.one(&[
            "arn:aws:states:us-east-1:123456789012:activity:a",
            "arn:aws:lambda:us-east-1:123456789012:function:f",
            "arn:aws:states:::lambda:invoke",
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "arn:aws:states:::states:startExecution.sync:2",
            "arn:aws:states:::aws-sdk:s3:listBuckets",
            "arn:aws:states:us-east-1:123456789012:activity:gone",
        ]);
        fields.push(format!(r#""Resource":"{resource}""#));
        if jsonata {
            self.maybe("Arguments", fields, |it| match it.choices.below(2) {
                0 => format!(r#"{{"FunctionName":"f","Payload":{}}}"#, it.jsonata_template(0, Sees::default())),
                _ => it.expression_text(Sees::default()),
            });
        } else {
            self.maybe("Parameters", fields, |it| it.object_template());
        }
        self.number("TimeoutSeconds", jsonata, fields);
        if self.choices.rarely(4) {
            self.number("HeartbeatSeconds", jsonata, fields);
        }
        if self.choices.rarely(8) {
            fields.push(match jsonata {
                true => format!(r#""Credentials":{{"RoleArn":{}}}"#, self.expression_text(Sees::default())),
                false => format!(r#""Credentials":{{"RoleArn.$":"{}"}}"#, self.path_or_call()),
            });
        }
    }

    fn wait(&mut self, jsonata: bool, fields: &mut Vec<String>) {
        let field = match self.choices.below(4) {
            0 => format!(r#""Seconds":{}"#, self.seconds(jsonata)),
            1 if jsonata => format!(r#""Timestamp":{}"#, self.expression_text(Sees::default())),
            1 => format!(r#""SecondsPath":{}"#, self.reference()),
            2 if !jsonata => format!(r#""TimestampPath":{}"#, self.reference()),
            _ => r#""Timestamp":"2023-11-14T22:13:27Z""#.to_owned(),
        };
        fields.push(field);
    }

    fn fail(&mut self, jsonata: bool, fields: &mut Vec<String>) {
        for field in ["Error", "Cause"] {
            if !jsonata && self.choices.rarely(3) {
                let value = self.path_or_call();
                fields.push(format!(r#""{field}Path":"{value}""#));
            } else {
                self.maybe(field, fields, |it| match jsonata {
                    true => it.expression_text(Sees::default()),
                    false => it.choices.one(&[r#""E""#, r#""States.Timeout""#, r#""""#]).to_owned(),
                });
            }
        }
    }

    fn choice(&mut self, jsonata: bool, names: &[String], at: usize, depth: usize, fields: &mut Vec<String>) {
        let rules: Vec<String> = (0..=self.choices.below(3))
            .map(|rule| {
                let target = if rule == 0 { self.next(names, at) } else { self.target(names, at) };
                let mut rule = vec![format!(r#""Next":"{target}""#)];
                rule.push(match jsonata {
                    true => match self.choices.below(3) {
                        0 => format!(r#""Condition":{}"#, self.expression_text(Sees::default())),
                        1 => r#""Condition":"{% $exists($v0) %}""#.to_owned(),
                        _ => format!(r#""Condition":{}"#, self.choices.one(&["true", "false"])),
                    },
                    false => self.condition(0),
                });
                self.maybe("Assign", &mut rule, |it| it.assign(jsonata, depth, Sees::default()));
                if jsonata {
                    self.maybe("Output", &mut rule, |it| it.jsonata_template(0, Sees::default()));
                }
                format!("{{{}}}", rule.join(","))
            })
            .collect();
        fields.push(format!(r#""Choices":[{}]"#, rules.join(",")));
        if !self.choices.rarely(8) {
            let target = self.target(names, at);
            fields.push(format!(r#""Default":"{target}""#));
        }
    }

    fn condition(&mut self, nesting: usize) -> String {
        let deeper = nesting < NESTING_MAX;
        match self.choices.below(8) {
            5 if deeper => format!(r#""And":[{},{}]"#, self.nested(nesting), self.nested(nesting)),
            6 if deeper => format!(r#""Or":[{}]"#, self.nested(nesting)),
            7 if deeper => format!(r#""Not":{}"#, self.nested(nesting)),
            _ => {
                let variable = self.choices.one(REFERENCES);
                let test = self.choices.one(&[
                    r#""IsPresent":true"#,
                    r#""IsNull":false"#,
                    r#""NumericEquals":3"#,
                    r#""NumericGreaterThanPath":"$.n""#,
                    r#""StringEquals":"text""#,
                    r#""StringLessThanEqualsPath":"$.s""#,
                    r#""StringMatches":"*e\\*t*""#,
                    r#""BooleanEquals":true"#,
                    r#""TimestampLessThan":"2030-01-01T00:00:00Z""#,
                    r#""IsTimestamp":false"#,
                ]);
                format!(r#""Variable":"{variable}",{test}"#)
            }
        }
    }

    fn nested(&mut self, nesting: usize) -> String {
        format!("{{{}}}", self.condition(nesting + 1))
    }

    fn map(&mut self, jsonata: bool, depth: usize, fields: &mut Vec<String>) {
        let config = match self.choices.below(16) {
            14 => r#""ProcessorConfig":{"Mode":"INLINE"},"#,
            15 => r#""ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"#,
            _ => "",
        };
        let processor = self.scope(depth + 1);
        let field = if self.choices.rarely(8) { "Iterator" } else { "ItemProcessor" };
        fields.push(format!(r#""{field}":{{{config}{processor}}}"#));
        if jsonata {
            let items = match self.choices.below(4) {
                0 => r#""{% [1..5] %}""#.to_owned(),
                1 => r#""{% $states.context.Execution.Input.items %}""#.to_owned(),
                2 => format!("[1,{}]", self.jsonata_template(1, Sees::default())),
                _ => self.expression_text(Sees::default()),
            };
            fields.push(format!(r#""Items":{items}"#));
            self.maybe("ItemSelector", fields, |it| it.jsonata_template(0, Sees::default()));
        } else {
            let items = self.choices.one(&["$$.Execution.Input.items", "$.items", "$", "$v0"]);
            fields.push(format!(r#""ItemsPath":"{items}""#));
            let selector = if self.choices.rarely(4) { "Parameters" } else { "ItemSelector" };
            self.maybe(selector, fields, |it| it.object_template());
        }
        self.number("MaxConcurrency", jsonata, fields);
        if self.choices.rarely(8) {
            self.number("ToleratedFailureCount", jsonata, fields);
            self.number("ToleratedFailurePercentage", jsonata, fields);
        }
    }

    fn handlers(&mut self, jsonata: bool, names: &[String], at: usize, depth: usize, fields: &mut Vec<String>) {
        const ERRORS: &[&str] = &[
            "States.ALL",
            "E",
            "States.TaskFailed",
            "States.Timeout",
            "States.HeartbeatTimeout",
            "States.QueryEvaluationError",
            "States.IntrinsicFailure",
            "States.DataLimitExceeded",
            "States.Runtime",
        ];
        if self.choices.rarely(3) {
            let (error, attempts) = (self.choices.one(ERRORS), self.choices.below(4));
            let more = self.choices.one(&[
                "",
                r#","JitterStrategy":"FULL""#,
                r#","BackoffRate":1.5"#,
                r#","IntervalSeconds":3"#,
                r#","MaxDelaySeconds":2"#,
            ]);
            fields.push(format!(r#""Retry":[{{"ErrorEquals":["{error}"],"MaxAttempts":{attempts}{more}}}]"#));
        }
        if self.choices.rarely(3) {
            let error = self.choices.one(ERRORS);
            let mut catcher = vec![format!(r#""ErrorEquals":["{error}"],"Next":"{}""#, self.target(names, at))];
            let sees = Sees { result: false, error: true };
            self.maybe("Assign", &mut catcher, |it| it.assign(jsonata, depth, sees));
            match jsonata {
                true => self.maybe("Output", &mut catcher, |it| it.jsonata_template(0, sees)),
                false => self.maybe("ResultPath", &mut catcher, |it| it.reference()),
            }
            fields.push(format!(r#""Catch":[{{{}}}]"#, catcher.join(",")));
        }
    }
}
