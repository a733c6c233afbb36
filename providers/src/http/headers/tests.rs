//! Every vendor's way to say "not yet".

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{LONGEST_WAIT, reset, retry_after, spent, wait};

const DAY: u64 = 86_400;

/// 2026-11-23 12:00:00 UTC, a Monday: 1795435200.
fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "spares the tables a `Some` in each row")]
fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

#[test]
fn noon_is_the_unix_time_that_the_tables_use() {
    assert_eq!(noon().as_second(), 1_795_435_200);
}

#[test]
fn retry_after_in_both_forms() {
    let table = [
        ("0", seconds(0)),
        ("1", seconds(1)),
        ("120", seconds(120)),
        (" 120 ", seconds(120)),
        ("007", seconds(7)),
        ("1.5", Some(Duration::from_millis(1_500))),
        ("-1", seconds(0)),
        ("-99999999999999999999", seconds(0)),
        ("86400", seconds(DAY)),
        ("86401", seconds(DAY)),
        ("315360000", seconds(DAY)),
        ("99999999999999999999999999", seconds(DAY)),
        ("Mon, 23 Nov 2026 12:00:30 GMT", seconds(30)),
        ("Mon, 23 Nov 2026 12:00:00 GMT", seconds(0)),
        ("Mon, 23 Nov 2026 11:59:59 GMT", seconds(0)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", seconds(0)),
        ("Tue, 24 Nov 2026 13:00:00 GMT", seconds(DAY)),
        ("Wed, 23 Nov 2044 12:00:00 GMT", seconds(DAY)),
        ("Monday, 23-Nov-26 12:01:00 GMT", seconds(60)),
        ("Mon Nov 23 12:01:00 2026", seconds(60)),
        ("", None),
        (" ", None),
        ("-", None),
        (".", None),
        ("soon", None),
        ("1m", None),
        ("1e9", None),
        ("inf", None),
        ("NaN", None),
        ("0x10", None),
        ("+5", None),
        ("1.2.3", None),
        ("--5", None),
        ("Mon, 23 Nov 2026 25:00:00 GMT", None),
        ("Mon, 99 Nov 2026 12:00:00 GMT", None),
        ("Mon, 23 Nov 2026 12:00:00 PST", None),
    ];
    for (value, expected) in table {
        assert_eq!(retry_after(value, noon()), expected, "{value:?}");
    }
}

#[test]
fn resets_as_seconds_unix_time_and_iso_time() {
    let table = [
        ("0", seconds(0)),
        ("60", seconds(60)),
        ("-60", seconds(0)),
        ("137.5", Some(Duration::from_millis(137_500))),
        ("999999", seconds(DAY)),
        ("1000000", seconds(0)),
        ("1795435200", seconds(0)),
        ("1795435260", seconds(60)),
        ("1795435140", seconds(0)),
        ("1795435260000", seconds(60)),
        ("9999999999", seconds(DAY)),
        ("99999999999999999999", seconds(DAY)),
        ("2026-11-23T12:01:00Z", seconds(60)),
        ("2026-11-23T12:01:00.000000Z", seconds(60)),
        ("2026-11-23T13:01:00+01:00", seconds(60)),
        ("2026-11-23T12:01:00", seconds(60)),
        ("2026-11-23 12:01:00", seconds(60)),
        ("2026-11-23T11:00:00Z", seconds(0)),
        ("2031-01-01T00:00:00Z", seconds(DAY)),
        ("2026-13-01T00:00:00Z", None),
        ("{\"minute\": 5}", None),
        ("", None),
        ("never", None),
    ];
    for (value, expected) in table {
        assert_eq!(reset(value, noon()), expected, "{value:?}");
    }
}

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap()))
        .collect()
}

#[test]
fn headers_together() {
    type Lines<'a> = &'a [(&'a str, &'a str)];
    // The lines, how long to wait after a refusal, how long after the last call of a window.
    let table: [(Lines, Option<Duration>, Option<Duration>); 16] = [
        (&[], None, None),
        (&[("Retry-After", "9")], seconds(9), None),
        (&[("Retry-After", "9"), ("X-RateLimit-Reset", "60")], seconds(9), None),
        (&[("Retry-After", "later"), ("X-RateLimit-Reset", "60")], seconds(60), None),
        (&[("X-RateLimit-Reset", "60"), ("X-RateLimit-Remaining", "0")], seconds(60), seconds(60)),
        (&[("X-RateLimit-Reset", "60"), ("X-RateLimit-Remaining", "1")], None, None),
        (&[("x-ratelimit-reset", "1795435230"), ("x-ratelimit-remaining", "0")], seconds(30), seconds(30)),
        (&[("RateLimit-Reset", "60"), ("RateLimit-Remaining", "0")], seconds(60), seconds(60)),
        (&[("RateLimit-Reset", "60"), ("RateLimit-Remaining", "none")], seconds(60), None),
        (&[("X-RateLimit-Remaining", "0")], None, None),
        (&[("RateLimit", "\"default\";r=0;t=30")], seconds(30), seconds(30)),
        (&[("RateLimit", "\"default\";r=50;t=30")], None, None),
        (&[("RateLimit", "\"burst\";r=0;t=5, \"day\";r=100;t=80000")], seconds(5), seconds(5)),
        (&[("RateLimit", "\"burst\";r=0;t=5, \"day\";r=0;t=8000")], seconds(8_000), seconds(8_000)),
        (&[("RateLimit", "limit=100, remaining=0, reset=50")], seconds(50), seconds(50)),
        (&[("RateLimit", "gar;bage=,=;r=x;t=")], None, None),
    ];
    for (lines, after_refusal, after_last) in table {
        let headers = headers(lines);
        assert_eq!(wait(&headers, noon()), after_refusal, "{lines:?}");
        assert_eq!(spent(&headers, noon()), after_last, "{lines:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn no_value_panics_or_asks_for_more_than_a_day(
        value in prop_oneof![".{0,40}", "[0-9.:TZ, -]{0,30}", "(\"[a-z]\";[rt]=[0-9]{0,25},? ?){0,4}"],
        now in Timestamp::MIN.as_second()..Timestamp::MAX.as_second(),
    ) {
        let now = Timestamp::from_second(now).unwrap();
        for asked in [retry_after(&value, now), reset(&value, now)].into_iter().flatten() {
            prop_assert!(asked <= LONGEST_WAIT);
        }
        if let Ok(value) = HeaderValue::try_from(value) {
            let names = ["ratelimit", "retry-after", "x-ratelimit-reset", "x-ratelimit-remaining"];
            let headers = names.into_iter().map(|name| (HeaderName::from_static(name), value.clone())).collect();
            prop_assert!(wait(&headers, now).unwrap_or_default() <= LONGEST_WAIT);
            prop_assert!(spent(&headers, now).unwrap_or_default() <= LONGEST_WAIT);
        }
    }
}
