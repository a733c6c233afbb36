//! Worlds with a known truth, in which sources err, copy, boast, go stale, and mistake people for each other.
//!
//! Invariant: a seed gives the same world; nobody in it exists.

use fastrand::Rng;
use gleaner::enrich::merge::Trust;
use gleaner_providers::{BirthInterval, Confidence, PersonName, SocialProfile};
use jiff::ToSpan as _;
use jiff::civil::{Date, date};

use super::sample::{Person, Sample, Statement, Subject, TODAY, Told, midnight};

const GIVEN: &str = "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan \
    Joseph Jessica Thomas Sarah Carlos Yuki Priya Lars Ingrid Nadia Omar Chen Wei Amara";
const FAMILY: &str = "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez \
    Wilson Anderson Taylor Moore Jackson Martin Lee Perez Thompson White Harris Okafor Nakamura Lindqvist Haddad Novak";
const NICKNAMES: [(&str, &str); 6] = [
    ("James", "Jim"),
    ("Robert", "Bob"),
    ("William", "Bill"),
    ("Michael", "Mike"),
    ("Elizabeth", "Liz"),
    ("Thomas", "Tom"),
];
const NETWORKS: [&str; 3] = ["github", "twitter", "instagram"];

/// What is special about a world. Sources are told apart by their place.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) name: &'static str,
    /// How often each source is right.
    pub(crate) accuracy: &'static [f64],
    /// The share of subjects that each knows.
    pub(crate) cover: f64,
    /// (who, from whom, what share of its answers).
    pub(crate) copies: &'static [(usize, usize, f64)],
    /// Sources whose years of birth are all one too late.
    pub(crate) late: &'static [usize],
    /// The chance that what was seen more than three years ago is of the past.
    pub(crate) stale: f64,
    /// What sources say of their own confidence.
    pub(crate) boasts: Boasts,
    /// The share of subjects of whom every other source means somebody else.
    pub(crate) two_people: f64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Boasts {
    Nothing,
    /// Surer where right.
    Honest,
    /// Surer where wrong.
    Inverse,
}

const PLAIN: World = World {
    name: "independent errors",
    accuracy: &[0.95, 0.85, 0.8, 0.7, 0.6],
    cover: 0.7,
    copies: &[],
    late: &[],
    stale: 0.0,
    boasts: Boasts::Nothing,
    two_people: 0.0,
};

/// The worlds, ordinary ones first.
pub(crate) const WORLDS: [World; 11] = [
    PLAIN,
    World { name: "good sources", accuracy: &[0.99, 0.97, 0.96, 0.95], ..PLAIN },
    World { name: "one source at a time", accuracy: &[0.9, 0.8, 0.7, 0.6], cover: 0.35, ..PLAIN },
    World { name: "one good of three", accuracy: &[0.97, 0.6, 0.6], ..PLAIN },
    World {
        name: "a copy of a bad source",
        accuracy: &[0.9, 0.85, 0.8, 0.65, 0.65],
        cover: 0.8,
        copies: &[(4, 3, 1.0)],
        ..PLAIN
    },
    World {
        name: "three resell one data set",
        accuracy: &[0.9, 0.85, 0.6, 0.6, 0.6],
        cover: 0.9,
        copies: &[(3, 2, 0.95), (4, 2, 0.95)],
        ..PLAIN
    },
    World { name: "two are a year off", late: &[3, 4], ..PLAIN },
    World { name: "stale observations", accuracy: &[0.95, 0.93, 0.9, 0.9], cover: 0.9, stale: 0.5, ..PLAIN },
    World { name: "honest confidences", accuracy: &[0.8, 0.8, 0.8], boasts: Boasts::Honest, ..PLAIN },
    World { name: "boasting sources", accuracy: &[0.9, 0.75, 0.7], boasts: Boasts::Inverse, ..PLAIN },
    World {
        name: "two people under one address",
        accuracy: &[0.95, 0.9, 0.9, 0.9],
        two_people: 0.1,
        ..PLAIN
    },
];

/// Somebody.
#[derive(Clone, Debug)]
struct Somebody {
    given: String,
    middle: String,
    family: String,
    name: PersonName,
    birth: Date,
    accounts: Vec<SocialProfile>,
}

fn pick<'a>(rng: &mut Rng, words: &'a str) -> &'a str {
    let words: Vec<&str> = words.split_whitespace().collect();
    words[rng.usize(..words.len())]
}

fn somebody(rng: &mut Rng) -> Somebody {
    let (given, middle, family) = (pick(rng, GIVEN), pick(rng, GIVEN), pick(rng, FAMILY));
    let stem = format!("{}{}", &given[..3], &family[..3]).to_lowercase();
    let account = |network: &&str| {
        SocialProfile::on_network(network, &format!("{stem}{}", rng.u32(10_000..99_999))).unwrap()
    };
    let accounts = NETWORKS.iter().map(account).collect();
    Somebody {
        name: PersonName::parse(&format!("{given} {family}")).unwrap(),
        given: given.to_owned(),
        middle: middle.to_owned(),
        family: family.to_owned(),
        birth: date(1945, 1, 2).saturating_add(i64::from(rng.u32(..21_900)).days()),
        accounts,
    }
}

impl Somebody {
    fn known(&self) -> Person {
        let keys = self.accounts.iter().map(|account| account.key().to_owned()).collect();
        Person { name: self.name.clone(), birth: Some(self.birth), keys }
    }
}

/// The name as somebody writes it.
fn spelt(rng: &mut Rng, person: &Somebody) -> PersonName {
    let Somebody { given, middle, family, .. } = person;
    let nickname =
        NICKNAMES.iter().find(|(full, _)| full == given).map_or(given.as_str(), |(_, short)| short);
    let text = match rng.u32(..20) {
        0 | 1 => format!("{}. {family}", &given[..1]),
        2 => format!("{nickname} {family}"),
        3 => format!("{family}, {given}"),
        4 => format!("{given} {}. {family}", &middle[..1]),
        _ => format!("{given} {family}"),
    };
    PersonName::parse(&text).unwrap()
}

/// The birth date as somebody states it on this day.
fn stated(rng: &mut Rng, birth: Date, on: Date) -> BirthInterval {
    match rng.u32(..10) {
        0..4 => BirthInterval::from_year(birth.year(), on).unwrap(),
        4..7 => BirthInterval::from(birth),
        _ => {
            let age = BirthInterval::from(birth).age_on(on).unwrap();
            BirthInterval::from_ages(age, age, on).unwrap()
        }
    }
}

impl World {
    /// Makes the world.
    pub(crate) fn sample(&self, subjects: usize, seed: u64) -> Sample {
        let mut rng = Rng::with_seed(seed);
        let names = (0..self.accuracy.len()).map(|source| format!("source{source}")).collect();
        let subjects = (0..subjects).map(|_| self.subject(&mut rng)).collect();
        Sample { names, trust: Trust::Strangers, subjects }
    }

    fn subject(&self, rng: &mut Rng) -> Subject {
        let (person, past) = (somebody(rng), somebody(rng));
        let other = (rng.f64() < self.two_people).then(|| somebody(rng));
        let mut statements: Vec<Option<Statement>> = (0..self.accuracy.len())
            .map(|source| {
                let known = rng.f64() < self.cover;
                known.then(|| self.statement(rng, source, &person, &past, other.as_ref()))
            })
            .collect();
        for (copy, original, share) in self.copies {
            if rng.f64() < *share && statements[*original].is_some() {
                statements[*copy] =
                    statements[*original].clone().map(|statement| Statement { source: *copy, ..statement });
            }
        }
        let statements = statements.into_iter().flatten().collect();
        Subject { person: person.known(), other: other.map(|other| other.known()), statements }
    }

    fn statement(
        &self,
        rng: &mut Rng,
        source: usize,
        person: &Somebody,
        past: &Somebody,
        other: Option<&Somebody>,
    ) -> Statement {
        let on = TODAY.saturating_sub(i64::from(rng.u32(..2_190)).days());
        let is_old = on < TODAY.saturating_sub(3.years());
        let whom = other.filter(|_| source % 2 == 1);
        let mut confidence = [None; 3];
        let mut told = |field: usize, rng: &mut Rng| {
            let right =
                whom.is_some() || rng.f64() < if other.is_some() { 0.99 } else { self.accuracy[source] };
            let stale = field != 1 && is_old && rng.f64() < self.stale;
            confidence[field] = self.boast(rng, right && !stale);
            match (whom, stale, right) {
                (Some(other), ..) => other.clone(),
                (None, true, _) => past.clone(),
                (None, false, true) => person.clone(),
                (None, false, false) => somebody(rng),
            }
        };
        let (named, born, known) = (told(0, rng), told(1, rng), told(2, rng));
        let born = if self.late.contains(&source) { born.birth.saturating_add(1.year()) } else { born.birth };
        let [of_name, of_birth, of_accounts] = confidence;
        let name = Told::by_broker(spelt(rng, &named), of_name);
        let birth = Told::by_broker(stated(rng, born, on), of_birth);
        let accounts = known.accounts.into_iter().filter(|_| rng.f64() < 0.8);
        Statement {
            source,
            name: Some(name),
            birth: Some(birth),
            profiles: accounts.map(|account| Told::by_broker(account, of_accounts)).collect(),
            at: midnight(on),
        }
    }

    fn boast(&self, rng: &mut Rng, right: bool) -> Option<Confidence> {
        let surer = match self.boasts {
            Boasts::Nothing => return None,
            Boasts::Honest => right,
            Boasts::Inverse => !right,
        };
        Some(Confidence::clamped(if surer { 0.8 } else { 0.5 } + rng.f64() * 0.2))
    }
}
