//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the key of a request, and keys under way.
//!
//! What was said to a key is remembered by the store, with what was taken in. Here is only what cannot be stored: that a
//! request with this key is being worked on right now.
//!
//! Invariant: a key leaves `UnderWay` when its request ends, also when the caller goes away.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;

use super::answer::Problem;
use crate::keyring::SeenKey;

const HEADER: &str = "idempotency-key";
const LONGEST: usize = 255;

/// The key of a request, where it has one. The draft asks for a quoted string (RFC 8941); most clients send a bare one,
/// which means the same key.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let fits = !bare.is_empty()
        && bare.len() <= LONGEST
        && bare
            .bytes()
            .all(|byte| (byte == b' ' || byte.is_ascii_graphic()) && byte != b'"' && byte != b'\\');
    if !fits || values.next().is_some() {
        let detail = format!(
            "`Idempotency-Key` must come once, with 1 to {LONGEST} visible ASCII characters other than quotes and backslashes"
        );
        return Err(Problem::malformed(detail));
    }
    Ok(Some(bare))
}

/// The keys of requests that are being worked on in this process.
#[derive(Debug, Default)]
pub(super) struct UnderWay(Mutex<HashSet<SeenKey>>);

/// A key that is under way as long as this lives.
pub(super) struct Held<'a> {
    under_way: &'a UnderWay,
    key: SeenKey,
}

impl UnderWay {
    /// Takes a key; `None` where somebody has it.
    pub(super) fn take(&self, key: SeenKey) -> Option<Held<'_>> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        taken.then_some(Held { under_way: self, key })
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.under_way.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_key_is_read_quoted_or_bare() {
        let read = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(HEADER, HeaderValue::from_bytes(value).unwrap());
            }
            key(&headers).map(|key| key.map(str::to_owned)).map_err(|problem| problem.status().as_u16())
        };
        assert_eq!(read(&[]), Ok(None));
        for spelling in [&b"\"k 1\""[..], b"k 1", b" k 1 "] {
            assert_eq!(read(&[spelling]), Ok(Some("k 1".to_owned())));
        }
        let longest = vec![b'k'; LONGEST];
        assert_eq!(read(&[&longest]).unwrap().unwrap().len(), LONGEST);
        let too_long = vec![b'k'; LONGEST + 1];
        for wrong in [&b""[..], b"\"\"", b"a\"b", b"\"a", b"a\\b", b"k\xc3\xa9", b"a\tb", &too_long] {
            assert_eq!(read(&[wrong]), Err(400), "{wrong:?}");
        }
        assert_eq!(read(&[b"a", b"a"]), Err(400), "two of them");
    }

    #[test]
    fn a_key_is_held_once_and_let_go() {
        let (under_way, key) = (UnderWay::default(), SeenKey::from_bytes([1; 32]));
        let held = under_way.take(key).unwrap();
        assert!(under_way.take(key).is_none());
        assert!(under_way.take(SeenKey::from_bytes([2; 32])).is_some());
        drop(held);
        assert!(under_way.take(key).is_some());
    }
}
