//! The HTTP door: where it listens, who may come in, how much at once.
//!
//! Invariant: off unless an address is set; a door that other machines reach is refused unless a proxy that speaks TLS
//! is said to stand in front of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::{ConfigError, count, source};

/// The environment variable with a token, where no file is named.
const TOKEN_VARIABLE: &str = "GLEANER_HTTP_TOKEN";
/// The caller who comes with the token of `token_file` or of the environment.
const UNNAMED: &str = "default";
/// 32 random bytes in base64 without padding; in hex they are 64.
const SHORTEST_TOKEN: usize = 43;

/// The table `[http]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Address and port; none keeps the door shut.
    pub listen: Option<SocketAddr>,
    /// A proxy that speaks TLS stands in front and names the real source last in `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// Host names that the door is asked under, beside those of this machine.
    pub hosts: Vec<String>,
    /// The file with the token of the one caller.
    pub token_file: Option<PathBuf>,
    /// Callers by name, each with the file of its own token.
    pub tokens: BTreeMap<String, PathBuf>,
    pub max_connections: NonZeroU32,
    /// Requests that are read and worked on at the same time.
    pub max_requests: NonZeroU32,
    pub max_body_bytes: NonZeroUsize,
    /// Registrations in one request.
    pub max_items: NonZeroUsize,
    /// How long a request's head may take, its body, and the answer, each.
    pub timeout_secs: NonZeroU32,
    /// Jobs that may wait before nothing more is taken in.
    pub max_waiting: NonZeroU32,
}

impl Default for Http {
    fn default() -> Self {
        const fn size<const N: usize>() -> NonZeroUsize {
            const { NonZeroUsize::new(N).expect("a size of at least one") }
        }
        Self {
            listen: None,
            behind_proxy: false,
            hosts: Vec::new(),
            token_file: None,
            tokens: BTreeMap::new(),
            max_connections: count::<512>(),
            max_requests: count::<256>(),
            max_body_bytes: size::<{ 1024 * 1024 }>(),
            max_items: size::<10_000>(),
            timeout_secs: count::<10>(),
            max_waiting: count::<1_000_000>(),
        }
    }
}

impl Http {
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_secs.get().into())
    }

    /// The tokens, each with the name of its caller.
    pub fn read_tokens(&self) -> Result<Vec<(String, SecretString)>, ConfigError> {
        let mut tokens = Vec::new();
        for (name, file) in &self.tokens {
            let token = source::secret(Some(file), "")?;
            tokens.push((name.clone(), token.unwrap_or_default()));
        }
        if let Some(token) = source::secret(self.token_file.as_deref(), TOKEN_VARIABLE)? {
            tokens.push((UNNAMED.to_owned(), token));
        }
        if tokens.is_empty() {
            return Err(ConfigError::NoToken);
        }
        for (name, token) in &tokens {
            let text = token.expose_secret();
            if text.len() < SHORTEST_TOKEN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(ConfigError::WeakToken { caller: name.clone() });
            }
        }
        Ok(tokens)
    }

    /// What is wrong with these settings, by key.
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if let Some(listen) = self.listen
            && !listen.ip().is_loopback()
            && !self.behind_proxy
        {
            found.push((
                "http.listen",
                format!(
                    "`{listen}` is reached from other machines and speaks plain HTTP; listen on 127.0.0.1, or put a proxy \
                     that speaks TLS in front and set `http.behind_proxy = true`"
                ),
            ));
        }
        if self.tokens.contains_key(UNNAMED) {
            found.push((
                "http.tokens",
                format!("`{UNNAMED}` is the caller of `http.token_file`; take another name"),
            ));
        }
        if let Some(host) = self.hosts.iter().find(|host| host.is_empty() || host.contains(['/', '@', ' '])) {
            found.push(("http.hosts", format!("`{host}` is no host name; write `gleaner.example.com`")));
        }
        found
    }
}
