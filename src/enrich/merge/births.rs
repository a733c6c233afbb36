//! Which birth intervals can be true together, and what they leave of the calendar.
//!
//! Invariant: an interval is only ever narrowed by sources that all allow what is left.

use gleaner_providers::BirthInterval;

use super::question::{Candidate, MOST_VOTES};
use super::voices::Said;

/// An interval that several sources allow.
pub(super) struct Span {
    pub(super) interval: BirthInterval,
    pub(super) candidate: Candidate,
}

/// How many years an interval covers; a single day is as good as a year, because wrong years are what is mostly wrong.
pub(super) fn breadth(interval: BirthInterval) -> f64 {
    let days = i32::try_from(interval.width_in_days()).unwrap_or(i32::MAX);
    (f64::from(days) / 365.25).max(1.0)
}

/// Every largest set of intervals with a day in common. (Intervals that overlap pairwise all share a day.)
pub(super) fn spans(said: &[Said<'_, BirthInterval>]) -> Vec<Span> {
    let said = said.get(..MOST_VOTES).unwrap_or(said);
    let mut sets: Vec<u128> = said
        .iter()
        .map(|start| {
            let day = start.value.earliest();
            let allowing = said.iter().enumerate().filter(|(_, other)| other.value.contains(day));
            allowing.fold(0, |bits, (vote, _)| bits | 1 << vote)
        })
        .collect();
    sets.sort_unstable();
    sets.dedup();
    let is_largest = |set: &u128| !sets.iter().any(|other| other != set && set & other == *set);
    let span = |set: &u128| {
        let mut members =
            said.iter().enumerate().filter(|(vote, _)| set >> vote & 1 == 1).map(|(_, said)| *said.value);
        let first = members.next()?;
        let interval = members.try_fold(first, |left, next| left.intersect(&next))?;
        Some(Span { interval, candidate: Candidate { supporters: *set, breadth: breadth(interval) } })
    };
    sets.iter().filter(|set| is_largest(set)).filter_map(span).collect()
}
