//! What a definition compiles to.

use stepwell_machine::{
    Program, StateId,
    definition::{MachineType, compile, load},
    program::{DataFlow, Expr, Field, Leaf, ResultPath, ScopeId, Selection, Template, Transition},
    state::{Kind, choice::Condition, map::Items},
};

fn program(definition: &str) -> Program {
    let compiled = compile(definition, MachineType::Standard);
    compiled.program.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
}

/// `path`, `call` or `expr` with the field, and literals as JSON.
fn shape(template: &Template) -> String {
    match template {
        Template::Literal(value) => value.to_string(),
        Template::Leaf(Leaf { expression, field }) => match expression {
            Expr::Path(path) => format!("path({} @ {field})", path.text()),
            Expr::Call(call) => format!("call({} @ {field})", call.text()),
            Expr::Jsonata(expression) => format!("expr({} @ {field})", expression.text()),
        },
        Template::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}:{}", shape(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Template::Array(items) => format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(",")),
    }
}

#[test]
fn ids_are_positions_in_document_order() {
    let program = program(
        r#"{"States":{
            "A":{"Type":"Parallel","Next":"Z","Branches":[
                {"StartAt":"C","States":{"B":{"Type":"Pass","End":true},"C":{"Type":"Map","Next":"B","ItemProcessor":
                    {"StartAt":"D","States":{"D":{"Type":"Pass","End":true}}}}}},
                {"StartAt":"E","States":{"E":{"Type":"Pass","End":true}}}]},
            "Z":{"Type":"Succeed"}},"StartAt":"A"}"#,
    );
    let names: Vec<(&str, u32)> = program.states.iter().map(|state| (&*state.name, state.scope.0)).collect();
    assert_eq!(names, [("A", 0), ("B", 1), ("C", 1), ("D", 2), ("E", 3), ("Z", 0)]);
    let scopes: Vec<(u32, Option<u32>)> =
        program.scopes.iter().map(|scope| (scope.start_at.0, scope.owner.map(|owner| owner.0))).collect();
    assert_eq!(scopes, [(0, None), (2, Some(0)), (3, Some(2)), (4, Some(0))]);
    let Kind::Parallel(parallel) = &program.states[0].kind else { panic!("A is a Parallel") };
    assert_eq!(parallel.branches, [ScopeId(1), ScopeId(3)]);
    assert_eq!(parallel.transition, Transition::Next(StateId(5)));
    let Kind::Map(map) = &program.states[2].kind else { panic!("C is a Map") };
    assert!(map.processor == ScopeId(2) && map.distributed.is_none());
    assert!(matches!(map.items, Items::Input));
}

#[test]
fn templates_keep_their_fields_and_fold_what_is_constant() {
    let parameters = |text: &str| {
        let definition = format!(
            r#"{{"StartAt":"A","States":{{"A":{{"Type":"Pass","Parameters":{text},"Assign":{text},"End":true}}}}}}"#
        );
        let program = program(&definition);
        let DataFlow::JsonPath(flow) = &program.states[0].flow else { panic!("JSONPath") };
        shape(flow.parameters.as_ref().expect("Parameters"))
    };
    assert_eq!(parameters(r#"{"a":1,"b":{"c":[2]}}"#), r#"{"a":1,"b":{"c":[2]}}"#);
    assert_eq!(
        parameters(r#"{"a.$":"$.x","b":{"c":[{"d.$":"States.UUID()"},2]},"e":{"f":1}}"#),
        r#"{b:{c:[{d:call(States.UUID() @ d.$)},2]},e:{"f":1},a:path($.x @ a.$)}"#
    );
    let program = program(
        r#"{"QueryLanguage":"JSONata","StartAt":"T","States":{
            "T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Arguments":"{% $states.input %}",
                "Output":{"a":"{% 1 %}","b":["x","{% 2 %}",{"c":"{% 3 %}"}],"d":{"e":"f"}},"Assign":{"v":"{% 4 %}","w":5},
                "Catch":[{"ErrorEquals":["E"],"Output":{"g":"{% 5 %}"},"Next":"C"}],"Next":"C"},
            "C":{"Type":"Choice","Choices":[{"Condition":false,"Next":"S"},
                {"Condition":"{%$v%}","Output":"{% 6 %}","Next":"S"}]},
            "S":{"Type":"Succeed"}}}"#,
    );
    let DataFlow::Jsonata(flow) = &program.states[0].flow else { panic!("JSONata") };
    assert_eq!(shape(flow.arguments.as_ref().unwrap()), "expr($states.input @ Arguments)");
    assert_eq!(
        shape(flow.output.as_ref().unwrap()),
        r#"{a:expr(1 @ Output/a),b:["x",expr(2 @ Output/b[1]),{c:expr(3 @ Output/b[2]/c)}],d:{"e":"f"}}"#
    );
    let assign: Vec<String> =
        program.states[0].assign.iter().map(|(name, value)| format!("{name}={}", shape(value))).collect();
    assert_eq!(assign, ["v=expr(4 @ Assign/v)", "w=5"]);
    let Kind::Task(task) = &program.states[0].kind else { panic!("T is a Task") };
    assert_eq!(shape(task.catch[0].output.as_ref().unwrap()), "{g:expr(5 @ Catch[0]/Output/g)}");
    let Kind::Choice(choice) = &program.states[1].kind else { panic!("C is a Choice") };
    assert!(matches!(choice.rules[0].when, Condition::Constant(false)));
    let Condition::Jsonata { expression, field } = &choice.rules[1].when else { panic!("an expression") };
    assert_eq!((&**expression.text(), &**field), ("$v", "Choices[1]/Condition"));
    assert_eq!(shape(choice.rules[1].output.as_ref().unwrap()), "expr(6 @ Choices[1]/Output)");
    assert_eq!(program.variable_references.len(), 1);
    assert_eq!(program.variable_references["C"], ["v".into()]);
}

#[test]
fn defaults_are_filled_in() {
    let program = program(
        r#"{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","InputPath":null,
            "ResultPath":null,"OutputPath":"$","TimeoutSeconds":3.0,"Retry":[{"ErrorEquals":["E"]}],
            "Catch":[{"ErrorEquals":["E"],"Next":"S"}],"Credentials":{"RoleArn.$":"$.r"},"Next":"S"},
            "S":{"Type":"Succeed"}}}"#,
    );
    let DataFlow::JsonPath(flow) = &program.states[0].flow else { panic!("JSONPath") };
    assert!(matches!(flow.input_path, Selection::Nothing) && matches!(flow.output_path, Selection::All));
    assert!(matches!(flow.result_path, ResultPath::Discard));
    let Kind::Task(task) = &program.states[0].kind else { panic!("T is a Task") };
    assert!(matches!(task.timeout, Some(Field::Constant(3))) && task.heartbeat.is_none());
    assert_eq!(shape(task.credentials.as_ref().unwrap()), "path($.r @ RoleArn.$)");
    let retrier = &task.retry[0];
    let numbers = (retrier.interval_seconds, retrier.attempts_max, retrier.delay_max_seconds, retrier.jitter);
    assert_eq!(numbers, (1, 3, None, false));
    assert!((retrier.backoff_rate - 2.0).abs() < f64::EPSILON);
    assert!(matches!(task.catch[0].result_path, ResultPath::Replace));
}

/// Checks of a newer release do not stop a definition that an older one took.
#[test]
fn what_only_a_check_refuses_still_loads() {
    for definition in [
        r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"A"},"B":{"Type":"Succeed"}},"New":1}"#,
        r#"{"StartAt":"A","Version":"9","States":{"A":{"Type":"Wait","Seconds":-1,"Retry":5,"End":true}}}"#,
        r#"{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":0,
            "Retry":[{"ErrorEquals":["States.ALL","E"],"MaxDelaySeconds":99999999}],"End":true}}}"#,
    ] {
        assert!(compile(definition, MachineType::Standard).program.is_none(), "{definition}");
        assert!(load(definition, MachineType::Standard).is_some(), "{definition}");
    }
    let broken = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}}}"#;
    assert!(load(broken, MachineType::Standard).is_none(), "there is no B to go to");
}
