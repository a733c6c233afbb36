//! The explicit table of built-in providers, and the catalog that others can be added to.
//!
//! Invariant: a provider that is not a row does not exist; nothing registers itself.

use std::sync::Arc;

use crate::builtin::{
    apollo, bluesky, enrich_so, fullcontact, fullenrich, github, gitlab, gravatar, homepage, hunter, keybase,
    openpgp, orcid, people_data_labs, pipl, rocketreach, webfinger, wikidata,
};
use crate::declarative::Declaration;
use crate::provider::{Descriptor, Provider};
use crate::settings::{ProviderSettings, SettingsError, nearest};

/// One row of the catalog.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub name: &'static str,
    /// What it says of itself before it is built.
    pub descriptor: fn() -> Descriptor,
    pub build: fn(&ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError>,
}

/// Every built-in, in the order in which `gleaner provider list` shows them: free and proven ones first.
pub const BUILT_INS: &[Entry] = &[
    Entry { name: "gravatar", descriptor: gravatar::descriptor, build: gravatar::build },
    Entry { name: "github", descriptor: github::descriptor, build: github::build },
    Entry { name: "homepage", descriptor: homepage::descriptor, build: homepage::build },
    Entry { name: "webfinger", descriptor: webfinger::descriptor, build: webfinger::build },
    Entry { name: "gitlab", descriptor: gitlab::descriptor, build: gitlab::build },
    Entry { name: "openpgp", descriptor: openpgp::descriptor, build: openpgp::build },
    Entry { name: "wikidata", descriptor: wikidata::descriptor, build: wikidata::build },
    Entry { name: "orcid", descriptor: orcid::descriptor, build: orcid::build },
    Entry { name: "keybase", descriptor: keybase::descriptor, build: keybase::build },
    Entry { name: "bluesky", descriptor: bluesky::descriptor, build: bluesky::build },
    Entry { name: "enrich_so", descriptor: enrich_so::descriptor, build: enrich_so::build },
    Entry { name: "hunter", descriptor: hunter::descriptor, build: hunter::build },
    Entry { name: "apollo", descriptor: apollo::descriptor, build: apollo::build },
    Entry { name: "fullenrich", descriptor: fullenrich::descriptor, build: fullenrich::build },
    Entry {
        name: "people_data_labs",
        descriptor: people_data_labs::descriptor,
        build: people_data_labs::build,
    },
    Entry { name: "fullcontact", descriptor: fullcontact::descriptor, build: fullcontact::build },
    Entry { name: "rocketreach", descriptor: rocketreach::descriptor, build: rocketreach::build },
    Entry { name: "pipl", descriptor: pipl::descriptor, build: pipl::build },
];

/// One provider that can be asked: written in Rust, or declared in a file.
#[derive(Clone, Debug)]
pub enum Row {
    Coded(Entry),
    Declared(Arc<Declaration>),
}

/// All providers that can be asked: the built-ins, those of whoever built the binary, and those declared in files.
#[derive(Clone, Debug)]
pub struct Catalog(Vec<Row>);

impl Row {
    pub fn name(&self) -> &str {
        match self {
            Self::Coded(entry) => entry.name,
            Self::Declared(declaration) => declaration.name(),
        }
    }

    /// What it says of itself before it is built.
    pub fn descriptor(&self) -> Descriptor {
        match self {
            Self::Coded(entry) => (entry.descriptor)(),
            Self::Declared(declaration) => declaration.descriptor().clone(),
        }
    }

    pub fn build(&self, settings: &ProviderSettings) -> Result<Arc<dyn Provider>, SettingsError> {
        match self {
            Self::Coded(entry) => (entry.build)(settings),
            Self::Declared(declaration) => declaration.build(settings),
        }
    }

    pub const fn is_declared(&self) -> bool {
        matches!(self, Self::Declared(_))
    }
}

impl Default for Catalog {
    /// The built-ins.
    fn default() -> Self {
        Self(BUILT_INS.iter().copied().map(Row::Coded).collect())
    }
}

impl Catalog {
    /// The same with one more provider; a name is given once.
    pub fn with(mut self, row: Row) -> Result<Self, SettingsError> {
        if self.rows().any(|known| known.name() == row.name()) {
            return Err(SettingsError::NameTaken { name: row.name().to_owned() });
        }
        self.0.push(row);
        Ok(self)
    }

    /// In the order in which they are listed.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.0.iter()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rows().map(Row::name)
    }

    /// The provider of this name; an unknown name lists the known ones.
    pub fn find(&self, name: &str) -> Result<&Row, SettingsError> {
        self.rows().find(|row| row.name() == name).ok_or_else(|| SettingsError::UnknownProvider {
            name: name.to_owned(),
            known: self.names().collect::<Vec<_>>().join(", "),
            hint: nearest(name, self.names())
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default(),
        })
    }
}

impl From<Entry> for Row {
    fn from(entry: Entry) -> Self {
        Self::Coded(entry)
    }
}

impl From<Declaration> for Row {
    fn from(declaration: Declaration) -> Self {
        Self::Declared(Arc::new(declaration))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::provider::KeyNeed;

    fn settings(options: &str) -> ProviderSettings {
        let key = Some(SecretString::from("key-for-tests"));
        ProviderSettings { key, options: options.parse().unwrap(), ..ProviderSettings::default() }
    }

    #[test]
    fn every_row_names_and_builds_the_provider_it_describes() {
        for entry in BUILT_INS {
            let described = (entry.descriptor)();
            let built = (entry.build)(&settings("")).unwrap();
            assert_eq!(described.name, entry.name);
            assert_eq!(built.descriptor().name, entry.name);
            assert_eq!(Catalog::default().find(entry.name).unwrap().name(), entry.name);
        }
    }

    #[test]
    fn a_needed_key_is_demanded_and_an_unknown_option_refused() {
        for entry in BUILT_INS {
            let keyless = (entry.build)(&ProviderSettings::default());
            let needs_key = (entry.descriptor)().key == KeyNeed::Required;
            assert_eq!(matches!(keyless, Err(SettingsError::KeyMissing)), needs_key, "{}", entry.name);
            let mistyped = (entry.build)(&settings("min_likelyhood = 3"));
            assert!(matches!(mistyped, Err(SettingsError::Options { .. })), "{}", entry.name);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones_and_a_known_one_is_given_once() {
        let error = Catalog::default().find("grvatar").unwrap_err().to_string();
        let list = BUILT_INS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
        let wanted = format!("unknown provider `grvatar`; known are: {list}; did you mean `gravatar`?");
        assert_eq!(error, wanted);
        let twice = Catalog::default().with(BUILT_INS[0].into()).unwrap_err().to_string();
        insta::assert_snapshot!(twice, @"there is a provider `gravatar` already: give this one another name");
    }
}
