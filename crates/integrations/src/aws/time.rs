//! Timestamps of AWS protocols, in milliseconds since 1970.

use jiff::{SignedDuration, Timestamp, civil::DateTime, fmt::rfc2822};

use super::model::TimeFormat;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// As results show it: `2026-03-14T09:26:53Z`, with a fraction where there is one.
pub(crate) fn shown(ms: i64) -> String {
    let time = EPOCH.checked_add(SignedDuration::from_millis(ms));
    time.map_or_else(|_| ms.to_string(), |time| format!("{time}Z"))
}

pub(crate) fn write(ms: i64, format: TimeFormat) -> String {
    match format {
        TimeFormat::Iso8601 => shown(ms),
        TimeFormat::Epoch if ms % 1_000 == 0 => (ms / 1_000).to_string(),
        TimeFormat::Epoch => (ms as f64 / 1_000.0).to_string(),
        TimeFormat::Rfc822 => {
            let printed = Timestamp::from_millisecond(ms)
                .and_then(|time| rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time));
            printed.unwrap_or_default()
        }
    }
}

/// Reads the format, or whatever else it is: services mix them.
pub(crate) fn parse(text: &str, format: TimeFormat) -> Option<i64> {
    let text = text.trim();
    let epoch = || text.parse::<f64>().ok().map(of_epoch);
    // A `Timestamp` ends a day before the year 9999 does, which services write for "never".
    let utc =
        || i64::try_from(text.strip_suffix('Z')?.parse::<DateTime>().ok()?.duration_since(EPOCH).as_millis()).ok();
    let iso = || text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond).or_else(utc);
    let rfc = || rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(Timestamp::as_millisecond);
    match format {
        TimeFormat::Epoch => epoch().or_else(iso).or_else(rfc),
        TimeFormat::Iso8601 => iso().or_else(rfc).or_else(epoch),
        TimeFormat::Rfc822 => rfc().or_else(iso).or_else(epoch),
    }
}

/// Of seconds with a fraction, to the nearest millisecond.
pub(crate) fn of_epoch(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_comes_back() {
        let ms = 1_773_480_413_000;
        assert_eq!(shown(ms), "2026-03-14T09:26:53Z");
        assert_eq!(shown(ms + 589), "2026-03-14T09:26:53.589Z");
        assert_eq!(write(ms, TimeFormat::Rfc822), "Sat, 14 Mar 2026 09:26:53 GMT");
        assert_eq!(write(ms, TimeFormat::Epoch), "1773480413");
        for format in [TimeFormat::Iso8601, TimeFormat::Rfc822, TimeFormat::Epoch] {
            assert_eq!(parse(&write(ms, format), format), Some(ms));
        }
        assert_eq!(parse("1773480413.589", TimeFormat::Epoch), Some(ms + 589));
        assert_eq!(parse("yesterday", TimeFormat::Iso8601), None);
        assert_eq!(parse("9999-12-31T23:59:59Z", TimeFormat::Iso8601), Some(253_402_300_799_000));
        assert_eq!(shown(253_402_300_799_000), "9999-12-31T23:59:59Z");
    }
}
