//! The game day of docs/operate.md: its commands run as they are written, one after the other, and show what the page shows.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// What stands before and after the chapter.
const BEGIN: &str = "\n## A game day\n";
const END: &str = "\n## ";
/// The ports of the page, in whose place the test takes free ones: other tests run beside it.
const PORTS: [&str; 2] = ["8025", "9464"];
const PATIENCE: Duration = Duration::from_mins(3);
/// Ends the output of a command.
const MARK: &str = "=-=-= ended with";

/// A command of the page and what is shown of its output.
struct Step {
    command: String,
    shown: Vec<String>,
}

#[test]
fn the_game_day_runs_as_it_is_written() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operate.md")).unwrap();
    let (_, after) = page.split_once(BEGIN).expect("docs/operate.md has a game day");
    let mut chapter = after.split(END).next().unwrap().to_owned();
    for port in PORTS {
        chapter = chapter.replace(port, &free_port());
    }
    let folder = tempfile::tempdir().unwrap();
    let settings = blocks(&chapter, "toml").next().expect("the game day's settings");
    std::fs::write(folder.path().join("gleaner.toml"), settings).unwrap();
    let mut terminal = Terminal::open(folder.path());

    let mut outputs = Vec::new();
    for step in blocks(&chapter, "console").flat_map(steps) {
        let output = terminal.run(&step.command);
        assert_shows(&step, &output);
        outputs.push((step, output));
    }
    assert!(outputs.len() > 15, "only {} commands were found", outputs.len());

    let number = |command: &str, row: &str| {
        let of_this = |(step, _): &&(Step, String)| step.command.starts_with(command);
        let (_, output) =
            outputs.iter().rfind(of_this).unwrap_or_else(|| panic!("no `{command}` on the page"));
        number_in(output, row)
    };
    assert!(number("curl -s ", "outcome=\"unavailable\"}") > 0, "failing is counted");
    let dead = number("curl -s ", "place=\"dead letters\"}");
    assert!(dead > 0);
    assert_eq!(number("gleaner dead-letters group", "attempts_exhausted"), dead);
    assert_eq!(number("gleaner dead-letters replay --error", "put into the queue"), dead);
    assert_eq!(number("gleaner status", "dead letters"), 0);
    let (_, last) = outputs.iter().rfind(|(step, _)| step.command == "gleaner status").unwrap();
    assert!(last.contains("as many as were taken in"), "{last}");
}

/// What stands in the blocks of this language.
fn blocks<'a>(chapter: &'a str, language: &str) -> impl Iterator<Item = &'a str> {
    let begin = format!("```{language}\n");
    let after: Vec<_> = chapter.split(&begin).skip(1).collect();
    after.into_iter().map(|rest| rest.split("```").next().unwrap())
}

fn steps(block: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), shown: Vec::new() });
        } else if let Some(step) = steps.last_mut() {
            step.shown.push(line.to_owned());
        }
    }
    steps
}

/// Every line that the page shows was printed, in that order, but for numbers and widths.
fn assert_shows(step: &Step, output: &str) {
    let mut printed = output.lines().map(shape);
    for line in step.shown.iter().filter(|line| !line.trim().is_empty() && line.trim() != "…") {
        let found = printed.any(|other| other == shape(line));
        assert!(
            found,
            "`{}` does not print (there) what the page shows:\n{line}\nbut:\n{output}",
            step.command
        );
    }
}

/// A line without what differs from run to run: numbers stand for any number, and columns may be wider.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for word in line.split_whitespace() {
        for c in word.chars() {
            let c = if c.is_ascii_digit() { '#' } else { c };
            if !(c == '#' && shape.ends_with('#')) {
                shape.push(c);
            }
        }
        shape.push(' ');
    }
    shape
}

/// The first number in the line with this text.
fn number_in(output: &str, row: &str) -> u64 {
    let line = output.lines().find(|line| line.contains(row));
    let line = line.unwrap_or_else(|| panic!("no line with {row:?} in:\n{output}"));
    let mut numbers = line.split_whitespace().filter_map(|word| word.parse().ok());
    numbers.next().unwrap_or_else(|| panic!("no number in {line:?}"))
}

fn free_port() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// A shell, with what it prints.
struct Terminal {
    shell: Child,
    lines: Receiver<String>,
}

impl Terminal {
    fn open(folder: &Path) -> Self {
        let binary = Path::new(env!("CARGO_BIN_EXE_gleaner")).parent().unwrap();
        let mut shell = Command::new("bash")
            .args(["--noprofile", "--norc", "-s"])
            .current_dir(folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let printed = BufReader::new(shell.stdout.take().unwrap());
        let (heard, lines) = channel();
        std::thread::spawn(move || {
            for line in printed.lines() {
                if heard.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut terminal = Self { shell, lines };
        terminal
            .run(&format!("exec 2>&1; PATH='{}':$PATH; unset GLEANER_LOG GLEANER_CONFIG", binary.display()));
        terminal
    }

    /// Runs a command, which must succeed, and returns what it printed.
    fn run(&mut self, command: &str) -> String {
        let stdin = self.shell.stdin.as_mut().unwrap();
        writeln!(stdin, "{command}\necho \"{MARK} $?\"").unwrap();
        let mut output = String::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("`{command}`: {error}; so far:\n{output}"));
            if let Some(code) = line.strip_prefix(MARK) {
                assert_eq!(code.trim(), "0", "`{command}` failed:\n{output}");
                return output;
            }
            output.push_str(&line);
            output.push('\n');
        }
    }
}

impl Drop for Terminal {
    /// Also where an assertion failed, what runs in the background is ended.
    fn drop(&mut self) {
        // The whole group: the shell itself may wait for something that never comes.
        let group = format!("-{}", self.shell.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.shell.wait();
    }
}
