//! How values are shown to people, and a record as JSON.

use gleaner::record::{Record, Sourced};
use gleaner_providers::provider::{Micros, Price, Quota};
use gleaner_providers::{BirthInterval, Finding, PersonName, SocialProfile};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::out;

/// A record as it is shown: derived values included.
#[derive(Serialize)]
pub(crate) struct RecordView<'a> {
    member_id: &'a str,
    email: &'a str,
    status: &'static str,
    full_name: Option<&'a str>,
    given_name: Option<&'a str>,
    family_name: Option<&'a str>,
    /// Completed years today, where the birth interval allows only one value.
    age: Option<u8>,
    age_min: Option<u8>,
    age_max: Option<u8>,
    birth_earliest: Option<String>,
    birth_latest: Option<String>,
    social_profiles: Vec<ProfileView<'a>>,
    /// The fields about which providers contradict each other in earnest; `gleaner explain` shows how.
    conflict: Vec<&'static str>,
    provenance: Provenance<'a>,
    policy_version: &'a str,
    collected_at: Timestamp,
    updated_at: Timestamp,
    expires_at: Timestamp,
}

#[derive(Serialize)]
struct ProfileView<'a> {
    network: &'a str,
    handle: Option<&'a str>,
    url: &'a str,
    confidence: f64,
    assurance: &'static str,
    providers: Vec<&'a str>,
}

#[derive(Serialize)]
struct Provenance<'a> {
    name: Option<Support<'a>>,
    birth: Option<Support<'a>>,
}

#[derive(Serialize)]
struct Support<'a> {
    confidence: f64,
    assurance: &'static str,
    sources: &'a [gleaner::record::Source],
}

impl<'a> Support<'a> {
    fn of<T>(value: &'a Sourced<T>) -> Self {
        Self {
            confidence: round(value.confidence.get()),
            assurance: value.assurance.as_str(),
            sources: &value.sources,
        }
    }

    fn line(&self) -> String {
        let providers: Vec<_> = self.sources.iter().map(|source| source.provider.as_str()).collect();
        format!("{:.2} {} ({})", self.confidence, self.assurance, providers.join(", "))
    }
}

impl<'a> RecordView<'a> {
    pub(crate) fn of(record: &'a Record) -> Self {
        let name = record.name.as_ref().map(|name| &name.value);
        let birth = record.birth.as_ref().map(|birth| birth.value);
        let today = record.updated_at.to_zoned_datetime(TimeZone::UTC).date();
        let ages = birth.map(|birth| birth.ages_on(today));
        Self {
            member_id: record.member.as_str(),
            email: record.email.expose(),
            status: record.status.as_str(),
            full_name: name.map(PersonName::full),
            given_name: name.and_then(PersonName::given),
            family_name: name.and_then(PersonName::family),
            age: birth.and_then(|birth| birth.age_on(today)),
            age_min: ages.map(|(youngest, _)| youngest),
            age_max: ages.map(|(_, oldest)| oldest),
            birth_earliest: birth.map(|birth| birth.earliest().to_string()),
            birth_latest: birth.map(|birth| birth.latest().to_string()),
            social_profiles: record.profiles.iter().map(profile).collect(),
            conflict: record.conflicts.iter().map(gleaner_providers::Field::as_str).collect(),
            provenance: Provenance {
                name: record.name.as_ref().map(Support::of),
                birth: record.birth.as_ref().map(Support::of),
            },
            policy_version: &record.policy_version,
            collected_at: record.collected_at,
            updated_at: record.updated_at,
            expires_at: record.expires_at,
        }
    }

    pub(crate) fn print(&self) {
        let mut table = out::table(["Field", "value", "confidence and sources"], &[]);
        let mut row = |field: &str, value: String, support: String| {
            table.add_row([field.to_owned(), value, support]);
        };
        row("member", self.member_id.to_owned(), String::new());
        row("status", self.status.to_owned(), String::new());
        if let (Some(name), Some(support)) = (self.full_name, &self.provenance.name) {
            row("name", name.to_owned(), support.line());
        }
        if let (Some(support), Some(earliest), Some(latest)) =
            (&self.provenance.birth, &self.birth_earliest, &self.birth_latest)
        {
            row("age", ages(self.age_min, self.age_max), support.line());
            let born = if earliest == latest { earliest.clone() } else { format!("{earliest} to {latest}") };
            row("born", born, String::new());
        }
        for profile in &self.social_profiles {
            let support =
                format!("{:.2} {} ({})", profile.confidence, profile.assurance, profile.providers.join(", "));
            row(profile.network, profile.url.to_owned(), support);
        }
        if !self.conflict.is_empty() {
            row("conflict", self.conflict.join(", "), "`gleaner explain` shows who says what".to_owned());
        }
        row("expires", self.expires_at.strftime("%Y-%m-%d").to_string(), String::new());
        out::line(table);
    }
}

fn profile(profile: &Sourced<SocialProfile>) -> ProfileView<'_> {
    ProfileView {
        network: profile.value.network(),
        handle: profile.value.handle(),
        url: profile.value.url(),
        confidence: round(profile.confidence.get()),
        assurance: profile.assurance.as_str(),
        providers: profile.sources.iter().map(|source| source.provider.as_str()).collect(),
    }
}

/// What one provider said, line by line.
pub(crate) fn print_finding(finding: &Finding) {
    let mut table = out::table(["Field", "value", "confidence"], &[]);
    if let Some(name) = &finding.name {
        table.add_row(["name", name.value.full(), &format!("{:.2}", name.confidence.get())]);
    }
    if let Some(birth) = &finding.birth {
        table.add_row(["born", &interval(birth.value), &format!("{:.2}", birth.confidence.get())]);
    }
    for profile in &finding.profiles {
        let confidence = format!("{:.2}", profile.confidence.get());
        table.add_row([profile.value.network(), profile.value.url(), &confidence]);
    }
    out::line(table);
}

fn interval(birth: BirthInterval) -> String {
    if birth.earliest() == birth.latest() {
        birth.earliest().to_string()
    } else {
        format!("{} to {}", birth.earliest(), birth.latest())
    }
}

fn ages(youngest: Option<u8>, oldest: Option<u8>) -> String {
    match (youngest, oldest) {
        (Some(youngest), Some(oldest)) if youngest == oldest => youngest.to_string(),
        (Some(youngest), Some(oldest)) => format!("{youngest} to {oldest}"),
        _ => String::new(),
    }
}

/// `100 a 3600 s` in words: `100/h`.
pub(crate) fn quota(quota: Quota) -> String {
    let window = match quota.window.as_secs() {
        1 => "s".to_owned(),
        60 => "min".to_owned(),
        3600 => "h".to_owned(),
        86_400 => "day".to_owned(),
        seconds => format!("{seconds}s"),
    };
    format!("{}/{window}", quota.calls)
}

/// Millionths of a dollar as dollars and cents; nothing for nothing.
pub(crate) fn money(micros: u64) -> String {
    if micros == 0 {
        "free".to_owned()
    } else if micros < 1_000_000 && !micros.is_multiple_of(10_000) {
        // Some lookups cost fractions of a cent.
        format!("$0.{:04}", (micros / 100).max(1))
    } else {
        format!("${}.{:02}", micros / 1_000_000, micros % 1_000_000 / 10_000)
    }
}

/// What a lookup costs by the list.
pub(crate) fn price_words(price: Price) -> String {
    let amount = |micros: Micros| money(micros.0);
    match (price.per_match.is_zero(), price.per_miss.is_zero()) {
        (true, true) => "free".to_owned(),
        (false, true) => format!("{} a match", amount(price.per_match)),
        _ if price.per_match == price.per_miss => format!("{} a lookup", amount(price.per_match)),
        _ => format!("{} a match, {} a miss", amount(price.per_match), amount(price.per_miss)),
    }
}

/// A share in whole per cent; nothing where there is no whole.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    let rounded = (part * 100 + whole / 2).checked_div(whole);
    rounded.map_or_else(String::new, |share| format!("{share} %"))
}

/// Two digits are all that a confidence is worth.
fn round(confidence: f64) -> f64 {
    (confidence * 100.0).round() / 100.0
}
