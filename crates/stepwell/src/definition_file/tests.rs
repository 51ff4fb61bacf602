use std::path::Path;

use stepwell_machine::definition::{MachineType, compile};

use super::{Definition, Problem, Source, place, read, tree::Format};

/// `line:column CODE` of each problem, in order.
fn problems(name: &str, text: &str) -> Vec<String> {
    let source = Source::new(Path::new(name), text.to_owned());
    let problems = match source.definition() {
        Ok(definition) => told(&definition),
        Err(refusal) => vec![Problem::from(refusal)],
    };
    let place = |problem: &Problem| problem.at.map_or("-".to_owned(), |at| at.to_string());
    problems.iter().map(|problem| format!("{} {}", place(problem), problem.code)).collect()
}

fn told(definition: &Definition) -> Vec<Problem> {
    definition.problems(&compile(&definition.json, MachineType::Standard).diagnostics)
}

#[test]
fn problems_stand_where_they_are_in_yaml() {
    let text = "# a machine\nStartAt: A\nStates:\n  A:\n    Type: Pass\n    Nonsense: 1\n    Next: B\n  C: {Type: Succeed, \
                Bad: 2}\n  D: &wait\n    Type: Wait\n    Seconds: -1\n    End: true\n";
    assert_eq!(
        problems("x.yaml", text),
        [
            "4:3 SCHEMA_VALIDATION_FAILED",
            "8:3 SCHEMA_VALIDATION_FAILED",
            "11:5 SCHEMA_VALIDATION_FAILED",
            "7:5 MISSING_TRANSITION_TARGET",
        ]
    );
}

#[test]
fn problems_stand_where_they_are_in_json() {
    let text = "{\n  \"StartAt\": \"A\",\n  \"States\": {\n    \"Ä\": {\"Type\": \"Pass\", \"End\": true}, \"A\": {\"Type\": \
                \"Task\", \"End\": true,\n\t\"Retry\": [{\"ErrorEquals\": [\"A\"]}, {\"ErrorEquals\": 1}]}}}";
    assert_eq!(problems("x.json", text), ["4:41 SCHEMA_VALIDATION_FAILED", "5:37 SCHEMA_VALIDATION_FAILED"]);
    assert_eq!(problems("x.json", "{\"StartAt\": 1,}"), ["1:16 INVALID_JSON_DESCRIPTION"]);
}

#[test]
fn what_is_wrong_with_yaml_itself_has_a_place() {
    assert_eq!(problems("x.yml", "StartAt: A\nStates: {\n"), ["2:9 INVALID_YAML"]);
    assert_eq!(problems("x.yml", "a: 1\nb: *c\n"), ["2:4 INVALID_YAML"]);
}

#[test]
fn a_line_break_behind_an_expression_is_told() {
    let text = "QueryLanguage: JSONata\nStartAt: A\nStates:\n  A:\n    Type: Succeed\n    Output: |\n      {% 1 %}\n";
    assert_eq!(problems("x.yaml", text), ["6:5 SCHEMA_VALIDATION_FAILED", "7:7 NOT_AN_EXPRESSION"]);
    assert_eq!(problems("x.yaml", &text.replace('|', "|-")), [""; 0]);
}

#[test]
fn the_name_tells_the_form_else_the_text() {
    let form = |name: &str, text: &str| Source::new(Path::new(name), text.to_owned()).format;
    assert_eq!(form("x.json", "a: 1"), Format::Json);
    assert_eq!(form("x.asl.yml", "{}"), Format::Yaml);
    assert_eq!(form("x.asl", " {\"a\": 1}"), Format::Json);
    assert_eq!(form("-", "StartAt: A"), Format::Yaml);
}

#[test]
fn pointers_with_odd_names_and_through_aliases_lead_somewhere() {
    let text = "a/b[0]:\n  - x\n  - {c: 1}\na: &a\n  b: 2\nd:\n  <<: *a\n  e: [*a]\n";
    let tree = read(Format::Yaml, text).expect("it is YAML");
    let cases = [
        ("/", "1:1"),
        ("/a/b[0]", "1:1"),
        ("/a/b[0][1]/c", "3:6"),
        ("/a/b", "5:3"),
        ("/d/b", "5:3"),
        ("/d/e[0]/b", "5:3"),
        ("/d/e[0]", "8:7"),
        ("/d/nothing", "6:1"),
        ("/a/b/deeper", "5:3"),
        ("", "1:1"),
        ("nonsense", "1:1"),
        ("/d/e[9]", "8:3"),
    ];
    for (pointer, place) in cases {
        assert_eq!(place::find(&tree, pointer).to_string(), place, "{pointer}");
    }
}

/// Names that may be read in very many ways, and a pointer that none of them fits, are given up on.
#[test]
fn an_ambiguous_pointer_ends() {
    let mut text = "x: &a0 1\n".to_owned();
    for level in 1..40 {
        let inner = level - 1;
        text.push_str(&format!("x{level}: &a{level} {{a: *a{inner}, a/a: *a{inner}}}\n"));
    }
    let tree = read(Format::Yaml, &text).expect("it is YAML");
    let pointer = format!("/x39{}", "/a".repeat(60));
    assert!(place::find(&tree, &pointer).line > 1);
}
