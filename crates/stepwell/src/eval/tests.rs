//! Languages, places and errors, without the command line around them.

use crate::cli::Language;

use super::{Text, excerpt};

#[test]
fn the_language_is_guessed_from_how_the_text_begins() {
    for jsonpath in ["$", "$.a", "$..a", "$[0]", "$['a']", "$$", "$$.Execution.Id", "States.UUID()", "  $.a "] {
        assert_eq!(Text::new(jsonpath, None).unwrap().language, Language::Jsonpath, "{jsonpath}");
    }
    for jsonata in ["$states.input", "{% $states.input %}", "1 + 1", "$x", "$x.a[0]", "-1", "[1..3]", "{'a': 1}"] {
        assert_eq!(Text::new(jsonata, None).unwrap().language, Language::Jsonata, "{jsonata}");
    }
    let given = Text::new("$x.a", Some(Language::Jsonpath)).unwrap();
    assert_eq!((given.inside, given.language), ("$x.a", Language::Jsonpath));
}

#[test]
fn delimiters_come_in_pairs() {
    assert_eq!(Text::new(" {%  1 + 1 %} ", None).unwrap().inside, "1 + 1");
    for torn in ["{% 1 + 1", "1 + 1 %}", "{%}"] {
        assert!(Text::new(torn, None).is_err(), "{torn}");
    }
}

/// The excerpt without its colours.
fn plain(text: &str, place: std::ops::Range<usize>) -> String {
    anstream::adapter::strip_str(&excerpt::excerpt(text, &place)).to_string()
}

#[test]
fn carets_stand_under_the_place() {
    assert_eq!(plain("1 + 'é' * 2", 4..8), "1 | 1 + 'é' * 2\n  |     ^^^\n");
    assert_eq!(plain("a\n\tb c\nd", 5..6), "2 | \tb c\n  | \t  ^\n");
    assert_eq!(plain("two\nlines", 0..9), "1 | two\n  | ^^^\n");
    assert_eq!(plain("end", 3..3), "1 | end\n  |    ^\n");
    assert_eq!(plain("", 0..0), "1 | \n  | ^\n");
    assert_eq!(excerpt::position("a\nbé c", 5), (2, 3));
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let text = format!("{}!{}", "a".repeat(300), "b".repeat(300));
    let excerpt = plain(&text, 300..301);
    let [line, carets] = excerpt.lines().collect::<Vec<_>>()[..] else { panic!("two lines: {excerpt}") };
    assert_eq!(line, format!("1 | …{}!{}…", "a".repeat(60), "b".repeat(39)));
    assert_eq!(carets, format!("  | {}^", " ".repeat(61)));
    // Cut in the midst of the place: as many carets as characters are shown.
    let excerpt = plain(&text, 0..601);
    assert!(excerpt.ends_with(&format!("| {}\n", "^".repeat(100))), "{excerpt}");
}
