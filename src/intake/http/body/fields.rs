//! JSON texts read into the few fields that matter, without keeping the rest.
//!
//! Invariant: only a broken text is an error; a value of the wrong kind is for the caller to tell, item by item. What is
//! passed over is not kept, so that a text of one MiB costs a few MiB whatever it holds.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Unreadable;

/// One value, or an array of them.
#[derive(Debug)]
pub(super) enum Content<T> {
    One(T),
    Many(Vec<T>),
    /// An array of so many, which are more than may be.
    TooMany(usize),
}

/// Reads a whole text.
pub(super) fn parse<'de, T: Deserialize<'de>>(
    text: &'de str,
    at_most: usize,
) -> Result<Content<T>, Unreadable> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let content = if text.trim_start().starts_with('[') {
        deserializer.deserialize_seq(Items { at_most, kind: PhantomData })
    } else {
        T::deserialize(&mut deserializer).map(Content::One)
    };
    content.and_then(|content| deserializer.end().map(|()| content)).map_err(|error| {
        // Syntax errors quote nothing; their place is told apart.
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default().to_owned();
        Unreadable::Syntax { line: error.line(), column: error.column(), what }
    })
}

/// Answers for every kind of value that a visitor has no use for.
macro_rules! anything_else {
    ($value:expr; $($kind:ident),+) => {
        $(anything_else!(@ $kind $value);)+
    };
    (@ bool $value:expr) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> { Ok($value) }
    };
    (@ numbers $value:expr) => {
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> { Ok($value) }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> { Ok($value) }
    };
    (@ float $value:expr) => {
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> { Ok($value) }
    };
    (@ text $value:expr) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> { Ok($value) }
    };
    (@ null $value:expr) => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> { Ok($value) }
    };
    (@ seq $value:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
    (@ map $value:expr) => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($value)
        }
    };
}

/// An array, of which so many items are kept.
struct Items<T> {
    at_most: usize,
    kind: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
    type Value = Content<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while items.len() < self.at_most {
            match seq.next_element()? {
                Some(item) => items.push(item),
                None => return Ok(Content::Many(items)),
            }
        }
        let mut count = items.len();
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(if count > items.len() { Content::TooMany(count) } else { Content::Many(items) })
    }
}

/// A value of which only texts and whole numbers are kept.
#[derive(Debug, Default)]
pub(super) enum Loose {
    #[default]
    Absent,
    Null,
    Text(String),
    Whole(String),
    Other,
}

impl Loose {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    const fn is_given(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Loose, E> {
        Ok(Loose::Whole(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Loose, E> {
        Ok(Loose::Whole(number.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Null)
    }

    anything_else!(Loose::Other; bool, float, seq, map);
}

/// Whether an object has any other field.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Unknown {
    #[default]
    None,
    /// One that resembles this one.
    Near(&'static str),
    Far,
}

/// What a registration is made of.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) is_object: bool,
    pub(super) member_id: Loose,
    pub(super) email: Loose,
    pub(super) batch: Loose,
    /// A known field that is given more than once.
    pub(super) twice: Option<&'static str>,
    pub(super) unknown: Unknown,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields { is_object: true, ..Fields::default() };
        while let Some(Key(key)) = map.next_key()? {
            let (name, slot) = match key.as_str() {
                "member_id" => ("member_id", &mut fields.member_id),
                "email" => ("email", &mut fields.email),
                "batch" => ("batch", &mut fields.batch),
                other => {
                    fields.unknown = fields.unknown.or_else(|| nearest(other));
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if slot.is_given() {
                fields.twice = Some(name);
            }
            *slot = map.next_value()?;
        }
        Ok(fields)
    }

    anything_else!(Fields::default(); bool, numbers, float, text, null, seq);
}

impl Unknown {
    fn or_else(self, another: impl FnOnce() -> Self) -> Self {
        if matches!(self, Self::None) { another() } else { self }
    }
}

/// The known field that was probably meant.
fn nearest(word: &str) -> Unknown {
    // What is long is no misspelling, and comparing it costs its square.
    let close = |known: &&str| word.len() < 32 && strsim::jaro_winkler(&word.to_lowercase(), known) > 0.75;
    ["member_id", "email", "batch"].into_iter().find(close).map_or(Unknown::Far, Unknown::Near)
}

/// A key of an object, kept no longer than it is looked at.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

/// A `CloudEvent` in structured mode.
#[derive(Debug)]
pub(super) enum Event {
    Object(Box<EventFields>),
    Other,
}

/// The attributes that matter.
#[derive(Debug, Default)]
pub(super) struct EventFields {
    pub(super) id: Loose,
    pub(super) source: Loose,
    pub(super) specversion: Loose,
    pub(super) r#type: Loose,
    pub(super) datacontenttype: Loose,
    pub(super) data: Option<Fields>,
    pub(super) has_base64: bool,
    /// An attribute that is given more than once.
    pub(super) twice: Option<&'static str>,
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EventVisitor)
    }
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
        let mut event = Box::<EventFields>::default();
        while let Some(Key(key)) = map.next_key()? {
            let (name, slot) = match key.as_str() {
                "id" => ("id", &mut event.id),
                "source" => ("source", &mut event.source),
                "specversion" => ("specversion", &mut event.specversion),
                "type" => ("type", &mut event.r#type),
                "datacontenttype" => ("datacontenttype", &mut event.datacontenttype),
                "data" => {
                    if event.data.is_some() {
                        event.twice = Some("data");
                    }
                    event.data = Some(map.next_value()?);
                    continue;
                }
                other => {
                    event.has_base64 |= other == "data_base64";
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if slot.is_given() {
                event.twice = Some(name);
            }
            *slot = map.next_value()?;
        }
        Ok(Event::Object(event))
    }

    anything_else!(Event::Other; bool, numbers, float, text, null, seq);
}
