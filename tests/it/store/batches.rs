//! Imports and replays: who is selected, put in once, held back, stopped, counted; and what they may cost.

use gleaner::job::{
    BatchId, BatchName, Claimed, DeadReason, Outcome, Refresh, Registration, SuppressionReason, Verdict,
};
use gleaner::record::{Confidences, Record, RecordStatus, changes};
use gleaner::store::batches::{
    Batch, BatchKind, BatchState, Below, ChangePage, LetterFilter, NewBatch, Rebuilt, Reserve, Selected,
    Selection, Standing,
};
use gleaner::store::{Page, SharedStore, Store};
use gleaner_providers::{Confidence, Field};

use super::support::{
    Database, a_match, answer, at, census, claim, claim_one, lookup, member, outcome, record, registration,
    registrations, subject, written,
};
use crate::support::Dice;

const PAGE: Page = Page { limit: 100, before: None };

fn name(text: &str) -> BatchName {
    BatchName::parse(text).unwrap()
}

fn replay(text: &str, selection: Selection) -> NewBatch {
    NewBatch { name: name(text), kind: BatchKind::Replay, selection, refresh: None, ceiling_micros: None }
}

async fn draft(store: &dyn Store, new: NewBatch) -> Batch {
    store.create_batch(&new, at(0)).await.unwrap().expect("the name is free")
}

async fn fill(store: &dyn Store, batch: BatchId, chunk: u32, now: i64) -> (u64, u64) {
    let (mut seen, mut made) = (0, 0);
    loop {
        let step = store.fill_batch(batch, chunk, at(now)).await.unwrap();
        (seen, made) = (seen + step.seen, made + step.made);
        if step.is_over || step.is_held {
            return (seen, made);
        }
    }
}

/// Makes, approves and fills a replay.
async fn replayed(store: &dyn Store, text: &str, selection: Selection, now: i64) -> (Batch, (u64, u64)) {
    let batch = draft(store, replay(text, selection)).await;
    store.approve_batch(batch.id, 0).await.unwrap();
    let filled = fill(store, batch.id, 2, now).await;
    (batch, filled)
}

async fn state(store: &dyn Store, text: &str) -> BatchState {
    store.batch(&name(text), at(0)).await.unwrap().unwrap().state
}

async fn count(store: &dyn Store, batch: BatchId, what: &str) -> u64 {
    store.batch_counts(batch).await.unwrap().of(what)
}

fn dead(job: &Claimed, error: &str) -> Outcome {
    outcome(
        job,
        Verdict::Dead { reason: DeadReason::AttemptsExhausted, error: error.to_owned(), partial: None },
    )
}

/// Six members: complete (0, 1), partial (2), no match (3), dead letters (4, 5: without a record).
async fn a_population(database: &impl Database) -> SharedStore {
    let store = database.open().await;
    store.enqueue(&registrations(6), at(0)).await.unwrap();
    let jobs = claim(&*store, 6, at(0)).await;
    let statuses =
        [RecordStatus::Complete, RecordStatus::Complete, RecordStatus::Partial, RecordStatus::NoMatch];
    let mut outcomes: Vec<_> = jobs.iter().zip(statuses).map(|(job, status)| written(job, status)).collect();
    outcomes[1].lookups = vec![lookup("github")];
    outcomes[1].answers = vec![answer(outcomes[1].subject, "github", a_match())];
    outcomes.push(dead(&jobs[4], "github: unavailable: status 500"));
    outcomes.push(dead(&jobs[5], "gravatar: refused: status 401"));
    store.commit(&outcomes, at(1)).await.unwrap();
    census(&*store).await;
    store
}

pub(crate) async fn a_selection_says_what_it_selects(database: &impl Database) {
    let store = a_population(database).await;
    let standing = |standing| Selection { standing: Some(vec![standing]), ..Selection::default() };
    let sure = Confidence::literal(0.75).get();
    let below = |confidence| Selection {
        below: Some(Below { field: Field::Age, confidence }),
        ..standing(Standing::Complete)
    };
    let error = |text: &str| Selection { dead_error: Some(text.to_owned()), ..Selection::default() };
    let provider = |text: &str| Selection { provider: Some(text.to_owned()), ..Selection::default() };
    for (number, (selection, records, letters)) in [
        (Selection::default(), 4, 2),
        (standing(Standing::Complete), 2, 0),
        (standing(Standing::Partial), 1, 0),
        (standing(Standing::NoMatch), 1, 0),
        (standing(Standing::DeadLetter), 0, 2),
        (Selection { missing: Some(Field::Name), ..Selection::default() }, 1, 2),
        (Selection { missing: Some(Field::Social), ..standing(Standing::NoMatch) }, 1, 0),
        (below(sure + 0.01), 2, 0),
        (below(sure), 0, 0),
        (
            Selection {
                below: Some(Below { field: Field::Social, confidence: 0.9 }),
                ..Selection::default()
            },
            4,
            2,
        ),
        (Selection { since: Some(at(0)), ..Selection::default() }, 4, 2),
        (Selection { since: Some(at(2)), ..Selection::default() }, 0, 0),
        (Selection { until: Some(at(1)), ..Selection::default() }, 4, 0),
        (Selection { expired: true, ..Selection::default() }, 0, 0),
        (provider("github"), 1, 0),
        (provider("gravatar"), 0, 0),
        (Selection { answered_before: Some(at(0)), ..provider("github") }, 0, 0),
        (Selection { answered_before: Some(at(1)), ..provider("github") }, 1, 0),
        (Selection { dead_reason: Some(DeadReason::AttemptsExhausted), ..Selection::default() }, 0, 2),
        (Selection { dead_reason: Some(DeadReason::LeaseExpired), ..Selection::default() }, 0, 0),
        (error("github: unavailable"), 0, 1),
        (error("500%"), 0, 0),
    ]
    .into_iter()
    .enumerate()
    {
        let batch = draft(&*store, replay(&format!("draft-{number}"), selection.clone())).await;
        let selected = store.count_selected(batch.id, at(1)).await.unwrap();
        let expected = Selected { with_record: records, dead_letters: letters, have_a_job: 0 };
        assert_eq!(selected, expected, "{number}: {selection:?}");
        let sample = store.sample_selected(batch.id, selected, 10, at(1)).await.unwrap();
        assert_eq!(sample.len() as u64, selected.members(), "{number}: everybody, where they are few");
        store.discard_batch(batch.id).await.unwrap();
    }
    assert!(store.batches(at(1)).await.unwrap().is_empty(), "a draft is no batch yet");
}

pub(crate) async fn a_list_and_a_class_of_errors_select(database: &impl Database) {
    let store = a_population(database).await;
    let listed = || Selection { listed: true, ..Selection::default() };
    let batch = draft(&*store, replay("list", listed())).await;
    let members = [member(0), member(4), member("nobody"), member(0)];
    store.list_members(batch.id, &members).await.unwrap();
    let selected = store.count_selected(batch.id, at(1)).await.unwrap();
    assert_eq!((selected.with_record, selected.dead_letters), (1, 1), "nobody is nobody");

    let by_error = draft(&*store, replay("class", listed())).await;
    store.list_by_error(by_error.id, "match", Some("github"), false).await.unwrap();
    assert_eq!(store.count_selected(by_error.id, at(1)).await.unwrap().members(), 1);
    // Of the list, those whose lookup ended so.
    store.list_by_error(batch.id, "match", None, true).await.unwrap();
    assert_eq!(store.count_selected(batch.id, at(1)).await.unwrap().members(), 0);
}

pub(crate) async fn a_replay_puts_each_member_in_once(database: &impl Database) {
    let store = a_population(database).await;
    // One of them is on the way already, for another reason.
    store.enqueue(&[registration(3, 33)], at(2)).await.unwrap();
    let (batch, filled) = replayed(&*store, "again", Selection::default(), 3).await;
    assert_eq!(filled, (6, 5), "seen, and put in: the one on the way is left alone");
    let counted = census(&*store).await;
    assert_eq!((counted.waiting, counted.dead_letters, counted.taken_in), (6, 0, 6));
    assert_eq!(count(&*store, batch.id, "joined").await, 1);
    // Whoever goes on with it finds nothing to do.
    assert_eq!(fill(&*store, batch.id, 2, 4).await, (0, 0));
    assert_eq!(state(&*store, "again").await, BatchState::Running);

    // A single registration comes before all of them.
    store.enqueue(&[registration(9, 9)], at(5)).await.unwrap();
    let first = claim(&*store, 2, at(5)).await;
    assert_eq!(first.iter().map(|job| job.member.clone()).collect::<Vec<_>>(), [member(3), member(9)]);
    let rest = claim(&*store, 10, at(5)).await;
    assert!(rest.iter().all(|job| job.batch.as_ref().is_some_and(|one| one.batch == batch.id)));
    assert!(first.iter().all(|job| job.priority == 0) && rest.iter().all(|job| job.priority > 0));
    // Those of the replay are told how sure their record is, if they have one.
    let sure = Some(Confidence::literal(0.75));
    let of_a_record = Confidences { name: sure, age: sure, social: sure };
    let told: Vec<_> = rest.iter().map(|job| (job.member.clone(), job.recorded)).collect();
    let nothing = Confidences::default();
    let recorded = [(0, of_a_record), (1, of_a_record), (2, of_a_record), (4, nothing), (5, nothing)];
    assert_eq!(told, recorded.map(|(number, sure)| (member(number), sure)));
    assert!(first.iter().all(|job| job.recorded == nothing));
    let outcomes: Vec<_> = rest.iter().map(|job| written(job, RecordStatus::Complete)).collect();
    store.commit(&outcomes, at(6)).await.unwrap();
    assert_eq!(state(&*store, "again").await, BatchState::Done);
    assert_eq!(
        (count(&*store, batch.id, "complete").await, count(&*store, batch.id, "with.name").await),
        (5, 5)
    );
    census(&*store).await;

    // What it did can be selected, and what came with an import still can.
    let last = Selection { batch: Some(batch.id), ..Selection::default() };
    let again = draft(&*store, replay("once-more", last)).await;
    assert_eq!(store.count_selected(again.id, at(6)).await.unwrap().members(), 5);
}

pub(crate) async fn a_member_in_a_hurry_overtakes_its_replay(database: &impl Database) {
    let store = a_population(database).await;
    let (batch, _) = replayed(&*store, "slow", Selection::default(), 2).await;
    store.pause_batch(batch.id, "lunch").await.unwrap();
    assert!(claim(&*store, 10, at(3)).await.is_empty(), "all of it is held back");
    assert_eq!(store.next_due(at(3)).await.unwrap(), None, "and nobody waits for it");
    store.enqueue(&[registration(2, 2)], at(3)).await.unwrap();
    let job = claim_one(&*store, at(3)).await;
    assert_eq!((job.member.clone(), job.batch.clone()), (member(2), None), "looked up as anybody");
    store.commit(&[written(&job, RecordStatus::Complete)], at(4)).await.unwrap();
    assert_eq!(count(&*store, batch.id, "complete").await, 0);

    assert_eq!(store.resume_batch(batch.id, None).await.unwrap(), Some(BatchState::Running));
    assert_eq!(claim(&*store, 10, at(5)).await.len(), 5);
    census(&*store).await;
}

pub(crate) async fn a_pause_stops_the_filling_and_a_resume_goes_on(database: &impl Database) {
    let store = a_population(database).await;
    let batch = draft(&*store, replay("halves", Selection::default())).await;
    let early = store.fill_batch(batch.id, 2, at(2)).await.unwrap();
    assert!(early.is_held && early.seen == 0, "not approved: {early:?}");
    store.approve_batch(batch.id, 6).await.unwrap();
    assert_eq!(store.unfilled().await.unwrap(), [(batch.id, BatchKind::Replay)]);
    assert_eq!(store.fill_batch(batch.id, 3, at(2)).await.unwrap().made, 3);
    assert_eq!(store.pause_batch(batch.id, "wait").await.unwrap(), Some(BatchState::Paused));
    assert!(store.fill_batch(batch.id, 3, at(2)).await.unwrap().is_held);
    assert!(store.unfilled().await.unwrap().is_empty());
    assert_eq!(store.resume_batch(batch.id, None).await.unwrap(), Some(BatchState::Filling));
    assert_eq!(fill(&*store, batch.id, 3, 3).await, (3, 3), "the other half");
    assert_eq!(census(&*store).await.waiting, 6);
    let standing = store.batch_standing(&batch).await.unwrap();
    assert_eq!((standing.waiting, standing.running), (6, 0));
}

pub(crate) async fn a_cancelled_batch_loses_nobody(database: &impl Database) {
    let store = a_population(database).await;
    let (batch, _) = replayed(&*store, "mistake", Selection::default(), 2).await;
    let running = claim_one(&*store, at(2)).await;
    let put_off = claim_one(&*store, at(2)).await;
    assert_eq!(put_off.member, member(1), "who has a complete record");
    let paused = Verdict::Snooze { at: at(9), reason: "github: closed for now".to_owned(), partial: None };
    store.commit(&[outcome(&put_off, paused)], at(2)).await.unwrap();
    let done = store.cancel_batch(batch.id, at(3)).await.unwrap();
    assert_eq!((done.removed, done.buried), (5, 2), "those who were dead letters are again, and nobody else");
    let counted = census(&*store).await;
    assert_eq!((counted.waiting, counted.running, counted.dead_letters), (0, 1, 2));
    let letters = store.dead_letters(PAGE).await.unwrap();
    assert!(letters.iter().all(|letter| letter.reason == DeadReason::Cancelled), "{letters:?}");
    assert!(letters.iter().any(|letter| letter.error.contains("status 500")), "with what had happened");
    store.commit(&[written(&running, RecordStatus::Complete)], at(4)).await.unwrap();
    assert_eq!((census(&*store).await.running, state(&*store, "mistake").await), (0, BatchState::Cancelled));
    assert_eq!(store.cancel_batch(batch.id, at(5)).await.unwrap().removed, 0, "again, and nothing to do");

    // Members of an import have nothing but their job.
    let new = NewBatch { kind: BatchKind::Import, ..replay("import", Selection::default()) };
    let import = store.create_batch(&new, at(6)).await.unwrap().unwrap();
    let of_import = |n| Registration { batch: Some(name("import")), ..registration(n, n) };
    store.enqueue(&[of_import(20), of_import(21), of_import(0)], at(6)).await.unwrap();
    let done = store.cancel_batch(import.id, at(7)).await.unwrap();
    assert_eq!((done.removed, done.buried), (2, 2));
    assert_eq!((count(&*store, import.id, "queued").await, count(&*store, import.id, "fresh").await), (2, 1));
    census(&*store).await;
}

pub(crate) async fn members_come_with_a_batch_through_every_door(database: &impl Database) {
    let store = database.open().await;
    let with = |n: usize, text: &str| Registration { batch: Some(name(text)), ..registration(n, n) };
    store.enqueue(&[with(1, "door"), registration(2, 2), with(3, "door")], at(0)).await.unwrap();
    let batch = store.batch(&name("door"), at(0)).await.unwrap().expect("made by being named");
    assert_eq!((batch.kind, batch.priority, batch.state), (BatchKind::Import, 0, BatchState::Running));
    let jobs = claim(&*store, 3, at(0)).await;
    assert_eq!(
        jobs.iter().map(|job| job.member.clone()).collect::<Vec<_>>(),
        [member(1), member(2), member(3)]
    );
    let mut outcomes: Vec<_> = jobs.iter().map(|job| written(job, RecordStatus::Complete)).collect();
    outcomes[0].lookups = vec![lookup("github"), lookup("github")];
    store.commit(&outcomes, at(1)).await.unwrap();
    let counts = store.batch_counts(batch.id).await.unwrap();
    assert_eq!((counts.of("queued"), counts.of("complete"), counts.cost_micros()), (2, 2, 40_000));
    assert_eq!(counts.lookups().collect::<Vec<_>>(), [("github", "match", 2)]);
    let again = Selection { batch: Some(batch.id), ..Selection::default() };
    let draft = draft(&*store, replay("again", again)).await;
    assert_eq!(store.count_selected(draft.id, at(1)).await.unwrap().members(), 2);
}

pub(crate) async fn a_batch_of_a_door_can_be_held_back(database: &impl Database) {
    let store = database.open().await;
    let with = |n: usize, text: &str| Registration { batch: Some(name(text)), ..registration(n, n) };
    store
        .enqueue(&[with(1, "door"), registration(2, 2), with(3, "door"), with(4, "other")], at(0))
        .await
        .unwrap();
    let running = claim_one(&*store, at(0)).await;
    assert_eq!(running.member, member(1));
    let batch = store.batch(&name("door"), at(0)).await.unwrap().unwrap();
    assert_eq!(store.pause_batch(batch.id, "why").await.unwrap(), Some(BatchState::Paused));
    assert_eq!(store.pause_batch(batch.id, "why").await.unwrap(), None, "it is paused already");
    store.enqueue(&[with(5, "door")], at(1)).await.unwrap();
    let free: Vec<_> = claim(&*store, 10, at(2)).await.into_iter().map(|job| job.member).collect();
    assert_eq!(free, [member(2), member(4)], "nobody of it, not even who came later");
    let held = store.batch(&name("door"), at(2)).await.unwrap().unwrap();
    let standing = store.batch_standing(&held).await.unwrap();
    assert_eq!((standing.waiting, standing.running), (2, 1));

    // An import takes another level, and is not held back with it.
    let new = NewBatch { kind: BatchKind::Import, ..replay("import", Selection::default()) };
    let import = store.create_batch(&new, at(3)).await.unwrap().unwrap();
    assert!(import.priority > 0 && import.priority != held.priority, "{import:?}");
    store.enqueue(&[with(6, "import")], at(3)).await.unwrap();
    assert_eq!(claim_one(&*store, at(3)).await.member, member(6));

    assert_eq!(store.resume_batch(batch.id, None).await.unwrap(), Some(BatchState::Running));
    store.enqueue(&[registration(7, 7)], at(4)).await.unwrap();
    let order: Vec<_> = claim(&*store, 10, at(5)).await.into_iter().map(|job| job.member).collect();
    assert_eq!(order, [member(7), member(3), member(5)], "behind single registrations from now on");
    census(&*store).await;

    // Cancelled, whoever waits of it is a dead letter, whether it was ever held back or not.
    let other = store.batch(&name("other"), at(5)).await.unwrap().unwrap();
    store.enqueue(&[with(8, "other")], at(6)).await.unwrap();
    let done = store.cancel_batch(other.id, at(7)).await.unwrap();
    assert_eq!((done.removed, done.buried), (1, 1));
    assert!(claim(&*store, 10, at(8)).await.is_empty());
    census(&*store).await;
}

pub(crate) async fn a_replay_never_brings_back_who_was_suppressed(database: &impl Database) {
    let store = a_population(database).await;
    let listed = Selection { listed: true, ..Selection::default() };
    let batch = draft(&*store, replay("late", listed)).await;
    store.list_members(batch.id, &[member(0), member(4), member(1)]).await.unwrap();
    store.suppress(subject(0), SuppressionReason::Erased, at(2)).await.unwrap();
    store.suppress(subject(4), SuppressionReason::Objected, at(2)).await.unwrap();
    store.approve_batch(batch.id, 3).await.unwrap();
    assert_eq!(fill(&*store, batch.id, 10, 3).await, (1, 1), "who is left of the list");
    // And one who is suppressed while the replay waits.
    store.suppress(subject(1), SuppressionReason::Erased, at(4)).await.unwrap();
    assert!(claim(&*store, 10, at(5)).await.is_empty());
    assert_eq!(census(&*store).await.suppressed, 3);
}

pub(crate) async fn a_ceiling_is_never_exceeded(database: &impl Database) {
    let store = a_population(database).await;
    let new = NewBatch { ceiling_micros: Some(50_000), ..replay("capped", Selection::default()) };
    let batch = draft(&*store, new).await;
    store.approve_batch(batch.id, 6).await.unwrap();
    fill(&*store, batch.id, 10, 2).await;
    let jobs = claim(&*store, 2, at(2)).await;
    assert!(jobs[0].batch.as_ref().unwrap().is_capped);
    let wish = Reserve { batch: batch.id, micros: 20_000 };
    assert_eq!(store.reserve(&[wish, wish, wish], at(3)).await.unwrap(), [true, true, false]);
    assert_eq!(state(&*store, "capped").await, BatchState::Running, "two are under way and may cost nothing");
    // One of them did; the other cost what was reserved.
    let mut outcomes: Vec<_> = jobs.iter().map(|job| written(job, RecordStatus::Complete)).collect();
    for one in &mut outcomes {
        one.freed_micros = 20_000;
    }
    outcomes[0].lookups = vec![lookup("people_data_labs")];
    store.commit(&outcomes, at(4)).await.unwrap();
    let now = store.batch(&name("capped"), at(4)).await.unwrap().unwrap();
    assert_eq!((now.spent_micros, now.reserved_micros), (20_000, 0));
    assert_eq!(store.reserve(&[wish, wish], at(5)).await.unwrap(), [true, false]);
    // The worker of that one is never heard of again: its call may have been made.
    assert_eq!(store.reserve(&[wish], at(200)).await.unwrap(), [false]);
    let held = store.batch(&name("capped"), at(200)).await.unwrap().unwrap();
    assert_eq!((held.state, held.why.as_deref()), (BatchState::Paused, Some("max_cost")));
    assert!(claim(&*store, 10, at(201)).await.is_empty());
    assert_eq!(
        store.reserve(&[wish], at(201)).await.unwrap(),
        [false],
        "a batch that is held back spends nothing"
    );

    store.resume_batch(batch.id, Some(100_000)).await.unwrap();
    assert_eq!(store.reserve(&[wish, wish, wish, wish], at(202)).await.unwrap(), [true, true, true, false]);
}

pub(crate) async fn a_job_knows_which_answers_it_asks_for_again(database: &impl Database) {
    let store = a_population(database).await;
    let refresh = Refresh { before: at(5), provider: Some("github".to_owned()) };
    let batch =
        draft(&*store, NewBatch { refresh: Some(refresh.clone()), ..replay("fresh", Selection::default()) })
            .await;
    store.approve_batch(batch.id, 6).await.unwrap();
    fill(&*store, batch.id, 10, 5).await;
    let job = claim_one(&*store, at(5)).await;
    assert_eq!(job.batch.as_ref().unwrap().refresh, Some(refresh));
    assert!(
        !job.anew().takes(&answer(job.subject, "github", a_match()))
            && job.anew().takes(&answer(job.subject, "x", a_match()))
    );
}

pub(crate) async fn a_replay_tells_what_it_changed(database: &impl Database) {
    let store = a_population(database).await;
    let (batch, _) = replayed(&*store, "diff", Selection::default(), 2).await;
    let jobs = claim(&*store, 10, at(2)).await;
    let outcomes: Vec<_> = jobs
        .iter()
        .map(|job| {
            let mut now = record(job, RecordStatus::Complete);
            if job.member == member(0) {
                now.birth = None;
            }
            outcome(job, Verdict::Written(Box::new(now)))
        })
        .collect();
    store.commit(&outcomes, at(3)).await.unwrap();
    let counts = store.batch_counts(batch.id).await.unwrap();
    // 3 had nothing; 4 and 5 had no record.
    assert_eq!((counts.of("changed.name.filled"), counts.of("changed.age.lost")), (3, 1));
    let page = ChangePage { after: "", limit: 100 };
    let changed = store.changes(batch.id, page).await.unwrap();
    assert_eq!(changed.len(), 3 * 3 + 1);
    assert_eq!((changed[0].member_id.as_str(), changed[0].field.as_str()), (member(0).as_str(), "age"));
    store.suppress(subject(3), SuppressionReason::Erased, at(4)).await.unwrap();
    let left = store.changes(batch.id, page).await.unwrap();
    assert!(left.iter().all(|change| change.member_id != member(3).as_str()), "{left:?}");
}

pub(crate) async fn records_are_made_anew_without_a_job(database: &impl Database) {
    let store = a_population(database).await;
    let new = NewBatch { kind: BatchKind::Renormalize, ..replay("anew", Selection::default()) };
    let batch = draft(&*store, new).await;
    store.approve_batch(batch.id, 4).await.unwrap();
    // Nobody overwrites what a job is about to write, or what was written since it was read.
    store.enqueue(&[registration(2, 22)], at(5)).await.unwrap();
    let anew = |before: &Record| Record { name: None, updated_at: at(6), ..before.clone() };
    let (mut made, mut seen) = (0, 0);
    while let Some(chunk) = store.next_records(batch.id, None, 3, at(5)).await.unwrap() {
        let rebuilt: Vec<_> = chunk
            .records
            .iter()
            .map(|(subject, before)| Rebuilt {
                subject: *subject,
                record: anew(before),
                replaces: if before.member == member(1) { at(4) } else { before.updated_at },
                changes: changes(Some(before), &anew(before)),
            })
            .collect();
        let step = store.write_rebuilt(batch.id, &chunk, &rebuilt, at(6)).await.unwrap();
        (made, seen) = (made + step.made, seen + step.seen);
        // The same chunk again: somebody else has done it.
        assert_eq!(store.write_rebuilt(batch.id, &chunk, &rebuilt, at(6)).await.unwrap().made, 0);
        if step.is_over {
            break;
        }
    }
    assert_eq!((seen, made), (4, 2), "0 and 3");
    for (n, has_name) in [(0, false), (1, true), (2, true), (3, false)] {
        let record = store.record(&member(n)).await.unwrap().unwrap();
        assert_eq!(record.name.is_some(), has_name, "{n}");
    }
    assert_eq!(state(&*store, "anew").await, BatchState::Done);
    assert_eq!(count(&*store, batch.id, "changed.name.lost").await, 1, "3 had none");
    census(&*store).await;
}

pub(crate) async fn dead_letters_are_found_grouped_and_thrown_away(database: &impl Database) {
    let store = a_population(database).await;
    let all = LetterFilter::default();
    let of = |text: &str| LetterFilter { error: Some(text.to_owned()), ..LetterFilter::default() };
    assert_eq!(store.find_dead_letters(&all, PAGE).await.unwrap().len(), 2);
    let found = store.find_dead_letters(&of("status 500"), PAGE).await.unwrap();
    assert_eq!(found.iter().map(|letter| letter.member_id.clone()).collect::<Vec<_>>(), [Some(member(4))]);
    let by_id = LetterFilter { ids: Some(vec![found[0].id]), ..LetterFilter::default() };
    assert_eq!(store.find_dead_letters(&by_id, PAGE).await.unwrap(), found);
    let groups = store.group_dead_letters(&all).await.unwrap();
    assert_eq!(groups.iter().map(|group| group.letters).collect::<Vec<_>>(), [1, 1]);
    let none = LetterFilter { since: Some(at(2)), ..LetterFilter::default() };
    assert!(store.group_dead_letters(&none).await.unwrap().is_empty());
    assert_eq!(store.purge_dead_letters(&none).await.unwrap(), 0);

    // One without a record is gone; one with a record is where the record is.
    store.enqueue(&[registration(3, 33)], at(3)).await.unwrap();
    let job = claim_one(&*store, at(3)).await;
    store.commit(&[dead(&job, "status 500 again")], at(3)).await.unwrap();
    let refusal =
        gleaner::job::Refusal { origin: "x:1".to_owned(), member: Some(member(0)), reason: "bad".to_owned() };
    store.refuse(&[refusal], at(3)).await.unwrap();
    assert_eq!(census(&*store).await.dead_letters, 4);
    assert_eq!(store.purge_dead_letters(&of("status 500")).await.unwrap(), 2);
    let counted = census(&*store).await;
    assert_eq!((counted.dead_letters, counted.purged, counted.no_match), (2, 1, 1));
    assert_eq!(store.purge_dead_letters(&all).await.unwrap(), 2);
    assert_eq!(census(&*store).await.purged, 3, "the row, and the last member without a record");
    store.enqueue(&[registration(4, 4)], at(4)).await.unwrap();
    assert_eq!(census(&*store).await.waiting, 1, "who was thrown away may come again");
}

pub(crate) async fn whatever_operators_do_adds_up(database: &impl Database) {
    let store = database.open().await;
    let mut dice = Dice(7);
    let mut now = 0;
    let mut held: Vec<Claimed> = Vec::new();
    for round in 0..60_u64 {
        now += 10;
        match dice.between(0, 8) {
            0 | 1 => {
                let batch = (dice.between(0, 2) == 0).then(|| name("mixed"));
                let people: Vec<_> = (0..4)
                    .map(|_| {
                        let n = dice.between(0, 12);
                        Registration { batch: batch.clone(), ..registration(n, n) }
                    })
                    .collect();
                store.enqueue(&people, at(now)).await.unwrap();
            }
            2 | 3 => held.extend(claim(&*store, 4, at(now)).await),
            4 => {
                let outcomes: Vec<_> = held
                    .drain(..)
                    .map(|job| match dice.between(0, 4) {
                        0 => dead(&job, "status 500"),
                        1 => outcome(
                            &job,
                            Verdict::Retry { at: at(now + 5), error: "timeout".to_owned(), partial: None },
                        ),
                        2 => written(&job, RecordStatus::NoMatch),
                        _ => written(&job, RecordStatus::Complete),
                    })
                    .collect();
                store.commit(&outcomes, at(now)).await.unwrap();
            }
            5 => {
                let batch = draft(&*store, replay(&format!("r{round}"), Selection::default())).await;
                store.approve_batch(batch.id, 0).await.unwrap();
                let steps = dice.between(1, 6);
                for _ in 0..steps {
                    store.fill_batch(batch.id, 3, at(now)).await.unwrap();
                }
            }
            6 => {
                let batches = store.batches(at(now)).await.unwrap();
                if let Some(batch) = batches.iter().find(|batch| !batch.state.is_over() && batch.priority > 0)
                {
                    store.cancel_batch(batch.id, at(now)).await.unwrap();
                }
            }
            _ => {
                let filter = LetterFilter { error: Some("status".to_owned()), ..LetterFilter::default() };
                store.purge_dead_letters(&filter).await.unwrap();
            }
        }
        census(&*store).await;
    }
}
