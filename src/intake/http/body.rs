//! What the body of a request says: JSON, plain or as `CloudEvents` 1.0, one or many, read into registrations.
//!
//! Stricter than the reader of brokers' messages, because here the caller hears what is wrong and can mend it. Plain JSON
//! is written for Gleaner, so an unknown field is a mistake: a misspelt `member_id` would quietly give the member another
//! id, and data that is not needed should not be sent. A `CloudEvent` is often written for many readers, so what Gleaner
//! does not know in one is passed over without being kept.
//!
//! Invariant: bounded work and memory for any text, and no fault shows anything of what the body holds.

use crate::job::{BatchName, Item};
use crate::keyring::Keyring;

use super::super::{Reason, registration};
use fields::{Content, Event, Fields, Loose, Unknown};

mod fields;

/// How a body is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    /// `{"member_id": …, "email": …}`, or an array of these where many may come.
    Json,
    /// A `CloudEvent` in structured mode.
    Event,
    /// An array of `CloudEvents`.
    EventBatch,
}

/// Why a body cannot be read at all.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("not valid JSON at line {line}, column {column}: {what}")]
    Syntax { line: usize, column: usize, what: String },
    #[error("not UTF-8 text from byte {0} on")]
    NotUtf8(usize),
}

/// What is wrong with one item, at which of its fields. Shows nothing of the item.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fault {
    pub(super) field: Option<&'static str>,
    pub(super) reason: String,
}

/// What came of a body that could be read.
#[derive(Debug)]
pub(super) enum Read {
    One(Result<Item, Fault>),
    /// An array, item by item.
    Many(Vec<Result<Item, Fault>>),
    /// So many items are more than may come at once.
    TooMany(usize),
    /// An array where there must be none, or the reverse.
    Shape(Fault),
}

/// Reads a body, which may bring `at_most` registrations.
pub(super) fn read(
    bytes: &[u8],
    format: Format,
    at_most: usize,
    keyring: &Keyring,
) -> Result<Read, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|error| Unreadable::NotUtf8(error.valid_up_to()))?;
    let read = match format {
        Format::Json => {
            let content = fields::parse::<Fields>(text, at_most)?;
            shaped(content, true, true, |fields| plain(&fields, keyring))
        }
        Format::Event => {
            let content = fields::parse::<Event>(text, 0)?;
            shaped(content, false, true, |event| told(&event, keyring))
        }
        Format::EventBatch => {
            let content = fields::parse::<Event>(text, at_most)?;
            shaped(content, true, false, |event| told(&event, keyring))
        }
    };
    Ok(read)
}

/// Reads the data of a `CloudEvent` in binary mode, whose attributes came beside it.
pub(super) fn read_binary(
    attributes: &Attributes<'_>,
    data: &[u8],
    keyring: &Keyring,
) -> Result<Result<Item, Fault>, Unreadable> {
    let text = std::str::from_utf8(data).map_err(|error| Unreadable::NotUtf8(error.valid_up_to()))?;
    let judged = match fields::parse::<Fields>(text, 0)? {
        Content::One(fields) => within(&fields, attributes, keyring),
        Content::Many(_) | Content::TooMany(_) => Err(Fault::whole("the data must be one JSON object")),
    };
    Ok(judged)
}

/// What a `CloudEvent` must say of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attributes<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) source: Option<&'a str>,
    pub(super) specversion: Option<&'a str>,
    pub(super) r#type: Option<&'a str>,
}

impl Attributes<'_> {
    /// Longer ones name nothing that a person chose.
    const MAX_BYTES: usize = 2_048;

    fn check(&self) -> Result<(&str, &str), Fault> {
        if self.specversion != Some("1.0") {
            return Err(Fault::at("specversion", "must be \"1.0\""));
        }
        let required = |name: &'static str, value: Option<&'_ str>| match value {
            None | Some("") => Err(Fault::at(name, "is missing: CloudEvents 1.0 requires it")),
            Some(value) if value.len() > Self::MAX_BYTES => Err(Fault::at(name, "is too long")),
            Some(_) => Ok(()),
        };
        required("id", self.id)?;
        required("source", self.source)?;
        required("type", self.r#type)?;
        Ok((self.source.unwrap_or_default(), self.id.unwrap_or_default()))
    }
}

impl Fault {
    fn at(field: &'static str, reason: impl Into<String>) -> Self {
        Self { field: Some(field), reason: reason.into() }
    }

    fn whole(reason: impl Into<String>) -> Self {
        Self { field: None, reason: reason.into() }
    }
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Email(error) => Self::at("email", error.to_string()),
            Reason::Member(error) => Self::at("member_id", error.to_string()),
            Reason::Batch(error) => Self::at("batch", error.to_string()),
        }
    }
}

fn shaped<T>(
    content: Content<T>,
    array: bool,
    single: bool,
    mut judge: impl FnMut(T) -> Result<Item, Fault>,
) -> Read {
    match content {
        Content::One(_) if !single => Read::Shape(Fault::whole("must be an array")),
        Content::Many(_) | Content::TooMany(_) if !array => {
            Read::Shape(Fault::whole("must be one object, not an array"))
        }
        Content::One(one) => Read::One(judge(one)),
        Content::Many(many) => Read::Many(many.into_iter().map(judge).collect()),
        Content::TooMany(count) => Read::TooMany(count),
    }
}

/// An object that was written for Gleaner.
fn plain(fields: &Fields, keyring: &Keyring) -> Result<Item, Fault> {
    let others = "has a field other than `member_id`, `email` and `batch`";
    match fields.unknown {
        Unknown::None => {}
        Unknown::Far => return Err(Fault::whole(others)),
        Unknown::Near(known) => return Err(Fault::whole(format!("{others}; did you mean `{known}`?"))),
    }
    let mut registration = registered(fields, keyring)?;
    registration.batch = match &fields.batch {
        Loose::Absent | Loose::Null => None,
        Loose::Text(text) => {
            Some(BatchName::parse(text).map_err(|error| Fault::at("batch", error.to_string()))?)
        }
        Loose::Whole(_) | Loose::Other => return Err(Fault::at("batch", "must be a JSON string")),
    };
    Ok(Item { registration, event: None })
}

/// A `CloudEvent` in structured mode.
fn told(event: &Event, keyring: &Keyring) -> Result<Item, Fault> {
    let Event::Object(event) = event else { return Err(Fault::whole("is not a JSON object")) };
    if let Some(name) = event.twice {
        return Err(Fault::at(name, "is given twice"));
    }
    let json = match &event.datacontenttype {
        Loose::Absent => true,
        Loose::Text(text) => is_json(text),
        _ => false,
    };
    if !json {
        return Err(Fault::at("datacontenttype", "must be absent or JSON, such as `application/json`"));
    }
    let attributes = Attributes {
        id: event.id.text(),
        source: event.source.text(),
        specversion: event.specversion.text(),
        r#type: event.r#type.text(),
    };
    attributes.check()?;
    match &event.data {
        Some(fields) => within(fields, &attributes, keyring),
        None if event.has_base64 => Err(Fault::at("data_base64", "is not read: send `data` as JSON")),
        None => Err(Fault::at("data", "is missing")),
    }
}

/// What an event carries.
fn within(fields: &Fields, attributes: &Attributes<'_>, keyring: &Keyring) -> Result<Item, Fault> {
    let (source, id) = attributes.check()?;
    let event = Some(keyring.event(source, id));
    let mut registration = registered(fields, keyring)?;
    // An event is written for many readers, who may mean something else by the word.
    registration.batch = fields.batch.text().and_then(|text| BatchName::parse(text).ok());
    Ok(Item { registration, event })
}

fn registered(fields: &Fields, keyring: &Keyring) -> Result<crate::job::Registration, Fault> {
    if !fields.is_object {
        return Err(Fault::whole("is not a JSON object"));
    }
    if let Some(name) = fields.twice {
        return Err(Fault::at(name, "is given twice"));
    }
    let email = match &fields.email {
        Loose::Text(text) => text,
        Loose::Absent | Loose::Null => return Err(Fault::at("email", "is missing")),
        Loose::Whole(_) | Loose::Other => return Err(Fault::at("email", "must be a JSON string")),
    };
    let member = match &fields.member_id {
        Loose::Absent | Loose::Null => None,
        Loose::Text(text) | Loose::Whole(text) => Some(text.as_str()),
        Loose::Other => {
            return Err(Fault::at("member_id", "must be a JSON string or a whole number below 2^64"));
        }
    };
    Ok(registration(member, email, keyring)?)
}

/// Whether a media type is JSON: `application/json`, `text/json`, anything with the suffix `+json`.
pub(super) fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

#[cfg(test)]
mod tests;
