//! One person or two? Whoever contradicts others in the name may be mistaken, or mean somebody else.
//!
//! Whoever is mistaken in the name is right elsewhere as often as ever; whoever means somebody else is not. So pairs of
//! sources that contradict each other in the name are held against the same pairs where they agree: that tells how often two
//! people share an address here ([`Identity`]). Of one subject, what is known of the sources tells how likely so many
//! mistakes would be ([`evidence_of_two`]).
//!
//! Invariant: numbers about sources and pairs of them, nothing about anybody.

use std::collections::{BTreeMap, BTreeSet};

use gleaner_providers::SocialProfile;
use jiff::Timestamp;

use super::accounts;
use super::handles::evidence_of_another;
use super::inquiry::{self, Answered, Inquiry};
use super::likeness::{Comparison, compare};
use super::sources::Sources;
use super::voices::{Said, Voices};

/// How many pairs of each kind there were before anything was heard, as it were.
const BEFORE: f64 = 5.0;
/// How often those agree elsewhere who agree in the name.
const USUALLY: f64 = 0.8;
/// What chance may explain is not put down to two people: so many standard deviations.
const CHANCE: f64 = 2.0;

/// How pairs of sources went together in births and accounts, where these could be compared.
#[derive(Clone, Copy, Debug, Default)]
struct Met {
    same: f64,
    apart: f64,
}

/// By pair of sources: those who contradicted each other in the name, and those who agreed.
#[derive(Debug, Default)]
pub(super) struct Meetings {
    of: BTreeMap<[String; 2], [Met; 2]>,
}

/// How often several people share an address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity {
    /// The chance that two sources which contradict each other in the name mean one person all the same.
    pub(super) same_person: f64,
    /// The chance that two sources mean two people, whatever they say.
    pub(super) two_people: f64,
}

impl Meetings {
    /// Compares the sources of one more subject.
    pub(super) fn hear(&mut self, voices: &Voices<'_>) {
        const MOST: usize = 12;
        let names = voices.names.get(..MOST).unwrap_or(&voices.names);
        for (index, one) in names.iter().enumerate() {
            for other in names.iter().take(index) {
                let mut pair = [one.provider.to_owned(), other.provider.to_owned()];
                pair.sort_unstable();
                let agree = usize::from(one.value.agrees_with(other.value));
                let met = &mut self.of.entry(pair).or_default()[agree];
                match compare(voices, one.provider, other.provider) {
                    Comparison::Same => met.same += 1.0,
                    Comparison::Different => met.apart += 1.0,
                    Comparison::Nothing => {}
                }
            }
        }
    }

    /// What is to be believed, where `usual` is what was believed before.
    pub(super) fn identity(&self, usual: Identity) -> Identity {
        let mut agreeing = Met { same: BEFORE * USUALLY, apart: BEFORE * (1.0 - USUALLY) };
        for [_, met] in self.of.values() {
            agreeing = agreeing.plus(*met);
        }
        let rate = agreeing.same / agreeing.all();
        // How many of those who contradict each other in the name agree elsewhere, and would if they meant one person.
        let (mut seen, mut expected) = (BEFORE * USUALLY * usual.same_person, BEFORE * USUALLY);
        let (mut contradicting, mut all, mut spread) = (0.0, 0.0, 0.0);
        for [apart, together] in self.of.values() {
            seen += apart.same;
            let usually = BEFORE.mul_add(rate, together.same) / (BEFORE + together.all());
            expected += apart.all() * usually;
            spread += apart.all() * usually * (1.0 - usually);
            contradicting += apart.all();
            all += apart.all() + together.all();
        }
        let same_person = (CHANCE.mul_add(spread.sqrt(), seen) / expected).clamp(0.0, 1.0);
        let two = BEFORE.mul_add(usual.two_people, contradicting * (1.0 - same_person));
        Identity { same_person, two_people: two / (BEFORE + all) }
    }
}

impl Met {
    const fn all(self) -> f64 {
        self.same + self.apart
    }

    fn plus(self, other: Self) -> Self {
        Self { same: self.same + other.same, apart: self.apart + other.apart }
    }
}

/// How much likelier all of this is if these two sides speak of two people, as the logarithm of odds.
pub(super) fn evidence_of_two(
    voices: &Voices<'_>,
    ours: &BTreeSet<&str>,
    theirs: &BTreeSet<&str>,
    sources: &Sources,
) -> f64 {
    let is_named = |side: &BTreeSet<&str>| voices.names.iter().any(|said| side.contains(said.provider));
    let by_handles = match (is_named(ours), is_named(theirs)) {
        (true, false) => evidence_of_another(voices, theirs, ours),
        (false, true) => evidence_of_another(voices, ours, theirs),
        _ => 0.0,
    };
    let newest = voices.newest();
    let both: BTreeSet<&str> = ours.union(theirs).copied().collect();
    let of = |side: &BTreeSet<&str>| {
        let side = voices.of_some(|provider| side.contains(provider));
        let (_, birth) = inquiry::births(&side.births, sources, newest);
        Inquiry::of(&side, sources, newest).name(sources).likelihood()
            + Answered::of(sources, &birth).likelihood()
    };
    let profiles = voices.profiles.iter().filter(|said| both.contains(said.provider));
    let mut spaces: BTreeMap<&str, Vec<Said<'_, SocialProfile>>> = BTreeMap::new();
    for said in profiles {
        spaces.entry(accounts::space(said.value)).or_default().push(*said);
    }
    let by_accounts = spaces.values().map(|said| {
        let (our, their): (Vec<_>, Vec<_>) = said.iter().partition(|said| ours.contains(said.provider));
        let (all, many) = of_network(said, sources, newest);
        let apart = of_network(&our, sources, newest).0 + of_network(&their, sources, newest).0;
        // Somebody with several accounts there would be as likely to show them.
        -(1.0 - many).mul_add((all - apart).exp(), many).ln()
    });
    of(ours) + of(theirs) - of(&both) + by_accounts.sum::<f64>() + by_handles
}

/// The likelihood of what is said of one network, and the chance that somebody has several accounts there.
fn of_network(said: &[Said<'_, SocialProfile>], sources: &Sources, newest: Option<Timestamp>) -> (f64, f64) {
    let networks = inquiry::networks(said, sources, newest);
    networks.first().map_or((0.0, 0.0), |network| {
        (Answered::of(sources, &network.question).likelihood(), network.question.many)
    })
}
