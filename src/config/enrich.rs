//! Which fields are wanted and how sure, and whom to ask for them, in which order and for how much.
//!
//! Invariant: money is exact; a confidence lies between 0 and 1.

use std::fmt;

use gleaner_providers::provider::Micros;
use gleaner_providers::{Confidence, Field};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::MoneyText;

/// The table `[enrich]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Enrich {
    pub wanted: Vec<Field>,
    /// A field below this confidence counts as not filled: one number, or one for each field.
    pub min_confidence: Thresholds,
    /// Tiers are asked in order, the providers of one tier at the same time.
    pub tiers: Vec<Vec<String>>,
    pub order: Order,
    /// What self-ordering may spend on finding out what a provider is worth, for each provider and kind of address.
    pub explore: MoneyText,
    /// What the answers about one member may cost together.
    pub max_cost: Option<MoneyText>,
    /// Members who may be younger are not kept.
    pub minimum_age: u8,
    /// What providers may be told of an address.
    pub send: Send,
}

impl Default for Enrich {
    fn default() -> Self {
        let tier = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            wanted: Field::ALL.to_vec(),
            min_confidence: Thresholds::default(),
            tiers: vec![
                tier(&[
                    "gravatar",
                    "github",
                    "homepage",
                    "webfinger",
                    "gitlab",
                    "openpgp",
                    "wikidata",
                    "orcid",
                ]),
                tier(&["keybase", "bluesky"]),
                tier(&["enrich_so"]),
                tier(&["hunter"]),
                tier(&["apollo"]),
                tier(&["fullenrich"]),
                tier(&["people_data_labs"]),
                tier(&["fullcontact"]),
                tier(&["rocketreach"]),
                tier(&["pipl"]),
            ],
            order: Order::Fixed,
            explore: MoneyText(Micros::from_cents(100)),
            max_cost: None,
            minimum_age: 16,
            send: Send::Address,
        }
    }
}

/// Who decides in which order providers are asked that cost money.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// As `tiers` has it.
    #[default]
    Fixed,
    /// Gleaner, by what its own lookups have brought so far.
    Auto,
}

impl Order {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Auto => "auto",
        }
    }
}

/// What may leave the house of an address.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Send {
    /// The address itself, to providers that ask for it.
    #[default]
    Address,
    /// A hash of it and nothing else: who does not take a hash is not asked.
    Hash,
}

/// How sure is sure enough, for each field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds([Confidence; 3]);

impl Thresholds {
    /// The same for every field.
    pub const fn same(confidence: Confidence) -> Self {
        Self([confidence; 3])
    }

    pub const fn of(&self, field: Field) -> Confidence {
        let Self([name, age, social]) = *self;
        match field {
            Field::Name => name,
            Field::Age => age,
            Field::Social => social,
        }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self::same(Confidence::literal(0.5))
    }
}

impl<'de> Deserialize<'de> for Thresholds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberOrTable)
    }
}

struct NumberOrTable;

impl<'de> Visitor<'de> for NumberOrTable {
    type Value = Thresholds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number from 0 to 1, or one for each field such as `{ name = 0.6, age = 0.5 }`")
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Thresholds, E> {
        Confidence::try_from(number).map(Thresholds::same).map_err(E::custom)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Thresholds, E> {
        match number {
            0 => self.visit_f64(0.0),
            1 => self.visit_f64(1.0),
            _ => Err(E::custom("a confidence lies between 0 and 1")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Thresholds, A::Error> {
        let mut thresholds = Thresholds::default();
        while let Some(field) = table.next_key::<Field>()? {
            let Thresholds([name, age, social]) = &mut thresholds;
            let place = match field {
                Field::Name => name,
                Field::Age => age,
                Field::Social => social,
            };
            *place = Confidence::try_from(table.next_value::<f64>()?).map_err(A::Error::custom)?;
        }
        Ok(thresholds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn thresholds(text: &str) -> Result<[f64; 3], String> {
        let text = format!("[enrich]\nmin_confidence = {text}\n");
        let config = Config::parse(&text, "test").map_err(|error| error.to_string())?;
        Ok(Field::ALL.map(|field| config.enrich.min_confidence.of(field).get()))
    }

    #[test]
    fn one_number_or_one_for_each_field() {
        assert_eq!(thresholds("0.7"), Ok([0.7; 3]));
        assert_eq!(thresholds("1"), Ok([1.0; 3]));
        assert_eq!(thresholds("{ name = 0.6, social = 0.9 }"), Ok([0.6, 0.5, 0.9]));
        insta::assert_snapshot!(thresholds("2").unwrap_err(), @"test:2:18: a confidence lies between 0 and 1");
        insta::assert_snapshot!(thresholds("{ name = 1.5 }").unwrap_err(), @"test:2:18: a confidence lies between 0 and 1");
        insta::assert_snapshot!(thresholds("{ nmae = 0.5 }").unwrap_err(), @"test:2:20: unknown variant `nmae`, expected one of `name`, `age`, `social`; did you mean `name`?");
        insta::assert_snapshot!(thresholds("\"sure\"").unwrap_err(), @r#"test:2:18: invalid type: string "sure", expected a number from 0 to 1, or one for each field such as `{ name = 0.6, age = 0.5 }`"#);
    }
}
