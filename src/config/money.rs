//! An amount of money as written in the configuration: `$5`, `$5.00`, `0.000001`.
//!
//! Invariant: exact. What cannot be told in millionths is refused, not rounded.

use gleaner_providers::provider::Micros;
use serde::Deserialize;

/// A budget in the price list's currency (US dollars for the built-ins).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct MoneyText(pub Micros);

impl MoneyText {
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

impl TryFrom<String> for MoneyText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_or_refused() {
        for (text, micros) in [
            ("$5", 5_000_000),
            ("$5.00", 5_000_000),
            ("12.5", 12_500_000),
            (" $0.28 ", 280_000),
            ("0.000001", 1),
            ("$0.1000000000", 100_000),
            ("$0", 0),
            ("9223372036854.775807", i64::MAX.cast_unsigned()),
        ] {
            assert_eq!(MoneyText::parse(text), Ok(MoneyText(Micros(micros))), "{text}");
        }
        for text in
            ["", "$", "$.5", "5.", "-1", "+1", "1e3", "1,000", "5 EUR", "0.0000001", "9223372036854.775808"]
        {
            assert!(MoneyText::parse(text).is_err(), "{text}");
        }
    }
}
