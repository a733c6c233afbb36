use proptest::prelude::{any, proptest};

use super::*;

fn keyring() -> Keyring {
    Keyring::from_bytes([7; 32])
}

/// What each item says, or what is wrong with it.
fn told(text: &str, format: Format) -> Vec<String> {
    let read = read(text.as_bytes(), format, 3, &keyring());
    match read {
        Err(error) => vec![format!("unreadable: {error}")],
        Ok(Read::Shape(fault)) => vec![format!("the whole {}", fault.reason)],
        Ok(Read::TooMany(count)) => vec![format!("{count} are too many")],
        Ok(Read::One(item)) => vec![told_item(&item)],
        Ok(Read::Many(items)) => items.into_iter().map(|item| told_item(&item)).collect(),
    }
}

fn told_item(item: &Result<Item, Fault>) -> String {
    match item {
        Ok(Item { registration, event }) => {
            let event = if event.is_some() { ", an event" } else { "" };
            format!("{} {}{event}", registration.member, registration.email.expose())
        }
        Err(Fault { field, reason }) => format!("{}: {reason}", field.unwrap_or("item")),
    }
}

#[test]
fn plain_json_is_read_strictly() {
    for (text, expected) in [
        (r#"{"member_id":"m-1","email":"ada@example.com"}"#, "m-1 ada@example.com"),
        (r#" [ {"email":"ada@example.com","member_id":42} ] "#, "42 ada@example.com"),
        (
            r#"{"member_id":18446744073709551615,"email":"a@example.com"}"#,
            "18446744073709551615 a@example.com",
        ),
        (
            r#"{"member_id":-0,"email":"a@example.com"}"#,
            "member_id: must be a JSON string or a whole number below 2^64",
        ),
        (
            r#"{"member_id":1e3,"email":"a@example.com"}"#,
            "member_id: must be a JSON string or a whole number below 2^64",
        ),
        (
            r#"{"member_id":["m"],"email":"a@example.com"}"#,
            "member_id: must be a JSON string or a whole number below 2^64",
        ),
        (
            r#"{"member_id":"a@b","email":"a@example.com"}"#,
            "member_id: the member id holds an `@`: an e-mail address is personal data, and ids appear in logs",
        ),
        (
            r#"{"member_id":"a\u0000b","email":"a@example.com"}"#,
            "member_id: the member id has control characters",
        ),
        (r#"{"member_id":"m"}"#, "email: is missing"),
        (r#"{"member_id":"m","email":null}"#, "email: is missing"),
        (r#"{"member_id":"m","email":7}"#, "email: must be a JSON string"),
        (r#"{"member_id":"m","email":{"a":[1]}}"#, "email: must be a JSON string"),
        (r#"{"member_id":"m","email":"nobody"}"#, "email: has no `@`"),
        (r#"{"email":"a@example.com","email":"b@example.com"}"#, "email: is given twice"),
        (
            r#"{"memberId":"m","email":"a@example.com"}"#,
            "item: has a field other than `member_id`, `email` and `batch`; did you mean `member_id`?",
        ),
        (
            r#"{"e-mail":"a@example.com"}"#,
            "item: has a field other than `member_id`, `email` and `batch`; did you mean `email`?",
        ),
        (
            r#"{"email":"a@example.com","shoe":{"size":[41]}}"#,
            "item: has a field other than `member_id`, `email` and `batch`",
        ),
        ("[[]]", "item: is not a JSON object"),
        ("7", "item: is not a JSON object"),
        (r#""ada@example.com""#, "item: is not a JSON object"),
        ("null", "item: is not a JSON object"),
        ("[1,2,3,4]", "4 are too many"),
        ("", "unreadable: not valid JSON at line 1, column 0: EOF while parsing a value"),
        ("{\n  \"email\": ada}", "unreadable: not valid JSON at line 2, column 12: expected value"),
        ("{} {}", "unreadable: not valid JSON at line 1, column 4: trailing characters"),
        (r#"{"email":1e999}"#, "unreadable: not valid JSON at line 1, column 14: number out of range"),
        (
            r#"{"email":"\ud800"}"#,
            "unreadable: not valid JSON at line 1, column 17: unexpected end of hex escape",
        ),
    ] {
        assert_eq!(told(text, Format::Json), [expected], "{text}");
    }
    assert!(told("[]", Format::Json).is_empty());
    let derived =
        told(r#"[{"email":"ada@example.com"},{"member_id":" ","email":"ada@example.com"}]"#, Format::Json);
    assert!(derived[0].starts_with("m_") && derived[0] == derived[1], "{derived:?}");
}

#[test]
fn cloud_events_are_read_for_what_they_say_to_us() {
    let event = |rest: &str| {
        format!(r#"{{"specversion":"1.0","id":"e-1","source":"/sign-up","type":"member.registered"{rest}}}"#)
    };
    let data = r#","data":{"member_id":"m-1","email":"ada@example.com","plan":{"name":"gold"}}"#;
    let good = "m-1 ada@example.com, an event";
    for (text, expected) in [
        (event(data), good),
        (
            event(&format!(
                r#"{data},"time":"2026-11-25T00:00:00Z","datacontenttype":"application/json; charset=utf-8","x":[1]"#
            )),
            good,
        ),
        (event(&format!(r#"{data},"datacontenttype":"application/vnd.sign-up+json""#)), good),
        (
            event(&format!(r#"{data},"datacontenttype":"application/xml""#)),
            "datacontenttype: must be absent or JSON, such as `application/json`",
        ),
        (event(&format!(r#"{data},"id":"e-2""#)), "id: is given twice"),
        (event(r#","data":"ada@example.com""#), "item: is not a JSON object"),
        (event(r#","data_base64":"e30=""#), "data_base64: is not read: send `data` as JSON"),
        (event(""), "data: is missing"),
        (event(data).replace("1.0", "0.3"), r#"specversion: must be "1.0""#),
        (event(data).replace(r#""id":"e-1","#, ""), "id: is missing: CloudEvents 1.0 requires it"),
        (event(data).replace("/sign-up", ""), "source: is missing: CloudEvents 1.0 requires it"),
        (event(data).replace("member.registered", &"x".repeat(2_049)), "type: is too long"),
        (event(data).replace("ada@", "ada"), "email: has no `@`"),
        (format!("[{}]", event(data)), "the whole must be one object, not an array"),
        ("7".to_owned(), "item: is not a JSON object"),
    ] {
        assert_eq!(told(&text, Format::Event), [expected], "{text}");
    }
    let batch = format!("[{},{}]", event(data), event("").replace("e-1", "e-2"));
    assert_eq!(told(&batch, Format::EventBatch), [good, "data: is missing"]);
    assert_eq!(told(&event(data), Format::EventBatch), ["the whole must be an array"]);
}

#[test]
fn an_event_is_the_same_in_every_mode() {
    let structured = r#"{"specversion":"1.0","id":"e-1","source":"/sign-up","type":"t","data":{"email":"ada@example.com"}}"#;
    let Read::One(whole) = read(structured.as_bytes(), Format::Event, 1, &keyring()).unwrap() else {
        panic!("one item");
    };
    let attributes =
        Attributes { id: Some("e-1"), source: Some("/sign-up"), specversion: Some("1.0"), r#type: Some("t") };
    let binary = read_binary(&attributes, br#"{"email":"ada@example.com"}"#, &keyring()).unwrap().unwrap();
    assert_eq!(binary.event, whole.unwrap().event);
    assert_eq!(binary.event, Some(keyring().event("/sign-up", "e-1")));
    let array = read_binary(&attributes, b"[]", &keyring()).unwrap();
    assert_eq!(told_item(&array), "item: the data must be one JSON object");
    let nameless = Attributes { id: None, ..attributes };
    let judged = read_binary(&nameless, b"{}", &keyring()).unwrap();
    assert_eq!(told_item(&judged), "id: is missing: CloudEvents 1.0 requires it");
}

#[test]
fn deep_and_broken_texts_end_quickly() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for text in
        [deep.clone(), format!(r#"{{"email":{deep}}}"#), format!(r#"{{"x":{deep},"email":"a@example.com"}}"#)]
    {
        for format in [Format::Json, Format::Event, Format::EventBatch] {
            let told = told(&text, format);
            assert_eq!(told.len(), 1, "{told:?}");
        }
    }
    let broken = read(b"{\"email\":\"\xff\"}", Format::Json, 1, &keyring()).unwrap_err();
    assert_eq!(broken.to_string(), "not UTF-8 text from byte 10 on");
}

proptest! {
    #[test]
    fn no_text_is_quoted_in_a_fault(canary in "[a-z]{12}", cut in 0_usize..120, flip in any::<u8>()) {
        let text = format!(
            r#"[{{"member_id":"{canary}","email":"{canary}","{canary}":[{{"{canary}":1}}]}},{{"data":{{"email":"@{canary}"}}}}]"#
        );
        let mut bytes = text.into_bytes();
        let at = cut.min(bytes.len() - 1);
        for broken in [bytes[..at].to_vec(), { bytes[at] = flip; bytes }] {
            for format in [Format::Json, Format::Event, Format::EventBatch] {
                let told = match read(&broken, format, 9, &keyring()) {
                    Err(error) => error.to_string(),
                    Ok(Read::One(item)) => told_item(&item),
                    Ok(Read::Many(items)) => items.iter().map(told_item).collect(),
                    Ok(other) => format!("{other:?}"),
                };
                let good = told.contains("@example");
                assert!(good || !told.contains(&canary[1..11]), "{told}");
            }
        }
    }
}
