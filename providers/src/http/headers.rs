//! What an answer's headers say about when to come back.
//!
//! Read tolerantly, since every vendor spells it differently: `Retry-After` (RFC 9110 §10.2.3) in both forms,
//! `RateLimit` (draft-ietf-httpapi-ratelimit-headers, its older and newer syntax) and the `X-RateLimit-Reset`
//! family as seconds to go, a Unix time or an ISO 8601 time.
//!
//! Invariant: pure; garbage is no answer, and no answer asks for more than [`LONGEST_WAIT`].

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest wait that a server is believed.
pub const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// A number of seconds below this is a wait, from here on it is a Unix time.
const LEAST_UNIX_TIME: f64 = 1e6;
/// From here on a Unix time counts milliseconds.
const LEAST_UNIX_MILLISECONDS: f64 = 1e11;

const REMAINING: [&str; 3] = ["x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining"];
const RESET: [&str; 3] = ["x-ratelimit-reset", "ratelimit-reset", "x-rate-limit-reset"];

/// How long the answer asks us to wait: `Retry-After`, or else the moment at which a window that is spent, as far
/// as the headers tell, begins anew. A window with calls left asks for nothing.
pub fn wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    text(headers, RETRY_AFTER.as_str()).and_then(|value| retry_after(value, now)).or_else(|| {
        let window = Window::read(headers, now);
        if window.remaining.is_some_and(|calls| calls > 0.0) { None } else { window.reset }
    })
}

/// How long until calls are left again, if the answer says that this was the last one.
pub fn spent(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let window = Window::read(headers, now);
    if window.remaining.is_some_and(|calls| calls <= 0.0) { window.reset } else { None }
}

/// Reads `Retry-After`: seconds or an HTTP date.
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Some(seconds) = number(value) {
        return Some(clamp(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let date = Timestamp::try_from(date).ok()?;
    Some(until(date, now))
}

/// Reads a reset: seconds to go, a Unix time in seconds or milliseconds, or an ISO 8601 time.
pub fn reset(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let Some(number) = number(value) else {
        let time = value.parse::<Timestamp>().ok().or_else(|| {
            let time = value.parse::<DateTime>().ok()?;
            Some(time.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp())
        });
        return time.map(|time| until(time, now));
    };
    let present = now.as_duration().as_secs_f64();
    Some(clamp(if number < LEAST_UNIX_TIME {
        number
    } else if number < LEAST_UNIX_MILLISECONDS {
        number - present
    } else {
        number / 1e3 - present
    }))
}

/// A rate-limit window as an answer describes it.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    remaining: Option<f64>,
    reset: Option<Duration>,
}

impl Window {
    fn read(headers: &HeaderMap, now: Timestamp) -> Self {
        let named = text(headers, "ratelimit").map(Self::structured).unwrap_or_default();
        let first = |names: &[&str]| names.iter().find_map(|name| text(headers, name));
        Self {
            remaining: named.remaining.or_else(|| first(&REMAINING).and_then(|value| number(value.trim()))),
            reset: named.reset.or_else(|| first(&RESET).and_then(|value| reset(value, now))),
        }
    }

    /// `"burst";r=0;t=5, "day";r=100;t=80000` (now) or `limit=100, remaining=0, reset=5` (drafts to 07).
    ///
    /// Of several windows the one with the fewest calls left counts, and of these the one that lasts longest.
    fn structured(value: &str) -> Self {
        let mut tightest = Self::default();
        let mut loose = Self::default();
        for member in value.split(',') {
            let mut window = Self::default();
            for parameter in member.split(';') {
                let Some((key, value)) = parameter.split_once('=') else { continue };
                let value = number(value.trim());
                match key.trim() {
                    "r" => window.remaining = value,
                    "t" => window.reset = value.map(clamp),
                    "remaining" => loose.remaining = value,
                    "reset" => loose.reset = value.map(clamp),
                    _ => {}
                }
            }
            tightest = tightest.tighter(window);
        }
        tightest.tighter(loose)
    }

    fn tighter(self, other: Self) -> Self {
        let calls = |window: Self| window.remaining.unwrap_or(f64::INFINITY);
        let is_other = match calls(other).total_cmp(&calls(self)) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => other.reset > self.reset,
            std::cmp::Ordering::Greater => false,
        };
        if is_other { other } else { self }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A plain decimal number; not what else `f64` would read (`inf`, `1e9`).
fn number(value: &str) -> Option<f64> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_plain = digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_plain { value.parse().ok() } else { None }
}

fn until(time: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(time.duration_since(now)).unwrap_or_default().min(LONGEST_WAIT)
}

fn clamp(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.clamp(0.0, LONGEST_WAIT.as_secs_f64())).unwrap_or_default()
}

#[cfg(test)]
mod tests;
