//! Providers switched on and off by their operator, keys that are none, and vendors who change their answers.

use std::path::Path;

use gleaner_providers::sandbox::{Fault, SandboxSettings, Script, Service, When};

use crate::support::{Home, KEY_VARIABLE, members, text};

const SETTINGS: &str = "# Ours.
data_dir = \"data\"

[providers.github]   # code
enabled = true # since May
";

/// A folder with these settings and nothing else.
async fn home(settings: &str) -> Home {
    let home = Home::new(SandboxSettings::calm(1), "").await;
    home.write("gleaner.toml", settings);
    home
}

fn settings(home: &Home) -> String {
    std::fs::read_to_string(home.path("gleaner.toml")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_is_switched_in_the_settings_file_and_comments_stay() {
    let home = home(SETTINGS).await;
    let dry = home.run(&["provider", "disable", "github", "--dry-run"]).await;
    assert!(
        text(&dry.stdout).contains("- enabled = true # since May\n  + enabled = false # since May"),
        "{}",
        text(&dry.stdout)
    );
    assert_eq!(settings(&home), SETTINGS, "a dry run changes nothing");

    let done = home.json(&["provider", "disable", "github"]).await;
    assert_eq!((&done["enabled"], &done["written"]), (&false.into(), &true.into()), "{done}");
    assert_eq!(settings(&home), SETTINGS.replace("enabled = true", "enabled = false"));
    let list = text(&home.run(&["provider", "list"]).await.stdout);
    assert!(list.contains("off: switched off in the configuration"), "{list}");

    home.json(&["provider", "enable", "github"]).await;
    assert_eq!(settings(&home), SETTINGS);
    let again = home.json(&["provider", "enable", "github"]).await;
    assert_eq!(again["written"], false, "{again}");
    assert!(!home.path("gleaner.toml.new").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_switched_on_is_in_a_tier_and_told_what_it_lacks() {
    let home = home("[enrich]\ntiers = [[\"github\"]]\n").await;
    let refused = home.run(&["provider", "enable", "gravatar", "--tier", "3"]).await;
    assert!(text(&refused.stderr).contains("there are 1 tiers"), "{}", text(&refused.stderr));
    let mut command = home.command(&["provider", "enable", "people_data_labs", "--tier", "2"]);
    let said = text(&command.env_remove(KEY_VARIABLE).output().await.unwrap().stdout);
    assert!(said.contains("it still needs a key: set GLEANER_PEOPLE_DATA_LABS_KEY or `key_file`"), "{said}");
    assert!(said.contains("its terms: "), "{said}");
    assert!(
        settings(&home).contains("tiers = [[\"github\"], [\"people_data_labs\"]]"),
        "{}",
        settings(&home)
    );
    let unknown = home.run(&["provider", "enable", "githup"]).await;
    assert!(text(&unknown.stderr).contains("did you mean `github`?"), "{}", text(&unknown.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_stops_the_start_and_is_never_shown() {
    let home = Home::new(SandboxSettings::calm(1), "").await;
    for (key, told) in [
        (
            "\"s3cret\"",
            "the key of `people_data_labs` in the variable GLEANER_PEOPLE_DATA_LABS_KEY stands in quotes",
        ),
        ("s3cret\nmore", "has several lines"),
        ("Bearer s3cret", "begins with a scheme"),
        ("s3cret more", "holds white space"),
    ] {
        let mut command = home.command(&["config", "check"]);
        let output = command.env(KEY_VARIABLE, key).output().await.unwrap();
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(told), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
    // An empty variable is no key; an empty file is a mistake.
    let mut command = home.command(&["provider", "list"]);
    let list = text(&command.env(KEY_VARIABLE, "").output().await.unwrap().stdout);
    assert!(list.contains("off: needs a key: set GLEANER_PEOPLE_DATA_LABS_KEY"), "{list}");
    let file = home.write("key", "\n");
    private(&file);
    home.write("gleaner.toml", format!("[providers.people_data_labs]\nkey_file = {file:?}\n"));
    let said = text(&home.run(&["config", "check"]).await.stderr);
    assert!(said.contains("is empty: put the key into it"), "{said}");
}

fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_contract_is_one_counter_and_one_line_a_minute() {
    let script =
        Script { provider: Service::Github, email: None, when: When::Always, fault: Fault::BrokenSyntax };
    let settings = SandboxSettings { scripts: vec![script], ..SandboxSettings::calm(1) };
    // Without a breaker: on a busy machine it would open before all are asked, and the rest wait for minutes.
    let extra = "[enrich]\ntiers = [[\"github\"]]\n[retry]\nmax_attempts = 1\n[breaker]\nfailures = 0\n";
    let home = Home::new(settings, extra).await;
    let file = home.write("members.csv", members(30, |n| format!("person{n}@site{n}.example.org")));
    let output = home.run(&["enrich", "--json", file.to_str().unwrap()]).await;
    let logged = text(&output.stderr);
    assert_eq!(logged.matches("answers in another shape than documented").count(), 1, "{logged}");
    let run: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(run["work"]["providers"]["github"]["failures"]["malformed"], 30, "{run}");
}
