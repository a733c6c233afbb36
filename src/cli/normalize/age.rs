//! `gleaner normalize age`: an age or a birth date a line, in words, or as a vendor's object.
//!
//! Invariant: says what the rules of `gleaner_providers::age` say. It adds one: statements of one object must not
//! contradict each other.

use gleaner::clock::{Clock as _, SystemClock};
use gleaner_providers::BirthInterval;
use gleaner_providers::age::{AgeError, Precision};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lines::{self, Sources};
use super::object;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,
    /// The day on which statements are true and ages are computed [default: today, UTC]
    #[arg(long, value_name = "DATE")]
    as_of: Option<Date>,
}

/// What a vendor states, each part by itself; what several parts say must agree.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    birth_date: Option<Value>,
    birth_year: Option<Value>,
    age: Option<Value>,
    as_of: Option<Date>,
}

/// When somebody was born, and how old that makes them.
#[derive(Serialize)]
struct Made {
    birth_earliest: Date,
    birth_latest: Date,
    precision: &'static str,
    /// The day on which the statement was true.
    as_of: Date,
    /// The day for which the ages are computed.
    ages_on: Date,
    age_min: u8,
    age_max: u8,
    age: Option<u8>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let today = args.as_of.unwrap_or_else(|| SystemClock.today());
    lines::answer(&args.sources, |line| read(line, today))
}

fn read(line: &str, today: Date) -> Result<Made, String> {
    let (birth, as_of) = if let Some(stated) = object::read::<Stated>(line) {
        let stated = stated?;
        let as_of = stated.as_of.unwrap_or(today);
        (stated.birth(as_of)?, as_of)
    } else {
        let (text, as_of) = match line.rsplit_once('\t') {
            Some((text, day)) => (text, day.trim().parse().map_err(|_| "has no date behind its tab")?),
            None => (line, today),
        };
        (statement(text, as_of).map_err(|error| error.to_string())?, as_of)
    };
    let (age_min, age_max) = birth.ages_on(today);
    Ok(Made {
        birth_earliest: birth.earliest(),
        birth_latest: birth.latest(),
        precision: word(birth.precision()),
        as_of,
        ages_on: today,
        age_min,
        age_max,
        age: birth.age_on(today),
    })
}

/// Reads a text that may be an age or a birth date. No text is both.
fn statement(text: &str, as_of: Date) -> Result<BirthInterval, AgeError> {
    BirthInterval::parse_age(text, as_of).or_else(|as_age| {
        BirthInterval::parse_birth_date(text, as_of)
            .map_err(|as_date| if looks_like_a_date(text) { as_date } else { as_age })
    })
}

/// Whether the reason against a date says more than the one against an age.
fn looks_like_a_date(text: &str) -> bool {
    let has_year = text.as_bytes().windows(4).any(|four| four.iter().all(u8::is_ascii_digit));
    has_year || text.matches(['-', '/', '.']).count() >= 2
}

impl Stated {
    fn birth(self, as_of: Date) -> Result<BirthInterval, String> {
        let read = |value: Option<Value>, parse: fn(&str, Date) -> Result<BirthInterval, AgeError>| {
            Ok::<_, String>(
                text_of(value)?.map(|text| parse(&text, as_of).map_err(|error| error.to_string())),
            )
        };
        let date = read(self.birth_date, BirthInterval::parse_birth_date)?;
        let year = read(self.birth_year, BirthInterval::parse_birth_date)?;
        let age = read(self.age, BirthInterval::parse_age)?;
        let mut births = [date, year, age].into_iter().flatten();
        let first = births.next().ok_or("is empty")??;
        births.try_fold(first, |birth, next| {
            birth.intersect(&next?).ok_or_else(|| "contradicts itself".to_owned())
        })
    }
}

/// The text of a value that some vendors write as a number; blank ones say nothing.
fn text_of(value: Option<Value>) -> Result<Option<String>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        Some(_) => Err("states neither a number nor a text".to_owned()),
    }
}

const fn word(precision: Precision) -> &'static str {
    match precision {
        Precision::Day => "day",
        Precision::Month => "month",
        Precision::Year => "year",
        Precision::Range => "range",
    }
}
