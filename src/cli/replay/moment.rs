//! A moment as people write it: a day, a time, or how long ago.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A moment, or a distance from now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Moment {
    At(Timestamp),
    Ago(SignedDuration),
}

impl Moment {
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(length) => now.saturating_sub(length).unwrap_or(Timestamp::MIN),
        }
    }
}

/// `2026-11-25` (its first moment, UTC), `2026-11-25T04:00:00Z`, `90s`, `15m`, `36h`, `7d`.
pub(crate) fn parse(text: &str) -> Result<Moment, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Moment::At(at));
    }
    if let Ok(day) = text.parse::<Date>()
        && let Ok(midnight) = day.to_zoned_datetime(TimeZone::UTC)
    {
        return Ok(Moment::At(midnight.timestamp()));
    }
    let ago = || {
        let unit = text.chars().last()?;
        let number: i64 = text.strip_suffix(unit)?.parse().ok().filter(|number| *number >= 0)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return None,
        };
        Some(Moment::Ago(SignedDuration::from_secs(number.checked_mul(seconds)?)))
    };
    ago().ok_or_else(|| {
        format!("`{text}` is no moment; write 2026-11-25, 2026-11-25T04:00:00Z, or how long ago: 90s, 15m, 36h, 7d")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_days_times_and_distances() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        for (text, moment) in [
            ("2026-11-25", "2026-11-25T00:00:00Z"),
            ("2026-11-24T04:00:00Z", "2026-11-24T04:00:00Z"),
            ("2026-11-24T04:00:00+02:00", "2026-11-24T02:00:00Z"),
            ("0s", "2026-11-25T12:00:00Z"),
            ("36h", "2026-11-24T00:00:00Z"),
            ("7d", "2026-11-18T12:00:00Z"),
        ] {
            assert_eq!(parse(text).unwrap().before(now), moment.parse().unwrap(), "{text}");
        }
        for bad in ["", "yesterday", "7", "d", "-3d", "3w", "99999999999999999d"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
