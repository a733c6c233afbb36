//! The house rules that no compiler checks: where things are, who may know whom, how long a file may get.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines that a file may have, tests included.
const LONGEST_FILE: usize = 600;

/// The rooms of `src/`, lower ones first: a room may import those before it, never those after it.
const ROOMS: [&str; 16] = [
    "clock",
    "jitter",
    "keyring",
    "member",
    "record",
    "job",
    "config",
    "telemetry",
    "store",
    "fleet",
    "enrich",
    "replay",
    "intake",
    "worker",
    "console",
    "cli",
];

/// Crates that only these files may name: replaced in one place, or dangerous everywhere else.
const FENCED: [(&str, &[&str]); 11] = [
    (
        "sqlx",
        &[
            "src/store/sqlite",
            "src/store/postgres",
            "src/store/failure.rs",
            "src/store/members.rs",
            "src/store/migrate.rs",
            "benches/",
        ],
    ),
    ("governor", &["providers/src/limit"]),
    ("backoff", &["providers/src/retry"]),
    ("scraper", &["providers/src/page"]),
    ("serde_json_path", &["providers/src/declarative/select.rs"]),
    ("toml_edit", &["src/config/edit.rs"]),
    ("async_nats", &["src/intake/nats.rs"]),
    ("lapin", &["src/intake/rabbitmq.rs"]),
    ("axum", &["src/intake/http", "src/console", "providers/src/sandbox"]),
    ("hyper_util", &["src/intake/http/server.rs"]),
    ("subtle", &["src/intake/http/tokens.rs"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of ours, by its path from the root.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for folder in ["src", "providers/src", "tests", "benches"] {
        collect(&root().join(folder), &mut files);
    }
    assert!(files.len() > 50, "the walk found only {} files", files.len());
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(&path).unwrap())
    };
    files.into_iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The lines that are code, without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim_start).filter(|line| !line.starts_with("//"))
}

/// Whether the code names this crate, as a path or in an import.
fn names(text: &str, name: &str) -> bool {
    let (path, import) = (format!("{name}::"), format!("use {name}"));
    code(text).any(|line| {
        line.starts_with(&import)
            || line
                .match_indices(&path)
                .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
    })
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST_FILE)
        .collect();
    assert!(long.is_empty(), "split these: {long:?}");
}

#[test]
fn every_module_says_what_it_owns() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|(path, _)| {
            !path.ends_with("tests.rs") && !path.contains("/tests/") && !path.starts_with("tests/")
        })
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path)
        .collect();
    assert!(silent.is_empty(), "these begin without `//!`: {silent:?}");
}

#[test]
fn lower_rooms_never_import_higher_ones() {
    let rank = |room: &str| ROOMS.iter().position(|known| *known == room);
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(inside) = path.strip_prefix("src/") else { continue };
        let room = inside.split('/').next().unwrap().trim_end_matches(".rs");
        if matches!(room, "lib" | "main") {
            continue;
        }
        let own = rank(room).unwrap_or_else(|| panic!("`{room}` is in no row of ROOMS"));
        for line in code(&text) {
            for (at, _) in line.match_indices("crate::") {
                let other: String =
                    line[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let Some(other_rank) = rank(&other) else { continue };
                if other_rank > own && room != "cli" {
                    wrong.push(format!("{path}: {line}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "a lower room imports a higher one:\n{}", wrong.join("\n"));
}

#[test]
fn fenced_crates_are_named_where_they_belong_and_nowhere_else() {
    for (name, allowed) in FENCED {
        let users: Vec<_> = sources()
            .into_iter()
            .filter(|(path, text)| !path.starts_with("tests/") && names(text, name))
            .map(|(path, _)| path)
            .collect();
        assert!(!users.is_empty(), "nobody names `{name}`: is the check blind, or the dependency unused?");
        for user in users {
            assert!(allowed.iter().any(|place| user.starts_with(place)), "`{name}` is named in {user}");
        }
    }
}

#[test]
fn every_provider_has_fixtures_a_contract_test_and_a_row_in_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for entry in gleaner_providers::catalog::BUILT_INS {
        let name = entry.name;
        assert!(root().join("providers/fixtures").join(name).is_dir(), "no providers/fixtures/{name}/");
        let tests =
            fs::read_to_string(root().join(format!("providers/src/builtin/{name}/tests.rs"))).unwrap();
        assert!(tests.contains("check_contract"), "`{name}` has no contract test");
        assert!(readme.contains(&format!("| `{name}` |")), "`{name}` has no row in README.md");
    }
}

#[test]
fn every_source_file_is_reachable() {
    let sources = sources();
    let declared: BTreeSet<String> = sources
        .iter()
        .flat_map(|(_, text)| code(text).filter_map(declared_module).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    for (path, _) in &sources {
        let name = Path::new(path).file_stem().unwrap().to_str().unwrap();
        let is_root = matches!(name, "lib" | "main") || path.starts_with("benches/");
        assert!(is_root || declared.contains(name), "no `mod {name};` for {path}");
    }
}

fn declared_module(line: &str) -> Option<&str> {
    let (visibility, rest) = line.split_once("mod ")?;
    (visibility.is_empty() || visibility.starts_with("pub")).then(|| rest.strip_suffix(';'))?
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "docs/decisions/README.md",
        "docs/operate.md",
        "docs/scale.md",
        "docs/add-a-provider.md",
    ] {
        let path = root().join(document);
        let text = fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            if !target.is_empty() && !target.contains("://") {
                assert!(path.parent().unwrap().join(target).exists(), "{document} links to {link}");
            }
        }
    }
}
