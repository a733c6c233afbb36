//! What a replay would ask and cost, before it is approved: the planner's forecast for a sample, as many times as there are
//! members.
//!
//! Invariant: pure; a sample that is everybody is exact in what can be known.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use gleaner_providers::provider::Quota;
use serde::Serialize;

use crate::enrich::Enricher;
use crate::job::{Anew, Answer, Refresh};
use crate::keyring::SubjectKey;
use crate::store::batches::Sampled;

/// What is expected of a replay.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// Members that the forecast was made for.
    pub sampled: u64,
    pub providers: BTreeMap<String, ProviderEstimate>,
    pub lookups: u64,
    pub expected_micros: u64,
    /// If everything that may be asked were asked and matched.
    pub most_micros: u64,
    /// The shortest time in which the quotas allow it.
    pub seconds: u64,
}

/// One provider's part.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ProviderEstimate {
    pub lookups: u64,
    pub expected_micros: u64,
    pub seconds: u64,
}

/// How fast a provider may be asked.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub quota: Quota,
    /// Calls in a day, where they are limited.
    pub daily_calls: Option<u64>,
}

/// Forecasts for each of the sample, of `members` in all. `stored` are the unexpired answers about them.
pub fn estimate(
    enricher: &Enricher,
    members: u64,
    sample: &[Sampled],
    stored: Vec<Answer>,
    refresh: Option<&Refresh>,
    paces: &BTreeMap<String, Pace>,
) -> Estimate {
    if sample.is_empty() {
        return Estimate::default();
    }
    let anew = Anew::of(refresh);
    let on_purpose = anew.on_purpose();
    let mut by_subject: HashMap<SubjectKey, Vec<Answer>> = HashMap::new();
    for answer in stored.into_iter().filter(|answer| anew.takes(answer)) {
        by_subject.entry(answer.subject).or_default().push(answer);
    }
    let mut asked: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    let mut most = 0_u64;
    for member in sample {
        // Two members with one mailbox ask once.
        let known = by_subject.remove(&member.subject).unwrap_or_default();
        let settled = anew.settled(member.recorded);
        let plan = enricher.plan_replay(&member.email, &member.subject, known, settled);
        most = most.saturating_add(plan.most_micros);
        let installed = enricher.panel().installed();
        if let Some(one) = installed.into_iter().find(|one| Some(one.name()) == on_purpose) {
            // Asked whatever the others have said, and so what the planner thinks of it does not count.
            let price = one.descriptor().price;
            let dearest = price.per_match.0.max(price.per_miss.0);
            most = most.saturating_add(dearest);
            let sum = asked.entry(one.name().to_owned()).or_default();
            #[expect(clippy::cast_precision_loss, reason = "a forecast")]
            let dearest = dearest as f64;
            sum.0 += 1.0;
            sum.1 += dearest;
        }
        for step in plan.steps.into_iter().filter(|step| Some(step.provider.as_str()) != on_purpose) {
            let sum = asked.entry(step.provider).or_default();
            sum.0 += step.chance;
            sum.1 += step.expected_micros;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a forecast")]
    let (members, sampled) = (members as f64, sample.len() as f64);
    let whole = |part: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, not negative")]
        let whole = (part * members / sampled).round().max(0.0) as u64;
        whole
    };
    let mut estimate = Estimate { sampled: sample.len() as u64, ..Estimate::default() };
    for (provider, (lookups, micros)) in asked {
        let lookups = whole(lookups);
        let seconds = paces.get(&provider).map_or(0, |pace| pace.time_for(lookups).as_secs());
        estimate.lookups += lookups;
        estimate.expected_micros += whole(micros);
        estimate.seconds = estimate.seconds.max(seconds);
        let part = ProviderEstimate { lookups, expected_micros: whole(micros), seconds };
        estimate.providers.insert(provider, part);
    }
    #[expect(clippy::cast_precision_loss, reason = "a forecast")]
    let most = whole(most as f64);
    estimate.most_micros = most;
    estimate
}

impl Pace {
    /// How long so many calls take.
    pub fn time_for(&self, calls: u64) -> Duration {
        let free = u64::from(self.quota.burst.get());
        #[expect(clippy::cast_precision_loss, reason = "a forecast")]
        let windows = calls.saturating_sub(free) as f64 / f64::from(self.quota.calls.get());
        let by_quota = Duration::try_from_secs_f64(self.quota.window.as_secs_f64() * windows);
        // The first day's calls can be made at once.
        let days = self.daily_calls.map_or(0, |daily| calls.saturating_sub(1) / daily.max(1));
        by_quota.unwrap_or(Duration::MAX).max(Duration::from_secs(days.saturating_mul(86_400)))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn the_narrower_of_quota_and_day_decides() {
        let quota = Quota::per_second(10).with_burst(NonZeroU32::MIN);
        let free = Pace { quota, daily_calls: None };
        assert_eq!(free.time_for(0).as_secs(), 0);
        assert_eq!(free.time_for(601).as_secs(), 60);
        let daily = Pace { quota, daily_calls: Some(100) };
        assert_eq!(daily.time_for(100).as_secs(), 9);
        assert_eq!(daily.time_for(250).as_secs(), 2 * 86_400);
    }
}
