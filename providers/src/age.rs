//! Age, kept as an interval of birth dates: sources say "41", "35-44", "1983" or "1983-05-12", each on some day.
//!
//! Invariant: pure. Personal data: `Debug` is redacted, there is no `Display`. Never days divided by 365.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The days on which a person may have been born, both ends included.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq, Serialize)]
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

impl BirthInterval {
    /// The interval between two days, both possible.
    pub fn between(earliest: Date, latest: Date) -> Result<Self, AgeError> {
        if earliest > latest {
            return Err(AgeError::Invalid("the earliest day comes after the latest"));
        }
        Ok(Self { earliest, latest })
    }

    /// Reads a birth date or a part of one as vendors write it: `1987-06-07`, `1987-06`, `1987`, a date-time.
    /// `today` is the day of the answer: nobody is born after it.
    pub fn parse_birth_date(text: &str, today: Date) -> Result<Self, AgeError> {
        let _ = (text, today);
        Err(AgeError::NoYear)
    }

    /// Born in this year.
    pub fn from_year(year: i16, today: Date) -> Result<Self, AgeError> {
        let _ = (year, today);
        Err(AgeError::NoYear)
    }

    /// Reads an age as vendors write it (`41`, `35-44`, `65+`, `40s`), true on the day `observed`.
    pub fn parse_age(text: &str, observed: Date) -> Result<Self, AgeError> {
        let _ = (text, observed);
        Err(AgeError::NoYear)
    }

    /// Between `youngest` and `oldest` completed years old on the day `observed`.
    pub fn from_ages(youngest: u8, oldest: u8, observed: Date) -> Result<Self, AgeError> {
        let _ = (youngest, oldest, observed);
        Err(AgeError::NoYear)
    }

    pub const fn earliest(&self) -> Date {
        self.earliest
    }

    pub const fn latest(&self) -> Date {
        self.latest
    }

    /// The days that both intervals allow, or nothing where they contradict each other.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        Self::between(self.earliest.max(other.earliest), self.latest.min(other.latest)).ok()
    }

    /// The youngest and the oldest age in completed years on this day.
    pub fn ages_on(&self, day: Date) -> (u8, u8) {
        let _ = day;
        (0, 0)
    }

    /// The age in completed years on this day, where the interval allows only one.
    pub fn age_on(&self, day: Date) -> Option<u8> {
        let (youngest, oldest) = self.ages_on(day);
        (youngest == oldest).then_some(youngest)
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
