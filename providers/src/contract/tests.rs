//! The kit against providers that break its demands: a check that cannot fail checks nothing.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

use super::*;
use crate::email::EmailAddress;
use crate::finding::{Assurance, Claim, Confidence, Finding};
use crate::name::PersonName;
use crate::provider::{Descriptor, Field, Identifier, KeyNeed, Price, Reach};

/// A provider with every fault: reads anything as a match, tells address and key in the URL, calls the clock dead.
struct Careless {
    descriptor: Descriptor,
    endpoint: Url,
}

#[async_trait]
impl Provider for Careless {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        let email = subject.email().expose();
        let request = http.get(self.endpoint.clone()).query("email", email).query("key", "key-for-tests");
        let response = request.meaning(|_| None).send().await?;
        let text = String::from_utf8_lossy(response.body()).into_owned();
        assert!(!text.contains("null"), "careless code panics");
        if response.status() >= 500 {
            return Err(LookupError::unavailable(format!("no answer for {email}")));
        }
        let name = PersonName::parse("Ada Example").ok();
        let name = name.map(|name| {
            Claim::new(name, Confidence::literal(1.0), Assurance::Broker).seen_at(format!("see:{text}"))
        });
        Ok(Lookup::Match(Finding { name, ..Finding::default() }))
    }
}

fn build_careless(settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
    let descriptor = Descriptor {
        name: "Careless".into(),
        title: "Careless".into(),
        docs: "https://example.com/".into(),
        endpoint: "https://example.com/".into(),
        reach: Reach::Vendor,
        supplies: &[Field::Social],
        told: Identifier::AddressHash,
        reads: &[],
        takes_hash: false,
        quota: Quota::per_second(1),
        price: Price::FREE,
        key: KeyNeed::Required,
        terms: None,
        opt_in: false,
    };
    let endpoint = settings.endpoint_or(&descriptor.endpoint)?;
    Ok(Arc::new(Careless { descriptor, endpoint }))
}

fn contract() -> Contract {
    Contract {
        build: build_careless,
        settings: ProviderSettings {
            key: Some(SecretString::from("key-for-tests")),
            ..ProviderSettings::default()
        },
        path: "/",
        subject: Subject::new(EmailAddress::parse("ada@example.com").unwrap()),
        format: Format::Json,
        matching: vec![Route::new("/", Reply::json(200, r#"{"name":"Ada"}"#))],
        missing: vec![Route::new("/", Reply::json(404, ""))],
        rate_limited: Some((Reply::json(429, ""), Duration::from_secs(1))),
        bad_key: Some(Reply::json(401, "")),
        out_of_credit: Some(Reply::json(402, "")),
    }
}

#[tokio::test]
async fn a_careless_provider_is_told_what_to_mend() {
    let report = check_contract(&contract()).await;
    assert!(!report.is_ok());
    let failure = |case: &str| {
        let result = report.results.iter().find(|result| result.case == case).unwrap();
        result.failure.clone().unwrap_or_default()
    };
    for (case, fault) in [
        ("descriptor", "snake_case"),
        ("tells no more than it declares", "the key stands in a URL"),
        ("match", "`supplies` does not list"),
        ("no match", "`supplies` does not list"),
        ("status 500", "tells the address or the key"),
        ("the body null", "panicked"),
    ] {
        assert!(failure(case).contains(fault), "{case}: {}", failure(case));
    }
    let shown = report.to_string();
    assert!(!shown.contains("ada@example.com") && !shown.contains("key-for-tests"), "{shown}");
}

#[tokio::test]
async fn a_provider_that_cannot_be_built_says_why() {
    let mut contract = contract();
    contract.build = crate::builtin::people_data_labs::build;
    contract.settings.key = None;
    let report = check_contract(&contract).await;
    assert_eq!(
        report.to_string(),
        "unbuilt: 1 cases (1 manners, 0 answers, 0 refusals, 0 outages, 0 bodies, 0 mutants), 1 failed\n- set-up: does not build: needs a key: set `key_env` or `key_file`\n"
    );
}
