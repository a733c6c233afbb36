//! Of whom each source speaks. Two people under one address must not become one record with the name of one and the age
//! of the other.
//!
//! Whoever agrees with a name speaks of its person, unless it is vague (`M. Thompson`) and everything else contradicts.
//! Whoever contradicts it speaks of the person all the same if they give the same birth date or the same account (then the
//! name is misspelt, or an old one), and also where they share those with a third source whose name is yet another (then
//! names mean little here); of somebody else, if another field contradicts too, and two people are likelier here than so
//! many mistakes ([`identity`](super::identity)). Where nothing else can be compared, what such contradictions turned out to
//! mean in general decides; names in different letters say nothing of each other, unless accounts bear them. A source
//! without a name goes with those whose statements it shares; with other accounts, not called like the person
//! ([`handles`](super::handles)), it speaks of somebody else.
//!
//! Which of several people the record is about, all that is said of each decides, not the name alone: a source that means
//! somebody else does so in all its fields, and one without a name knows whose accounts it gives.
//!
//! Invariant: pure; between full names that agree nobody is a stranger.

use std::collections::{BTreeMap, BTreeSet};

use gleaner_providers::PersonName;
use gleaner_providers::name::Fullness;

use super::births;
use super::handles::in_another_script;
use super::identity::evidence_of_two;
use super::inquiry::{self, Answered, Inquiry};
use super::likeness::{Comparison, Likeness, compare, compare_with};
use super::question::{Candidate, Topic};
use super::sources::{Sources, logit};
use super::voices::{CORRECTION, Said, Voices};

/// A record of two people is worse than one that lacks what may be the person's: by this much, as the logarithm of odds.
const MIXING: f64 = 2.0;

/// Who speaks of the person, and who of somebody else.
pub(super) struct Cast<'a> {
    /// The person's name, among the candidates; none where only others are named.
    pub(super) name: Option<usize>,
    strangers: BTreeSet<&'a str>,
    /// The chance that the record's person is the right one, and that the stranger is; both 1 where there is no stranger.
    pub(super) ours: f64,
    pub(super) theirs: f64,
    /// What that does to the chance of each name.
    scales: Vec<f64>,
}

/// Those who speak of one person, and those who speak of others.
struct Party<'a> {
    ours: BTreeSet<&'a str>,
    theirs: BTreeSet<&'a str>,
}

impl<'a> Cast<'a> {
    pub(super) fn of(voices: &Voices<'a>, inquiry: &Inquiry, named: &Answered, sources: &Sources) -> Self {
        let candidates = &inquiry.names.candidates;
        let order = named.by_chance();
        let scales = vec![1.0; candidates.len()];
        let name = order.first().copied();
        let alone = Self { name, strangers: BTreeSet::new(), ours: 1.0, theirs: 1.0, scales };
        if order.is_empty() {
            return alone;
        }
        let credits = credits(voices, inquiry, named, sources);
        let mut parties: Vec<(Option<usize>, Party<'a>, f64)> = Vec::new();
        let mut found = |name: Option<usize>, party: Party<'a>| {
            let credit = party.ours.iter().filter_map(|provider| credits.get(provider)).sum();
            if !parties.iter().any(|(_, known, _)| known.ours == party.ours) {
                parties.push((name, party, credit));
            }
        };
        for index in order {
            let Some(candidate) = candidates.get(index) else { continue };
            let party = Party::behind(voices, candidate, sources);
            let others = party.theirs.iter().map(|provider| Party::around(voices, provider, &party));
            for nameless in others.filter(|other| !other.is_named(voices)) {
                found(None, nameless);
            }
            found(Some(index), party);
        }
        // Of equals the first: that of the likelier name.
        let best = (1..parties.len())
            .fold(0, |best, next| if parties[next].2 > parties[best].2 { next } else { best });
        if parties.get(best).is_none_or(|(_, party, _)| party.theirs.is_empty()) {
            return alone;
        }
        let (name, Party { ours, theirs }, credit) = parties.swap_remove(best);
        if !are_two(voices, &ours, &theirs, sources) {
            return alone;
        }
        let odds_against: f64 = parties.iter().map(|(.., other)| (other - credit).exp()).sum();
        let our_share = 1.0 / (1.0 + odds_against);
        let is_ours =
            |index: &usize| candidates.get(*index).is_some_and(|candidate| has_any(voices, candidate, &ours));
        let (our_names, their_names): (Vec<usize>, Vec<usize>) = (0..candidates.len()).partition(is_ours);
        let sum = |names: &[usize]| names.iter().map(|index| named.chance(*index)).sum::<f64>();
        let (our_chance, their_chance) = (sum(&our_names), sum(&their_names));
        let both = our_chance + their_chance;
        let mut scales = alone.scales;
        for (names, share, chance) in
            [(our_names, our_share, our_chance), (their_names, 1.0 - our_share, their_chance)]
        {
            for index in names {
                scales[index] = share * both / chance.max(f64::MIN_POSITIVE);
            }
        }
        Self { name, strangers: theirs, ours: our_share, theirs: 1.0 - our_share, scales }
    }

    /// The names with their chances: the person's first, then the likeliest.
    pub(super) fn names(&self, named: &Answered) -> Vec<(usize, f64)> {
        let chance = |index: usize| (named.chance(index) * self.scales.get(index).unwrap_or(&1.0)).min(1.0);
        let mut ranked: Vec<(usize, f64)> =
            (0..self.scales.len()).map(|index| (index, chance(index))).collect();
        ranked.sort_by(|(a, a_chance), (b, b_chance)| {
            let is_other = |index: usize| self.name != Some(index);
            let by_person = is_other(*a).cmp(&is_other(*b));
            by_person.then_with(|| b_chance.total_cmp(a_chance)).then(a.cmp(b))
        });
        ranked
    }

    pub(super) fn is_stranger(&self, provider: &str) -> bool {
        provider != CORRECTION && self.strangers.contains(provider)
    }

    pub(super) fn are_strangers(&self) -> bool {
        !self.strangers.is_empty()
    }
}

impl<'a> Party<'a> {
    /// Those who speak of the person of this name.
    fn behind(voices: &Voices<'a>, name: &Candidate, sources: &Sources) -> Self {
        let by_side = |wanted: bool| {
            let named = voices.names.iter().enumerate().filter(move |(vote, _)| name.has(*vote) == wanted);
            named.map(|(_, said)| said.provider).collect::<BTreeSet<_>>()
        };
        let named = by_side(true);
        let (mut ours, mut theirs) = (named.clone(), BTreeSet::new());
        let mut silent = BTreeSet::new();
        for provider in by_side(false) {
            match compare_with(voices, provider, &named) {
                Comparison::Same => ours.insert(provider),
                Comparison::Different => theirs.insert(provider),
                Comparison::Nothing => silent.insert(provider),
            };
        }
        let strangers = theirs.clone();
        for provider in silent {
            let same = !is_called_like_any(voices, provider, &strangers)
                && (names_mean_little(voices, provider)
                    || in_another_script(voices, provider, &named)
                        .unwrap_or(sources.identity.same_person >= 0.5));
            if same {
                ours.insert(provider)
            } else {
                theirs.insert(provider)
            };
        }
        // Mary can be `M. Thompson`, and Michael, too.
        for provider in named {
            let is_one_of = |name: &Said<'_, PersonName>| name.provider == provider && is_vague(name.value);
            let others: BTreeSet<&str> = ours.iter().copied().filter(|other| *other != provider).collect();
            if voices.names.iter().any(is_one_of) && contradicts_throughout(voices, provider, &others) {
                ours.remove(provider);
                theirs.insert(provider);
            }
        }
        let mut nameless: BTreeSet<&str> = providers(voices)
            .filter(|provider| !ours.contains(provider) && !theirs.contains(provider))
            .collect();
        // Whoever goes with one side may bring along others.
        let mut left = usize::MAX;
        while nameless.len() < left {
            left = nameless.len();
            nameless.retain(|provider| {
                let side = if compare_with(voices, provider, &ours) == Comparison::Same {
                    &mut ours
                } else if compare_with(voices, provider, &theirs) == Comparison::Same {
                    &mut theirs
                } else {
                    return true;
                };
                side.insert(provider);
                false
            });
        }
        let apart = |provider: &&str| is_another(voices, provider, &ours, sources);
        theirs.extend(nameless.into_iter().filter(apart).collect::<Vec<_>>());
        Self { ours, theirs }
    }

    /// Those who go with a source that gives no name, where nobody who does shares anything with it.
    fn around(voices: &Voices<'a>, provider: &'a str, others: &Self) -> Self {
        let all = others.ours.union(&others.theirs).copied();
        let (ours, theirs) =
            all.partition(|other| *other == provider || compare(voices, provider, other) == Comparison::Same);
        Self { ours, theirs }
    }

    fn is_named(&self, voices: &Voices<'_>) -> bool {
        voices.names_of(&self.ours).next().is_some()
    }
}

/// Whether two sides are taken to speak of two people.
fn are_two(voices: &Voices<'_>, ours: &BTreeSet<&str>, theirs: &BTreeSet<&str>, sources: &Sources) -> bool {
    logit(sources.identity.two_people) + evidence_of_two(voices, ours, theirs, sources) >= -MIXING
}

/// Whether a source without a name speaks of somebody else than this side, with which it shares nothing: it has other accounts
/// on the same networks, and they are not called like the person.
fn is_another(voices: &Voices<'_>, provider: &str, side: &BTreeSet<&str>, sources: &Sources) -> bool {
    compare_with(voices, provider, side) == Comparison::Different
        && are_two(voices, side, &BTreeSet::from([provider]), sources)
}

/// Whether a source gives a name that agrees with that of one of these.
fn is_called_like_any(voices: &Voices<'_>, provider: &str, side: &BTreeSet<&str>) -> bool {
    voices.name_of(provider).is_some_and(|own| voices.names_of(side).any(|name| name.agrees_with(own)))
}

fn has_any(voices: &Voices<'_>, name: &Candidate, side: &BTreeSet<&str>) -> bool {
    voices.names.iter().enumerate().any(|(vote, said)| name.has(vote) && side.contains(said.provider))
}

/// What each source's word is worth here, as the logarithm of odds: the mean of its fields, those first in which it could
/// be compared with others. How precisely it puts its answers says nothing about whom it means.
fn credits<'a>(
    voices: &Voices<'a>,
    inquiry: &Inquiry,
    named: &Answered,
    sources: &Sources,
) -> BTreeMap<&'a str, f64> {
    /// The member's own word.
    const CERTAIN: f64 = 100.0;
    let newest = voices.newest();
    let (_, birth) = inquiry::births(&voices.births, sources, newest);
    let born = Answered::of(sources, &birth);
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    let mut add = |topic: Topic, provider: &'a str, credit: f64| {
        let weight = sources.experience(topic, provider);
        let (sum, weights) = sums.entry(provider).or_default();
        *sum += weight * if provider == CORRECTION { CERTAIN } else { credit };
        *weights += weight;
    };
    for (vote, said) in voices.names.iter().enumerate() {
        add(Topic::Name, said.provider, named.gain(vote) + inquiry.names.breadth(vote).ln());
    }
    for (vote, said) in voices.births.iter().enumerate() {
        add(Topic::Birth, said.provider, born.gain(vote) + births::breadth(*said.value).ln());
    }
    for network in inquiry::networks(&voices.profiles, sources, newest) {
        let answered = Answered::of(sources, &network.question);
        for (vote, said) in network.accounts.iter().flatten().enumerate() {
            add(Topic::Account, said.provider, answered.gain(vote));
        }
    }
    sums.into_iter().map(|(provider, (sum, weights))| (provider, sum / weights)).collect()
}

/// Whether at least two sources each speak of two different people, and nothing that they say can be reconciled.
pub(super) fn speak_of_two(voices: &Voices<'_>) -> bool {
    const MOST: usize = 12;
    let names = voices.names.get(..MOST).unwrap_or(&voices.names);
    let agree = |a: &Said<'_, _>, b: &Said<'_, _>| PersonName::agrees_with(a.value, b.value);
    let pairs =
        || names.iter().enumerate().flat_map(|(index, a)| names[index + 1..].iter().map(move |b| (a, b)));
    if names.len() < 4 || pairs().all(|(a, b)| agree(a, b)) {
        return false;
    }
    let compared = |a: &Said<'_, _>, b: &Said<'_, _>| compare(voices, a.provider, b.provider);
    let together: Vec<_> =
        pairs().filter(|(a, b)| agree(a, b) && compared(a, b) == Comparison::Same).collect();
    let apart = |a: &Said<'_, _>, b: &Said<'_, _>| !agree(a, b) && compared(a, b) == Comparison::Different;
    together
        .iter()
        .any(|(a, b)| together.iter().any(|(c, d)| apart(a, c) && apart(a, d) && apart(b, c) && apart(b, d)))
}

fn is_vague(name: &PersonName) -> bool {
    let Fullness { words, initials, .. } = name.fullness();
    words < 2 || initials > 0
}

/// Whether the source contradicts a side in everything else that can be compared, birth and accounts.
fn contradicts_throughout(voices: &Voices<'_>, provider: &str, side: &BTreeSet<&str>) -> bool {
    Likeness::with_side(voices, provider, side).is_apart_throughout()
}

/// Whether the source shares a birth date or an account with another one, and not the name.
fn names_mean_little(voices: &Voices<'_>, provider: &str) -> bool {
    voices.name_of(provider).is_some_and(|own| {
        let mut others = voices.names.iter().filter(|other| !other.value.agrees_with(own));
        others.any(|other| compare(voices, provider, other.provider) == Comparison::Same)
    })
}

fn providers<'a>(voices: &Voices<'a>) -> impl Iterator<Item = &'a str> {
    let births = voices.births.iter().map(|said| said.provider);
    births.chain(voices.profiles.iter().map(|said| said.provider))
}
