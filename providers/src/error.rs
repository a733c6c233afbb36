//! What can go wrong with a lookup, and what each mishap asks of whoever runs it.
//!
//! Invariant: no variant can carry personal data or a secret: reasons are static text, a status or a name.

use std::borrow::Cow;
use std::time::Duration;

/// Why a lookup brought no answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LookupError {
    /// The provider said "slow down", or our own quota for it is spent for now. Costs no attempt.
    #[error("rate limited, free again in {} s", after.as_secs_f32().ceil())]
    RateLimited { after: Duration },

    /// The credits or the day's allowance are used up, or an operator has paused it. Costs no attempt; an operator may have to
    /// pay, or to resume.
    #[error("closed for now: {reason}")]
    QuotaExhausted { reason: Cow<'static, str>, after: Option<Duration> },

    /// The provider refuses us: wrong key, wrong plan. Every further call would be refused too.
    #[error("access denied: {reason}")]
    Denied { reason: Cow<'static, str> },

    /// A passing fault: transport, timeout, 5xx.
    #[error("unavailable: {reason}")]
    Unavailable { reason: Cow<'static, str> },

    /// No server answers under a name that a stranger chose: it does not resolve, or nobody listens there.
    #[error("nobody there: {reason}")]
    Unreachable { reason: Cow<'static, str> },

    /// The provider refuses this subject (400, 422): asking again would not help.
    #[error("question refused: {reason}")]
    Refused { reason: Cow<'static, str> },

    /// The answer is not of the provider's documented shape.
    #[error("malformed answer: {reason}")]
    Malformed { reason: Cow<'static, str> },

    /// Our own rules forbid the call: a private address, a redirect into one, robots.txt.
    #[error("not allowed: {reason}")]
    Forbidden { reason: Cow<'static, str> },
}

/// What a mishap asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Remedy {
    /// Try again later; counts an attempt.
    Retry,
    /// Come back after this long; counts no attempt. `None`: the host's own default.
    Snooze(Option<Duration>),
    /// Go on without this provider for this subject, and remember nothing.
    GiveUp,
    /// Stop asking this provider until an operator has looked.
    TellOperator,
}

impl LookupError {
    pub fn unavailable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Unavailable { reason: reason.into() }
    }

    pub fn refused(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused { reason: reason.into() }
    }

    pub fn malformed(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Malformed { reason: reason.into() }
    }

    /// What to do about it.
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::RateLimited { after } => Remedy::Snooze(Some(*after)),
            Self::QuotaExhausted { after, .. } => Remedy::Snooze(*after),
            Self::Denied { .. } => Remedy::TellOperator,
            // A truncated or garbled body is often a passing fault; attempts bound the rest.
            Self::Unavailable { .. } | Self::Malformed { .. } => Remedy::Retry,
            Self::Unreachable { .. } | Self::Refused { .. } | Self::Forbidden { .. } => Remedy::GiveUp,
        }
    }

    /// The class of the error, for tables and metrics.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::QuotaExhausted { .. } => "quota_exhausted",
            Self::Denied { .. } => "denied",
            Self::Unavailable { .. } => "unavailable",
            Self::Unreachable { .. } => "unreachable",
            Self::Refused { .. } => "refused",
            Self::Malformed { .. } => "malformed",
            Self::Forbidden { .. } => "forbidden",
        }
    }
}
