//! What birth intervals leave of the calendar: cells between their ends, and spans of cells that belong together.
//!
//! Invariant: a source narrows the answer only as far as it is to be believed: where the cells that it leaves out are
//! nearly as likely, they stay in.

use gleaner_providers::BirthInterval;
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::question::{Candidate, MOST_VOTES};
use super::voices::Said;

/// Days that are the same to all sources.
pub(super) struct Cell {
    pub(super) interval: BirthInterval,
    pub(super) candidate: Candidate,
}

/// Cells side by side that are about as likely, as one answer.
pub(super) struct Span {
    pub(super) interval: BirthInterval,
    pub(super) chance: f64,
    /// One bit a vote: those that allow most of it.
    pub(super) supporters: u128,
}

/// How much of the space of answers an interval covers: 1 is a year, a day a quarter of that, because wrong answers are
/// seldom in the right year.
pub(super) fn breadth(interval: BirthInterval) -> f64 {
    const AT_LEAST: f64 = 120.0;
    const YEAR: f64 = 365.25;
    let days = f64::from(i32::try_from(interval.width_in_days()).unwrap_or(i32::MAX));
    (days + AT_LEAST) / (YEAR + AT_LEAST)
}

/// How precisely an interval is stated, and which of the different ones in a question it is.
pub(super) fn wording(interval: BirthInterval, all: &[Said<'_, BirthInterval>]) -> (u8, u8) {
    let place = all.iter().position(|said| *said.value == interval).unwrap_or_default();
    (interval.precision() as u8, u8::try_from(place).unwrap_or(u8::MAX))
}

/// The calendar cut at every interval's ends; only what some interval allows.
pub(super) fn cells(said: &[Said<'_, BirthInterval>]) -> Vec<Cell> {
    let said = said.get(..MOST_VOTES).unwrap_or(said);
    let mut starts: Vec<Date> = said.iter().map(|said| said.value.earliest()).collect();
    starts.extend(said.iter().filter_map(|said| said.value.latest().checked_add(1.day()).ok()));
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).map(|next| next.yesterday().unwrap_or(*next));
    let cell = |(start, end): (&Date, Date)| {
        let allowing = said.iter().enumerate().filter(|(_, said)| said.value.contains(*start));
        let supporters = allowing.fold(0, |bits, (vote, _)| bits | 1 << vote);
        let interval = BirthInterval::between(*start, end).ok().filter(|_| supporters != 0)?;
        Some(Cell { interval, candidate: Candidate { supporters, breadth: breadth(interval) } })
    };
    starts.iter().zip(ends).filter_map(cell).collect()
}

/// How many groups of intervals there are that have no day in common.
pub(super) fn different(cells: &[Cell]) -> usize {
    let apart =
        cells.windows(2).filter(|pair| pair[0].candidate.supporters & pair[1].candidate.supporters == 0);
    apart.count() + usize::from(!cells.is_empty())
}

/// Joins cells into answers, likeliest first. `chances` are those of the cells.
pub(super) fn spans(cells: &[Cell], chances: &[f64]) -> Vec<Span> {
    let mut free = vec![true; cells.len()];
    let mut spans: Vec<Span> = Vec::new();
    let by_chance = |a: &usize, b: &usize| chances[*a].total_cmp(&chances[*b]).then(b.cmp(a));
    while let Some(best) = (0..cells.len()).filter(|index| free[*index]).max_by(by_chance) {
        let (first, last) = reach(cells, chances, &free, best);
        (first..=last).for_each(|index| free[index] = false);
        let Some(span) = join(&cells[first..=last], &chances[first..=last]) else { continue };
        // What is left of an interval beside the answer that it supports is no other answer.
        let is_rest = spans.iter().any(|likelier| span.supporters & !likelier.supporters == 0);
        if !is_rest {
            spans.push(span);
        }
    }
    spans
}

/// How far the answer around a cell reaches: over neighbours that are nearly as likely, day for day.
fn reach(cells: &[Cell], chances: &[f64], free: &[bool], best: usize) -> (usize, usize) {
    const NEARLY: f64 = 0.15;
    let density = |index: usize| chances[index] / cells[index].candidate.breadth;
    let touch = |a: usize, b: usize| {
        cells[a].interval.latest().tomorrow().is_ok_and(|next| next == cells[b].interval.earliest())
    };
    let fits = |index: usize| free[index] && density(index) >= NEARLY * density(best);
    let (mut first, mut last) = (best, best);
    while first > 0 && touch(first - 1, first) && fits(first - 1) {
        first -= 1;
    }
    while last + 1 < cells.len() && touch(last, last + 1) && fits(last + 1) {
        last += 1;
    }
    (first, last)
}

fn join(cells: &[Cell], chances: &[f64]) -> Option<Span> {
    const MOST: f64 = 0.5;
    let interval =
        BirthInterval::between(cells.first()?.interval.earliest(), cells.last()?.interval.latest()).ok()?;
    let chance: f64 = chances.iter().sum();
    let allows = |vote: usize| {
        let allowed = cells.iter().zip(chances).filter(|(cell, _)| cell.candidate.has(vote));
        allowed.map(|(_, chance)| chance).sum::<f64>() >= MOST * chance
    };
    let supporters = (0..MOST_VOTES).filter(|vote| allows(*vote)).fold(0, |bits, vote| bits | 1 << vote);
    Some(Span { interval, chance, supporters })
}
