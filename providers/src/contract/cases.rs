//! The cases: what the server does, and what is demanded then.
//!
//! Invariant: each case differs from a good answer in one thing, so that its failure says what to mend.

use std::time::{Duration, UNIX_EPOCH};

use super::demand::Demand;
use super::mutation::{with_hostile_texts, with_unknown_fields, with_wrong_types, without_a_field};
use super::server::{Reply, Route, Script};
use super::{Contract, Format, Kind, MAX_BODY_BYTES, NOW_UNIX_SECONDS};
use crate::provider::Reach;

/// A wait that no vendor's own default is as long as.
const ASKED_WAIT: Duration = Duration::from_secs(95);

/// One case.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) script: Script,
    pub(super) demand: Demand,
}

impl Case {
    fn new(name: impl Into<String>, script: Script, demand: Demand) -> Self {
        Self { name: name.into(), script, demand }
    }
}

/// Every case of a contract.
pub(super) fn cases<B>(contract: &Contract<B>, reach: Reach) -> impl Iterator<Item = (Kind, Case)> {
    let kinds = [
        (Kind::Answers, answers(contract)),
        (Kind::Refusals, refusals(contract)),
        (Kind::Outages, outages(contract)),
        (Kind::Bodies, wrong_bodies(contract, reach)),
        (Kind::Mutants, mutants(contract)),
    ];
    kinds.into_iter().flat_map(|(kind, cases)| cases.into_iter().map(move |case| (kind, case)))
}

/// What the vendor says when all is well.
fn answers<B>(contract: &Contract<B>) -> Vec<Case> {
    let matching = || Script::Routes(contract.matching.clone());
    vec![
        Case::new("match", matching(), Demand::Match),
        Case::new("the same question again", matching(), Demand::SameMatch),
        Case::new("no match", Script::Routes(contract.missing.clone()), Demand::NoMatch),
    ]
}

/// What the vendor says when it will not answer, in its own way.
fn refusals<B>(contract: &Contract<B>) -> Vec<Case> {
    let rate_limited = contract.rate_limited.as_ref();
    let rate_limited = rate_limited.map(|(reply, after)| ("rate limit", reply, Demand::RateLimited(*after)));
    let bad_key = contract.bad_key.as_ref().map(|reply| ("bad key", reply, Demand::Denied));
    let out_of_credit = contract.out_of_credit.as_ref();
    let out_of_credit = out_of_credit.map(|reply| ("out of credit", reply, Demand::QuotaExhausted));
    let refusals = [rate_limited, bad_key, out_of_credit].into_iter().flatten();
    let refusals =
        refusals.map(|(name, reply, demand)| Case::new(name, Script::Always(reply.clone()), demand));
    refusals.chain(told_when(contract)).collect()
}

/// "Slow down" with the header that HTTP has for it, in both of its forms, whatever the vendor's own says.
fn told_when<B>(contract: &Contract<B>) -> impl Iterator<Item = Case> {
    let date = NOW_UNIX_SECONDS.cast_unsigned() + ASKED_WAIT.as_secs();
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(date));
    let forms = [("seconds", ASKED_WAIT.as_secs().to_string()), ("a date", date)];
    let reply = contract.rate_limited.as_ref().map(|(reply, _)| reply.without("retry-after"));
    forms.into_iter().filter_map(move |(form, value)| {
        let reply = reply.clone()?.header("retry-after", &value);
        Some(Case::new(format!("Retry-After in {form}"), Script::Always(reply), Demand::Held(ASKED_WAIT)))
    })
}

/// When the vendor is down.
fn outages<B>(contract: &Contract<B>) -> Vec<Case> {
    let down = |status| Script::Always(Reply::html(status, "<h1>An error of the gateway</h1>"));
    let mut outages = vec![
        Case::new("status 500", down(500), Demand::Unavailable),
        Case::new("status 502", down(502), Demand::Unavailable),
        Case::new("status 503", down(503), Demand::Unavailable),
        Case::new("silence", Script::Silence, Demand::Unavailable),
        Case::new("connection closed", Script::HangUp, Demand::Unavailable),
    ];
    if let Some(route) = contract.matching.first() {
        outages.push(Case::new("a body that drips", Script::Drip(route.reply.clone()), Demand::Broken));
    }
    if let Some(route) = contract.matching.first() {
        outages.push(Case::new("broken off half way", Script::Half(route.reply.clone()), Demand::Broken));
    }
    outages
}

/// Answers with the status of a match and a body that is none.
fn wrong_bodies<B>(contract: &Contract<B>, reach: Reach) -> Vec<Case> {
    let Some(good) = contract.matching.first().map(|route| &route.reply) else { return Vec::new() };
    let always = |body: &[u8]| Script::Always(good.with_body(body.to_vec()));
    let is_page = contract.format == Format::Html;
    // A vendor's answer of another shape is a changed contract; a stranger's is just not what we look for.
    let is_strangers = reach == Reach::Web;
    let demand = if is_strangers { Demand::NoMatch } else { Demand::Malformed };
    let mut cases = vec![
        Case::new("an empty body", always(b""), demand),
        Case::new("bytes that are no text", always(&[0xff, 0xfe, 0x00, 0x80]), demand),
        Case::new("another content type", Script::Always(Reply::new(200, "image/png", "\u{89}PNG")), demand),
    ];
    if is_page {
        let deep = "<div>".repeat(MAX_BODY_BYTES / 5);
        cases.push(Case::new("a page of 50,000 levels", always(deep.as_bytes()), Demand::Malformed));
    } else {
        let shapes = ["[]", "{}", "null", "true", "7", r#""x""#, "[[]]", "[{}]", "<html></html>"];
        // What the vendor itself says of nobody is no other shape.
        let says_nobody = |shape: &str| {
            let mut missing = contract.missing.iter().map(|route| &route.reply);
            missing.any(|reply| reply.status == 200 && reply.body.trim_ascii() == shape.as_bytes())
        };
        cases.extend(shapes.map(|shape| {
            let demand = if says_nobody(shape) { Demand::NoMatch } else { demand };
            Case::new(format!("the body {shape}"), always(shape.as_bytes()), demand)
        }));
        let half = good.body.get(..good.body.len() / 2).unwrap_or_default();
        cases.push(Case::new("an answer that breaks off", always(half), demand));
        let deep = "[".repeat(100_000);
        cases.push(Case::new("JSON of 100,000 levels", always(deep.as_bytes()), demand));
    }
    let mut oversized = good.body.clone();
    oversized.resize(MAX_BODY_BYTES + 1, b' ');
    let demand = if is_page || is_strangers { Demand::Harmless } else { Demand::Malformed };
    cases.push(Case::new("a body beyond the cap", always(&oversized), demand));
    cases
}

/// The matching answers with one thing changed.
fn mutants<B>(contract: &Contract<B>) -> Vec<Case> {
    let mut cases = Vec::new();
    for (at, route) in contract.matching.iter().enumerate() {
        let instead = |body: Vec<u8>| {
            let mut routes: Vec<Route> = contract.matching.clone();
            if let Some(changed) = routes.get_mut(at) {
                changed.reply = route.reply.with_body(body);
            }
            Script::Routes(routes)
        };
        let body = &route.reply.body;
        let path = route.path;
        let hostile = with_hostile_texts(body, contract.format).into_iter();
        cases.extend(
            hostile.map(|(what, body)| Case::new(format!("{path}: {what}"), instead(body), Demand::Harmless)),
        );
        if contract.format == Format::Json {
            let wrong = with_wrong_types(body).into_iter();
            cases.extend(
                wrong.map(|(what, body)| {
                    Case::new(format!("{path}: {what}"), instead(body), Demand::Harmless)
                }),
            );
            let partial = without_a_field(body).into_iter();
            cases.extend(
                partial.map(|(what, body)| {
                    Case::new(format!("{path}: {what}"), instead(body), Demand::Harmless)
                }),
            );
            let name = format!("{path}: unknown fields");
            cases.push(Case::new(name, instead(with_unknown_fields(body)), Demand::SameMatch));
        }
    }
    cases
}
