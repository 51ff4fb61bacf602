use super::*;

fn again(text: &str) -> String {
    match parse(text) {
        Ok(value) => to_text(&value),
        Err(error) => format!("{} at {}:{}", error.message, error.line, error.column),
    }
}

#[test]
fn values_read_and_write() {
    let cases = [
        ("null", "null"),
        (" true ", "true"),
        ("false", "false"),
        ("\t[ 1 , 2,\r\n3 ]\n", "[1,2,3]"),
        ("[]", "[]"),
        ("{ }", "{}"),
        (r#"{"b":1,"a":{"c":[{}]}}"#, r#"{"b":1,"a":{"c":[{}]}}"#),
        (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
        (r#""""#, r#""""#),
        (r#""\"\\\/\b\f\n\r\t""#, r#""\"\\/\b\f\n\r\t""#),
        (r#""\u0000\u001f\u007f\u00e9\uD83D\uDE00é😀""#, "\"\\u0000\\u001F\u{7f}é😀é😀\""),
        (r#""\ud83d x \ude00 \ud83dA""#, "\"\u{fffd} x \u{fffd} \u{fffd}A\""),
        (r#"{"\u0061\n":1}"#, r#"{"a\n":1}"#),
    ];
    for (text, written) in cases {
        assert_eq!(again(text), written, "{text}");
        assert_eq!(check(text), Ok(()), "{text}");
    }
}

#[test]
fn numbers_keep_what_was_said() {
    let cases = [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "-0.0"),
        ("0.0", "0.0"),
        ("1.0", "1.0"),
        ("1.1", "1.1"),
        ("-12.50", "-12.5"),
        ("0.1", "0.1"),
        ("0.001", "0.001"),
        ("0.0001", "1.0E-4"),
        ("1e3", "1000.0"),
        ("1E-5", "1.0E-5"),
        ("9999999.5", "9999999.5"),
        ("10000000.0", "1.0E7"),
        ("1e10", "1.0E10"),
        ("1.25e+10", "1.25E10"),
        ("1e400", "1e400"),
        ("1e-400", "1e-400"),
        ("0e9", "0.0"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775808", "9223372036854775808"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("0.1234567890123456789", "0.1234567890123456789"),
        ("3.141592653589793", "3.141592653589793"),
        ("1.7976931348623157e308", "1.7976931348623157E308"),
        ("1e99999999999999999999", "1e99999999999999999999"),
    ];
    for (text, written) in cases {
        assert_eq!(again(text), written, "{text}");
    }
    assert_eq!(parse("1.0"), parse("1"));
}

#[test]
fn errors_are_jacksons() {
    let values = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
    let cases = [
        ("", "No content to map due to end-of-input at 1:0".to_string()),
        ("not a definition", format!("Unrecognized token 'not': was expecting {values} at 1:4")),
        ("nul", format!("Unrecognized token 'nul': was expecting {values} at 1:4")),
        ("truex", format!("Unrecognized token 'truex': was expecting {values} at 1:6")),
        ("[tru e]", format!("Unrecognized token 'tru': was expecting {values} at 1:5")),
        ("{'a':1}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name at 1:3".into()),
        ("{\"a\":1,}", "Unexpected character ('}' (code 125)): was expecting double-quote to start field name at 1:9".into()),
        ("[1,]", format!("Unexpected character (']' (code 93)): expected a valid value {values} at 1:5")),
        ("[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries at 1:5".into()),
        ("{\"a\" 1}", "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value at 1:7".into()),
        ("{\"a\":}", "Unexpected character ('}' (code 125)): expected a value at 1:7".into()),
        (
            "{",
            "Unexpected end-of-input: expected close marker for Object (start marker at [Source: (String)\"{\"; line: 1, column: 1]) at 1:2".into(),
        ),
        (
            "[1}",
            "Unexpected close marker '}': expected ']' (for Array starting at [Source: (String)\"[1}\"; line: 1, column: 1]) at 1:4".into(),
        ),
        (
            "]",
            "Unexpected close marker ']': expected '}' (for root starting at [Source: (String)\"]\"; line: 1, column: 0]) at 1:2".into(),
        ),
        ("[1,", "Unexpected end-of-input within/between Array entries at 1:4".into()),
        ("{\"a", "Unexpected end-of-input in field name at 1:4".into()),
        ("\"a", "Unexpected end-of-input: was expecting closing quote for a string value at 1:3".into()),
        ("\"a\nb\"", "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be included in string value at 2:1".into()),
        ("\"\\x\"", "Unrecognized character escape 'x' (code 120) at 1:4".into()),
        ("\"\\u00g0\"", "Unexpected character ('g' (code 103)): expected a hex-digit for character escape sequence at 1:7".into()),
        ("01", "Invalid numeric value: Leading zeroes not allowed at 1:2".into()),
        ("1.", "Unexpected character ('.' (code 46)) in numeric value: Decimal point not followed by a digit at 1:3".into()),
        ("1.x", "Unexpected character ('x' (code 120)) in numeric value: Decimal point not followed by a digit at 1:4".into()),
        ("-x", "Unexpected character ('x' (code 120)) in numeric value: expected digit (0-9) to follow minus sign, for valid numeric value at 1:3".into()),
        ("1a", "Unexpected character ('a' (code 97)): Expected space separating root-level values at 1:3".into()),
        ("NaN", "Non-standard token 'NaN': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow at 1:4".into()),
        ("\u{feff}{}", format!("Unexpected character ('\u{feff}' (code 65279 / 0xfeff)): expected a valid value {values} at 1:2")),
        ("[\n  1,\r\n  é]", format!("Unrecognized token 'é': was expecting {values} at 3:4")),
        ("{} {}", "Trailing token (of type START_OBJECT) found after value: not allowed at 1:4".into()),
    ];
    for (text, message) in cases {
        assert_eq!(again(text), message, "{text}");
        assert_eq!(check(text).err(), parse(text).err(), "{text}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(crate::limits::DEPTH_MAX)).is_ok());
    assert_eq!(
        again(&nested(crate::limits::DEPTH_MAX + 1)),
        "Document nesting depth (257) exceeds the maximum allowed (256) at 1:258"
    );
}

#[test]
fn places_quote_the_text() {
    let error = parse("not a definition").unwrap_err();
    assert_eq!(error.place("not a definition"), "[Source: (String)\"not a definition\"; line: 1, column: 4]");
    let long = "x".repeat(520);
    let quoted = "x".repeat(500);
    let error = parse(&long).unwrap_err();
    assert_eq!(error.place(&long), format!("[Source: (String)\"{quoted}\"[truncated 20 chars]; line: 1, column: 257]"));
}
