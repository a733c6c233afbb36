//! The README's table of providers is that of the catalog.

use std::fs;
use std::path::Path;

use gleaner_providers::catalog::BUILT_INS;
use gleaner_providers::provider::{Identifier, KeyNeed, Micros, Price, Quota};
use gleaner_providers::{Descriptor, Field};

const BEGIN: &str = "<!-- The table is written by `cargo test --test it readme`. -->\n";
const HEAD: &str = "\
| name | supplies | is told | quota (default) | price | key | terms |
| --- | --- | --- | --- | --- | --- | --- |
";

#[test]
fn the_table_of_providers_is_that_of_the_catalog() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, after) = readme.split_once(BEGIN).expect("the README lost the line above its table of providers");
    let (shown, _) = after.split_once("\n\n").unwrap();
    let rows = BUILT_INS.iter().map(|entry| row(&(entry.descriptor)())).collect::<Vec<_>>();
    let table = format!("{HEAD}{}", rows.join("\n"));
    assert!(shown == table, "README.md is stale; in place of its table of providers write:\n\n{table}\n");
}

fn row(about: &Descriptor) -> String {
    let supplies = about.supplies.iter().map(|field| Field::as_str(*field)).collect::<Vec<_>>().join(", ");
    let key = match about.key {
        KeyNeed::None => "none",
        KeyNeed::Optional => "optional",
        KeyNeed::Required => "required",
    };
    let off = if about.opt_in { "off by default: " } else { "" };
    let terms = about.terms.as_deref().unwrap_or_default();
    format!(
        "| `{}` | {supplies} | {} | {} | {} | {key} | {off}{terms} |",
        about.name,
        told(about),
        quota(about.quota),
        price(about.price)
    )
}

fn told(about: &Descriptor) -> String {
    let told = match about.told {
        Identifier::Address if about.takes_hash => "the address, or its hash",
        Identifier::Address => "the address",
        Identifier::AddressHash => "a hash of the address",
        Identifier::Domain => "the domain",
        Identifier::Handle => "an account found before",
    };
    if about.reads.is_empty() || about.told == Identifier::Handle {
        return told.to_owned();
    }
    format!("{told}, or an account found before")
}

fn quota(quota: Quota) -> String {
    let window = match quota.window.as_secs() {
        1 => "s",
        60 => "min",
        3600 => "h",
        86_400 => "day",
        other => panic!("a window of {other} s has no name yet"),
    };
    format!("{}/{window}", quota.calls)
}

fn price(price: Price) -> String {
    match price {
        _ if price.is_free() => "free".to_owned(),
        Price { per_match, per_miss, .. } if per_match == per_miss => {
            format!("{} a call", dollars(per_match))
        }
        Price { per_match, .. } => format!("{} a match", dollars(per_match)),
    }
}

/// At least cents, and as much more as it takes.
fn dollars(amount: Micros) -> String {
    let text = format!("{}.{:06}", amount.0 / 1_000_000, amount.0 % 1_000_000);
    let short = text.trim_end_matches('0');
    let cents = text.len() - 4;
    format!("${}", if short.len() < cents { &text[..cents] } else { short })
}
