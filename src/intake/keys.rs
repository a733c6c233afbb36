//! What columns and JSON keys mean, by their names, and what a JSON object says of a member.
//!
//! Invariant: decides from names alone; a fault repeats nothing that may be a value.

use serde_json::{Map, Value};

/// Names for the e-mail address, the most telling first; compared by letters and digits only, in lower case.
const EMAIL_NAMES: [&str; 8] = [
    "email",
    "emailaddress",
    "mail",
    "mailaddress",
    "memberemail",
    "useremail",
    "customeremail",
    "contactemail",
];

/// Names for the id. A plain `id` comes last: beside a `user_id` it is the row's own number.
const MEMBER_NAMES: [&str; 6] = ["memberid", "userid", "customerid", "externalid", "uid", "id"];

/// As told to people whose file has none of them.
pub(super) const ACCEPTED_EMAIL_NAMES: &str = "`email`, `e-mail`, `email_address` or `mail`";

/// What is wrong with an object's values.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ObjectFault {
    #[error("the object has no `email`")]
    NoEmail,
    #[error("the e-mail address is not a JSON string")]
    EmailNotText,
    #[error("the member id is neither a JSON string nor a whole number below 2^64")]
    MemberNotText,
}

/// What an object says, before it is judged. Not `Debug`: it holds an address.
pub(super) struct Said {
    pub(super) member: Result<Option<String>, ObjectFault>,
    pub(super) email: Result<String, ObjectFault>,
}

/// Reads the most telling keys, and leaves all others.
pub(super) fn of_object(object: &Map<String, Value>) -> Said {
    let email = match most_telling(object, email_rank) {
        Some(Value::String(email)) => Ok(email.clone()),
        Some(Value::Null) => Ok(String::new()),
        Some(_) => Err(ObjectFault::EmailNotText),
        None => Err(ObjectFault::NoEmail),
    };
    let member = match most_telling(object, member_rank) {
        Some(Value::String(member)) => Ok(Some(member.clone())),
        // A number that is kept as a float lost digits.
        Some(Value::Number(member)) if !member.is_f64() => Ok(Some(member.to_string())),
        Some(Value::Null) | None => Ok(None),
        Some(_) => Err(ObjectFault::MemberNotText),
    };
    Said { member, email }
}

/// How telling a name is for the e-mail address: the lower, the more; `None` for other names.
pub(super) fn email_rank(name: &str) -> Option<usize> {
    rank(name, &EMAIL_NAMES)
}

/// How telling a name is for the member id.
pub(super) fn member_rank(name: &str) -> Option<usize> {
    rank(name, &MEMBER_NAMES)
}

fn rank(name: &str, names: &[&str]) -> Option<usize> {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    names.iter().position(|known| *known == plain)
}

/// The value under the most telling of the keys.
fn most_telling(object: &Map<String, Value>, rank: fn(&str) -> Option<usize>) -> Option<&Value> {
    let ranked = object.iter().filter_map(|(key, value)| Some((rank(key)?, value)));
    ranked.min_by_key(|(rank, _)| *rank).map(|(_, value)| value)
}
