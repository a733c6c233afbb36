//! `gleaner normalize`: the page about it is true, answers align with values, and it is fast enough for a pipe.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const KINDS: [&str; 5] = ["email", "name", "age", "social", "target"];

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gleaner"));
    command
        .arg("normalize")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the command over this input.
fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut process = command(arguments).spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A command that does not read its input ends before it is written.
        let _ = stdin.write_all(&input);
    });
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn answers(arguments: &[&str], input: &[u8]) -> Vec<Value> {
    let output = run(arguments, input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Each command of the page and what it shows, in the order of the page, run in one folder.
#[test]
fn every_example_of_the_documentation_prints_what_is_shown() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/normalize.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_gleaner")).parent().unwrap().display();
    let mut examples = 0;
    let mut printed = String::new();
    for block in page.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
        for line in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
            let output = Command::new("sh")
                .args(["-c", &format!("PATH='{binary}':$PATH; {line}")])
                .current_dir(folder.path())
                .output()
                .unwrap();
            let shown = format!("$ {line}\n{}", String::from_utf8(output.stdout).unwrap());
            printed.push_str(&shown);
            assert!(output.status.success(), "{line}");
            assert!(block.contains(&shown), "the page does not show this:\n{shown}");
            examples += 1;
        }
    }
    assert!(examples >= 10, "only {examples} examples were found");
}

#[test]
fn answers_align_with_lines_whatever_they_hold() {
    let input = b"ada@example.org\r\n\n\xff\xfe\nlast line without an end";
    for kind in KINDS {
        let answers = answers(&[kind], input);
        let inputs: Vec<_> = answers.iter().map(|answer| answer["input"].as_str().unwrap()).collect();
        assert_eq!(inputs, ["ada@example.org", "", "\u{fffd}\u{fffd}", "last line without an end"], "{kind}");
        assert_eq!(answers[1]["ok"], false, "{kind}");
        assert!(answers[1]["reason"].as_str().unwrap().contains("empty"), "{kind}: {}", answers[1]);
        assert_eq!(answers[2]["reason"], "is not UTF-8", "{kind}");
    }
}

#[test]
fn files_come_in_order_and_the_input_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (one, two) = (write("one", "Jane Doe\n"), write("two", "Ada Example"));
    let names = answers(&["name", "--no-input", &one, "-", &two], b"bob\n");
    let full: Vec<_> = names.iter().map(|answer| answer["full"].as_str().unwrap()).collect();
    assert_eq!(full, ["Jane Doe", "Bob", "Ada Example"]);
    assert!(names.iter().all(|answer| answer.get("input").is_none()));

    let missing = run(&["name", "/nonexistent/file"], b"");
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("cannot read `/nonexistent/file`"));
    assert_eq!(run(&["name", "--value", "x", &one], b"").status.code(), Some(2));
    assert_eq!(run(&["nonsense"], b"").status.code(), Some(2));
}

#[test]
fn every_kind_explains_itself() {
    for kind in KINDS.iter().chain(&["page", "robots"]) {
        let help = run(&[kind, "--help"], b"");
        assert!(help.status.success() && !help.stdout.is_empty(), "{kind}");
    }
    let help = String::from_utf8(run(&["--help"], b"").stdout).unwrap();
    assert!(help.contains("Try it:") && help.contains("docs/normalize.md"));
}

/// A program that asks and reads in turns must not wait for a full block.
#[test]
fn an_answer_comes_before_the_next_question() {
    let mut process = command(&["name"]).spawn().unwrap();
    let mut questions = process.stdin.take().unwrap();
    let mut answers = BufReader::new(process.stdout.take().unwrap()).lines();
    for (name, full) in [("jane doe", "Jane Doe"), ("ADA EXAMPLE", "Ada Example")] {
        writeln!(questions, "{name}").unwrap();
        questions.flush().unwrap();
        let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
        assert_eq!(answer["full"], full);
    }
    drop(questions);
    assert!(process.wait().unwrap().success());
}

#[test]
fn many_lines_pass_through_and_a_reader_may_leave() {
    let input = "jane.doe@example.com\n".repeat(50_000);
    assert_eq!(answers(&["email"], input.as_bytes()).len(), 50_000);
    let binary = env!("CARGO_BIN_EXE_gleaner");
    let script = format!("yes jane.doe@example.com | head -n 50000 | '{binary}' normalize email | head -n 1");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success());
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn nothing_is_written_beside_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        command(&["email", "--value", "ada@example.org"]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
