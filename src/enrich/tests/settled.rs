//! What a record holds already is not paid for again because we think less of a source by now.

use super::*;
use crate::job::{InBatch, Refresh};

/// Sure enough when it was recorded, and no more.
fn an_unsure_name() -> Finding {
    let name = PersonName::parse("Ada Example").unwrap();
    Finding {
        name: Some(Claim::new(name, Confidence::literal(0.4), Assurance::SelfAsserted)),
        ..Finding::default()
    }
}

fn recorded(sure: f64) -> Confidences {
    Confidences { name: Some(Confidence::clamped(sure)), ..Confidences::default() }
}

/// A replay that is told how sure the record is, and how often it then asks for the one wanted field.
async fn asks(found: Finding, recorded: Confidences, refresh: Option<Refresh>) -> u32 {
    let said = found.clone();
    let stage = Stage::default().tier().free("first", move || Ok(Lookup::Match(found.clone())));
    let only_names = Descriptor { supplies: &[Field::Name], ..descriptor("second", paid()) };
    let (enricher, asked) = stage.tier().provider("second", only_names, |_| Ok(Lookup::NoMatch)).open();
    let batch = InBatch { batch: BatchId(1), is_replay: true, is_capped: false, refresh };
    let job = Claimed { recorded, batch: Some(batch), ..job(1) };
    let answer = Answer {
        subject: job.subject,
        provider: "first".to_owned(),
        content: AnswerContent::Match(said),
        cost_micros: 0,
        fetched_at: NOW,
        expires_at: Timestamp::MAX,
    };
    enrich(&enricher, &job, vec![answer]).await;
    times(&asked)[1].1
}

#[tokio::test]
async fn a_replay_asks_for_what_the_record_never_was_sure_of() {
    let again = Refresh { before: Timestamp::MAX, provider: None };
    for (what, found, recorded, refresh, asked) in [
        ("it was sure enough", an_unsure_name(), recorded(0.5), None, 0),
        ("it was not", an_unsure_name(), recorded(0.49), None, 1),
        ("it was never found", an_unsure_name(), Confidences::default(), None, 1),
        ("nobody says so any more", Finding::default(), recorded(0.9), None, 1),
        ("everybody is asked anew", an_unsure_name(), recorded(0.9), Some(again), 1),
    ] {
        assert_eq!(asks(found, recorded, refresh).await, asked, "{what}");
    }
}
