//! Ten thousand addresses as found in the wild: the run ends, every row is accounted for, every refusal has a reason.

use std::fmt::Write as _;

use gleaner_providers::sandbox::SandboxSettings;

use crate::support::{Dice, Home};

const ROWS: u64 = 10_000;

const GIVEN: [&str; 10] =
    ["ada", "björn", "chloé", "дмитрий", "eve", "فاطمة", "grace", "花子", "ines", "o'neil"];

/// One address, good or bad. About a third is bad.
fn address(dice: &mut Dice) -> String {
    let given = GIVEN[usize::try_from(dice.between(0, 10)).unwrap()];
    let n = dice.between(0, 4_000);
    match dice.between(0, 24) {
        0 => "user@localhost".to_owned(),
        1 => "root@(none)".to_owned(),
        2 => format!("{given} {n}@example.com"),
        3 => format!("\"{given} {n}\"@example.com"),
        4 => format!("{}@example.com", "x".repeat(300)),
        5 => format!("{given}{n}@{}.example", "y".repeat(70)),
        6 => format!("  {given}.{n}@example.com  "),
        7 => format!("{}{n}@EXAMPLE.COM", given.to_uppercase()),
        8 => String::new(),
        9 => format!("{given}{n}"),
        10 => format!("{given}@{n}@example.com"),
        11 => format!("{given}..{n}@example.com"),
        12 => format!("Jane \"{given}\" Doe <jane{n}@example.org>"),
        13 => format!("{given}{n}@[10.0.0.1]"),
        14 => format!("{given}\u{200b}{n}@example.com\u{0}"),
        15 => format!("=cmd|'{n}'!A1@example.com"),
        16 => format!("{given}{n}@bücher{n}.example.org"),
        _ => format!("{given}.{n}@site{n}.example.org"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_a_wild_file_is_accounted_for() {
    let mut dice = Dice(10);
    let mut csv = "Member ID;E-Mail\r\n".to_owned();
    for _ in 0..ROWS {
        // A member in ten appears again, under one address or another.
        let member = dice.between(0, ROWS * 9 / 10);
        write!(csv, "{member};\"{}\"\r\n", address(&mut dice).replace('"', "\"\"")).unwrap();
    }
    let home = Home::new(SandboxSettings::calm(5), "").await;
    let file = home.write("wild.csv", ["\u{feff}", &csv].concat());
    let run = home.json(&["enrich", file.to_str().unwrap()]).await;

    let count = |part: &str, key: &str| run[part][key].as_u64().unwrap();
    let taken: u64 =
        ["queued", "repeated", "fresh", "suppressed", "refused"].map(|key| count("intake", key)).iter().sum();
    assert_eq!(count("intake", "rows"), ROWS);
    assert_eq!(taken, ROWS, "{}", run["intake"]);
    assert!(count("intake", "refused") > 2_000, "{}", run["intake"]);

    let census = |key| count("census", key);
    let ended = census("complete")
        + census("partial")
        + census("no_match")
        + census("suppressed")
        + census("dead_letters");
    assert_eq!(ended, census("taken_in"), "{}", run["census"]);
    assert_eq!(ended + census("repeated"), ROWS, "{}", run["census"]);
    assert_eq!(census("dead_letters"), count("intake", "refused"), "nothing but bad rows died");

    let letters = home.run(&["--json", "dead-letters", "list", "--limit", "10000"]).await;
    let letters: Vec<serde_json::Value> = letters
        .stdout
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(letters.len() as u64, count("intake", "refused"));
    for letter in letters {
        assert!(!letter["error"].as_str().unwrap().is_empty());
        assert!(letter["origin"].as_str().unwrap().starts_with("wild.csv:"), "{letter}");
    }
}
