//! The contract: what a provider is, and what it says of itself.
//!
//! Invariant: nothing here does I/O or knows a concrete provider.

mod written;

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::LookupError;
use crate::finding::Finding;
use crate::http::HttpClient;
use crate::subject::Subject;

/// An outside source of facts: builds the request, reads the answer, and leaves the rest to its host.
///
/// Quota, concurrency, deadlines, retries and the body cap all live in [`HttpClient`]; a provider that goes
/// around it does not compile (client construction is banned outside `http`).
#[async_trait]
pub trait Provider: Send + Sync {
    fn descriptor(&self) -> &Descriptor;

    /// Asks one question about one subject. "No match" is an answer, not an error.
    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError>;

    /// Fetches the answer that an earlier lookup was told to wait for, by the `handle` it was given then. May be
    /// [`Lookup::Pending`] once more; a handle that the vendor no longer knows is the provider's to deal with.
    ///
    /// Provided for vendors that are asked the same question again. One that would sell the answer a second time
    /// overrides it.
    async fn collect(
        &self,
        handle: &str,
        subject: &Subject,
        http: &HttpClient,
    ) -> Result<Lookup, LookupError> {
        let _ = handle;
        self.lookup(subject, http).await
    }
}

/// What came of one lookup.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup {
    /// The provider knows the subject. A finding may still be empty of the fields we keep.
    Match(Finding),
    /// The provider does not know the subject. Remembered, like a match.
    NoMatch,
    /// The answer will be ready later: [`collect`](Provider::collect) it with `handle`, not before `after`. The
    /// handle is stored, so that it holds no personal data.
    Pending { handle: String, after: Duration },
    /// The person asked this vendor to stop processing their data (HTTP 451): suppress, ask nobody else.
    Objected,
}

/// What a provider says of itself: enough to plan, to limit and to price it without asking it.
#[derive(Clone, Debug, PartialEq)]
pub struct Descriptor {
    /// The name in configuration, tables and metrics: a noun in `snake_case`, after the service.
    pub name: Cow<'static, str>,
    /// The name people know.
    pub title: Cow<'static, str>,
    /// The vendor's documentation that the wire format was taken from.
    pub docs: Cow<'static, str>,
    /// The vendor's base URL, which `endpoint` in the configuration overrides. May hold `{domain}`.
    pub endpoint: Cow<'static, str>,
    pub reach: Reach,
    /// The fields it can supply.
    pub supplies: &'static [Field],
    /// What it is told about the subject: the disclosure record names it.
    pub told: Identifier,
    /// Networks of which it can be asked about an account, in place of what it is told otherwise, once an earlier tier
    /// has found one. One that is told a handle and nothing else is asked only then.
    pub reads: &'static [&'static str],
    /// Whether a hash of the address will do in place of the address: only such providers are asked where the operator
    /// lets no address leave the house.
    pub takes_hash: bool,
    /// The vendor's published quota for the kind of access that is usual.
    pub quota: Quota,
    pub price: Price,
    pub key: KeyNeed,
    /// Terms that an operator has to agree to before switching it on, in one sentence.
    pub terms: Option<Cow<'static, str>>,
    /// Whether it stays off until an operator switches it on, because its terms are not for everybody.
    pub opt_in: bool,
}

impl Descriptor {
    /// What it is told when asked about this subject; `None` where it has nothing to be asked about.
    pub fn told_of(&self, subject: &Subject) -> Option<Identifier> {
        if subject.account_on(self.reads).is_some() {
            return Some(Identifier::Handle);
        }
        (self.told != Identifier::Handle).then_some(self.told)
    }
}

/// A field of the supplemental record.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Name,
    Age,
    Social,
}

impl Field {
    pub const ALL: [Self; 3] = [Self::Name, Self::Age, Self::Social];

    /// The word for it in configuration, tables and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Age => "age",
            Self::Social => "social",
        }
    }
}

/// Which hosts a provider's calls may go to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// The endpoint's own origin and nothing else: an operator chose it, so it may be private.
    Vendor,
    /// Any public host: strangers choose them, so private networks are refused. The endpoint's own origin, where
    /// the operator has set one, is still the operator's choice.
    Web,
}

/// What leaves the house when a provider is asked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Identifier {
    /// The e-mail address as registered.
    Address,
    /// A hash of the address, from which a guess can be confirmed but nothing read.
    AddressHash,
    /// Only the domain behind the `@`.
    Domain,
    /// An account name that an earlier tier found.
    Handle,
}

impl Identifier {
    /// The word for it in tables and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::AddressHash => "address_hash",
            Self::Domain => "domain",
            Self::Handle => "handle",
        }
    }
}

/// How often a provider may be asked: at most `calls` in any window of length `window`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Quota {
    pub calls: NonZeroU32,
    pub window: Duration,
    /// How many of them may follow each other without a pause. 1 spreads them evenly.
    pub burst: NonZeroU32,
}

impl Quota {
    /// `calls` a window, evenly spread. Zero calls is read as one: a provider that may never be asked is
    /// switched off instead.
    pub const fn new(calls: u32, window: Duration) -> Self {
        let calls = match NonZeroU32::new(calls) {
            Some(calls) => calls,
            None => NonZeroU32::MIN,
        };
        Self { calls, window, burst: NonZeroU32::MIN }
    }

    pub const fn per_second(calls: u32) -> Self {
        Self::new(calls, Duration::from_secs(1))
    }

    pub const fn per_minute(calls: u32) -> Self {
        Self::new(calls, Duration::from_mins(1))
    }

    pub const fn per_hour(calls: u32) -> Self {
        Self::new(calls, Duration::from_hours(1))
    }

    /// The same quota with `burst` calls at once, at most the whole quota.
    #[must_use]
    pub const fn with_burst(self, burst: NonZeroU32) -> Self {
        let burst = if burst.get() > self.calls.get() { self.calls } else { burst };
        Self { burst, ..self }
    }
}

/// An amount of money in millionths of the price list's currency (US dollars for the built-ins): vendors sell
/// lookups for fractions of a cent, and money is never a float.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Micros(pub u64);

impl Micros {
    pub const ZERO: Self = Self(0);

    /// Whole cents as an amount.
    pub const fn from_cents(cents: u64) -> Self {
        Self(cents * 10_000)
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl std::ops::Add for Micros {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::iter::Sum for Micros {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, std::ops::Add::add)
    }
}

/// What a lookup costs by the vendor's list.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Price {
    pub per_match: Micros,
    pub per_miss: Micros,
    /// Whether a match with none of the fields that the subject [wants](Subject::wanted) is a miss, and billed as one.
    pub only_wanted: bool,
}

impl Price {
    pub const FREE: Self = Self { per_match: Micros::ZERO, per_miss: Micros::ZERO, only_wanted: false };

    /// Only matches are billed.
    pub const fn per_match(amount: Micros) -> Self {
        Self { per_match: amount, per_miss: Micros::ZERO, only_wanted: false }
    }

    /// The same, where a match without any wanted field is a miss.
    #[must_use]
    pub const fn only_wanted(self) -> Self {
        Self { only_wanted: true, ..self }
    }

    /// What the vendor bills for this outcome.
    pub const fn of(&self, lookup: &Lookup) -> Micros {
        match lookup {
            Lookup::Match(_) => self.per_match,
            Lookup::NoMatch => self.per_miss,
            Lookup::Pending { .. } | Lookup::Objected => Micros::ZERO,
        }
    }

    pub const fn is_free(&self) -> bool {
        self.per_match.is_zero() && self.per_miss.is_zero()
    }
}

/// Whether a provider needs a key.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyNeed {
    /// It takes none.
    None,
    /// It works without, and better with one.
    Optional,
    /// It cannot be asked without one.
    Required,
}
