use proptest::prelude::*;

use super::*;

fn keyring() -> Keyring {
    Keyring::from_bytes([7; 32])
}

/// Each entry in short: `id address`, or what is wrong with it.
fn entries(message: &str) -> Vec<String> {
    let judged = |entry: Entry| match entry.judged {
        Ok(taken) => format!("{} {}", taken.member, taken.email.expose()),
        Err(misfit) => match misfit.member {
            Some(member) => format!("{member}! {}", misfit.fault),
            None => format!("! {}", misfit.fault),
        },
    };
    read(message.as_bytes(), &keyring()).unwrap().entries.into_iter().map(judged).collect()
}

fn fault(message: impl AsRef<[u8]>) -> Fault {
    read(message.as_ref(), &keyring()).unwrap_err()
}

#[test]
fn every_shape_says_the_same() {
    let derived = registration(None, "ada@example.com", &keyring()).unwrap().member;
    let expected = [format!("{derived} ada@example.com")];
    for message in [
        r#"{"email": "ada@example.com"}"#,
        "\u{feff} {\"E-Mail\": \" ada@example.com \", \"name\": \"Ada\"}\r\n",
        r#"{"member_id": null, "email": "ada@example.com"}"#,
        r#""ada@example.com""#,
        r#"["ada@example.com"]"#,
        r#"[{"email": "ada@example.com"}]"#,
        "ada@example.com\n",
        r#"{"specversion": "1.0", "id": "9", "source": "/members", "type": "member.registered", "data": {"email": "ada@example.com"}}"#,
        r#"[{"specversion": "1.0", "data": {"email": "ada@example.com"}}]"#,
    ] {
        assert_eq!(entries(message), expected, "{message}");
    }
    for message in [
        r#"{"member_id": "42", "email": "ada@example.com"}"#,
        r#"{"user_id": 42, "id": 1, "email": "ada@example.com"}"#,
        r#"{"specversion": "1.0", "id": "9", "data": {"id": 42, "email": "ada@example.com"}}"#,
    ] {
        assert_eq!(entries(message), ["42 ada@example.com"], "{message}");
    }
}

#[test]
fn a_bad_entry_costs_only_itself() {
    let message = r#"[
        {"member_id": "1", "email": "ada@example.com"},
        {"member_id": "2", "email": "ada"},
        {"member_id": "3"},
        {"member_id": "ada@example.com", "email": "ada@example.com"},
        {"member_id": [], "email": "ada@example.com"},
        {"member_id": "4", "email": 5},
        {"member_id": "5", "email": null},
        [], null, 7, "nobody",
        {"specversion": "1.0", "data": []},
        {"specversion": "1.0", "data_base64": "e30="},
        {"specversion": "1.0", "data": {"member_id": "6"}},
        {"specversion": 1, "member_id": "7", "email": "ada@example.com"}
    ]"#;
    insta::assert_snapshot!(entries(message).join("\n"), @r"
    1 ada@example.com
    2! e-mail address: has no `@`
    3! the object has no `email`
    ! the member id holds an `@`: an e-mail address is personal data, and ids appear in logs
    ! the member id is neither a JSON string nor a whole number below 2^64
    4! the e-mail address is not a JSON string
    5! e-mail address: is empty
    ! the entry is not a JSON object
    ! the entry is not a JSON object
    ! the entry is not a JSON object
    ! e-mail address: has no `@`
    ! the event has no `data` that is a JSON object
    ! the event holds `data_base64`; send its data as JSON in `data`
    6! the object has no `email`
    7 ada@example.com
    ");
}

#[test]
fn a_message_that_says_nothing_is_told_without_showing_it() {
    for (message, expected) in [
        ("", Fault::Empty),
        (" \n", Fault::Empty),
        ("[]", Fault::NoEntries),
        ("ada", Fault::NotJson),
        ("ada@example.com\nida@example.com", Fault::NotJson),
        ("{\"email\": \"ada@example", Fault::CutOff),
        ("{\"email\":\n ada@example.com}", Fault::BadJson { line: 2, column: 2 }),
        ("{} {}", Fault::BadJson { line: 1, column: 4 }),
    ] {
        assert_eq!(fault(message), expected, "{message}");
    }
    assert_eq!(fault(b"ada\xff@example.com"), Fault::NotText);
    assert_eq!(fault(" ".repeat(MAX_BYTES + 1)), Fault::TooLong);
    assert!(matches!(fault("[".repeat(MAX_BYTES)), Fault::BadJson { .. }), "too deep");
    let many = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    assert_eq!(fault(many(MAX_ENTRIES + 1)), Fault::TooMany { found: MAX_ENTRIES + 1 });
    assert_eq!(entries(&many(MAX_ENTRIES)).len(), MAX_ENTRIES);
}

#[test]
fn an_event_is_known_by_source_and_id() {
    let event = |envelope: &str| {
        let message = format!(r#"{{"specversion": "1.0", "data": {{}}, {envelope}}}"#);
        read(message.as_bytes(), &keyring()).unwrap().entries.remove(0).event
    };
    let whole = event(r#""source": "/s", "id": "ada@example.com", "time": "2026-03-01T12:00:00+01:00""#);
    assert!(!format!("{whole:?}").contains("ada"), "{whole:?}");
    let whole = whole.unwrap();
    assert_eq!((whole.source.as_str(), whole.id.as_str()), ("/s", "ada@example.com"));
    assert_eq!(whole.time, Some("2026-03-01T11:00:00Z".parse().unwrap()));
    assert_eq!(event(r#""source": "/s", "id": "1", "time": "yesterday""#).unwrap().time, None);
    for unnamed in [r#""source": "/s""#, r#""source": "", "id": "1""#, r#""source": "/s", "id": 1"#] {
        assert_eq!(event(unnamed), None, "{unnamed}");
    }
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, &keyring());
    }

    #[test]
    fn what_is_written_as_json_is_read(ids in prop::collection::vec("[a-z0-9]{1,12}", 1..20)) {
        let objects: Vec<_> = ids
            .iter()
            .map(|id| serde_json::json!({ "member_id": id, "email": format!("{id}@example.com") }))
            .collect();
        let message = serde_json::to_vec(&objects).unwrap();
        let read = read(&message, &keyring()).unwrap();
        let members: Vec<_> =
            read.entries.into_iter().map(|entry| entry.judged.unwrap().member.to_string()).collect();
        prop_assert_eq!(members, ids);
    }
}
