//! The values that `sqlx` does not know: times and days of `jiff`, in PostgreSQL's binary form.
//!
//! Invariant: pure; a value comes back as it was written, times to the microsecond.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgRow, PgTypeInfo, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Row as _, Type};

use super::StoreError;
use crate::keyring::SubjectKey;
use crate::store::columns::{self, subject_of};

/// PostgreSQL counts from the first moment of 2000: microseconds, or days.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const EPOCH_DAY: Date = Date::constant(2000, 1, 1);

/// A `timestamptz`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Moment(pub(super) Timestamp);

/// A `date`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Day(pub(super) Date);

impl Type<Postgres> for Moment {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1184))
    }
}

impl PgHasArrayType for Moment {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1185))
    }
}

impl Encode<'_, Postgres> for Moment {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let micros = self.0.as_microsecond() - EPOCH_MICROS;
        buffer.extend_from_slice(&micros.to_be_bytes());
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for Moment {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let micros = i64::from_be_bytes(value.as_bytes()?.try_into()?);
        Ok(Self(Timestamp::from_microsecond(micros.saturating_add(EPOCH_MICROS))?))
    }
}

impl Type<Postgres> for Day {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1082))
    }
}

impl PgHasArrayType for Day {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1182))
    }
}

impl Encode<'_, Postgres> for Day {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let days = EPOCH_DAY.until(self.0)?.get_days();
        buffer.extend_from_slice(&days.to_be_bytes());
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for Day {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let days = i32::from_be_bytes(value.as_bytes()?.try_into()?);
        Ok(Self(EPOCH_DAY.checked_add(jiff::Span::new().try_days(days)?)?))
    }
}

pub(super) fn moment_from(row: &PgRow, column: &str) -> Result<Timestamp, StoreError> {
    Ok(row.try_get::<Moment, _>(column)?.0)
}

pub(super) fn day_from(row: &PgRow, column: &str) -> Result<Option<Date>, StoreError> {
    Ok(row.try_get::<Option<Day>, _>(column)?.map(|day| day.0))
}

pub(super) fn subject_from(row: &PgRow, table: &'static str) -> Result<SubjectKey, StoreError> {
    subject_of(row.try_get("subject")?, table)
}

/// A count, which PostgreSQL keeps as a signed number.
pub(super) fn count_from(row: &PgRow, column: &str) -> Result<u64, StoreError> {
    let count: i64 = row.try_get(column)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Numbers of ours as PostgreSQL's signed ones.
pub(super) fn signed(numbers: impl Iterator<Item = u64>) -> Result<Vec<i64>, StoreError> {
    numbers.map(columns::signed).collect()
}

/// PostgreSQL's texts hold every character but NUL, which no honest provider sends.
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// The same inside a JSON text, where NUL is written as an escape. (An escaped backslash before it is no escape, and is
/// left alone.)
pub(super) fn storable_json(text: String) -> String {
    const NUL: &str = "\\u0000";
    if !text.contains(NUL) {
        return text;
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\\') {
        let escape = rest[at..].chars().nth(1).map_or(1, |second| 1 + second.len_utf8());
        let is_nul = rest[at..].starts_with(NUL);
        cleaned.push_str(&rest[..at]);
        cleaned.push_str(if is_nul { "\\ufffd" } else { &rest[at..at + escape] });
        rest = &rest[at + if is_nul { NUL.len() } else { escape }..];
    }
    cleaned + rest
}

/// A length as PostgreSQL takes it; a century is as good as for ever.
pub(super) fn micros(duration: Duration) -> i64 {
    const CENTURY: i64 = 100 * 366 * 86_400 * 1_000_000;
    i64::try_from(duration.as_micros()).unwrap_or(CENTURY).min(CENTURY)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::*;

    proptest! {
        #[test]
        fn what_a_database_cannot_hold_is_replaced_and_nothing_else(
            texts in proptest::collection::vec("[\\\\u0\0a\"é]{0,12}", 0..4)
        ) {
            let json = storable_json(serde_json::to_string(&texts).unwrap());
            let read: Vec<String> = serde_json::from_str(&json).unwrap();
            let expected: Vec<_> = texts.iter().map(|text| storable(text).into_owned()).collect();
            assert_eq!(read, expected);
            assert!(!read.concat().contains('\0'));
        }

        #[test]
        fn the_epochs_are_right(days in -700_000..2_900_000_i32) {
            let day = EPOCH_DAY.checked_add(jiff::Span::new().days(days)).unwrap();
            assert_eq!(EPOCH_DAY.until(day).unwrap().get_days(), days);
            let midnight = day.to_zoned_datetime(jiff::tz::TimeZone::UTC).unwrap().timestamp();
            assert_eq!(midnight.as_microsecond() - EPOCH_MICROS, i64::from(days) * 86_400_000_000);
        }
    }
}
