//! `gleaner merge`: the page about it is true, the order of lines does not matter, bad lines cost themselves only.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use score::{Score, score};
use serde_json::{Value, json};
use worlds::WORLDS;

#[path = "../../benches/merge/sample.rs"]
mod sample;
#[path = "../../benches/merge/sandbox.rs"]
mod sandbox;
#[path = "../../benches/merge/score.rs"]
mod score;
#[path = "../../benches/merge/worlds.rs"]
mod worlds;

fn run(arguments: &[&str], input: &str) -> Output {
    let mut process = Command::new(env!("CARGO_BIN_EXE_gleaner"))
        .args(["merge", "--as-of", "2026-01-31"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        // A command that does not read its input ends before it is written.
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// One a line.
fn joined<T: std::fmt::Display>(lines: &[T]) -> String {
    let mut text = String::new();
    for line in lines {
        writeln!(text, "{line}").unwrap();
    }
    text
}

fn merged(lines: &[Value]) -> Vec<Value> {
    let input = joined(lines);
    let output = run(&[], &input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn finding(subject: impl Into<Value>, provider: &str, field: &str, value: impl Into<Value>) -> Value {
    json!({"subject": subject.into(), "provider": provider, "field": field, "value": value.into()})
}

#[test]
fn the_example_of_the_documentation_prints_what_is_shown() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/merge.md")).unwrap();
    let block = page.split("```console\n").nth(1).unwrap().split("```").next().unwrap();
    let (lines, shown) = block.split_once("$ gleaner").unwrap();
    let findings = lines.strip_prefix("$ cat findings.jsonl\n").unwrap();
    let output = run(&[], findings);
    let record: Value = serde_json::from_slice(&output.stdout).unwrap();
    let picked = [
        &record["name"]["value"],
        &record["name"]["supported_by"],
        &record["age"]["birth_earliest"],
        &record["age"]["birth_latest"],
        &record["social"][0]["url"],
    ];
    let printed = joined(&picked);
    assert_eq!(shown.split_once('\n').unwrap().1, printed);
}

#[test]
fn fields_go_by_many_names_and_values_have_many_forms() {
    let records = merged(&[
        json!({"member_id": 7, "source": "a", "field": "full_name", "value": {"given": "Jane", "family": "Doe"}}),
        json!({"email": 7, "vendor": "b", "field": "Birth-Date", "value": "1984-05-12"}),
        json!({"subject": "7", "provider": "c", "field": "age", "value": {"min": 40, "max": 44}}),
        json!({"subject": "7", "provider": "d", "field": "github", "value": "jane"}),
        json!({"subject": "7", "provider": "e", "field": "profiles",
               "value": [{"network": "x", "handle": "@jane"}, "github:jane"]}),
        json!({"subject": "7", "provider": "f", "name": "JANE DOE", "birth_year": 1984, "social": "github.com/jane",
               "confidence": "0.7", "observed_on": "2025-05-01T10:00:00Z", "verified": true}),
    ]);
    let record = &records[0];
    assert_eq!(record["subject"], "7");
    assert_eq!((&record["name"]["value"], &record["name"]["given"]), (&json!("Jane Doe"), &json!("Jane")));
    assert_eq!(record["age"]["supported_by"], json!(["b", "c", "f"]));
    assert_eq!((&record["age"]["value"], &record["age"]["birth_year"]), (&json!(41), &json!(1984)));
    let accounts: Vec<_> =
        record["social"].as_array().unwrap().iter().map(|one| &one["supported_by"]).collect();
    assert_eq!(accounts, [&json!(["d", "e", "f"]), &json!(["e"])]);
    assert_eq!(record["social"][0]["assurance"], "proven");
    assert_eq!(record["conflict"], json!([]));
}

#[test]
fn bad_lines_are_told_with_number_and_reason_and_the_rest_is_merged() {
    let good = finding("s", "a", "name", "Jane Doe").to_string();
    let bad = [
        ("nonsense", "is not a JSON object"),
        ("[1]", "is not a JSON object"),
        (r#"{"provider": "a", "field": "name", "value": "x"}"#, "has no `subject`"),
        (r#"{"subject": "s", "field": "name", "value": "x"}"#, "has no `provider`"),
        (r#"{"subject": "s", "provider": "a"}"#, "has no `field`, and names none"),
        (r#"{"subject": "s", "provider": "a", "field": "shoe_size", "value": 9}"#, "has an unknown `field`"),
        (r#"{"subject": "s", "provider": "a", "field": "name"}"#, "has no `value`"),
        (r#"{"subject": "s", "provider": "a", "field": "name", "value": null}"#, "a value is null"),
        (
            r#"{"subject": "s", "provider": "a", "field": "age", "value": 41, "confidence": 2}"#,
            "between 0 and 1",
        ),
        (
            r#"{"subject": "s", "provider": "a", "field": "age", "value": 41, "observed_on": "May"}"#,
            "`observed_on`",
        ),
        (r#"{"subject": "s", "provider": "a", "field": "age", "value": "old"}"#, "an age is not"),
    ];
    let input = joined(&bad.map(|(line, _)| line)) + "\n" + &good;
    let output = run(&[], &input);
    let told = String::from_utf8(output.stderr).unwrap();
    for (number, (_, reason)) in bad.iter().enumerate() {
        let line = told.lines().find(|line| line.starts_with(&format!("stdin:{}: ", number + 1)));
        assert!(line.is_some_and(|line| line.contains(reason)), "{reason}: {told}");
    }
    assert!(told.contains("12 lines read, 11 of them refused"), "{told}");
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1);

    assert_eq!(run(&[], "nonsense\n").status.code(), Some(3), "nothing could be used");
    assert_eq!(run(&["/nonexistent"], "").status.code(), Some(1));
    assert_eq!(run(&["--as-of", "never"], "").status.code(), Some(2));
}

#[test]
fn the_order_of_lines_does_not_matter() {
    let mut lines = Vec::new();
    for subject in 0..40_u32 {
        for (provider, off) in [("a", 7), ("b", 5), ("c", 3)] {
            let wrong = subject.is_multiple_of(off);
            let name = if wrong { format!("Wrong {provider}rson") } else { "Jane Doe".to_owned() };
            lines.push(finding(subject, provider, "name", name));
            lines.push(finding(subject, provider, "birth_year", if wrong { 1950 + off } else { 1984 }));
            lines.push(finding(subject, provider, "github", format!("jane{}", if wrong { off } else { 0 })));
        }
    }
    let once = run(&[], &joined(&lines));
    lines.reverse();
    lines.rotate_left(101);
    let again = run(&[], &joined(&lines));
    assert!(once.stdout == again.stdout, "other lines first, other answers");
    assert_eq!(String::from_utf8(once.stderr), String::from_utf8(again.stderr));
}

#[test]
fn a_correction_wins_over_any_number_of_sources() {
    let mut lines =
        vec![finding("s", "correction", "name", "Ada Example"), finding("s", "correction", "github", "ada")];
    for provider in ["a", "b", "c", "d"] {
        lines.push(finding("s", provider, "name", "Jane Doe"));
        lines.push(finding("s", provider, "github", "jane"));
        lines.push(finding("s", provider, "birth_year", 1984));
    }
    let record = &merged(&lines)[0];
    assert_eq!(
        (&record["name"]["value"], &record["name"]["confidence"]),
        (&json!("Ada Example"), &json!(1.0))
    );
    assert_eq!(record["name"]["supported_by"], json!(["correction"]));
    assert_eq!(record["social"][0]["handle"], "ada");
    assert_eq!(record["social"].as_array().unwrap().len(), 1);
    assert_eq!(record["age"]["birth_year"], 1984, "the member said nothing of it");
}

#[test]
fn two_people_under_one_address_are_not_mixed() {
    let person = |provider: &str, name: &str, year: i32, handle: &str| json!({"subject": "s", "provider": provider, "name": name, "birth_year": year, "social": [format!("github.com/{handle}")]});
    let mut lines = vec![
        person("a", "Jane Doe", 1984, "jane"),
        person("b", "Jane Doe", 1984, "jane"),
        person("c", "Peter Smith", 1955, "peter"),
        json!({"subject": "s", "provider": "d", "social": ["github.com/peter", "x.com/peter"]}),
    ];
    let record = &merged(&lines)[0];
    assert_eq!(record["conflict"], json!(["name", "age", "social"]));
    assert_eq!((&record["name"]["value"], &record["age"]["birth_year"]), (&json!("Jane Doe"), &json!(1984)));
    let handles: Vec<_> = record["social"].as_array().unwrap().iter().map(|one| &one["handle"]).collect();
    assert_eq!(handles, ["jane"], "whoever shares the stranger's account speaks of the stranger");

    // The age that only the other one has is no age of this one.
    lines = vec![
        json!({"subject": "s", "provider": "a", "name": "Jane Doe", "confidence": 0.9}),
        json!({"subject": "s", "provider": "b", "name": "Jane Doe"}),
        person("c", "Peter Smith", 1955, "peter"),
    ];
    let record = &merged(&lines)[0];
    assert_eq!((&record["age"], &record["social"]), (&Value::Null, &json!([])));
    assert_eq!(record["rejected_social"][0]["supported_by"], json!(["c"]));
}

#[test]
fn what_was_learned_goes_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sources.json");
    let mut input = String::new();
    for subject in 0..200 {
        for provider in ["good", "fine", "fair", "poor"] {
            let wrong = provider == "poor" && subject % 2 == 0;
            let year = if wrong { 1940 + subject % 50 } else { 1995 };
            writeln!(input, "{}", finding(subject, provider, "birth_year", year)).unwrap();
        }
    }
    let output = run(&["--sources", file.to_str().unwrap(), "-"], &input);
    assert!(output.status.success());
    let learned: Vec<Value> = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let accuracy = |name: &str| {
        learned.iter().find(|one| one["provider"] == name && one["field"] == "age").unwrap()["accuracy"]
            .as_f64()
            .unwrap()
    };
    assert!(accuracy("good") > 0.95 && (0.4..0.6).contains(&accuracy("poor")), "{learned:?}");
    assert!(learned.iter().all(|one| one.get("copies").is_none()), "{learned:?}");
}

/// The figures of the page, at a smaller size: `benches/merge` has more of it.
#[tokio::test]
async fn the_merge_is_no_worse_than_a_majority_or_the_best_source_and_knows_how_sure_it_is() {
    let sandbox = score(&sandbox::sample(sandbox::THREE, 600, 1).await);
    assert!(sandbox.of_given >= sandbox.majority_of_given && sandbox.calibration <= 0.03, "{sandbox:?}");
    // What only those tell who speak of somebody else is withheld; the majority guesses, and is right now and then.
    assert!(sandbox.merged >= sandbox.majority - 0.005, "{sandbox:?}");
    for world in WORLDS {
        let scores: Vec<_> = (0..2).map(|seed| score(&world.sample(250, seed))).collect();
        let mean = |of: fn(&Score) -> f64| scores.iter().map(of).sum::<f64>() / 2.0;
        let (merged, majority) = (mean(|score| score.merged), mean(|score| score.majority));
        let alone = mean(|score| score.alone);
        assert!(
            merged >= majority.max(alone) - 0.002,
            "{}: {merged} against {majority}, {alone}",
            world.name
        );
        let (there, best) = (mean(|score| score.merged_there), mean(|score| score.best_source));
        assert!(there >= best - 0.015, "{}: {there} against {best}", world.name);
        let off = mean(|score| score.calibration);
        assert!(off <= 0.05, "{}: confidence is off by {off}", world.name);
        let mixed: usize = scores.iter().map(|score| score.mixed).sum();
        assert_eq!(mixed, 0, "{}: {mixed} records of two people", world.name);
    }
}
