//! Times as text: RFC 3339 in, ISO 8601 in UTC out.

use jiff::Timestamp;

/// Reads `2016-03-14T01:59:00.123Z` or with an offset `+01:00`; `T` and `Z` upper-case, as AWS wants it.
///
/// Source: recordings (`ISO-8601 extended offset date-time`).
pub fn parse(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let shape = bytes.len() >= 20
        && bytes.iter().take(19).zip(b"0000-00-00T00:00:00").all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        });
    if !shape {
        return None;
    }
    let rest = &text[19..];
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            (1..=9).contains(&digits).then(|| &fraction[digits..])?
        }
        None => rest,
    };
    let numeric = offset.len() == 6
        && offset.bytes().zip(b"+00:00").enumerate().all(|(at, (byte, form))| match (at, form) {
            (0, _) => byte == b'+' || byte == b'-',
            (_, b'0') => byte.is_ascii_digit(),
            (_, form) => byte == *form,
        });
    if offset != "Z" && !numeric {
        return None;
    }
    text.parse().ok()
}

/// ISO 8601 in UTC, zeros at the end of the fraction dropped. Source: Step Functions guide.
pub fn format(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX).to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_the_extended_offset_form_is_read() {
        for good in [
            "2016-03-14T01:59:00Z",
            "2016-03-14T01:59:00.123456789Z",
            "2016-03-14T01:59:00+01:00",
            "2016-03-14T01:59:00.5-07:30",
        ] {
            assert!(super::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "2016-03-14",
            "2016-03-14 01:59:00Z",
            "2016-03-14t01:59:00Z",
            "2016-03-14T01:59:00z",
            "2016-03-14T01:59:00",
            "05-12-2016T21:29:29Z",
            "2016-13-05T21:29:29Z",
            "2016-12-05T25:29:29Z",
            "2016-03-14T01:59:00.Z",
            "2016-03-14T01:59:00+0100",
            "2016-03-14T01:59:00Zé",
        ] {
            assert!(super::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn fractions_are_as_short_as_they_can_be() {
        assert_eq!(super::format(0), "1970-01-01T00:00:00Z");
        assert_eq!(super::format(1_716_800_000_120), "2024-05-27T08:53:20.12Z");
    }
}
