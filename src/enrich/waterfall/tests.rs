//! The planner by tables and properties.

use gleaner_providers::email::Segment;
use gleaner_providers::provider::Micros;
use proptest::prelude::*;

use super::forecast::forecast;
use super::ranking::Ranked;
use super::worth::Worth;
use super::*;

const ALL: Fields = Fields::from_bits(0b111);

fn fields(words: &str) -> Fields {
    Fields::of(&Field::ALL.into_iter().filter(|field| words.contains(field.as_str())).collect::<Vec<_>>())
}

fn candidate(name: &'static str, tier: usize, cents: u64, supplies: &str) -> Candidate<'static> {
    Candidate {
        name,
        supplies: fields(supplies),
        price: Price::per_match(Micros::from_cents(cents)),
        tier,
        admitted: true,
        told: Some(Identifier::Address),
        standing: Standing::Open,
    }
}

/// One free tier and three that cost money, of which the dearest is first.
fn panel() -> Vec<Candidate<'static>> {
    vec![
        candidate("gravatar", 0, 0, "name social"),
        candidate("github", 0, 0, "name social"),
        candidate("broker", 1, 28, "name age social"),
        candidate("finder", 2, 2, "name social"),
        candidate("ages", 2, 5, "age"),
    ]
}

fn rules() -> Rules<'static> {
    Rules { wanted: ALL, max_cost_micros: None, ranking: None, explore: None }
}

fn situation(missing: &str) -> Situation {
    Situation { missing: fields(missing), spent_micros: 0, waits: false, last_chance: false }
}

fn names(rules: &Rules<'_>, situation: &Situation, panel: &[Candidate<'static>]) -> Vec<&'static str> {
    round(rules, situation, panel).into_iter().map(|at| panel[at].name).collect()
}

fn after(mut panel: Vec<Candidate<'static>>, answered: &[&str]) -> Vec<Candidate<'static>> {
    for one in panel.iter_mut().filter(|one| answered.contains(&one.name)) {
        one.standing = Standing::Answered;
    }
    panel
}

#[test]
fn tiers_go_in_order_and_ask_only_for_what_is_missing() {
    let everything = situation("name age social");
    assert_eq!(names(&rules(), &everything, &panel()), ["gravatar", "github"]);
    let free_done = after(panel(), &["gravatar", "github"]);
    assert_eq!(names(&rules(), &everything, &free_done), ["broker"]);
    assert_eq!(names(&rules(), &situation("age"), &panel()), ["broker"], "nobody free knows an age");
    let broker_done = after(panel(), &["gravatar", "github", "broker"]);
    assert_eq!(names(&rules(), &situation("name age"), &broker_done), ["finder", "ages"]);
    assert_eq!(names(&rules(), &situation("age"), &broker_done), ["ages"]);
    assert!(names(&rules(), &situation(""), &panel()).is_empty());
}

#[test]
fn every_reason_not_to_ask_has_its_word() {
    let here = situation("age");
    let broker = candidate("broker", 1, 28, "name age social");
    let of = |change: fn(&mut Candidate<'static>)| {
        let mut broker = broker.clone();
        change(&mut broker);
        judge(&rules(), &here, &broker)
    };
    assert_eq!(judge(&rules(), &here, &broker), Ok(()));
    assert_eq!(of(|one| one.standing = Standing::Answered), Err(Skip::Answered));
    assert_eq!(of(|one| one.standing = Standing::Owes), Err(Skip::Owes));
    assert_eq!(of(|one| one.standing = Standing::GaveUp), Err(Skip::GaveUp));
    assert_eq!(of(|one| one.admitted = false), Err(Skip::Segment));
    let ordered = Candidate { standing: Standing::Ready, admitted: false, ..broker.clone() };
    assert_eq!(judge(&rules(), &situation(""), &ordered), Ok(()), "what was ordered is taken");
    assert_eq!(of(|one| one.told = None), Err(Skip::NoAccount));
    assert_eq!(of(|one| one.supplies = fields("name")), Err(Skip::Filled));
    let only_names = Rules { wanted: fields("name"), ..rules() };
    assert_eq!(judge(&only_names, &situation("name"), &candidate("ages", 1, 5, "age")), Err(Skip::NotWanted));
    let waits = Situation { waits: true, ..here };
    assert_eq!(judge(&rules(), &waits, &broker), Err(Skip::Waits));
    assert_eq!(judge(&rules(), &Situation { last_chance: true, ..waits }, &broker), Ok(()));
    let ceiling = Rules { max_cost_micros: Some(270_000), ..rules() };
    assert_eq!(judge(&ceiling, &here, &broker), Err(Skip::MaxCost));
}

#[test]
fn a_second_chance_by_an_account_is_taken_where_it_is_free() {
    let missed = |cents, told| Candidate {
        standing: Standing::Missed,
        told: Some(told),
        ..candidate("github", 0, cents, "name social")
    };
    let here = situation("name");
    assert_eq!(judge(&rules(), &here, &missed(0, Identifier::Handle)), Ok(()));
    assert_eq!(judge(&rules(), &here, &missed(0, Identifier::Address)), Err(Skip::Answered));
    assert_eq!(judge(&rules(), &here, &missed(5, Identifier::Handle)), Err(Skip::Answered));
}

#[test]
fn the_ceiling_holds_for_a_tier_as_a_whole() {
    let tier = after(panel(), &["gravatar", "github", "broker"]);
    let here = situation("name age social");
    for (cents, asked) in [(7, vec!["finder", "ages"]), (6, vec!["finder"]), (1, vec![])] {
        let ceiling = Rules { max_cost_micros: Some(cents * 10_000), ..rules() };
        assert_eq!(names(&ceiling, &here, &tier), asked, "{cents} cents");
    }
    let ceiling = Rules { max_cost_micros: Some(70_000), ..rules() };
    let spent = Situation { spent_micros: 40_000, ..here };
    assert_eq!(names(&ceiling, &spent, &tier), ["finder"], "what was spent before counts");
    // Who is too dear does not stand in the way of those behind.
    let free_done = after(panel(), &["gravatar", "github"]);
    assert_eq!(names(&ceiling, &here, &free_done), ["finder", "ages"]);
}

fn ranking() -> Ranking {
    let ranked = panel().into_iter().filter(|one| !one.price.is_free()).map(|one| Ranked {
        name: one.name.to_owned(),
        supplies: one.supplies,
        price: one.price,
        worth: prior::worth(one.name, Segment::Company, one.supplies, one.price),
    });
    Ranking::of(ranked.collect())
}

#[test]
fn an_order_of_its_own_asks_the_free_ones_first_and_one_paid_one_at_a_time() {
    let ranking = ranking();
    let own = Rules { ranking: Some(&ranking), ..rules() };
    let here = situation("name age social");
    assert_eq!(names(&own, &here, &panel()), ["gravatar", "github"]);
    let free_done = after(panel(), &["gravatar", "github"]);
    assert_eq!(names(&own, &here, &free_done), ["finder"]);
    assert_eq!(names(&own, &situation("age"), &free_done), ["ages"]);
    assert_eq!(names(&own, &situation("name"), &free_done), ["finder"], "ten times cheaper than the broker");
    let exploring = Rules { explore: Some("broker"), ..own };
    assert_eq!(names(&exploring, &situation("name"), &free_done), ["broker"]);
    assert_eq!(names(&exploring, &situation("name"), &after(free_done, &["broker"])), ["finder"]);
}

#[test]
fn a_forecast_of_one_question_is_its_price_times_its_match_rate() {
    let panel = [candidate("broker", 0, 28, "name age social")];
    let worths = [Worth::prior(0.5, [1.0, 0.5, 1.0], 1.0)];
    let foreseen = forecast(&rules(), &situation("name age social"), &panel, &worths);
    assert!((foreseen.expected_micros - 140_000.0).abs() < 1e-6);
    assert_eq!((foreseen.least_micros, foreseen.most_micros), (0, 280_000));
    let filled: Vec<_> =
        foreseen.filled.iter().map(|(_, chance)| (chance * 1000.0).round() / 1000.0).collect();
    assert_eq!(filled, [0.5, 0.25, 0.5]);
}

#[test]
fn a_forecast_knows_that_a_filled_field_saves_a_question() {
    let panel = [candidate("free", 0, 0, "name"), candidate("paid", 1, 10, "name")];
    let worths = [Worth::prior(0.75, [1.0, 0.0, 0.0], 1.0), Worth::prior(0.5, [1.0, 0.0, 0.0], 1.0)];
    let rules = Rules { wanted: fields("name"), ..rules() };
    let foreseen = forecast(&rules, &situation("name"), &panel, &worths);
    assert!((foreseen.steps[1].chance - 0.25).abs() < 1e-9);
    assert!((foreseen.expected_micros - 0.25 * 0.5 * 100_000.0).abs() < 1e-6);
    assert!((foreseen.filled[0].1 - 0.875).abs() < 1e-9);
}

proptest! {
    /// Whatever the answers, nobody is asked twice, nobody who supplies nothing missing, and never beyond the ceiling.
    #[test]
    fn every_course_ends_and_keeps_to_the_rules(
        answers in prop::array::uniform5(0_u8..9),
        is_ranked in any::<bool>(),
        ceiling in prop::option::of(0_u64..60),
    ) {
        let ranking = ranking();
        let rules = Rules {
            max_cost_micros: ceiling.map(|cents| cents * 10_000),
            ranking: is_ranked.then_some(&ranking),
            ..rules()
        };
        let mut panel = panel();
        let mut here = situation("name age social");
        for turn in 0.. {
            let questions = round(&rules, &here, &panel);
            if questions.is_empty() {
                break;
            }
            prop_assert!(turn < 5);
            for at in questions {
                prop_assert_eq!(panel[at].standing, Standing::Open);
                prop_assert!(!panel[at].supplies.and(here.missing).is_empty());
                panel[at].standing = Standing::Answered;
            }
            for (one, brought) in panel.iter().zip(answers).filter(|(one, _)| one.standing == Standing::Answered) {
                if let Some(bits) = brought.checked_sub(1) {
                    here.missing = here.missing.without(Fields::from_bits(bits).and(one.supplies));
                }
            }
            let matched = |(one, brought): &(&Candidate<'_>, u8)| one.standing == Standing::Answered && *brought > 0;
            here.spent_micros =
                panel.iter().zip(answers).filter(matched).map(|(one, _)| one.price.per_match.0).sum();
        }
        prop_assert!(ceiling.is_none_or(|cents| here.spent_micros <= cents * 10_000));
    }

    /// The chances of all ends sum to one, with and without a ceiling.
    #[test]
    fn a_forecast_loses_no_way(is_ranked in any::<bool>(), ceiling in prop::option::of(0_u64..60)) {
        let ranking = ranking();
        let rules = Rules {
            max_cost_micros: ceiling.map(|cents| cents * 10_000),
            ranking: is_ranked.then_some(&ranking),
            ..rules()
        };
        let panel = panel();
        let worth = |one: &Candidate<'_>| prior::worth(one.name, Segment::FreeMail, one.supplies, one.price);
        let worths: Vec<_> = panel.iter().map(worth).collect();
        let foreseen = forecast(&rules, &situation("name age social"), &panel, &worths);
        prop_assert!(foreseen.expected_micros >= 0.0);
        prop_assert!(foreseen.steps.iter().all(|step| step.chance <= 1.0 + 1e-9));
        prop_assert!(foreseen.filled.iter().all(|(_, chance)| *chance <= 1.0 + 1e-9));
        let most = ceiling.map_or(u64::MAX, |cents| cents * 10_000);
        #[expect(clippy::cast_precision_loss, reason = "small amounts")]
        let within = foreseen.expected_micros <= most.min(1_000_000_000) as f64 + 1e-3;
        prop_assert!(within);
        prop_assert!(foreseen.most_micros <= most);
    }
}
