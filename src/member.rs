//! Who a member is in the user's own system.
//!
//! Invariant: an id can stand in logs: no address, no control characters, bounded.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::keyring::SubjectKey;

/// The id of a member in the user's own system. Not personal data by itself: logs may carry it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemberId(String);

/// Why a text cannot be a member id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MemberIdError {
    #[error("the member id is empty")]
    Empty,
    #[error("the member id is longer than {} bytes", MemberId::MAX_BYTES)]
    TooLong,
    #[error("the member id has control characters")]
    Control,
    #[error("the member id holds an `@`: an e-mail address is personal data, and ids appear in logs")]
    Address,
}

impl MemberId {
    pub const MAX_BYTES: usize = 200;

    pub fn parse(text: &str) -> Result<Self, MemberIdError> {
        let text = text.trim();
        if text.is_empty() {
            Err(MemberIdError::Empty)
        } else if text.len() > Self::MAX_BYTES {
            Err(MemberIdError::TooLong)
        } else if text.chars().any(char::is_control) {
            Err(MemberIdError::Control)
        } else if text.contains('@') {
            Err(MemberIdError::Address)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The id of a member who came without one: the same for all spellings of the mailbox, and not the address.
    pub fn of_subject(subject: SubjectKey) -> Self {
        Self(format!("m_{}", hex::encode(&subject.as_bytes()[..10])))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for MemberId {
    type Error = MemberIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<MemberId> for String {
    fn from(member: MemberId) -> Self {
        member.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn member_ids_are_plain_tokens() {
        let longest = "é".repeat(MemberId::MAX_BYTES / 2);
        for (text, expected) in [
            ("m-1", Ok("m-1")),
            ("  42\t", Ok("42")),
            ("Zoë 7/ä", Ok("Zoë 7/ä")),
            (&longest, Ok(longest.as_str())),
            ("", Err(MemberIdError::Empty)),
            (" \n ", Err(MemberIdError::Empty)),
            (&format!("{longest}x"), Err(MemberIdError::TooLong)),
            ("a\u{0}b", Err(MemberIdError::Control)),
            ("a\u{85}b", Err(MemberIdError::Control)),
            ("ada@example.com", Err(MemberIdError::Address)),
        ] {
            let parsed = MemberId::parse(text);
            assert_eq!(parsed.as_ref().map(MemberId::as_str), expected.as_ref().map(|id| *id), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_member_id_survives_its_own_spelling(text in any::<String>()) {
            if let Ok(id) = MemberId::parse(&text) {
                assert!(id.as_str().len() <= MemberId::MAX_BYTES);
                assert_eq!(MemberId::parse(id.as_str()), Ok(id.clone()));
                let json = serde_json::to_string(&id).unwrap();
                assert_eq!(serde_json::from_str::<MemberId>(&json).unwrap(), id);
            }
        }
    }
}
