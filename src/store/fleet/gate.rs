//! The decision about a wish for slots, for stores that decide in this process.
//!
//! Invariant: pure. The function `gleaner_grant` of the other engine decides the same; the conformance story runs both.

use std::time::Duration;

use gleaner_providers::limit::{Ask, Slots, reserve};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::{GateRefusal, Granted, SlotClaim, day, month};
use crate::config::Budget;

/// How long two askers in a row make a provider contended.
const CONTENDED_FOR: SignedDuration = SignedDuration::from_secs(5);
/// Slots are given back within so many seconds, or never.
const UNUSED_FOR_SECS: i64 = 10;
/// How long after the end of the line its last holder still counts as present.
const PRESENT_FOR: SignedDuration = SignedDuration::from_secs(1);

/// What a row of `provider_gates` says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct GateRow {
    /// In nanoseconds.
    pub(crate) next_slot: i64,
    pub(crate) holder: Option<String>,
    pub(crate) contended_at: Timestamp,
    pub(crate) blocked_until: Option<Timestamp>,
    pub(crate) is_paused: bool,
    /// `None`: without end.
    pub(crate) paused_until: Option<Timestamp>,
    pub(crate) today: Leaves,
    pub(crate) month: Leaves,
}

/// Calls that were given leave in one period.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Leaves {
    /// Which day or month it is about.
    pub(crate) period: i64,
    pub(crate) calls: u64,
}

/// What the books say of today and of this month.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Booked {
    pub(crate) today: Spent,
    pub(crate) month: Spent,
}

/// Calls whose lookup is in the books, and what they cost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Spent {
    pub(crate) calls: u64,
    pub(crate) micros: u64,
}

impl GateRow {
    /// Decides, and takes down what was decided.
    pub(crate) fn decide(&mut self, claim: &SlotClaim<'_>, booked: &Booked, now: Timestamp) -> Granted {
        let date = now.to_zoned_datetime(TimeZone::UTC).date();
        self.today.roll_to(day(now));
        self.month.roll_to(month(now));
        // They may have been granted yesterday, and must not make room today.
        if now.as_second().rem_euclid(86_400) >= UNUSED_FOR_SECS {
            self.today.give_back(claim.ask.unused);
            self.month.give_back(claim.ask.unused);
        }
        self.see(claim.owner, now);
        let contended = now.duration_since(self.contended_at) < CONTENDED_FOR;
        let granted = |slots, refusal| Granted { now, slots, refusal, contended };
        let (left, refusal, again) = match self.refusal(&claim.budget, booked, now, date) {
            Ok(left) => (left, GateRefusal::GivenAway, None),
            Err((refusal, again)) => (0, refusal, again),
        };
        let want = claim.ask.want.min(u32::try_from(left).unwrap_or(u32::MAX));
        if want == 0 {
            return granted(Slots::NoneBefore(again), Some(refusal));
        }
        match reserve(self.next_slot, nanos(now), &Ask { want, ..claim.ask }) {
            Ok(reserved) => {
                self.next_slot = reserved.next;
                self.holder = Some(claim.owner.to_owned());
                self.today.calls += u64::from(reserved.count);
                self.month.calls += u64::from(reserved.count);
                granted(Slots::From { first: moment(reserved.first), count: reserved.count }, None)
            }
            Err(before) => granted(Slots::NoneBefore(Some(moment(before))), Some(refusal)),
        }
    }

    /// Whether anyone has closed the provider.
    pub(crate) fn is_closed(&self, now: Timestamp) -> bool {
        let is_later = |until: Timestamp| until > now;
        (self.is_paused && self.paused_until.is_none_or(is_later)) || self.blocked_until.is_some_and(is_later)
    }

    /// Notes that two workers ask at the same time.
    fn see(&mut self, owner: &str, now: Timestamp) {
        let is_present = self.next_slot > nanos(now - PRESENT_FOR);
        if is_present && self.holder.as_deref().is_some_and(|holder| holder != owner) {
            self.contended_at = now;
        }
    }

    /// How many calls the budgets allow; or why none may leave, and until when.
    fn refusal(
        &self,
        budget: &Budget,
        booked: &Booked,
        now: Timestamp,
        date: Date,
    ) -> Result<u64, (GateRefusal, Option<Timestamp>)> {
        if self.is_paused && self.paused_until.is_none_or(|until| until > now) {
            return Err((GateRefusal::Paused, self.paused_until));
        }
        if let Some(until) = self.blocked_until.filter(|until| *until > now) {
            return Err((GateRefusal::Blocked, Some(until)));
        }
        let price = budget.call_micros;
        let month = self.month.left(booked.month, budget.monthly_calls, budget.monthly_micros, price);
        if month == 0 {
            return Err((GateRefusal::MonthlyBudget, midnight(date.first_of_month().checked_add(1.month()))));
        }
        let today = self.today.left(booked.today, budget.daily_calls, budget.daily_micros, price);
        if today == 0 {
            return Err((GateRefusal::DailyBudget, midnight(date.checked_add(1.day()))));
        }
        Ok(today.min(month))
    }
}

impl Leaves {
    fn roll_to(&mut self, period: i64) {
        if self.period < period {
            *self = Self { period, calls: 0 };
        }
    }

    fn give_back(&mut self, unused: u32) {
        self.calls = self.calls.saturating_sub(u64::from(unused));
    }

    /// How many calls are left. Those that are not in the books yet are taken to cost as much as a call can.
    fn left(self, booked: Spent, calls: Option<u64>, micros: Option<u64>, price: u64) -> u64 {
        let by_count = calls.map_or(u64::MAX, |most| most.saturating_sub(self.calls));
        let open = self.calls.saturating_sub(booked.calls).saturating_mul(price);
        let left = |most: u64| most.saturating_sub(booked.micros.saturating_add(open)).checked_div(price);
        by_count.min(micros.and_then(left).unwrap_or(u64::MAX))
    }
}

fn midnight(date: Result<Date, jiff::Error>) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(date.ok()?.to_datetime(Time::midnight())).ok()
}

pub(crate) fn nanos(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)
}

pub(crate) fn moment(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanoseconds.into()).unwrap_or(Timestamp::MAX)
}

/// The end of a wait; the end of time where there is none.
pub(crate) fn after(now: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}
