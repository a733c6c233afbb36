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

/// How two sources went together in births and accounts, where these could be compared.
#[derive(Clone, Copy, Debug, Default)]
struct Met {
    same: f64,
    apart: f64,
}

/// By pair of sources, by their seats: those who contradicted each other in the name, and those who agreed.
#[derive(Debug, Default)]
pub(super) struct Meetings {
    of: BTreeMap<[Option<usize>; 2], [Met; 2]>,
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
    pub(super) fn hear(&mut self, voices: &Voices<'_>, sources: &Sources) {
        const MOST: usize = 12;
        let names = voices.names.get(..MOST).unwrap_or(&voices.names);
        for (index, one) in names.iter().enumerate() {
            for other in names.iter().take(index) {
                let mut pair = [one, other].map(|said| sources.seat(said.provider));
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
        let agreeing = |of: fn(&Met) -> f64| self.of.values().map(|[_, met]| of(met)).sum::<f64>();
        let rate = BEFORE.mul_add(USUALLY, agreeing(|met| met.same)) / (BEFORE + agreeing(Met::all));
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
    const fn all(&self) -> f64 {
        self.same + self.apart
    }
}

/// How much likelier all of this is if these two sides speak of two people, as the logarithm of odds.
pub(super) fn evidence_of_two(
    voices: &Voices<'_>,
    ours: &BTreeSet<&str>,
    theirs: &BTreeSet<&str>,
    sources: &Sources,
) -> f64 {
    let is_named = |side| voices.names_of(side).next().is_some();
    let by_handles = match (is_named(ours), is_named(theirs)) {
        (true, false) => evidence_of_another(voices, theirs, ours),
        (false, true) => evidence_of_another(voices, ours, theirs),
        _ => 0.0,
    };
    let newest = voices.newest();
    let of = |side: &Voices<'_>| {
        let (_, birth) = inquiry::births(&side.births, sources, newest);
        Inquiry::of(side, sources, newest).name(sources).likelihood()
            + Answered::of(sources, &birth).likelihood()
    };
    let of_accounts = |said: &[Said<'_, SocialProfile>]| {
        let networks = inquiry::networks(said, sources, newest).into_iter();
        networks.map(|network| Answered::of(sources, &network.question).likelihood()).sum::<f64>()
    };
    let both = voices.of_side(&ours.union(theirs).copied().collect());
    let by_accounts = inquiry::networks(&both.profiles, sources, newest).into_iter().map(|network| {
        let said = network.accounts.iter().flatten().map(|said| **said);
        let (our, their): (Vec<_>, Vec<_>) = said.partition(|said| ours.contains(said.provider));
        let (all, apart) =
            (Answered::of(sources, &network.question).likelihood(), of_accounts(&our) + of_accounts(&their));
        // Somebody with several accounts there would be as likely to show them.
        let many = network.question.many;
        -(1.0 - many).mul_add((all - apart).exp(), many).ln()
    });
    let apart = of(&voices.of_side(ours)) + of(&voices.of_side(theirs));
    apart - of(&both) + by_accounts.sum::<f64>() + by_handles
}
