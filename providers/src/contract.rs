//! The kit of checks that every provider must survive.
//!
//! A provider's author hands over how to build it, one subject, and the vendor's own answers: a match, a miss, a
//! rate limit, a refused key. [`check_contract`] drives the provider through the real [`HttpClient`] against a
//! scripted server on loopback that gives these answers, breaks them in every way the web knows, and says case by
//! case what was demanded and what came.
//!
//! ```no_run
//! # use gleaner_providers::contract::{Contract, Format, Reply, Route, check_contract};
//! # use gleaner_providers::{EmailAddress, ProviderSettings, Subject, builtin::gravatar};
//! # async fn checked() {
//! let contract = Contract {
//!     build: gravatar::build,
//!     settings: ProviderSettings::default(),
//!     path: "/",
//!     subject: Subject::new(EmailAddress::parse("ada.example@example.com").unwrap()),
//!     format: Format::Json,
//!     matching: vec![Route::new("/profiles/", Reply::json(200, r#"{"profile_url":"https://gravatar.com/ada"}"#))],
//!     missing: vec![Route::new("/profiles/", Reply::json(404, r#"{"error":"not found"}"#))],
//!     rate_limited: None,
//!     bad_key: None,
//!     out_of_credit: None,
//! };
//! check_contract(&contract).await.assert_survived();
//! # }
//! ```
//!
//! Invariant: loopback only, and nothing is told that is not demanded of every provider.

mod cases;
mod demand;
mod mutation;
mod server;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::timeout;

use self::cases::{Case, cases};
use self::demand::Secrets;
pub use self::server::{Reply, Route};
use self::server::{Script, Server};
use crate::clock::ManualClock;
use crate::error::LookupError;
use crate::http::{HttpClient, Limits, Network};
use crate::provider::{Identifier, Lookup, Provider, Quota};
use crate::settings::{ProviderSettings, SettingsError};
use crate::subject::Subject;

/// The moment at which the kit's clock stands, for answers that name a time: 2026-06-01T12:00:00Z.
pub const NOW_UNIX_SECONDS: i64 = 1_780_315_200;

/// The largest body that the kit's client reads.
const MAX_BODY_BYTES: usize = 256 * 1024;
/// How long the kit's client waits for an answer: long for loopback, short for a silent server.
const PATIENCE: Duration = Duration::from_millis(500);
/// Failures that a report spells out: one fault of a provider fails many cases.
const MAX_SHOWN: usize = 30;
/// A lookup that takes longer than all its calls may is stuck.
const STUCK: Duration = Duration::from_secs(10);

/// How a provider is built, as the catalog has it.
pub type Build = fn(&ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError>;

/// What a provider's author hands to the kit.
#[derive(Clone, Debug)]
pub struct Contract<B = Build> {
    /// The provider's own `build`, or a closure like it.
    pub build: B,
    /// Key and options to build it with; the kit sets `endpoint`.
    pub settings: ProviderSettings,
    /// What follows the server's origin in `endpoint`, with `{domain}` where the provider takes a template.
    pub path: &'static str,
    /// An invented person, the one of the answers in `matching`.
    pub subject: Subject,
    pub format: Format,
    /// The vendor's answers when it knows the subject, by path.
    pub matching: Vec<Route>,
    /// The vendor's answers when it does not.
    pub missing: Vec<Route>,
    /// How the vendor says "slow down", and for how long that is at [`NOW_UNIX_SECONDS`].
    pub rate_limited: Option<(Reply, Duration)>,
    /// How the vendor refuses a key.
    pub bad_key: Option<Reply>,
    /// How the vendor says that the credits are used up.
    pub out_of_credit: Option<Reply>,
}

/// What a provider reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// JSON. A vendor's answer of another shape is an error, never "no match"; on a stranger's host
    /// ([`Reach::Web`](crate::provider::Reach)) whatever is not a readable document is no match.
    Json,
    /// Answers that are not JSON: judged alike, but the kit cannot change single values.
    Opaque,
    /// A page. A stranger's ([`Reach::Web`](crate::provider::Reach)) that is not readable is no match; a vendor's is an
    /// error, as above.
    Html,
}

/// What came of each case.
#[derive(Clone, Debug)]
pub struct Report {
    pub provider: String,
    pub results: Vec<CaseResult>,
}

/// What a case is about. How many there are of a kind differs: a body is spoilt once for each of its values, and a vendor
/// without keys has no way to refuse one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// What the provider says of itself, and what it tells.
    Manners,
    /// What the vendor says when all is well.
    Answers,
    /// Slow down, a wrong key, no credit.
    Refusals,
    /// Statuses of gateways, silence, broken connections.
    Outages,
    /// Bodies that are none.
    Bodies,
    /// The documented answers with one value spoilt, left out or added.
    Mutants,
}

/// What came of one case.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// What kind of case it is.
    pub kind: Kind,
    pub case: String,
    /// What is wrong and what to mend; `None` where the case is survived.
    pub failure: Option<String>,
}

impl Kind {
    /// Every kind with its word, in the order in which they are tried.
    const ALL: [(Self, &'static str); 6] = [
        (Self::Manners, "manners"),
        (Self::Answers, "answers"),
        (Self::Refusals, "refusals"),
        (Self::Outages, "outages"),
        (Self::Bodies, "bodies"),
        (Self::Mutants, "mutants"),
    ];
}

impl Report {
    pub fn is_ok(&self) -> bool {
        self.failures().next().is_none()
    }

    /// For tests: tells how many cases there were.
    ///
    /// # Panics
    ///
    /// Where one was not survived; the message tells every such case.
    #[expect(clippy::print_stdout, reason = "a test's own output, shown with `--nocapture`")]
    pub fn assert_survived(&self) {
        println!("{self}");
        assert!(self.is_ok(), "{self}");
    }

    /// The cases that were not survived.
    pub fn failures(&self) -> impl Iterator<Item = &CaseResult> {
        self.results.iter().filter(|result| result.failure.is_some())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.failures().count();
        let count = |kind| self.results.iter().filter(|result| result.kind == kind).count();
        let kinds = Kind::ALL.map(|(kind, word)| format!("{} {word}", count(kind))).join(", ");
        writeln!(f, "{}: {} cases ({kinds}), {failed} failed", self.provider, self.results.len())?;
        for result in self.failures().take(MAX_SHOWN) {
            writeln!(f, "- {}: {}", result.case, result.failure.as_deref().unwrap_or_default())?;
        }
        let rest = failed.saturating_sub(MAX_SHOWN);
        if rest > 0 { writeln!(f, "- and {rest} more: mend these first") } else { Ok(()) }
    }
}

/// Puts a provider through every case.
pub async fn check_contract<B>(contract: &Contract<B>) -> Report
where
    B: Fn(&ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError>,
{
    let stage = match Stage::set(contract).await {
        Ok(stage) => stage,
        Err(failure) => {
            let result = CaseResult { kind: Kind::Manners, case: "set-up".into(), failure: Some(failure) };
            return Report { provider: "unbuilt".into(), results: vec![result] };
        }
    };
    let descriptor = stage.provider.descriptor();
    let manners = |case: &str, failure| CaseResult { kind: Kind::Manners, case: case.into(), failure };
    let mut results = vec![manners("descriptor", demand::descriptor(descriptor))];

    let expected = stage.play(Script::Routes(contract.matching.clone())).await;
    let told = demand::told(contract, descriptor, &stage.server.take_requests());
    results.push(manners("tells no more than it declares", told));
    let expected = expected.ok().and_then(Result::ok);
    if descriptor.told == Identifier::Handle {
        let failure = stage.play_without_account(contract).await;
        results.push(manners("no account to be asked about", failure));
    }

    for (kind, Case { name, script, demand }) in cases(contract, descriptor.reach) {
        let outcome = stage.play(script).await;
        let failure = match outcome {
            Ok(outcome) => {
                demand.judge(&outcome, expected.as_ref(), &stage.secrets, descriptor, &contract.subject)
            }
            Err(stuck) => Some(stuck),
        };
        results.push(CaseResult { kind, case: name, failure });
    }
    Report { provider: descriptor.name.to_string(), results }
}

/// One lookup against these answers, for what only this provider knows how to say. An error is a lookup that brought
/// no outcome at all.
pub async fn lookup_against<B>(
    contract: &Contract<B>,
    routes: Vec<Route>,
) -> Result<Result<Lookup, LookupError>, String>
where
    B: Fn(&ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError>,
{
    let stage = Stage::set(contract).await?;
    stage.play_about(stage.subject.clone(), Script::Routes(routes), Part::Lookup).await
}

/// The same for an answer that is collected by the handle of its order.
pub async fn collect_against<B>(
    contract: &Contract<B>,
    handle: &str,
    routes: Vec<Route>,
) -> Result<Result<Lookup, LookupError>, String>
where
    B: Fn(&ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError>,
{
    let stage = Stage::set(contract).await?;
    stage.play_about(stage.subject.clone(), Script::Routes(routes), Part::Collect(handle.to_owned())).await
}

/// What of a lookup is played.
enum Part {
    Lookup,
    Collect(String),
    /// An answer that has to be waited for is collected as well, as a host does when the time has come.
    Whole,
}

/// The provider under test, the server it asks, and how it reaches it.
struct Stage<'a, B> {
    server: Server,
    build: &'a B,
    settings: ProviderSettings,
    provider: Arc<dyn Provider>,
    subject: Subject,
    network: Network,
    limits: Limits,
    secrets: Secrets,
}

impl<'a, B> Stage<'a, B>
where
    B: Fn(&ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError>,
{
    async fn set(contract: &'a Contract<B>) -> Result<Self, String> {
        let server = Server::start().await.map_err(|error| format!("no loopback server: {error}"))?;
        let settings = ProviderSettings {
            endpoint: Some(format!("http://{}{}", server.address(), contract.path)),
            ..contract.settings.clone()
        };
        let provider = (contract.build)(&settings).map_err(|error| format!("does not build: {error}"))?;
        let descriptor = provider.descriptor();
        let limits = Limits {
            reach: descriptor.reach,
            trusted: settings.trusted_origin(&descriptor.endpoint),
            connect_timeout: PATIENCE,
            read_timeout: PATIENCE,
            total_timeout: PATIENCE,
            max_body_bytes: MAX_BODY_BYTES,
            attempts: 1,
            ..Limits::for_quota(Quota::per_second(1_000_000))
        };
        let now = Timestamp::from_second(NOW_UNIX_SECONDS).map_err(|error| error.to_string())?;
        let network = Network::new(None, ManualClock::at(now)).map_err(|error| error.to_string())?;
        let secrets = Secrets::of(contract);
        Ok(Self {
            server,
            build: &contract.build,
            settings,
            provider,
            subject: contract.subject.clone(),
            network,
            limits,
            secrets,
        })
    }

    /// One lookup while the server follows a script, by a provider that remembers no earlier case, through a client
    /// that none has paused. An error is a lookup that brought no outcome at all.
    async fn play(&self, script: Script) -> Result<Result<Lookup, LookupError>, String> {
        self.play_about(self.subject.clone(), script, Part::Whole).await
    }

    /// What is wrong with a lookup about somebody of whom no account is known: nothing may be told of them.
    async fn play_without_account(&self, contract: &Contract<B>) -> Option<String> {
        let stranger = Subject::new(contract.subject.email().clone());
        let outcome = self.play_about(stranger, Script::Routes(contract.matching.clone()), Part::Whole).await;
        let is_silent = self.server.take_requests().is_empty() && outcome == Ok(Ok(Lookup::NoMatch));
        (!is_silent).then(|| "demanded no match without a call: there is nothing to ask about".into())
    }

    async fn play_about(
        &self,
        subject: Subject,
        script: Script,
        part: Part,
    ) -> Result<Result<Lookup, LookupError>, String> {
        self.server.follow(script);
        let http: HttpClient = self.network.client("contract", self.limits.clone());
        let provider = (self.build)(&self.settings).map_err(|error| format!("does not build: {error}"))?;
        let mut lookup = tokio::spawn(async move {
            if let Part::Collect(handle) = part {
                return provider.collect(&handle, &subject, &http).await;
            }
            match provider.lookup(&subject, &http).await? {
                Lookup::Pending { handle, .. } if matches!(part, Part::Whole) => {
                    provider.collect(&handle, &subject, &http).await
                }
                outcome => Ok(outcome),
            }
        });
        match timeout(STUCK, &mut lookup).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(_)) => Err("the provider panicked: no answer may do that".into()),
            Err(_) => {
                lookup.abort();
                Err(format!("did not end within {} s", STUCK.as_secs()))
            }
        }
    }
}

#[cfg(test)]
mod tests;
