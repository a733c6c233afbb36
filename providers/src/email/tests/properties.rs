//! What holds of every text.

use proptest::prelude::*;
use unicode_normalization::is_nfc;

use super::super::EmailAddress;

/// Texts that are nearly addresses, which random ones never are.
fn nearly() -> impl Strategy<Value = String> {
    let local = r#"[a-zA-Z0-9.+_'"\\ =@<>\-éßİΣȺñ字\u{301}\u{200B}\r\n]{0,12}|"[ -~é]{0,8}"|[a-z]{1,8}[.+\-][a-zA-Z]{1,8}"#;
    let domain = r"gmail\.com|googlemail\.com|me\.com|yandex\.com|Yahoo\.de|outlook\.com|[a-zA-Z0-9.\-éßü字。]{0,12}\.[a-z]{1,3}";
    let around = r#"|[ "'<]|Jane <|mailto:"#;
    (around, local, domain, r#"[ "'>]?"#)
        .prop_map(|(head, local, domain, tail)| format!("{head}{local}@{domain}{tail}"))
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![4 => nearly(), 1 => any::<String>(), 1 => r"\PC{0,40}@\PC{0,40}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_accepted_is_safe_and_stable(text in any_text()) {
        let Ok(email) = EmailAddress::parse(&text) else { return Ok(()) };
        let address = email.expose();
        prop_assert!(address.len() <= 254 && email.local_part().len() <= 64);
        prop_assert!(!address.chars().any(char::is_control));
        prop_assert!(email.domain().is_ascii() && email.domain() == email.domain().to_ascii_lowercase());
        prop_assert!(email.domain().contains('.') && !email.domain().contains('@'));
        prop_assert!(is_nfc(email.canonical()));

        let again = EmailAddress::parse(address);
        prop_assert_eq!(again.as_ref(), Ok(&email));
        let of_key = EmailAddress::parse(email.canonical());
        prop_assert_eq!(of_key.as_ref().map(EmailAddress::canonical), Ok(email.canonical()));
        prop_assert_eq!(of_key.map(|key| key.kind()).ok(), Some(email.kind()));

        email.name_guess();
        prop_assert_eq!(email.sha256().len(), 64);
    }

    #[test]
    fn case_and_padding_never_make_another_mailbox(local in "[a-z]{1,10}[.+]?[a-z]{1,10}", domain in "[a-z]{1,10}\\.(com|de)") {
        let plain = EmailAddress::parse(&format!("{local}@{domain}")).unwrap();
        let loud = EmailAddress::parse(&format!(" <{}@{}>\n", local.to_uppercase(), domain.to_uppercase())).unwrap();
        prop_assert_eq!(plain.canonical(), loud.canonical());
        prop_assert_eq!(plain.sha256(), loud.sha256());
    }

    #[test]
    fn refusals_carry_nothing_of_the_text(secret in "[b-z]{12}") {
        for text in [format!("{secret}@"), format!("{secret} {secret}@x.yz"), format!("a@{secret}"), secret.clone()] {
            let error = EmailAddress::parse(&text).unwrap_err();
            let told = format!("{error} {error:?}");
            prop_assert!(!told.contains(&secret));
        }
    }
}
