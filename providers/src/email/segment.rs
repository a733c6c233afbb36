//! Which part of the market an address belongs to: brokers of business data know company addresses, consumer files know
//! free mail, and next to nobody knows a throw-away one.
//!
//! Invariant: told from the address alone, by the kept lists and by the shape of the domain; nothing is asked.

use serde::{Deserialize, Serialize};

use super::{EmailAddress, MailboxKind};

/// Who tends to know an address. Every address is in exactly one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// At a public mail host.
    FreeMail,
    /// At a domain of an organisation or of the person's own.
    Company,
    /// At a university or school.
    Academic,
    /// A function, not a person.
    Role,
    /// At a throw-away host.
    Disposable,
}

impl Segment {
    pub const ALL: [Self; 5] = [Self::FreeMail, Self::Company, Self::Academic, Self::Role, Self::Disposable];

    /// The word for it in configuration, tables and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FreeMail => "free_mail",
            Self::Company => "company",
            Self::Academic => "academic",
            Self::Role => "role",
            Self::Disposable => "disposable",
        }
    }

    /// The segment of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

impl EmailAddress {
    /// The segment it belongs to.
    pub fn segment(&self) -> Segment {
        match self.kind() {
            MailboxKind::FreeMail => Segment::FreeMail,
            MailboxKind::Disposable => Segment::Disposable,
            MailboxKind::Role => Segment::Role,
            MailboxKind::Personal if is_academic(self.domain()) => Segment::Academic,
            MailboxKind::Personal => Segment::Company,
        }
    }
}

/// Registries keep `edu` and, below a country, `edu` and `ac` for schools and universities; where a country has no such
/// zone, its universities' names begin alike.
fn is_academic(domain: &str) -> bool {
    let mut labels = domain.rsplit('.');
    let (Some(top), Some(second)) = (labels.next(), labels.next()) else { return false };
    if top == "edu" {
        return true;
    }
    // A zone is no domain of anybody's: `ac.uk` alone is not academic, `example.ac.uk` is.
    if top.len() == 2 && matches!(second, "edu" | "ac") {
        return labels.next().is_some();
    }
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| second.starts_with(prefix));
    match top {
        "de" | "at" | "ch" => begins(&["uni-", "tu-", "fh-", "hs-"]),
        "fr" => begins(&["univ-"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_in_one_segment() {
        for (address, segment) in [
            ("ada@gmail.com", Segment::FreeMail),
            ("ada@example.com", Segment::Company),
            ("info@example.com", Segment::Role),
            ("info@mailinator.com", Segment::Disposable),
            ("ada@cs.example.edu", Segment::Academic),
            ("ada@example.edu.au", Segment::Academic),
            ("ada@maths.example.ac.uk", Segment::Academic),
            ("ada@uni-example.de", Segment::Academic),
            ("ada@mail.univ-example.fr", Segment::Academic),
            ("ada@ac.uk", Segment::Company),
            ("ada@ac.example.com", Segment::Company),
            ("ada@uni-example.com", Segment::Company),
            ("ada@edu.example.museum", Segment::Company),
        ] {
            assert_eq!(EmailAddress::parse(address).unwrap().segment(), segment, "{address}");
        }
        for segment in Segment::ALL {
            assert_eq!(serde_json::to_value(segment).unwrap(), segment.as_str());
            assert_eq!(Segment::named(segment.as_str()), Some(segment));
        }
    }
}
