//! What vendors and their competitors publish about match rates, as a first guess.
//!
//! Nobody has published a trustworthy rate for "e-mail address to person": the numbers that exist are for the opposite way (a name
//! and a company to a work address) and come from sellers. So they count for little ([`TRUST`] answers), and a provider that no
//! number is known of gets the middle of those that are. Sources: single-source enrichment 50 to 70 % (targetwise.ai), Apollo 50 to
//! 65 %, Hunter 40 to 55 %, Dropcontact, Prospeo and Findymail 40 to 55 % (leadmagic.io, gtmexperts), all read in 2026.
//!
//! Invariant: pure; rates lie strictly between 0 and 1, so that no answer is held to be impossible.

use gleaner_providers::email::Segment;
use gleaner_providers::provider::Price;

use super::worth::Worth;
use crate::record::Fields;

/// How many answers of our own a published rate is worth.
const TRUST: f64 = 16.0;
/// How often a match has a field that its provider supplies.
const FILLS: [f64; 3] = [0.9, 0.4, 0.7];
/// A match tells a field that its provider does not claim to supply.
const HARDLY: f64 = 0.001;

struct Published {
    provider: &'static str,
    free_mail: f64,
    company: f64,
    /// How often a match has name, age, social.
    fills: [f64; 3],
}

const fn row(provider: &'static str, free_mail: f64, company: f64, fills: [f64; 3]) -> Published {
    Published { provider, free_mail, company, fills }
}

const PUBLISHED: &[Published] = &[
    row("gravatar", 0.25, 0.35, [0.9, HARDLY, 0.9]),
    row("github", 0.15, 0.30, [0.7, HARDLY, 0.95]),
    row("homepage", 0.02, 0.50, [0.8, 0.2, 0.8]),
    row("people_data_labs", 0.60, 0.55, [0.98, 0.4, 0.9]),
    row("hunter", 0.15, 0.50, [0.95, HARDLY, 0.6]),
    row("apollo", 0.20, 0.58, [0.98, HARDLY, 0.9]),
];

/// What is expected of a provider before it was ever asked.
pub(in crate::enrich) fn worth(provider: &str, segment: Segment, supplies: Fields, price: Price) -> Worth {
    let known = PUBLISHED.iter().find(|row| row.provider == provider);
    let (free_mail, company, fills) = match known {
        Some(row) => (row.free_mail, row.company, row.fills),
        None if price.is_free() => (0.10, 0.15, FILLS),
        None => (0.45, 0.50, FILLS),
    };
    let rate = match segment {
        Segment::FreeMail => free_mail,
        Segment::Company => company,
        Segment::Academic => f64::midpoint(free_mail, company),
        // A function is no person, and nobody else knows a throw-away address.
        Segment::Role => company * 0.3,
        Segment::Disposable => free_mail * 0.1,
    };
    let mut fills = fills;
    for (field, fill) in gleaner_providers::Field::ALL.into_iter().zip(&mut fills) {
        if !supplies.contains(field) {
            *fill = HARDLY;
        }
    }
    Worth::prior(rate, fills, TRUST)
}

#[cfg(test)]
mod tests {
    use gleaner_providers::Field;
    use gleaner_providers::provider::Micros;

    use super::*;

    #[test]
    fn everybody_is_expected_to_bring_something_and_nobody_everything() {
        let supplies = Fields::of(&[Field::Name, Field::Social]);
        for provider in PUBLISHED.iter().map(|row| row.provider).chain(["unheard_of"]) {
            for segment in Segment::ALL {
                let worth = worth(provider, segment, supplies, Price::per_match(Micros(1)));
                assert!(worth.match_rate() > 0.0 && worth.match_rate() < 1.0, "{provider}");
                assert!(worth.fill_rate(Field::Age) < 0.01, "{provider} supplies no age");
                assert_eq!(worth.seen(), 0);
            }
        }
    }
}
