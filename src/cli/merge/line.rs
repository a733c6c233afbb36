//! One line as a finding: tolerant of what fields are called, strict about what they hold.
//!
//! Invariant: values pass through the same normalization as every provider's answers; reasons hold nothing of the line.

use gleaner_providers::name::Parts;
use gleaner_providers::{Assurance, BirthInterval, Confidence, PersonName, SocialProfile, social};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json};

const SUBJECT: [&str; 5] = ["subject", "member_id", "member", "email", "id"];
const PROVIDER: [&str; 3] = ["provider", "source", "vendor"];
const OBSERVED: [&str; 5] = ["observed_on", "observed_at", "as_of", "fetched_at", "date"];

/// What one line says of one subject.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) subject: String,
    pub(super) provider: String,
    pub(super) values: Vec<Value>,
    pub(super) confidence: Option<Confidence>,
    pub(super) assurance: Assurance,
    pub(super) at: Option<Timestamp>,
    /// Why values of the line were left out.
    pub(super) refused: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Value {
    Name(PersonName),
    Birth(BirthInterval),
    Profile(SocialProfile),
}

/// What a field is about, by its name.
enum Field {
    Name,
    Age,
    Birth,
    Social,
    Network(&'static str),
}

impl Field {
    fn named(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase().replace(['-', ' '], "_");
        Some(match word.as_str() {
            "name" | "full_name" | "fullname" | "display_name" | "person_name" => Self::Name,
            "age" | "age_range" | "ages" => Self::Age,
            "birth" | "birth_date" | "birthdate" | "birthday" | "date_of_birth" | "dob" | "birth_year"
            | "year_of_birth" | "born" => Self::Birth,
            "social" | "socials" | "social_profile" | "social_profiles" | "profile" | "profiles"
            | "account" | "accounts" | "url" | "urls" | "link" | "links" | "homepage" => Self::Social,
            other => Self::Network(social::networks().find(|network| *network == other)?),
        })
    }
}

impl Finding {
    pub(super) fn read(line: &[u8], today: Date) -> Result<Self, String> {
        let Ok(Json::Object(row)) = serde_json::from_slice(line) else {
            return Err("is not a JSON object".to_owned());
        };
        let subject = SUBJECT.iter().find_map(|key| text(row.get(*key)?)).ok_or("has no `subject`")?;
        let provider = PROVIDER.iter().find_map(|key| text(row.get(*key)?)).ok_or("has no `provider`")?;
        let day = observed(&row)?;
        let mut finding = Self {
            subject,
            provider,
            values: Vec::new(),
            confidence: confidence(&row)?,
            assurance: assurance(&row)?,
            at: day.map(start_of).transpose()?,
            refused: Vec::new(),
        };
        let day = day.unwrap_or(today);
        match row.get("field") {
            Some(Json::String(word)) => {
                let known = "has an unknown `field`: known are name, age, birth_date, birth_year, social and networks";
                let field = Field::named(word).ok_or(known)?;
                let value = row.get("value").or_else(|| row.get("values")).ok_or("has no `value`")?;
                finding.add(&field, value, day);
            }
            Some(_) => return Err("has a `field` that is no text".to_owned()),
            None => {
                let keys = row.iter().filter(|(key, _)| !is_about_the_row(key));
                let named: Vec<_> =
                    keys.filter_map(|(key, value)| Some((Field::named(key)?, value))).collect();
                if named.is_empty() {
                    return Err("has no `field`, and names none".to_owned());
                }
                named
                    .iter()
                    .filter(|(_, value)| !value.is_null())
                    .for_each(|(field, value)| finding.add(field, value, day));
            }
        }
        Ok(finding)
    }

    fn add(&mut self, field: &Field, value: &Json, day: Date) {
        let values = match value {
            Json::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            match read_value(field, value, day) {
                Ok(value) => self.values.push(value),
                Err(reason) => self.refused.push(reason),
            }
        }
    }
}

fn read_value(field: &Field, value: &Json, day: Date) -> Result<Value, String> {
    match (field, value) {
        (_, Json::Null) => Err("a value is null".to_owned()),
        (Field::Name, Json::Object(parts)) => {
            let part = |keys: &[&str]| keys.iter().find_map(|key| text(parts.get(*key)?));
            PersonName::from_parts(Parts {
                full: part(&["full", "full_name", "name", "value"]),
                given: part(&["given", "given_name", "first_name", "first"]),
                family: part(&["family", "family_name", "last_name", "last"]),
            })
            .map(Value::Name)
            .map_err(|error| format!("a name {error}"))
        }
        (Field::Name, value) => {
            let text = value.as_str().ok_or("a name is neither a text nor an object")?;
            PersonName::parse(text).map(Value::Name).map_err(|error| format!("a name {error}"))
        }
        (Field::Age | Field::Birth, Json::Object(parts)) => age_in_parts(parts, day).map(Value::Birth),
        (Field::Age | Field::Birth, value) => {
            let text = text(value).ok_or("an age is neither a number nor a text")?;
            age(&text, matches!(field, Field::Birth), day).map(Value::Birth)
        }
        (Field::Social | Field::Network(_), Json::Object(parts)) => {
            account_in_parts(field, parts).map(Value::Profile)
        }
        (field, value) => {
            let text = text(value).ok_or("a profile is neither a text nor an object")?;
            account(network(field), &text).map(Value::Profile)
        }
    }
}

/// An age or a birth date; which of them is tried first the field's name says.
fn age(text: &str, is_birth: bool, day: Date) -> Result<BirthInterval, String> {
    let as_age = || BirthInterval::parse_age(text, day);
    let as_birth = || BirthInterval::parse_birth_date(text, day);
    let read = if is_birth {
        as_birth().or_else(|error| as_age().map_err(|_| error))
    } else {
        as_age().or_else(|error| as_birth().map_err(|_| error))
    };
    read.map_err(|error| format!("an age {error}"))
}

fn age_in_parts(parts: &Map<String, Json>, day: Date) -> Result<BirthInterval, String> {
    let part = |keys: &[&str]| keys.iter().find_map(|key| text(parts.get(*key)?));
    if let Some(birth) = part(&["birth_date", "date", "birth_year", "year"]) {
        return age(&birth, true, day);
    }
    if let Some(stated) = part(&["age", "value"]) {
        return age(&stated, false, day);
    }
    match (part(&["min", "age_min", "from"]), part(&["max", "age_max", "to"])) {
        (Some(min), Some(max)) => age(&format!("{min}-{max}"), false, day),
        _ => Err("an age says neither birth_date, birth_year, age nor min and max".to_owned()),
    }
}

fn account_in_parts(field: &Field, parts: &Map<String, Json>) -> Result<SocialProfile, String> {
    let part = |keys: &[&str]| keys.iter().find_map(|key| text(parts.get(*key)?));
    let stated = part(&["network", "platform", "type", "service"]);
    let network = stated.as_deref().or(network(field));
    let url = part(&["url", "link", "value"]).map(|url| account(None, &url));
    let handle = part(&["handle", "username", "id"]).map(|handle| account(network, &handle));
    match (url, handle) {
        (Some(Ok(profile)), _) | (_, Some(Ok(profile))) => Ok(profile),
        (Some(Err(reason)), _) | (_, Some(Err(reason))) => Err(reason),
        (None, None) => Err("a profile says neither url nor handle".to_owned()),
    }
}

const fn network(field: &Field) -> Option<&'static str> {
    match field {
        Field::Network(network) => Some(*network),
        _ => None,
    }
}

fn account(network: Option<&str>, text: &str) -> Result<SocialProfile, String> {
    // `github:jane`, as keys and some vendors have it.
    let in_one = text.split_once(':').filter(|(word, rest)| {
        !rest.starts_with("//") && social::networks().any(|known| known.eq_ignore_ascii_case(word))
    });
    let read = match (network, in_one) {
        (Some(network), _) => SocialProfile::on_network(network, text),
        (None, Some((network, account))) => SocialProfile::on_network(network, account),
        (None, None) => SocialProfile::parse(text),
    };
    read.map_err(|error| format!("a profile {error}"))
}

/// Keys that say something of the whole line, however a field might be called.
fn is_about_the_row(key: &str) -> bool {
    SUBJECT.contains(&key) || PROVIDER.contains(&key) || OBSERVED.contains(&key)
}

/// A text or a number, not blank.
fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn confidence(row: &Map<String, Json>) -> Result<Option<Confidence>, String> {
    let stated = match row.get("confidence").or_else(|| row.get("score")) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Number(number)) => number.as_f64(),
        Some(Json::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    let confidence = stated.and_then(|stated| Confidence::try_from(stated).ok());
    confidence.map(Some).ok_or_else(|| "has a `confidence` that is not between 0 and 1".to_owned())
}

/// The day on which it was true. Of a moment, its date.
fn observed(row: &Map<String, Json>) -> Result<Option<Date>, String> {
    let Some(stated) = OBSERVED.iter().find_map(|key| row.get(*key)).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let text = stated.as_str().unwrap_or_default().trim();
    let day = match text.split_at_checked(10) {
        Some((day, rest)) if rest.is_empty() || rest.starts_with(['T', 't', ' ']) => day,
        _ => text,
    };
    day.parse().map(Some).map_err(|_| "has an `observed_on` that is not a date like 2026-01-31".to_owned())
}

fn start_of(day: Date) -> Result<Timestamp, String> {
    TimeZone::UTC
        .to_timestamp(day.at(0, 0, 0, 0))
        .map_err(|_| "has an `observed_on` outside the calendar".to_owned())
}

fn assurance(row: &Map<String, Json>) -> Result<Assurance, String> {
    let is_true = |key: &str| row.get(key).and_then(Json::as_bool).unwrap_or_default();
    match row.get("assurance").and_then(Json::as_str) {
        Some("proven") => Ok(Assurance::Proven),
        Some("self_asserted") => Ok(Assurance::SelfAsserted),
        Some("broker") => Ok(Assurance::Broker),
        Some(_) => Err("has an `assurance` that is none of broker, self_asserted, proven".to_owned()),
        None if is_true("verified") || is_true("proven") => Ok(Assurance::Proven),
        None => Ok(Assurance::Broker),
    }
}
