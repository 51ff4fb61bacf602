//! Times as text: RFC 3339 in, ISO 8601 in UTC out.

use jiff::{Timestamp, civil::DateTime};

/// A time that was read, compared by when it is whatever its offset.
///
/// Of its own, since a [`Timestamp`] ends a day before the year 9999 does, which definitions write for "never".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant {
    /// Since 1970 began in UTC.
    seconds: i64,
    /// Below a second, always forwards.
    nanoseconds: u32,
}

impl Instant {
    pub fn as_millisecond(self) -> i64 {
        self.seconds * 1_000 + i64::from(self.nanoseconds / 1_000_000)
    }
}

/// Reads `2016-03-14T01:59:00.123Z` or with an offset `+01:00`; `T` and `Z` upper-case, as AWS wants it.
///
/// A minute has no second 60: AWS reads times by Java's `ISO_OFFSET_DATE_TIME`. Source: recordings (`ISO-8601 extended
/// offset date-time`).
pub fn parse(text: &str) -> Option<Instant> {
    let bytes = text.as_bytes();
    let shape = bytes.len() >= 20
        && bytes.iter().take(19).zip(b"0000-00-00T00:00:00").all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        });
    if !shape || &bytes[17..19] == b"60" {
        return None;
    }
    let (local, rest) = text.split_at(19);
    let (fraction, offset) = match rest.strip_prefix('.') {
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            (1..=9).contains(&digits).then(|| rest.split_at(digits))?
        }
        None => ("0", rest),
    };
    let local: DateTime = local.parse().ok()?;
    let since_epoch = local.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)).as_secs();
    let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
    Some(Instant { seconds: since_epoch - offset_seconds(offset)?, nanoseconds })
}

/// `Z`, or hours and minutes east of it: at most 18 hours, as Java has it.
fn offset_seconds(offset: &str) -> Option<i64> {
    if offset == "Z" {
        return Some(0);
    }
    let (sign, [hour_tens, hours, b':', minute_tens, minutes]) = offset.as_bytes().split_first()? else { return None };
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let number = |tens: &u8, ones: &u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
    };
    let minutes = number(minute_tens, minutes).filter(|minutes| *minutes < 60)?;
    let minutes = number(hour_tens, hours)? * 60 + minutes;
    (minutes <= 18 * 60).then_some(sign * minutes * 60)
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
            "0000-01-01T00:00:00+18:00",
            "9999-12-31T23:59:59.999999999-18:00",
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
            "2016-02-30T01:59:00Z",
            "2016-03-14T01:59:60Z",
            "2016-03-14T24:00:00Z",
            "2016-03-14T01:59:00+18:01",
            "2016-03-14T01:59:00+01:60",
            "2016-03-14T01:59:00+é1:0",
            "2016-03-14T01:59:00.1234567890Z",
        ] {
            assert!(super::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn times_are_compared_by_when_they_are() {
        let ms = |text: &str| super::parse(text).map(super::Instant::as_millisecond);
        assert_eq!(ms("2024-05-27T08:53:20.12Z"), Some(1_716_800_000_120));
        assert_eq!(ms("2024-05-27T09:53:20.12+01:00"), Some(1_716_800_000_120));
        assert_eq!(ms("1969-12-31T23:59:59.999Z"), Some(-1));
        assert_eq!(ms("9999-12-31T23:59:59Z"), Some(253_402_300_799_000));
        let in_order = ["2016-03-14T01:59:00+01:00", "2016-03-14T01:59:00Z", "2016-03-14T01:59:00.000000001Z"];
        assert!(in_order.windows(2).all(|pair| super::parse(pair[0]) < super::parse(pair[1])));
        assert_eq!(super::parse("2016-03-14T01:59:00-01:00"), super::parse("2016-03-14T02:59:00Z"));
    }

    #[test]
    fn fractions_are_as_short_as_they_can_be() {
        assert_eq!(super::format(0), "1970-01-01T00:00:00Z");
        assert_eq!(super::format(1_716_800_000_120), "2024-05-27T08:53:20.12Z");
    }
}
