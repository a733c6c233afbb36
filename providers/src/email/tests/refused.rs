//! What is refused, and why.

use super::{EmailError, refusal};

const REFUSED: &[(&str, &str)] = &[
    ("", "is empty"),
    (" \t\n", "is empty"),
    ("<>", "is empty"),
    ("\"\"", "is empty"),
    ("mailto:", "is empty"),
    ("\u{200B}\u{FEFF}", "is empty"),
    ("jane", "has no `@`"),
    ("jane.example.com", "has no `@`"),
    ("Jane Doe", "has no `@`"),
    ("Jane Doe <jane>", "has no `@`"),
    ("jane＠example.com", "has no `@`"),
    ("https://example.com/jane", "has no `@`"),
    ("jane@doe@example.com", "has more than one `@`: give one address"),
    ("jane@@example.com", "has more than one `@`: give one address"),
    ("jane@example.com,joe@example.org", "has more than one `@`: give one address"),
    ("jane@example.com; joe@example.org", "has more than one `@`: give one address"),
    ("jane@example.com <joe@example.org>", "has more than one `@`: give one address"),
    ("jane@example.com, Joe <joe@example.org>", "has more than one `@`: give one address"),
    ("@example.com", "the part before the `@` is empty"),
    ("\"\"@example.com", "the part before the `@` is empty"),
    (".jane@example.com", "the part before the `@` begins with a dot"),
    ("jane.@example.com", "the part before the `@` ends with a dot"),
    ("jane..doe@example.com", "the part before the `@` has two dots in a row"),
    ("../../etc/passwd@example.com", "the part before the `@` begins with a dot"),
    ("jane\"doe@example.com", "the part before the `@` has a quote inside"),
    ("\"jane\"doe@example.com", "the part before the `@` goes on after its quotation"),
    ("\"jane@example.com", "the part before the `@` begins a quotation and does not end it"),
    ("\"jane\\\"@example.com", "the part before the `@` begins a quotation and does not end it"),
    ("jane(work)@example.com", "the part before the `@` has a character that must be quoted"),
    ("jane,doe@example.com", "the part before the `@` has a character that must be quoted"),
    ("a[b]@example.com", "the part before the `@` has a character that must be quoted"),
    ("a\\b@example.com", "the part before the `@` has a character that must be quoted"),
    ("jane doe@example.com", "has a character that no address may have: a space"),
    ("jane @example.com", "has a character that no address may have: a space"),
    ("jane@ example.com", "has a character that no address may have: a space"),
    ("jane@exam ple.com", "has a character that no address may have: a space"),
    ("jane\u{A0}doe@example.com", "has a character that no address may have: a space"),
    ("jane\ndoe@example.com", "has a character that no address may have: a line break"),
    ("jane@example.com\r\nBcc: joe", "has a character that no address may have: a line break"),
    ("\"jane\r\n\"@example.com", "has a character that no address may have: a line break"),
    ("mailto:jane%0d%0aBcc:@example.com", "has a character that no address may have: a line break"),
    ("jane\0@example.com", "has a character that no address may have: a NUL"),
    ("jane@example.com\0", "has a character that no address may have: a NUL"),
    ("jane\u{7f}@example.com", "has a character that no address may have: a control character"),
    ("jane\u{85}doe@example.com", "has a character that no address may have: a control character"),
    ("\"jane\tdoe\"@example.com", "has a character that no address may have: a control character"),
    ("ja\u{200B}ne@example.com", "has a character that no address may have: an invisible character"),
    ("ja\u{202E}ne@example.com", "has a character that no address may have: an invisible character"),
    ("jane@exam\u{AD}ple.com", "has a character that no address may have: an invisible character"),
    ("ja＠ne@example.com", "has a character that no address may have: a sign that only looks like `@`"),
    ("ja\u{FFFD}ne@example.com", "has a character that no address may have: a sign without a meaning"),
    ("mailto:jane%FF@example.com", "has a character that no address may have: not UTF-8 once decoded"),
    ("jane@", "the domain is empty"),
    ("jane@.example.com", "the domain begins with a dot"),
    ("jane@example.com.", "the domain ends with a dot"),
    ("jane@example..com", "the domain has two dots in a row"),
    ("user@localhost", "the domain has a single label: an address needs a full domain"),
    ("jane@com", "the domain has a single label: an address needs a full domain"),
    ("root@(none)", "the domain has a character other than letters, digits, hyphens and dots"),
    ("jane@exam_ple.com", "the domain has a character other than letters, digits, hyphens and dots"),
    ("jane@example.com(work)", "the domain has a character other than letters, digits, hyphens and dots"),
    ("jane@example.com:25", "the domain has a character other than letters, digits, hyphens and dots"),
    ("jane@example.com/x", "the domain has a character other than letters, digits, hyphens and dots"),
    ("jane@example.com,", "the domain has a character other than letters, digits, hyphens and dots"),
    ("jane@-example.com", "the domain has a label that begins or ends with a hyphen"),
    ("jane@example-.com", "the domain has a label that begins or ends with a hyphen"),
    ("jane@example.123", "the domain has no such top level"),
    ("jane@example.c", "the domain has no such top level"),
    ("jane@xn--.com", "the domain is not a valid international name"),
    ("jane@xn--a.com", "the domain is not a valid international name"),
    ("user@[10.0.0.1]", "the domain is an IP address: give a domain name"),
    ("user@[IPv6:2001:db8::1]", "the domain is an IP address: give a domain name"),
    ("user@10.0.0.1", "the domain is an IP address: give a domain name"),
    ("user@2001:db8::1", "the domain is an IP address: give a domain name"),
    ("user@10.0.1", "the domain has no such top level"),
];

#[test]
fn every_refusal_says_what_is_wrong() {
    for (text, reason) in REFUSED {
        assert_eq!(refusal(text).to_string(), *reason, "{text:?}");
    }
}

#[test]
fn the_limits_are_octets_and_exact() {
    let local = |octets: usize| format!("{}@example.com", "a".repeat(octets));
    assert!(super::EmailAddress::parse(&local(64)).is_ok());
    assert!(matches!(refusal(&local(65)), EmailError::TooLong(_)));
    // 32 letters of two octets each
    assert!(super::EmailAddress::parse(&format!("{}@example.com", "é".repeat(32))).is_ok());
    assert!(matches!(refusal(&format!("{}@example.com", "é".repeat(33))), EmailError::TooLong(_)));

    let label = |octets: usize| format!("jane@{}.com", "a".repeat(octets));
    assert!(super::EmailAddress::parse(&label(63)).is_ok());
    assert!(matches!(refusal(&label(64)), EmailError::TooLong(_)));

    let whole = |octets: usize| {
        let text = format!("jane@{}com", format!("{}.", "a".repeat(49)).repeat(4));
        format!("{}{}", "b".repeat(octets - text.len()), text)
    };
    assert_eq!(whole(254).len(), 254);
    assert!(super::EmailAddress::parse(&whole(254)).is_ok());
    assert!(matches!(refusal(&whole(255)), EmailError::TooLong(_)));
    assert!(matches!(refusal(&"a@".repeat(1_000_000)), EmailError::TooLong(_)));
    // Ⱥ has two octets, ⱥ three: the key would be no address
    assert!(matches!(refusal(&format!("{}@example.com", "Ⱥ".repeat(32))), EmailError::TooLong(_)));
}
