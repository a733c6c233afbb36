//! Age, kept as an interval of birth dates: sources say "41", "35-44", "1983" or "1983-05-12", each on some day.
//!
//! Invariant: pure. Personal data: `Debug` is redacted, there is no `Display`. Never days divided by 365.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

mod birth_date;
mod calendar;
mod statement;
mod text;

#[cfg(test)]
mod tests;

/// The highest age that is believed, in completed years: that of the oldest person whose age is proven.
pub const OLDEST_AGE: u8 = 122;

/// Full dates that software writes where it knows none: database defaults and the zeros of clocks.
const PLACEHOLDERS: [(i16, i8, i8); 5] =
    [(1900, 1, 1), (1901, 1, 1), (1901, 12, 13), (1904, 1, 1), (1970, 1, 1)];

/// The days on which a person may have been born, both ends included.
///
/// An age rots, a birth date does not: ages are computed for the day on which somebody asks. A person born
/// on 29 February completes a year on 1 March where the year has no such day, in both directions.
#[derive(Clone, Copy, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(try_from = "Bounds", into = "Bounds")]
pub struct BirthInterval {
    earliest: Date,
    latest: Date,
}

#[derive(Deserialize, Serialize)]
struct Bounds {
    earliest: Date,
    latest: Date,
}

/// Why a statement about age is refused. Carries nothing of the statement.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AgeError {
    #[error("says nothing about the year of birth")]
    NoYear,
    #[error("is not a birth date or an age: {0}")]
    Invalid(&'static str),
}

/// How much of the calendar an interval pins down.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Precision {
    /// One day.
    Day,
    /// One whole calendar month.
    Month,
    /// One whole calendar year.
    Year,
    /// Anything else: computed from an age, a span of years, or narrowed by other statements.
    Range,
}

impl BirthInterval {
    /// The interval between two days, both possible.
    pub fn between(earliest: Date, latest: Date) -> Result<Self, AgeError> {
        if earliest > latest {
            return Err(AgeError::Invalid("the earliest day comes after the latest"));
        }
        Ok(Self { earliest, latest })
    }

    /// Reads a birth date or a part of one as vendors write it: `1987-06-07`, `1987-06`, `1987`, a date-time,
    /// `19870607`, `7 June 1987`. `today` is the day of the answer: nobody is born after it.
    ///
    /// Nothing is guessed: `07/06/1987` says only the year, because two countries read it as two days, and
    /// 1 January stands for its whole year, because that is how databases fill up a lone year. A date-time is
    /// taken at its date, whatever its zone.
    pub fn parse_birth_date(text: &str, today: Date) -> Result<Self, AgeError> {
        birth_date::parse(text, today)
    }

    /// Born in this year. The current year ends today.
    pub fn from_year(year: i16, today: Date) -> Result<Self, AgeError> {
        Self::from_parts(Some(year), None, None, today)
    }

    /// Reads a birth date that a source gives in parts; an absent part and a zero both mean "unknown".
    /// The same caution applies as in [`Self::parse_birth_date`]; a day without its month is dropped.
    pub fn from_parts(
        year: Option<i16>,
        month: Option<i8>,
        day: Option<i8>,
        today: Date,
    ) -> Result<Self, AgeError> {
        let known = |part: &i8| *part != 0;
        let year = year.filter(|year| *year != 0).ok_or(AgeError::NoYear)?;
        let first = |month: i8, day: i8| {
            Date::new(year, month, day).map_err(|_| AgeError::Invalid("no such day in the calendar"))
        };
        let interval = match (month.filter(known), day.filter(known)) {
            (Some(month), Some(day)) if PLACEHOLDERS.contains(&(year, month, day)) => {
                return Err(AgeError::Invalid("a placeholder, not a date"));
            }
            (None, _) | (Some(1), Some(1)) => Self::from(first(1, 1)?).truncated_to_year(),
            (Some(month), None) => Self::from(first(month, 1)?).truncated_to_month(),
            (Some(month), Some(day)) => Self::from(first(month, day)?),
        };
        if interval.earliest > today {
            return Err(AgeError::Invalid("in the future"));
        }
        let alive = Self::from_ages(0, OLDEST_AGE, today)?;
        interval.intersect(&alive).ok_or(AgeError::Invalid("longer ago than anybody has lived"))
    }

    /// Reads an age as vendors write it (`41`, `35-44`, `65+`, `40s`), true on the day `observed`.
    ///
    /// Readings worth knowing: `over 65` and `>65` start at 66, `65+` at 65; `mid-30s` is 34 to 36, with
    /// 30 to 33 before and 37 to 39 after; `born 1983` is a birth date. Refused: fractions (`39.5` is the middle
    /// of somebody's bucket; `39.0` is 39), `about 40`, and a bare `0`, which means "unknown" where it occurs.
    pub fn parse_age(text: &str, observed: Date) -> Result<Self, AgeError> {
        statement::parse(text, observed)
    }

    /// Between `youngest` and `oldest` completed years old on the day `observed`: (D − (oldest + 1)y, D − youngest y].
    pub fn from_ages(youngest: u8, oldest: u8, observed: Date) -> Result<Self, AgeError> {
        if youngest > oldest {
            return Err(AgeError::Invalid("the youngest age exceeds the oldest"));
        }
        if oldest > OLDEST_AGE {
            return Err(AgeError::Invalid("older than anybody has become"));
        }
        let out_of_calendar = AgeError::Invalid("outside the calendar");
        let latest = calendar::years_before(observed, i16::from(youngest));
        let earliest = calendar::years_before(observed, i16::from(oldest) + 1).and_then(calendar::next_day);
        match (earliest, latest) {
            (Some(earliest), Some(latest)) => Self::between(earliest, latest),
            _ => Err(out_of_calendar),
        }
    }

    pub const fn earliest(&self) -> Date {
        self.earliest
    }

    pub const fn latest(&self) -> Date {
        self.latest
    }

    pub fn contains(&self, day: Date) -> bool {
        (self.earliest..=self.latest).contains(&day)
    }

    /// How many days are possible; 1 where the birth date is known. What "the narrower statement" means.
    pub fn width_in_days(&self) -> i64 {
        self.latest.duration_since(self.earliest).as_hours() / 24 + 1
    }

    /// How much of the calendar the interval pins down.
    pub fn precision(&self) -> Precision {
        match *self {
            Self { earliest, latest } if earliest == latest => Precision::Day,
            whole if whole == Self::from(whole.earliest).truncated_to_month() => Precision::Month,
            whole if whole == Self::from(whole.earliest).truncated_to_year() => Precision::Year,
            _ => Precision::Range,
        }
    }

    /// The days that both intervals allow, or nothing where they contradict each other.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        Self::between(self.earliest.max(other.earliest), self.latest.min(other.latest)).ok()
    }

    /// Widened to whole months, for sources that fill up a date and say so beside it (Wikidata's precision 10).
    #[must_use]
    pub fn truncated_to_month(self) -> Self {
        Self { earliest: self.earliest.first_of_month(), latest: self.latest.last_of_month() }
    }

    /// Widened to whole years: an exact birth date is far more sensitive than a year.
    #[must_use]
    pub fn truncated_to_year(self) -> Self {
        Self { earliest: self.earliest.first_of_year(), latest: self.latest.last_of_year() }
    }

    /// The youngest and the oldest age in completed years on this day; 0 on days before birth.
    pub fn ages_on(&self, day: Date) -> (u8, u8) {
        (calendar::completed_years(self.latest, day), calendar::completed_years(self.earliest, day))
    }

    /// The age in completed years on this day, where the interval allows only one.
    pub fn age_on(&self, day: Date) -> Option<u8> {
        let (youngest, oldest) = self.ages_on(day);
        (youngest == oldest).then_some(youngest)
    }

    /// Whether nobody born in this interval has completed `age` years on this day.
    pub fn certainly_under(&self, age: u8, day: Date) -> bool {
        self.ages_on(day).1 < age
    }

    /// Whether somebody born in this interval may not have completed `age` years on this day: the careful
    /// reading, which treats the lower bound as the age, for deciding whom not to keep.
    pub fn possibly_under(&self, age: u8, day: Date) -> bool {
        self.ages_on(day).0 < age
    }
}

impl From<Date> for BirthInterval {
    fn from(day: Date) -> Self {
        Self { earliest: day, latest: day }
    }
}

impl fmt::Debug for BirthInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BirthInterval(redacted)")
    }
}

impl TryFrom<Bounds> for BirthInterval {
    type Error = AgeError;

    fn try_from(bounds: Bounds) -> Result<Self, Self::Error> {
        Self::between(bounds.earliest, bounds.latest)
    }
}

impl From<BirthInterval> for Bounds {
    fn from(interval: BirthInterval) -> Self {
        Self { earliest: interval.earliest, latest: interval.latest }
    }
}
