use std::collections::BTreeMap;

use super::*;
use crate::{environment::TestEnvironment, json};

const STORE: &str = r#"{
  "store": {
    "book": [
      {"category": "reference", "author": "Nigel Rees", "title": "Sayings of the Century", "price": 8.95},
      {"category": "fiction", "author": "Evelyn Waugh", "title": "Sword of Honour", "price": 12.99},
      {"category": "fiction", "author": "Herman Melville", "title": "Moby Dick", "isbn": "0-553-21311-3", "price": 8.99},
      {"category": "fiction", "author": "J. R. R. Tolkien", "title": "The Lord of the Rings", "isbn": "0-395-19395-8", "price": 22.99}
    ],
    "bicycle": {"color": "red", "price": 19.95}
  },
  "expensive": 10,
  "numbers": [1, 2, 3, 4],
  "words": ["a", "b", "c"],
  "empty": [],
  "nothing": null,
  "text": "hello",
  "with space": 1,
  "a.b": {"c": 2},
  "it's": 3,
  "delivery-partner": "x"
}"#;

fn environment(input: &str) -> TestEnvironment {
    let mut environment = TestEnvironment::new(input);
    environment.context = json::parse(r#"{"Execution":{"Id":"arn","Input":{"a":1}}}"#).unwrap();
    environment.variables = BTreeMap::from([
        ("x".to_string(), json::parse(r#"{"a":[10,20,30],"n":8.95}"#).unwrap()),
        ("limit".to_string(), Value::from(9)),
    ]);
    environment
}

/// What a path gives, or its error after `!` (syntax) or `?` (reading).
fn read(path: &str, input: &str) -> String {
    match Path::parse(path) {
        Err(error) => format!("! {error}"),
        Ok(path) => match path.read(&environment(input)) {
            Ok(value) => value.to_string(),
            Err(error) => format!("? {error}"),
        },
    }
}

fn check(input: &str, cases: &[(&str, &str)]) {
    for (path, expected) in cases {
        assert_eq!(read(path, input), *expected, "{path}");
    }
}

#[test]
fn definite_paths() {
    check(
        STORE,
        &[
            ("$.expensive", "10"),
            (" $.expensive ", "10"),
            ("$['expensive']", "10"),
            ("$[\"expensive\"]", "10"),
            ("$.store.bicycle.color", "\"red\""),
            ("$.store['bicycle'].color", "\"red\""),
            ("$.store.['bicycle'].['color']", "\"red\""),
            ("$.store.book[0].title", "\"Sayings of the Century\""),
            ("$.store.book[-1].title", "\"The Lord of the Rings\""),
            ("$.store.book[ 1 ].price", "12.99"),
            ("$['with space']", "1"),
            ("$.with\\ space", "1"),
            ("$.a\\.b.c", "2"),
            ("$['a.b']['c']", "2"),
            ("$['it\\'s']", "3"),
            ("$[\"it's\"]", "3"),
            ("$.delivery-partner", "\"x\""),
            ("$.nothing", "null"),
            ("$.store.bicycle['color','price']", r#"{"color":"red","price":19.95}"#),
            ("$.store.bicycle['color','none']", r#"{"color":"red"}"#),
            ("$['\\u0074ext']", "\"hello\""),
            ("$$.Execution.Id", "\"arn\""),
            ("$$['Execution'].Input.a", "1"),
            ("$$", r#"{"Execution":{"Id":"arn","Input":{"a":1}}}"#),
            ("$x.a[1]", "20"),
            ("$x['a'][2]", "30"),
            ("$limit", "9"),
        ],
    );
}

#[test]
fn what_is_missing() {
    check(
        STORE,
        &[
            ("$.x", "? No results for path: $['x']"),
            ("$.store.x", "? No results for path: $['store']['x']"),
            ("$.no.such", "? Missing property in path $['no']"),
            ("$.store.no.such.path", "? Missing property in path $['store']['no']"),
            ("$.numbers[9]", "? No results for path: $['numbers'][9]"),
            ("$.numbers[-9]", "? No results for path: $['numbers'][-9]"),
            ("$.numbers[9].a", "? No results for path: $['numbers'][9]['a']"),
            ("$$.Execution.no", "? No results for path: $['Execution']['no']"),
            ("$x.b", "? No results for path: $['b']"),
            ("$y.b", "? undefined variable y"),
            (
                "$.text.a",
                "? Expected to find an object with property ['a'] in path $['text'] but found 'java.lang.String'. This is \
                 not a json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonProvider'.",
            ),
            ("$.text[0]", "? Filter: [0] can only be applied to arrays. Current context is: hello"),
            ("$.nothing[0]", "? The path $['nothing'] is null"),
            ("$.text[?(@.a)]", "? Filter: [?] can not be applied to primitives. Current context is: hello"),
            // Indefinite paths whose beginning is missing, as recorded.
            ("$.item.items[1:]", "[]"),
            ("$.item.items[:1]", "[]"),
            ("$.item.items[*]", "[]"),
            ("$.items[:1].itemValue", "[]"),
            ("$.store.book[*].isbn", r#"["0-553-21311-3","0-395-19395-8"]"#),
            ("$.store.book[*].isbn.x", "[]"),
            ("$..nowhere", "[]"),
        ],
    );
}

#[test]
fn indefinite_paths() {
    check(
        STORE,
        &[
            ("$.numbers[0,1]", "[1,2]"),
            ("$.numbers[0, -1, 9]", "[1,4]"),
            ("$.numbers[1:3]", "[2,3]"),
            ("$.numbers[2:]", "[3,4]"),
            ("$.numbers[-3:]", "[2,3,4]"),
            ("$.numbers[:2]", "[1,2]"),
            ("$.numbers[:-1]", "[1,2,3]"),
            ("$.numbers[:-9]", "[]"),
            ("$.numbers[9:]", "[]"),
            ("$.numbers[1:99]", "[2,3,4]"),
            ("$.numbers[3:1]", "[]"),
            ("$.numbers[1:-1]", "[]"),
            ("$.numbers[-1:2]", "[4,1,2]"),
            ("$.numbers[0:2:5]", "[1,2]"),
            ("$.numbers[*]", "[1,2,3,4]"),
            ("$.numbers.*", "[1,2,3,4]"),
            ("$.store.bicycle.*", r#"["red",19.95]"#),
            ("$.store.bicycle[*]", r#"["red",19.95]"#),
            ("$.text[*]", "[]"),
            ("$.empty[*]", "[]"),
            ("$.store.book[*].price", "[8.95,12.99,8.99,22.99]"),
            (
                "$.store.book[0,1]['title','price']",
                r#"[{"title":"Sayings of the Century","price":8.95},{"title":"Sword of Honour","price":12.99}]"#,
            ),
            ("$.store['bicycle','none'].color", r#"["red"]"#),
            ("$..color", r#"["red"]"#),
            ("$..price", "[8.95,12.99,8.99,22.99,19.95]"),
            ("$.store..price", "[8.95,12.99,8.99,22.99,19.95]"),
            ("$..book[0].author", r#"["Nigel Rees"]"#),
            ("$..['color']", r#"["red"]"#),
            (
                "$..[0]",
                r#"[{"category":"reference","author":"Nigel Rees","title":"Sayings of the Century","price":8.95},1,"a"]"#,
            ),
            ("$.numbers..*", "[1,2,3,4]"),
            ("$x..*", "[[10,20,30],8.95,10,20,30]"),
        ],
    );
    check(
        "[[1,2],[3],4]",
        &[("$[*][*]", "[1,2,3]"), ("$[0]", "[1,2]"), ("$[*]", "[[1,2],[3],4]"), ("$", "[[1,2],[3],4]")],
    );
    check(r#"{"a":[{"b":1},{"b":null},{}]}"#, &[("$.a[*].b", "[1,null]"), ("$..b", "[1,null]")]);
}

#[test]
fn filters() {
    check(
        STORE,
        &[
            ("$.store.book[?(@.price < 10)].title", r#"["Sayings of the Century","Moby Dick"]"#),
            ("$.store.book[?(@.price<10)].title", r#"["Sayings of the Century","Moby Dick"]"#),
            ("$.store.book[?(@.price > $.expensive)].price", "[12.99,22.99]"),
            ("$.store.book[?(@['price'] >= 12.99)].price", "[12.99,22.99]"),
            ("$.store.book[?(@.price <= 8.95)].price", "[8.95]"),
            ("$.store.book[?(@.price < $limit)].price", "[8.95,8.99]"),
            ("$.store.book[?(@.price == $x.n)].price", "[8.95]"),
            ("$.store.book[?(@.isbn)].price", "[8.99,22.99]"),
            ("$.store.book[?(!@.isbn)].price", "[8.95,12.99]"),
            ("$.store.book[?(!(@.isbn && @.price > 10))].price", "[8.95,12.99,8.99]"),
            ("$.store.book[?(@.category == 'fiction' && @.price < 10)].title", r#"["Moby Dick"]"#),
            ("$.store.book[?(@.category=='fiction'&&@.price<10)].title", r#"["Moby Dick"]"#),
            ("$.store.book[?(@.category == 'reference' || @.price > 20)].price", "[8.95,22.99]"),
            ("$.store.book[?(@.price < 9 && @.price > 8.96 || @.price > 20)].price", "[8.99,22.99]"),
            ("$.store.book[?((@.price > 20 || @.price < 9) && @.isbn)].price", "[8.99,22.99]"),
            ("$.store.book[?(@.author =~ /.*tolkien/i)].price", "[22.99]"),
            ("$.store.book[?(@.author =~ /tolkien/i)].price", "[]"),
            ("$.store.book[?(@.isbn =~ /0-.*-3/)].price", "[8.99]"),
            ("$.store.book[?('fiction' == @.category)].price", "[12.99,8.99,22.99]"),
            ("$.store.book[?(@.category != \"fiction\")].price", "[8.95]"),
            ("$.store.book[?(@.category in ['reference', 'none'])].price", "[8.95]"),
            ("$.store.book[?(@.category nin ['reference'])].price", "[12.99,8.99,22.99]"),
            ("$.store.book[?(@.category IN ['reference'])].price", "[8.95]"),
            ("$.store.book[?(@.missing nin ['reference'])].price", "[8.95,12.99,8.99,22.99]"),
            ("$.store.book[?(@.missing in ['reference'])].price", "[]"),
            ("$.store.book[?(@.isbn == null)].price", "[]"),
            ("$.store.book[?(@.price == '8.95')].price", "[8.95]"),
            ("$.store.book[?(@.price === '8.95')].price", "[]"),
            ("$.store.book[?(@.isbn contains '311')].price", "[8.99]"),
            ("$.store.book[?(@.isbn size 13)].price", "[8.99,22.99]"),
            ("$.store.book[?(@.isbn empty false)].price", "[8.99,22.99]"),
            ("$..book[?(@.price > 20)].title", r#"["The Lord of the Rings"]"#),
            ("$.store[?(@.color)]", "[]"),
            ("$.store.bicycle[?(@.color == 'red')].price", "[19.95]"),
            ("$.numbers[?(@ > 2)]", "[3,4]"),
            ("$.numbers[?(@ > $.numbers[1])]", "[3,4]"),
            ("$.numbers[?(@ in [1,4,'2'])]", "[1,2,4]"),
            ("$.words[?(@ >= 'b')]", r#"["b","c"]"#),
            ("$.numbers[?(@ == $$.Execution.Input.a)]", "[1]"),
            ("$..[?(@.color)].price", "[19.95]"),
        ],
    );
    let lists = r#"{"l":[{"t":["a","b"]},{"t":[]},{"t":["c"]},{"t":"a"},{}]}"#;
    check(
        lists,
        &[
            ("$.l[?(@.t subsetof ['a','b','c'])].t", r#"[["a","b"],[],["c"]]"#),
            ("$.l[?(@.t anyof ['a','x'])].t", r#"[["a","b"]]"#),
            ("$.l[?(@.t noneof ['a'])].t", r#"[[],["c"]]"#),
            ("$.l[?(@.t all ['a'])].t", r#"[["a","b"]]"#),
            ("$.l[?(@.t contains 'c')].t", r#"[["c"]]"#),
            ("$.l[?(@.t empty true)].t", "[[]]"),
            ("$.l[?(@.t size 2)].t", r#"[["a","b"]]"#),
            ("$.l[?(@.t == ['c'])].t", r#"[["c"]]"#),
            ("$.l[?(@.t =~ /[bc]/)].t", r#"[["a","b"],["c"]]"#),
            ("$.l[?('a' in @.t)].t", r#"[["a","b"]]"#),
            ("$.l[?(@.t[?(@ == 'b')] size 1)].t", r#"[["a","b"]]"#),
            ("$.l[?(@.t.length() == 1)].t", r#"[["c"]]"#),
            ("$.l[?(@ == {'t':['c']})].t", r#"[["c"]]"#),
        ],
    );
}

#[test]
fn functions() {
    check(
        STORE,
        &[
            ("$.numbers.length()", "4"),
            ("$.numbers.size()", "4"),
            ("$.store.bicycle.length()", "2"),
            ("$.text.length()", "null"),
            ("$.numbers.min()", "1.0"),
            ("$.numbers.max()", "4.0"),
            ("$.numbers.sum()", "10.0"),
            ("$.numbers.sum(10, $.expensive)", "30.0"),
            ("$.numbers.avg()", "2.5"),
            ("$.numbers.stddev()", "1.118033988749895"),
            ("$.store.bicycle.keys()", r#"["color","price"]"#),
            ("$.numbers.first()", "1"),
            ("$.numbers.last()", "4"),
            ("$.numbers.index(1)", "2"),
            ("$.numbers.index(-2)", "3"),
            ("$.numbers.index(9)", "? Target index:9 larger than object count:4"),
            ("$.words.concat()", "\"abc\""),
            ("$.words.concat('-', $.text, 1)", "\"abc-hello1\""),
            ("$.numbers.append(5, 'x')", r#"[1,2,3,4,5,"x"]"#),
            ("$..price.sum()", "73.87"),
            ("$.store.book[*].price.max()", "22.99"),
            ("$..book.length()", "1"),
            ("$.length($.numbers)", "4"),
            ("$.store.bicycle.keys().length()", "2"),
            ("$.empty.sum()", "? Aggregation function attempted to calculate value using empty array"),
            ("$.missing.length()", "? Missing property in path $['missing']"),
        ],
    );
}

#[test]
fn what_is_no_path() {
    let cases = [
        "",
        " ",
        "a",
        "a.b",
        "@.a",
        "$.",
        "$..",
        "$.a.",
        "$.a..",
        "$...a",
        "$.a b",
        "$ .a",
        "$-a",
        "$1",
        "$$x",
        "$[",
        "$[]",
        "$['a",
        "$['a'",
        "$['a',]",
        "$['a' 'b']",
        "$[a]",
        "$[1",
        "$[1,a]",
        "$[:]",
        "$[1.5]",
        "$[99999999999]",
        "$[*",
        "$[?]",
        "$[?(@.a]",
        "$[?(@.a",
        "$[?()]",
        "$[?(@.a ==)]",
        "$[?(@.a = 1)]",
        "$[?(@.a foo 1)]",
        "$[?(@.a == 1) x]",
        "$[?(1)]",
        "$[?(@.a =~ /(/)]",
        "$[?(@.a =~ /a)]",
        "$.a.foo()",
        "$.a.sum(",
        "$.a.sum().b",
        "$.a.sum(1 2)",
        "$.a\\",
        "$[(@.length-1)]",
        "$['a']b",
    ];
    for case in cases {
        assert!(Path::parse(case).is_err(), "{case}");
    }
    assert_eq!(
        Path::parse("$.a b").unwrap_err().message,
        "Use bracket notion ['my prop'] if your property contains blank characters. position: 2"
    );
    assert_eq!(
        Path::parse("$[(@.length-1)]").unwrap_err().message,
        "Could not parse token starting at position 1. Expected ?, ', 0-9, * "
    );
    assert_eq!(Path::parse("$.a.foo()").unwrap_err().message, "Function with name: foo does not exist.");
}

#[test]
fn what_a_path_is() {
    let path = |text| Path::parse(text).unwrap();
    assert!(path("$").is_root() && !path("$$").is_root() && !path("$x").is_root() && !path("$.a").is_root());
    assert!(path("$$.a").reads_context() && !path("$.a").reads_context());
    for text in ["$", "$.a", "$['a'].b[0]", "$[-1]", "$$.a", "$x.y"] {
        assert!(path(text).is_reference(), "{text}");
    }
    for text in ["$.*", "$..a", "$.a[*]", "$.a[0,1]", "$.a[1:]", "$['a','b']", "$.a[?(@.b)]", "$.a.length()"] {
        assert!(!path(text).is_reference(), "{text}");
    }
    let variables: Vec<_> = path("$x.a[?(@.b == $y && $limit > $x.c)].sum($z)").variables();
    assert_eq!(variables, ["x", "y", "limit", "z"].map(Arc::from));
    assert_eq!(&**path(" $.a ").text(), " $.a ");
}

#[test]
fn past_the_end() {
    let read = |text: &str| {
        Path::parse(text).unwrap().read_or_null_past_end(&environment(STORE)).map(|value| value.to_string())
    };
    assert_eq!(read("$.numbers[9]"), Ok("null".to_string()));
    assert_eq!(read("$.numbers[1]"), Ok("2".to_string()));
    assert!(read("$.numbers[9].a").is_err());
    assert!(read("$.text[9]").is_err());
    assert!(read("$.missing").is_err());
}

#[test]
fn writing() {
    let write = |path: &str, into: &str, value: &str| {
        let written = Path::parse(path).unwrap().write(&json::parse(into).unwrap(), json::parse(value).unwrap());
        match written {
            Ok(value) => value.to_string(),
            Err(error) => format!("? {error}"),
        }
    };
    let cases = [
        ("$", r#"{"a":1}"#, "2", "2"),
        ("$.b", r#"{"a":1}"#, "2", r#"{"a":1,"b":2}"#),
        ("$.a", r#"{"a":1,"b":2}"#, "3", r#"{"a":3,"b":2}"#),
        ("$.a.b.c", r#"{"x":1}"#, "[2]", r#"{"x":1,"a":{"b":{"c":[2]}}}"#),
        ("$.a.b", r#"{"a":{"c":1}}"#, "2", r#"{"a":{"c":1,"b":2}}"#),
        ("$.a[1]", r#"{"a":[1,2,3]}"#, "9", r#"{"a":[1,9,3]}"#),
        ("$.a[0].b", r#"{"a":[{}]}"#, "9", r#"{"a":[{"b":9}]}"#),
        ("$.a[3]", r#"{"a":[1,2,3]}"#, "9", "? step `3` cannot be applied to array"),
        ("$.a[0]", "{}", "9", "? step `0` cannot be applied to nothing"),
        ("$.a", "\"text\"", "1", "? step `a` cannot be applied to string"),
        ("$.a.b", r#"{"a":1}"#, "1", "? step `b` cannot be applied to number"),
        ("$.a", "[1]", "1", "? step `a` cannot be applied to array"),
        ("$$.a", "{}", "1", "? `$$.a` is not a reference path of the input"),
        ("$.*", "{}", "1", "? `$.*` is not a reference path of the input"),
    ];
    for (path, into, value, written) in cases {
        assert_eq!(write(path, into, value), written, "{path} {into}");
    }
}

#[test]
fn work_and_size_are_bounded() {
    let nested = format!("{}1{}", "[".repeat(256), "]".repeat(256));
    let member = format!("{{\"a\":{}}}", &nested[1..nested.len() - 1]);
    assert_eq!(read("$[?(@.a)]", &member), "? result is nested deeper than 256 levels");
    assert!(read("$..*", &nested).starts_with("[["));
    // The deepest recursion that there is stays within the stack of a test's thread (2 MiB).
    let steps = ".a[0]".repeat(40);
    let filters = format!("$..[?(@..[?($..[?($..[?(@..b{steps})]..c)]..d)]..e)]");
    let objects = format!("{}1{}", "{\"a\":[".repeat(127), "]}".repeat(127));
    assert_eq!(read(&filters, &objects), "? out of fuel");
    let deep = "{\"a\":1}".to_string();
    assert!(
        Path::parse(&format!("$.{}a", "a.".repeat(127)))
            .unwrap()
            .write(&json::parse(&deep).unwrap(), json::parse(&nested).unwrap())
            .is_err()
    );
    assert!(Path::parse(&format!("$.{}a", "a.".repeat(200))).is_err());
    assert!(Path::parse(&format!("$.{}", "a".repeat(10_000))).is_err());
    assert!(Path::parse(&format!("$[?({}@.a{})]", "(".repeat(1000), ")".repeat(1000))).is_err());
    assert!(Path::parse(&format!("$[?({}@.a)]", "!".repeat(1000))).is_err());
    assert!(Path::parse(&"$[?(@".repeat(1000)).is_err());
    assert!(Path::parse(&"$.sum(".repeat(1000)).is_err());

    let row = format!("[{}]", vec!["1"; 2000].join(","));
    let wide = format!("[{}]", vec![row.as_str(); 50].join(","));
    let environment = environment(&wide);
    environment.fuel.burn(environment.fuel.left() - 5_000).unwrap();
    let path = Path::parse("$..[?(@ == $..*)]").unwrap();
    assert_eq!(path.read(&environment), Err(PathError::OutOfFuel(OutOfFuel)));
    let path = Path::parse("$..*..*..*..*").unwrap();
    assert_eq!(path.read(&environment), Err(PathError::OutOfFuel(OutOfFuel)));
}
