//! The sandbox's invented population, as our providers understand its services: real lookups over loopback, in the vendors'
//! formats and with the mistakes that the sandbox makes.
//!
//! Invariant: a seed gives the same answers; nobody in it exists.

use std::sync::Arc;

use gleaner::enrich::merge::Trust;
use gleaner_providers::catalog::{BUILT_INS, Entry};
use gleaner_providers::clock::{Clock as _, ManualClock};
use gleaner_providers::http::{Limits, Network};
use gleaner_providers::provider::Quota;
use gleaner_providers::sandbox::{Distortion, Sandbox, SandboxSettings, Truth};
use gleaner_providers::{
    Claim, EmailAddress, Finding, HttpClient, Identifier, Lookup, PersonName, Provider, ProviderSettings,
    SocialProfile, Subject as Asked,
};
use jiff::Timestamp;

use super::sample::{Person, Sample, Statement, Subject, TODAY, Told, midnight};

/// Two free services and a broker.
pub(crate) const THREE: &[&str] = &["gravatar", "github", "people_data_labs"];

/// Of everybody asked, those whom nobody knows and organizations are left out.
pub(crate) async fn sample(services: &[&str], subjects: usize, seed: u64) -> Sample {
    let sandbox = Sandbox::start(SandboxSettings::calm(seed)).await.unwrap();
    let clock = ManualClock::at(midnight(TODAY));
    let network = Network::new(Some("https://example.com/merge"), clock.clone()).unwrap();
    let sources = providers(&sandbox, &network, services);
    let mut sample = Sample {
        names: sources.iter().map(|(provider, _)| provider.descriptor().name.to_string()).collect(),
        trust: Trust::BuiltIn,
        subjects: Vec::with_capacity(subjects),
    };
    for n in 0..subjects {
        let address = format!("person{n}@site{n}.example.org");
        let truth = sandbox.population().truth(&address);
        let Some(person) = person(&truth) else { continue };
        let mut subject = Subject { person, other: None, statements: Vec::new() };
        for (source, (provider, client)) in sources.iter().enumerate() {
            let asked = Asked::new(EmailAddress::parse(&address).unwrap());
            let Lookup::Match(finding) = provider.lookup(&asked, client).await.unwrap() else { continue };
            let known = truth.known_to.get(sample.names[source].as_str());
            if known.is_some_and(|known| known.distortions.contains(&Distortion::WrongPerson)) {
                subject.other = somebody_else(&finding).or(subject.other);
            }
            subject.statements.push(statement(source, finding, clock.now()));
        }
        sample.subjects.push(subject);
    }
    sandbox.stop().await;
    sample
}

/// The providers, with unlimited quota.
fn providers(
    sandbox: &Sandbox,
    network: &Network,
    services: &[&str],
) -> Vec<(Arc<dyn Provider>, HttpClient)> {
    let wanted = BUILT_INS.iter().filter(|entry| services.contains(&entry.name));
    let provider = |entry: &Entry| {
        let descriptor = (entry.descriptor)();
        let settings = ProviderSettings {
            endpoint: Some(sandbox.endpoint(entry.name)?),
            key: Some("sandbox".into()),
            ..ProviderSettings::default()
        };
        let limits = Limits {
            reach: descriptor.reach,
            trusted: settings.trusted_origin(&descriptor.endpoint),
            per_site: None,
            ..Limits::for_quota(Quota::per_second(1_000_000))
        };
        let is_asked = descriptor.told != Identifier::Handle;
        is_asked.then(|| ((entry.build)(&settings).unwrap(), network.client(entry.name, limits)))
    };
    wanted.filter_map(provider).collect()
}

/// Who lives at an address; nobody where it is an organization's.
fn person(truth: &Truth) -> Option<Person> {
    let urls = truth.accounts.iter().map(|account| &account.url).chain(&truth.websites);
    let keys = urls.filter_map(|url| Some(SocialProfile::parse(url).ok()?.key().to_owned())).collect();
    let name = PersonName::parse(&truth.full_name).ok()?;
    (!truth.is_organization).then_some(Person { name, birth: truth.birth_date, keys })
}

/// Whom a service means by mistake, as far as it tells.
fn somebody_else(finding: &Finding) -> Option<Person> {
    Some(Person {
        name: finding.name.as_ref()?.value.clone(),
        birth: finding.birth.as_ref().map(|birth| birth.value.earliest()),
        keys: finding.profiles.iter().map(|profile| profile.value.key().to_owned()).collect(),
    })
}

fn statement(source: usize, finding: Finding, at: Timestamp) -> Statement {
    fn told<T>(claim: Claim<T>) -> Told<T> {
        Told { value: claim.value, confidence: Some(claim.confidence), assurance: claim.assurance }
    }
    Statement {
        source,
        name: finding.name.map(told),
        birth: finding.birth.map(told),
        profiles: finding.profiles.into_iter().map(told).collect(),
        at,
    }
}
