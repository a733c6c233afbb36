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

fn statements<'a>(findings: &'a [(&'a str, Finding)]) -> Vec<Statement<'a>> {
    let of = findings.iter();
    of.map(|(provider, finding)| Statement { provider, fetched_at: Timestamp::UNIX_EPOCH, finding }).collect()
}

fn merged(findings: &[(&str, Finding)]) -> Merged {
    merge_of(findings, &Sources::shipped())
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
            let (one, two) = (alone.confidences().get(field), together.confidences().get(field));
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
        learner.hear(&Voices::of(&statements(&findings)));
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
    let sure = |merged: &Merged| merged.confidences().age.unwrap().get();
    assert!(sure(&echoed) - sure(&alone) < 0.02, "a copy adds next to nothing");
    assert!(sure(&agreed) > 0.95);
}

fn merge_of(findings: &[(&str, Finding)], sources: &Sources) -> Merged {
    merge(&statements(findings), sources)
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
            let (one, two) = (alone.confidences().get(field), together.confidences().get(field));
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

/// All that somebody is known by.
fn of_person(full: &str, birth: Option<(i16, i16)>, urls: &[&str]) -> Finding {
    let mut finding = if full.is_empty() { Finding::default() } else { name(full, 0.6) };
    finding.birth = birth.and_then(|(earliest, latest)| born(earliest, latest, 0.6).birth);
    for url in urls {
        finding.profiles.extend(profile(url, 0.6, Assurance::Broker).unwrap().profiles);
    }
    finding
}

fn urls(merged: &Merged) -> Vec<&str> {
    merged.profiles.iter().map(|profile| profile.value.url()).collect()
}

#[test]
fn a_source_without_a_name_tells_which_of_two_people_is_meant() {
    let merged = merged(&[
        ("a", of_person("Someone Else", None, &["github.com/someone", "x.com/someone"])),
        ("b", of_person("Jane Doe", None, &["github.com/jane"])),
        ("c", of_person("", None, &["github.com/jane", "x.com/jane"])),
    ]);
    let winner = merged.name.as_ref().unwrap();
    assert_eq!((winner.value.full(), providers(winner)), ("Jane Doe", vec!["b"]));
    assert!(winner.confidence.get() > 0.7, "{:?}", winner.confidence);
    assert_eq!(urls(&merged), ["https://github.com/jane", "https://x.com/jane"]);
    assert!(merged.conflicts.contains(&Field::Name));
}

#[test]
fn names_in_two_scripts_are_one_person_only_if_nothing_else_speaks_against_it() {
    let latin = of_person("Minjun Kim", Some((1975, 1975)), &["github.com/minjun-kim"]);
    let korean = of_person("김민준", None, &["linkedin.com/in/minjun-kim-5"]);
    let one = merged(&[("a", latin), ("b", korean.clone())]);
    assert_eq!(urls(&one).len(), 2, "the account bears the name: {one:?}");

    let stranger = of_person("Amelia Whitlock", Some((1990, 1990)), &["github.com/amelia"]);
    for other in [korean, of_person("김민준", None, &["github.com/minjun-kim"])] {
        let two = merged(&[("a", stranger.clone()), ("b", other)]);
        assert_eq!(urls(&two).len(), 1, "{two:?}");
        assert!(two.conflicts.contains(&Field::Name) && two.conflicts.contains(&Field::Social));
    }
}

/// Two who say the same in letters of their own are not taken for the one whom only the first contradicts.
#[test]
fn a_name_in_another_script_goes_with_those_who_share_it() {
    let merged = merged(&[
        ("a", of_person("Mary Holloway", None, &["github.com/mary-holloway"])),
        ("b", of_person("김민준", None, &[])),
        ("c", of_person("김민준", None, &["github.com/minjun-kim"])),
    ]);
    let sides = [("Mary Holloway", vec!["a"]), ("김민준", vec!["b", "c"])];
    let name = merged.name.as_ref().unwrap();
    assert!(sides.contains(&(name.value.full(), providers(name))), "{merged:?}");
    assert_eq!(urls(&merged).len(), 1, "{merged:?}");
    assert!(name.confidence.get() > 0.5, "{:?}", name.confidence);
}

/// Accounts without a name beside others on the same network: the person's if they are called so, and somebody else's if not.
#[test]
fn a_source_without_a_name_may_mean_somebody_else() {
    let sure = |url: &str| profile(url, 0.9, Assurance::Proven).unwrap();
    let doubtful = of_person("Thomas Quill", Some((1959, 1959)), &["github.com/thomas-quill"]);
    let two = merged(&[("a", sure("github.com/meera-sharma")), ("b", doubtful.clone())]);
    assert_eq!(urls(&two), ["https://github.com/meera-sharma"]);
    assert!(two.name.is_none() && two.birth.is_none(), "told of somebody else: {two:?}");
    assert_eq!(two.conflicts, Field::ALL);
    assert_eq!(two.rejected.names[0].value.full(), "Thomas Quill");

    let one = merged(&[("a", sure("github.com/tquill")), ("b", doubtful)]);
    assert_eq!(one.name.unwrap().value.full(), "Thomas Quill");
}

#[test]
fn people_of_one_age_are_not_one_person() {
    let merged = merged(&[
        ("a", of_person("Carlos Williams", Some((1989, 1989)), &["github.com/carlos"])),
        ("b", of_person("Carlos Williams", Some((1989, 1989)), &["github.com/carlos", "x.com/carlos"])),
        ("c", of_person("James Garcia", Some((1989, 1989)), &["github.com/james", "instagram.com/james"])),
    ]);
    assert_eq!(urls(&merged), ["https://github.com/carlos", "https://x.com/carlos"]);
    assert_eq!(providers(merged.birth.as_ref().unwrap()), ["a", "b"]);
}

#[test]
fn a_name_cut_short_is_no_alibi() {
    let merged = merged(&[
        ("a", of_person("Michael Thompson", Some((1954, 1954)), &["github.com/michael"])),
        ("b", of_person("Michael Thompson", Some((1954, 1954)), &["github.com/michael"])),
        ("c", of_person("M. Thompson", Some((2003, 2003)), &["github.com/mary", "x.com/mary"])),
    ]);
    assert_eq!(merged.name.as_ref().unwrap().value.full(), "Michael Thompson");
    assert_eq!(urls(&merged), ["https://github.com/michael"]);
    assert_eq!(providers(merged.birth.as_ref().unwrap()), ["a", "b"]);
}

/// Who agrees only because they mean the same person copies from nobody, and teaches nothing about who is right.
#[test]
fn two_people_under_one_address_make_no_copies() {
    let sources = ["a", "b", "c", "d"];
    let mut learner = Learner::new(sources, Trust::Strangers);
    for subject in 0..300_u32 {
        let split = subject % 4 == 0;
        let findings: Vec<_> = (0..4_u32)
            .map(|source| {
                let other = split && source % 2 == 1;
                let salt = if other { 7000 } else { 0 } + subject;
                let wrong = (subject * 13 + source * 31) % 11 == 0;
                let salt = if wrong { 20_000 + 1000 * source + subject } else { salt };
                (sources[source as usize], of_numbers(salt, salt, salt))
            })
            .collect();
        learner.hear(&Voices::of(&statements(&findings)));
    }
    let report = learner.learn().report();
    assert!(report.iter().all(|one| one.copies.is_none()), "{report:?}");
    let spread = |field: Field| {
        let of = report.iter().filter(|one| one.field == field).map(|one| one.accuracy);
        of.clone().fold(0.0, f64::max) - of.fold(1.0, f64::min)
    };
    for field in Field::ALL {
        assert!(spread(field) < 0.06, "nobody is better than the others: {report:?}");
    }
}

/// Sources learned from a world in which every fourth answer of each is wrong: all that it says of somebody, or each field
/// by itself.
fn learned_of_mistakes(together: bool) -> Sources {
    let sources = ["a", "b", "c"];
    let mut learner = Learner::new(sources, Trust::Strangers);
    let mut rng = fastrand::Rng::with_seed(7);
    for subject in 0..400_u32 {
        let findings: Vec<_> = sources
            .iter()
            .map(|source| {
                let (other, all) = (rng.u32(1000..90_000), rng.u32(..4) == 0);
                let mut whom = || {
                    let wrong = if together { all } else { rng.u32(..4) == 0 };
                    if wrong { other } else { subject }
                };
                (*source, of_numbers(whom(), whom(), whom()))
            })
            .collect();
        learner.hear(&Voices::of(&statements(&findings)));
    }
    learner.learn()
}

/// Whether mistakes go together tells those who are mistaken from those who mean somebody else.
#[test]
fn who_is_mistaken_in_two_fields_means_somebody_else_only_where_that_happens() {
    for together in [true, false] {
        let said = [
            ("a", of_person("Jane Doe", Some((1984, 1984)), &["github.com/jane"])),
            ("b", of_person("Jane Doe", Some((1984, 1984)), &["github.com/jane"])),
            ("c", of_person("Peter Smith", Some((1955, 1955)), &["instagram.com/jane"])),
        ];
        let merged = merge_of(&said, &learned_of_mistakes(together));
        assert_eq!(merged.name.as_ref().unwrap().value.full(), "Jane Doe");
        let shown = urls(&merged).contains(&"https://www.instagram.com/jane");
        assert_eq!(shown, !together, "{:?}", urls(&merged));
    }
}

/// The name of one person, the year of birth of another, and the account of a third.
fn of_numbers(named: u32, born: u32, known: u32) -> Finding {
    let year = 1950 + i16::try_from(born % 47).unwrap();
    let full = format!("{} {}", word(named), word(named / 3 + 5));
    of_person(&full, Some((year, year)), &[&format!("github.com/p{known}")])
}

/// A word of its own for each number.
fn word(number: u32) -> String {
    let letter = |n: u32| char::from(b"bcdfghjklmnprstvwz"[n as usize % 18]);
    let vowel = |n: u32| char::from(b"aeiou"[n as usize % 5]);
    let (a, b, c) = (number, number / 18, number / 324);
    [letter(a).to_ascii_uppercase(), vowel(a), letter(b), vowel(b), letter(c), letter(a)].iter().collect()
}

proptest! {
    /// Whoever speaks of whom, and however much each tells: a record holds something of one person only.
    #[test]
    fn nothing_is_mixed(
        whom in prop::collection::vec(any::<bool>(), 2..7),
        tells in prop::collection::vec((any::<bool>(), any::<bool>()), 7),
        same_year in any::<bool>(),
    ) {
        let people = [
            ("Jane Doe", 1984, "jane"),
            ("Peter Smith", if same_year { 1984 } else { 1955 }, "peter"),
        ];
        let said: Vec<_> = ["a", "b", "c", "d", "e", "f", "g"]
            .into_iter()
            .zip(whom.iter().zip(&tells))
            .map(|(provider, (other, (birth, more)))| {
                let (full, year, handle) = people[usize::from(*other)];
                let github = format!("github.com/{handle}");
                let twitter = format!("x.com/{handle}");
                let urls: &[&str] = if *more { &[&github, &twitter] } else { &[&github] };
                (provider, of_person(full, birth.then_some((year, year)), urls))
            })
            .collect();
        let merged = merged(&said);
        let name = merged.name.as_ref().unwrap().value.full().to_owned();
        let (_, year, handle) = people[usize::from(name == "Peter Smith")];
        for url in urls(&merged) {
            prop_assert!(url.ends_with(handle), "{} has {}", name, url);
        }
        if let Some(birth) = &merged.birth {
            prop_assert_eq!(birth.value.earliest().year(), year);
        }
        let two = whom.iter().any(|other| *other) && !whom.iter().all(|other| *other);
        prop_assert_eq!(merged.conflicts.contains(&Field::Name), two);
    }
}
