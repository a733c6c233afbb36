//! `gleaner provider new`: the beginnings of a provider, as a file in Rust or as one that declares it.
//!
//! The provider in Rust is a copy of `providers/examples/own-provider`, which is compiled and tested like everything else, so
//! that what is copied works.
//!
//! Invariant: nothing that exists is overwritten, and with `--dry-run` nothing is written at all.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde_json::json;

use crate::cli::host::Host;
use crate::cli::{Exit, out};

/// A file that declares a provider, to begin with.
const DECLARED: &str = include_str!("scaffold/declared.toml");
/// The provider that is copied, and how it is called there.
const EXAMPLE: &str = "providers/examples/own-provider";
const NAME: &str = "acme_directory";
const TYPE: &str = "AcmeDirectory";
const TITLE: &str = "Acme Directory";
/// Where the catalog imports its providers.
const IMPORT: &str = "use crate::builtin::{\n    ";

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The provider's name: a noun in `snake_case`, after the service
    name: String,
    /// A file that declares it, with no Rust, in place of source files in a checkout
    #[arg(long)]
    declared: bool,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// What is to be written.
struct Draft {
    path: PathBuf,
    text: String,
    /// Whether the file is there and gets longer, or is new.
    what: &'static str,
}

pub(super) fn run(host: &Host, args: &Args, json: bool) -> anyhow::Result<Exit> {
    let name = &args.name;
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    ensure!(
        name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_word),
        "`{name}` is no name for a provider: write it in snake_case, such as `staff_directory`"
    );
    ensure!(host.config.catalog.find(name).is_err(), "there is a provider `{name}` already");
    let drafts = if args.declared { declared(host, name) } else { coded(&checkout()?, name)? };
    if let Some(draft) = drafts.iter().find(|draft| draft.what == "new" && draft.path.exists()) {
        bail!("`{}` is there already; nothing was written", draft.path.display());
    }
    if !args.dry_run {
        drafts.iter().try_for_each(write)?;
    }
    let files: Vec<_> =
        drafts.iter().map(|draft| json!({ "path": draft.path, "what": draft.what })).collect();
    if json {
        out::json(&json!({ "provider": name, "files": files, "written": !args.dry_run }))?;
        return Ok(Exit::Done);
    }
    for draft in &drafts {
        out::line(format_args!("{:<9}{}", draft.what, draft.path.display()));
    }
    match (args.dry_run, args.declared) {
        (true, _) => out::line("nothing was written"),
        (false, true) => out::line(format_args!(
            "next: fill it in, and try it out: gleaner provider check {} --email …",
            drafts.first().map(|draft| draft.path.display().to_string()).unwrap_or_default()
        )),
        (false, false) => out::line(format_args!(
            "next: cargo fmt, then cargo test --all-features -p gleaner-providers {name}; docs/add-a-provider.md goes on from here"
        )),
    }
    Ok(Exit::Done)
}

fn write(draft: &Draft) -> anyhow::Result<()> {
    let folder = draft.path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    fs::write(&draft.path, &draft.text).with_context(|| format!("cannot write `{}`", draft.path.display()))
}

/// A file in the folder where declared providers are looked for.
fn declared(host: &Host, name: &str) -> Vec<Draft> {
    let path = host.config.declared_in(host.file.as_deref()).join(format!("{name}.toml"));
    vec![Draft { path, text: renamed(DECLARED, name), what: "new" }]
}

/// The root of the checkout that the command is run in.
fn checkout() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("there is no current folder")?;
    let root = here.ancestors().find(|folder| folder.join(EXAMPLE).is_dir());
    root.map(Path::to_owned).context(
        "this is no checkout of Gleaner's repository: run it in one, or take `--declared` for a provider without Rust",
    )
}

/// Source, tests, fixtures, and the rows that make it known.
fn coded(root: &Path, name: &str) -> anyhow::Result<Vec<Draft>> {
    let read = |path: &str| {
        fs::read_to_string(root.join(path))
            .with_context(|| format!("cannot read `{}`", root.join(path).display()))
    };
    let new = |path: String, text: String| Draft { path: root.join(path), text, what: "new" };
    let longer = |path: &str, text: String| Draft { path: root.join(path), text, what: "longer" };
    let source = |path: &str| read(&format!("{EXAMPLE}/{path}")).map(|text| renamed(&in_tree(&text), name));
    let mut drafts = vec![
        new(format!("providers/src/builtin/{name}.rs"), source(&format!("src/{NAME}.rs"))?),
        new(format!("providers/src/builtin/{name}/tests.rs"), source(&format!("src/{NAME}/tests.rs"))?),
    ];
    for fixture in ["match.json", "no_match.json", "bad_key.json"] {
        let text = read(&format!("{EXAMPLE}/fixtures/{NAME}/{fixture}"))?;
        drafts.push(new(format!("providers/fixtures/{name}/{fixture}"), text));
    }
    let (modules, catalog, readme) = ("providers/src/builtin.rs", "providers/src/catalog.rs", "README.md");
    let module = format!("pub mod {name};\n");
    drafts.push(longer(modules, inserted(&read(modules)?, "pub mod ", &module, modules)?));
    let text = read(catalog)?;
    let imported = text.replacen(IMPORT, &format!("{IMPORT}{name}, "), 1);
    ensure!(imported != text, "`{catalog}` has no `{}`", IMPORT.trim());
    let row =
        format!("    Entry {{ name: \"{name}\", descriptor: {name}::descriptor, build: {name}::build }},\n");
    let table =
        imported.find("BUILT_INS: &[Entry]").with_context(|| format!("`{catalog}` has no `BUILT_INS`"))?;
    let end = imported[table..].find("\n];").context("`BUILT_INS` has no end")? + table + 1;
    drafts.push(longer(catalog, format!("{}{row}{}", &imported[..end], &imported[end..])));
    // What the example's descriptor says, as `tests/it/readme.rs` writes it.
    let row = format!("| `{name}` | name, age, social | the address | 60/min | free | required |  |\n");
    drafts.push(longer(readme, inserted(&read(readme)?, "| `", &row, readme)?));
    Ok(drafts)
}

/// The text with a line behind the last of the first block of lines that begin so.
fn inserted(text: &str, begin: &str, line: &str, path: &str) -> anyhow::Result<String> {
    let first = text
        .find(&format!("\n{begin}"))
        .with_context(|| format!("`{path}` has no line that begins `{begin}`"))?
        + 1;
    let mut at = first;
    while text[at..].starts_with(begin) {
        at += text[at..].find('\n').map_or(text.len() - at, |found| found + 1);
    }
    Ok(format!("{}{line}{}", &text[..at], &text[at..]))
}

/// The example's source as it stands within the crate of the providers.
fn in_tree(text: &str) -> String {
    text.replace("gleaner_providers::", "crate::")
        .replace("#[cfg(test)]\nmod tests;", "#[cfg(test)]\n#[cfg(feature = \"contract\")]\nmod tests;")
        .replace("../../fixtures/", "../../../fixtures/")
}

fn renamed(text: &str, name: &str) -> String {
    let title = titled(name);
    text.replace(NAME, name)
        .replace(&NAME.to_uppercase(), &name.to_uppercase())
        .replace(TYPE, &title.replace(' ', ""))
        .replace(TITLE, &title)
}

/// `staff_directory` as a title: `Staff Directory`.
fn titled(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty()).map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gleaner_providers::declarative::Declaration;

    #[test]
    fn the_declared_one_is_right_as_it_stands() {
        let text = renamed(DECLARED, "staff_list");
        let declaration = Declaration::parse("staff_list", &text).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(declaration.descriptor().title, "Staff List");
    }

    #[test]
    fn a_line_goes_behind_the_last_of_its_kind() {
        let text = "//! Doc.\n\npub mod a;\npub mod b;\n\npub mod late;\n";
        let longer = inserted(text, "pub mod ", "pub mod c;\n", "x").unwrap();
        assert_eq!(longer, "//! Doc.\n\npub mod a;\npub mod b;\npub mod c;\n\npub mod late;\n");
        assert!(inserted(text, "| `", "", "x").is_err());
    }

    #[test]
    fn a_declaration_bears_its_own_name_everywhere() {
        let text = renamed(DECLARED, "staff_list");
        assert!(text.contains("GLEANER_STAFF_LIST_KEY") && !text.to_lowercase().contains("acme"), "{text}");
    }

    #[test]
    fn the_checkout_gets_source_tests_fixtures_and_rows() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let drafts = coded(root, "staff_list").unwrap();
        let paths: Vec<_> =
            drafts.iter().map(|draft| draft.path.strip_prefix(root).unwrap().display().to_string()).collect();
        assert_eq!(
            paths,
            [
                "providers/src/builtin/staff_list.rs",
                "providers/src/builtin/staff_list/tests.rs",
                "providers/fixtures/staff_list/match.json",
                "providers/fixtures/staff_list/no_match.json",
                "providers/fixtures/staff_list/bad_key.json",
                "providers/src/builtin.rs",
                "providers/src/catalog.rs",
                "README.md",
            ]
        );
        let text = |at: usize| drafts[at].text.as_str();
        assert!(text(0).contains("pub struct StaffList") && text(0).contains("title: \"Staff List\""));
        assert!(text(1).contains("../../../fixtures/staff_list/match.json"));
        for example in [NAME, &NAME.to_uppercase(), TYPE, TITLE, "gleaner_providers"] {
            assert!(!text(0).contains(example) && !text(1).contains(example), "{example} is left");
        }
        assert!(text(5).contains("pub mod staff_list;\n") && text(6).contains(
            "    Entry { name: \"staff_list\", descriptor: staff_list::descriptor, build: staff_list::build },\n];"
        ));
        assert!(text(6).contains("use crate::builtin::{\n    staff_list, "));
        assert!(text(7).contains("| `staff_list` | name, age, social |"));
    }
}
