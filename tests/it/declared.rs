//! Providers that are declared in files, as their operators use them: a folder, a loopback server, the real binary.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse as _, Response};
use gleaner_providers::sandbox::SandboxSettings;

use crate::support::{Home, text};

const SCIM: &str = include_str!("../../config/providers/scim_directory.toml");
const MATCH: &str = include_str!("../../providers/fixtures/scim_directory/match.json");
const NO_MATCH: &str = include_str!("../../providers/fixtures/scim_directory/no_match.json");

/// The secret of a directory that nobody may see anywhere.
const KEY: &str = "s3cret-of-the-directory";

/// A directory that knows Ada, and what it was asked.
struct Directory {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Directory {
    async fn open() -> Self {
        let asked = Arc::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&asked));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(asked): State<Arc<Mutex<Vec<String>>>>, uri: Uri, headers: HeaderMap) -> Response {
    let question = uri.to_string();
    let knows = question.contains("ada.example%40example.com");
    asked.lock().unwrap().push(question);
    if headers.get("authorization").is_none_or(|key| key != &format!("Bearer {KEY}")) {
        return (axum::http::StatusCode::UNAUTHORIZED, "{}").into_response();
    }
    let body = if knows { MATCH } else { NO_MATCH };
    ([("content-type", "application/scim+json")], body).into_response()
}

/// A home with the shipped example, which asks this directory alone.
async fn home(directory: &Directory, enabled: bool) -> Home {
    let extra = format!(
        "[enrich]\ntiers = [[\"scim_directory\"]]\n[providers.scim_directory]\nendpoint = \"http://{}/scim/v2\"\n{}",
        directory.address,
        if enabled { "enabled = true\n" } else { "" }
    );
    let home = Home::new(SandboxSettings::calm(1), &extra).await;
    std::fs::create_dir(home.path("providers")).unwrap();
    home.write("providers/scim_directory.toml", SCIM);
    home
}

/// The binary's output, with the directory's key at hand.
async fn run(home: &Home, arguments: &[&str]) -> std::process::Output {
    home.command(arguments).env("GLEANER_SCIM_DIRECTORY_KEY", KEY).output().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_provider_is_asked_like_any_other() {
    let directory = Directory::open().await;
    let home = home(&directory, true).await;
    let file = home.write("members.csv", "id,email\na,ada.example@example.com\nb,grace@example.com\n");
    let output = run(&home, &["enrich", "--json", file.to_str().unwrap()]).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let done: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(done["work"]["with_name"], 1, "{done}");
    assert_eq!(done["work"]["no_match"], 1, "{done}");
    assert_eq!(done["work"]["providers"]["scim_directory"]["lookups"], 2, "{done}");
    assert_eq!(directory.asked().len(), 2);
    let shown = run(&home, &["member", "show", "a", "--json"]).await;
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["full_name"], "Ada Example");
    assert_eq!(shown["social_profiles"][0]["url"], "https://github.com/ada-example");
    assert_eq!(shown["provenance"]["name"]["sources"][0]["provider"], "scim_directory");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_off_until_it_is_switched_on() {
    let directory = Directory::open().await;
    let home = home(&directory, false).await;
    let list = text(&run(&home, &["provider", "list"]).await.stdout);
    assert!(list.contains("gleaner provider enable scim_directory"), "{list}");
    run(&home, &["enrich", "ada.example@example.com", "--patience", "0"]).await;
    assert_eq!(directory.asked(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_tried_out_step_by_step_without_its_key_or_the_address() {
    let directory = Directory::open().await;
    let home = home(&directory, false).await;
    let file = home.path("providers/scim_directory.toml");
    let check = ["provider", "check", file.to_str().unwrap(), "--email", "ada.example@example.com"];
    let output = run(&home, &check).await;
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}{}", text(&output.stderr));
    for step in [
        "scim_directory (SCIM directory) is told the address",
        "filter=emails.value+eq+%22[email]%22",
        "authorization: [secret]",
        "status 200, ",
        "rule 3 (match) fits → match",
        r#"full_name: $.Resources[0].name.formatted found "Ada Example""#,
        r#""https://github.com/ada-example" → github https://github.com/ada-example"#,
        "nothing is stored",
    ] {
        assert!(shown.contains(step), "no `{step}` in:\n{shown}");
    }
    assert!(!shown.contains(KEY) && !shown.contains("ada.example@"), "{shown}");
    assert!(!home.path("data").exists(), "nothing is stored");

    let nobody = ["provider", "check", file.to_str().unwrap(), "--email", "grace@example.com", "--json"];
    let output = run(&home, &nobody).await;
    assert_eq!(output.status.code(), Some(3));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["outcome"], &told["calls"]), (&"no match".into(), &1.into()), "{told}");
    let rule = told["steps"].as_array().unwrap().iter().find(|step| step["step"] == "rule").unwrap();
    assert_eq!(rule["text"], "rule 1 (no_match) fits → no_match");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_stops_the_start_with_place_and_reason() {
    let directory = Directory::open().await;
    let home = home(&directory, true).await;
    for (name, content, told) in [
        (
            "scim_directory",
            SCIM.replace("quota = ", "qouta = "),
            "scim_directory.toml:17:1: unknown field `qouta`",
        ),
        ("github", SCIM.to_owned(), "there is a provider `github` already"),
        ("Directory", SCIM.to_owned(), "write it in snake_case"),
    ] {
        let file = home.write(&format!("providers/{name}.toml"), content);
        let output = run(&home, &["config", "check"]).await;
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(told), "{name}: {said}");
        std::fs::remove_file(file).unwrap();
    }
    let named = home.write("named.toml", "providers_dir = \"nowhere\"\n");
    let output =
        home.command(&["--config", named.to_str().unwrap(), "config", "check"]).output().await.unwrap();
    assert!(!output.status.success(), "a folder that is named has to be there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_begun_beside_the_settings_and_never_overwritten() {
    let directory = Directory::open().await;
    let home = home(&directory, false).await;
    let new = ["provider", "new", "staff_list", "--declared"];
    let file = home.path("providers/staff_list.toml");
    let dry = home.json(&[&new[..], &["--dry-run"]].concat()).await;
    assert_eq!((&dry["written"], file.exists()), (&false.into(), false), "{dry}");
    assert_eq!(home.json(&new).await["written"], true);
    let list = text(&run(&home, &["provider", "list"]).await.stdout);
    assert!(list.contains("gleaner provider enable staff_list"), "{list}");

    let again = home.run(&new).await;
    assert!(
        text(&again.stderr).contains("there is a provider `staff_list` already"),
        "{}",
        text(&again.stderr)
    );
    std::fs::write(home.path("providers/other.txt"), "mine").unwrap();
    let outside = home.run(&["provider", "new", "other"]).await;
    assert!(text(&outside.stderr).contains("this is no checkout"), "{}", text(&outside.stderr));
}
