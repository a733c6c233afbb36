//! What is demanded of a provider, and how an outcome is held against it.
//!
//! Invariant: failures name what is wrong and what to mend, never the personal data in the outcome.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::Contract;
use crate::error::LookupError;
use crate::finding::Finding;
use crate::provider::{Descriptor, Field, Identifier, Lookup, Reach};
use crate::subject::Subject;

type Outcome = Result<Lookup, LookupError>;

/// The longest text in a finding: a URL.
const MAX_TEXT_CHARS: usize = 2048;

/// The outcome that a case demands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Demand {
    /// A match that is not empty.
    Match,
    /// The very match of the first case.
    SameMatch,
    NoMatch,
    /// "Come back after this long", give or take a second.
    RateLimited(Duration),
    /// "Come back", and not before this long, give or take a second.
    Held(Duration),
    Denied,
    QuotaExhausted,
    Unavailable,
    Malformed,
    /// The answer broke off: unavailable or malformed.
    Broken,
    /// Anything but harm: a clean match, no match, or an honest error.
    Harmless,
}

/// What no error may tell.
#[derive(Debug)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    pub(super) fn of<B>(contract: &Contract<B>) -> Self {
        let email = contract.subject.email();
        let mut secrets =
            vec![email.expose().to_lowercase(), email.canonical().to_lowercase(), email.sha256()];
        secrets.extend(contract.settings.key.as_ref().map(|key| key.expose_secret().to_lowercase()));
        Self(secrets)
    }
}

impl Demand {
    /// What is wrong with the outcome, if anything is.
    pub(super) fn judge(
        self,
        outcome: &Outcome,
        expected: Option<&Lookup>,
        secrets: &Secrets,
        descriptor: &Descriptor,
        subject: &Subject,
    ) -> Option<String> {
        if let Err(error) = outcome
            && let Some(leak) = leaks(error, secrets)
        {
            return Some(leak);
        }
        if let Ok(Lookup::Match(finding)) = outcome
            && let Some(harm) = harm(finding, descriptor).or_else(|| overclaim(finding, descriptor, subject))
        {
            return Some(harm);
        }
        let is_met = match (self, outcome) {
            (Self::Match, Ok(Lookup::Match(finding))) => !finding.is_empty(),
            (Self::SameMatch, Ok(lookup)) => expected == Some(lookup),
            (Self::RateLimited(wanted), Err(LookupError::RateLimited { after })) => {
                after.abs_diff(wanted) <= Duration::from_secs(1)
            }
            (Self::Held(least), Err(LookupError::RateLimited { after })) => {
                *after + Duration::from_secs(1) >= least
            }
            (Self::Held(least), Err(LookupError::QuotaExhausted { after, .. })) => {
                after.is_some_and(|after| after + Duration::from_secs(1) >= least)
            }
            (
                Self::Harmless | Self::Broken,
                Err(LookupError::Malformed { .. } | LookupError::Unavailable { .. }),
            )
            | (Self::Harmless, Ok(_) | Err(LookupError::Refused { .. } | LookupError::Forbidden { .. }))
            | (Self::NoMatch, Ok(Lookup::NoMatch))
            | (Self::Denied, Err(LookupError::Denied { .. }))
            | (Self::QuotaExhausted, Err(LookupError::QuotaExhausted { .. }))
            | (Self::Unavailable, Err(LookupError::Unavailable { .. }))
            | (Self::Malformed, Err(LookupError::Malformed { .. })) => true,
            // Of a stranger's host nothing is owed: it need not be tried for hours.
            (Self::Unavailable | Self::Broken, Err(LookupError::Refused { .. })) => {
                descriptor.reach == Reach::Web
            }
            _ => false,
        };
        (!is_met).then(|| format!("demanded {}, came {}", self.text(), text(outcome)))
    }

    fn text(self) -> String {
        match self {
            Self::Match => "a match with at least one field".into(),
            Self::SameMatch => "the same match as without the change".into(),
            Self::NoMatch => "no match".into(),
            Self::RateLimited(after) => {
                format!("`RateLimited` for {} s: read the vendor's header", after.as_secs())
            }
            Self::Held(least) => {
                format!("`RateLimited` for at least {} s: obey `Retry-After`", least.as_secs())
            }
            Self::Denied => "`Denied`, so that an operator looks at the key".into(),
            Self::QuotaExhausted => "`QuotaExhausted`, so that no call is wasted".into(),
            Self::Unavailable => {
                "`Unavailable`, so that it is tried again (or `Refused`, by one that asks strangers' hosts)"
                    .into()
            }
            Self::Malformed => {
                "`Malformed`: an answer of another shape is no \"no match\", which would be remembered".into()
            }
            Self::Broken => "`Unavailable` or `Malformed`, so that it is tried again".into(),
            Self::Harmless => "a clean match, no match, `Malformed`, `Refused` or `Unavailable`".into(),
        }
    }
}

/// An outcome without what is personal in it.
fn text(outcome: &Outcome) -> String {
    match outcome {
        Ok(Lookup::Match(finding)) if finding.is_empty() => "an empty match".into(),
        Ok(Lookup::Match(_)) => "a match".into(),
        Ok(Lookup::NoMatch) => "no match".into(),
        Ok(Lookup::Pending { .. }) => "`Pending`".into(),
        Ok(Lookup::Objected) => "`Objected`".into(),
        Err(error) => format!("`{}` ({error})", error.class()),
    }
}

fn leaks(error: &LookupError, secrets: &Secrets) -> Option<String> {
    let told = format!("{error} {error:?}").to_lowercase();
    let leaks = secrets.0.iter().any(|secret| told.contains(secret));
    leaks.then(|| format!("the text of `{}` tells the address or the key: errors are logged", error.class()))
}

/// What in a finding could hurt whoever shows it, or was never promised.
fn harm(finding: &Finding, descriptor: &Descriptor) -> Option<String> {
    let fields = [
        (Field::Name, finding.name.is_some()),
        (Field::Age, finding.birth.is_some()),
        (Field::Social, !finding.profiles.is_empty()),
    ];
    if let Some((field, _)) =
        fields.iter().find(|(field, is_there)| *is_there && !descriptor.supplies.contains(field))
    {
        return Some(format!("brings `{}`, which `supplies` does not list", field.as_str()));
    }
    let Ok(value) = serde_json::to_value(finding) else {
        return Some("the finding is not JSON".into());
    };
    harmful_text(&value, "finding")
}

/// What is claimed more surely than the account through which it was reached allows.
fn overclaim(finding: &Finding, descriptor: &Descriptor, subject: &Subject) -> Option<String> {
    if descriptor.told_of(subject) != Some(Identifier::Handle) {
        return None;
    }
    let accounts = || subject.accounts_on(descriptor.reads);
    let surest = accounts().map(|account| account.confidence.get()).fold(0.0, f64::max);
    let best = accounts().map(|account| account.assurance).max()?;
    let name = finding.name.iter().map(|claim| (claim.confidence, claim.assurance));
    let birth = finding.birth.iter().map(|claim| (claim.confidence, claim.assurance));
    let profiles = finding.profiles.iter().map(|claim| (claim.confidence, claim.assurance));
    let mut claims = name.chain(birth).chain(profiles);
    let is_over = claims.any(|(confidence, assurance)| confidence.get() > surest || assurance > best);
    is_over.then(|| {
        "is surer than the account that it was reached through: use `Finding::reached_through`".into()
    })
}

fn harmful_text(value: &Value, place: &str) -> Option<String> {
    match value {
        Value::Array(values) => values.iter().find_map(|value| harmful_text(value, place)),
        Value::Object(fields) => {
            fields.iter().find_map(|(name, value)| harmful_text(value, &format!("{place}.{name}")))
        }
        Value::String(text) => {
            let is_url = place.ends_with("url") || place.ends_with("evidence");
            let fault = fault_of(text, is_url)?;
            Some(format!("`{place}` {fault}: normalize what the vendor says before it is kept"))
        }
        _ => None,
    }
}

/// What is wrong with one text.
fn fault_of(text: &str, is_url: bool) -> Option<&'static str> {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    if text.chars().any(|c| c.is_control() || is_format_control(c)) {
        Some("holds control or bidi characters")
    } else if text.contains(['<', '>']) {
        Some("holds markup")
    } else if is_url && !is_web {
        Some("is not a web address")
    } else if text.chars().count() > MAX_TEXT_CHARS {
        Some("is longer than any name or URL")
    } else {
        None
    }
}

/// Characters that turn or hide what stands beside them. The joiners U+200C and U+200D belong to real names.
const fn is_format_control(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// What is wrong with what a provider says of itself.
pub(super) fn descriptor(descriptor: &Descriptor) -> Option<String> {
    let name = &descriptor.name;
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        Some("`name` is not in snake_case".into())
    } else if !descriptor.docs.starts_with("https://") {
        Some("`docs` does not name the page that the wire format comes from".into())
    } else if descriptor.supplies.is_empty() {
        Some("`supplies` is empty: why ask it?".into())
    } else {
        None
    }
}

/// What is wrong with the requests of a lookup: more told than declared, or a key in a URL.
pub(super) fn told<B>(
    contract: &Contract<B>,
    descriptor: &Descriptor,
    requests: &[String],
) -> Option<String> {
    let email = contract.subject.email();
    let told = descriptor.told_of(&contract.subject).unwrap_or(descriptor.told);
    let requests: Vec<_> =
        requests.iter().map(|request| percent_decode_str(request).decode_utf8_lossy()).collect();
    let tells =
        |text: &str| requests.iter().any(|request| request.to_lowercase().contains(&text.to_lowercase()));
    let tells_address = tells(email.expose()) || tells(email.canonical());
    let tells_hash = tells(&email.sha256());
    let key_in_url = contract.settings.key.as_ref().is_some_and(|key| {
        let mut lines = requests.iter().filter_map(|request| request.lines().next());
        lines.any(|line| line.contains(key.expose_secret()))
    });
    if key_in_url {
        Some("the key stands in a URL, which proxies log: use `secret_header`".into())
    } else if tells_address && told != Identifier::Address {
        Some(format!("tells the address, but declares `{}`", told.as_str()))
    } else if tells_hash && !matches!(told, Identifier::Address | Identifier::AddressHash) {
        Some(format!("tells the address's hash, but declares `{}`", told.as_str()))
    } else {
        None
    }
}
