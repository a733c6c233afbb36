//! Where jobs and records live.
//!
//! Invariant: an address never shows its password, and none with a password stands in a file.

use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

/// What `postgres://…?` may carry: what the driver knows. (It would log the value of any other, which may be a
/// mistyped password.)
const PARAMETERS: [&str; 13] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "ssl-mode",
    "user",
];

/// A database, ready to be opened.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A server; `pooler` says that one in transaction mode stands between.
    Postgres { url: SecretString, pooler: bool },
}

/// The address of a database, as it was written.
#[derive(Clone, Deserialize)]
#[serde(from = "SecretString")]
pub struct DatabaseUrl {
    text: SecretString,
    /// Whether it stands in a file, which is no place for a password.
    in_file: bool,
}

impl From<SecretString> for DatabaseUrl {
    fn from(text: SecretString) -> Self {
        Self { text, in_file: true }
    }
}

impl DatabaseUrl {
    /// An address from the command line or the environment.
    pub fn given(text: SecretString) -> Self {
        Self { text, in_file: false }
    }

    pub(super) fn database(&self, pooler: bool) -> Database {
        match self.file() {
            Some(path) => Database::Sqlite(path),
            None => Database::Postgres { url: self.text.clone(), pooler },
        }
    }

    fn file(&self) -> Option<PathBuf> {
        self.text.expose_secret().strip_prefix("sqlite:").map(PathBuf::from)
    }

    fn server(&self) -> Option<Url> {
        let text = self.text.expose_secret();
        let is_server = text.starts_with("postgres://") || text.starts_with("postgresql://");
        is_server.then(|| Url::parse(text).ok()).flatten()
    }

    /// What is wrong with it, and what to do.
    pub(super) fn problem(&self) -> Option<String> {
        if self.file().is_some() {
            return None;
        }
        let Some(url) = self.server() else {
            return Some(
                "must be `sqlite:FILE` or `postgres://USER@HOST/DATABASE`, such as \
                 `sqlite:/var/lib/gleaner/gleaner.db`; special characters are written as %XX"
                    .to_owned(),
            );
        };
        if let Some((unknown, _)) = url
            .query_pairs()
            .find(|(name, _)| !PARAMETERS.contains(&&**name) && !name.starts_with("options["))
        {
            let known = PARAMETERS.join(", ");
            return Some(format!("carries the unknown parameter `{unknown}`; known are {known}"));
        }
        if self.in_file && (url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password"))
        {
            return Some(
                "holds a password, and this file is no place for one: take it out, and give it in PGPASSWORD or in \
                 the file PGPASSFILE, or give the whole address in the environment variable GLEANER_DATABASE_URL"
                    .to_owned(),
            );
        }
        None
    }
}

/// Host and database: nothing secret.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = self.file() {
            return write!(f, "sqlite:{}", path.display());
        }
        match self.server() {
            Some(url) => {
                let host = url.host_str().unwrap_or_default();
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                write!(f, "postgres://{host}{port}{}", url.path())
            }
            None => f.write_str("[unreadable]"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> DatabaseUrl {
        DatabaseUrl::given(text.into())
    }

    #[test]
    fn an_address_names_a_file_or_a_server() {
        for (text, good) in [
            ("sqlite:/var/lib/gleaner.db", true),
            ("postgres://gleaner@db.example.com/members?sslmode=require", true),
            ("postgresql:///members?host=/run/postgresql", true),
            ("postgres://gleaner:pass%20word@db.example.com:6432/members", true),
            ("mysql://db.example.com/members", false),
            ("/var/lib/gleaner.db", false),
            ("postgres://gleaner:pass@word@", false),
            ("postgres://db.example.com/members?pasword=secret", false),
        ] {
            assert_eq!(given(text).problem().is_none(), good, "{text}: {:?}", given(text).problem());
        }
    }

    #[test]
    fn a_password_is_for_the_environment() {
        for text in
            ["postgres://gleaner:secret@db.example.com/members", "postgres:///members?password=secret"]
        {
            assert_eq!(given(text).problem(), None, "{text}");
            let in_file = DatabaseUrl::from(SecretString::from(text));
            assert!(in_file.problem().unwrap().contains("PGPASSWORD"), "{text}");
            for shown in [format!("{in_file:?} {in_file}"), format!("{:?}", in_file.database(false))] {
                assert!(!shown.contains("secret"), "{shown}");
            }
        }
        let shown =
            given("postgres://gleaner:secret@db.example.com:6432/members?sslmode=require").to_string();
        assert_eq!(shown, "postgres://db.example.com:6432/members");
        let mistyped = given("postgres://db.example.com/members?pasword=secret").problem().unwrap();
        assert!(!mistyped.contains("secret"), "{mistyped}");
    }
}
