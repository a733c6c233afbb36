//! What a message says, whichever door it came through: bytes in, registrations and reasons out.
//!
//! Read are an object with the keys of a JSON line (`{"member_id": "42", "email": "jane@example.com"}`), a `CloudEvent` in
//! structured JSON whose `data` is such an object, an array of either, and a text that is only an address.
//!
//! Invariant: pure, and total: any bytes get an answer. An array's entries stand for themselves: a bad one costs only
//! itself. Faults carry nothing of what the message holds.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::keys::{self, ObjectFault};
use super::{Reason, registration};
use crate::job::{BatchName, Registration};
use crate::keyring::Keyring;
use crate::member::MemberId;

#[cfg(test)]
mod tests;

/// The longest message that is read.
pub const MAX_BYTES: usize = 1024 * 1024;

/// The most entries of one array, and so registrations of one message.
pub const MAX_ENTRIES: usize = 1_000;

/// Why a message, or one entry of it, cannot become a registration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    #[error("the message is longer than {} KiB", MAX_BYTES / 1024)]
    TooLong,
    #[error("the message is empty")]
    Empty,
    #[error("the message is not UTF-8 text")]
    NotText,
    #[error("the message is neither JSON nor an e-mail address")]
    NotJson,
    #[error("the message is not valid JSON (line {line}, column {column})")]
    BadJson { line: usize, column: usize },
    #[error("the message ends in the middle of its JSON")]
    CutOff,
    #[error("the array has {found} entries, and at most {MAX_ENTRIES} are taken; send several messages")]
    TooMany { found: usize },
    #[error("the array is empty")]
    NoEntries,
    #[error("the entry is not a JSON object")]
    NotAnObject,
    #[error("the event has no `data` that is a JSON object")]
    NoData,
    #[error("the event holds `data_base64`; send its data as JSON in `data`")]
    EncodedData,
    #[error(transparent)]
    Object(#[from] ObjectFault),
    #[error(transparent)]
    Unfit(#[from] Reason),
}

/// A message that could be read.
#[derive(Debug)]
pub struct Message {
    /// At least one, in the order of the message.
    pub entries: Vec<Entry>,
    /// Whether it was an array.
    pub is_array: bool,
}

/// One registration of a message, or what is wrong with it.
#[derive(Debug)]
pub struct Entry {
    pub judged: Result<Registration, Misfit>,
    /// Where the entry is a `CloudEvent`.
    pub event: Option<Event>,
}

/// An entry that cannot become a registration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Misfit {
    /// The member, where the entry names one that is usable.
    pub member: Option<MemberId>,
    pub fault: Fault,
}

/// What names a `CloudEvent`: `source` and `id` together are unique.
#[derive(Clone, Eq, PartialEq)]
pub struct Event {
    pub source: String,
    pub id: String,
    pub time: Option<Timestamp>,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nothing keeps a sender from making an id of an address.
        f.debug_struct("Event").field("time", &self.time).finish_non_exhaustive()
    }
}

/// Reads a message. An error means that the message as a whole says nothing.
pub fn read(message: &[u8], keyring: &Keyring) -> Result<Message, Fault> {
    if message.len() > MAX_BYTES {
        return Err(Fault::TooLong);
    }
    let text = std::str::from_utf8(message).map_err(|_| Fault::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
    match text.bytes().next() {
        None => Err(Fault::Empty),
        Some(b'{' | b'[' | b'"') => read_json(text, keyring),
        Some(_) if text.contains('@') && !text.contains(char::is_control) => {
            Ok(Message { entries: vec![read_address(text, keyring)], is_array: false })
        }
        Some(_) => Err(Fault::NotJson),
    }
}

fn read_json(text: &str, keyring: &Keyring) -> Result<Message, Fault> {
    // The error's own text may quote the message.
    let value: Value = serde_json::from_str(text).map_err(|error| {
        if error.is_eof() {
            Fault::CutOff
        } else {
            Fault::BadJson { line: error.line(), column: error.column() }
        }
    })?;
    match value {
        Value::Array(entries) if entries.is_empty() => Err(Fault::NoEntries),
        Value::Array(entries) if entries.len() > MAX_ENTRIES => Err(Fault::TooMany { found: entries.len() }),
        Value::Array(entries) => Ok(Message {
            entries: entries.iter().map(|entry| read_entry(entry, keyring)).collect(),
            is_array: true,
        }),
        value => Ok(Message { entries: vec![read_entry(&value, keyring)], is_array: false }),
    }
}

fn read_entry(value: &Value, keyring: &Keyring) -> Entry {
    match value {
        Value::String(address) => read_address(address, keyring),
        Value::Object(object) if object.get("specversion").is_some_and(Value::is_string) => {
            Entry { judged: read_data(object, keyring), event: read_event(object) }
        }
        Value::Object(object) => Entry { judged: read_object(object, keyring), event: None },
        _ => Entry { judged: Err(Misfit { member: None, fault: Fault::NotAnObject }), event: None },
    }
}

fn read_address(address: &str, keyring: &Keyring) -> Entry {
    let judged = registration(None, address, keyring);
    Entry { judged: judged.map_err(|reason| Misfit { member: None, fault: reason.into() }), event: None }
}

fn read_event(envelope: &Map<String, Value>) -> Option<Event> {
    let text = |key: &str| envelope.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let time = text("time").and_then(|time| time.parse().ok());
    Some(Event { source: text("source")?.to_owned(), id: text("id")?.to_owned(), time })
}

fn read_data(envelope: &Map<String, Value>, keyring: &Keyring) -> Result<Registration, Misfit> {
    match envelope.get("data") {
        Some(Value::Object(data)) => read_object(data, keyring),
        None if envelope.contains_key("data_base64") => {
            Err(Misfit { member: None, fault: Fault::EncodedData })
        }
        _ => Err(Misfit { member: None, fault: Fault::NoData }),
    }
}

fn read_object(object: &Map<String, Value>, keyring: &Keyring) -> Result<Registration, Misfit> {
    let said = keys::of_object(object);
    let judged = said.email.map_err(Fault::from).and_then(|email| {
        let member = said.member.as_ref().map_err(|fault| Fault::from(*fault))?;
        let mut registration = registration(member.as_deref(), &email, keyring)?;
        // A message is written for many readers, who may mean something else by the word.
        let batch = object.get("batch").and_then(Value::as_str);
        registration.batch = batch.and_then(|text| BatchName::parse(text).ok());
        Ok(registration)
    });
    judged.map_err(|fault| {
        let named = said.member.ok().flatten();
        Misfit { member: named.and_then(|text| MemberId::parse(&text).ok()), fault }
    })
}
