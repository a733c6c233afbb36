//! What was learned of the sources, as it is shown.
//!
//! Invariant: numbers and sources' names, no personal data.

use gleaner_providers::Field;
use serde::Serialize;

use super::question::Topic;
use super::sources::Sources;

/// The prior accuracy counts as if so many answers had been compared.
const BEFORE: f64 = 4.0;

/// What is believed of one source in one field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceReport {
    pub provider: String,
    #[serde(serialize_with = "word")]
    pub field: Field,
    /// The share of its own answers that are right, as far as others tell; with few of them, mostly the prior.
    pub accuracy: f64,
    pub claims: u64,
    /// Claims of its own that could be held against another source's.
    pub compared: f64,
    /// What its own confidence is worth: 0 says nothing, 1 what it claims to say.
    pub confidence_weight: f64,
    /// What a year of age takes from the log-odds of being right.
    pub per_year: f64,
    /// What a link back adds to them.
    pub proven: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<Copies>,
}

/// Whom a source repeats.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Copies {
    /// The others that share its answers. Who of them had them first is not known.
    pub with: Vec<String>,
    /// The share of its answers that are repeated, where one of those before it answers too; none for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn word<S: serde::Serializer>(field: &Field, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(field.as_str())
}

impl Sources {
    /// What is believed of every source in every field it made claims about, by name and field.
    pub fn report(&self) -> Vec<SourceReport> {
        let fields =
            [(Topic::Name, Field::Name), (Topic::Birth, Field::Age), (Topic::Account, Field::Social)];
        let mut reports = Vec::new();
        for provider in &self.providers {
            let copies = |topic: Topic| {
                provider.kin[topic.index()].map(|own| {
                    let family = self
                        .providers
                        .iter()
                        .filter(|other| other.kin[topic.index()].is_some_and(|kin| kin.family == own.family));
                    let with =
                        family.filter(|other| other.name != provider.name).map(|other| other.name.clone());
                    Copies { with: with.collect(), share: (own.rank > 0).then(|| round(own.share)) }
                })
            };
            for (topic, field) in fields {
                let skill = &provider.skills[topic.index()];
                let [_, confidence, year, proven] = skill.weights;
                if skill.claims > 0 {
                    reports.push(SourceReport {
                        provider: provider.name.clone(),
                        field,
                        accuracy: round(
                            (skill.right + BEFORE * self.prior.accuracy) / (skill.compared + BEFORE),
                        ),
                        claims: skill.claims,
                        compared: round(skill.compared),
                        confidence_weight: round(confidence),
                        per_year: round(year),
                        proven: round(proven),
                        copies: copies(topic),
                    });
                }
            }
        }
        reports
    }
}

fn round(value: f64) -> f64 {
    let rounded = (value * 1000.0).round() / 1000.0;
    if rounded == 0.0 { 0.0 } else { rounded }
}
