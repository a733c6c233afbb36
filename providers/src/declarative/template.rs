//! Texts with `{placeholders}`: what is told of the subject stands in the file, word for word.
//!
//! Invariant: only declared identifiers are filled, each percent-encoded where it goes into a URL; the key never does,
//! and no value ends the quotes that it stands in.

use md5::{Digest, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

use crate::provider::Identifier;
use crate::settings::nearest;
use crate::social;
use crate::subject::Subject;

/// All but RFC 3986's unreserved characters: what is left means nothing in a path or a query.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The placeholders, but for `{handle.NETWORK}`.
const KNOWN: [(&str, Slot); 7] = [
    ("email", Slot::Email),
    ("email_sha256", Slot::EmailSha256),
    ("email_md5", Slot::EmailMd5),
    ("local", Slot::Local),
    ("domain", Slot::Domain),
    ("key", Slot::Key),
    ("handle", Slot::Ticket),
];

/// A text in which some places are filled for each lookup.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Piece {
    Text(String),
    Slot(Slot),
}

/// What stands in a place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Slot {
    Email,
    EmailSha256,
    EmailMd5,
    /// The part before the `@`.
    Local,
    Domain,
    Key,
    /// The vendor's word for an answer that was not ready.
    Ticket,
    /// The account name on this network that an earlier tier found.
    Handle(&'static str),
}

/// What the places are filled with.
#[derive(Clone, Copy)]
pub(super) struct Filling<'a> {
    pub(super) subject: &'a Subject,
    pub(super) key: Option<&'a SecretString>,
    pub(super) ticket: Option<&'a str>,
}

/// Why a template cannot be filled for this subject: it has no such identifier, or one that no URL can hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Unfilled;

impl Template {
    /// Reads a text; `{{` and `}}` are the braces themselves.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                plain.push_str(&rest[..1]);
                rest = after;
                continue;
            }
            let Some((name, after)) = rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
                return Err("a brace without its other half; a brace itself is written twice".to_owned());
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Slot(Slot::parse(name)?));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces })
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Slot(slot) => Some(slot),
            Piece::Text(_) => None,
        })
    }

    /// The text with the same word in every place, to see its shape.
    pub(super) fn with(&self, word: &str) -> String {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Text(plain) => plain.as_str(),
            Piece::Slot(_) => word,
        });
        pieces.collect()
    }

    pub(super) fn holds_key(&self) -> bool {
        self.slots().any(|slot| *slot == Slot::Key)
    }

    pub(super) fn holds_ticket(&self) -> bool {
        self.slots().any(|slot| *slot == Slot::Ticket)
    }

    /// The text as it is sent in a header or a body.
    pub(super) fn fill(&self, filling: Filling<'_>) -> Result<String, Unfilled> {
        self.filled(filling, |value| Ok(value.to_owned()))
    }

    /// The text as a part of a URL. A value that would be a step up in a path is refused.
    pub(super) fn fill_url(&self, filling: Filling<'_>) -> Result<String, Unfilled> {
        self.filled(filling, |value| match value {
            "" | "." | ".." => Err(Unfilled),
            value => Ok(utf8_percent_encode(value, ENCODED).to_string()),
        })
    }

    /// Whether a value could end the quotes that it stands in: a search such as `mail eq "{email}"` must stay the
    /// search that the file says, whatever address a stranger registers with.
    fn could_end_quotes(&self, value: &str) -> bool {
        ['"', '\'', '`'].into_iter().any(|quote| {
            let quotes = |piece: &Piece| matches!(piece, Piece::Text(plain) if plain.contains(quote));
            self.pieces.iter().any(quotes) && value.contains([quote, '\\'])
        })
    }

    fn filled(
        &self,
        filling: Filling<'_>,
        write: impl Fn(&str) -> Result<String, Unfilled>,
    ) -> Result<String, Unfilled> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Slot(slot) => {
                    let value = slot.value(filling).ok_or(Unfilled)?;
                    if self.could_end_quotes(&value) {
                        return Err(Unfilled);
                    }
                    text.push_str(&write(&value)?);
                }
            }
        }
        Ok(text)
    }
}

impl Slot {
    fn parse(name: &str) -> Result<Self, String> {
        if let Some((_, slot)) = KNOWN.into_iter().find(|(known, _)| *known == name) {
            return Ok(slot);
        }
        if let Some(network) = name.strip_prefix("handle.") {
            if let Some(network) = social::networks().find(|known| *known == network) {
                return Ok(Self::Handle(network));
            }
            let hint = nearest(network, social::networks());
            let hint = hint.map(|near| format!("; did you mean `{{handle.{near}}}`?")).unwrap_or_default();
            return Err(format!("`{network}` is no network that profiles are known of{hint}"));
        }
        let known = || KNOWN.iter().map(|(known, _)| *known).chain(["handle.NETWORK"]);
        let list = known().map(|known| format!("{{{known}}}")).collect::<Vec<_>>().join(", ");
        let hint = nearest(name, known()).map(|near| format!("; did you mean `{{{near}}}`?"));
        Err(format!("unknown placeholder `{{{name}}}`; known are {list}{}", hint.unwrap_or_default()))
    }

    /// What is told where this is filled in; the key tells nothing of the subject.
    pub(super) const fn told(&self) -> Option<Identifier> {
        match self {
            Self::Email | Self::Local => Some(Identifier::Address),
            Self::EmailSha256 | Self::EmailMd5 => Some(Identifier::AddressHash),
            Self::Domain => Some(Identifier::Domain),
            Self::Handle(_) => Some(Identifier::Handle),
            Self::Key | Self::Ticket => None,
        }
    }

    fn value(&self, Filling { subject, key, ticket }: Filling<'_>) -> Option<String> {
        let email = subject.email();
        Some(match self {
            Self::Email => email.expose().to_owned(),
            Self::EmailSha256 => email.sha256(),
            Self::EmailMd5 => hex::encode(Md5::digest(email.expose().to_lowercase())),
            Self::Local => email.local_part().to_owned(),
            Self::Domain => email.domain().to_owned(),
            Self::Key => key?.expose_secret().to_owned(),
            Self::Ticket => ticket?.to_owned(),
            Self::Handle(network) => subject.account_on(&[network])?.value.handle()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::email::EmailAddress;
    use crate::finding::{Assurance, Claim, Confidence};
    use crate::social::SocialProfile;

    fn subject(email: &str) -> Subject {
        let account = SocialProfile::parse("https://github.com/ada-example").unwrap();
        let account = Claim::new(account, Confidence::literal(0.9), Assurance::Proven);
        Subject::new(EmailAddress::parse(email).unwrap()).with_accounts(vec![account])
    }

    fn in_url(template: &str, email: &str) -> Result<String, Unfilled> {
        let subject = subject(email);
        Template::parse(template).unwrap().fill_url(Filling { subject: &subject, key: None, ticket: None })
    }

    #[test]
    fn values_are_encoded_in_a_url_and_plain_elsewhere() {
        for (template, email, filled) in [
            ("people/{email}", "ada+x/y?z#w@example.com", "people/ada%2Bx%2Fy%3Fz%23w%40example.com"),
            ("{local}/{domain}", "ada@example.com", "ada/example.com"),
            ("{handle.github}", "ada@example.com", "ada-example"),
            ("{email_md5}", "Ada.Example@example.com", "0822d9112b72e77f4846c9f29ed660a7"),
            ("a{{b}}c", "ada@example.com", "a{b}c"),
            ("%40{domain}", "ada@example.com", "%40example.com"),
        ] {
            assert_eq!(in_url(template, email).as_deref(), Ok(filled), "{template}");
        }
        let subject = subject("ada+x@example.com");
        let filling = Filling { subject: &subject, key: Some(&"a/b".into()), ticket: None };
        let header = Template::parse("Bearer {key} for {email}").unwrap();
        assert_eq!(header.fill(filling).as_deref(), Ok("Bearer a/b for ada+x@example.com"));
    }

    #[test]
    fn what_the_subject_lacks_is_not_made_up() {
        assert_eq!(in_url("{handle.gitlab}", "ada@example.com"), Err(Unfilled));
        assert_eq!(in_url("{key}", "ada@example.com"), Err(Unfilled));
        assert_eq!(in_url(".{local}", "\"..\"@example.com"), Ok(".%22..%22".to_owned()));
    }

    #[test]
    fn no_address_ends_the_quotes_it_stands_in() {
        let hostile = r#""x\" or mail sw \"a"@example.com"#;
        for (template, email, is_filled) in [
            (r#"mail eq "{email}""#, "ada@example.com", true),
            (r#"mail eq "{email}""#, "o'brien@example.com", true),
            ("mail eq '{email}'", "o'brien@example.com", false),
            (r#"mail eq "{email}""#, hostile, false),
            ("mail eq '{email}'", hostile, false),
            ("{email}", hostile, true),
        ] {
            let subject = subject(email);
            let filled = Template::parse(template).unwrap().fill(Filling {
                subject: &subject,
                key: None,
                ticket: None,
            });
            assert_eq!(filled.is_ok(), is_filled, "{template} with {email}");
        }
    }

    #[test]
    fn a_wrong_placeholder_is_refused_with_the_nearest_known_one() {
        let error = |text| Template::parse(text).unwrap_err();
        insta::assert_snapshot!(error("{emial}"), @"unknown placeholder `{emial}`; known are {email}, {email_sha256}, {email_md5}, {local}, {domain}, {key}, {handle}, {handle.NETWORK}; did you mean `{email}`?");
        insta::assert_snapshot!(error("{handle.githup}"), @"`githup` is no network that profiles are known of; did you mean `{handle.github}`?");
        insta::assert_snapshot!(error("{email"), @"a brace without its other half; a brace itself is written twice");
        insta::assert_snapshot!(error("email}"), @"a brace without its other half; a brace itself is written twice");
    }
}
