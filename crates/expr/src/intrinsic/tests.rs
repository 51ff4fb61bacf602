use std::collections::BTreeMap;

use super::*;
use crate::{environment::TestEnvironment, json};

const INPUT: &str = r#"{
  "name": "Ada", "n": 5, "f": 1.1, "t": true, "nil": null, "text": "hello",
  "arr": [10, 20, 30], "dup": [1, 2, 1, "1", {"a":1,"b":2}, {"b":2,"a":1}, 1.0, null, null],
  "obj": {"Arg1": 1, "Arg2": []}, "empty": [], "json": "{\"a\": [1, 2.50, \"x\"]}",
  "template": "Hi {}, \\{x\\} C:\\dir", "words": "This.is+a,test=string"
}"#;

fn environment() -> TestEnvironment {
    let mut environment = TestEnvironment::new(INPUT);
    environment.context =
        json::parse(r#"{"Execution":{"Name":"run"},"StateMachine":{"Id":"i","Name":"m-1"}}"#).unwrap();
    environment.variables = BTreeMap::from([("count".to_string(), Value::from(3))]);
    environment
}

/// What a call gives, or its error after `!` (syntax), `?` (failure) or `$` (path).
fn evaluate(call: &str) -> String {
    match Call::parse(call) {
        Err(error) => format!("! {error}"),
        Ok(call) => match call.evaluate(&environment()) {
            Ok(value) => value.to_string(),
            Err(CallError::Path { path, error, .. }) => format!("$ {path}: {error}"),
            Err(error) => format!("? {error}"),
        },
    }
}

fn check(cases: &[(&str, &str)]) {
    for (call, expected) in cases {
        assert_eq!(evaluate(call), *expected, "{call}");
    }
}

/// Calls that refuse their arguments.
fn check_refused(calls: &[&str]) {
    for call in calls {
        let name = call.split('(').next().unwrap();
        let expected = format!(
            "? There was an error while evaluating the intrinsic function: {call}. Invalid arguments in {name}"
        );
        assert_eq!(evaluate(call), expected, "{call}");
    }
}

#[test]
fn arrays() {
    check(&[
        ("States.Array()", "[]"),
        ("States.Array('a', 1, -2.5, null, true, $.obj, $count)", r#"["a",1,-2.5,null,true,{"Arg1":1,"Arg2":[]},3]"#),
        ("States.Array( 1 ,\n2 )", "[1,2]"),
        ("States.ArrayLength($.arr)", "3"),
        ("States.ArrayLength(States.Array())", "0"),
        ("States.ArrayPartition($.arr, 2)", "[[10,20],[30]]"),
        ("States.ArrayPartition($.arr, 2.6)", "[[10,20],[30]]"),
        ("States.ArrayPartition($.empty, 4)", "[]"),
        ("States.ArrayPartition($.arr, 2147483647)", "[[10,20,30]]"),
        ("States.ArrayRange(0, 9, 3)", "[0,3,6,9]"),
        ("States.ArrayRange(0, 10, 3)", "[0,3,6,9]"),
        ("States.ArrayRange(1, 9, 9)", "[1]"),
        ("States.ArrayRange(5, 1, -2)", "[5,3,1]"),
        ("States.ArrayRange(3, 3, -1)", "[3]"),
        ("States.ArrayRange(5, 1, 1)", "[]"),
        ("States.ArrayRange(1, 5, -1)", "[]"),
        ("States.ArrayRange(1.6, 1.4, 1)", "[1]"),
        ("States.ArrayRange(5.4, -0.6, -2.4)", "[5,3,1]"),
        ("States.ArrayLength(States.ArrayRange(1, 1000, 1))", "1000"),
        ("States.ArrayGetItem($.arr, 1)", "20"),
        ("States.ArrayGetItem($.arr, 1.2)", "20"),
        ("States.ArrayGetItem($.empty, 999)", "null"),
        ("States.ArrayUnique($.dup)", r#"[1,2,"1",{"a":1,"b":2},null]"#),
        ("States.ArrayContains($.arr, 20)", "true"),
        ("States.ArrayContains($.arr, 5)", "false"),
        ("States.ArrayContains($.arr, '20')", "true"),
        ("States.ArrayContains($.dup, null)", "true"),
        ("States.ArrayContains(States.Array($.obj), $.obj)", "true"),
        ("States.ArrayContains(States.Array($.arr), $.arr)", "true"),
        ("States.ArrayContains(States.Array('true'), true)", "true"),
        ("States.ArrayContains($.arr, false)", "false"),
        (
            "States.ArrayContains(States.Array(States.StringToJson('{\"b\":2,\"a\":1}')), States.StringToJson('{\"a\":1,\"b\":2}'))",
            "false",
        ),
    ]);
    check_refused(&[
        "States.ArrayLength('x')",
        "States.ArrayLength()",
        "States.ArrayLength($.arr, 1)",
        "States.ArrayPartition($.arr, 0)",
        "States.ArrayPartition($.arr, -1)",
        "States.ArrayPartition($.arr, 0.6)",
        "States.ArrayPartition($.arr, '2')",
        "States.ArrayPartition($.arr, null)",
        "States.ArrayPartition($.name, 2)",
        "States.ArrayRange(1, 10, 0)",
        "States.ArrayRange(1, 10, 0.49)",
        "States.ArrayRange(1, 1001, 1)",
        "States.ArrayRange('a', 5, 1)",
        "States.ArrayRange(1, 5)",
        "States.ArrayRange(-2147483648, 2147483647, 1)",
        "States.ArrayRange(1, 3000000000, 1)",
        "States.ArrayGetItem($.arr, 3)",
        "States.ArrayGetItem($.arr, -1)",
        "States.ArrayGetItem($.arr, '1')",
        "States.ArrayGetItem('text', 0)",
        "States.ArrayContains('text', 0)",
        "States.ArrayContains($.arr)",
        "States.ArrayUnique($.obj)",
    ]);
}

#[test]
fn texts() {
    check(&[
        ("States.StringSplit('1,2,3', ',')", r#"["1","2","3"]"#),
        ("States.StringSplit($.words, '.+,=')", r#"["This","is","a","test","string"]"#),
        ("States.StringSplit(',,,,', ',')", "[]"),
        ("States.StringSplit(', , ,', ',')", r#"[" "," "]"#),
        ("States.StringSplit('', ',')", "[]"),
        ("States.StringSplit('abc', '')", r#"["abc"]"#),
        ("States.StringSplit('Hello\nWorld', '\n')", r#"["Hello","World"]"#),
        ("States.ArrayGetItem(States.StringSplit($$.StateMachine.Name, '-'), 0)", "\"m\""),
        ("States.StringToJson($.json)", r#"{"a":[1,2.5,"x"]}"#),
        ("States.StringToJson('')", "null"),
        ("States.StringToJson('  ')", "null"),
        ("States.StringToJson('-0')", "0"),
        ("States.StringToJson('1.1')", "1.1"),
        ("States.StringToJson('\"HelloWorld\"')", "\"HelloWorld\""),
        ("States.StringToJson('\\{\"a\":1\\}')", r#"{"a":1}"#),
        ("States.JsonToString($.obj)", r#""{\"Arg1\":1,\"Arg2\":[]}""#),
        ("States.JsonToString($.name)", r#""\"Ada\"""#),
        ("States.JsonToString($.nil)", "\"null\""),
        ("States.JsonMerge($.obj, States.StringToJson('{\"Arg2\":2,\"x\":3}'), false)", r#"{"Arg2":2,"Arg1":1,"x":3}"#),
        ("States.JsonMerge($.obj, $.obj, 'false')", r#"{"Arg2":[],"Arg1":1}"#),
        (
            r#"States.JsonMerge(States.StringToJson('{"a":1,"b":2,"d":3}'), States.StringToJson('{"a":4,"c":3,"d":4}'), false)"#,
            r#"{"a":4,"b":2,"c":3,"d":4}"#,
        ),
    ]);
    check_refused(&[
        "States.StringSplit(1, ',')",
        "States.StringSplit('a,b', null)",
        "States.StringSplit('a,b')",
        "States.StringToJson('{bad json}')",
        "States.StringToJson('undefined')",
        "States.StringToJson(1)",
        "States.StringToJson()",
        "States.JsonToString()",
        "States.JsonMerge($.obj, $.obj, true)",
        "States.JsonMerge($.obj, $.obj)",
        "States.JsonMerge($.obj, $.arr, false)",
        "States.JsonMerge(null, $.obj, false)",
    ]);
}

#[test]
fn formats() {
    check(&[
        ("States.Format('plain')", "\"plain\""),
        ("States.Format('Hello {}, {} {}!', $.name, $.n, $.t)", "\"Hello Ada, 5 true!\""),
        ("States.Format('{}|{}|{}', $.f, $.nil, -1)", "\"1.1|null|-1\""),
        ("States.Format('{}', $.obj)", "\"{Arg1=1, Arg2=[]}\""),
        ("States.Format('{}', $.arr)", "\"[10, 20, 30]\""),
        ("States.Format('{}', $.json)", r#""{\"a\": [1, 2.50, \"x\"]}""#),
        (
            "States.Format('fst={} and snd={}.', $$.Execution.Name, $$.StateMachine)",
            "\"fst=run and snd={Id=i, Name=m-1}.\"",
        ),
        ("States.Format('it\\'s \\{\\} \\\\ {}', 1)", r#""it's {} \\ 1""#),
        ("States.Format($.template, $.name)", r#""Hi Ada, {x} C:\\dir""#),
        ("States.Format('Format Func {}', $count)", "\"Format Func 3\""),
        ("States.Format('Format:{}', 101)", "\"Format:101\""),
        ("States.Format('  {}  ', 'x')", "\"  x  \""),
        ("States.Format(5)", "\"5\""),
    ]);
    let failure = |call: &str, detail: &str| {
        let expected = format!("? There was an error while evaluating the intrinsic function: {call}. {detail}");
        assert_eq!(evaluate(call), expected);
    };
    let count = "Invalid arguments in States.Format: number of arguments do not match the occurrences of {}.";
    failure("States.Format('{} {}', $.n)", count);
    failure("States.Format('{}', $.n, $.n)", count);
    failure("States.Format(123, $.n)", count);
    failure("States.Format('Hello {', $.n)", "Invalid template in States.Format: matching '}' not found for '{'.");
    failure("States.Format('Hello {{}}', $.n)", "Invalid template in States.Format: matching '}' not found for '{'.");
    failure("States.Format('}')", "Invalid template in States.Format: matching '{' not found for '}'.");
    failure("States.Format()", "Invalid arguments in States.Format");
}

#[test]
fn numbers() {
    check(&[
        ("States.MathAdd(5, 3)", "8"),
        ("States.MathAdd($.n, -1)", "4"),
        ("States.MathAdd(1.5, 0)", "2"),
        ("States.MathAdd(-1.5, 0)", "-1"),
        ("States.MathAdd(-2.5, 0)", "-2"),
        ("States.MathAdd(0.5, 0)", "1"),
        ("States.MathAdd(-0.5, 0)", "0"),
        ("States.MathAdd(1.6, 2.7)", "5"),
        ("States.MathAdd(2147483646, 1)", "2147483647"),
        ("States.MathAdd(-2147483648, 0)", "-2147483648"),
        ("States.MathAdd(States.MathAdd(States.MathAdd($count, 1), 1), 1)", "6"),
        ("States.MathRandom(7, 8)", "7"),
        ("States.MathRandom(7, 8, -10)", "7"),
    ]);
    check_refused(&[
        "States.MathAdd(2147483647, 1)",
        "States.MathAdd(3000000000, 1)",
        "States.MathAdd('1', 1)",
        "States.MathAdd(null, 1)",
        "States.MathAdd(true, 1)",
        "States.MathAdd(1)",
        "States.MathAdd(1, 2, 3)",
        "States.MathAdd(1e309, 1)",
        "States.MathRandom(1, 1)",
        "States.MathRandom(10, 5)",
        "States.MathRandom(1.4, 1.6)",
        "States.MathRandom('a', 10)",
        "States.MathRandom(1, 10, null)",
        "States.MathRandom(1, 10, 'seed')",
        "States.MathRandom(1)",
    ]);
}

#[test]
fn chance_comes_from_the_environment_or_a_seed() {
    let environment = environment();
    let call = |text: &str| Call::parse(text).unwrap().evaluate(&environment).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let number = call("States.MathRandom(-3, 3)").as_i64().unwrap();
        assert!((-3..3).contains(&number));
        seen.insert(number);
    }
    assert_eq!(seen.len(), 6);
    assert_eq!(call("States.MathRandom(1, 100, 42)"), call("States.MathRandom(1, 100, 42)"));
    let (first, second) = (call("States.UUID()"), call("States.UUID()"));
    assert_ne!(first, second);
    let text = first.as_str().unwrap();
    assert_eq!(text.len(), 36);
    assert_eq!(&text[14..15], "4");
    assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"));
    assert!(text.char_indices().all(|(at, char)| if matches!(at, 8 | 13 | 18 | 23) {
        char == '-'
    } else {
        char.is_ascii_hexdigit()
    }));
    check_refused(&["States.UUID(1)"]);
}

#[test]
fn codes_and_hashes() {
    check(&[
        ("States.Base64Encode('Data to encode')", "\"RGF0YSB0byBlbmNvZGU=\""),
        ("States.Base64Encode('')", "\"\""),
        ("States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", "\"Data to encode\""),
        ("States.Base64Decode('')", "\"\""),
        ("States.Base64Decode('4pyT')", "\"✓\""),
        ("States.Base64Decode(' YWJj\nZA== ')", "\"abcd\""),
        ("States.Base64Decode('aGVsbG8')", "\"hello\""),
        ("States.Base64Decode('aGVsbG8=!!ab')", "\"hello\""),
        ("States.Base64Decode('a')", "\"\""),
        ("States.Base64Decode(States.Base64Encode($.text))", "\"hello\""),
        ("States.Hash('hello', 'MD5')", "\"5d41402abc4b2a76b9719d911017c592\""),
        ("States.Hash('input data', 'SHA-1')", "\"aaff4a450a104cd177d28d18d74485e8cae074b7\""),
        ("States.Hash('✓', 'SHA-256')", "\"1dabba21cdad44541f6b15796f8d22978fc7ea10c46aeceeeeb66c23b3ac7604\""),
        (
            "States.Hash('input data', 'SHA-384')",
            "\"d28a7d5cf25a74f11a50a18452b75e04bb3d70c9dd0510d6123aa008c756511b87525bdc835ebb27e1fb9e9374a15562\"",
        ),
        (
            "States.Hash('hello', 'SHA-512')",
            "\"9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043\"",
        ),
        ("States.Hash(123, 'MD5')", "\"202cb962ac59075b964b07152d234b70\""),
    ]);
    check_refused(&[
        "States.Base64Encode(1)",
        "States.Base64Decode($.obj)",
        "States.Base64Decode()",
        "States.Hash('a', 'sha-256')",
        "States.Hash('a', 'SHA256')",
        "States.Hash('a', '')",
        "States.Hash('a', 1)",
        "States.Hash('a')",
    ]);
    let long = |length: usize| format!("States.Hash('{}', 'MD5')", "a".repeat(length));
    assert!(evaluate(&long(10_000)).starts_with('"'));
    assert!(evaluate(&long(10_001)).starts_with('?'));
}

#[test]
fn paths_that_are_missing() {
    check(&[
        ("States.Hash($.missing, 'MD5')", "$ $.missing: No results for path: $['missing']"),
        ("States.Array(States.ArrayLength($.no.such))", "$ $.no.such: Missing property in path $['no']"),
        ("States.Array($nothing.a)", "$ $nothing.a: undefined variable nothing"),
        ("States.Array($.missing[*])", "[[]]"),
    ]);
}

#[test]
fn what_is_no_call() {
    let cases = [
        "",
        "States",
        "States.",
        "States.Foo()",
        "States.format('x')",
        "States.UUID",
        "States.UUID(",
        "States.UUID() ",
        " States.UUID()",
        "States.UUID()x",
        "States.Array(1,)",
        "States.Array(,1)",
        "States.Array(1 2)",
        "States.Array('a)",
        "States.Array('a\\')",
        "States.Array('\\n')",
        "States.Format('He said, \\\"Hi\\\"')",
        "States.Array(\"a\")",
        "States.Array(abc)",
        "States.Array({})",
        "States.Array($)x",
        "States.Array($.)",
        "States.Array($.a b)",
        "States.Array(True)",
        "States.Array(01)",
        "$.a",
        "States.Array(é)",
    ];
    for case in cases {
        assert!(Call::parse(case).is_err(), "{case}");
    }
    let nested = |depth: usize| format!("{}{}", "States.Array(".repeat(depth), ")".repeat(depth));
    assert!(Call::parse(&nested(10)).is_ok());
    assert_eq!(Call::parse(&nested(11)).unwrap_err().message, "intrinsic functions are nested deeper than 10 levels");
    assert!(Call::parse(&nested(5_000)).is_err());
}

#[test]
fn arguments_are_full_paths() {
    check(&[
        ("States.Array($['arr'][0], $.arr[1:], $.arr.length(), $$['Execution']['Name'], $)", &{
            let input = json::parse(INPUT).unwrap();
            format!("[10,[20,30],3,\"run\",{input}]")
        }),
        ("States.Array($.arr[?(@ > 15 && @ in [20, 5])])", "[[20]]"),
        ("States.Array($count,$.n)", "[3,5]"),
    ]);
    let call = Call::parse("States.Format('{}', States.Array($a.b, $.x[?(@ == $c)], $a, $$.d))").unwrap();
    assert_eq!(call.variables(), ["a", "c"].map(Arc::from));
    assert_eq!(&**call.text(), "States.Format('{}', States.Array($a.b, $.x[?(@ == $c)], $a, $$.d))");
}

#[test]
fn results_are_bounded() {
    let mut environment = environment();
    environment.input = Value::from("\"".repeat(20_000));
    let evaluate = |text: &str| Call::parse(text).unwrap().evaluate(&environment);
    let doubling = format!("{}$.a{}", "States.JsonToString(".repeat(10), ")".repeat(10)).replace("$.a", "$");
    assert!(matches!(evaluate(&doubling), Err(CallError::Failed(text)) if text.ends_with("The result is too large")));
    let copies = format!("States.Array({})", vec!["$"; 900].join(","));
    assert!(matches!(evaluate(&copies), Err(CallError::Failed(_))));
    let copies = format!("States.Format('{}',{})", "{}".repeat(900), vec!["$"; 900].join(","));
    assert!(matches!(evaluate(&copies), Err(CallError::Failed(_))));

    environment.input = json::parse(&format!("{}{}", "[".repeat(256), "]".repeat(256))).unwrap();
    assert!(matches!(Call::parse("States.Array($)").unwrap().evaluate(&environment), Err(CallError::Failed(_))));
    environment.fuel.burn(environment.fuel.left()).unwrap();
    assert_eq!(Call::parse("States.UUID()").unwrap().evaluate(&environment), Err(CallError::OutOfFuel(OutOfFuel)));
}
