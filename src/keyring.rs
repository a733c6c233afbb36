//! The secret behind every keyed hash: kept in a file outside the database, made at first run, readable by its
//! owner only.
//!
//! Invariant: the key never leaves this file; what others hold are keyed hashes. (E-mail addresses are guessable,
//! so a plain hash of one is as good as the address.)

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use gleaner_providers::EmailAddress;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;

const KEY_BYTES: usize = 32;

/// The keyed hash of a mailbox: HMAC-SHA-256 over its canonical address. One for all spellings.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SubjectKey([u8; 32]);

impl SubjectKey {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectKey({}…)", hex::encode(&self.0[..4]))
    }
}

/// The keyed hash of something that is to be known again when it comes again: a request's key, an event's id, a
/// body. Keyed, because bodies and ids that others chose may be guessable.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SeenKey([u8; 32]);

impl SeenKey {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SeenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeenKey({}…)", hex::encode(&self.0[..4]))
    }
}

/// Makes keyed hashes.
#[derive(Debug)]
pub struct Keyring {
    key: SecretBox<[u8; KEY_BYTES]>,
}

/// Why the key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error("cannot {action} the key file `{}`", path.display())]
    File { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("the key file `{}` must hold {KEY_BYTES} bytes in hex; restore it from your backup", path.display())]
    Malformed { path: PathBuf },
    #[error("the key file `{}` can be read by others; run `chmod 600` on it", path.display())]
    Exposed { path: PathBuf },
    #[error("cannot write a token to the new file `{}`", path.display())]
    Token { path: PathBuf, source: std::io::Error },
    #[error("the system gave no randomness for a new key: {0}")]
    Randomness(getrandom::Error),
}

impl Keyring {
    pub fn from_bytes(key: [u8; KEY_BYTES]) -> Self {
        Self { key: SecretBox::new(Box::new(key)) }
    }

    /// Reads the key file, or makes a new one where there is none.
    pub fn open_or_create(path: &Path) -> Result<Self, KeyringError> {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                refuse_if_exposed(path)?;
                Self::from_hex(text.trim(), path)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::create(path),
            Err(source) => Err(KeyringError::File { action: "read", path: path.to_owned(), source }),
        }
    }

    /// The keyed hash of a mailbox.
    pub fn subject(&self, email: &EmailAddress) -> SubjectKey {
        self.hash(b"subject", email.canonical().as_bytes())
    }

    /// What an event is known again by: its id is unique within its source only (`CloudEvents` 1.0, and the message ids
    /// of brokers, whose source is the stream or the queue).
    pub fn event(&self, source: &str, id: &str) -> SeenKey {
        SeenKey(self.hash(b"event", &framed(&[source.as_bytes(), id.as_bytes()])).0)
    }

    /// What a request is known again by: the key that its caller gave it.
    pub fn request(&self, caller: &str, key: &str) -> SeenKey {
        SeenKey(self.hash(b"request", &framed(&[caller.as_bytes(), key.as_bytes()])).0)
    }

    /// What tells whether two requests said the same.
    pub fn content(&self, parts: &[&[u8]]) -> SeenKey {
        SeenKey(self.hash(b"content", &framed(parts)).0)
    }

    /// A value that tells whether a database was written with this key, and tells nothing of the key.
    pub fn fingerprint(&self) -> String {
        hex::encode(&self.hash(b"fingerprint", b"").0[..8])
    }

    /// One hash function a purpose: the purpose's own key is derived from the file's.
    fn hash(&self, purpose: &[u8], message: &[u8]) -> SubjectKey {
        let purpose_key = hmac(self.key.expose_secret(), purpose);
        SubjectKey(hmac(&purpose_key, message))
    }

    fn from_hex(text: &str, path: &Path) -> Result<Self, KeyringError> {
        let mut key = [0; KEY_BYTES];
        hex::decode_to_slice(text, &mut key)
            .map_err(|_| KeyringError::Malformed { path: path.to_owned() })?;
        Ok(Self::from_bytes(key))
    }

    fn create(path: &Path) -> Result<Self, KeyringError> {
        let file_error = |action| move |source| KeyringError::File { action, path: path.to_owned(), source };
        let key: [u8; KEY_BYTES] = random().map_err(KeyringError::Randomness)?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(file_error("make the folder of"))?;
        }
        // Written beside and linked into place: two processes that start at once agree on one key, and no crash
        // leaves half a key behind.
        let draft = path.with_extension(format!("{}.new", hex::encode(&key[..4])));
        write_private(&draft, &hex::encode(key)).map_err(file_error("write"))?;
        let linked = std::fs::hard_link(&draft, path);
        std::fs::remove_file(&draft).map_err(file_error("write"))?;
        match linked {
            Ok(()) => {
                sync_folder(path).map_err(file_error("keep"))?;
                Ok(Self::from_bytes(key))
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Self::open_or_create(path),
            Err(source) => Err(file_error("write")(source)),
        }
    }
}

/// Makes a token of 32 random bytes in a new file that only its owner may read.
pub fn create_token(path: &Path) -> Result<(), KeyringError> {
    let token: [u8; KEY_BYTES] = random().map_err(KeyringError::Randomness)?;
    write_private(path, &format!("{}\n", hex::encode(token)))
        .map_err(|source| KeyringError::Token { path: path.to_owned(), source })
}

/// A name for one life of a worker process, never used twice.
pub fn incarnation() -> Result<String, getrandom::Error> {
    Ok(format!("{}-{}", std::process::id(), hex::encode(random::<8>()?)))
}

/// Parts in a row that no other parts spell: each behind its length.
fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for randomness")]
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn refuse_if_exposed(path: &Path) -> Result<(), KeyringError> {
    match is_private(path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(KeyringError::Exposed { path: path.to_owned() }),
        Err(source) => Err(KeyringError::File { action: "read", path: path.to_owned(), source }),
    }
}

/// A database must not outlive its key: the file's name has to be on disk before the first hash is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if folder != Path::new("") => std::fs::File::open(folder)?.sync_all(),
        _ => std::fs::File::open(".")?.sync_all(),
    }
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Whether only its owner may read a file. (Elsewhere than on Unix, permissions are the operator's affair.)
#[cfg(unix)]
pub(crate) fn is_private(path: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    let for_others = std::fs::metadata(path)?.permissions().mode() & 0o077;
    Ok(for_others == 0)
}

#[cfg(not(unix))]
pub(crate) fn is_private(_path: &Path) -> std::io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(byte: u8) -> Keyring {
        Keyring::from_bytes([byte; KEY_BYTES])
    }

    fn email(text: &str) -> EmailAddress {
        EmailAddress::parse(text).unwrap()
    }

    #[test]
    fn a_mailbox_has_one_key_for_all_its_spellings() {
        let one = keyring(1).subject(&email("ada@example.com"));
        assert_eq!(one, keyring(1).subject(&email(" ADA@Example.COM ")));
        assert_ne!(one, keyring(1).subject(&email("ida@example.com")));
        assert_ne!(one, keyring(2).subject(&email("ada@example.com")), "another key, another hash");
        assert_eq!(SubjectKey::from_bytes(*one.as_bytes()), one);
    }

    /// Stored hashes must be found again by every later version: these values never change.
    #[test]
    fn hashes_are_pinned() {
        let subject = keyring(7).subject(&email("ada@example.com"));
        insta::assert_snapshot!(hex::encode(subject.as_bytes()), @"4387725d7f6ac3db3e97f856bd9e055edd8da758ede937fa90661292654678cf");
        insta::assert_snapshot!(keyring(7).fingerprint(), @"994f0e9265abb356");
        insta::assert_snapshot!(hex::encode(keyring(7).event("/sign-up", "e-1").as_bytes()), @"a5c407c6a64b93608942e05eb7f089240d3b5d97295dd78ad5c76f5ee626d3cc");
        insta::assert_snapshot!(hex::encode(keyring(7).request("sign-up", "k-1").as_bytes()), @"8ea42b510d9a6b3bdbdacd2d246e0e2792f08278f2cc386baa6267c693f64368");
    }

    #[test]
    fn what_was_seen_is_told_apart_by_kind_and_by_part() {
        let one = keyring(1);
        let all = [
            one.event("a", "bc"),
            one.event("ab", "c"),
            one.request("a", "bc"),
            one.content(&[b"a", b"bc"]),
            one.content(&[b"abc"]),
            keyring(2).event("a", "bc"),
        ];
        let distinct: std::collections::HashSet<_> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(one.event("a", "bc"), all[0]);
    }

    #[test]
    fn nothing_shows_the_key() {
        let keyring = keyring(0xab);
        let subject = keyring.subject(&email("ada@example.com"));
        for text in [format!("{keyring:?}"), format!("{subject:?}"), keyring.fingerprint()] {
            assert!(!text.contains("abab") && !text.contains("171"), "{text}");
        }
        assert!(format!("{subject:?}").len() < 30, "a shortened hash");
    }

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/key");
        let made = Keyring::open_or_create(&path).unwrap();
        let found = Keyring::open_or_create(&path).unwrap();
        assert_eq!(made.fingerprint(), found.fingerprint());
        let other = Keyring::open_or_create(&folder.path().join("other")).unwrap();
        assert_ne!(made.fingerprint(), other.fingerprint(), "no two keys are alike");
        let beside = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(beside, 1, "no draft stays behind");
    }

    #[test]
    fn processes_that_start_at_once_agree_on_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let barrier = std::sync::Barrier::new(8);
        let fingerprints: Vec<String> = std::thread::scope(|scope| {
            let start = || {
                barrier.wait();
                Keyring::open_or_create(&path).unwrap().fingerprint()
            };
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(fingerprints.iter().all(|one| *one == fingerprints[0]), "{fingerprints:?}");
    }

    #[test]
    fn half_a_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let whole = hex::encode([7; KEY_BYTES]);
        for (text, good) in [
            (format!("{whole}\n"), true),
            (whole[2..].to_owned(), false),
            (format!("{whole}00"), false),
            (whole.replace('7', "g"), false),
            (String::new(), false),
        ] {
            std::fs::remove_file(&path).ok();
            write_private(&path, &text).unwrap();
            assert_eq!(Keyring::open_or_create(&path).is_ok(), good, "{text}");
        }
        let refused = Keyring::open_or_create(&path).unwrap_err().to_string();
        assert!(refused.ends_with("must hold 32 bytes in hex; restore it from your backup"), "{refused}");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        Keyring::open_or_create(&path).unwrap();
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let opened = Keyring::open_or_create(&path);
            assert_eq!(opened.is_ok(), good, "{mode:o}: {opened:?}");
        }
    }
}
