//! What an order of providers costs: the self-made one beside a clairvoyant, the best fixed one, and asking everybody.
//!
//! `cargo bench --bench market` invents a market of ten providers with list prices and match rates around the published ones, drawn
//! anew for each of ten seeds, and members with free-mail, company and academic addresses. The self-made order is followed by the
//! real `Enricher`, which begins with the shipped priors and learns from its own answers; the others are reckoned from the table of
//! all answers. Ratios of one run are comparable, amounts are not: the market is invented. docs/waterfall.md has the method.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark, not a product"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gleaner::clock::SystemClock;
use gleaner::config::{Config, Order};
use gleaner::enrich::panel::Installed;
use gleaner::enrich::waterfall::worth::billed;
use gleaner::enrich::{Enricher, Keep, Kept, Market, Panel, Policy};
use gleaner::job::{Answer, AnswerContent, Claimed, Fence, Hold, JobId, LessonTotals, Paid};
use gleaner::keyring::SubjectKey;
use gleaner::member::MemberId;
use gleaner::record::{Confidences, Fields};
use gleaner_providers::email::Segment;
use gleaner_providers::http::{Limits, Network};
use gleaner_providers::provider::{KeyNeed, Micros, Price, Quota, Reach};
use gleaner_providers::{
    Assurance, BirthInterval, Claim, Confidence, Descriptor, EmailAddress, Field, Finding, HttpClient,
    Identifier, Lookup, LookupError, PersonName, Provider, SocialProfile, Subject,
};

const SEEDS: u64 = 10;
/// Members from whose answers is learned before orders are compared, and members over whom they are.
const LEARNING: usize = 2_000;
const MEASURED: usize = 2_000;
/// How often the market is told what was learned: a worker does so every 15 seconds.
const TELL_EVERY: usize = 100;

/// A provider of the invented market: name, cents in thousandths for a match and for a miss, match rates (free mail, company,
/// academic), and how often a match has name, age, social.
struct Vendor {
    name: &'static str,
    per_match: u64,
    per_miss: u64,
    rates: [f64; 3],
    fills: [f64; 3],
}

const fn vendor(name: &'static str, price: (u64, u64), rates: [f64; 3], fills: [f64; 3]) -> Vendor {
    Vendor { name, per_match: price.0, per_miss: price.1, rates, fills }
}

/// Prices in millionths of a dollar, as listed in 2026; rates around what sellers and their competitors publish.
const VENDORS: [Vendor; 10] = [
    vendor("gravatar", (0, 0), [0.25, 0.35, 0.25], [0.90, 0.0, 0.90]),
    vendor("github", (0, 0), [0.15, 0.30, 0.35], [0.70, 0.0, 0.95]),
    vendor("homepage", (0, 0), [0.02, 0.45, 0.30], [0.80, 0.2, 0.80]),
    vendor("people_data_labs", (280_000, 0), [0.60, 0.55, 0.40], [0.98, 0.40, 0.90]),
    vendor("full_enrich", (55_000, 0), [0.20, 0.55, 0.30], [0.97, 0.0, 0.95]),
    vendor("snov", (39_000, 0), [0.08, 0.45, 0.20], [0.95, 0.0, 0.60]),
    vendor("hunter", (24_500, 0), [0.10, 0.50, 0.35], [0.95, 0.0, 0.55]),
    vendor("data_legion", (10_000, 0), [0.40, 0.30, 0.20], [0.95, 0.35, 0.60]),
    vendor("enrich_so", (5_000, 0), [0.25, 0.45, 0.20], [0.90, 0.0, 0.70]),
    // The one that bills its misses.
    vendor("full_contact", (30_000, 30_000), [0.45, 0.25, 0.20], [0.90, 0.30, 0.80]),
];
const FREE: usize = 3;
const SEGMENTS: [Segment; 3] = [Segment::FreeMail, Segment::Company, Segment::Academic];

/// Numbers that look random, the same for the same seed (`SplitMix64`).
struct Draws(u64);

impl Draws {
    fn part(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A rate around another: its odds up to doubled or halved.
    fn around(&mut self, rate: f64) -> f64 {
        shifted(rate, (self.part() - 0.5) * 2.0 * std::f64::consts::LN_2)
    }
}

fn shifted(rate: f64, by: f64) -> f64 {
    if rate <= 0.0 {
        return 0.0;
    }
    let odds = rate / (1.0 - rate) * by.exp();
    odds / (1.0 + odds)
}

/// What every provider would say of one member: `None` where it does not know them.
type Answers = [Option<Fields>; VENDORS.len()];

struct Member {
    segment: usize,
    answers: Answers,
}

/// The members of a seed. People who are easily found are found by many: their odds are shifted together.
fn members(seed: u64) -> Vec<Member> {
    let mut draws = Draws(seed.wrapping_mul(0x1234_5678_9abc_def1));
    let rates: Vec<[f64; 3]> = VENDORS.iter().map(|one| one.rates.map(|rate| draws.around(rate))).collect();
    let fills: Vec<[f64; 3]> = VENDORS.iter().map(|one| one.fills.map(|fill| draws.around(fill))).collect();
    (0..LEARNING + MEASURED)
        .map(|_| {
            let luck = draws.part();
            let segment = if luck < 0.60 { 0 } else { 1 + usize::from(luck >= 0.92) };
            let visible = (draws.part() + draws.part() - 1.0) * 1.5;
            let answers = std::array::from_fn(|at| {
                let matched = draws.part() < shifted(rates[at][segment], visible);
                let mut brought = Fields::NONE;
                for (field, fill) in Field::ALL.into_iter().zip(fills[at]) {
                    if draws.part() < fill {
                        brought = brought.with(field);
                    }
                }
                matched.then_some(brought)
            });
            Member { segment, answers }
        })
        .collect()
}

/// The one that can be told which fields a match must have one of, or not be billed (`required`).
const DEMANDING: &str = "people_data_labs";

fn list(at: usize) -> Price {
    let Vendor { name, per_match, per_miss, .. } = VENDORS[at];
    Price { per_match: Micros(per_match), per_miss: Micros(per_miss), only_wanted: name == DEMANDING }
}

fn price(at: usize, answer: Option<Fields>, missing: Fields) -> u64 {
    billed(list(at), answer, missing)
}

fn supplies(at: usize) -> Fields {
    let supplied = Field::ALL.into_iter().zip(VENDORS[at].fills).filter(|(_, fill)| *fill > 0.0);
    supplied.fold(Fields::NONE, |set, (field, _)| set.with(field))
}

const fn all() -> Fields {
    Fields::from_bits(0b111)
}

/// What an order cost and filled.
#[derive(Clone, Copy, Default)]
struct Sum {
    micros: u64,
    fields: u64,
}

impl Sum {
    fn add(&mut self, micros: u64, missing: Fields) {
        self.micros += micros;
        self.fields += u64::from(all().without(missing).len());
    }

    fn per_field(self) -> f64 {
        self.micros as f64 / self.fields as f64
    }
}

fn after_free(member: &Member) -> Fields {
    (0..FREE).fold(all(), |missing, at| missing.without(member.answers[at].unwrap_or_default()))
}

/// One after the other until nothing is missing that the next one supplies.
fn fixed(members: &[Member], order: &[usize]) -> Sum {
    let mut sum = Sum::default();
    for member in members {
        let (mut missing, mut micros) = (after_free(member), 0);
        for &at in order {
            if !missing.and(supplies(at)).is_empty() {
                micros += price(at, member.answers[at], missing);
                missing = missing.without(member.answers[at].unwrap_or_default());
            }
        }
        sum.add(micros, missing);
    }
    sum
}

fn everybody(members: &[Member]) -> Sum {
    let mut sum = Sum::default();
    for member in members {
        let micros = (FREE..VENDORS.len()).map(|at| price(at, member.answers[at], all())).sum();
        let missing =
            member.answers.iter().fold(all(), |missing, one| missing.without(one.unwrap_or_default()));
        sum.add(micros, missing);
    }
    sum
}

/// For each member the order that costs least, chosen with all answers known. It goes on while something is missing that
/// somebody supplies, like every order.
fn clairvoyant_order(members: &[Member]) -> Sum {
    each(members, |member, missing| {
        fn least(
            member: &Member,
            missing: Fields,
            asked: u32,
            known: &mut HashMap<(Fields, u32), u64>,
        ) -> u64 {
            if let Some(cost) = known.get(&(missing, asked)) {
                return *cost;
            }
            let open = (FREE..VENDORS.len())
                .filter(|&at| asked & (1 << at) == 0 && !missing.and(supplies(at)).is_empty());
            let costs = open.map(|at| {
                let left = missing.without(member.answers[at].unwrap_or_default());
                price(at, member.answers[at], missing) + least(member, left, asked | 1 << at, known)
            });
            let cost = costs.collect::<Vec<_>>().into_iter().min().unwrap_or(0);
            known.insert((missing, asked), cost);
            cost
        }
        least(member, missing, 0, &mut HashMap::new())
    })
}

/// For each member the cheapest providers that fill whatever can be filled; it knows what nobody can, and does not try.
fn clairvoyant_choice(members: &[Member]) -> Sum {
    each(members, |member, missing| {
        let fillable = |set: u32| {
            (FREE..VENDORS.len())
                .filter(|at| set & (1 << at) != 0)
                .fold(missing, |left, at| left.without(member.answers[at].unwrap_or_default()))
        };
        let (lowest, highest) = (1_u32 << FREE, 1_u32 << VENDORS.len());
        let best = fillable(highest - lowest);
        (0..highest)
            .step_by(lowest as usize)
            .filter(|&set| fillable(set) == best)
            .map(|set| {
                let asked = (FREE..VENDORS.len()).filter(|at| set & (1 << at) != 0);
                asked.map(|at| price(at, member.answers[at], missing)).sum::<u64>()
            })
            .min()
            .unwrap()
    })
}

/// Every order fills the same in the end: whatever anybody knows.
fn each(members: &[Member], cost: impl Fn(&Member, Fields) -> u64) -> Sum {
    let mut sum = Sum::default();
    for member in members {
        let missing =
            member.answers.iter().fold(all(), |missing, one| missing.without(one.unwrap_or_default()));
        sum.add(cost(member, after_free(member)), missing);
    }
    sum
}

/// The fixed order that turned out cheapest over these members, of all 5,040. What one costs depends on who was asked before and not in
/// which order, so that the best order of every set follows from those of the smaller ones (Held and Karp, 1962).
fn best_fixed(members: &[Member]) -> (Vec<usize>, Sum) {
    let paid: Vec<usize> = (FREE..VENDORS.len()).collect();
    let free: Vec<Fields> = members.iter().map(after_free).collect();
    let mut best: Vec<(u64, Vec<usize>)> = vec![(u64::MAX, Vec::new()); 1 << paid.len()];
    best[0].0 = 0;
    for set in 0..best.len() {
        let (so_far, order) = best[set].clone();
        for (bit, &at) in paid.iter().enumerate().filter(|(bit, _)| set & (1 << bit) == 0) {
            let bill = |(member, free): (&Member, &Fields)| {
                let missing = order
                    .iter()
                    .fold(*free, |left, &at| left.without(member.answers[at].unwrap_or_default()));
                if missing.and(supplies(at)).is_empty() { 0 } else { price(at, member.answers[at], missing) }
            };
            let cost = so_far + members.iter().zip(&free).map(bill).sum::<u64>();
            let next = set | 1 << bit;
            if cost < best[next].0 {
                best[next] = (cost, order.iter().copied().chain([at]).collect());
            }
        }
    }
    let order = best.pop().unwrap().1;
    let sum = fixed(members, &order);
    (order, sum)
}

/// A provider that answers from the table.
struct Simulated {
    at: usize,
    descriptor: Descriptor,
    now: Arc<Mutex<Answers>>,
}

#[async_trait]
impl Provider for Simulated {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn lookup(&self, subject: &Subject, _: &HttpClient) -> Result<Lookup, LookupError> {
        let Some(brought) = self.now.lock().unwrap()[self.at] else { return Ok(Lookup::NoMatch) };
        if self.descriptor.price.only_wanted && brought.and(Fields::of(subject.wanted())).is_empty() {
            return Ok(Lookup::NoMatch);
        }
        Ok(Lookup::Match(finding(brought)))
    }
}

fn finding(brought: Fields) -> Finding {
    let sure = Confidence::literal(0.9);
    let day = jiff::civil::date(1987, 6, 7);
    let name = PersonName::parse("Ada Example").unwrap();
    let profile = SocialProfile::parse("https://github.com/ada-example").unwrap();
    Finding {
        name: brought.contains(Field::Name).then(|| Claim::new(name, sure, Assurance::Broker)),
        birth: brought
            .contains(Field::Age)
            .then(|| Claim::new(BirthInterval::between(day, day).unwrap(), sure, Assurance::Broker)),
        profiles: brought
            .contains(Field::Social)
            .then(|| Claim::new(profile, sure, Assurance::Broker))
            .into_iter()
            .collect(),
    }
}

fn panel(now: &Arc<Mutex<Answers>>) -> Panel {
    let network = Network::new(None, SystemClock::shared()).unwrap();
    let installed = |at: usize| {
        let name = VENDORS[at].name;
        let of = Fields::of(&Field::ALL).and(supplies(at));
        let supplied: &'static [Field] = of.iter().collect::<Vec<_>>().leak();
        let descriptor = Descriptor { supplies: supplied, price: list(at), ..descriptor(name) };
        let http = network.client(name, Limits::for_quota(Quota::per_second(1000)));
        Arc::new(Installed::new(Arc::new(Simulated { at, descriptor, now: Arc::clone(now) }), http))
    };
    let free = (0..FREE).map(installed).collect();
    let paid = (FREE..VENDORS.len()).map(|at| vec![installed(at)]);
    Panel::of_tiers(std::iter::once(free).chain(paid).collect())
}

fn descriptor(name: &'static str) -> Descriptor {
    Descriptor {
        name: name.into(),
        title: name.into(),
        docs: "https://example.com/docs".into(),
        endpoint: "https://example.com/".into(),
        reach: Reach::Vendor,
        supplies: &[],
        told: Identifier::Address,
        reads: &[],
        quota: Quota::per_second(1000),
        price: Price::FREE,
        key: KeyNeed::None,
        terms: None,
        opt_in: false,
        takes_hash: false,
    }
}

/// Everything stays with the outcome.
#[derive(Debug)]
struct NoShelf;

#[async_trait]
impl Keep for NoShelf {
    async fn keep(&self, _: Paid) -> Kept {
        Kept::No
    }

    fn may_pay(&self, _: Hold) -> bool {
        true
    }

    async fn reserve(&self, _: gleaner::job::BatchId, _: u64) -> bool {
        true
    }

    async fn lease_ended(&self, _: Hold) {
        std::future::pending::<()>().await;
    }
}

/// What the ledger would say.
#[derive(Default)]
struct Books(BTreeMap<Row, (u64, u64)>);

/// Vendor, kind of address, what was brought, what was demanded.
type Row = (usize, usize, Option<Fields>, Fields);

impl Books {
    fn note(&mut self, at: usize, segment: usize, answer: &Answer, missing: Fields) {
        let brought = match &answer.content {
            AnswerContent::Match(finding) => {
                let told = [finding.name.is_some(), finding.birth.is_some(), !finding.profiles.is_empty()];
                let fields = Field::ALL.into_iter().zip(told).filter(|(_, told)| *told);
                Some(fields.fold(Fields::NONE, |set, (field, _)| set.with(field)))
            }
            _ => None,
        };
        let demanded = if brought.is_none() && list(at).only_wanted { missing } else { Fields::NONE };
        let row = self.0.entry((at, segment, brought, demanded)).or_default();
        row.0 += 1;
        row.1 += answer.cost_micros;
    }

    fn totals(&self) -> Vec<LessonTotals> {
        let total = |(&(at, segment, brought, demanded), &(answers, cost_micros)): (&Row, &(u64, u64))| {
            LessonTotals {
                provider: VENDORS[at].name.to_owned(),
                segment: SEGMENTS[segment],
                brought,
                demanded,
                answers,
                cost_micros,
                duration: std::time::Duration::ZERO,
                agreed: 0,
                contradicted: 0,
            }
        };
        self.0.iter().map(total).collect()
    }
}

const ADDRESSES: [&str; 3] = ["ada@gmail.com", "ada@example.com", "ada@example.edu"];

/// The real enricher, from the first day on: what the members cost while it learned, and afterwards.
async fn own(seed: u64, members: &[Member]) -> [Sum; 2] {
    let now = Arc::new(Mutex::new([None; VENDORS.len()]));
    let panel = panel(&now);
    let mut config = Config::default();
    config.enrich.order = Order::Auto;
    let market = Market::new(&config.enrich, &panel);
    let policy = Policy::from_config(&config);
    let clock = SystemClock::shared();
    let enricher = Enricher::new(panel, policy, Arc::clone(&clock)).with_market(market);
    let emails = ADDRESSES.map(|address| EmailAddress::parse(address).unwrap());
    assert_eq!(emails.each_ref().map(EmailAddress::segment), SEGMENTS);
    let (mut books, mut sums) = (Books::default(), [Sum::default(); 2]);
    let mut draws = Draws(seed);
    for (number, member) in members.iter().enumerate() {
        if number.is_multiple_of(TELL_EVERY) {
            enricher.market().learn(&books.totals());
        }
        *now.lock().unwrap() = member.answers;
        let key: [u8; 32] = std::array::from_fn(|_| draws.part().to_bits().to_le_bytes()[2]);
        let job = Claimed {
            hold: Hold { job: JobId(1), fence: Fence(1) },
            member: MemberId::parse("m").unwrap(),
            email: emails[member.segment].clone(),
            subject: SubjectKey::from_bytes(key),
            attempt: 1,
            queued_at: clock.now(),
            priority: 0,
            recorded: Confidences::default(),
            batch: None,
        };
        let outcome = enricher.enrich(&job, Vec::new(), &NoShelf).await;
        let mut missing = all();
        for answer in &outcome.answers {
            let at = VENDORS.iter().position(|one| one.name == answer.provider).unwrap();
            books.note(at, member.segment, answer, missing);
            missing = missing.without(member.answers[at].unwrap_or_default());
        }
        let micros = outcome.answers.iter().map(|answer| answer.cost_micros).sum();
        sums[usize::from(number >= LEARNING)].add(micros, missing);
    }
    sums
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // `cargo test --benches` runs this too; a benchmark says nothing there.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!(
        "{} providers, {LEARNING} members to learn from, {MEASURED} measured, {SEEDS} seeds",
        VENDORS.len()
    );
    println!("cost of a filled field, of the self-made order as a multiple of");
    println!(
        "seed  clairvoyant order  clairvoyant choice  best fixed  everybody  while learning / best fixed  fields"
    );
    let mut worst = [0.0_f64; 5];
    for seed in 1..=SEEDS {
        let members = members(seed);
        let (early, late) = members.split_at(LEARNING);
        let [learning, own] = own(seed, &members).await;
        let (order, best) = best_fixed(late);
        let (early_best, all) = (best_fixed(early).1, everybody(late));
        assert_eq!([own.fields, best.fields], [all.fields; 2], "all of them fill the same");
        let ratios = [
            own.per_field() / clairvoyant_order(late).per_field(),
            own.per_field() / clairvoyant_choice(late).per_field(),
            own.per_field() / best.per_field(),
            own.per_field() / all.per_field(),
            learning.per_field() / early_best.per_field(),
        ];
        for (worst, ratio) in worst.iter_mut().zip(ratios) {
            *worst = worst.max(ratio);
        }
        let names: Vec<_> = order.iter().map(|&at| VENDORS[at].name).collect();
        println!(
            "{seed:>4}  {:>17.3}  {:>18.3}  {:>10.3}  {:>9.3}  {:>27.3}  {:.2}   best fixed: {}",
            ratios[0],
            ratios[1],
            ratios[2],
            ratios[3],
            ratios[4],
            own.fields as f64 / MEASURED as f64,
            names.join(" ")
        );
    }
    println!(
        "worst {:>16.3}  {:>18.3}  {:>10.3}  {:>9.3}  {:>27.3}",
        worst[0], worst[1], worst[2], worst[3], worst[4]
    );
}
