//! Answers gone wrong: one place at a time, in every way that a vendor's bug or an attacker's page brings about.
//!
//! Invariant: pure and deterministic.

use serde_json::{Value, json};

use super::Format;
use crate::hostile::{self, escaped, quoted_and_shown};

/// The body with one text at a time replaced by hostile ones: what was done, and the body.
pub(super) fn with_hostile_texts(body: &[u8], format: Format) -> Vec<(String, Vec<u8>)> {
    match format {
        Format::Opaque => Vec::new(),
        Format::Json => {
            let places = places(body).into_iter().filter(|(_, value)| value.is_string());
            let places: Vec<_> = places.collect();
            let mutants = places.iter().flat_map(|(place, _)| {
                hostile::texts().map(move |(name, text)| {
                    (format!("{name} at {place}"), replaced(body, place, &text.into()))
                })
            });
            mutants.collect()
        }
        Format::Html => {
            let text = String::from_utf8_lossy(body);
            let spans = quoted_and_shown(&text);
            let mutants = spans.iter().flat_map(|&(from, to)| {
                let (before, after) = (&text[..from], &text[to..]);
                let line = before.lines().count();
                hostile::texts().map(move |(name, hostile)| {
                    (
                        format!("{name} in line {line}"),
                        format!("{before}{}{after}", escaped(&hostile)).into_bytes(),
                    )
                })
            });
            mutants.collect()
        }
    }
}

/// The JSON body with one value at a time of a wrong type.
pub(super) fn with_wrong_types(body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let wrong = [Value::Null, json!(true), json!(-7.5), json!("x"), json!([]), json!([[]]), json!({})];
    let places = places(body);
    let mutants = places.iter().filter(|(place, _)| !place.is_empty()).flat_map(|(place, _)| {
        wrong.iter().map(move |wrong| (format!("{wrong} at {place}"), replaced(body, place, wrong)))
    });
    mutants.collect()
}

/// The JSON body without one field at a time: a partial answer.
pub(super) fn without_a_field(body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let places = places(body);
    let mutants = places.iter().filter_map(|(place, _)| {
        let (parent, name) = place.rsplit_once('/')?;
        let mut value: Value = serde_json::from_slice(body).ok()?;
        let fields = value.pointer_mut(parent)?.as_object_mut()?;
        fields.remove(&name.replace("~1", "/").replace("~0", "~"))?;
        Some((format!("nothing at {place}"), value.to_string().into_bytes()))
    });
    mutants.collect()
}

/// The JSON body with a field that nobody knows in every object.
pub(super) fn with_unknown_fields(body: &[u8]) -> Vec<u8> {
    fn extend(value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(extend),
            Value::Object(fields) => {
                fields.values_mut().for_each(extend);
                fields.insert("a_field_of_next_year".into(), json!({"and": ["one", {"in": null}]}));
            }
            _ => {}
        }
    }
    let Ok(mut value) = serde_json::from_slice(body) else { return body.to_vec() };
    extend(&mut value);
    value.to_string().into_bytes()
}

/// Every place in a JSON body as a JSON pointer (RFC 6901), with what stands there.
fn places(body: &[u8]) -> Vec<(String, Value)> {
    fn visit(place: &str, value: &Value, places: &mut Vec<(String, Value)>) {
        places.push((place.to_owned(), value.clone()));
        match value {
            Value::Array(values) => {
                values
                    .iter()
                    .enumerate()
                    .for_each(|(at, value)| visit(&format!("{place}/{at}"), value, places));
            }
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                visit(&format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), value, places);
            }),
            _ => {}
        }
    }
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_slice(body) {
        visit("", &value, &mut found);
    }
    found
}

fn replaced(body: &[u8], place: &str, with: &Value) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    if let Some(at) = value.pointer_mut(place) {
        *at = with.clone();
    }
    value.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_broken_once_in_every_way() {
        let body = br#"{"a":[{"b/c":"x"}],"d":1}"#;
        let places: Vec<_> = places(body).into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, ["", "/a", "/a/0", "/a/0/b~1c", "/d"]);
        assert_eq!(with_wrong_types(body).len(), 4 * 7);
        assert_eq!(with_hostile_texts(body, Format::Json).len(), hostile::texts().count());
        let partial: Vec<_> = without_a_field(body).into_iter().map(|(what, _)| what).collect();
        assert_eq!(partial, ["nothing at /a", "nothing at /a/0/b~1c", "nothing at /d"]);
        let unknown = String::from_utf8(with_unknown_fields(br#"{"a":[{}]}"#)).unwrap();
        assert_eq!(unknown.matches("a_field_of_next_year").count(), 2);
    }
}
