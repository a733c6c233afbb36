//! Replays: a selection of members is looked up again, or their records are made again from answers in stock.
//!
//! The store puts the members in, chunk by chunk; here is what goes on doing so: the operator's command, and every worker
//! beside its work, so that a batch whose operator went away is filled all the same.
//!
//! Invariant: nothing is put in before the batch is approved, and nothing here asks a provider.

use std::collections::HashMap;
use std::time::Duration;

use gleaner_providers::clock::SharedClock;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::enrich::Policy;
use crate::enrich::rebuild::{Stays, rebuild};
use crate::job::{Answer, BatchId};
use crate::keyring::SubjectKey;
use crate::member::MemberId;
use crate::record::{Record, changes};
use crate::store::batches::{BatchKind, Filled, Rebuilt};
use crate::store::{SharedStore, StoreError};

pub mod estimate;

/// Members put in, and records read, in one transaction.
const CHUNK: u32 = 2_000;
/// How often a worker looks whether a batch is left unfilled.
const LOOK: Duration = Duration::from_secs(3);

/// What filling needs.
#[derive(Clone, Debug)]
pub struct Filler {
    pub store: SharedStore,
    pub clock: SharedClock,
    pub policy: Policy,
}

/// One record as it would be made again.
#[derive(Clone, Debug)]
pub struct Preview {
    pub before: Record,
    pub after: Record,
}

/// What a renormalize would do.
#[derive(Clone, Debug, Default)]
pub struct Forecast {
    pub records: u64,
    /// Records that stay because an answer that they rest on has expired, or because they are a replay's to decide.
    pub skipped: u64,
    pub changed: u64,
    /// Fields by how they change.
    pub changes: std::collections::BTreeMap<(&'static str, &'static str), u64>,
    /// The first of them.
    pub first: Vec<Preview>,
}

impl Filler {
    /// One step: a chunk of members, in one transaction.
    pub async fn step(&self, batch: BatchId, kind: BatchKind) -> Result<Filled, StoreError> {
        match kind {
            BatchKind::Renormalize => self.rebuild_some(batch).await,
            BatchKind::Import | BatchKind::Replay => {
                self.store.fill_batch(batch, CHUNK, self.clock.now()).await
            }
        }
    }

    /// Goes on until the batch is filled, or held back by somebody; `on_step` hears of each step.
    pub async fn fill(
        &self,
        batch: BatchId,
        kind: BatchKind,
        mut on_step: impl FnMut(Filled),
    ) -> Result<Filled, StoreError> {
        loop {
            let step = self.step(batch, kind).await?;
            on_step(step);
            if step.is_over || step.is_held {
                return Ok(step);
            }
        }
    }

    /// Goes on with whatever is unfilled, until it is enough. A worker's task.
    pub async fn keep_filling(self, enough: CancellationToken) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = enough.cancelled() => return,
            }
            if let Err(error) = self.fill_what_is_left(&enough).await {
                tracing::debug!(%error, "a batch could not be filled; trying again");
            }
        }
    }

    async fn fill_what_is_left(&self, enough: &CancellationToken) -> Result<(), StoreError> {
        for (batch, kind) in self.store.unfilled().await? {
            loop {
                let step = self.step(batch, kind).await?;
                if step.is_over || step.is_held || enough.is_cancelled() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn rebuild_some(&self, batch: BatchId) -> Result<Filled, StoreError> {
        let now = self.clock.now();
        let Some(chunk) = self.store.next_records(batch, None, CHUNK, now).await? else {
            return Ok(Filled { is_held: true, ..Filled::default() });
        };
        let answers = self.answers_about(&chunk.records).await?;
        let mut rebuilt = Vec::new();
        for (subject, record) in &chunk.records {
            let stored = answers.get(subject).map(Vec::as_slice).unwrap_or_default();
            if let Ok(anew) = rebuild(record, stored, &self.policy, now) {
                let changes = changes(Some(record), &anew);
                rebuilt.push(Rebuilt {
                    subject: *subject,
                    record: anew,
                    replaces: record.updated_at,
                    changes,
                });
            }
        }
        self.store.write_rebuilt(batch, &chunk, &rebuilt, now).await
    }

    /// What a renormalize of this draft would do; writes nothing.
    pub async fn forecast(&self, draft: BatchId, examples: usize) -> Result<Forecast, StoreError> {
        let now = self.clock.now();
        let mut forecast = Forecast::default();
        let mut after: Option<MemberId> = None;
        while let Some(chunk) = self.store.next_records(draft, after.as_ref(), CHUNK, now).await? {
            let answers = self.answers_about(&chunk.records).await?;
            for (subject, record) in &chunk.records {
                let stored = answers.get(subject).map(Vec::as_slice).unwrap_or_default();
                forecast.records += 1;
                match rebuild(record, stored, &self.policy, now) {
                    Ok(anew) => {
                        forecast.changed += 1;
                        for change in changes(Some(record), &anew) {
                            *forecast.changes.entry((change.field, change.kind.as_str())).or_default() += 1;
                        }
                        if forecast.first.len() < examples {
                            forecast.first.push(Preview { before: record.clone(), after: anew });
                        }
                    }
                    Err(Stays::Same) => {}
                    Err(Stays::AnswerGone | Stays::Minor) => forecast.skipped += 1,
                }
            }
            after = chunk.records.last().map(|(_, record)| record.member.clone());
            if chunk.is_last {
                break;
            }
        }
        Ok(forecast)
    }

    async fn answers_about(
        &self,
        records: &[(SubjectKey, Record)],
    ) -> Result<HashMap<SubjectKey, Vec<Answer>>, StoreError> {
        let subjects: Vec<_> = records.iter().map(|(subject, _)| *subject).collect();
        let mut by_subject: HashMap<SubjectKey, Vec<Answer>> = HashMap::new();
        for answer in self.store.answers(&subjects, self.clock.now()).await? {
            by_subject.entry(answer.subject).or_default().push(answer);
        }
        Ok(by_subject)
    }
}
