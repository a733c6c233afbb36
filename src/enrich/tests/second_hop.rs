//! Providers that are asked about an account which an earlier tier found.

use super::*;

const READS: &[&str] = &["github"];

/// Told nothing but the handle of a GitHub account.
fn hop(name: &'static str) -> Descriptor {
    Descriptor {
        told: Identifier::Handle,
        reads: READS,
        supplies: &[Field::Name],
        ..descriptor(name, Price::FREE)
    }
}

/// Told the address, or the handle where it is known.
fn both(name: &'static str) -> Descriptor {
    Descriptor { reads: READS, ..descriptor(name, Price::FREE) }
}

fn by_account(subject: &Subject) -> Lookup {
    let Some(account) = subject.account_on(READS) else { return Lookup::NoMatch };
    assert_eq!(account.value.handle(), Some("ada-example"));
    Lookup::Match(a_name().reached_through(account))
}

fn an_account(confidence: f64) -> Finding {
    let profile = SocialProfile::parse("https://github.com/ada-example").unwrap();
    let claim = Claim::new(profile, Confidence::clamped(confidence), Assurance::SelfAsserted);
    Finding { profiles: vec![claim], ..Finding::default() }
}

#[tokio::test]
async fn asked_once_an_account_it_reads_is_found_and_owed_by_nobody_before() {
    for (case, confidence, times_asked) in [("found", 0.9, 1), ("too unsure to be theirs", 0.4, 0)] {
        let stage = Stage::default().tier().free("first", move || Ok(Lookup::Match(an_account(confidence))));
        let (enricher, asked) =
            stage.tier().provider("hop", hop("hop"), |subject| Ok(by_account(subject))).open();
        let outcome = enrich(&enricher, &job(1), vec![]).await;
        assert_eq!(times(&asked), [("first", 1), ("hop", times_asked)], "{case}");
        let Verdict::Written(record) = outcome.verdict else { panic!("{case}: something is owed") };
        assert_eq!(record.status, RecordStatus::Complete, "{case}");
        assert_eq!(
            outcome.answers.len(),
            1 + times_asked as usize,
            "{case}: who was not asked answered nothing"
        );
        if times_asked > 0 {
            let name = record.name.unwrap();
            assert!(
                (name.confidence.get() - 0.72).abs() < 1e-9,
                "as sure as the chain: {:?}",
                name.confidence
            );
        }
    }
}

#[tokio::test]
async fn a_tier_without_questions_does_not_end_the_waterfall() {
    let stage = Stage::default().tier().free("first", || Ok(Lookup::NoMatch));
    let stage = stage.tier().provider("hop", hop("hop"), |subject| Ok(by_account(subject)));
    let (enricher, asked) = stage.tier().priced("paid", paid(), || Ok(Lookup::NoMatch)).open();
    enrich(&enricher, &job(1), vec![]).await;
    assert_eq!(times(&asked), [("first", 1), ("hop", 0), ("paid", 1)]);

    // Nor does one that can fill nothing more: here only the age is missing, which the hop does not supply.
    let named = || Ok(Lookup::Match(Finding { profiles: an_account(0.9).profiles, ..a_name() }));
    let stage = Stage::default().tier().free("first", named);
    let stage = stage.tier().provider("hop", hop("hop"), |subject| Ok(by_account(subject)));
    let (enricher, asked) = stage.tier().priced("paid", paid(), || Ok(Lookup::NoMatch)).open();
    enrich(&enricher, &job(1), vec![]).await;
    assert_eq!(times(&asked), [("first", 1), ("hop", 0), ("paid", 1)]);
}

#[tokio::test]
async fn who_did_not_know_the_address_is_asked_by_the_account_found_beside_it() {
    let stage = Stage::default().tier().free("beside", || Ok(Lookup::Match(an_account(0.9))));
    let (enricher, asked) = stage.provider("both", both("both"), |subject| Ok(by_account(subject))).open();
    let outcome = enrich(&enricher, &job(1), vec![]).await;
    assert_eq!(times(&asked), [("beside", 1), ("both", 2)]);
    let Verdict::Written(record) = &outcome.verdict else { panic!("not written") };
    assert!(record.name.is_some());
    let answers: Vec<_> = outcome.answers.iter().map(|answer| answer.provider.as_str()).collect();
    assert_eq!(answers, ["beside", "both"], "the second answer takes the place of the first");

    // What is known already is not asked again, and what did not answer is owed and not asked by another way.
    enrich(&enricher, &job(2), outcome.answers).await;
    assert_eq!(times(&asked), [("beside", 1), ("both", 2)]);
    let stage = Stage::default().tier().free("beside", || Ok(Lookup::Match(an_account(0.9))));
    let (enricher, asked) = stage.provider("both", both("both"), |_| Err(down())).open();
    let outcome = enrich(&enricher, &job(1), vec![]).await;
    assert!(matches!(outcome.verdict, Verdict::Retry { .. }));
    assert_eq!(times(&asked), [("beside", 1), ("both", 1)]);
}

#[tokio::test]
async fn an_account_known_before_is_asked_about_in_place_of_the_address() {
    let stage = Stage::default().tier().free("first", || Ok(Lookup::Match(an_account(0.9))));
    let (enricher, asked) =
        stage.tier().provider("both", both("both"), |subject| Ok(by_account(subject))).open();
    enrich(&enricher, &job(1), vec![]).await;
    assert_eq!(times(&asked), [("first", 1), ("both", 1)], "once, by the account");
}
