//! Providers that are described in a file, with no Rust: what to ask, what an answer means, where its fields are.
//!
//! `config/providers/` has examples, and `docs/add-a-provider.md` every key. A file is read once, at the start, and
//! refused with place and reason where it is wrong.
//!
//! Invariant: such a provider can do no more than any other: it goes through the same door, tells what its
//! placeholders say, and what it finds passes the same normalizers.

mod body;
mod compile;
mod fields;
mod file;
mod rules;
mod select;
mod template;
#[cfg(test)]
#[cfg(feature = "contract")]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use secrecy::SecretString;
use url::{Host, Url};

use self::body::Body;
use self::fields::Fields;
use self::file::{Format, Method};
use self::rules::{Rule, Ruling};
use self::select::{Document, Selectors};
use self::template::{Filling, Template, Unfilled};
use crate::email::MailboxKind;
use crate::error::LookupError;
use crate::http::{HttpClient, Request, Response};
use crate::page;
use crate::provider::{Descriptor, KeyNeed, Lookup, Provider, Reach};
use crate::settings::{Fault, ProviderSettings, SettingsError};
use crate::subject::Subject;

/// A provider as a file describes it.
#[derive(Clone, Debug)]
pub struct Declaration {
    descriptor: Descriptor,
    question: Question,
    /// How an answer is fetched that was not ready; without it, the question is asked again.
    collect: Option<Question>,
    selectors: Selectors,
    format: Format,
    rules: Vec<Rule>,
    fields: Fields,
}

/// What is asked.
#[derive(Clone, Debug)]
struct Question {
    method: Method,
    /// Below the endpoint.
    path: Template,
    query: BTreeMap<String, Template>,
    headers: BTreeMap<String, Template>,
    body: Option<Body>,
}

/// A declared provider with an operator's settings.
#[derive(Debug)]
struct Declared {
    declaration: Declaration,
    /// The base URL, with `{domain}` in it where strangers' hosts are asked.
    endpoint: String,
    key: Option<SecretString>,
}

impl Declaration {
    /// Reads a file. `name` is the provider's name, which is that of the file without `.toml`.
    pub fn parse(name: &str, text: &str) -> Result<Self, Fault> {
        compile::compile(name, text)
    }

    pub fn name(&self) -> &str {
        &self.descriptor.name
    }

    /// What the provider says of itself.
    pub const fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Builds it from an operator's settings.
    pub fn build(&self, settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
        // Whoever wants another question writes another file.
        settings.refuse_options()?;
        if self.descriptor.key == KeyNeed::Required && settings.key.is_none() {
            return Err(SettingsError::KeyMissing);
        }
        let endpoint = match self.descriptor.reach {
            Reach::Vendor => settings.endpoint_or(&self.descriptor.endpoint)?.to_string(),
            Reach::Web => settings.endpoint.clone().unwrap_or_else(|| self.descriptor.endpoint.to_string()),
        };
        let mut declaration = self.clone();
        declaration.descriptor.price = settings.price_or(self.descriptor.price);
        let declared = Declared { declaration, endpoint, key: settings.key.clone() };
        if declared.base("example.com").is_none() {
            let reason = "needs an http or https URL".to_owned();
            return Err(SettingsError::Endpoint { reason });
        }
        Ok(Arc::new(declared))
    }
}

#[async_trait]
impl Provider for Declared {
    fn descriptor(&self) -> &Descriptor {
        &self.declaration.descriptor
    }

    async fn lookup(&self, subject: &Subject, http: &HttpClient) -> Result<Lookup, LookupError> {
        self.ask(&self.declaration.question, None, subject, http).await
    }

    async fn collect(
        &self,
        handle: &str,
        subject: &Subject,
        http: &HttpClient,
    ) -> Result<Lookup, LookupError> {
        let question = self.declaration.collect.as_ref().unwrap_or(&self.declaration.question);
        self.ask(question, Some(handle), subject, http).await
    }
}

impl Declared {
    async fn ask(
        &self,
        question: &Question,
        ticket: Option<&str>,
        subject: &Subject,
        http: &HttpClient,
    ) -> Result<Lookup, LookupError> {
        let filling = Filling { subject, key: self.key.as_ref(), ticket };
        if self.descriptor().reach == Reach::Web && subject.email().kind() != MailboxKind::Personal {
            http.note("question", || {
                "not asked: a mailbox at a host for everybody has no page of its own".into()
            });
            return Ok(Lookup::NoMatch);
        }
        let Ok(request) = self.request(question, filling, http) else {
            http.note("question", || "not asked: the member lacks an identifier that the file tells".into());
            return Ok(Lookup::NoMatch);
        };
        let Declaration { format, rules, fields, .. } = &self.declaration;
        // The door has to know what went wrong, to wait or to try again; what was read for that is kept for the fields.
        let read = Mutex::new(None);
        let request = request.meaning(|response| match format {
            Format::Html => rules::fault_of_page(rules, response),
            Format::Json => {
                let document = Document::of_json(response);
                let (rule, ruling) = rules::judge(rules, response, &document, filling);
                if let Ruling::Error(error) = &ruling {
                    http.note("rule", || which(rule, rules, &ruling));
                    return Some(error.clone());
                }
                *read.lock().unwrap_or_else(PoisonError::into_inner) = Some((document, rule, ruling));
                None
            }
        });
        let response = match request.send().await {
            // A domain without a site is an answer, and remembered like one.
            Err(LookupError::Unreachable { .. }) => return Ok(Lookup::NoMatch),
            sent => sent?,
        };
        let read = read.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (document, rule, ruling) = match read {
            Some(read) => read,
            None => match self.read_page(response, filling).await? {
                Some(read) => read,
                None => return Ok(Lookup::NoMatch),
            },
        };
        http.note("rule", || which(rule, rules, &ruling));
        match ruling {
            Ruling::Error(error) => Err(error),
            Ruling::NoMatch => Ok(Lookup::NoMatch),
            Ruling::Pending { handle, after } => Ok(Lookup::Pending { handle, after }),
            Ruling::Objected => Ok(Lookup::Objected),
            Ruling::Match { by_status } => {
                let (finding, found_anything) = fields.read(&document, subject, http);
                if !by_status || found_anything {
                    Ok(Lookup::Match(finding))
                } else if self.is_page_of_strangers() {
                    Ok(Lookup::NoMatch)
                } else {
                    let reason =
                        "no selector of the file finds anything in it: has the answer another shape now?";
                    Err(LookupError::malformed(reason))
                }
            }
        }
    }
}

/// A rule in words.
fn which(number: Option<usize>, rules: &[Rule], ruling: &Ruling) -> String {
    let meaning = match ruling {
        Ruling::Match { .. } => "match".to_owned(),
        Ruling::NoMatch => "no_match".to_owned(),
        Ruling::Pending { after, .. } => format!("pending for {} s", after.as_secs()),
        Ruling::Objected => "objected".to_owned(),
        Ruling::Error(error) => format!("{}: {error}", error.class()),
    };
    match number.and_then(|number| Some((number, rules.get(number - 1)?))) {
        Some((number, rule)) => format!("rule {number} ({}) fits → {meaning}", rule.then.as_str()),
        None => format!("no rule fits; the common reading → {meaning}"),
    }
}

impl Declared {
    /// The question about one subject.
    fn request<'a>(
        &self,
        question: &Question,
        filling: Filling<'_>,
        http: &'a HttpClient,
    ) -> Result<Request<'a>, Unfilled> {
        let base = self.base(filling.subject.email().domain()).ok_or(Unfilled)?;
        let url = below(&base, &question.path.fill_url(filling)?).ok_or(Unfilled)?;
        let mut request = match (question.method, &question.body) {
            (Method::Get, _) => http.get(url),
            (Method::Post, Some(body)) => body.post(url, filling, http)?,
            (Method::Post, None) => http.post_json(url, &serde_json::Value::Null),
        };
        for (name, value) in &question.query {
            request = request.query(name, &value.fill(filling)?);
        }
        for (name, value) in &question.headers {
            if !value.holds_key() {
                request = request.header(name, &value.fill(filling)?);
            } else if self.key.is_some() {
                let secret = SecretString::from(value.fill(filling)?);
                request = request.secret_header(name, "", Some(&secret));
            }
        }
        Ok(request)
    }

    fn is_page_of_strangers(&self) -> bool {
        self.descriptor().reach == Reach::Web && self.declaration.format == Format::Html
    }

    /// The endpoint for one domain, ending in `/`. A domain that is not a plain host name is none.
    fn base(&self, domain: &str) -> Option<Url> {
        let is_name = matches!(Host::parse(domain), Ok(Host::Domain(name)) if name == domain);
        let mut url = Url::parse(&self.endpoint.replace("{domain}", domain)).ok()?;
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        (is_name && matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
    }

    /// Reads a page. `None`: on a stranger's host there is nothing to read for us, or it asks us to keep out.
    async fn read_page(
        &self,
        response: Response,
        filling: Filling<'_>,
    ) -> Result<Option<(Document, Option<usize>, Ruling)>, LookupError> {
        let Declaration { selectors, rules, .. } = &self.declaration;
        let is_strangers = self.is_page_of_strangers();
        let kind = response.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_page = matches!(kind.as_str(), "text/html" | "application/xhtml+xml");
        let is_closed = response.header("x-robots-tag").is_some_and(page::is_closed);
        if is_strangers && (!is_page || is_closed) {
            return Ok(None);
        }
        let (document, response) = selectors.open_page(response).await?;
        if is_strangers && matches!(&document, Document::Page(page) if page.is_closed) {
            return Ok(None);
        }
        let (rule, ruling) = rules::judge(rules, &response, &document, filling);
        // A stranger's page is what it is: that it looks otherwise is no change of a contract.
        let is_other = rule.is_none() && matches!(ruling, Ruling::Error(LookupError::Malformed { .. }));
        Ok((!is_strangers || !is_other).then_some((document, rule, ruling)))
    }
}

/// The URL of `path` below `base`, unless it would lead elsewhere.
fn below(base: &Url, path: &str) -> Option<Url> {
    let url = Url::parse(&format!("{base}{path}")).ok()?;
    let stays = url.origin() == base.origin() && url.path().starts_with(base.path());
    (stays && url.fragment().is_none()).then_some(url)
}

impl Question {
    /// Every template with the part of the question it stands in.
    fn templates(&self) -> impl Iterator<Item = &Template> {
        let body = self.body.iter().flat_map(Body::templates);
        std::iter::once(&self.path).chain(self.query.values()).chain(self.headers.values()).chain(body)
    }
}
