//! What AWS adds, forbids and bounds. The language itself is tested by the official cases (`tests/jsonata_suite.rs`).

use std::cell::Cell;

use proptest::prelude::*;

use super::{EvaluationError, Expression};
use crate::environment::TestEnvironment;
use crate::{Environment, Fuel, OutOfFuel, Value, json};

const INPUT: &str = r#"{
    "name": "Ada", "n": 3, "zero": 0.0, "big": 9007199254740993, "text": "5",
    "items": [{"price": 2, "qty": 3, "tags": ["a", "b"]}, {"price": 5, "qty": 1, "tags": []}],
    "one": [{"price": 7}], "empty": [], "none": null, "nested": {"a": [{"b": 1}, {"b": 2}], "o": {}}
}"#;

fn environment() -> TestEnvironment {
    let mut environment = TestEnvironment::new(INPUT);
    environment.context = json::parse(r#"{"Execution": {"Name": "run-1", "Input": {"n": 3}}}"#).unwrap();
    environment.result = Some(json::parse(r#"{"Payload": [1, 2, 3]}"#).unwrap());
    for (name, value) in [("total", "12.5"), ("list", "[1, 2, 3]"), ("user", r#"{"id": "u1", "n": 1}"#), ("été", "1")]
    {
        environment.variables.insert(name.into(), json::parse(value).unwrap());
    }
    environment
}

/// The result as JSON text, or the error's text.
fn evaluate_in(text: &str, environment: &TestEnvironment) -> String {
    match Expression::parse(text) {
        Ok(expression) => match expression.evaluate(environment) {
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        },
        Err(error) => format!("refused: {} {error}", error.code.as_deref().unwrap_or("-")),
    }
}

fn evaluate(text: &str) -> String {
    evaluate_in(text, &environment())
}

/// Checks a table of expression and outcome, and names all that differ.
fn check(table: &[(&str, &str)]) {
    let wrong: Vec<_> = table
        .iter()
        .map(|(text, expected)| (*text, *expected, evaluate(text)))
        .filter(|(_, expected, found)| found != expected)
        .collect();
    assert!(wrong.is_empty(), "expression, expected, found: {wrong:#?}");
}

const UNDEFINED: &str = "returned nothing (undefined).";
const UNSUPPORTED: &str = "returned an unsupported result type.";

#[test]
fn states_and_variables() {
    check(&[
        ("$states.input.name", r#""Ada""#),
        ("$states.input.name = 'Ada'", "true"),
        ("$states.input.items.price", "[2,5]"),
        ("$states.input.one.price", "7"),
        ("$states.input.one", r#"[{"price":7}]"#),
        ("$states.input.one[]", r#"[{"price":7}]"#),
        ("$states.input.empty", "[]"),
        ("$states.input.none", "null"),
        ("$states.input.nested.a.b", "[1,2]"),
        ("$states.input.nested.o", "{}"),
        ("$states.input.items[price > 3].qty", "1"),
        ("$sum($states.input.items.(price * qty))", "11"),
        ("$states.input.items[-1].price", "5"),
        ("$states.context.Execution.Name", r#""run-1""#),
        ("$states.result.Payload", "[1,2,3]"),
        ("$states.errorOutput", UNDEFINED),
        ("$states.errorOutput.Error", UNDEFINED),
        ("$states.other", UNDEFINED),
        ("$states.input.missing.more", UNDEFINED),
        ("$states.input.name.more", UNDEFINED),
        ("$keys($states)", r#"["input","context","result"]"#),
        ("$states.(input.n + $count(result.Payload))", "6"),
        ("$total", "12.5"),
        ("$total * 2", "25"),
        ("$list", "[1,2,3]"),
        ("$list[0]", "1"),
        ("$list[$ > 1]", "[2,3]"),
        ("$map($list, function($v, $i) { $v * $i })", "[0,2,6]"),
        ("$user.id & '-' & $states.input.n", r#""u1-3""#),
        ("$merge([$user, {'n': $user.n + 1}])", r#"{"id":"u1","n":2}"#),
        ("$été", "1"),
        ("$été + 1", "2"),
        ("$missing", UNDEFINED),
        ("$missing.a", UNDEFINED),
        ("$exists($missing)", "false"),
        ("{'a': $missing, 'b': [$missing, 1]}", r#"{"b":[1]}"#),
        ("$states.input.items@$i.$list@$l[$l = $i.qty].{'p': $i.price, 'l': $l}", r#"[{"p":2,"l":3},{"p":5,"l":1}]"#),
        ("$states.input.items.%.name", r#"["Ada","Ada"]"#),
        (
            "$states.input ~> |items|{'price': 0}|",
            r#"{"name":"Ada","n":3,"zero":0,"big":9007199254740992,"text":"5","items":[{"price":0,"qty":3,"tags":["a","b"]},{"price":0,"qty":1,"tags":[]}],"one":[{"price":7}],"empty":[],"none":null,"nested":{"a":[{"b":1},{"b":2}],"o":{}}}"#,
        ),
        ("$states.input.name", r#""Ada""#),
        ("'a b'", r#""a b""#),
        ("null", "null"),
        ("[]", "[]"),
        ("  [1, 'two', 3]\n", r#"[1,"two",3]"#),
    ]);
}

#[test]
fn own_bindings_win() {
    check(&[
        ("$x := 1", "1"),
        ("($total := 1; $total + 1)", "2"),
        ("($states := {'input': 7}; $states.input)", "7"),
        ("(function($total) { $total })(3)", "3"),
        ("($f := function($n) { $n <= 1 ? 1 : $n * $f($n - 1) }; $f(5))", "120"),
        ("($count := 4; $count)", "4"),
        ("($range := function($a) { $a }; $range(9))", "9"),
        ("$count($list)", "3"),
    ]);
    let mut environment = environment();
    environment.variables.insert("count".into(), Value::from(5));
    assert_eq!(evaluate_in("$count", &environment), "5", "a variable hides a function");
    assert_eq!(
        evaluate_in("$count($list)", &environment),
        "threw an error during evaluation. T1006: Attempted to invoke a non-function"
    );
    assert_eq!(evaluate_in("$sum($list) + $count", &environment), "11");
}

#[test]
fn numbers_are_those_of_javascript() {
    check(&[
        ("1", "1"),
        ("1.0", "1"),
        ("-0", "0"),
        ("$states.input.zero", "0"),
        ("[$states.input.zero]", "[0]"),
        ("{'z': $states.input.zero}.z", "0"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("1 / 3", "0.3333333333333333"),
        ("2.5", "2.5"),
        ("$states.input.big", "9007199254740992"),
        ("[$states.input.big]", "[9007199254740992]"),
        ("$power(2, 62)", "4611686018427388000"),
        ("$power(2, 63)", "9223372036854776000"),
        ("$power(10, 20)", "100000000000000000000"),
        ("$power(10, 21)", "1.0E21"),
        ("-$power(10, 18)", "-1000000000000000000"),
        ("$string(0.1 + 0.2)", r#""0.3""#),
        ("$number('2')", "2"),
    ]);
}

#[test]
fn functions_of_aws() {
    check(&[
        ("$partition([1, 2, 3, 4, 5], 2)", "[[1,2],[3,4],[5]]"),
        ("$partition([0], 5)", "[[0]]"),
        ("$partition([1, 2, 3], 1.9)", "[[1],[2],[3]]"),
        ("$partition([], 2)", "[]"),
        ("$partition($missing, 2)", UNDEFINED),
        (
            "$partition([1], 0)",
            "threw an error during evaluation. D3137: the size of the parts of $partition must be at least 1, not 0",
        ),
        ("$range(1, 9, 3)", "[1,4,7]"),
        ("$range(0, 10, 5)", "[0,5,10]"),
        ("$range(3, 1, -1)", "[3,2,1]"),
        ("$range(1, 9, 9)", "1"),
        ("$range(5, 1, 1)", UNDEFINED),
        ("$range(1.9, 3.9, 1.9)", "[1,2,3]"),
        ("$range(1, 2, 0)", "threw an error during evaluation. D3137: the step of $range must not be 0"),
        ("$range(0, 1e9, 1)", "Expression evaluation memory limit exceeded"),
        (
            "$range(1, 3)",
            "threw an error during evaluation. T0410: Argument 3 of function \"range\" does not match function signature",
        ),
        ("$hash('abc', 'MD5')", r#""900150983cd24fb0d6963f7d28e17f72""#),
        ("$hash('abc', 'SHA-1')", r#""a9993e364706816aba3e25717850c26c9cd0d89d""#),
        ("$hash('abc', 'SHA-256')", r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#),
        ("$substring($hash('abc', 'SHA-384'), 0, 16)", r#""cb00753f45a35e8b""#),
        ("$substring($hash('abc', 'SHA-512'), 0, 16)", r#""ddaf35a193617aba""#),
        ("$hash({'a': 1}, 'MD5') = $hash('{\"a\":1}', 'MD5')", "true"),
        (
            "$hash('abc', 'sha256')",
            "threw an error during evaluation. D3137: the algorithm of $hash must be one of MD5, SHA-1, SHA-256, SHA-384 and SHA-512, not sha256",
        ),
        ("$parse('-0')", "0"),
        ("$parse('1.1')", "1.1"),
        ("$parse('\"HelloWorld\"')", r#""HelloWorld""#),
        ("$parse('[1, 2, {\"a\": []}]')", r#"[1,2,{"a":[]}]"#),
        ("$parse('{\"a\": {\"b\": 7}}').a.b", "7"),
        ("$states.input.text.$parse($)", "5"),
        ("$parse($missing)", UNDEFINED),
        ("$contains($string($parse('null')), 'null')", "true"),
        ("$random(7) = $random(7)", "true"),
        ("$random(7) = $random(8)", "false"),
        ("$map([1..50], function($v) { $random() })[$ < 0 or $ >= 1]", UNDEFINED),
        ("$random() = $random()", "false"),
        ("$contains($uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)", "true"),
        ("$uuid() = $uuid()", "false"),
        ("$count($map([1, 2], function($v) { $uuid() }))", "2"),
        ("$now()", r#""2023-11-14T22:13:20.000Z""#),
        ("$millis()", "1700000000000"),
        ("$count($shuffle([1..10]))", "10"),
        ("$distinct([1, 2, 1, 3, 2])", "[1,2,3]"),
        ("$distinct($states.input.items.qty)", "[3,1]"),
        ("$distinct($states.input.items.($type(qty)))", r#""number""#),
        ("$map([[1, 1], [2, 2]], $distinct)", "[[1],[2]]"),
        ("$states.input.items.tags ~> $distinct", r#"["a","b"]"#),
        ("$keys($states.input.nested)", r#"["a","o"]"#),
        ("$states.input.nested.$keys()", r#"["a","o"]"#),
        ("$keys($states.input.one)", r#""price""#),
        ("$keys({})", UNDEFINED),
    ]);
    let parsed = evaluate("$parse('{a}')");
    assert!(
        parsed.starts_with("threw an error during evaluation. D3137: the text given to $parse is not JSON: "),
        "{parsed}"
    );
}

#[test]
fn chance_follows_the_environment() {
    let draws = |seed: u64| {
        let environment = environment();
        environment.random.set(seed);
        evaluate_in("[$random(), $uuid(), $shuffle([1..20])]", &environment)
    };
    assert_eq!(draws(1), draws(1));
    assert_ne!(draws(1), draws(2));
    let environment = environment();
    let first = evaluate_in("$uuid()", &environment);
    assert_ne!(first, evaluate_in("$uuid()", &environment), "each evaluation draws anew");
    // More steps than the small bounds allow: the second attempt must draw the same numbers.
    let long = evaluate_in("($u := $uuid(); $map([1..9000], function($v) { $v }); $u)", &self::environment());
    assert_eq!(long, evaluate_in("$uuid()", &self::environment()));
}

#[test]
fn prohibitions() {
    let at_top = |name: &str| format!("refused: - Reference to '{name}' at the top level is not supported.");
    for text in ["$", "$ + 1", "[$]", "{'a': $}", "$map([1], function($v) { $ })", "$sum($)", "$.a", "$[0]"] {
        assert_eq!(evaluate(text), at_top("$"), "{text}");
    }
    for text in ["$$", "$$.a", "$list[$$.a]", "$states.input.($$)"] {
        assert_eq!(evaluate(text), "refused: - Reference to '$$' is not supported.", "{text}");
    }
    for text in ["name", "name.a", "$total + name", "{'a': name}", "(name)", "$list ? name : 1", "states.input"] {
        assert_eq!(evaluate(text), at_top(if text.starts_with("states") { "states" } else { "name" }), "{text}");
    }
    let mut with_eval = environment();
    with_eval.variables.insert("eval".into(), Value::from(5));
    assert_eq!(evaluate_in("$eval", &with_eval), "5", "a variable may have the name");
    let no_function = "threw an error during evaluation. T1006: Attempted to invoke a non-function";
    assert_eq!(evaluate_in("$eval('1')", &with_eval), no_function);
    let refused = Expression::parse("phone & `a b` & $$ & phone & $ & $list[phone] & $$").unwrap_err();
    assert_eq!(refused.message, "Reference to 'phone' at the top level is not supported.");
    let further = [
        "Reference to 'a b' at the top level is not supported.",
        "Reference to '$$' is not supported.",
        "Reference to '$' at the top level is not supported.",
    ];
    assert_eq!(refused.further, further, "each name once, in order");
    check(&[
        ("1 ?: 2", "refused: S0211 The symbol \":\" cannot be used as a unary operator"),
        ("$total ?? 2", "refused: S0211 The symbol \"?\" cannot be used as a unary operator"),
        ("$eval('1')", "threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        (
            "$map(['1'], function($v) { $eval($v) })",
            "threw an error during evaluation. T1006: Attempted to invoke a non-function",
        ),
        ("$eval", UNDEFINED),
        ("$exists($eval)", "false"),
        ("($eval := function($x) { $x }; $eval(1))", "1"),
        ("$list[$ = 2]", "2"),
        ("$user.(id)", r#""u1""#),
        ("$states.input.items.{'p': price}", r#"[{"p":2},{"p":5}]"#),
        ("$states.input.items{$string(qty): price}", r#"{"3":2,"1":5}"#),
        ("$states.input.items^(>price).price", "[5,2]"),
        // Nothing stands in for the context item at the top level.
        ("$uppercase()", UNDEFINED),
        ("*", UNDEFINED),
        ("**", UNDEFINED),
        ("$user.$string()", r#""{\"id\":\"u1\",\"n\":1}""#),
    ]);
}

/// What the official cases do not show; each is what the npm package of 2.0.6 gives.
#[test]
fn arrays_and_sequences() {
    check(&[
        ("[[1..4]]", "[[1,2,3,4]]"),
        ("[1..4]", "[1,2,3,4]"),
        ("[[[1..2]], 3]", "[[[1,2]],3]"),
        ("[1..2, 5..6]", "[1,2,5,6]"),
        ("[5..1]", "[]"),
        ("[[1..4]].[w]", "[]"),
        ("[1, 2, 3]#$i.{'i': $i}", "[{},{},{}]"),
        ("$states.input.items#$i.{'i': $i, 'q': qty}", r#"[{"i":0,"q":3},{"i":1,"q":1}]"#),
        ("$states.input.items[price > 2]#$i.$i", "0"),
        ("[{'x': 1}][0].x", UNDEFINED),
        ("$states.input.items.tags", r#"["a","b"]"#),
        ("$states.input.items[0].tags[1]", r#""b""#),
        ("$states.input.nested.a[b = 2].%.o", "{}"),
        ("$map([{'a': 1}], $spread)", r#"[{"a":1}]"#),
        ("[3, 1] ~> $sort()[0]", "[1,3]"),
        ("$append([], 1)", "[1]"),
        ("$list[[0, 2]]", "[1,3]"),
        ("$list[[0..1]]", "[1,2]"),
        ("$list^(>$)", "[3,2,1]"),
        ("$states.input.items^(<qty, >price).price", "[5,2]"),
        ("$states.input.items{'all': $sum(price)}", r#"{"all":7}"#),
        ("$states.input.** ~> $count() > 20", "true"),
        ("({'a': 1} ~> |$|{'w': $}|)", r#"{"a":1,"w":{"a":1}}"#),
        ("({'a': {'b': 1}} ~> |a|{'c': 2}, 'b'|)", r#"{"a":{"c":2}}"#),
    ]);
}

#[test]
fn errors() {
    check(&[
        ("", "refused: S0207 Unexpected end of expression"),
        ("$sum(", "refused: S0203 Expected \")\" before end of expression"),
        ("1 +", "refused: S0207 Unexpected end of expression"),
        ("$randomSeeded(1)", "threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        ("$total(1)", "threw an error during evaluation. T1006: Attempted to invoke a non-function"),
        ("sum([1])", "threw an error during evaluation. T1005: Attempted to invoke a non-function. Did you mean $sum?"),
        (
            "'a' + 1",
            "threw an error during evaluation. T2001: The left side of the \"+\" operator must evaluate to a number",
        ),
        ("$error('mine')", "threw an error during evaluation. D3137: mine"),
        ("$number('x')", "threw an error during evaluation. D3030: Unable to cast value to a number: \"x\""),
        (
            "$uppercase(1)",
            "threw an error during evaluation. T0410: Argument 1 of function \"uppercase\" does not match function signature",
        ),
        ("$fn := function($x) { $x }", UNSUPPORTED),
        ("function($x) { $x }", UNSUPPORTED),
        ("$sum", UNSUPPORTED),
        ("$uuid", UNSUPPORTED),
        ("/a+/", UNSUPPORTED),
        ("true ? $sum : 1", UNSUPPORTED),
        ("$states.($sum)", UNSUPPORTED),
        ("[$sum][0]", UNSUPPORTED),
        ("{'f': $sum}.f", UNSUPPORTED),
        ("false ? 1", UNDEFINED),
        ("($x := $missing)", UNDEFINED),
        ("{'f': $sum, 'n': 1}", r#"{"n":1}"#),
    ]);
}

#[test]
fn regular_expressions() {
    check(&[
        (r"$contains('hello$world', /^hello\$/)", "true"),
        (r"$replace('a-b-c', /-/, '+')", r#""a+b+c""#),
        (r"$match('ab12', /[0-9]+/).match", r#""12""#),
        (r"($re := /b/i; $contains('ABC', $re))", "true"),
    ]);
}

#[test]
fn reads_are_precise() {
    let reads = |text: &str| {
        let expression = Expression::parse(text).unwrap();
        let reads = expression.reads().clone();
        let flags = [
            (reads.input, "input"),
            (reads.context, "context"),
            (reads.result, "result"),
            (reads.error_output, "errorOutput"),
        ];
        let mut names: Vec<String> = reads.variables.iter().map(|name| format!("${name}")).collect();
        names.extend(flags.iter().filter(|(read, _)| *read).map(|(_, name)| (*name).to_owned()));
        names.join(" ")
    };
    for (text, expected) in [
        ("1", ""),
        ("$b + $a + $b", "$b $a"),
        ("$states.input.x + $total", "$total input"),
        ("$states.result.a", "result"),
        ("$states.errorOutput", "errorOutput"),
        ("$states.context.Task.Token", "context"),
        ("$states", "input context"),
        ("$lookup($states, 'result')", "input context"),
        ("($x := $y; $x + $z)", "$y $z"),
        ("($x := $x; $x)", "$x"),
        ("function($p) { $p + $q }", "$q"),
        ("$map($list, function($v, $i) { $v + $n })", "$list $n"),
        ("($f := function($n) { $f($n - 1) }; $f(1))", ""),
        ("$map($list, $sum)", "$list"),
        ("$nosuch($a)", "$a"),
        ("$a.b[c = $d]{e: $f}", "$a $d $f"),
        ("$a^(b, >$c)", "$a $c"),
        ("$a@$x#$y.$b[$y > $z].$x", "$a $b $z"),
        ("$a#$i[$i = $b].c", "$a $b"),
        ("$a[$i = 1]#$i[$i = 2].c", "$a $i"),
        ("$a@$x[$x.b = $c].$d", "$a $c $d"),
        ("$a ~> |b|{'c': $d}, $e|", "$a $d $e"),
        ("$a ~> $f", "$a $f"),
        ("$a ~> $count()", "$a"),
        ("($states := 1; $states.result)", ""),
        ("$partition($a, $size)", "$a $size"),
        ("$substring(?, $a, 2)", "$a"),
    ] {
        assert_eq!(reads(text), expected, "{text}");
    }
}

/// An environment that fails when it is asked for anything but its input.
struct OnlyInput(TestEnvironment, Cell<u32>);

impl Environment for OnlyInput {
    fn input(&self) -> &Value {
        self.1.set(self.1.get() + 1);
        self.0.input()
    }

    fn context(&self) -> &Value {
        panic!("the Context object was not named")
    }

    fn result(&self) -> Option<&Value> {
        panic!("the result was not named")
    }

    fn error_output(&self) -> Option<&Value> {
        panic!("the error output was not named")
    }

    fn variable(&self, name: &str) -> Option<Value> {
        assert!(name != "total", "a variable that is not named was asked for");
        None
    }

    fn random_u64(&self) -> u64 {
        panic!("nothing draws")
    }

    fn now_ms(&self) -> i64 {
        self.0.now_ms()
    }

    fn fuel(&self) -> &Fuel {
        self.0.fuel()
    }
}

#[test]
fn only_what_is_named_is_asked_for() {
    let environment = OnlyInput(environment(), Cell::new(0));
    for text in [
        "$states.input.name",
        "$states.input.name = 'Ada'",
        "$count($states.input.items[price > 3])",
        "$map([1..9000], function($v) { $states.input.n }) ~> $count()",
    ] {
        environment.1.set(0);
        Expression::parse(text).unwrap().evaluate(&environment).unwrap();
        assert!(environment.1.get() > 0, "{text}");
    }
}

#[test]
fn untouched_parts_are_not_copied() {
    let environment = environment();
    for text in ["$states.input.nested", "[$states.input.nested][0]", "{'a': $states.input.nested}.a"] {
        let value = Expression::parse(text).unwrap().evaluate(&environment).unwrap();
        let (Value::Object(found), Some(Value::Object(given))) = (&value, environment.input.get("nested")) else {
            panic!("{text} gives the object");
        };
        assert!(std::sync::Arc::ptr_eq(found, given), "{text}");
    }
}

#[test]
fn bounds_end_what_does_not_end() {
    let table = [
        ("($f := function($n) { 1 + $f($n + 1) }; $f(0))", "Stack overflow error"),
        ("($f := function($n) { $f($n + 1) }; $f(0))", "out of fuel"),
        ("($f := function($s) { $f($s & $s) }; $f('ab'))", "Expression evaluation memory limit exceeded"),
        ("($f := function($a) { $f($append($a, $a)) }; $f([1]))", "Expression evaluation memory limit exceeded"),
        ("($f := function($a) { $f([$a, $a]) }; $count($f([1])))", "Expression evaluation memory limit exceeded"),
        (
            "$reduce([1..200], function($a, $i) { {'a': $a, 'b': $a} }, {})",
            "Expression evaluation memory limit exceeded",
        ),
        ("[1..1e7]", "Expression evaluation memory limit exceeded"),
        (
            "($s := $pad('', 100000, 'x'); $count($map([1..9000], function($v) { $s & 'y' })))",
            "Expression evaluation memory limit exceeded",
        ),
        (
            "$count($map([1..9000], function($v) { $reverse([1..9000]) }))",
            "Expression evaluation memory limit exceeded",
        ),
        ("$count($map([1..9000], function($v) { [1..9000] }))", "9000"),
        ("($a := [1..9000]; $count($map($a, $append(?, $a))))", "Expression evaluation memory limit exceeded"),
        (
            "($d := $map([1..3000], $string); $count($map([1..9000], function($i) { {'d': $d} ~> |d|{'i': $i}| })))",
            "out of fuel",
        ),
        ("($t := $string([1..9000]); $count($map([1..9000], function($i) { $parse($t) })))", "out of fuel"),
        ("$count($distinct($reverse([1..50000])))", "50000"),
        ("$pad('', 10000000)", "Expression evaluation memory limit exceeded"),
    ];
    for (text, expected) in table {
        let mut environment = environment();
        if expected == "out of fuel" {
            // A tenth of what AWS gives: the outcome is the same, the test is quicker.
            environment.fuel = Fuel::new(100_000);
        }
        assert_eq!(evaluate_in(text, &environment), expected, "{text}");
    }
}

/// Values that share their parts, small in memory and without end when they are walked.
#[test]
fn what_walks_without_end_is_ended() {
    let nested =
        "($f := function($a, $n) { $n = 0 ? $a : $f([[$a, $a]], $n - 1) }; $v := $f([], 40); $w := $f([], 40); ";
    let walks = [
        "$v = $w)",
        "$boolean($v))",
        "$v.x)",
        "$count($v.**))",
        "$lookup($v, 'x'))",
        "$spread($v))",
        "$keys($v))",
        "$distinct([$v, $w]))",
        "$v ~> |x|{'y': 1}|)",
    ];
    let nested = walks.map(|walk| format!("{nested}{walk}"));
    let straight = |level: &str| -> String {
        let levels = (1..=40).map(|n| format!("$a{n} := {};", level.replace('A', &format!("$a{}", n - 1))));
        format!("($a0 := []; {} $boolean($a40))", levels.collect::<String>())
    };
    let others = [
        straight("[[A, A]]"),
        straight("$map([1, 2], function($i) { [A] })"),
        "($v := $reduce([1..40], function($a, $i) { [[$a, $a]] }, []); $boolean($v))".to_owned(),
    ];
    for text in nested.iter().chain(&others) {
        let mut environment = environment();
        environment.fuel = Fuel::new(5_000);
        assert_eq!(evaluate_in(text, &environment), "out of fuel", "{text}");
        assert_eq!(environment.fuel.left(), 0, "{text}");
    }
    for text in ["$string($v))", "$v)", "[$v, 1])"] {
        let text = format!("{}{text}", &nested[0][..nested[0].len() - "$v = $w)".len()]);
        assert_eq!(evaluate(&text), "Expression evaluation memory limit exceeded", "{text}");
    }
}

/// What is dropped, compared or printed may be nested deeper than any stack.
#[test]
fn deep_values_end_well() {
    check(&[
        ("$count($reduce([1..100000], function($a, $i) { [[$a], $i] }, []))", "2"),
        ("$type($reduce([1..100000], function($a, $i) { {'a': $a} }, {}))", r#""object""#),
        ("$reduce([1..100000], function($a, $i) { {'a': $a} }, {})", "Stack overflow error"),
        (
            "($f := function($n) { [[$reduce([1..$n], function($a, $i) { [[$a]] }, [])]] }; $f(50000) = $f(50000))",
            "Stack overflow error",
        ),
        ("$string($reduce([1..50000], function($a, $i) { [[$a]] }, []))", "Stack overflow error"),
        ("$type($reduce([1..50000], function($f, $i) { function() { $f } }))", r#""function""#),
        ("$type($reduce($append([$string], [1..5000]), function($f, $i) { $f ~> $string }))", r#""function""#),
        ("$type($reduce($append([$pad], [1..5000]), function($f, $i) { $f(?, 1) }))", r#""function""#),
        ("$reduce($append([$string], [1..20000]), function($f, $i) { $f ~> $string })('a')", "Stack overflow error"),
    ]);
}

#[test]
fn regular_expressions_take_time_in_proportion() {
    let mut environment = environment();
    environment.fuel = Fuel::new(100_000);
    environment.variables.insert("long".into(), Value::from("a".repeat(60_000)));
    for (text, expected) in [
        ("$contains($long & 'c', /^(a+)+b$/)", "false"),
        ("$contains($long, /(a*)*b/)", "false"),
        ("$contains($long, /(a|a)*b/)", "false"),
        ("$contains($long, /a*a*a*a*b/)", "false"),
        ("$contains($long, /(.*)(.*)(.*)(.*)x/)", "false"),
        ("$count($match($long, /aa?/))", "30000"),
        ("$contains($long, /(?=(a+))a*b\\1/)", "out of fuel"),
    ] {
        let text = text.replace("\\\\", "\\");
        assert_eq!(evaluate_in(&text, &environment), expected, "{text}");
        environment.fuel = Fuel::new(100_000);
    }
}

#[test]
fn deep_texts_and_values_are_refused() {
    let nested = |open: &str, close: &str, times: usize| open.repeat(times) + "1" + &close.repeat(times);
    assert!(Expression::parse(&nested("(", ")", 100)).is_ok());
    for (open, close) in [("(", ")"), ("[", "]"), ("{'a':", "}"), ("-", ""), ("$f(", ")"), ("1+", ""), ("$a[", "]")] {
        assert!(Expression::parse(&nested(open, close, 20_000)).is_err(), "{open}");
    }
    assert!(Expression::parse(&" 1,".repeat(200_000)).is_err(), "too long");
    // A value of 300 levels: deeper than any value may be.
    let deep = "($f := function($n) { $n = 0 ? 1 : {'a': $f($n - 1)} }; $f(300))";
    assert_eq!(evaluate(deep), "Stack overflow error");
    let regex = format!("$contains('a', /{}/)", nested("(", ")", 5_000));
    assert!(!evaluate(&regex).is_empty(), "a regular expression of any depth ends");
}

#[test]
fn fuel_is_burned_and_bounds_the_work() {
    let with_fuel = |text: &str, units: u64| {
        let mut environment = environment();
        environment.fuel = Fuel::new(units);
        let outcome = Expression::parse(text).unwrap().evaluate(&environment);
        (outcome, units - environment.fuel.left())
    };
    let (outcome, burned) = with_fuel("$states.input.n + 1", 1_000_000);
    assert_eq!(outcome, Ok(Value::from(4)));
    assert!(burned < 20, "a small expression burned {burned}");

    let long = "$sum($map([1..30000], function($v) { $v % 7 }))";
    let (outcome, burned) = with_fuel(long, 1_000_000);
    assert!(outcome.is_ok());
    assert!((1_000..200_000).contains(&burned), "a long expression burned {burned}");
    assert_eq!(with_fuel(long, 1_000_000).1, burned, "what is burned is the same each time");
    assert_eq!(with_fuel(long, 5_000), (Err(EvaluationError::OutOfFuel(OutOfFuel)), 5_000));
    assert_eq!(with_fuel("$states.input.n", 0), (Err(EvaluationError::OutOfFuel(OutOfFuel)), 0));
    // What needs more than the first bounds allow is right with any fuel that suffices.
    let (outcome, _) = with_fuel("$count([1..3000])", 100);
    assert_eq!(outcome, Ok(Value::from(3000)));
}

/// Functions that are passed around mean the same under a meter, where each is called by one of ours.
#[test]
fn functions_as_values() {
    let expressions = [
        ("$map([1, 2], $string)", r#"["1","2"]"#),
        ("$map(['a', 'b'], $uppercase)", r#"["A","B"]"#),
        ("$map(['a', 'b'], $pad(?, 3, '-'))", r#"["a--","b--"]"#),
        ("$map([1.25, 2.35], $round(?, 1))", "[1.2,2.4]"),
        ("['a b', 'c'] ~> $map($split(?, ' '))", r#"[["a","b"],["c"]]"#),
        ("$map([[2, 1], [3, 4]], $reverse)", "[[1,2],[4,3]]"),
        ("$filter([0, 1, '', 'a'], $boolean)", r#"[1,"a"]"#),
        ("$reduce([[1], [2], [3]], $append)", "[1,2,3]"),
        ("$map([[1, 2], [3, 4]], $sum)", "[3,7]"),
        ("$map([[1], [2]], $zip)", "[[[1]],[[2]]]"),
        ("($f := $uppercase ~> $trim; $f(' a '))", r#""A""#),
        ("'a' ~> $uppercase", r#""A""#),
        ("{'a': 1} ~> $keys", r#""a""#),
        ("$map([{'a': 1}, {'b': 2}], $keys)", r#"[["a"],["b"]]"#),
        ("$map([{'a': 1}], $clone)", r#"{"a":1}"#),
        ("$exists($sum)", "true"),
        ("$type($sum)", r#""function""#),
        ("$map(['[1]', '2'], $parse)", "[[1],2]"),
        ("$substring(?, 1)('abc')", r#""bc""#),
    ];
    for (text, expected) in expressions {
        assert_eq!(evaluate(text), expected, "{text}");
        // So many steps that the meter comes in.
        let metered = format!("($map([1..9000], function($v) {{ $v }}); {text})");
        assert_eq!(evaluate(&metered), expected, "{metered}");
    }
}

#[test]
fn expressions_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Expression>();
}

#[test]
fn large_results_and_inputs() {
    let mut environment = environment();
    let items = (0..3_000).map(|n| Value::object([("id", Value::from(n)), ("name", Value::from("some name"))]));
    environment.input = Value::object([("items", Value::array(items.collect()))]);
    for (text, expected) in [
        ("$count($states.input.items)", "3000"),
        ("$count($states.input.items.name)", "3000"),
        ("$sum($states.input.items.id)", "4498500"),
        ("$count($states.input.items[id % 2 = 0])", "1500"),
        ("$count($string($states.input)) ", "1"),
        ("$length($string($states.input.items)) > 80000", "true"),
        ("$count($distinct($states.input.items.id))", "3000"),
        ("$map($states.input.items, function($i) { $i.id })[2999]", "2999"),
        ("$states.input.items[2999].id", "2999"),
        ("$count($states.input.items{$string(id): name} ~> $keys())", "3000"),
    ] {
        assert_eq!(evaluate_in(text, &environment), expected, "{text}");
    }
    // Sixty-four references to the same 100 kB: small in memory, too large as a result.
    let copies = "($a := [$states.input, $states.input]; $b := [$a, $a]; $c := [$b, $b]; $d := [$c, $c]; [$d, $d])";
    assert_eq!(evaluate_in(copies, &environment), "Expression evaluation memory limit exceeded");
}

/// Expressions that parse, for the most part.
fn any_expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "$states.input",
        "$states.input.items",
        "$states.input.one.price",
        "$states.input.nested.a.b",
        "$states.context.Execution",
        "$states",
        "$list",
        "$total",
        "$user",
        "$missing",
        "'a b'",
        "''",
        "1",
        "0",
        "2.5",
        "null",
        "true",
        "[]",
        "{}",
        "/a/",
        "$sum",
        "$string",
        "function($x) { $x }",
    ])
    .prop_map(str::to_owned);
    let one = [
        "(E)",
        "[E]",
        "[E, 1]",
        "{'k': E}",
        "-E",
        "E.price",
        "E.tags",
        "E[0]",
        "E[-1]",
        "E[price > 2]",
        "E[]",
        "E.*",
        "E.**",
        "E^(price)",
        "E{'k': $}",
        "E.$string()",
        "$string(E)",
        "$count(E)",
        "$keys(E)",
        "$distinct(E)",
        "$type(E)",
        "$sum(E)",
        "$uppercase(E)",
        "$boolean(E)",
        "$exists(E)",
        "$reverse(E)",
        "$map(E, $string)",
        "$map(E, $type)",
        "$filter(E, function($v) { $v })",
        "$map(E, function($v, $i) { [$v, $i] })",
        "$parse(E)",
        "$hash(E, 'MD5')",
        "$clone(E)",
        "$spread(E)",
        "$merge(E)",
        "$each(E, function($v, $k) { $k })",
        "E ~> |items|{'price': 1}|",
        "E.%",
        "($y := E; $y)",
        "($f := function($x) { $x }; $f(E))",
        "E ~> $string",
        "E#$i[$i = 0]",
        "[1..E]",
        "$range(1, E, 1)",
        "$sort(E)",
        "$split(E, ' ')",
        "$match(E, /a/)",
        "$replace(E, 'a', 'b')",
        "$pad(E, 5)",
        "$lookup(E, 'a')",
    ];
    let two = [
        "E + F",
        "E & F",
        "E = F",
        "E < F",
        "E and F",
        "E in F",
        "E ? F : 0",
        "[E, F]",
        "{'a': E, 'b': F}",
        "$append(E, F)",
        "$partition(E, F)",
        "$zip(E, F)",
        "E[F]",
        "E.F",
        "E ~> F",
        "(E; F)",
        "$map(E, F)",
        "$reduce(E, F)",
    ];
    leaf.prop_recursive(4, 12, 2, move |inner| {
        prop_oneof![
            (prop::sample::select(one.to_vec()), inner.clone()).prop_map(|(form, e)| form.replace('E', &e)),
            (prop::sample::select(two.to_vec()), inner.clone(), inner).prop_map(|(form, e, f)| {
                let parts: Vec<String> = form
                    .split_inclusive(['E', 'F'])
                    .map(|part| part.replace('F', &format!("({f})")).replace('E', &format!("({e})")))
                    .collect();
                parts.concat()
            }),
        ]
    })
}

proptest! {
    /// Whatever is written between `{%` and `%}` is refused, or ends in a value or an error of its own.
    #[test]
    fn any_text_ends_well(tokens in prop::collection::vec(prop::sample::select(TOKENS.to_vec()), 1..14)) {
        let text = tokens.concat();
        if let Ok(expression) = Expression::parse(&text) {
            let mut environment = environment();
            environment.fuel = Fuel::new(2_000);
            if let Err(EvaluationError::Thrown(error)) = expression.evaluate(&environment) {
                prop_assert!(!error.contains("engine failed"), "{}", text);
            }
        }
    }

    /// However an expression is evaluated, it comes to the same.
    #[test]
    fn same_with_and_without_a_meter(text in any_expression()) {
        let plain = evaluate(&text);
        prop_assert!(!plain.contains("engine failed"), "{}", text);
        // An array that the attempt without a meter may not build.
        let metered = evaluate(&format!("($count([1..9000]); {text})"));
        if !plain.starts_with("refused") && !plain.contains("limit exceeded") {
            prop_assert_eq!(plain, metered, "{}", text);
        }
    }
}

const TOKENS: &[&str] = &[
    "$",
    "$$",
    "$states",
    ".input",
    ".items",
    "$list",
    "$total",
    "$missing",
    "name",
    ".",
    "..",
    "*",
    "**",
    "%",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ",",
    ";",
    ":",
    ":=",
    "?",
    "??",
    "?:",
    "~>",
    "|",
    "^",
    "@$i",
    "#$j",
    "+",
    "-",
    "/",
    "&",
    "=",
    "!=",
    "<",
    ">",
    " and ",
    " or ",
    " in ",
    "1",
    "0",
    "-1",
    "1e300",
    "0.5",
    "'a'",
    "\"\\u00e9\"",
    "''",
    "null",
    "true",
    "/a+/i",
    "function($x)",
    "{$x}",
    "$sum(",
    "$map(",
    "$filter(",
    "$string(",
    "$distinct",
    "$keys(",
    "$clone",
    "$partition(",
    "$range(",
    "$parse(",
    "$hash(",
    "$random()",
    "$uuid()",
    "$pad(?",
    "$eval(",
    "$f:=",
    "$f(",
    "<s-:s>",
    "`b`",
    "/*c*/",
];
