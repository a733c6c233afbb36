//! The built-in providers at the sandbox: they read of each person what is true of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::catalog;
use crate::clock::ManualClock;
use crate::finding::{Assurance, Claim, Confidence, Finding};
use crate::http::{HttpClient, Limits, Network};
use crate::name::PersonName;
use crate::provider::{Identifier, Lookup, Provider, Quota};
use crate::settings::ProviderSettings;
use crate::social::SocialProfile;
use crate::subject::Subject;

const NOW: Timestamp = Timestamp::constant(1_780_315_200, 0);

/// A built-in that asks the sandbox.
fn at(sandbox: &Sandbox, service: Service) -> (Arc<dyn Provider>, HttpClient) {
    let endpoint = sandbox.endpoint(service.as_str()).unwrap();
    built(service, ProviderSettings { endpoint: Some(endpoint), ..ProviderSettings::default() })
}

fn built(service: Service, settings: ProviderSettings) -> (Arc<dyn Provider>, HttpClient) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let entry = catalog::BUILT_INS.iter().find(|entry| entry.name == service.as_str()).unwrap();
    let settings = ProviderSettings { key: Some("any".into()), ..settings };
    let provider = (entry.build)(&settings).unwrap();
    let descriptor = provider.descriptor();
    let limits = Limits {
        reach: descriptor.reach,
        trusted: settings.trusted_origin(&descriptor.endpoint),
        ..Limits::for_quota(Quota::per_second(1_000_000))
    };
    let http = Network::new(None, ManualClock::at(NOW)).unwrap().client(service.as_str(), limits);
    (provider, http)
}

/// What is known of somebody once all of their accounts have been found.
fn subject(address: &str, truth: &Truth) -> Subject {
    let sure = |url: &str| {
        SocialProfile::parse(url)
            .ok()
            .map(|profile| Claim::new(profile, Confidence::literal(0.9), Assurance::Proven))
    };
    let accounts = truth.accounts.iter().filter_map(|account| sure(&account.url)).collect();
    Subject::new(EmailAddress::parse(address).unwrap()).with_accounts(accounts)
}

/// What a finding says that is not true.
fn lies(finding: &Finding, truth: &Truth) -> Vec<String> {
    let mut lies = Vec::new();
    let (said, real) = (finding.name.as_ref(), PersonName::parse(&truth.full_name));
    if said.is_some_and(|said| !real.is_ok_and(|real| said.value.agrees_with(&real))) {
        lies.push("name".to_owned());
    }
    let born = finding.birth.as_ref().map(|birth| birth.value);
    if born
        .is_some_and(|born| truth.birth_date.is_none_or(|day| day < born.earliest() || born.latest() < day))
    {
        lies.push("birth".to_owned());
    }
    let of = |url: &str| SocialProfile::parse(url).ok().map(|profile| profile.key().to_owned());
    let urls = truth.accounts.iter().map(|account| &account.url).chain(&truth.websites);
    let known: BTreeSet<String> = urls.filter_map(|url| of(url)).collect();
    let unknown = finding.profiles.iter().filter(|profile| !known.contains(profile.value.key()));
    lies.extend(unknown.map(|profile| profile.value.network().to_owned()));
    lies
}

#[tokio::test]
async fn every_built_in_reads_the_truth_and_knows_whom_the_sandbox_says_it_knows() {
    let sandbox = Sandbox::start(candid(3)).await.unwrap();
    for service in Service::ALL {
        let (provider, http) = at(&sandbox, service);
        let mut matches = 0;
        for address in sample().iter().filter(|address| !address.contains(['+', '"', '\''])).take(60) {
            let truth = truth(&sandbox, address);
            let subject = subject(address, &truth);
            let told = provider.descriptor().told_of(&subject);
            let mut outcome = provider.lookup(&subject, &http).await;
            if let Ok(Lookup::Pending { handle, .. }) = &outcome {
                outcome = provider.collect(handle, &subject, &http).await;
            }
            let known = truth.known_to.get(service.as_str());
            match outcome {
                Ok(Lookup::Match(finding)) => {
                    let mut lies = lies(&finding, &truth);
                    // It tells an age in years, by its own calendar.
                    lies.retain(|lie| service != Service::Fullcontact || lie != "birth");
                    assert_eq!(lies, Vec::<String>::new(), "{service:?} on {address}");
                    matches += 1;
                }
                Ok(Lookup::NoMatch) => {
                    let is_nobody = truth.is_organization || service == Service::Homepage;
                    assert!(known.is_none() || is_nobody, "{service:?} missed {address}, told {told:?}");
                }
                other => panic!("{service:?} on {address}: {other:?}"),
            }
        }
        assert!(matches >= 5, "{service:?} knew {matches} of 60");
        let told: BTreeSet<_> = sandbox
            .ledger()
            .into_iter()
            .filter(|call| call.provider == service.as_str())
            .map(|call| call.told)
            .collect();
        if provider.descriptor().told == Identifier::Handle {
            assert_eq!(told, BTreeSet::from(["handle"]), "{service:?}");
        }
    }
}

#[tokio::test]
async fn the_key_server_and_the_directories_hold_the_same_keys() {
    let sandbox = Sandbox::start(candid(3)).await.unwrap();
    let directories = at(&sandbox, Service::Openpgp);
    let settings = ProviderSettings {
        endpoint: Some(format!("{}/openpgp/", sandbox.url())),
        options: "source = \"key_server\"".parse().unwrap(),
        ..ProviderSettings::default()
    };
    let key_server = built(Service::Openpgp, settings);
    let mut matches = 0;
    for address in sample().iter().take(60) {
        let subject = Subject::new(EmailAddress::parse(address).unwrap());
        let held = directories.0.lookup(&subject, &directories.1).await.unwrap();
        if let Lookup::Match(_) = held {
            assert_eq!(key_server.0.lookup(&subject, &key_server.1).await.unwrap(), held, "{address}");
            matches += 1;
        }
    }
    assert!(matches >= 5, "{matches} of 60");
}
