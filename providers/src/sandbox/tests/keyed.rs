//! The vendors with a key, asked by the built-in providers themselves.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::*;
use crate::catalog::Catalog;
use crate::clock::SystemClock;
use crate::error::LookupError;
use crate::http::{HttpClient, Limits, Network};
use crate::provider::{Field, Lookup, Provider, Quota};
use crate::sandbox::QuotaSettings;
use crate::settings::ProviderSettings;
use crate::subject::Subject;

const KEYED: [Service; 8] = [
    Service::PeopleDataLabs,
    Service::EnrichSo,
    Service::Hunter,
    Service::Apollo,
    Service::Fullenrich,
    Service::Fullcontact,
    Service::Rocketreach,
    Service::Pipl,
];

/// A built-in provider, and its way to the sandbox.
struct Asker {
    provider: Arc<dyn Provider>,
    http: HttpClient,
}

impl Asker {
    fn new(sandbox: &Sandbox, service: Service, key: &str, hash_only: bool) -> Self {
        let name = service.as_str();
        let settings = ProviderSettings {
            endpoint: sandbox.endpoint(name),
            key: Some(SecretString::from(key)),
            hash_only,
            ..ProviderSettings::default()
        };
        let provider = Catalog::default().find(name).unwrap().build(&settings).unwrap();
        let limits = Limits {
            trusted: settings.trusted_origin(&provider.descriptor().endpoint),
            attempts: 1,
            ..Limits::for_quota(Quota::per_second(100_000))
        };
        let network = Network::new(None, SystemClock::shared()).unwrap();
        Self { provider, http: network.client(name, limits) }
    }

    async fn ask(&self, address: &str) -> Result<Lookup, LookupError> {
        self.provider.lookup(&subject(address), &self.http).await
    }

    /// Asks, and collects what has to be waited for.
    async fn ask_to_the_end(&self, address: &str) -> Result<Lookup, LookupError> {
        match self.ask(address).await? {
            Lookup::Pending { handle, .. } => {
                self.provider.collect(&handle, &subject(address), &self.http).await
            }
            outcome => Ok(outcome),
        }
    }
}

fn subject(address: &str) -> Subject {
    Subject::new(EmailAddress::parse(address).unwrap())
}

fn people(count: u32) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("p{number}@own.example.org"))
}

#[tokio::test]
async fn what_is_not_distorted_is_found_and_true() {
    let sandbox = Sandbox::start(candid(3)).await.unwrap();
    for service in KEYED {
        let asker = Asker::new(&sandbox, service, "k", false);
        let (mut found, mut accounts) = (0, 0);
        for address in people(40) {
            let truth = truth(&sandbox, &address);
            let outcome = asker.ask_to_the_end(&address).await;
            if truth.is_organization {
                assert_eq!(outcome, Ok(Lookup::NoMatch), "{service:?}");
                continue;
            }
            let Ok(Lookup::Match(finding)) = outcome else { panic!("{service:?}: {outcome:?}") };
            found += 1;
            let name = finding.name.unwrap().value.full().to_lowercase();
            assert_eq!(name, truth.full_name.to_lowercase(), "{service:?}");
            let supplies_age = asker.provider.descriptor().supplies.contains(&Field::Age);
            let birth = finding.birth.map(|birth| birth.value);
            assert_eq!(birth.is_some(), supplies_age, "{service:?}");
            // FullContact tells an age in years, by its own calendar.
            let is_true = |day| birth.is_none_or(|birth| birth.contains(day));
            assert!(service == Service::Fullcontact || is_true(truth.birth_date.unwrap()), "{service:?}");
            let known = |url: &str| {
                truth.accounts.iter().any(|account| account.url.eq_ignore_ascii_case(url))
                    || truth.websites.iter().any(|site| site.trim_end_matches('/') == url)
            };
            for profile in &finding.profiles {
                assert!(known(profile.value.url()), "{service:?}: a profile that is not theirs");
                accounts += 1;
            }
        }
        assert!(found > 30 && accounts > 15, "{service:?}: {found} found, {accounts} accounts");
    }
}

#[tokio::test]
async fn with_every_distortion_nothing_is_malformed() {
    let sandbox = Sandbox::start(all_known(2)).await.unwrap();
    for service in KEYED {
        let asker = Asker::new(&sandbox, service, "k", false);
        for address in people(300) {
            let outcome = asker.ask_to_the_end(&address).await;
            assert!(matches!(outcome, Ok(Lookup::Match(_) | Lookup::NoMatch)), "{service:?}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn an_order_is_billed_once_however_often_its_answer_is_fetched() {
    let sandbox = Sandbox::start(all_known(2)).await.unwrap();
    for service in [Service::Fullenrich, Service::Rocketreach] {
        let asker = Asker::new(&sandbox, service, "k", false);
        let mut orders = 0;
        for address in people(20) {
            sandbox.clear_ledger();
            let Ok(Lookup::Pending { handle, .. }) = asker.ask(&address).await else { continue };
            for _ in 0..3 {
                let collected = asker.provider.collect(&handle, &subject(&address), &asker.http).await;
                assert!(matches!(collected, Ok(Lookup::Match(_) | Lookup::NoMatch)), "{collected:?}");
            }
            if !truth(&sandbox, &address).is_organization {
                let price = asker.provider.descriptor().price.per_match;
                assert_eq!(sandbox.summary().billed_micros, price, "{service:?}");
                orders += 1;
            }
        }
        assert!(orders > 5, "{service:?}: {orders} orders");
    }
}

#[tokio::test]
async fn a_search_takes_its_time() {
    let settings = SandboxSettings { search_ms: 3_600_000, ..all_known(2) };
    let sandbox = Sandbox::start(settings).await.unwrap();
    for service in [Service::Fullenrich, Service::Rocketreach, Service::Fullcontact] {
        let asker = Asker::new(&sandbox, service, "k", false);
        let mut waits = 0;
        for address in people(20) {
            let Ok(Lookup::Pending { handle, after }) = asker.ask(&address).await else { continue };
            assert_eq!(after, Duration::from_secs(1), "what the sandbox says, so that a demonstration ends");
            let again = asker.provider.collect(&handle, &subject(&address), &asker.http).await;
            assert!(matches!(again, Ok(Lookup::Pending { .. })), "{service:?}: {again:?}");
            waits += 1;
        }
        assert!(waits > 0, "{service:?}");
    }
}

#[tokio::test]
async fn a_hash_leads_to_the_same_answer() {
    let sandbox = Sandbox::start(candid(3)).await.unwrap();
    for service in [Service::PeopleDataLabs, Service::Fullcontact, Service::Apollo] {
        let [open, hashed] = [false, true].map(|hash_only| Asker::new(&sandbox, service, "k", hash_only));
        for address in people(10) {
            let (by_address, by_hash) =
                (open.ask_to_the_end(&address).await, hashed.ask_to_the_end(&address).await);
            assert_eq!(by_address, by_hash, "{service:?}");
        }
    }
}

#[tokio::test]
async fn keys_credits_quotas_and_objections_are_told_apart() {
    let quota = Some(QuotaSettings { calls: 2, window_secs: 60, sliding: false });
    let mut settings = candid(3);
    settings.objected = vec!["p0@own.example.org".to_owned()];
    for service in KEYED {
        settings.providers.get_mut(&service).unwrap().quota = quota;
    }
    let sandbox = Sandbox::start(settings).await.unwrap();
    for service in KEYED {
        let class = async |key, address: &str| {
            let outcome = Asker::new(&sandbox, service, key, false).ask(address).await;
            outcome.map_or_else(|error| error.class(), |_| "answered")
        };
        assert_eq!(class("wrong", "p1@own.example.org").await, "denied", "{service:?}");
        // These two do not sell lookups by credit alone: an empty account may not do it.
        let is_plan = matches!(service, Service::Apollo | Service::Rocketreach);
        let spent = if is_plan { "denied" } else { "quota_exhausted" };
        assert_eq!(class("exhausted", "p1@own.example.org").await, spent, "{service:?}");
        let objector = Asker::new(&sandbox, service, "k", false).ask("p0@own.example.org").await;
        assert_eq!(objector == Ok(Lookup::Objected), service == Service::Hunter, "{service:?}");
        assert_eq!(class("k", "p1@own.example.org").await, "answered", "{service:?}");
        assert_eq!(class("k", "p2@own.example.org").await, "rate_limited", "{service:?}");
    }
}
