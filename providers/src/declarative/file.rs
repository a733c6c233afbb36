//! The shape of a file that declares a provider, as serde reads it.
//!
//! Invariant: an unknown key is refused, and every value that is checked later carries its place in the file.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::finding::{Assurance, Confidence};
use crate::provider::{KeyNeed, Micros, Quota};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) title: String,
    pub(super) docs: Spanned<String>,
    pub(super) endpoint: Spanned<String>,
    #[serde(default)]
    pub(super) reach: Audience,
    pub(super) key: Option<KeyNeed>,
    pub(super) quota: Written<Quota>,
    pub(super) burst: Option<NonZeroU32>,
    pub(super) price_per_match: Option<Written<Micros>>,
    pub(super) price_per_miss: Option<Written<Micros>>,
    pub(super) terms: Option<String>,
    #[serde(default)]
    pub(super) answers: Format,
    pub(super) request: Spanned<Question>,
    pub(super) collect: Option<Spanned<Question>>,
    #[serde(default, rename = "rule")]
    pub(super) rules: Vec<Spanned<Rule>>,
    pub(super) fields: Spanned<Fields>,
}

/// Whose hosts are asked.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Audience {
    #[default]
    Vendor,
    Web,
}

/// What answers are written in.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    #[default]
    Json,
    Html,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    Get,
    Post,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Encoding {
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    pub(super) method: Option<Method>,
    pub(super) path: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) query: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Spanned<String>>,
    pub(super) body: Option<Spanned<BTreeMap<String, Spanned<toml::Value>>>>,
    pub(super) encode: Option<Spanned<Encoding>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) status: Option<Statuses>,
    #[serde(rename = "where")]
    pub(super) finds: Option<Spanned<String>>,
    pub(super) unless: Option<Spanned<String>>,
    pub(super) equals: Option<String>,
    pub(super) then: Then,
    pub(super) after: Option<Wait>,
    pub(super) handle: Option<Spanned<String>>,
    pub(super) reason: Option<String>,
}

/// What a rule makes of an answer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Then {
    Match,
    NoMatch,
    Pending,
    Objected,
    RateLimited,
    QuotaExhausted,
    Denied,
    Unavailable,
    Refused,
    Malformed,
}

impl Then {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::NoMatch => "no_match",
            Self::Pending => "pending",
            Self::Objected => "objected",
            Self::RateLimited => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
        }
    }

    /// Whether it is an answer, and not something that went wrong.
    pub(super) const fn is_answer(self) -> bool {
        matches!(self, Self::Match | Self::NoMatch | Self::Pending | Self::Objected)
    }

    /// Whether it can say when to come back.
    pub(super) const fn waits(self) -> bool {
        matches!(self, Self::Pending | Self::RateLimited | Self::QuotaExhausted)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    pub(super) confidence: Spanned<Rating>,
    pub(super) assurance: Assurance,
    pub(super) full_name: Option<Spanned<Field>>,
    pub(super) given_name: Option<Spanned<Field>>,
    pub(super) family_name: Option<Spanned<Field>>,
    pub(super) birth_date: Option<Spanned<Field>>,
    pub(super) birth_year: Option<Spanned<Field>>,
    pub(super) age: Option<Spanned<Field>>,
    #[serde(default)]
    pub(super) profiles: Vec<Spanned<Field>>,
    pub(super) evidence: Option<Spanned<String>>,
}

/// How sure the provider is: always the same, or as the answer says on a scale of its own.
#[derive(Clone, Debug)]
pub(super) enum Rating {
    Fixed(Confidence),
    Stated(StatedRating),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatedRating {
    pub(super) from: String,
    /// The top of the answer's scale, which begins at 0.
    pub(super) of: f64,
    pub(super) at_most: Confidence,
}

/// Where a field comes from: `"$.name"`, `["$.name", "$.nick"]`, or a table that says more.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FieldTable {
    pub(super) from: OneOrMany,
    pub(super) confidence: Option<Confidence>,
    pub(super) assurance: Option<Assurance>,
    /// Of profiles: the network that account names belong to.
    pub(super) network: Option<String>,
    /// Of profiles: a list of objects, within which `network_from` and `from` are looked for.
    pub(super) each: Option<String>,
    pub(super) network_from: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct OneOrMany(pub(super) Vec<String>);

/// A field as it was written.
#[derive(Clone, Debug)]
pub(super) struct Field(pub(super) FieldTable);

/// Statuses as they are written: `404`, `"5xx"`, `"200-299"`, or a list of these.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Statuses(pub(super) Vec<(u16, u16)>);

/// A wait as it is written: `30s`, `5min`, `2h`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Wait(pub(super) Duration);

/// A value with a spelling of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<T>(pub(super) T);

impl<'de, T: FromStr<Err = String>> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wait = text.parse::<SignedDuration>().ok().and_then(|wait| Duration::try_from(wait).ok());
        let refused = || D::Error::custom(format!("`{text}` is no wait; write `30s`, `5min` or `2h`"));
        wait.map(Self).ok_or_else(refused)
    }
}

impl Statuses {
    fn one(text: &str) -> Result<(u16, u16), String> {
        let refused = || format!("`{text}` is no status; write `404`, `\"5xx\"`, `\"200-299\"` or a list");
        let range = if let Some(class) = text.strip_suffix("xx") {
            let class: u16 = class.parse().map_err(|_| refused())?;
            (class.saturating_mul(100), class.saturating_mul(100).saturating_add(99))
        } else if let Some((from, to)) = text.split_once('-') {
            (from.trim().parse().map_err(|_| refused())?, to.trim().parse().map_err(|_| refused())?)
        } else {
            let status = text.trim().parse().map_err(|_| refused())?;
            (status, status)
        };
        let is_status = (100..600).contains(&range.0) && (range.0..600).contains(&range.1);
        if is_status { Ok(range) } else { Err(refused()) }
    }
}

/// Reads values that are written short or at length.
struct Short<T>(PhantomData<T>, &'static str);

/// A value that can be written as a text, a number, a list of these, or a table.
trait Shorthand: Sized {
    fn from_text(text: &str) -> Result<Self, String>;

    fn from_number(number: f64) -> Result<Self, String> {
        Err(format!("`{number}` does not belong here"))
    }

    fn from_list(_: Vec<toml::Value>) -> Result<Self, String> {
        Err("a list does not belong here".to_owned())
    }

    fn from_table<'de, D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("a table does not belong here"))
    }
}

impl<'de, T: Shorthand> Visitor<'de> for Short<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).map_err(E::custom)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<T, E> {
        // Statuses and confidences: far below where a float is inexact.
        self.visit_f64(f64::from(i32::try_from(number).unwrap_or(i32::MAX)))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<T, E> {
        T::from_number(number).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        T::from_list(values).map_err(A::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::from_table(MapAccessDeserializer::new(map))
    }
}

macro_rules! written_short {
    ($type:ty, $expected:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Short(PhantomData, $expected))
            }
        }
    };
}

written_short!(Statuses, "a status, such as `404`, `\"5xx\"`, or a list of them");
written_short!(Rating, "a confidence from 0 to 1, or `{ from = …, of = …, at_most = … }`");
written_short!(Field, "a selector, a list of selectors, or `{ from = …, confidence = …, … }`");
written_short!(OneOrMany, "a selector or a list of selectors");

impl Shorthand for Statuses {
    fn from_text(text: &str) -> Result<Self, String> {
        Self::one(text).map(|range| Self(vec![range]))
    }

    fn from_number(number: f64) -> Result<Self, String> {
        Self::from_text(&number.to_string())
    }

    fn from_list(values: Vec<toml::Value>) -> Result<Self, String> {
        let text = |value: &toml::Value| match value {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        values.iter().map(|value| Self::one(&text(value))).collect::<Result<_, _>>().map(Self)
    }
}

impl Shorthand for Rating {
    fn from_text(_: &str) -> Result<Self, String> {
        Err("a confidence is a number from 0 to 1".to_owned())
    }

    fn from_number(number: f64) -> Result<Self, String> {
        Confidence::try_from(number).map(Self::Fixed).map_err(str::to_owned)
    }

    fn from_table<'de, D: Deserializer<'de>>(table: D) -> Result<Self, D::Error> {
        StatedRating::deserialize(table).map(Self::Stated)
    }
}

impl Shorthand for OneOrMany {
    fn from_text(text: &str) -> Result<Self, String> {
        Ok(Self(vec![text.to_owned()]))
    }

    fn from_list(values: Vec<toml::Value>) -> Result<Self, String> {
        let texts = values.into_iter().map(|value| match value {
            toml::Value::String(text) => Ok(text),
            _ => Err("a list of selectors holds nothing but texts".to_owned()),
        });
        texts.collect::<Result<_, _>>().map(Self)
    }
}

impl Shorthand for Field {
    fn from_text(text: &str) -> Result<Self, String> {
        OneOrMany::from_text(text).map(Self::plain)
    }

    fn from_list(values: Vec<toml::Value>) -> Result<Self, String> {
        OneOrMany::from_list(values).map(Self::plain)
    }

    fn from_table<'de, D: Deserializer<'de>>(table: D) -> Result<Self, D::Error> {
        FieldTable::deserialize(table).map(Self)
    }
}

impl Field {
    fn plain(from: OneOrMany) -> Self {
        Self(FieldTable { from, ..FieldTable::default() })
    }
}
