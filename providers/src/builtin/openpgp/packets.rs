//! As much of `OpenPGP` (RFC 9580) as it takes to list the names in a key: armour, packet headers, user ids.
//!
//! Invariant: pure, linear in the input, and without a panic for any bytes.

/// Names that are read of one key: more than anybody has.
const MOST_NAMES: usize = 64;
/// The longest user id that is read.
const MAX_NAME_BYTES: usize = 2048;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const PUBLIC_KEY: u8 = 6;
const USER_ID: u8 = 13;

/// The bytes inside the armour (section 6); its checksum is optional and only guards against accidents.
pub(super) fn dearmored(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let (_, rest) = text.split_once(BEGIN)?;
    let mut lines = rest.lines().map(str::trim).skip(1);
    // Headers such as `Comment: …` end with an empty line.
    lines.by_ref().find(|line| line.is_empty())?;
    let mut bytes = Vec::with_capacity(rest.len() / 4 * 3);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for line in lines {
        if line.starts_with('=') || line.starts_with("-----END") {
            return Some(bytes);
        }
        for digit in line.bytes().filter(|byte| *byte != b'=') {
            held = (held << 6) | u32::from(sextet(digit)?);
            bits += 6;
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
                held &= (1 << bits) - 1;
            }
        }
    }
    None
}

const fn sextet(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// The texts of the user id packets (section 5.11); `None` for what is no key.
pub(super) fn user_ids(mut bytes: &[u8]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut is_key = false;
    while !bytes.is_empty() && names.len() < MOST_NAMES {
        let (tag, body, rest) = packet(bytes)?;
        if !is_key && tag != PUBLIC_KEY {
            return None;
        }
        is_key = true;
        if tag == USER_ID && body.len() <= MAX_NAME_BYTES {
            names.extend(std::str::from_utf8(body).ok().map(str::to_owned));
        }
        bytes = rest;
    }
    is_key.then_some(names)
}

/// The first packet's tag and body, and what follows it (section 4.2).
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&header, rest) = bytes.split_first()?;
    if header & 0x80 == 0 {
        return None;
    }
    let number = |bytes: &[u8]| bytes.iter().fold(0_usize, |number, byte| (number << 8) | usize::from(*byte));
    let (tag, size_bytes, length) = if header & 0x40 == 0 {
        let tag = (header >> 2) & 0x0f;
        match header & 3 {
            // Up to the end.
            3 => return Some((tag, rest, &[])),
            kind => {
                let size = 1_usize << kind;
                (tag, size, number(rest.get(..size)?))
            }
        }
    } else {
        let first = usize::from(*rest.first()?);
        let (size, length) = match first {
            0..=191 => (1, first),
            192..=223 => (2, ((first - 192) << 8) + usize::from(*rest.get(1)?) + 192),
            255 => (5, number(rest.get(1..5)?)),
            // Lengths in parts are for data, never for what a key is made of.
            _ => return None,
        };
        (header & 0x3f, size, length)
    };
    let end = size_bytes.checked_add(length)?;
    Some((tag, rest.get(size_bytes..end)?, rest.get(end..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn packets_come_in_two_formats_and_several_lengths() {
        // Old format with lengths of one, two and four bytes and none; new format with one, two and five.
        for id in [
            &b"\xb4\x03Ada"[..],
            b"\xb5\x00\x03Ada",
            b"\xb6\x00\x00\x00\x03Ada",
            b"\xb7Ada",
            b"\xcd\x03Ada",
            b"\xcd\xff\x00\x00\x00\x03Ada",
        ] {
            let key = [b"\x99\x00\x01\x04", id].concat();
            assert_eq!(user_ids(&key).as_deref(), Some(&["Ada".to_owned()][..]), "{id:x?}");
        }
        let long = "x".repeat(300);
        let key = [b"\x99\x00\x01\x04\xcd\xc0\x6c", long.as_bytes()].concat();
        assert_eq!(user_ids(&key), Some(vec![long]));
    }

    #[test]
    fn what_is_no_key_is_none() {
        for (case, bytes) in [
            ("nothing", &b""[..]),
            ("text", b"<!doctype html>"),
            ("a name without a key", b"\xb4\x03Ada"),
            ("a length beyond the end", b"\x99\x00\x01\x04\xb4\x09Ada"),
            ("a length in parts", b"\x99\x00\x01\x04\xcd\xe1Ad"),
        ] {
            assert_eq!(user_ids(bytes), None, "{case}");
        }
        let unclosed = format!("{BEGIN}\n\nmDMEawRo\n");
        for text in [unclosed.as_str(), "", BEGIN, "-----BEGIN PGP MESSAGE-----\n\nmDME\n-----END"] {
            assert_eq!(dearmored(text.as_bytes()), None, "{text}");
        }
        let commented = format!("{BEGIN}\nComment: x\n\nQWRh\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n");
        assert_eq!(dearmored(commented.as_bytes()).as_deref(), Some(&b"Ada"[..]));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let names = user_ids(&bytes).unwrap_or_default();
            prop_assert!(names.iter().map(String::len).sum::<usize>() <= bytes.len());
            let _ = dearmored(&bytes);
        }
    }
}
