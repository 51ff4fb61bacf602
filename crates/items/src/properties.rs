//! What must hold of the readers of text for any bytes, however they are cut.

use proptest::prelude::*;

use crate::{
    DataError, Taken, Window,
    csv::{Csv, Delimiter},
    json::{Json, Pointer},
    json_lines,
};

#[derive(Clone, Copy, Debug)]
enum Format {
    Csv,
    Json,
    JsonLines,
    /// The items that `/a` names.
    Pointed,
}

const FORMATS: [Format; 4] = [Format::Csv, Format::Json, Format::JsonLines, Format::Pointed];

/// Items before the end or the failure, with the offsets behind them; pieces end at the cuts.
fn read(format: Format, bytes: &[u8], cuts: &[usize]) -> (Vec<(String, u64)>, Option<DataError>) {
    let mut csv = Csv::new(Delimiter::Comma, None).unwrap();
    let pointer = matches!(format, Format::Pointed).then(|| Pointer::parse("/a").unwrap());
    let mut json = Json::new(pointer);
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).chain([0, bytes.len()]).collect();
    cuts.sort_unstable();
    let mut pieces = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
    let mut window = Window::default();
    let mut items = Vec::new();
    loop {
        let taken = match format {
            Format::Csv => csv.next(&mut window),
            Format::Json | Format::Pointed => json.next(&mut window),
            Format::JsonLines => json_lines::next(&mut window),
        };
        match taken {
            Ok(Taken::Item(item)) => items.push((format!("{:?} {}", item.key, item.value.text()), window.offset())),
            Ok(Taken::Hungry) => match pieces.next() {
                Some(piece) => window.push(piece),
                None => window.end(),
            },
            Ok(Taken::End) => return (items, None),
            Err(error) => return (items, Some(error)),
        }
    }
}

/// Texts that look like what they are read as, and bytes that do not.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "a", "1.5", "\"", "\\", "\\\"", ",", ",,", "\n", "\r\n", "\r", " ", "é", "[", "]", "{", "}", ":", "null",
        "true", "\"a\"", "\"a\":", "{\"a\":", "[1,", "\u{feff}", "\\u00e9", "-",
    ]);
    let texts = proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat().into_bytes());
    let array = proptest::collection::vec(any::<i16>(), 0..20).prop_map(|numbers| format!("{numbers:?}").into_bytes());
    let object = proptest::collection::vec(("[a-c\"]{1,2}", any::<bool>()), 0..8).prop_map(|members| {
        let members: Vec<String> = members.iter().map(|(name, value)| format!("{name:?} : {value}")).collect();
        format!("{{ {} , \"a\": {{{}}}}}", members.join(","), members.join(" ,")).into_bytes()
    });
    prop_oneof![texts, array, object, proptest::collection::vec(any::<u8>(), 0..60)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Where bytes are cut changes nothing; and nothing panics.
    #[test]
    fn cuts_change_nothing(
        bytes in bytes(),
        cuts in proptest::collection::vec(any::<usize>(), 0..40),
        format in prop::sample::select(FORMATS.to_vec()),
    ) {
        let whole = read(format, &bytes, &[]);
        prop_assert_eq!(read(format, &bytes, &cuts), whole);
    }

    /// A reader that begins behind an item goes on with the next one.
    #[test]
    fn offsets_are_where_reading_goes_on(bytes in bytes(), format in prop::sample::select(FORMATS.to_vec())) {
        let (items, failure) = read(format, &bytes, &[]);
        let container = |items: &[(String, u64)]| match items.first() {
            Some((item, _)) if item.starts_with("Some") => crate::json::Container::Object,
            _ => crate::json::Container::Array,
        };
        for (number, (_, offset)) in items.iter().enumerate() {
            let mut window = Window::starting_at(*offset);
            window.push(&bytes[*offset as usize..]);
            window.end();
            let mut csv = Csv::new(Delimiter::Comma, None).unwrap();
            let mut head = Window::default();
            head.push(&bytes);
            head.end();
            let mut json = Json::resumed(container(&items));
            let taken = match format {
                Format::Csv => csv.read_head(&mut head).and_then(|_| csv.next(&mut window)),
                Format::Json | Format::Pointed => json.next(&mut window),
                Format::JsonLines => json_lines::next(&mut window),
            };
            match (taken, items.get(number + 1)) {
                (Ok(Taken::Item(item)), Some((next, behind))) => {
                    prop_assert_eq!(&format!("{:?} {}", item.key, item.value.text()), next);
                    prop_assert_eq!(window.offset(), *behind);
                }
                (Ok(Taken::End), None) => prop_assert!(failure.is_none()),
                (Err(error), None) => prop_assert_eq!(Some(&error), failure.as_ref()),
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
