//! A message that was read: what it asks to take in, what cannot be, and what it is acknowledged with.
//!
//! Invariant: keeps nothing of a message that could not be read but a keyed hash, which finds it again at the broker.

use super::super::message::{self, Misfit};
use super::{Delivery, Fate};
use crate::job::{Refusal, Registration};
use crate::keyring::Keyring;

/// One message, read.
pub(super) struct Parcel<R> {
    pub(super) registrations: Vec<Registration>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) origin: String,
    pub(super) receipt: R,
    pub(super) fate: Fate,
}

impl<R> Parcel<R> {
    /// Reads a message.
    pub(super) fn open(delivery: Delivery<R>, keyring: &Keyring) -> Self {
        let Delivery { body, origin, receipt, .. } = delivery;
        let (mut registrations, mut refusals) = (Vec::new(), Vec::new());
        let mut refuse = |place: String, misfit: Misfit| {
            let hash = keyring.message_hash(&body);
            refusals.push(Refusal {
                origin: place,
                member: misfit.member,
                reason: format!("{} (message {hash})", misfit.fault),
            });
        };
        match message::read(&body, keyring) {
            Err(fault) => refuse(origin.clone(), Misfit { member: None, fault }),
            Ok(read) => {
                for (number, entry) in (1..).zip(read.entries) {
                    match entry.judged {
                        Ok(registration) => registrations.push(registration),
                        Err(misfit) if read.is_array => refuse(format!("{origin}[{number}]"), misfit),
                        Err(misfit) => refuse(origin.clone(), misfit),
                    }
                }
            }
        }
        let fate = if registrations.is_empty() { Fate::Poison } else { Fate::Taken };
        Self { registrations, refusals, origin, receipt, fate }
    }

    /// How many entries it had.
    pub(super) fn len(&self) -> usize {
        self.registrations.len() + self.refusals.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(body: &str) -> Parcel<()> {
        let delivery = Delivery {
            body: body.as_bytes().to_vec(),
            origin: "nats:MEMBERS:17".to_owned(),
            redelivered: false,
            receipt: (),
        };
        Parcel::open(delivery, &Keyring::from_bytes([7; 32]))
    }

    #[test]
    fn what_cannot_be_taken_in_is_told_with_its_place_and_hash() {
        let parcel = open(r#"["ada@example.com", "nobody", {"member_id": "7", "email": "x"}]"#);
        assert_eq!((parcel.registrations.len(), parcel.len(), parcel.fate), (1, 3, Fate::Taken));
        let told: Vec<_> =
            parcel.refusals.iter().map(|refusal| format!("{} {}", refusal.origin, refusal.reason)).collect();
        insta::assert_snapshot!(told.join("\n"), @"");
        assert_eq!(parcel.refusals[1].member.as_ref().unwrap().as_str(), "7");
    }

    #[test]
    fn a_message_that_says_nothing_is_poison() {
        for body in ["", "{", "nobody", r#"{"email": "nobody"}"#, "[[], 1]"] {
            let parcel = open(body);
            assert_eq!((parcel.registrations.len(), parcel.fate), (0, Fate::Poison), "{body}");
            assert_eq!(parcel.refusals.is_empty(), false, "{body}");
        }
        assert_eq!(open("").refusals[0].origin, "nats:MEMBERS:17");
        assert_ne!(
            open("{").refusals[0].reason,
            open("{ ").refusals[0].reason,
            "another message, another hash"
        );
    }
}
