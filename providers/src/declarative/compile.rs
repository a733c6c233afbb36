//! From a file to a declaration: everything that no type can say is checked here, with its place.
//!
//! Invariant: what leaves here can be asked; the first thing that is wrong is told, and nothing is guessed.

use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::LazyLock;

use toml::Spanned;

use super::body::Body;
use super::fields::{Fields, ProfileSource, Rating, Source};
use super::file::{self, Audience, File, Format, Method, Then};
use super::rules::Rule;
use super::select::{Selector, Selectors};
use super::template::{Slot, Template};
use super::{Declaration, Question, below};
use crate::provider::{Descriptor, Identifier, KeyNeed, Micros, Price, Reach};
use crate::settings::{Fault, nearest};
use crate::social;

/// A fault at a part of the file.
pub(super) struct Wrong(pub(super) Range<usize>, pub(super) String);

/// What stands for the subject while a question is tried for its shape.
const ANYBODY: &str = "x";

pub(super) fn compile(name: &str, text: &str) -> Result<Declaration, Fault> {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(is_word) {
        let message = format!(
            "the file's name is the provider's, and `{name}` is none: write it in snake_case, such as `staff_directory.toml`"
        );
        return Err(Fault::at(text, 0, message));
    }
    let file: File = toml::from_str(text).map_err(|error| Fault::of(text, &error))?;
    declaration(name, file).map_err(|Wrong(place, message)| Fault::at(text, place.start, message))
}

fn declaration(name: &str, file: File) -> Result<Declaration, Wrong> {
    let place = file.request.span();
    let question = question(file.request.into_inner())?;
    if question.templates().any(Template::holds_ticket) {
        let message = "`{handle}` is there when an answer is collected: it belongs into `[collect]`";
        return Err(Wrong(place, message.to_owned()));
    }
    let key = file.key.unwrap_or(KeyNeed::None);
    check_key(&question, key, &place)?;
    let collect = file.collect.map(|asked| collect(asked, &question, key)).transpose()?;
    let told = told(&question, &file.endpoint, file.reach).ok_or_else(|| {
        let message = "asks about nobody: fill `{email}`, `{email_sha256}` or another placeholder into `path`, `query`, \
                       `headers` or `body`";
        Wrong(place.clone(), message.to_owned())
    })?;
    let reads = if told == Identifier::Handle { reads(&question, &place)? } else { &[] };
    let endpoint = endpoint(&file.endpoint, file.reach, &question)?;
    if !file.docs.get_ref().starts_with("https://") {
        let message = "must be an https address: the page that the wire format is taken from";
        return Err(Wrong(file.docs.span(), message.to_owned()));
    }

    let mut selectors = Selectors::new(file.answers);
    let rules = file.rules.into_iter().map(|rule| self::rule(rule, file.answers, &mut selectors));
    let rules = rules.collect::<Result<Vec<_>, _>>()?;
    if collect.is_some() != rules.iter().any(|rule| rule.handle.is_some()) {
        let message = "`[collect]` and a rule with `then = \"pending\"` and `handle` go together: the one says where the answer \
                       will be, the other what it is called";
        return Err(Wrong(place, message.to_owned()));
    }
    let place = file.fields.span();
    let fields = fields(file.fields.into_inner(), file.answers, &mut selectors)?;
    if fields.supplies().is_empty() {
        let message =
            "supplies nothing: give `full_name`, `birth_date`, `profiles` or another field its selector";
        return Err(Wrong(place, message.to_owned()));
    }
    let price = |written: Option<file::Written<Micros>>| written.map_or(Micros::ZERO, |price| price.0);
    let descriptor = Descriptor {
        name: name.to_owned().into(),
        title: file.title.into(),
        docs: file.docs.into_inner().into(),
        endpoint: endpoint.into(),
        reach: file.reach.into(),
        supplies: fields.supplies(),
        told,
        takes_hash: told == Identifier::AddressHash,
        reads,
        quota: file.quota.0.with_burst(file.burst.unwrap_or(NonZeroU32::MIN)),
        price: Price {
            per_match: price(file.price_per_match),
            per_miss: price(file.price_per_miss),
            only_wanted: false,
        },
        key,
        terms: file.terms.map(Into::into),
        opt_in: true,
    };
    Ok(Declaration { descriptor, question, collect, selectors, format: file.answers, rules, fields })
}

impl From<Audience> for Reach {
    fn from(audience: Audience) -> Self {
        match audience {
            Audience::Vendor => Self::Vendor,
            Audience::Web => Self::Web,
        }
    }
}

fn question(question: file::Question) -> Result<Question, Wrong> {
    let template = |text: &Spanned<String>| {
        Template::parse(text.get_ref()).map_err(|message| Wrong(text.span(), message))
    };
    let path = match &question.path {
        Some(path) if path.get_ref().starts_with('/') || path.get_ref().contains("://") => {
            let message = "is joined to `endpoint`: write it without a host and without a leading `/`";
            return Err(Wrong(path.span(), message.to_owned()));
        }
        Some(path) if path.get_ref().contains(['?', '#']) => {
            let message = "holds no `?` and no `#`: parameters belong into `query`, which encodes them";
            return Err(Wrong(path.span(), message.to_owned()));
        }
        Some(path) => template(path)?,
        None => Template::default(),
    };
    let in_url = question.path.iter().chain(question.query.values());
    for text in in_url {
        if template(text)?.holds_key() {
            let message = "a key must not stand in a URL, which proxies log: send it in `headers` or `body`";
            return Err(Wrong(text.span(), message.to_owned()));
        }
    }
    let templates = |texts: std::collections::BTreeMap<String, Spanned<String>>| {
        texts.into_iter().map(|(name, text)| Ok((name, template(&text)?))).collect::<Result<_, Wrong>>()
    };
    let method = match (question.method, &question.body) {
        (Some(Method::Get), Some(body)) => {
            return Err(Wrong(body.span(), "a GET has no body: set `method = \"POST\"`".to_owned()));
        }
        (Some(method), _) => method,
        (None, Some(_)) => Method::Post,
        (None, None) => Method::Get,
    };
    let body = match (question.body, question.encode) {
        (Some(body), encode) => {
            let encoding = encode.map(Spanned::into_inner).unwrap_or_default();
            Some(Body::compile(body.into_inner(), encoding)?)
        }
        (None, Some(encode)) => {
            let message = "`encode` says how `body` is sent, and there is no `body`".to_owned();
            return Err(Wrong(encode.span(), message));
        }
        (None, None) => None,
    };
    Ok(Question {
        method,
        path,
        query: templates(question.query)?,
        headers: templates(question.headers)?,
        body,
    })
}

/// The question that fetches an answer which was not ready. It may tell no more than the first one.
fn collect(asked: Spanned<file::Question>, question: &Question, key: KeyNeed) -> Result<Question, Wrong> {
    let place = asked.span();
    let collect = self::question(asked.into_inner())?;
    if key != KeyNeed::None {
        check_key(&collect, key, &place)?;
    }
    let told = |question: &Question| -> Vec<_> {
        question.templates().flat_map(Template::slots).filter_map(Slot::told).collect()
    };
    let before = told(question);
    if !collect.templates().any(Template::holds_ticket)
        || told(&collect).iter().any(|told| !before.contains(told))
    {
        let message =
            "fetches an answer by its `{handle}`, and tells no more of the member than `[request]` did";
        return Err(Wrong(place, message.to_owned()));
    }
    Ok(collect)
}

/// A key that is declared is sent, and one that is sent is declared.
fn check_key(question: &Question, key: KeyNeed, place: &Range<usize>) -> Result<(), Wrong> {
    let is_sent = question.templates().any(Template::holds_key);
    let in_body = question.body.iter().flat_map(Body::templates).any(Template::holds_key);
    let message = match key {
        KeyNeed::None if is_sent => {
            "sends `{key}`: declare above that it needs one, with `key = \"required\"`"
        }
        KeyNeed::Required | KeyNeed::Optional if !is_sent => {
            "does not send the key that is declared: write, say, `headers = { authorization = \"Bearer {key}\" }`"
        }
        KeyNeed::Optional if in_body => {
            "an optional key belongs into `headers`: without one the header is left out"
        }
        _ => return Ok(()),
    };
    Err(Wrong(place.clone(), message.to_owned()))
}

/// The most telling of all placeholders.
fn told(question: &Question, endpoint: &Spanned<String>, reach: Audience) -> Option<Identifier> {
    let told: Vec<_> = question.templates().flat_map(Template::slots).filter_map(Slot::told).collect();
    let in_host = reach == Audience::Web && endpoint.get_ref().contains("{domain}");
    let order = [Identifier::Address, Identifier::AddressHash, Identifier::Handle, Identifier::Domain];
    order.into_iter().find(|identifier| told.contains(identifier)).or(in_host.then_some(Identifier::Domain))
}

/// The network whose accounts are asked about; one, because nobody is asked before it is found.
fn reads(question: &Question, place: &Range<usize>) -> Result<&'static [&'static str], Wrong> {
    static NETWORKS: LazyLock<Vec<&'static str>> = LazyLock::new(|| social::networks().collect());
    let mut networks = question.templates().flat_map(Template::slots).filter_map(|slot| match slot {
        Slot::Handle(network) => Some(*network),
        _ => None,
    });
    let first = networks.next();
    if networks.any(|other| Some(other) != first) {
        let message = "asks about accounts on two networks: write a file for each";
        return Err(Wrong(place.clone(), message.to_owned()));
    }
    let at = NETWORKS.iter().position(|known| Some(*known) == first);
    Ok(at.and_then(|at| NETWORKS.get(at..=at)).unwrap_or_default())
}

fn endpoint(endpoint: &Spanned<String>, reach: Audience, question: &Question) -> Result<String, Wrong> {
    let wrong = |message: String| Wrong(endpoint.span(), message);
    let text = endpoint.get_ref();
    match (reach, text.contains("{domain}")) {
        (Audience::Web, false) => {
            return Err(wrong(
                "`reach = \"web\"` asks each member's own domain: write `https://{domain}/`".to_owned(),
            ));
        }
        (Audience::Vendor, true) => {
            return Err(wrong("a host made of `{domain}` is a stranger's: set `reach = \"web\"`".to_owned()));
        }
        _ => {}
    }
    let url = url::Url::parse(&text.replace("{domain}", "example.com"));
    let mut url =
        url.map_err(|error| wrong(format!("is no URL: {error}; write `https://api.example.com/`")))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("is no http or https URL with a host".to_owned()));
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(wrong("is a base URL: no user, no password, no `?`, no `#`".to_owned()));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    if below(&url, &question.path.with(ANYBODY)).is_none() {
        return Err(wrong("`request.path` leads away from it: remove the steps up (`..`)".to_owned()));
    }
    Ok(if text.ends_with('/') { text.clone() } else { format!("{text}/") })
}

fn rule(rule: Spanned<file::Rule>, format: Format, selectors: &mut Selectors) -> Result<Rule, Wrong> {
    let place = rule.span();
    let rule = rule.into_inner();
    let wrong = |message: &str| Err(Wrong(place.clone(), message.to_owned()));
    let then = rule.then;
    let looks_inside = rule.finds.is_some() || rule.unless.is_some();
    if rule.status.is_none() && !looks_inside {
        return wrong("fits every answer: give it a `status`, a `where` or an `unless`");
    }
    if rule.equals.is_some() && rule.finds.is_none() {
        return wrong("`equals` compares what `where` finds: give it a `where`");
    }
    if rule.handle.is_some() && then != Then::Pending {
        return wrong("`handle` names an answer that is not ready: it goes with `then = \"pending\"`");
    }
    if rule.after.is_some() && !then.waits() {
        return wrong("`after` goes with `pending`, `rate_limited` and `quota_exhausted`");
    }
    if rule.reason.is_some() && then.is_answer() {
        return wrong("`reason` goes with what went wrong, and this is an answer");
    }
    if looks_inside && format == Format::Html && !matches!(then, Then::Match | Then::NoMatch | Then::Objected)
    {
        return wrong(
            "what went wrong with a page is told by its `status`; `where` and `unless` are for answers",
        );
    }
    let equals =
        rule.equals.map(|text| Template::parse(&text).map_err(|message| Wrong(place.clone(), message)));
    let mut read = |text: Option<Spanned<String>>| text.map(|text| selector(&text, selectors)).transpose();
    Ok(Rule {
        status: rule.status,
        finds: read(rule.finds)?,
        unless: read(rule.unless)?,
        equals: equals.transpose()?,
        then,
        after: rule.after.map(|wait| wait.0),
        handle: read(rule.handle)?,
        reason: rule.reason,
    })
}

fn selector(text: &Spanned<String>, selectors: &mut Selectors) -> Result<Selector, Wrong> {
    selectors.read(text.get_ref()).map_err(|message| Wrong(text.span(), message))
}

fn fields(fields: file::Fields, format: Format, selectors: &mut Selectors) -> Result<Fields, Wrong> {
    let rating = rating(fields.confidence, selectors)?;
    let mut read =
        |field: Option<Spanned<file::Field>>| field.map(|field| scalar(&field, selectors)).transpose();
    let full_name = read(fields.full_name)?;
    let given_name = read(fields.given_name)?;
    let family_name = read(fields.family_name)?;
    let birth_date = read(fields.birth_date)?;
    let birth_year = read(fields.birth_year)?;
    let age = read(fields.age)?;
    let profiles = fields.profiles.iter().map(|field| profile(field, format, selectors));
    Ok(Fields {
        rating,
        assurance: fields.assurance,
        full_name,
        given_name,
        family_name,
        birth_date,
        birth_year,
        age,
        profiles: profiles.collect::<Result<_, _>>()?,
        evidence: fields.evidence.as_ref().map(|text| selector(text, selectors)).transpose()?,
    })
}

fn rating(rating: Spanned<file::Rating>, selectors: &mut Selectors) -> Result<Rating, Wrong> {
    let place = rating.span();
    let wrong = |message: String| Wrong(place.clone(), message);
    match rating.into_inner() {
        file::Rating::Fixed(confidence) => Ok(Rating::Fixed(confidence)),
        file::Rating::Stated(stated) if stated.of.is_finite() && stated.of > 0.0 => {
            let from = selectors.read(&stated.from).map_err(wrong)?;
            Ok(Rating::Stated { from, of: stated.of, at_most: stated.at_most })
        }
        file::Rating::Stated(_) => {
            Err(wrong("`of` is the top of the answer's scale, such as 10 or 100".to_owned()))
        }
    }
}

fn source(field: &Spanned<file::Field>, selectors: &mut Selectors) -> Result<Source, Wrong> {
    let wrong = |message: String| Wrong(field.span(), message);
    let table = &field.get_ref().0;
    if table.from.0.is_empty() {
        return Err(wrong("says not where it comes from: add `from` with a selector".to_owned()));
    }
    let from =
        table.from.0.iter().map(|text| selectors.read(text).map_err(wrong)).collect::<Result<_, _>>()?;
    Ok(Source { from, confidence: table.confidence, assurance: table.assurance })
}

fn scalar(field: &Spanned<file::Field>, selectors: &mut Selectors) -> Result<Source, Wrong> {
    let table = &field.get_ref().0;
    if table.network.is_some() || table.each.is_some() || table.network_from.is_some() {
        let message = "`network`, `network_from` and `each` are for `profiles`";
        return Err(Wrong(field.span(), message.to_owned()));
    }
    source(field, selectors)
}

fn profile(
    field: &Spanned<file::Field>,
    format: Format,
    selectors: &mut Selectors,
) -> Result<ProfileSource, Wrong> {
    let wrong = |message: String| Wrong(field.span(), message);
    let table = &field.get_ref().0;
    if let Some(network) = &table.network
        && !social::networks().any(|known| known == network)
    {
        let hint = nearest(network, social::networks()).map(|near| format!("; did you mean `{near}`?"));
        let hint = hint.unwrap_or_default();
        return Err(wrong(format!("`{network}` is no network that profiles are known of{hint}")));
    }
    if table.network_from.is_some() && table.each.is_none() {
        return Err(wrong(
            "`network_from` is looked for within `each`: add `each`, a list of objects".to_owned(),
        ));
    }
    if table.each.is_some() && format == Format::Html {
        return Err(wrong("`each` is for answers in JSON".to_owned()));
    }
    let source = source(field, selectors)?;
    let network_from = table.network_from.as_ref().map(|text| selectors.read(text).map_err(wrong));
    let network_from = network_from.transpose()?;
    let each = table.each.as_ref().map(|text| selectors.read(text).map_err(wrong)).transpose()?;
    let each = each.map(|each| (each, network_from));
    Ok(ProfileSource { source, network: table.network.clone(), each })
}
