//! Which column, or which key of an object, means what.

/// Names of the e-mail address, with only letters and digits kept.
const EMAIL: [&str; 9] = [
    "email",
    "emailaddress",
    "mail",
    "mailaddress",
    "emails",
    "useremail",
    "memberemail",
    "contactemail",
    "primaryemail",
];
/// Names of the member's id.
const MEMBER: [&str; 12] = [
    "memberid",
    "id",
    "userid",
    "uid",
    "member",
    "externalid",
    "customerid",
    "accountid",
    "membernumber",
    "uuid",
    "subscriberid",
    "contactid",
];

/// Where to find what in a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Columns {
    pub(super) email: usize,
    pub(super) member: Option<usize>,
}

impl Columns {
    /// Finds the columns in a header; `None` where no column means an e-mail address.
    pub(super) fn find<'a>(header: impl Iterator<Item = &'a str>) -> Option<Self> {
        let header: Vec<_> = header.map(meaning).collect();
        // The earlier name in the list is the better one: `member_id` before `id`.
        let place =
            |names: &[&str]| names.iter().find_map(|name| header.iter().position(|column| column == name));
        Some(Self { email: place(&EMAIL)?, member: place(&MEMBER) })
    }
}

pub(super) fn is_email(key: &str) -> bool {
    EMAIL.contains(&meaning(key).as_str())
}

/// How well a key names the member's id; lower is better.
pub(super) fn member_rank(key: &str) -> Option<usize> {
    let key = meaning(key);
    MEMBER.iter().position(|name| *name == key)
}

/// A name without case, spaces, dashes and underscores.
fn meaning(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_meaning() {
        for (header, email, member) in [
            (&["member_id", "email"][..], 1, Some(0)),
            (&["E-Mail", "ID"], 0, Some(1)),
            (&["id", "Email Address", "Member ID"], 1, Some(2)),
            (&["EMAIL_ADDRESS"], 0, None),
            (&["name", "e mail", "User-Id"], 1, Some(2)),
        ] {
            let found = Columns::find(header.iter().copied()).unwrap();
            assert_eq!((found.email, found.member), (email, member), "{header:?}");
        }
        assert_eq!(Columns::find(["name", "phone"].into_iter()), None);
    }
}
