//! Tokens: who a request says it comes from.
//!
//! Invariant: only digests are kept, and comparing takes the same time whichever token is presented.

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// The callers that are let in.
pub(super) struct Tokens(Vec<Caller>);

struct Caller {
    name: String,
    digest: [u8; 32],
}

impl Tokens {
    pub(super) fn new(tokens: &[(String, SecretString)]) -> Self {
        let caller = |(name, token): &(String, SecretString)| Caller {
            name: name.clone(),
            digest: digest(token.expose_secret()),
        };
        Self(tokens.iter().map(caller).collect())
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|caller| caller.name.as_str()).collect()
    }

    /// Whose token this is. Every token is compared in full, also after a match.
    pub(super) fn caller(&self, presented: &str) -> Option<&str> {
        let presented = digest(presented);
        let mut found = u32::MAX;
        for (position, caller) in (0_u32..).zip(&self.0) {
            let same: Choice = caller.digest.ct_eq(&presented);
            found.conditional_assign(&position, same);
        }
        self.0.get(usize::try_from(found).ok()?).map(|caller| caller.name.as_str())
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_caller() {
        let token = |name: &str, text: &str| (name.to_owned(), SecretString::from(text));
        let tokens = Tokens::new(&[token("sign-up", "abc"), token("shop", "abd"), token("twin", "abc")]);
        assert_eq!(tokens.names(), ["sign-up", "shop", "twin"]);
        assert_eq!(tokens.caller("abd"), Some("shop"));
        assert_eq!(tokens.caller("abc"), Some("twin"), "the last of equal ones");
        for wrong in ["", "ab", "abcd", "ABC", "abc "] {
            assert_eq!(tokens.caller(wrong), None, "{wrong:?}");
        }
        assert_eq!(Tokens::new(&[]).caller(""), None);
    }
}
