//! What is accepted, how it is kept, and which mailbox it is.

use super::email;

#[test]
fn the_address_is_kept_as_registered() {
    let table: &[(&str, &str)] = &[
        // Plain
        ("jane@example.com", "jane@example.com"),
        ("Jane.Doe@Example.COM", "Jane.Doe@example.com"),
        ("jane+news@example.com", "jane+news@example.com"),
        ("j@example.com", "j@example.com"),
        ("1234567890@example.com", "1234567890@example.com"),
        ("_______@example.com", "_______@example.com"),
        ("jane@sub.domain.example.com", "jane@sub.domain.example.com"),
        ("jane@example-one.com", "jane@example-one.com"),
        ("jane@r3---sn.example.com", "jane@r3---sn.example.com"),
        ("jane@1.example.com", "jane@1.example.com"),
        ("jane@example.museum", "jane@example.museum"),
        ("jane@example.co.jp", "jane@example.co.jp"),
        // Every sign that RFC 5322 lets stand unquoted; hostile to shells, URLs and sheets, and valid
        ("!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("=cmd|'/c'!a0@example.com", "=cmd|'/c'!a0@example.com"),
        ("/etc/passwd@example.com", "/etc/passwd@example.com"),
        ("{{7*7}}@example.com", "{{7*7}}@example.com"),
        ("a%0d%0ab@example.com", "a%0d%0ab@example.com"),
        // Quoted local parts
        ("\"jane doe\"@example.com", "\"jane doe\"@example.com"),
        ("\"jane@work\"@example.com", "\"jane@work\"@example.com"),
        ("\"jane..doe\"@example.com", "\"jane..doe\"@example.com"),
        ("\"a\\\"b\"@example.com", "\"a\\\"b\"@example.com"),
        ("\"<script>\"@example.com", "\"<script>\"@example.com"),
        ("\"';drop table--\"@example.com", "\"';drop table--\"@example.com"),
        // Beyond ASCII: RFC 6531 local parts, IDNA domains
        ("josé@example.com", "josé@example.com"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
        ("अजय@डाटा.भारत", "अजय@xn--c2bd1gb.xn--h2brj9c"),
        ("квіточка@пошта.укр", "квіточка@xn--80a1acn3a.xn--j1amh"),
        ("θσερ@εχαμπλε.ψομ", "θσερ@xn--mxahbxey0c.xn--xxaf0a"),
        ("jane@Bücher.example", "jane@xn--bcher-kva.example"),
        ("jane@XN--BCHER-KVA.example", "jane@xn--bcher-kva.example"),
        ("jane@straße.example", "jane@xn--strae-oqa.example"),
        ("jane@example。com", "jane@example.com"),
        ("jane@ｅｘａｍｐｌｅ.com", "jane@example.com"),
        // What people and exports put around
        ("  jane@example.com\t", "jane@example.com"),
        ("jane@example.com\r\n", "jane@example.com"),
        ("\u{FEFF}jane@example.com\u{200B}", "jane@example.com"),
        ("\u{202A}jane@example.com\u{202C}", "jane@example.com"),
        ("\u{A0}jane@example.com\u{3000}", "jane@example.com"),
        ("<jane@example.com>", "jane@example.com"),
        ("< jane@example.com >", "jane@example.com"),
        ("\"jane@example.com\"", "jane@example.com"),
        ("'jane@example.com'", "jane@example.com"),
        ("“jane@example.com”", "jane@example.com"),
        ("Jane Doe <jane@example.com>", "jane@example.com"),
        ("\"Doe, Jane\" <jane@example.com>", "jane@example.com"),
        ("Doe, Jane <jane@example.com>", "jane@example.com"),
        ("\"Jane <Work>\" <jane@example.com>", "jane@example.com"),
        ("\"jane@example.org\" <jane@example.com>", "jane@example.com"),
        ("jane@example.com <jane@example.com>", "jane@example.com"),
        ("Jane <\"j<d>\"@example.com>", "\"j<d>\"@example.com"),
        ("mailto:jane@example.com", "jane@example.com"),
        ("MAILTO:jane%2Bnews@example.com?subject=Hi%20there", "jane+news@example.com"),
        ("<mailto:jane@example.com>", "jane@example.com"),
        ("Jane Doe <mailto:jane@example.com>", "jane@example.com"),
    ];
    for (text, registered) in table {
        let parsed = email(text);
        assert_eq!(parsed.expose(), *registered, "{text:?}");
        assert_eq!(format!("{}@{}", parsed.local_part(), parsed.domain()), *registered, "{text:?}");
    }
}

#[test]
fn one_mailbox_has_one_key() {
    let table: &[(&str, &str)] = &[
        // Case and composition, everywhere
        ("Jane@Example.com", "jane@example.com"),
        ("JOSE\u{301}@example.com", "jos\u{e9}@example.com"),
        ("jane@Bücher.example", "jane@xn--bcher-kva.example"),
        ("ДЖЕЙН@example.com", "джейн@example.com"),
        // Quotes and escapes that are not needed
        ("\"jane\"@example.com", "jane@example.com"),
        ("\"j\\ane.doe\"@example.com", "jane.doe@example.com"),
        ("\"jane doe\"@example.com", "\"jane doe\"@example.com"),
        ("\"jane\\ doe\"@example.com", "\"jane doe\"@example.com"),
        ("\"Jane.Doe+x\"@gmail.com", "janedoe@gmail.com"),
        ("\".jane\"@gmail.com", "\".jane\"@gmail.com"),
        // At a host that publishes no rule, tags and dots may tell two persons apart
        ("jane+news@example.com", "jane+news@example.com"),
        ("jane-news@example.com", "jane-news@example.com"),
        ("jane.doe@example.com", "jane.doe@example.com"),
        // Gmail: tags, dots, the second domain
        ("jane.doe@gmail.com", "janedoe@gmail.com"),
        ("j.a.n.e.d.o.e@gmail.com", "janedoe@gmail.com"),
        ("Jane.Doe+news@GoogleMail.com", "janedoe@gmail.com"),
        ("jane.doe.+news@gmail.com", "janedoe@gmail.com"),
        ("jose.\u{301}@gmail.com", "jos\u{e9}@gmail.com"),
        ("jane-doe@gmail.com", "jane-doe@gmail.com"),
        ("+news@gmail.com", "+news@gmail.com"),
        ("jane+a+b@gmail.com", "jane@gmail.com"),
        // Microsoft: tags; every domain a namespace of its own
        ("Jane.Doe+x@outlook.com", "jane.doe@outlook.com"),
        ("jane+x@hotmail.com", "jane@hotmail.com"),
        ("jane+x@live.com", "jane@live.com"),
        ("jane+x@hotmail.co.uk", "jane@hotmail.co.uk"),
        ("jane@msn.com", "jane@msn.com"),
        // Apple: three domains, one mailbox
        ("jane@me.com", "jane@icloud.com"),
        ("jane+x@mac.com", "jane@icloud.com"),
        ("jane.doe@icloud.com", "jane.doe@icloud.com"),
        // Proton
        ("Jane+x@protonmail.com", "jane@proton.me"),
        ("jane@pm.me", "jane@proton.me"),
        ("jane@protonmail.ch", "jane@proton.me"),
        // Fastmail
        ("jane+x@fastmail.com", "jane@fastmail.com"),
        ("jane@fastmail.fm", "jane@fastmail.fm"),
        // Yandex: dots and hyphens alike, one mailbox on all domains
        ("jane.doe@ya.ru", "jane-doe@yandex.ru"),
        ("jane-doe+x@yandex.com", "jane-doe@yandex.ru"),
        // Yahoo: base-keyword; Yahoo Japan is another company
        ("jane-shop@yahoo.com", "jane@yahoo.com"),
        ("jane.doe-shop@yahoo.co.uk", "jane.doe@yahoo.co.uk"),
        ("jane_doe@ymail.com", "jane_doe@ymail.com"),
        ("-shop@yahoo.com", "-shop@yahoo.com"),
        ("jane-shop@yahoo.co.jp", "jane-shop@yahoo.co.jp"),
        // Others with plus addressing
        ("jane+x@posteo.de", "jane@posteo.de"),
        ("jane+x@zoho.com", "jane@zoho.com"),
        ("jane+x@hey.com", "jane@hey.com"),
        // A name that only ends like a public host
        ("jane.doe+x@notgmail.com", "jane.doe+x@notgmail.com"),
        ("jane.doe+x@gmail.com.example.org", "jane.doe+x@gmail.com.example.org"),
    ];
    for (text, key) in table {
        assert_eq!(email(text).canonical(), *key, "{text:?}");
        assert_eq!(email(key).canonical(), *key, "the key of the key of {text:?}");
    }
}

#[test]
fn the_hash_is_of_the_registered_address() {
    // The vendor's own vector: trimmed and lower-cased, nothing else.
    let vector = email("MyEmailAddress@example.com ");
    assert_eq!(vector.sha256(), "84059b07d4be67b806386c0aad8070a23f18836bbaae342275dc0a83414c32ee");
    assert_ne!(email("jane.doe@gmail.com").sha256(), email("janedoe@gmail.com").sha256());
    assert_eq!(email("Jane <JANE@example.com>").sha256(), email("jane@example.com").sha256());
}

#[test]
fn nothing_of_the_address_is_printed() {
    let text = format!("{:?}", email("jane.doe@example.com"));
    insta::assert_snapshot!(text, @"EmailAddress(redacted)");
}

#[test]
fn the_stored_form_reads_back() {
    let stored = serde_json::to_string(&email("Jane <Jane.Doe+x@GMail.com>")).unwrap();
    insta::assert_snapshot!(stored, @r#""Jane.Doe+x@gmail.com""#);
    let read: super::EmailAddress = serde_json::from_str(&stored).unwrap();
    assert_eq!(read.canonical(), "janedoe@gmail.com");
    assert!(serde_json::from_str::<super::EmailAddress>(r#""jane""#).is_err());
}
