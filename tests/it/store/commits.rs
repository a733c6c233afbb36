//! Group commits, and what they leave behind.

use gleaner::job::{
    AnswerContent, Committed, DeadReason, Hold, JobId, LookupEntry, Outcome, Paid, SuppressionReason, Verdict,
};
use gleaner::record::RecordStatus;
use gleaner::store::{LookupTotals, Page, Store};

use super::support::{
    Database, LEASE, a_match, answer, at, census, claim, claim_one, earlier, email, lookup, member, outcome,
    paid, record, registration, registrations, subject, written,
};

const PAGE: Page = Page { limit: 100, before: None };

fn retry(seconds: i64) -> Verdict {
    Verdict::Retry { at: at(seconds), error: "timeout".to_owned(), partial: None }
}

fn with_traces(mut outcome: Outcome) -> Outcome {
    outcome.answers = vec![answer(outcome.subject, "github", a_match())];
    outcome.lookups = vec![lookup("github")];
    outcome
}

async fn lookups(store: &dyn Store) -> u64 {
    store.lookup_totals().await.unwrap().iter().map(|total| total.lookups).sum()
}

pub(crate) async fn a_record_comes_back_as_it_was_written(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(3), at(0)).await.unwrap();
    assert_eq!(store.record(&member(0)).await.unwrap(), None);
    assert_eq!(store.commit(&[], at(0)).await.unwrap(), []);
    let jobs = claim(&*store, 3, at(0)).await;
    let outcomes: Vec<_> =
        jobs.iter().zip(RecordStatus::ALL).map(|(job, status)| written(job, status)).collect();
    assert_eq!(store.commit(&outcomes, at(1)).await.unwrap(), [Committed::Applied; 3]);
    for (job, status) in jobs.iter().zip(RecordStatus::ALL) {
        assert_eq!(store.record(&job.member).await.unwrap(), Some(record(job, status)));
    }
    let census = census(&*store).await;
    assert_eq!((census.complete, census.partial, census.no_match, census.waiting), (1, 1, 1, 0));
    assert_eq!((census.with_name, census.with_age, census.with_social), (2, 2, 2));
}

pub(crate) async fn a_retry_waits_and_counts(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(1), at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    let partial = Some(Box::new(record(&job, RecordStatus::Partial)));
    let verdict = Verdict::Retry { at: at(30), error: "timeout".to_owned(), partial };
    assert_eq!(store.commit(&[outcome(&job, verdict)], at(1)).await.unwrap(), [Committed::Applied]);
    assert!(store.record(&member(0)).await.unwrap().is_some(), "what was found is there at once");
    let counted = census(&*store).await;
    assert_eq!((counted.waiting, counted.partial, counted.with_name), (1, 0, 1), "counted at its job");
    assert!(claim(&*store, 1, at(29)).await.is_empty());
    assert_eq!(claim_one(&*store, at(30)).await.attempt, 2);
}

pub(crate) async fn a_snooze_gives_the_attempt_back_but_not_the_fence(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(1), at(0)).await.unwrap();
    let mut fences = Vec::new();
    for round in 0..4 {
        let job = claim_one(&*store, at(round * 10)).await;
        assert_eq!(job.attempt, 1);
        fences.push(job.hold.fence);
        let verdict = Verdict::Snooze { at: at(round * 10 + 10), reason: "quota".to_owned(), partial: None };
        store.commit(&[outcome(&job, verdict)], at(round * 10)).await.unwrap();
    }
    assert!(fences.is_sorted_by(|earlier, later| earlier < later), "{fences:?}");
}

pub(crate) async fn a_dead_job_leaves_a_letter_and_its_findings(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(1), at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    let partial = Some(Box::new(record(&job, RecordStatus::Partial)));
    let dead =
        Verdict::Dead { reason: DeadReason::AttemptsExhausted, error: "github: 500".to_owned(), partial };
    store.commit(&[outcome(&job, dead)], at(7)).await.unwrap();
    let letters = store.dead_letters(PAGE).await.unwrap();
    assert_eq!((letters.len(), letters[0].error.as_str(), letters[0].at), (1, "github: 500", at(7)));
    assert_eq!((letters[0].reason, letters[0].attempts), (DeadReason::AttemptsExhausted, 1));
    assert!(store.record(&member(0)).await.unwrap().is_some());
    let census = census(&*store).await;
    assert_eq!((census.dead_letters, census.partial), (1, 0), "counted at its dead letter");
}

/// The heart of "written once": a late worker, awake again, changes nothing whatever it brings.
pub(crate) async fn a_stale_outcome_writes_nothing(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(1), at(0)).await.unwrap();
    let zombie = claim_one(&*store, at(0)).await;
    store.rescue(at(60), 9).await.unwrap();
    let late = |verdict| with_traces(outcome(&zombie, verdict));
    let verdicts = || {
        [
            Verdict::Written(Box::new(record(&zombie, RecordStatus::Complete))),
            retry(5_000),
            Verdict::Snooze { at: at(5_000), reason: "quota".to_owned(), partial: None },
            Verdict::Dead { reason: DeadReason::AttemptsExhausted, error: String::new(), partial: None },
            Verdict::Suppressed(SuppressionReason::Minor),
        ]
    };
    let rescued = verdicts().map(late);
    assert_eq!(store.commit(&rescued, at(61)).await.unwrap(), [Committed::Stale; 5]);
    let owner = claim_one(&*store, at(61)).await;
    let taken = verdicts().map(late);
    assert_eq!(store.commit(&taken, at(62)).await.unwrap(), [Committed::Stale; 5]);

    assert_eq!(store.record(&member(0)).await.unwrap(), None);
    assert_eq!(store.answers(&[subject(0)], at(0)).await.unwrap(), []);
    assert_eq!(lookups(&*store).await, 0);
    assert_eq!(census(&*store).await.running, 1);
    assert_eq!(store.next_due(at(0)).await.unwrap(), Some(at(121)), "the owner's lease is as it was");
    let done = written(&owner, RecordStatus::Complete);
    assert_eq!(store.commit(&[done], at(63)).await.unwrap(), [Committed::Applied]);
    assert_eq!(
        store.commit(&taken, at(64)).await.unwrap(),
        [Committed::Stale; 5],
        "nor when the job is over"
    );
    assert_eq!(census(&*store).await.complete, 1);
}

pub(crate) async fn one_hold_ends_one_execution(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(1), at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    let twice = [written(&job, RecordStatus::Complete), outcome(&job, retry(9))];
    assert_eq!(store.commit(&twice, at(1)).await.unwrap(), [Committed::Applied, Committed::Stale]);
    // The number of a job that is over does not come back with a fence that an old hold could fit.
    store.enqueue(&[registration(2, 2)], at(2)).await.unwrap();
    let next = claim_one(&*store, at(2)).await;
    assert!(next.hold.job > job.hold.job);
}

pub(crate) async fn an_outcome_of_another_member_is_stale(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(2), at(0)).await.unwrap();
    let jobs = claim(&*store, 2, at(0)).await;
    let mixed = Outcome { hold: jobs[1].hold, ..written(&jobs[0], RecordStatus::Complete) };
    let unknown = Outcome {
        hold: Hold { job: JobId(77), ..jobs[0].hold },
        ..written(&jobs[0], RecordStatus::Complete)
    };
    let older = Outcome { hold: earlier(jobs[0].hold), ..written(&jobs[0], RecordStatus::Complete) };
    assert_eq!(store.commit(&[mixed, unknown, older], at(1)).await.unwrap(), [Committed::Stale; 3]);
    assert_eq!(census(&*store).await.running, 2);
}

pub(crate) async fn a_group_is_written_whole_or_not_at_all(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(2), at(0)).await.unwrap();
    let jobs = claim(&*store, 2, at(0)).await;
    let good = with_traces(written(&jobs[0], RecordStatus::Complete));
    // More than a database's integer holds: the last statements of the transaction refuse it.
    let mut bad = with_traces(written(&jobs[1], RecordStatus::Complete));
    bad.lookups[0].cost_micros = u64::MAX;
    store.commit(&[good.clone(), bad], at(1)).await.unwrap_err();
    assert_eq!(census(&*store).await.running, 2);
    assert_eq!(store.record(&member(0)).await.unwrap(), None);
    assert_eq!(store.answers(&[subject(0)], at(0)).await.unwrap(), []);
    assert_eq!(store.commit(&[good], at(1)).await.unwrap(), [Committed::Applied]);
}

pub(crate) async fn an_address_changed_meanwhile_runs_again(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&[registration(1, "old")], at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    store.enqueue(&[registration(1, "new")], at(1)).await.unwrap();
    assert_eq!(store.renew(&[job.hold], LEASE, at(140)).await.unwrap(), [], "the execution stays valid");
    let done = with_traces(written(&job, RecordStatus::Complete));
    assert_eq!(store.commit(&[done], at(2)).await.unwrap(), [Committed::Applied]);
    assert_eq!(store.record(&member(1)).await.unwrap(), None, "nobody asks about the old address any more");
    assert_eq!(store.answers(&[subject("old")], at(2)).await.unwrap().len(), 1, "its answers were paid");
    let again = claim_one(&*store, at(2)).await;
    assert_eq!((again.email.clone(), again.attempt), (email("new"), 1));
    store.commit(&[written(&again, RecordStatus::Complete)], at(3)).await.unwrap();
    assert_eq!(store.record(&member(1)).await.unwrap().unwrap().email, email("new"));
    assert_eq!(census(&*store).await.taken_in, 1);
}

pub(crate) async fn answers_are_kept_until_they_expire(database: &impl Database) {
    let store = database.open().await;
    let pending = AnswerContent::Pending { handle: "ticket-1".to_owned(), ready_at: at(90) };
    let kept = [
        answer(subject(1), "clearbit", pending),
        answer(subject(1), "github", a_match()),
        answer(subject(1), "gravatar", AnswerContent::NoMatch),
        answer(subject(2), "github", AnswerContent::NoMatch),
    ];
    store.save_paid(&[]).await.unwrap();
    store.save_paid(&kept.clone().map(paid)).await.unwrap();
    assert_eq!(store.answers(&[subject(1)], at(999)).await.unwrap(), kept[..3]);
    assert_eq!(store.answers(&[subject(1), subject(2), subject(3)], at(0)).await.unwrap().len(), 4);
    assert_eq!(store.answers(&[subject(1)], at(1_000)).await.unwrap(), [], "expired");
    assert_eq!(store.answers(&[], at(0)).await.unwrap(), []);
}

/// What the workers learn from: matches, and of all workers the same ones.
pub(crate) async fn a_sample_of_answers_is_the_same_for_everybody(database: &impl Database) {
    let store = database.open().await;
    assert_eq!(store.sample_answers(10).await.unwrap(), []);
    let mut matches: Vec<_> = (0..6)
        .flat_map(|n| ["github", "gravatar"].map(|provider| answer(subject(n), provider, a_match())))
        .collect();
    let pending = AnswerContent::Pending { handle: "ticket-1".to_owned(), ready_at: at(90) };
    let others =
        [answer(subject(0), "clearbit", pending), answer(subject(1), "pipl", AnswerContent::NoMatch)];
    store.save_paid(&others.map(paid)).await.unwrap();
    for one in matches.iter().rev() {
        store.save_paid(&[paid(one.clone())]).await.unwrap();
    }
    matches.sort_by(|a, b| (a.subject.as_bytes(), &a.provider).cmp(&(b.subject.as_bytes(), &b.provider)));
    assert_eq!(store.sample_answers(7).await.unwrap(), matches[..7], "those with the lowest keys");
    assert_eq!(store.sample_answers(100).await.unwrap(), matches);
}

pub(crate) async fn an_older_answer_does_not_replace_a_newer(database: &impl Database) {
    let store = database.open().await;
    let older = answer(subject(1), "github", AnswerContent::NoMatch);
    let newer = gleaner::job::Answer { fetched_at: at(10), ..answer(subject(1), "github", a_match()) };
    for order in [[&older, &newer], [&newer, &older]] {
        for one in order {
            store.save_paid(&[paid(one.clone())]).await.unwrap();
        }
        let kept = store.answers(&[subject(1)], at(20)).await.unwrap();
        assert_eq!(kept, std::slice::from_ref(&newer));
    }
}

pub(crate) async fn lookups_are_totalled(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(2), at(0)).await.unwrap();
    let mut outcomes: Vec<_> =
        claim(&*store, 2, at(0)).await.iter().map(|job| written(job, RecordStatus::Complete)).collect();
    outcomes[0].lookups = vec![lookup("github"), lookup("gravatar")];
    outcomes[1].lookups = vec![lookup("github")];
    outcomes[1].lookups[0].outcome = "no_match";
    outcomes[1].lookups[0].cost_micros = 0;
    store.commit(&outcomes, at(1)).await.unwrap();
    let total = |provider: &str, outcome: &str, cost_micros| LookupTotals {
        provider: provider.to_owned(),
        outcome: outcome.to_owned(),
        lookups: 1,
        cost_micros,
        duration_us: 120_000,
    };
    let expected = [
        total("github", "match", 20_000),
        total("github", "no_match", 0),
        total("gravatar", "match", 20_000),
    ];
    assert_eq!(store.lookup_totals().await.unwrap(), expected);
}

pub(crate) async fn answers_are_saved_along_with_a_commit(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(1), at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    store.suppress(subject("erased"), SuppressionReason::Erased, at(0)).await.unwrap();
    let ahead = [answer(subject(7), "github", a_match()), answer(subject("erased"), "github", a_match())];
    let committed =
        store.write(&ahead.clone().map(paid), &[written(&job, RecordStatus::Complete)], at(1)).await.unwrap();
    assert_eq!(committed, [Committed::Applied]);
    assert!(store.record(&member(0)).await.unwrap().is_some());
    assert_eq!(store.answers(&[subject(7)], at(1)).await.unwrap(), [ahead[0].clone()]);
    assert_eq!(store.answers(&[subject("erased")], at(1)).await.unwrap(), []);
    assert_eq!(store.write(&[], &[], at(2)).await.unwrap(), []);
}

/// Whoever dies between a paid answer and the member's commit leaves the lookup in the log and in the books; whoever lives
/// enters it once.
pub(crate) async fn a_paid_lookup_is_logged_with_its_answer(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(1), at(0)).await.unwrap();
    let job = claim_one(&*store, at(0)).await;
    let entry = lookup("github");
    let answer = answer(job.subject, "github", a_match());
    let ahead = Paid { hold: job.hold, member: member(0), answer, entry: Some(entry.clone()) };
    store.save_paid(&[ahead]).await.unwrap();
    let spent =
        async || store.usage(at(1)).await.unwrap().iter().map(|one| one.cost_micros_today).sum::<u64>();
    let log = store.lookups_of(&member(0)).await.unwrap();
    assert_eq!((log.len(), log[0].cost_micros), (1, 20_000), "{log:?}");
    assert_eq!(spent().await, 20_000);

    let mut outcome = written(&job, RecordStatus::Complete);
    outcome.lookups = vec![LookupEntry { is_logged: true, ..entry }, lookup("gravatar")];
    store.commit(&[outcome], at(2)).await.unwrap();
    let log: Vec<_> =
        store.lookups_of(&member(0)).await.unwrap().into_iter().map(|seen| seen.provider).collect();
    assert_eq!(log, ["github", "gravatar"]);
    assert_eq!(spent().await, 40_000, "each of the two once");
}
