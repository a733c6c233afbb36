//! Who is let in.

use gleaner::config::{Config, ConfigError};

use super::support::{Ask, OpenDoor, registration};

/// Every route by method, and whether it needs a token.
const ROUTES: [(&str, &str, bool); 6] = [
    ("POST", "/v1/registrations", true),
    ("GET", "/v1/registrations/m-1", true),
    ("GET", "/v1/elsewhere", true),
    ("GET", "/healthz", false),
    ("GET", "/readyz", false),
    ("GET", "/openapi.json", false),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_route_asks_for_a_token_or_is_known_not_to() {
    let presented = |token: &str| {
        [
            None,
            Some("Bearer".to_owned()),
            Some("Bearer x".to_owned()),
            Some(format!("Bearer {}", token.to_uppercase())),
            Some(format!("Bearer {token}x")),
            Some(format!("Basic {token}")),
            Some(token.to_owned()),
        ]
    };
    for (method, path, needs_token) in ROUTES {
        // One door a route: wrong tokens are counted.
        let door = OpenDoor::new("").await;
        let plain = Ask::new(door.address, method, path).body(registration(1).to_string());
        let plain = plain.header("content-type", "application/json");
        for wrong in presented(&door.token) {
            let ask = match &wrong {
                Some(value) => plain.clone().header("authorization", value),
                None => plain.clone(),
            };
            let status = ask.send_unchecked().await.status;
            assert_eq!(status == 401, needs_token, "{method} {path}: {status}");
        }
        assert_eq!(door.census().await.taken_in, 0, "{method} {path}");
        let right = plain.header("authorization", &format!("bearer {}", door.token)).send_unchecked().await;
        assert!(right.status != 401 && right.status != 429, "{method} {path}: {right:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_without_a_good_token_does_not_open() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, text: &str, mode: u32| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        let settings = format!(
            "[http]\nlisten = \"127.0.0.1:0\"\n[http.tokens]\nshop = {:?}\n",
            file.display().to_string()
        );
        Config::parse(&settings, "test").unwrap().http.read_tokens()
    };
    assert_eq!(read("good", &"a".repeat(43), 0o600).unwrap().len(), 1);
    for (name, text) in [("short", "a".repeat(42)), ("empty", String::new()), ("spaced", "a b".repeat(20))] {
        let refused = read(name, &text, 0o600).unwrap_err();
        assert!(
            matches!(&refused, ConfigError::WeakToken { caller } if caller == "shop"),
            "{name}: {refused}"
        );
        assert!(text.is_empty() || !refused.to_string().contains(&text), "the token is not shown");
    }
    #[cfg(unix)]
    assert!(matches!(read("open", &"a".repeat(43), 0o644), Err(ConfigError::Exposed { .. })));
}
