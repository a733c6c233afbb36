//! Worlds with a known truth, in which sources err, copy, boast, go stale, and mistake people for each other; and how well a
//! merge does in them.
//!
//! Invariant: a seed gives the same world; nobody in it exists.

use fastrand::Rng;
use gleaner::enrich::merge::{Learner, Merged, Said, Trust, Voices, merge_voices};
use gleaner_providers::sandbox::{Distortion, KnownTo, Population, SandboxSettings, Truth};
use gleaner_providers::{Assurance, BirthInterval, Confidence, PersonName, SocialProfile};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

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
const TODAY: Date = date(2026, 1, 1);

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
pub(crate) struct Person {
    given: String,
    middle: String,
    family: String,
    name: PersonName,
    birth: Date,
    accounts: Vec<SocialProfile>,
}

/// One source's statements about one subject.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    source: usize,
    name: Option<PersonName>,
    birth: Option<BirthInterval>,
    profiles: Vec<SocialProfile>,
    /// How each account is tied to the person.
    assured: Assured,
    confidence: [Option<Confidence>; 3],
    at: Timestamp,
}

type Assured = fn(&SocialProfile) -> Assurance;

/// A subject: who it is, and what is said.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    name: PersonName,
    birth: Option<Date>,
    keys: Vec<String>,
    /// Whom some sources mean in its place.
    other: Option<Other>,
    statements: Vec<Statement>,
}

/// Somebody else, as far as a record could be mixed with them.
#[derive(Clone, Debug)]
struct Other {
    name: PersonName,
    birth: Option<Date>,
    keys: Vec<String>,
}

/// A world made: sources by name, and subjects.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) names: Vec<String>,
    pub(crate) subjects: Vec<Subject>,
}

fn pick<'a>(rng: &mut Rng, words: &'a str) -> &'a str {
    let words: Vec<&str> = words.split_whitespace().collect();
    words[rng.usize(..words.len())]
}

fn somebody(rng: &mut Rng) -> Person {
    let (given, middle, family) = (pick(rng, GIVEN), pick(rng, GIVEN), pick(rng, FAMILY));
    let stem = format!("{}{}", &given[..3], &family[..3]).to_lowercase();
    let account = |network: &&str| {
        SocialProfile::on_network(network, &format!("{stem}{}", rng.u32(10_000..99_999))).unwrap()
    };
    let accounts = NETWORKS.iter().map(account).collect();
    Person {
        name: PersonName::parse(&format!("{given} {family}")).unwrap(),
        given: given.to_owned(),
        middle: middle.to_owned(),
        family: family.to_owned(),
        birth: date(1945, 1, 2).saturating_add(i64::from(rng.u32(..21_900)).days()),
        accounts,
    }
}

fn keys(person: &Person) -> Vec<String> {
    person.accounts.iter().map(|account| account.key().to_owned()).collect()
}

/// The name as somebody writes it.
fn spelt(rng: &mut Rng, person: &Person) -> PersonName {
    let Person { given, middle, family, .. } = person;
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
        Sample { names, subjects: (0..subjects).map(|_| self.subject(&mut rng)).collect() }
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
        let other =
            other.map(|other| Other { keys: keys(&other), name: other.name, birth: Some(other.birth) });
        let keys = keys(&person);
        Subject { name: person.name, birth: Some(person.birth), keys, other, statements }
    }

    fn statement(
        &self,
        rng: &mut Rng,
        source: usize,
        person: &Person,
        past: &Person,
        other: Option<&Person>,
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
        Statement {
            source,
            name: Some(spelt(rng, &named)),
            birth: Some(stated(rng, born, on)),
            profiles: known.accounts.into_iter().filter(|_| rng.f64() < 0.8).collect(),
            assured: |_| Assurance::Broker,
            confidence,
            at: TimeZone::UTC.to_timestamp(on.at(0, 0, 0, 0)).unwrap(),
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

/// What the providers of these services make of the accounts that they are told (`providers/src/builtin`).
const ASSURED: [(&str, Assured); 3] = [
    ("gravatar", |_| Assurance::Proven),
    (
        "github",
        |account| {
            if account.network() == "github" { Assurance::Proven } else { Assurance::SelfAsserted }
        },
    ),
    ("people_data_labs", |_| Assurance::Broker),
];

/// The sandbox's invented population, as three of its services tell of it with their distortions.
pub(crate) fn sandbox(subjects: usize, seed: u64) -> Sample {
    let names = ASSURED.map(|(name, _)| name.to_owned()).to_vec();
    let population = Population::with_settings(&SandboxSettings { seed, ..SandboxSettings::default() }, []);
    let mut rng = Rng::with_seed(seed);
    let address = |n: usize| format!("person{n}@site{n}.example.org");
    let people = (0..subjects).map(|n| population.truth(&address(n)));
    let of = |(n, truth): (usize, Truth)| {
        let stranger = population.truth(&address(n + subjects));
        let statements = truth.known_to.iter().filter_map(|(service, known)| {
            let source = names.iter().position(|name| name == service)?;
            Some(distorted(&mut rng, source, &truth, &stranger, &known.distortions))
        });
        let statements = statements.collect();
        let is_wrong = |known: &KnownTo| known.distortions.contains(&Distortion::WrongPerson);
        let other = if truth.known_to.values().any(is_wrong) && !stranger.is_organization {
            let (name, birth, keys) = known_of(&stranger)?;
            Some(Other { name, birth, keys })
        } else {
            None
        };
        let (name, birth, keys) = known_of(&truth)?;
        Some(Subject { name, birth, keys, other, statements })
    };
    let subjects = people.enumerate().filter(|(_, truth)| !truth.is_organization).filter_map(of).collect();
    Sample { names, subjects }
}

fn known_of(truth: &Truth) -> Option<(PersonName, Option<Date>, Vec<String>)> {
    let accounts = truth.accounts.iter().map(|account| account.url.as_str());
    let urls = accounts.chain(truth.websites.iter().map(String::as_str));
    let keys = urls.filter_map(|url| Some(SocialProfile::parse(url).ok()?.key().to_owned())).collect();
    Some((PersonName::parse(&truth.full_name).ok()?, truth.birth_date, keys))
}

/// What a service of the sandbox makes of a person.
fn distorted(
    rng: &mut Rng,
    source: usize,
    truth: &Truth,
    stranger: &Truth,
    distortions: &[Distortion],
) -> Statement {
    let has = |distortion| distortions.contains(&distortion);
    let told = if has(Distortion::WrongPerson) && !stranger.is_organization { stranger } else { truth };
    let name = match () {
        () if has(Distortion::NullName) => None,
        () if has(Distortion::Nickname) => PersonName::parse(&told.given_name).ok(),
        () => PersonName::parse(&told.full_name).ok(),
    };
    let born =
        told.birth_date.filter(|_| source >= 2 && !has(Distortion::NoBirth) && !has(Distortion::Booleans));
    let birth = born.and_then(|born| {
        let year = born.year() - i16::from(has(Distortion::StaleBirth));
        let bare = has(Distortion::YearOnly) || has(Distortion::Placeholder);
        let day =
            if bare { None } else { Some(if year == born.year() { born.day() } else { born.day().min(28) }) };
        BirthInterval::from_parts(Some(year), day.map(|_| born.month()), day, TODAY).ok()
    });
    let accounts = told.accounts.iter().filter(|_| rng.f64() < 0.7);
    Statement {
        source,
        name,
        birth,
        profiles: accounts.filter_map(|account| SocialProfile::parse(&account.url).ok()).collect(),
        assured: ASSURED[source].1,
        confidence: [None; 3],
        at: TimeZone::UTC.to_timestamp(TODAY.at(0, 0, 0, 0)).unwrap(),
    }
}

/// How well a merge did, all fields together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Score {
    /// The share of fields that are right: merged, by the vote of the majority.
    pub(crate) merged: f64,
    pub(crate) majority: f64,
    /// The same of the fields that the merge gives: it withholds what only those tell who speak of somebody else.
    pub(crate) of_given: f64,
    pub(crate) majority_of_given: f64,
    /// The share of all fields that are right where only one source is heard, of that which does best.
    pub(crate) alone: f64,
    /// Of the fields that the best single source told: what share of them it had right, and the merge.
    pub(crate) best_source: f64,
    pub(crate) merged_there: f64,
    /// Expected calibration error, in ten bins.
    pub(crate) calibration: f64,
    /// Subjects whose record holds something of two people.
    pub(crate) mixed: usize,
}

/// Learns from the sample, merges it, and holds the records against the truth.
pub(crate) fn score(sample: &Sample) -> Score {
    let voices: Vec<Voices<'_>> =
        sample.subjects.iter().map(|subject| subject.voices(&sample.names)).collect();
    let mut learner = Learner::new(sample.names.iter().map(String::as_str), Trust::Strangers);
    for voices in &voices {
        learner.hear(voices);
    }
    let sources = learner.learn();
    let mut book = Book { sources: vec![(0.0, 0.0, 0.0); sample.names.len()], ..Book::default() };
    for (subject, voices) in sample.subjects.iter().zip(&voices) {
        let merged = merge_voices(voices, &sources);
        book.enter(subject, &merged);
    }
    book.score()
}

#[derive(Debug, Default)]
struct Book {
    asked: f64,
    merged: f64,
    majority: f64,
    majority_of_given: f64,
    /// By source: fields told, right, and right when merged.
    sources: Vec<(f64, f64, f64)>,
    /// By bin: fields, their confidence, right ones.
    bins: [(f64, f64, f64); 10],
    mixed: usize,
}

impl Book {
    fn enter(&mut self, subject: &Subject, merged: &Merged) {
        let told = &subject.statements;
        let named: Vec<_> = told.iter().filter_map(|one| Some((one.source, one.name.as_ref()?))).collect();
        let is_name = |name: &PersonName| name.agrees_with(&subject.name);
        let name = merged.name.as_ref().map(|name| (is_name(&name.value), name.confidence));
        self.question(&named, PersonName::agrees_with, is_name, name);

        if let Some(truth) = subject.birth {
            let born: Vec<_> =
                told.iter().filter_map(|one| Some((one.source, one.birth.as_ref()?))).collect();
            let birth = merged.birth.as_ref().map(|birth| (birth.value.contains(truth), birth.confidence));
            self.question(&born, |a, b| a.intersect(b).is_some(), |birth| birth.contains(truth), birth);
        }
        let is_known = |profile: &SocialProfile| subject.keys.iter().any(|key| key == profile.key());
        let mut networks: Vec<&str> =
            told.iter().flat_map(|one| &one.profiles).map(SocialProfile::network).collect();
        networks.sort_unstable();
        networks.dedup();
        for network in networks {
            let on =
                told.iter().flat_map(|one| one.profiles.iter().map(move |profile| (one.source, profile)));
            let claims: Vec<_> = on.filter(|(_, profile)| profile.network() == network).collect();
            let best = merged.profiles.iter().filter(|shown| shown.value.network() == network);
            let best = best.max_by(|a, b| a.confidence.get().total_cmp(&b.confidence.get()));
            let best = best.map(|shown| (is_known(&shown.value), shown.confidence));
            self.question(&claims, |a, b| a.key() == b.key(), is_known, best);
        }
        self.mixed += usize::from(subject.is_mixed(merged));
    }

    /// One field: what the sources said, and what was made of it.
    fn question<T>(
        &mut self,
        claims: &[(usize, &T)],
        agree: impl Fn(&T, &T) -> bool,
        is_right: impl Fn(&T) -> bool,
        merged: Option<(bool, Confidence)>,
    ) {
        if claims.is_empty() {
            return;
        }
        let right = merged.is_some_and(|(right, _)| right);
        self.asked += 1.0;
        self.merged += number(right);
        let votes = |value: &T| claims.iter().filter(|(_, other)| agree(value, other)).count();
        let most = claims.iter().map(|(_, value)| votes(value)).max().unwrap_or_default();
        let winners: Vec<_> = claims.iter().filter(|(_, value)| votes(value) == most).collect();
        let won = winners.iter().filter(|(_, value)| is_right(value)).count();
        let share = count(won) / count(winners.len());
        self.majority += share;
        self.majority_of_given += if merged.is_some() { share } else { 0.0 };
        for (source, value) in claims {
            let (told, own, ours) = &mut self.sources[*source];
            *told += 1.0;
            *own += number(is_right(value));
            *ours += number(right);
        }
        if let Some((right, confidence)) = merged {
            let (fields, sum, rights) =
                &mut self.bins[(0..9).filter(|bin| confidence.get() >= count(bin + 1) / 10.0).count()];
            *fields += 1.0;
            *sum += confidence.get();
            *rights += number(right);
        }
    }

    fn score(&self) -> Score {
        let rate = |(told, own, _): &&(f64, f64, f64)| own / told.max(1.0);
        let best =
            self.sources.iter().max_by(|a, b| rate(a).total_cmp(&rate(b))).copied().unwrap_or_default();
        let given: f64 = self.bins.iter().map(|(count, ..)| count).sum();
        let off: f64 = self.bins.iter().map(|(_, sum, rights)| (sum - rights).abs()).sum();
        Score {
            merged: self.merged / self.asked,
            majority: self.majority / self.asked,
            of_given: self.merged / given,
            majority_of_given: self.majority_of_given / given,
            alone: self.sources.iter().map(|(_, own, _)| own / self.asked).fold(0.0, f64::max),
            best_source: best.1 / best.0,
            merged_there: best.2 / best.0,
            calibration: off / given,
            mixed: self.mixed,
        }
    }
}

fn count(things: usize) -> f64 {
    f64::from(u32::try_from(things).unwrap())
}

fn number(is: bool) -> f64 {
    f64::from(u8::from(is))
}

impl Subject {
    fn voices<'s>(&'s self, names: &'s [String]) -> Voices<'s> {
        fn said<'s, T>(
            names: &'s [String],
            statement: &Statement,
            field: usize,
            value: &'s T,
            assurance: Assurance,
        ) -> Said<'s, T> {
            Said {
                value,
                provider: &names[statement.source],
                confidence: statement.confidence[field],
                assurance,
                at: Some(statement.at),
                evidence: None,
            }
        }
        let mut voices =
            Voices { now: TimeZone::UTC.to_timestamp(TODAY.at(0, 0, 0, 0)).ok(), ..Voices::default() };
        for one in &self.statements {
            voices.names.extend(one.name.iter().map(|name| said(names, one, 0, name, Assurance::Broker)));
            voices.births.extend(one.birth.iter().map(|birth| said(names, one, 1, birth, Assurance::Broker)));
            let profiles = one.profiles.iter();
            voices
                .profiles
                .extend(profiles.map(|profile| said(names, one, 2, profile, (one.assured)(profile))));
        }
        voices.settled()
    }

    /// Whether the record holds something of this person, and something of the other one.
    fn is_mixed(&self, merged: &Merged) -> bool {
        let Some(other) = &self.other else { return false };
        let (mut ours, mut theirs) = (false, false);
        if let Some(name) = &merged.name {
            ours |= name.value.agrees_with(&self.name);
            theirs |= name.value.agrees_with(&other.name) && !name.value.agrees_with(&self.name);
        }
        if let (Some(birth), Some(truth)) = (&merged.birth, self.birth) {
            // An interval that holds both days is nobody's.
            let (is_ours, is_theirs) =
                (birth.value.contains(truth), other.birth.is_some_and(|other| birth.value.contains(other)));
            ours |= is_ours && !is_theirs;
            theirs |= is_theirs && !is_ours;
        }
        for profile in &merged.profiles {
            ours |= self.keys.iter().any(|key| key == profile.value.key());
            theirs |= other.keys.iter().any(|key| key == profile.value.key());
        }
        ours && theirs
    }
}
