//! Nothing is lost: random histories against a model that does one thing at a time in plain maps.

use std::collections::{BTreeMap, BTreeSet};

use gleaner::job::{Claimed, Committed, DeadReason, Intake, Outcome, Refusal, SuppressionReason, Verdict};
use gleaner::record::RecordStatus;
use gleaner::store::{Census, SharedStore};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::support::{Database, LEASE, at, census, claim, member, outcome, record, registration, subject};

const MAX_ATTEMPTS: u32 = 3;
/// When records expire, in seconds of a history.
const FRESHNESS: i64 = 150;

/// One step of a history. Members and mailboxes are few, so that they meet often.
#[derive(Clone, Debug)]
enum Step {
    Enqueue(Vec<(u8, u8)>),
    Refuse(Option<u8>),
    Claim(u32),
    /// Ends executions: which of all claims ever made, and how.
    Commit(Vec<(usize, Ending)>),
    Release(usize),
    Rescue,
    Suppress(u8),
    Wait(i64),
}

#[derive(Clone, Copy, Debug)]
enum Ending {
    Written(RecordStatus),
    Minor,
    Retry(bool),
    Snooze(bool),
    Dead(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ending = prop_oneof![
        4 => (0..3_usize).prop_map(|n| Ending::Written(RecordStatus::ALL[n])),
        1 => any::<()>().prop_map(|()| Ending::Minor),
        1 => any::<bool>().prop_map(Ending::Retry),
        1 => any::<bool>().prop_map(Ending::Snooze),
        2 => any::<bool>().prop_map(Ending::Dead),
    ];
    let step = prop_oneof![
        6 => vec((0..4_u8, 0..5_u8), 1..5).prop_map(Step::Enqueue),
        1 => any::<bool>().prop_map(|named| Step::Refuse(named.then_some(1))),
        6 => (1..4_u32).prop_map(Step::Claim),
        6 => vec((0..40_usize, ending), 1..4).prop_map(Step::Commit),
        1 => (0..40_usize).prop_map(Step::Release),
        2 => any::<()>().prop_map(|()| Step::Rescue),
        1 => (0..5_u8).prop_map(Step::Suppress),
        3 => (1..80_i64).prop_map(Step::Wait),
    ];
    vec(step, 1..40)
}

#[derive(Clone, Debug)]
struct Job {
    mailbox: u8,
    run_at: i64,
    attempt: u32,
    /// The claim it runs under, and when its lease ends.
    running: Option<(usize, i64)>,
}

/// What a store should hold.
#[derive(Debug, Default)]
struct Model {
    now: i64,
    jobs: BTreeMap<u8, Job>,
    records: BTreeMap<u8, (u8, RecordStatus, i64)>,
    dead: BTreeMap<u8, u8>,
    malformed: u64,
    suppressed: BTreeSet<u8>,
    taken_in: u64,
    repeated: u64,
    gone: u64,
    /// Every claim ever made: the member, the mailbox it was claimed for, and what the store gave.
    claims: Vec<(u8, u8, Claimed)>,
}

impl Model {
    /// Of several registrations of a member in one batch, the last one is compared with the job.
    fn enqueue_batch(&mut self, pairs: &[(u8, u8)]) -> Vec<Intake> {
        let before = self.jobs.clone();
        let answers = pairs.iter().map(|(person, mailbox)| self.enqueue(*person, *mailbox)).collect();
        for (person, was) in before {
            if let Some(job) = self.jobs.get_mut(&person).filter(|job| job.mailbox == was.mailbox) {
                *job = was;
            }
        }
        answers
    }

    fn enqueue(&mut self, person: u8, mailbox: u8) -> Intake {
        if self.suppressed.contains(&mailbox) {
            self.taken_in += 1;
            self.gone += 1;
            return Intake::Suppressed;
        }
        if let Some(job) = self.jobs.get_mut(&person) {
            self.repeated += 1;
            if job.mailbox != mailbox {
                (job.mailbox, job.attempt, job.run_at) = (mailbox, 0, job.run_at.min(self.now));
            }
            return Intake::Repeated;
        }
        let was_dead = self.dead.remove(&person).is_some();
        let record = self.records.get(&person);
        if was_dead || record.is_some() {
            self.repeated += 1;
        } else {
            self.taken_in += 1;
        }
        let fresh = record.is_some_and(|(about, status, expiry)| {
            *about == mailbox && *status != RecordStatus::Partial && *expiry > self.now
        });
        if fresh {
            return Intake::Fresh;
        }
        self.jobs.insert(person, Job { mailbox, run_at: self.now, attempt: 0, running: None });
        Intake::Queued
    }

    fn commit(&mut self, claim: usize, ending: Ending, minors: &BTreeSet<u8>) -> Committed {
        let (person, mailbox, _) = self.claims[claim];
        let Some(job) = self.jobs.get(&person).filter(|job| job.running.is_some_and(|(by, _)| by == claim))
        else {
            return Committed::Stale;
        };
        let outdated = job.mailbox != mailbox;
        if matches!(ending, Ending::Minor) || self.suppressed.contains(&mailbox) || minors.contains(&mailbox)
        {
            if matches!(ending, Ending::Minor) {
                self.records.remove(&person);
            }
            self.requeue(person, self.now);
            self.jobs.retain(|other, job| *other != person || (outdated && job.mailbox != mailbox));
            if !self.jobs.contains_key(&person) {
                self.count_if_gone(person);
            }
            self.drop_suppressed();
            return if matches!(ending, Ending::Minor) { Committed::Applied } else { Committed::Suppressed };
        }
        if outdated {
            self.requeue(person, self.now);
            self.drop_suppressed();
            return Committed::Applied;
        }
        let later = self.now + 20;
        let partial = match ending {
            Ending::Written(status) => {
                self.jobs.remove(&person);
                Some(status)
            }
            Ending::Retry(partial) | Ending::Snooze(partial) => {
                self.requeue(person, later);
                if let (Ending::Snooze(_), Some(job)) = (ending, self.jobs.get_mut(&person)) {
                    job.attempt = job.attempt.saturating_sub(1);
                }
                partial.then_some(RecordStatus::Partial)
            }
            Ending::Dead(partial) => {
                self.jobs.remove(&person);
                self.dead.insert(person, mailbox);
                partial.then_some(RecordStatus::Partial)
            }
            Ending::Minor => None,
        };
        if let Some(status) = partial {
            self.records.insert(person, (mailbox, status, self.now + FRESHNESS));
        }
        Committed::Applied
    }

    fn requeue(&mut self, person: u8, run_at: i64) {
        if let Some(job) = self.jobs.get_mut(&person) {
            (job.running, job.run_at) = (None, run_at);
        }
    }

    fn release(&mut self, claim: usize) {
        let person = self.claims[claim].0;
        if let Some(job) = self.jobs.get_mut(&person)
            && job.running.is_some_and(|(by, _)| by == claim)
        {
            (job.running, job.attempt, job.run_at) =
                (None, job.attempt.saturating_sub(1), job.run_at.min(self.now));
        }
        self.drop_suppressed();
    }

    fn rescue(&mut self) -> (u64, u64) {
        let expired = |job: &Job| job.running.is_some_and(|(_, until)| until <= self.now);
        let people: Vec<u8> =
            self.jobs.iter().filter(|(_, job)| expired(job)).map(|(person, _)| *person).collect();
        let (mut requeued, mut buried) = (0, 0);
        for person in people {
            let job = self.jobs[&person].clone();
            if self.suppressed.contains(&job.mailbox) {
                self.requeue(person, job.run_at);
            } else if job.attempt >= MAX_ATTEMPTS {
                buried += 1;
                self.jobs.remove(&person);
                self.dead.insert(person, job.mailbox);
            } else {
                requeued += 1;
                self.requeue(person, job.run_at.min(self.now));
            }
        }
        self.drop_suppressed();
        (requeued, buried)
    }

    fn suppress(&mut self, mailbox: u8) {
        self.suppressed.insert(mailbox);
        self.drop_suppressed();
    }

    /// Nothing that lies still is about a suppressed mailbox.
    fn drop_suppressed(&mut self) {
        let (suppressed, before) = (&self.suppressed, self.known());
        self.jobs.retain(|_, job| job.running.is_some() || !suppressed.contains(&job.mailbox));
        self.records.retain(|_, (mailbox, ..)| !suppressed.contains(mailbox));
        self.dead.retain(|_, mailbox| !suppressed.contains(mailbox));
        self.gone += (before.len() - self.known().len()) as u64;
    }

    fn count_if_gone(&mut self, person: u8) {
        self.gone += u64::from(!self.known().contains(&person));
    }

    fn known(&self) -> BTreeSet<u8> {
        self.jobs.keys().chain(self.records.keys()).chain(self.dead.keys()).copied().collect()
    }

    fn census(&self) -> Census {
        let jobs =
            |running: bool| self.jobs.values().filter(|job| job.running.is_some() == running).count() as u64;
        let records = |wanted: RecordStatus| {
            let elsewhere = |person: &u8| self.jobs.contains_key(person) || self.dead.contains_key(person);
            let of_status = self.records.iter().filter(|(_, (_, status, _))| *status == wanted);
            of_status.filter(|(person, _)| !elsewhere(person)).count() as u64
        };
        let found =
            self.records.values().filter(|(_, status, _)| *status != RecordStatus::NoMatch).count() as u64;
        Census {
            purged: 0,
            taken_in: self.taken_in,
            waiting: jobs(false),
            running: jobs(true),
            complete: records(RecordStatus::Complete),
            partial: records(RecordStatus::Partial),
            no_match: records(RecordStatus::NoMatch),
            suppressed: self.gone,
            dead_letters: self.dead.len() as u64 + self.malformed,
            inbox: 0,
            repeated: self.repeated,
            with_name: found,
            with_age: found,
            with_social: found,
        }
    }
}

pub(crate) async fn every_history_adds_up(database: &impl Database) {
    assert_eq!(census(&*database.open().await).await, Census::default());
    let config = Config { cases: database.histories(), failure_persistence: None, ..Config::default() };
    block_in_place(|| {
        TestRunner::new(config)
            .run(&steps(), |history| {
                Handle::current().block_on(async {
                    let (store, mut model) = (database.fresh().await, Model::default());
                    for step in history {
                        take(&store, &mut model, step).await;
                        assert_eq!(census(&*store).await, model.census());
                    }
                });
                Ok(())
            })
            .unwrap();
    });
}

/// Takes one step in both worlds and compares what they say.
async fn take(store: &SharedStore, model: &mut Model, step: Step) {
    let now = at(model.now);
    match step {
        Step::Enqueue(pairs) => {
            let batch: Vec<_> = pairs.iter().map(|(person, mailbox)| registration(person, mailbox)).collect();
            let expected = model.enqueue_batch(&pairs);
            assert_eq!(store.enqueue(&batch, now).await.unwrap(), expected);
        }
        Step::Refuse(person) => {
            let refusal =
                Refusal { origin: "stdin:1".to_owned(), member: person.map(member), reason: String::new() };
            store.refuse(&[refusal], now).await.unwrap();
            model.taken_in += 1;
            model.malformed += 1;
        }
        Step::Claim(limit) => take_claim(store, model, limit).await,
        Step::Commit(endings) => take_commit(store, model, &endings).await,
        Step::Release(claim) => {
            if let Some(claim) = claim.checked_rem(model.claims.len()) {
                store.release(&[model.claims[claim].2.hold], now).await.unwrap();
                model.release(claim);
            }
        }
        Step::Rescue => {
            let rescued = store.rescue(now, MAX_ATTEMPTS).await.unwrap();
            assert_eq!((rescued.requeued, rescued.buried), model.rescue());
        }
        Step::Suppress(mailbox) => {
            store.suppress(subject(mailbox), SuppressionReason::Erased, now).await.unwrap();
            model.suppress(mailbox);
        }
        Step::Wait(seconds) => model.now += seconds,
    }
}

async fn take_claim(store: &SharedStore, model: &mut Model, limit: u32) {
    let due = model.jobs.values().filter(|job| job.running.is_none() && job.run_at <= model.now).count();
    let taken = claim(&**store, limit, at(model.now)).await;
    assert_eq!(taken.len(), due.min(limit as usize));
    let mut last = i64::MIN;
    for claimed in taken {
        let person: u8 = claimed.member.as_str().trim_start_matches("m-").parse().unwrap();
        let job = model.jobs.get_mut(&person).expect("a job of the model");
        assert!(job.running.is_none() && job.run_at <= model.now && job.run_at >= last);
        last = job.run_at;
        job.attempt += 1;
        job.running = Some((model.claims.len(), model.now + i64::try_from(LEASE.as_secs()).unwrap()));
        assert_eq!((claimed.subject, claimed.attempt), (subject(job.mailbox), job.attempt));
        model.claims.push((person, job.mailbox, claimed));
    }
}

async fn take_commit(store: &SharedStore, model: &mut Model, endings: &[(usize, Ending)]) {
    if model.claims.is_empty() {
        return;
    }
    let endings: Vec<_> =
        endings.iter().map(|(claim, ending)| (claim % model.claims.len(), *ending)).collect();
    let outcomes: Vec<_> =
        endings.iter().map(|(claim, ending)| ended(&model.claims[*claim].2, *ending, model.now)).collect();
    let answered = store.commit(&outcomes, at(model.now)).await.unwrap();
    // A minor found anywhere in a group counts for the whole of it.
    let mut seen = BTreeSet::new();
    let live = |(claim, _): &&(usize, Ending)| {
        let job = model.jobs.get(&model.claims[*claim].0);
        seen.insert(*claim) && job.is_some_and(|job| job.running.is_some_and(|(by, _)| by == *claim))
    };
    let minors: BTreeSet<u8> = endings
        .iter()
        .filter(live)
        .filter(|(_, ending)| matches!(ending, Ending::Minor))
        .map(|(claim, _)| model.claims[*claim].1)
        .collect();
    let expected: Vec<_> =
        endings.iter().map(|(claim, ending)| model.commit(*claim, *ending, &minors)).collect();
    for mailbox in minors {
        model.suppress(mailbox);
    }
    assert_eq!(answered, expected);
}

fn ended(job: &Claimed, ending: Ending, now: i64) -> Outcome {
    let record =
        |status| Box::new(gleaner::record::Record { expires_at: at(now + FRESHNESS), ..record(job, status) });
    let partial = |wanted: bool| wanted.then(|| record(RecordStatus::Partial));
    let later = at(now + 20);
    let verdict = match ending {
        Ending::Written(status) => Verdict::Written(record(status)),
        Ending::Minor => Verdict::Suppressed(SuppressionReason::Minor),
        Ending::Retry(found) => {
            Verdict::Retry { at: later, error: "timeout".to_owned(), partial: partial(found) }
        }
        Ending::Snooze(found) => {
            Verdict::Snooze { at: later, reason: "quota".to_owned(), partial: partial(found) }
        }
        Ending::Dead(found) => Verdict::Dead {
            reason: DeadReason::AttemptsExhausted,
            error: "timeout".to_owned(),
            partial: partial(found),
        },
    };
    outcome(job, verdict)
}
