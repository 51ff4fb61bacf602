//! What must hold for any input: JSON comes back as it was, and no text makes the parsers or evaluators panic.

use proptest::prelude::*;

use crate::{Number, Value, environment::TestEnvironment, intrinsic::Call, json, jsonpath::Path};

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |double| double.is_finite())
            .prop_map(|double| Value::Number(Number::Double(double))),
        "[0-9]{20,30}".prop_map(|digits| Value::Number(json::number_from_text(&format!("1{digits}")))),
        ".{0,12}".prop_map(Value::from),
        "[\\x00-\\x1f\"\\\\\u{7f}\u{2028}😀]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::array),
            prop::collection::vec((".{0,6}", inner), 0..6).prop_map(Value::object),
        ]
    })
}

/// Texts made of what the grammars are made of.
fn pieces(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(pieces), 0..24).prop_map(|pieces| pieces.concat())
}

const JSON: &[&str] = &[
    "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "D83D", "a", "é", "😀", "true", "nul", "NaN", "-", "0", "1", ".5",
    "e", "E+9", " ", "\n", "\r", "/", "\u{0}", "\u{feff}",
];
const PATHS: &[&str] = &[
    "$",
    "$$",
    "$v",
    "@",
    ".",
    "..",
    "a",
    "b",
    "*",
    "[",
    "]",
    "[0]",
    "[-1]",
    "[1:",
    ":2]",
    "['a']",
    "'",
    "\"",
    ",",
    "?(",
    ")",
    "(",
    "@.a",
    "==",
    " > ",
    "&&",
    "||",
    "!",
    "=~ /a.*/i",
    " in ",
    " size ",
    "['x',1]",
    ".length()",
    ".sum(",
    "\\",
    " ",
    "é",
    "1",
    "null",
    "{",
    "}",
];
const CALLS: &[&str] = &[
    "States.",
    "Array",
    "Format",
    "States.Array(",
    "States.Format('",
    "States.MathAdd(",
    "States.Hash(",
    "States.StringToJson(",
    "States.ArrayRange(",
    "States.JsonToString(",
    "States.StringSplit(",
    "States.Base64Decode(",
    "States.ArrayUnique(",
    ")",
    ",",
    "'",
    "{}",
    "{",
    "\\",
    "$",
    "$.a",
    "$.b[*]",
    "1",
    "-9e99",
    "null",
    "true",
    " ",
    "é",
];

const NAMES: &[&str] = &[
    "States.Array",
    "States.ArrayContains",
    "States.ArrayGetItem",
    "States.ArrayLength",
    "States.ArrayPartition",
    "States.ArrayRange",
    "States.ArrayUnique",
    "States.Base64Decode",
    "States.Base64Encode",
    "States.Format",
    "States.Hash",
    "States.JsonMerge",
    "States.JsonToString",
    "States.MathAdd",
    "States.MathRandom",
    "States.StringSplit",
    "States.StringToJson",
    "States.UUID",
];

fn environment() -> TestEnvironment {
    let environment = TestEnvironment::new(r#"{"a":[1,{"a":"x","b":[2,3]},"é"],"b":{"a":null,"b":[[1.5]]},"x":"y"}"#);
    environment.fuel.burn(environment.fuel.left() - 20_000).expect("there is more");
    environment
}

proptest! {
    #[test]
    fn json_comes_back(value in any_value()) {
        let text = json::to_text(&value);
        prop_assert_eq!(json::check(&text), Ok(()));
        let again = json::parse(&text).expect("our own text");
        prop_assert_eq!(&again, &value);
        prop_assert_eq!(json::to_text(&again), text);
    }

    #[test]
    fn check_agrees_with_parse(text in prop_oneof![pieces(JSON), ".{0,40}"]) {
        let parsed = json::parse(&text);
        prop_assert_eq!(json::check(&text).err(), parsed.clone().err());
        match parsed {
            Ok(value) => prop_assert_eq!(json::parse(&json::to_text(&value)), Ok(value)),
            Err(error) => prop_assert!(error.place(&text).contains("line: ")),
        }
    }

    #[test]
    fn valid_json_with_one_piece_changed_is_no_panic(value in any_value(), cut in any::<prop::sample::Index>(), piece in pieces(JSON)) {
        let mut text: Vec<char> = json::to_text(&value).chars().collect();
        let at = cut.index(text.len());
        text.splice(at..=at, piece.chars());
        let text: String = text.into_iter().collect();
        prop_assert_eq!(json::check(&text).err(), json::parse(&text).err());
    }

    #[test]
    fn no_path_panics(text in pieces(PATHS), value in any_value()) {
        if let Ok(path) = Path::parse(&text) {
            let mut environment = environment();
            let _ = path.read(&environment);
            let _ = path.read_or_null_past_end(&environment);
            let _ = path.write(&environment.input, value.clone());
            let _ = path.variables();
            environment.input = value;
            let _ = path.read(&environment);
        }
    }

    #[test]
    fn no_call_panics(text in pieces(CALLS), value in any_value()) {
        if let Ok(call) = Call::parse(&text) {
            let mut environment = environment();
            let _ = call.evaluate(&environment);
            environment.input = value;
            let _ = call.evaluate(&environment);
        }
    }

    #[test]
    fn no_function_panics(name in prop::sample::select(NAMES), values in prop::collection::vec(any_value(), 0..4)) {
        let mut environment = environment();
        let paths: Vec<String> = (0..values.len()).map(|index| format!("$[{index}]")).collect();
        environment.input = Value::array(values);
        let call = Call::parse(&format!("{name}({})", paths.join(", "))).expect("a call of paths");
        let _ = call.evaluate(&environment);
    }
}
