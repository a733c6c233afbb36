//! The commands as their users run them.

use gleaner_providers::sandbox::{Fault, SandboxSettings, Script, Service, When};
use serde_json::Value;

use crate::support::{Home, KEY_VARIABLE, members, text};

#[tokio::test(flavor = "multi_thread")]
async fn one_address_is_answered_with_its_record() {
    let home = Home::new(SandboxSettings { distortion: 0.0, ..SandboxSettings::calm(1) }, "").await;
    let address = "ada.example@ada-example.example.org";
    let record = home.json(&["enrich", address]).await;
    assert_eq!(record["email"], address);
    assert_eq!(record["status"], "complete");
    assert!(record["member_id"].as_str().unwrap().starts_with("m_"));

    let shown = home.json(&["member", "show", address]).await;
    assert_eq!(shown, record, "the same record can be shown again");
    let calls = home.sandbox.summary().calls;
    home.json(&["enrich", address]).await;
    assert_eq!(home.sandbox.summary().calls, calls, "a fresh record is not looked up again");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_reused_by_another_member_with_the_same_mailbox() {
    let home = Home::new(SandboxSettings::calm(1), "").await;
    let file = home.write(
        "twins.csv",
        "id,email\na,ada.example@ada-example.example.org\nb,Ada.Example@ada-example.example.org\n",
    );
    let run = home.json(&["enrich", file.to_str().unwrap()]).await;
    assert_eq!(run["intake"]["queued"], 2);
    let people = home.sandbox.ledger();
    let asked = people.iter().filter(|entry| entry.provider == "gravatar").count();
    assert_eq!(asked, 1, "concurrent lookups of one subject are one");
    let status = home.json(&["status"]).await;
    assert_eq!((&status["taken_in"], &status["adds_up"]), (&Value::from(2), &Value::from(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_ends_as_dead_letters_and_what_others_found_is_kept() {
    let script =
        Script { provider: Service::Github, email: None, when: When::Always, fault: Fault::ServerError };
    let settings = SandboxSettings { scripts: vec![script], distortion: 0.0, ..SandboxSettings::calm(1) };
    let extra = "[retry]\nmax_attempts = 2\nbase_ms = 1\n[breaker]\nfailures = 0\n";
    let home = Home::new(settings, extra).await;
    let file = home.write("members.csv", members(20, |n| format!("person{n}@site{n}.example.org")));
    let run = home.json(&["enrich", file.to_str().unwrap()]).await;
    // Whoever got name and profiles elsewhere needs no answer of it.
    let (dead, complete) = (run["work"]["dead"].as_u64().unwrap(), run["work"]["complete"].as_u64().unwrap());
    assert!(dead >= 10 && dead + complete == 20, "{run}");
    assert!(run["work"]["with_name"].as_u64().unwrap() > 0, "partial records are written: {run}");

    let letters = home.run(&["dead-letters", "list"]).await;
    assert!(text(&letters.stdout).contains("github: unavailable: status 500"), "{}", text(&letters.stdout));
    let gravatar = home.sandbox.ledger().iter().filter(|entry| entry.provider == "gravatar").count();
    assert_eq!(gravatar, 20, "only the missing lookup was repeated");
    assert_eq!(home.json(&["status"]).await["adds_up"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_told_and_costs_one_call() {
    let extra = "[retry]\nsnooze_secs = 3600\n[worker]\nconcurrency = 4\n";
    let home = Home::new(SandboxSettings::calm(1), extra).await;
    let file = home.write("members.csv", members(30, |n| format!("person{n}@site{n}.example.org")));
    let mut command = home.command(&["enrich", "--patience", "1", file.to_str().unwrap()]);
    let output = command.env(KEY_VARIABLE, "wrong").output().await.unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("people_data_labs` refuses us"), "{}", text(&output.stderr));
    let asked = home.sandbox.ledger().iter().filter(|entry| entry.provider == "people_data_labs").count();
    assert!(
        (1..=4).contains(&asked),
        "{asked} calls with a key known to be wrong (4 may be in flight at once)"
    );
    let status = home.json(&["status"]).await;
    assert!(status["waiting"].as_u64().unwrap() > 0, "they wait for the operator: {status}");
    assert_eq!(status["adds_up"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_told_with_what_to_do() {
    let home = Home::new(SandboxSettings::calm(1), "").await;
    for (arguments, code, message) in [
        (&["enrich", "no-such-file.csv"][..], 1, "no-such-file.csv"),
        (&["enrich", "jane@localhost"], 3, "e-mail address: the domain has a single label"),
        (&["provider", "check", "githup", "--email", "a@example.com"], 1, "known are: gravatar, github"),
        (&["member", "show", "nobody"], 3, "no record of member `nobody`"),
        (&["enrich"], 2, "required"),
        (&["member", "show", "jane@localhost"], 1, "the domain has a single label"),
        (&["frobnicate"], 2, "unrecognized subcommand"),
    ] {
        let output = home.run(arguments).await;
        let printed = text(&output.stderr) + &text(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {printed}");
        assert!(printed.contains(message), "{arguments:?}: {printed}");
    }
    let missing = tokio::process::Command::new(env!("CARGO_BIN_EXE_gleaner"))
        .args(["--config", "missing.toml", "status"])
        .output()
        .await
        .unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("missing.toml"), "{}", text(&missing.stderr));

    home.write("gleaner.toml", "[worker]\nconcurency = 1\n");
    let output = home.run(&["config", "check"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("gleaner.toml:2:1"), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("did you mean `concurrency`?"), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_answers_in_json() {
    let home = Home::new(SandboxSettings::calm(1), "").await;
    home.json(&["enqueue", "ada@ada.example.org"]).await;
    for arguments in [&["status"][..], &["config", "check"], &["worker", "--until-idle"]] {
        home.json(arguments).await;
    }
    let providers = home.run(&["--json", "provider", "list"]).await;
    let known = gleaner_providers::catalog::BUILT_INS.len();
    assert_eq!(text(&providers.stdout).lines().count(), known);
    assert!(text(&providers.stdout).lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let check =
        home.run(&["--json", "provider", "check", "gravatar", "--email", "ada@ada.example.org"]).await;
    assert!(serde_json::from_slice::<Value>(&check.stdout).unwrap()["outcome"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_ends_the_command_quietly() {
    let home = Home::new(SandboxSettings::calm(1), "").await;
    let binary = env!("CARGO_BIN_EXE_gleaner");
    let piped = tokio::process::Command::new("sh")
        .args(["-c", &format!("'{binary}' --help; '{binary}' provider list | head -c 1")])
        .current_dir(home.folder())
        .output()
        .await
        .unwrap();
    assert!(piped.status.success());
    assert!(!text(&piped.stderr).contains("panicked"), "{}", text(&piped.stderr));
}
