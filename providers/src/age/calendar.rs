//! Whole years on the calendar.
//!
//! Invariant: [`years_before`] and [`completed_years`] are inverse: a birth date on or before `years_before(day, n)`
//! has completed at least n years on `day`, a later one has not. Both let 29 February come of age on 1 March.

use jiff::civil::Date;

/// The latest birth date of somebody who has completed `years` years on this day.
pub(super) fn years_before(day: Date, years: i16) -> Option<Date> {
    let year = day.year().checked_sub(years)?;
    // On 29 February, whoever was born on 28 February of a common year had their birthday yesterday.
    Date::new(year, day.month(), day.day()).or_else(|_| Date::new(year, day.month(), 28)).ok()
}

/// The years completed on this day by somebody born on `birth`; none on days before it.
pub(super) fn completed_years(birth: Date, day: Date) -> u8 {
    let had_birthday = (day.month(), day.day()) >= (birth.month(), birth.day());
    let years = i32::from(day.year()) - i32::from(birth.year()) - i32::from(!had_birthday);
    u8::try_from(years.max(0)).unwrap_or(u8::MAX)
}

pub(super) fn next_day(day: Date) -> Option<Date> {
    day.tomorrow().ok()
}
