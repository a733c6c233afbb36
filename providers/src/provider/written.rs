//! Quotas and amounts of money as people write them: `100/h`, `40/10s`, `$0.28`.
//!
//! Invariant: exact. What cannot be told in whole windows and millionths is refused, not rounded.

use std::str::FromStr;
use std::time::Duration;

use super::{Micros, Quota};

/// Calls, a slash, a window (`s`, `min`, `h`, `day`, with a number before it where it is not one: `40/10s`).
impl FromStr for Quota {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            || format!("`{text}` is not a quota; write calls/window, such as `10/s`, `100/h`, `40/10s`");
        let (calls, window) = text.split_once('/').ok_or_else(refused)?;
        let calls: u32 = calls.trim().parse().map_err(|_| refused())?;
        let window = window.trim();
        let unit_at = window.find(|c: char| !c.is_ascii_digit()).ok_or_else(refused)?;
        let (count, unit) = window.split_at(unit_at);
        let count: u32 = if count.is_empty() { 1 } else { count.parse().map_err(|_| refused())? };
        let unit = match unit.trim() {
            "s" | "sec" | "second" => 1,
            "m" | "min" | "minute" => 60,
            "h" | "hour" => 3600,
            "d" | "day" => 86_400,
            _ => return Err(refused()),
        };
        if calls == 0 || count == 0 {
            return Err(format!("`{text}` allows no call; set `enabled = false` instead"));
        }
        Ok(Self::new(calls, Duration::from_secs(unit) * count))
    }
}

/// Dollars, with or without the sign: `$5`, `$5.00`, `0.000001`.
impl FromStr for Micros {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            || format!("`{text}` is not an amount; write dollars, such as `$5`, `$12.50`, `$0.004`");
        let amount = text.trim();
        let amount = amount.strip_prefix('$').unwrap_or(amount);
        let (whole, part) = amount.split_once('.').unwrap_or((amount, "0"));
        let are_digits =
            |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !are_digits(whole) || !are_digits(part) {
            return Err(refused());
        }
        let part = part.trim_end_matches('0');
        if part.len() > 6 {
            return Err(format!("`{text}` is finer than a millionth of a dollar"));
        }
        let whole: u64 = whole.parse().map_err(|_| refused())?;
        let part: u64 = format!("{part:0<6}").parse().map_err(|_| refused())?;
        let micros = whole.checked_mul(1_000_000).and_then(|whole| whole.checked_add(part));
        // The databases count in signed 64 bits.
        micros.filter(|micros| i64::try_from(*micros).is_ok()).map(Self).ok_or_else(refused)
    }
}
