//! `gleaner normalize page`: one HTML document a file; who is on it, and what would be kept of whom?
//!
//! Invariant: reads as the provider `homepage` does, with its caps, and keeps what it would keep; fetches nothing.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use gleaner::clock::{Clock as _, SystemClock};
use gleaner_providers::builtin::homepage;
use gleaner_providers::page::{self, Facts, Owner, Person, Proof, Vocabulary};
use gleaner_providers::{EmailAddress, Finding, PersonName};
use jiff::civil::Date;
use serde::Serialize;
use url::Url;

use super::lines::Answers;
use super::social;

/// What a provider reads of a page, in bytes.
const MOST_BYTES: u64 = 1 << 20;

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// HTML documents, `-` for standard input [default: -]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where the page is from; relative links are relative to it
    #[arg(long, value_name = "URL", default_value = "https://page.invalid/")]
    url: Url,
    /// Whose page it may be: shows the owner, the proof, and what would be kept of them
    #[arg(long, value_name = "ADDRESS", value_parser = EmailAddress::parse)]
    email: Option<EmailAddress>,
    /// Leave `input` out of the answers
    #[arg(long)]
    no_input: bool,
}

/// What a page says.
#[derive(Serialize)]
struct Made {
    /// Why nothing would be kept.
    reason: Option<&'static str>,
    is_closed: bool,
    people: Vec<Shown>,
    me: Vec<Url>,
    /// The place in `people` of the one to whom the address belongs.
    owner: Option<usize>,
    proof: Option<&'static str>,
    kept: Option<Kept>,
}

/// One person, as the page describes them.
#[derive(Serialize)]
struct Shown {
    full: Option<String>,
    given: Option<String>,
    family: Option<String>,
    emails: Vec<String>,
    links: Vec<Url>,
    births: Vec<String>,
    vocabularies: Vec<&'static str>,
}

/// What a provider would keep.
#[derive(Serialize)]
struct Kept {
    full: Option<String>,
    given: Option<String>,
    family: Option<String>,
    birth_earliest: Option<Date>,
    birth_latest: Option<Date>,
    profiles: Vec<social::Made>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut answers = Answers::new(!args.no_input);
    let stdin = [PathBuf::from("-")];
    let files = if args.files.is_empty() { &stdin[..] } else { &args.files };
    for file in files {
        let named = || format!("cannot read `{}`", file.display());
        let mut body = Vec::new();
        if file == Path::new("-") {
            std::io::stdin().lock().take(MOST_BYTES).read_to_end(&mut body).with_context(named)?;
        } else {
            let opened = File::open(file).with_context(named)?;
            opened.take(MOST_BYTES).read_to_end(&mut body).with_context(named)?;
        }
        answers.add(&file.display().to_string(), made(&body, args))?;
    }
    answers.flush();
    Ok(())
}

fn made(body: &[u8], args: &Args) -> Result<Made, String> {
    let facts = page::read(body, &args.url).map_err(|error| error.to_string())?;
    let owner = args.email.as_ref().and_then(|email| page::owner_of(&facts, email));
    let finding = args
        .email
        .as_ref()
        .and_then(|email| homepage::finding(&facts, &args.url, email, SystemClock.today()));
    Ok(Made {
        reason: args.email.as_ref().and_then(|_| reason(&facts, owner.as_ref(), finding.as_ref())),
        is_closed: facts.is_closed,
        owner: owner.as_ref().map(|owner| owner.position),
        proof: owner.as_ref().map(|owner| proof(owner.proof)),
        kept: finding.as_ref().map(kept),
        people: facts.people.into_iter().map(shown).collect(),
        me: facts.me,
    })
}

fn reason(facts: &Facts, owner: Option<&Owner>, finding: Option<&Finding>) -> Option<&'static str> {
    if facts.is_closed {
        Some("the page asks machines not to keep it")
    } else if facts.people.is_empty() {
        Some("the page describes nobody")
    } else if owner.is_none() {
        Some("nothing proves that the address belongs to somebody on the page")
    } else if finding.is_none_or(Finding::is_empty) {
        Some("the person's description says nothing that is kept")
    } else {
        None
    }
}

fn shown(person: Person) -> Shown {
    Shown {
        full: person.name.full,
        given: person.name.given,
        family: person.name.family,
        emails: person.emails,
        links: person.links,
        births: person.births,
        vocabularies: person.vocabularies.into_iter().map(vocabulary).collect(),
    }
}

fn kept(finding: &Finding) -> Kept {
    let name = finding.name.as_ref().map(|claim| &claim.value);
    let birth = finding.birth.as_ref().map(|claim| claim.value);
    Kept {
        full: name.map(|name| name.full().to_owned()),
        given: name.and_then(PersonName::given).map(str::to_owned),
        family: name.and_then(PersonName::family).map(str::to_owned),
        birth_earliest: birth.map(|birth| birth.earliest()),
        birth_latest: birth.map(|birth| birth.latest()),
        profiles: finding.profiles.iter().map(|claim| social::shown(&claim.value)).collect(),
    }
}

const fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::Stated => "stated",
        Proof::Hashed => "hashed",
        Proof::OnlyPerson => "only_person",
        Proof::NameAgrees => "name_agrees",
    }
}

const fn vocabulary(vocabulary: Vocabulary) -> &'static str {
    match vocabulary {
        Vocabulary::HCard => "h_card",
        Vocabulary::JsonLd => "json_ld",
        Vocabulary::Microdata => "microdata",
        Vocabulary::Rdfa => "rdfa",
        Vocabulary::OpenGraph => "open_graph",
        Vocabulary::Author => "author",
    }
}
