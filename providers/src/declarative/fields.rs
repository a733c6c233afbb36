//! From what selectors find to a finding, through the same normalizers as everywhere.
//!
//! Invariant: nothing raw gets into a finding; the notes are for whoever tries the file out, and for nobody else.

use jiff::civil::Date;
use url::Url;

use super::select::{Document, Selector};
use crate::age::BirthInterval;
use crate::finding::{Assurance, Claim, Confidence, Finding};
use crate::http::HttpClient;
use crate::mapping::{Accounts, birth_of, seen_at};
use crate::name::{Parts, PersonName};
use crate::provider::Field;
use crate::social::SocialProfile;
use crate::subject::Subject;

/// What is left of the confidence in a birth date when the answer contradicts itself.
const CONTRADICTED: f64 = 0.5;
/// The longest address of a page.
const MAX_EVIDENCE_BYTES: usize = 2048;

/// The fields of a file.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) rating: Rating,
    pub(super) assurance: Assurance,
    pub(super) full_name: Option<Source>,
    pub(super) given_name: Option<Source>,
    pub(super) family_name: Option<Source>,
    pub(super) birth_date: Option<Source>,
    pub(super) birth_year: Option<Source>,
    pub(super) age: Option<Source>,
    pub(super) profiles: Vec<ProfileSource>,
    pub(super) evidence: Option<Selector>,
}

/// How sure the provider is.
#[derive(Clone, Debug)]
pub(super) enum Rating {
    Fixed(Confidence),
    Stated { from: Selector, of: f64, at_most: Confidence },
}

/// Where one field comes from: the first selector that finds something readable.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) from: Vec<Selector>,
    pub(super) confidence: Option<Confidence>,
    pub(super) assurance: Option<Assurance>,
}

/// Where profiles come from: everything that the selectors find.
#[derive(Clone, Debug)]
pub(super) struct ProfileSource {
    pub(super) source: Source,
    pub(super) network: Option<String>,
    /// Objects, and within each of them where its network is named.
    pub(super) each: Option<(Selector, Option<Selector>)>,
}

/// One reading of an answer.
pub(super) struct Reader<'a> {
    fields: &'a Fields,
    document: &'a Document,
    confidence: Confidence,
    today: Date,
    http: &'a HttpClient,
    /// Whether any selector of a field has found a place.
    found_anything: bool,
}

impl Fields {
    /// The fields that such a file can supply.
    pub(super) fn supplies(&self) -> &'static [Field] {
        let name = self.names().any(|(_, source)| source.is_some());
        let age = self.birth_date.is_some() || self.birth_year.is_some() || self.age.is_some();
        match (name, age, !self.profiles.is_empty()) {
            (true, true, true) => &Field::ALL,
            (true, true, false) => &[Field::Name, Field::Age],
            (true, false, true) => &[Field::Name, Field::Social],
            (false, true, true) => &[Field::Age, Field::Social],
            (true, false, false) => &[Field::Name],
            (false, true, false) => &[Field::Age],
            (false, false, true) => &[Field::Social],
            (false, false, false) => &[],
        }
    }

    fn names(&self) -> impl Iterator<Item = (&'static str, Option<&Source>)> {
        [
            ("full_name", self.full_name.as_ref()),
            ("given_name", self.given_name.as_ref()),
            ("family_name", self.family_name.as_ref()),
        ]
        .into_iter()
    }

    /// The finding, and whether any selector found a place at all.
    pub(super) fn read(&self, document: &Document, subject: &Subject, http: &HttpClient) -> (Finding, bool) {
        let confidence = self.rating.read(document, http);
        let mut reader =
            Reader { fields: self, document, confidence, today: http.today(), http, found_anything: false };
        let profiles = reader.profiles();
        let handles = profiles.iter().filter_map(|claim| claim.value.handle());
        let handles: Vec<_> = handles.chain([subject.email().local_part()]).map(str::to_lowercase).collect();
        let name = reader.name(&handles);
        let birth = reader.birth();
        let evidence = reader.evidence();
        (seen_at(Finding { name, birth, profiles }, evidence.as_deref()), reader.found_anything)
    }
}

impl Rating {
    fn read(&self, document: &Document, http: &HttpClient) -> Confidence {
        match self {
            Self::Fixed(confidence) => *confidence,
            Self::Stated { from, of, at_most } => {
                let stated = document.find(from).texts.into_iter().find_map(|text| text.parse::<f64>().ok());
                let share = Confidence::clamped(stated.unwrap_or(0.0) / of);
                let confidence = Confidence::clamped(share.get().min(at_most.get()));
                http.note("confidence", || {
                    let stated = stated.map_or_else(|| "no number".to_owned(), |stated| stated.to_string());
                    format!("{}: {stated} of {of} → {:.2}", from.text, confidence.get())
                });
                confidence
            }
        }
    }
}

impl Reader<'_> {
    /// The first text that one of the selectors finds and `read` accepts.
    fn first<T>(
        &mut self,
        field: &'static str,
        source: &Source,
        read: impl Fn(&str) -> Result<T, String>,
        show: impl Fn(&T) -> String,
    ) -> Option<T> {
        for selector in &source.from {
            let found = self.document.find(selector);
            self.found_anything |= found.places > 0;
            if found.texts.is_empty() {
                let what = if found.places > 0 { "nothing that says something" } else { "nothing" };
                self.http.note("field", || format!("{field}: {} found {what}", selector.text));
            }
            for text in found.texts {
                let value = read(&text);
                self.http.note("field", || {
                    let value = value.as_ref().map_or_else(|refused| format!("refused: {refused}"), &show);
                    format!("{field}: {} found {text:?} → {value}", selector.text)
                });
                if let Ok(value) = value {
                    return Some(value);
                }
            }
        }
        None
    }

    /// The person's name, unless it only repeats an account name: people leave nicknames in name fields.
    fn name(&mut self, handles: &[String]) -> Option<Claim<PersonName>> {
        let fields = self.fields;
        let mut parts = [None, None, None];
        for ((field, source), part) in fields.names().zip(&mut parts) {
            let Some(source) = source else { continue };
            *part = self.first(field, source, |text| Ok(text.to_owned()), |_| "taken as it is".to_owned());
        }
        let [full, given, family] = parts;
        if full.is_none() && given.is_none() && family.is_none() {
            return None;
        }
        let name = PersonName::from_parts(Parts { full, given, family }).map_err(|error| error.to_string());
        let name = name.and_then(|name| {
            let repeats = handles.contains(&name.full().to_lowercase());
            if repeats { Err("only repeats an account name".to_owned()) } else { Ok(name) }
        });
        self.http.note("name", || match &name {
            Ok(name) => format!(
                "{:?}, given {:?}, family {:?}",
                name.full(),
                name.given().unwrap_or("-"),
                name.family().unwrap_or("-")
            ),
            Err(refused) => format!("refused: {refused}"),
        });
        let source = fields.names().find_map(|(_, source)| source)?;
        Some(self.claim(name.ok()?, source))
    }

    fn birth(&mut self) -> Option<Claim<BirthInterval>> {
        let (fields, today) = (self.fields, self.today);
        let show = |birth: &BirthInterval| format!("born {} to {}", birth.earliest(), birth.latest());
        let said =
            |result: Result<BirthInterval, crate::age::AgeError>| result.map_err(|error| error.to_string());
        let date = |text: &str| said(BirthInterval::parse_birth_date(text, today));
        let year = |text: &str| {
            let year = text.parse::<i16>().map_err(|_| "is not a year".to_owned())?;
            said(BirthInterval::from_year(year, today))
        };
        let age = |text: &str| said(BirthInterval::parse_age(text, today));
        let date = fields.birth_date.as_ref().and_then(|from| self.first("birth_date", from, date, show));
        let year = fields.birth_year.as_ref().and_then(|from| self.first("birth_year", from, year, show));
        let age = fields.age.as_ref().and_then(|from| self.first("age", from, age, show));
        let (birth, agreed) = birth_of([date, year, age].into_iter().flatten())?;
        let source = [&fields.birth_date, &fields.birth_year, &fields.age].into_iter().flatten().next()?;
        let mut claim = self.claim(birth, source);
        if !agreed {
            claim.confidence = Confidence::clamped(claim.confidence.get() * CONTRADICTED);
            self.http
                .note("birth", || "the answer contradicts itself: the narrowest is kept, at half".to_owned());
        }
        Some(claim)
    }

    fn profiles(&mut self) -> Vec<Claim<SocialProfile>> {
        let mut accounts = Accounts::default();
        for profiles in &self.fields.profiles {
            let source = &profiles.source;
            for (network, text) in self.accounts(profiles) {
                let network = network.as_deref().or(profiles.network.as_deref());
                let profile = match network {
                    Some(network) => SocialProfile::on_network(network, &text),
                    None => SocialProfile::parse(&text),
                };
                self.http.note("profile", || {
                    let value = match &profile {
                        Ok(profile) => format!("{} {}", profile.network(), profile.url()),
                        Err(refused) => format!("refused: {refused}"),
                    };
                    format!("{text:?} {}→ {value}", network.map(|on| format!("on {on} ")).unwrap_or_default())
                });
                accounts.extend(profile.ok().map(|profile| self.claim(profile, source)));
            }
        }
        accounts.into_claims()
    }

    /// The texts that may name an account, with the network that stands beside each.
    fn accounts(&mut self, profiles: &ProfileSource) -> Vec<(Option<String>, String)> {
        let mut accounts = Vec::new();
        let http = self.http;
        let mut look = |document: &Document, network: Option<String>| {
            for selector in &profiles.source.from {
                let found = document.find(selector);
                self.found_anything |= found.places > 0;
                http.note("field", || format!("profiles: {} found places: {}", selector.text, found.places));
                accounts.extend(found.texts.into_iter().map(|text| (network.clone(), text)));
            }
        };
        match &profiles.each {
            None => look(self.document, None),
            Some((each, network_from)) => {
                for part in self.document.parts(each) {
                    let network = network_from.as_ref().map(|selector| part.find(selector).texts);
                    look(&part, network.and_then(|texts| texts.into_iter().next()));
                }
            }
        }
        accounts
    }

    /// The public page on which it can be seen again.
    fn evidence(&self) -> Option<String> {
        let found = self.document.find(self.fields.evidence.as_ref()?);
        let url = Url::parse(found.texts.first()?).ok()?;
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.as_str().len() <= MAX_EVIDENCE_BYTES;
        self.http.note("evidence", || format!("{url} {}", if is_plain { "is kept" } else { "is refused" }));
        is_plain.then(|| url.into())
    }

    fn claim<T>(&self, value: T, source: &Source) -> Claim<T> {
        let confidence = source.confidence.unwrap_or(self.confidence);
        Claim::new(value, confidence, source.assurance.unwrap_or(self.fields.assurance))
    }
}
