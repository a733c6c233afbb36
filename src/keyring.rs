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
            Ok(()) => Ok(Self::from_bytes(key)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Self::open_or_create(path),
            Err(source) => Err(file_error("write")(source)),
        }
    }
}

/// A name for one life of a worker process, never used twice.
pub fn incarnation() -> Result<String, getrandom::Error> {
    Ok(format!("{}-{}", std::process::id(), hex::encode(random::<8>()?)))
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

/// Whether only its owner may read a file. (Elsewhere than on Unix, permissions are the operator's affair.)
#[cfg(unix)]
pub(crate) fn is_private(path: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o077 == 0)
}

#[cfg(not(unix))]
pub(crate) fn is_private(_path: &Path) -> std::io::Result<bool> {
    Ok(true)
}
