//! The books on lookups: who was told what about a member, and what the answers teach.

use gleaner::job::{AnswerContent, Intake, Lesson, LessonTotals};
use gleaner::record::{Fields, RecordStatus};
use gleaner_providers::Field;
use gleaner_providers::email::Segment;

use super::support::{
    Database, a_match, answer, at, census, claim, lookup, member, registrations, subject, written,
};

pub(crate) async fn lessons_add_up_and_name_no_member(database: &impl Database) {
    let store = database.open().await;
    assert!(store.lessons().await.unwrap().is_empty());
    store.enqueue(&registrations(3), at(0)).await.unwrap();
    let mut outcomes: Vec<_> =
        claim(&*store, 3, at(0)).await.iter().map(|job| written(job, RecordStatus::Complete)).collect();
    let name = Fields::of(&[Field::Name]);
    let matched = Lesson {
        segment: Segment::Company,
        brought: Some(name.with(Field::Social)),
        demanded: Fields::NONE,
        agreed: name,
        contradicted: Fields::NONE,
    };
    let age = Fields::of(&[Field::Age]);
    let missed =
        Lesson { brought: None, demanded: age, agreed: Fields::NONE, segment: Segment::FreeMail, ..matched };
    for (outcome, lesson) in outcomes.iter_mut().zip([Some(matched), Some(matched), None]) {
        outcome.lookups = vec![lookup("github")];
        outcome.lookups[0].lesson = lesson;
    }
    outcomes[2].lookups.push(lookup("gravatar"));
    outcomes[2].lookups[1].lesson = Some(missed);
    store.commit(&outcomes[..1], at(1)).await.unwrap();
    store.commit(&outcomes[1..], at(2)).await.unwrap();
    store.commit(&outcomes, at(3)).await.unwrap();

    let github = LessonTotals {
        provider: "github".to_owned(),
        segment: Segment::Company,
        brought: matched.brought,
        demanded: Fields::NONE,
        answers: 2,
        cost_micros: 40_000,
        duration: 2 * lookup("github").duration,
        agreed: 2,
        contradicted: 0,
    };
    let gravatar = LessonTotals {
        provider: "gravatar".to_owned(),
        segment: Segment::FreeMail,
        brought: None,
        demanded: age,
        answers: 1,
        cost_micros: 20_000,
        duration: lookup("gravatar").duration,
        agreed: 0,
        contradicted: 0,
    };
    assert_eq!(store.lessons().await.unwrap(), [github, gravatar], "a stale outcome teaches nothing");
}

pub(crate) async fn the_lookups_of_a_member_are_told_in_order(database: &impl Database) {
    let store = database.open().await;
    store.enqueue(&registrations(2), at(0)).await.unwrap();
    let mut outcomes: Vec<_> =
        claim(&*store, 2, at(0)).await.iter().map(|job| written(job, RecordStatus::Complete)).collect();
    for outcome in &mut outcomes {
        outcome.lookups = vec![lookup("gravatar"), lookup("github")];
    }
    store.commit(&outcomes, at(1)).await.unwrap();
    let seen = store.lookups_of(&member(0)).await.unwrap();
    let told: Vec<_> = seen.iter().map(|one| (one.provider.as_str(), one.told.as_str())).collect();
    assert_eq!(told, [("gravatar", "address_hash"), ("github", "address_hash")]);
    assert_eq!((seen[0].milliseconds, seen[0].cost_micros, seen[0].at), (120, 20_000, at(1)));
    assert!(store.lookups_of(&member(7)).await.unwrap().is_empty());
}

pub(crate) async fn a_member_is_looked_up_again_when_it_is_forgotten(database: &impl Database) {
    let store = database.open().await;
    let batch = registrations(2);
    store.enqueue(&batch, at(0)).await.unwrap();
    let mut outcomes: Vec<_> =
        claim(&*store, 2, at(0)).await.iter().map(|job| written(job, RecordStatus::Complete)).collect();
    let ordered = AnswerContent::Pending { handle: "order-7".to_owned(), ready_at: at(50) };
    outcomes[0].answers = vec![answer(subject(0), "github", a_match()), answer(subject(0), "slow", ordered)];
    outcomes[1].answers = vec![answer(subject(1), "github", a_match())];
    store.commit(&outcomes, at(1)).await.unwrap();
    assert_eq!(store.enqueue(&batch, at(2)).await.unwrap(), [Intake::Fresh; 2]);

    store.forget_answers(&batch[..1], at(3)).await.unwrap();
    let left = store.answers(&[subject(0)], at(3)).await.unwrap();
    assert_eq!(left.iter().map(|one| one.provider.as_str()).collect::<Vec<_>>(), ["slow"], "it was ordered");
    assert_eq!(store.answers(&[subject(1)], at(3)).await.unwrap().len(), 1);
    assert_eq!(store.enqueue(&batch, at(4)).await.unwrap(), [Intake::Queued, Intake::Fresh]);
    census(&*store).await;
}
