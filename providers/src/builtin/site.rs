//! Strangers' sites: where an address has one, and what may be expected of it.
//!
//! Invariant: a host that a stranger chose owes us no answer: that it has none, or fails, is no reason to try for hours.

use url::{Host, Url};

use crate::email::{EmailAddress, MailboxKind};
use crate::error::LookupError;
use crate::http::{Request, Response};
use crate::page;
use crate::provider::Descriptor;
use crate::settings::{ProviderSettings, SettingsError};

/// The address of something at every domain, with `{domain}` in it.
#[derive(Clone, Debug)]
pub(super) struct Template(String);

impl Template {
    /// A template known when the code is written.
    pub(super) fn new(template: &str) -> Self {
        Self(template.to_owned())
    }

    /// The operator's template, or else the provider's own.
    pub(super) fn of(settings: &ProviderSettings, descriptor: &Descriptor) -> Result<Self, SettingsError> {
        let template = Self(settings.endpoint.clone().unwrap_or_else(|| descriptor.endpoint.to_string()));
        if template.at("example.com").is_none() || !template.0.contains("{domain}") {
            let reason = "needs an http or https URL with `{domain}` in it".to_owned();
            return Err(SettingsError::Endpoint { reason });
        }
        Ok(template)
    }

    /// The address at one domain. A domain that is not a plain host name has none.
    pub(super) fn at(&self, domain: &str) -> Option<Url> {
        let is_name = matches!(Host::parse(domain), Ok(Host::Domain(name)) if name == domain);
        let url = Url::parse(&self.0.replace("{domain}", domain)).ok()?;
        (is_name && matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
    }

    /// The address at a person's own domain: a mailbox at a host for everybody has none, and a function's (`info@`) is
    /// nobody's.
    pub(super) fn of_person(&self, email: &EmailAddress) -> Option<Url> {
        match email.kind() {
            MailboxKind::Personal => self.at(email.domain()),
            MailboxKind::FreeMail | MailboxKind::Disposable | MailboxKind::Role => None,
        }
    }
}

/// Asks a stranger's host; `None` where nobody is there.
pub(super) async fn ask(request: Request<'_>) -> Result<Option<Response>, LookupError> {
    match request.meaning(meaning).send().await {
        Ok(response) => Ok(Some(response)),
        Err(LookupError::Unreachable { .. }) => Ok(None),
        Err(LookupError::Unavailable { reason }) => Err(LookupError::refused(reason)),
        Err(error) => Err(error),
    }
}

/// What a site's status means: a fault may pass within seconds; any other status says something of this site only.
fn meaning(response: &Response) -> Option<LookupError> {
    let is_fault = matches!(response.status(), 429 | 500..=599);
    is_fault.then(|| LookupError::unavailable("the host is not able to answer"))
}

/// Whether the answer asks machines not to keep what it says.
pub(super) fn is_closed(response: &Response) -> bool {
    response.header("x-robots-tag").is_some_and(page::is_closed)
}

/// The type of the answer's body, in lower case and without parameters.
pub(super) fn content_type(response: &Response) -> String {
    let kind = response.header("content-type").unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::new(text)
    }

    #[test]
    fn only_a_mailbox_of_a_persons_own_has_a_site() {
        let site = |address: &str| {
            let email = EmailAddress::parse(address).unwrap();
            template("https://{domain}/").of_person(&email).map(String::from)
        };
        assert_eq!(site("ada@example.com").as_deref(), Some("https://example.com/"));
        for address in ["ada@gmail.com", "info@example.com"] {
            assert_eq!(site(address), None, "{address}");
        }
    }

    #[test]
    fn a_template_is_filled_with_host_names_only() {
        assert_eq!(
            template("http://127.0.0.1:1/p/{domain}/").at("example.com").unwrap().as_str(),
            "http://127.0.0.1:1/p/example.com/"
        );
        for domain in ["10.0.0.1", "[::1]", "0x7f.1", "a/../b", "a@b", "a b", ""] {
            assert_eq!(template("https://{domain}/").at(domain), None, "{domain}");
        }
        let descriptor = super::super::homepage::descriptor();
        for endpoint in ["https://example.com/", "ftp://{domain}/", "{domain}"] {
            let settings =
                ProviderSettings { endpoint: Some(endpoint.into()), ..ProviderSettings::default() };
            assert!(
                matches!(Template::of(&settings, &descriptor), Err(SettingsError::Endpoint { .. })),
                "{endpoint}"
            );
        }
    }
}
