//! Changes to the settings file: a provider switched on or off, every comment and every other line kept.
//!
//! Invariant: pure; what comes out is a file that says the same but for the change.

use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::Config;

/// A change to a settings file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Switch<'a> {
    /// On, and asked in this tier (from 0; one beyond the last is a new one) if it is in none.
    On {
        tier: usize,
        tiers: &'a [Vec<String>],
    },
    Off,
}

/// The text of a settings file with the provider switched. The text is one that [`Config::parse`] has read.
pub fn switch(text: &str, name: &str, switch: &Switch<'_>) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    if !document.contains_key("providers") {
        begin_providers(&mut document, name);
    }
    let providers = document.get_mut("providers").and_then(Item::as_table_like_mut);
    let providers = providers.ok_or("`providers` is no table")?;
    let own = providers.entry(name).or_insert_with(|| Item::Table(Table::new()));
    let own = own.as_table_like_mut().ok_or_else(|| format!("`providers.{name}` is no table"))?;
    set(own, "enabled", value(matches!(switch, Switch::On { .. })));
    if let Switch::On { tier, tiers } = switch
        && !tiers.iter().flatten().any(|known| known == name)
    {
        let enrich = document.entry("enrich").or_insert_with(|| Item::Table(Table::new()));
        let enrich = enrich.as_table_like_mut().ok_or("`enrich` is no table")?;
        join_tier(enrich, name, *tier, tiers)?;
    }
    let text = document.to_string();
    match Config::parse(&text, "the changed file") {
        Ok(_) => Ok(text),
        Err(error) => Err(error.to_string()),
    }
}

/// Puts a value in the place of another, and leaves what stands around it.
fn set(table: &mut dyn toml_edit::TableLike, key: &str, item: Item) {
    match (table.get_mut(key).and_then(Item::as_value_mut), item) {
        (Some(old), Item::Value(mut new)) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        (_, item) => {
            table.insert(key, item);
        }
    }
}

/// The table of all providers, which has no line of its own, with the first one in it. What stands at the end of the file stays
/// where it is: it is about the key above it.
fn begin_providers(document: &mut DocumentMut, name: &str) {
    let mut own = Table::new();
    if let Some(end) = document.trailing().as_str().filter(|end| !end.is_empty()) {
        own.decor_mut().set_prefix(format!("{end}\n"));
        document.set_trailing("");
    }
    let mut providers = Table::new();
    providers.set_implicit(true);
    providers.insert(name, Item::Table(own));
    document.insert("providers", Item::Table(providers));
}

fn join_tier(
    enrich: &mut dyn toml_edit::TableLike,
    name: &str,
    tier: usize,
    tiers: &[Vec<String>],
) -> Result<(), String> {
    if !enrich.contains_key("tiers") {
        // The defaults, written out: from now on they are the operator's own.
        let written = tiers.iter().map(|tier| tier.iter().collect::<Array>());
        enrich.insert("tiers", value(written.collect::<Array>()));
    }
    let list = enrich.get_mut("tiers").and_then(Item::as_array_mut).ok_or("`enrich.tiers` is no list")?;
    match list.get_mut(tier) {
        Some(tier) => tier.as_array_mut().ok_or("`enrich.tiers` is no list of lists")?.push(name),
        None => list.push([name].into_iter().collect::<Array>()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiers() -> Vec<Vec<String>> {
        vec![vec!["github".to_owned()], vec!["people_data_labs".to_owned()]]
    }

    fn on(text: &str, name: &str, tier: usize) -> String {
        let tiers = Config::parse(text, "test").unwrap().enrich.tiers;
        switch(text, name, &Switch::On { tier, tiers: &tiers }).unwrap()
    }

    #[test]
    fn a_comment_beside_the_key_stays() {
        let text = "# ours\n[providers.github] # code\nenabled = true   # since May\nquota = \"1/s\"\n";
        let off = switch(text, "github", &Switch::Off).unwrap();
        assert_eq!(off, text.replace("true", "false"));
        assert_eq!(on(&off, "github", 0), text);
    }

    #[test]
    fn a_table_is_added_where_there_is_none() {
        insta::assert_snapshot!(on("policy_version = \"7\" # ours\n", "github", 0), @r##"
        policy_version = "7" # ours

        [providers.github]
        enabled = true
        "##);
        insta::assert_snapshot!(switch("", "github", &Switch::Off).unwrap(), @r##"
        [providers.github]
        enabled = false
        "##);
        insta::assert_snapshot!(on("providers = { gravatar = { enabled = true } }\n", "github", 0), @"providers = { gravatar = { enabled = true } , github.enabled = true }");
    }

    #[test]
    fn comments_at_the_end_stay_with_what_they_are_about() {
        insta::assert_snapshot!(on("[nats]\ncreate = false\n# ours\n# ca_file = \"ca.pem\"\n\n# [providers.github]\n", "github", 0), @r##"
        [nats]
        create = false
        # ours
        # ca_file = "ca.pem"

        # [providers.github]

        [providers.github]
        enabled = true
        "##);
    }

    #[test]
    fn who_is_in_no_tier_joins_one() {
        let own = "[enrich]\n# ours\ntiers = [[\"github\"], [\"people_data_labs\"]] # two\n";
        insta::assert_snapshot!(on(own, "staff", 0), @r##"
        [enrich]
        # ours
        tiers = [["github", "staff"], ["people_data_labs"]] # two

        [providers.staff]
        enabled = true
        "##);
        insta::assert_snapshot!(on(own, "staff", 2), @r##"
        [enrich]
        # ours
        tiers = [["github"], ["people_data_labs"], ["staff"]] # two

        [providers.staff]
        enabled = true
        "##);
        insta::assert_snapshot!(on("", "staff", 2), @r##"
        [providers.staff]
        enabled = true

        [enrich]
        tiers = [["gravatar", "github", "homepage", "webfinger", "gitlab", "openpgp", "wikidata", "orcid"], ["keybase", "bluesky"], ["enrich_so", "staff"], ["hunter"], ["apollo"], ["fullenrich"], ["people_data_labs"], ["fullcontact"], ["rocketreach"], ["pipl"]]
        "##);
        let once = switch(own, "github", &Switch::On { tier: 1, tiers: &tiers() }).unwrap();
        assert!(once.starts_with(own), "{once}");
    }
}
