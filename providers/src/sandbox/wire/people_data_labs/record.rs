//! PDL's record of a person.
//!
//! Invariant: every documented field is there, null where it is not known.

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::sandbox::draw;
use crate::sandbox::population::{Account, Distortion, Person, Portrait};

/// The networks of PDL's enum that the population uses.
const NETWORKS: &[&str] = &[
    "facebook",
    "github",
    "instagram",
    "linkedin",
    "medium",
    "pinterest",
    "stackoverflow",
    "twitter",
    "youtube",
];
/// How deep a `required` expression may nest.
const DEEPEST: usize = 16;

#[derive(Serialize)]
pub(super) struct Body {
    pub(super) status: u16,
    pub(super) likelihood: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) matched: Option<[&'static str; 1]>,
    pub(super) data: Map<String, Value>,
}

/// How sure PDL is, 1 to 10; of the wrong person less.
pub(super) fn likelihood(portrait: &Portrait) -> u8 {
    let mut rng = stream(&portrait.person);
    if portrait.has(Distortion::WrongPerson) { rng.u8(2..7) } else { rng.u8(6..=10) }
}

fn stream(person: &Person) -> fastrand::Rng {
    draw::stream(0, "pdl record", &[&person.key.bytes()])
}

/// The record, all fields.
pub(super) fn data(portrait: &Portrait, title_case: bool) -> Map<String, Value> {
    let person = &portrait.person;
    let written = |text: &str| if title_case { title_cased(text) } else { text.to_lowercase() };
    let given = written(&person.name.given);
    let family = person.name.family.as_deref().map(written);
    let mut full = written(&person.name.full);
    if portrait.has(Distortion::DuplicatedName) {
        full = format!("{given} {full}");
    }
    let booleans = portrait.has(Distortion::Booleans);
    let (birth_year, birth_date) = birth(portrait);
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| data.insert(name.to_owned(), value);
    put("id", json!(format!("tEsT{:016x}_0000", draw::digest(0, "pdl id", &[&person.key.bytes()]))));
    put("full_name", json!(full));
    put("first_name", json!(given));
    put("middle_initial", Value::Null);
    put("middle_name", Value::Null);
    put("last_initial", json!(family.as_ref().and_then(|name| name.chars().next())));
    put("last_name", json!(family));
    put("sex", Value::Null);
    // A restricted plan says that it has a value, not which.
    put("birth_year", if booleans { json!(birth_year.is_some()) } else { json!(birth_year) });
    put("birth_date", if booleans { json!(birth_date.is_some()) } else { json!(birth_date) });
    for network in ["linkedin", "facebook", "twitter", "github"] {
        let account = person.account(network);
        put(&format!("{network}_url"), json!(account.map(bare_url)));
        put(&format!("{network}_username"), json!(account.map(|account| account.handle.to_lowercase())));
        if matches!(network, "linkedin" | "facebook") {
            put(&format!("{network}_id"), json!(account.and_then(|account| account.id.as_deref())));
        }
    }
    put("job_title", json!(written(person.job_title)));
    put("location_name", json!(written(person.location)));
    put("profiles", profiles(portrait));
    data
}

/// Birth year and date as PDL has them.
fn birth(portrait: &Portrait) -> (Option<i16>, Option<String>) {
    let born: Date = portrait.person.birth_date;
    if portrait.has(Distortion::NoBirth) {
        return (None, None);
    }
    let year = born.year() - i16::from(portrait.has(Distortion::StaleBirth));
    if portrait.has(Distortion::YearOnly) {
        (Some(year), None)
    } else if portrait.has(Distortion::Placeholder) {
        (Some(year), Some(format!("{year:04}-01-01")))
    } else if portrait.has(Distortion::StaleBirth) {
        // 28 instead of 29 February: the year before has none.
        (Some(year), Some(format!("{year:04}-{:02}-{:02}", born.month(), born.day().min(28))))
    } else {
        (Some(year), Some(born.to_string()))
    }
}

fn profiles(portrait: &Portrait) -> Value {
    let person = &portrait.person;
    let known = person.accounts.iter().filter(|account| NETWORKS.contains(&account.network));
    let mut profiles: Vec<Value> = known
        .map(|account| {
            json!({
                "network": account.network,
                "id": account.id,
                "url": bare_url(account),
                "username": account.handle.to_lowercase(),
            })
        })
        .collect();
    if portrait.has(Distortion::DeadNetwork) {
        let username = person.name.ascii.join("_");
        let url = format!("klout.com/{username}");
        profiles.push(json!({"network": "klout", "id": null, "url": url, "username": username}));
    }
    Value::Array(profiles)
}

/// The URL as PDL writes it: lower case, without scheme and `www`.
fn bare_url(account: &Account) -> String {
    let url = account.url.trim_start_matches("https://").trim_start_matches("www.");
    url.replacen("x.com/", "twitter.com/", usize::from(account.network == "twitter")).to_lowercase()
}

fn title_cased(text: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect::<String>()
        })
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Keeps the fields of a `data_include` list: `a,b` only these, `-a,b` all but these.
pub(super) fn keep_only(data: &mut Map<String, Value>, list: &str) {
    let (excluding, list) = list.strip_prefix('-').map_or((false, list), |rest| (true, rest));
    let named: Vec<&str> = list.split(',').map(str::trim).collect();
    data.retain(|field, _| named.contains(&field.as_str()) != excluding);
}

/// Whether the record has what `required` asks for: `birth_year OR (profiles AND linkedin_url)`.
pub(super) fn satisfies(data: &Map<String, Value>, expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    either(data, &mut words, 0)
}

type Words<'w> = std::iter::Peekable<std::str::SplitWhitespace<'w>>;

fn either(data: &Map<String, Value>, words: &mut Words<'_>, depth: usize) -> bool {
    let mut any = both(data, words, depth);
    while words.next_if(|word| word.eq_ignore_ascii_case("or")).is_some() {
        any |= both(data, words, depth);
    }
    any
}

fn both(data: &Map<String, Value>, words: &mut Words<'_>, depth: usize) -> bool {
    let mut all = present(data, words, depth);
    while words.next_if(|word| word.eq_ignore_ascii_case("and")).is_some() {
        all &= present(data, words, depth);
    }
    all
}

fn present(data: &Map<String, Value>, words: &mut Words<'_>, depth: usize) -> bool {
    match words.next() {
        Some("(") if depth < DEEPEST => {
            let inside = either(data, words, depth + 1);
            words.next_if_eq(&")");
            inside
        }
        Some(field) => match data.get(field) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Array(values)) => !values.is_empty(),
            Some(_) => true,
        },
        None => false,
    }
}
