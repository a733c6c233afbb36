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

/// Sources that were learned from a world in which `c` copies `b`, and `d` is poor.
fn learned() -> Sources {
    let mut learner = Learner::new(["a", "b", "c", "d", "e"], Trust::Strangers);
    for subject in 0..400_u32 {
        let wrong = |every: u32, salt: u32| (subject * 7 + salt).is_multiple_of(every);
        let year =
            |is_wrong: bool, salt: i16| if is_wrong { 1950 + salt + (subject % 7) as i16 } else { 1990 };
        let b = born(year(wrong(3, 1), 8), year(wrong(3, 1), 8), 0.5);
        let findings = [
            ("a", born(year(wrong(9, 0), 0), year(wrong(9, 0), 0), 0.5)),
            ("b", b.clone()),
            ("c", b),
            ("d", born(year(wrong(2, 2), 16), year(wrong(2, 2), 16), 0.5)),
            ("e", born(year(wrong(8, 3), 24), year(wrong(8, 3), 24), 0.5)),
        ];
        let statements: Vec<_> = findings
            .iter()
            .map(|(provider, finding)| Statement { provider, fetched_at: Timestamp::UNIX_EPOCH, finding })
            .collect();
        learner.hear(&Voices::of(&statements));
    }
    learner.learn()
}

#[test]
fn accuracy_moves_from_the_prior_and_a_copy_is_found_out() {
    let sources = learned();
    let report = sources.report();
    let of = |provider: &str| report.iter().find(|one| one.provider == provider).unwrap();
    assert!(of("a").accuracy > 0.85, "{report:?}");
    assert!((0.35..0.65).contains(&of("d").accuracy), "{report:?}");
    let copies = of("c").copies.as_ref().unwrap();
    assert_eq!(copies.with, ["b"]);
    assert!(copies.share.unwrap() > 0.9, "{report:?}");
    assert!(of("a").copies.is_none() && of("e").copies.is_none(), "{report:?}");

    let alone = merge_of(&[("b", born(1990, 1990, 0.5))], &sources);
    let echoed = merge_of(&[("b", born(1990, 1990, 0.5)), ("c", born(1990, 1990, 0.5))], &sources);
    let agreed = merge_of(&[("b", born(1990, 1990, 0.5)), ("a", born(1990, 1990, 0.5))], &sources);
    let sure = |merged: &Merged| merged.confidence(Field::Age).unwrap().get();
    assert!(sure(&echoed) - sure(&alone) < 0.02, "a copy adds next to nothing");
    assert!(sure(&agreed) > 0.95);
}

fn merge_of(findings: &[(&str, Finding)], sources: &Sources) -> Merged {
    let statements: Vec<_> = findings
        .iter()
        .map(|(provider, finding)| Statement { provider, fetched_at: Timestamp::UNIX_EPOCH, finding })
        .collect();
    merge(&statements, sources)
}

#[test]
fn a_newer_word_of_one_source_replaces_its_older_one() {
    let (old, new) = (name("Ada Maiden", 0.9), name("Ada Married", 0.5));
    let year = |years: i64| Timestamp::from_second(years * 31_557_600).unwrap();
    let merged = merge(
        &[
            Statement { provider: "a", fetched_at: year(50), finding: &old },
            Statement { provider: "a", fetched_at: year(55), finding: &new },
        ],
        &Sources::shipped(),
    );
    assert_eq!(merged.name.unwrap().value.full(), "Ada Married");
    assert!(merged.rejected.names.is_empty() && merged.conflicts.is_empty());
}

static LEARNED: std::sync::LazyLock<Sources> = std::sync::LazyLock::new(learned);

proptest! {
    #[test]
    fn whatever_was_learned_agreement_never_lowers_confidence(
        finding in any_finding(),
        who in prop::sample::subsequence(vec!["a", "b", "c", "d", "e"], 2),
        sure in 0.0_f64..1.0,
    ) {
        let alone = merge_of(&[(who[0], finding.clone())], &LEARNED);
        let mut echo = finding.clone();
        if let Some(claim) = &mut echo.name { claim.confidence = Confidence::clamped(sure); }
        if let Some(claim) = &mut echo.birth { claim.confidence = Confidence::clamped(sure); }
        let together = merge_of(&[(who[0], finding), (who[1], echo)], &LEARNED);
        for field in [Field::Name, Field::Age] {
            let (one, two) = (alone.confidence(field), together.confidence(field));
            prop_assert!(two.map(Confidence::get) >= one.map(|sure| sure.get() - 1e-9));
        }
    }

    #[test]
    fn a_correction_always_wins(findings in prop::collection::vec(any_finding(), 0..5), own in any_finding()) {
        let mut said: Vec<_> = ["a", "b", "c", "d", "e"].into_iter().zip(findings).collect();
        said.push((CORRECTION, own.clone()));
        let merged = merge_of(&said, &LEARNED);
        if let Some(claim) = &own.name {
            let name = merged.name.unwrap();
            prop_assert_eq!(&name.value, &claim.value);
            prop_assert!(name.confidence.get() > 0.999);
        }
        if let Some(claim) = &own.birth {
            prop_assert_eq!(&merged.birth.unwrap().value, &claim.value);
        }
        for claim in &own.profiles {
            prop_assert!(merged.profiles.iter().any(|shown| shown.value.key() == claim.value.key()));
        }
    }
}
