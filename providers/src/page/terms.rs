//! The words of schema.org and FOAF, however they are spelled: `name`, `schema:name`, `https://schema.org/name`.
//!
//! Invariant: a word of another vocabulary (`og:title`, `dc:creator`) is none of theirs.

const PREFIXES: [&str; 8] = [
    "https://schema.org/",
    "http://schema.org/",
    "https://www.schema.org/",
    "http://www.schema.org/",
    "http://xmlns.com/foaf/0.1/",
    "schema:",
    "foaf:",
    "sdo:",
];

/// Types of organisations that a page may be about.
const ORGANISATIONS: [&str; 12] = [
    "Organization",
    "Corporation",
    "NGO",
    "LocalBusiness",
    "ProfessionalService",
    "EducationalOrganization",
    "CollegeOrUniversity",
    "School",
    "GovernmentOrganization",
    "NewsMediaOrganization",
    "OnlineBusiness",
    "OnlineStore",
];

/// The bare word, if it is one of theirs.
pub(super) fn term(word: &str) -> Option<&str> {
    let word =
        PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix)).unwrap_or(word).trim_end_matches('/');
    (!word.is_empty() && !word.contains([':', '/', '#'])).then_some(word)
}

pub(super) fn is_person(kind: &str) -> bool {
    term(kind.trim()) == Some("Person")
}

pub(super) fn is_organisation(kind: &str) -> bool {
    term(kind.trim()).is_some_and(|kind| ORGANISATIONS.contains(&kind))
}
