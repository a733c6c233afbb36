//! What one provider said, normalized: each field with its confidence, assurance and evidence.
//!
//! Invariant: values are validated types; a finding cannot hold raw vendor text.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::age::BirthInterval;
use crate::name::PersonName;
use crate::social::SocialProfile;

/// What one provider said about one subject. `Debug` shows no personal data.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Finding {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Claim<PersonName>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<Claim<BirthInterval>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<Claim<SocialProfile>>,
}

impl Finding {
    /// Whether it holds none of the fields that we keep.
    pub const fn is_empty(&self) -> bool {
        self.name.is_none() && self.birth.is_none() && self.profiles.is_empty()
    }

    /// The same finding, as far as it is to be believed when it was reached through this account: no claim is surer or
    /// better assured than that the account is the person's.
    #[must_use]
    pub fn reached_through(mut self, account: &Claim<SocialProfile>) -> Self {
        if let Some(name) = &mut self.name {
            name.reached_through(account);
        }
        if let Some(birth) = &mut self.birth {
            birth.reached_through(account);
        }
        self.profiles.iter_mut().for_each(|profile| profile.reached_through(account));
        self
    }
}

/// One value as one provider states it.
#[derive(Clone, Deserialize, PartialEq, Serialize)]
pub struct Claim<T> {
    pub value: T,
    pub confidence: Confidence,
    pub assurance: Assurance,
    /// Where it can be seen again: the address of a public page or API record, never its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

impl<T> Claim<T> {
    pub const fn new(value: T, confidence: Confidence, assurance: Assurance) -> Self {
        Self { value, confidence, assurance, evidence: None }
    }

    #[must_use]
    pub fn seen_at(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into());
        self
    }

    fn reached_through(&mut self, account: &Claim<SocialProfile>) {
        self.confidence = Confidence::clamped(self.confidence.get() * account.confidence.get());
        self.assurance = self.assurance.min(account.assurance);
    }
}

/// Without the evidence: it may be the address of somebody's profile.
impl<T: fmt::Debug> fmt::Debug for Claim<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("value", &self.value)
            .field("confidence", &self.confidence)
            .field("assurance", &self.assurance)
            .finish_non_exhaustive()
    }
}

/// How sure: 0 (worthless) to 1 (certain). A vendor's own scale is mapped to it at the provider's edge.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Confidence(f64);

impl Confidence {
    /// A confidence known when the code is written.
    ///
    /// # Panics
    /// When compiled as a constant outside 0..=1: a mistake in the source, found at build time.
    pub const fn literal(value: f64) -> Self {
        assert!(value >= 0.0 && value <= 1.0, "a confidence lies between 0 and 1");
        Self(value)
    }

    /// The nearest confidence to a computed value; not-a-number is worthless.
    pub const fn clamped(value: f64) -> Self {
        if value.is_nan() { Self(0.0) } else { Self(value.clamp(0.0, 1.0)) }
    }

    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Confidence {
    type Error = &'static str;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err("a confidence lies between 0 and 1") }
    }
}

impl From<Confidence> for f64 {
    fn from(confidence: Confidence) -> Self {
        confidence.0
    }
}

/// How an account or a fact was tied to the person, weakest first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Assurance {
    /// A data broker says so.
    Broker,
    /// The person says so, on a page or profile that is tied to the address.
    SelfAsserted,
    /// Verified by the service, or by links in both directions (mutual rel=me).
    Proven,
}

impl Assurance {
    /// The word for it in tables and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Broker => "broker",
            Self::SelfAsserted => "self_asserted",
            Self::Proven => "proven",
        }
    }
}
