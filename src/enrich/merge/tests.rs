use gleaner_providers::social::ProfileError;
use gleaner_providers::{Claim, Finding};
use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn name(text: &str, confidence: f64) -> Finding {
    let value = PersonName::parse(text).unwrap();
    let claim = Claim::new(value, Confidence::clamped(confidence), Assurance::SelfAsserted);
    Finding { name: Some(claim), ..Finding::default() }
}

fn born(earliest: i16, latest: i16, confidence: f64) -> Finding {
    let value = BirthInterval::between(date(earliest, 1, 1), date(latest, 12, 31)).unwrap();
    let claim = Claim::new(value, Confidence::clamped(confidence), Assurance::Broker);
    Finding { birth: Some(claim), ..Finding::default() }
}

fn profile(url: &str, confidence: f64, assurance: Assurance) -> Result<Finding, ProfileError> {
    let claim = Claim::new(SocialProfile::parse(url)?, Confidence::clamped(confidence), assurance);
    Ok(Finding { profiles: vec![claim], ..Finding::default() })
}

fn merged(findings: &[(&str, Finding)]) -> Merged {
    let statements: Vec<_> = findings
        .iter()
        .map(|(provider, finding)| Statement { provider, fetched_at: Timestamp::UNIX_EPOCH, finding })
        .collect();
    merge(&statements, &Sources::shipped())
}

fn providers<T>(value: &Sourced<T>) -> Vec<&str> {
    value.sources.iter().map(|source| source.provider.as_str()).collect()
}

#[test]
fn nothing_merges_to_nothing() {
    assert!(merged(&[("a", Finding::default())]).is_empty());
}

#[test]
fn the_better_supported_name_wins_over_the_more_confident_one() {
    let merged = merged(&[
        ("a", name("Ada Example", 0.6)),
        ("b", name("Someone Else", 0.7)),
        ("c", name("ada example", 0.6)),
    ]);
    let winner = merged.name.unwrap();
    assert_eq!(winner.value.full(), "Ada Example");
    assert_eq!(providers(&winner), ["a", "c"]);
    assert!((0.9..0.99).contains(&winner.confidence.get()), "{:?}", winner.confidence);
}

#[test]
fn intervals_narrow_each_other_and_a_contradiction_stays_out() {
    let merged =
        merged(&[("a", born(1980, 1989, 0.5)), ("b", born(1987, 1987, 0.5)), ("c", born(1950, 1955, 0.6))]);
    let winner = merged.birth.unwrap();
    assert_eq!((winner.value.earliest(), winner.value.latest()), (date(1987, 1, 1), date(1987, 12, 31)));
    assert_eq!(providers(&winner), ["a", "b"]);
}

#[test]
fn one_account_in_two_spellings_is_one_profile_with_the_best_assurance() {
    let merged = merged(&[
        ("a", profile("https://www.github.com/Ada-Example/", 0.6, Assurance::Broker).unwrap()),
        ("b", profile("github.com/ada-example", 0.9, Assurance::Proven).unwrap()),
        ("c", profile("https://ada.example.org/", 0.99, Assurance::SelfAsserted).unwrap()),
    ]);
    let networks: Vec<_> = merged.profiles.iter().map(|profile| profile.value.network()).collect();
    assert_eq!(networks, ["github", "website"], "proven comes before self-asserted, however confident");
    assert_eq!(merged.profiles[0].assurance, Assurance::Proven);
    assert_eq!(providers(&merged.profiles[0]), ["b", "a"]);
}

#[test]
fn a_provider_that_says_it_twice_counts_once() {
    let mut twice = profile("https://github.com/ada", 0.5, Assurance::Broker).unwrap();
    twice.profiles.extend(profile("github.com/ada", 0.5, Assurance::Broker).unwrap().profiles);
    let merged = merged(&[("a", twice)]);
    assert!((merged.profiles[0].confidence.get() - 0.5).abs() < 1e-9);
}

fn any_finding() -> impl Strategy<Value = Finding> {
    let names =
        prop::option::of((prop::sample::select(vec!["Ada Example", "A. Example", "Bob Other"]), 0.0..1.0));
    let births = prop::option::of((1950_i16..2000, 0_i16..20, 0.0..1.0));
    let profiles = prop::collection::vec((prop::sample::select(vec!["ada", "bob", "cy"]), 0.0..1.0), 0..3);
    (names, births, profiles).prop_map(|(named, birth, accounts)| {
        let mut finding = named.map(|(text, sure)| name(text, sure)).unwrap_or_default();
        finding.birth = birth.and_then(|(year, width, sure)| born(year, year + width, sure).birth);
        for (account, sure) in accounts {
            let url = format!("https://github.com/{account}");
            finding.profiles.extend(profile(&url, sure, Assurance::Broker).unwrap().profiles);
        }
        finding
    })
}

proptest! {
    #[test]
    fn the_order_of_arrival_does_not_matter(
        findings in prop::collection::vec(any_finding(), 0..5),
        turn in 0_usize..5,
    ) {
        let mut named: Vec<_> = ["a", "b", "c", "d", "e"].into_iter().zip(findings).collect();
        let before = merged(&named);
        let by = turn % named.len().max(1);
        named.rotate_left(by);
        prop_assert_eq!(&before, &merged(&named));
        named.reverse();
        prop_assert_eq!(&before, &merged(&named));
    }

    #[test]
    fn an_agreeing_source_never_lowers_confidence(finding in any_finding(), sure in 0.0_f64..1.0) {
        let alone = merged(&[("a", finding.clone())]);
        let mut echo = finding.clone();
        if let Some(claim) = &mut echo.name { claim.confidence = Confidence::clamped(sure); }
        if let Some(claim) = &mut echo.birth { claim.confidence = Confidence::clamped(sure); }
        let together = merged(&[("a", finding), ("b", echo)]);
        for field in [Field::Name, Field::Age] {
            let (one, two) = (alone.confidence(field), together.confidence(field));
            prop_assert!(two.map(Confidence::get) >= one.map(Confidence::get));
        }
    }
}
