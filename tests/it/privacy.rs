//! Personal data stays in its tables: a whole run at the most talkative level, through every failure, with planted
//! addresses and names; none of them may appear in anything that is printed.

use std::fmt::Write as _;

use gleaner_providers::sandbox::{FaultRates, Latency, SandboxSettings};

use crate::support::{Home, text};

/// Words that occur in planted addresses and names, and nowhere else.
const CANARIES: [&str; 5] = ["quokka", "wombat", "numbat", "bilby", "potoroo"];

fn planted() -> (Vec<String>, String) {
    let mut addresses = Vec::new();
    let mut csv = "member_id,email,name\n".to_owned();
    for n in 0..30 {
        let canary = CANARIES[n % CANARIES.len()];
        let address = match n % 3 {
            0 => format!("{canary}.marsupial{n}@mail.example.com"),
            1 => format!("ada{n}@{canary}{n}.example.org"),
            _ => format!("Ada.{canary}+tag{n}@{canary}-{n}.example.net"),
        };
        writeln!(csv, "m{n},{address},Ada {canary}").unwrap();
        addresses.push(address);
    }
    for bad in
        ["quokka at example.com", "wombat@", "@numbat.example", "bilby@localhost", "a b potoroo@example.com"]
    {
        writeln!(csv, "bad,{bad},x").unwrap();
    }
    // An id that is an address, a row that is cut off in a quote, bytes that are no text.
    csv.push_str("wombat@example.com,wombat@example.com,x\n\"unclosed,quokka@example.com,x\n");
    (addresses, csv)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_and_no_name_appears_in_any_output() {
    let (members, csv) = planted();
    let faults = FaultRates {
        rate_limited: 0.05,
        server_error: 0.1,
        timeout: 0.01,
        truncated: 0.1,
        malformed: 0.1,
        slow_drip: 0.02,
    };
    let settings = SandboxSettings {
        members,
        faults,
        latency: Latency { min_ms: 0, max_ms: 5 },
        ..SandboxSettings::calm(3)
    };
    let extra = "[retry]\nmax_attempts = 3\nbase_ms = 20\ncap_secs = 1\nsnooze_secs = 1\n";
    let home = Home::new(settings, extra).await;
    let file = home.write("members.csv", [csv.as_bytes(), b"m98,bilby\xff@example.com,x\n"].concat());
    let file = file.to_str().unwrap();

    let mut printed = String::new();
    for arguments in [
        &["--log", "trace", "enrich", file][..],
        &["--log", "trace", "--log-format", "json", "--json", "enrich", file],
        &["--log", "trace", "worker", "--until-idle", "1"],
        &["--log", "trace", "status"],
        &["--log", "trace", "dead-letters", "list", "--limit", "1000"],
        &["--log", "trace", "--json", "dead-letters", "list"],
        &["--log", "trace", "provider", "list"],
        &["--log", "trace", "member", "show", "no-such-member"],
        &["--log", "trace", "member", "show", "quokka@nowhere.example.org"],
        &["--log", "trace", "provider", "check", "github", "--email", "wombat@@example.com"],
        &["--log", "trace", "enqueue", "no-such-file.csv"],
    ] {
        let output = home.run(arguments).await;
        write!(printed, "\n$ {arguments:?}\n{}{}", text(&output.stdout), text(&output.stderr)).unwrap();
    }

    // The run really went through the failures, and really talked.
    for expected in ["unavailable", "malformed", "rate limited", "provider answered", "members.csv:"] {
        assert!(printed.contains(expected), "the run never said `{expected}`:\n{printed}");
    }
    assert!(printed.lines().count() > 300, "not a talkative run: {} lines", printed.lines().count());
    // What was asked on the command line is not ours to hide; the echo of it above is.
    let answers = printed.lines().filter(|line| !line.starts_with("$ "));
    let leaks: Vec<_> =
        answers.filter(|line| CANARIES.iter().any(|canary| line.to_lowercase().contains(canary))).collect();
    assert!(leaks.is_empty(), "{} lines leak:\n{}", leaks.len(), leaks[..leaks.len().min(10)].join("\n"));

    // The test can fail: the names and addresses did get into the tables.
    let record = home.run(&["member", "show", "m0"]).await;
    assert!(text(&record.stdout).to_lowercase().contains("quokka"), "{}", text(&record.stdout));
}
