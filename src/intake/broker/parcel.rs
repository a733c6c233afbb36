//! A message that was read: what it asks to take in, what cannot be, and what it is acknowledged with.
//!
//! Invariant: keeps nothing of a message that could not be read but a keyed hash, which finds it again at the broker.

use super::super::message::{self, Entry, Misfit};
use super::{Arrival, Fate};
use crate::job::{Item, Refusal};
use crate::keyring::{Keyring, SeenKey};

/// One message, read.
pub(super) struct Parcel<R> {
    pub(super) items: Vec<Item>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) origin: String,
    pub(super) receipt: R,
    pub(super) fate: Fate,
}

impl<R> Parcel<R> {
    /// Reads a message.
    pub(super) fn open(arrival: Arrival<R>, keyring: &Keyring) -> Self {
        let Arrival { body, source, id, origin, receipt, .. } = arrival;
        let content = hex::encode(&keyring.content(&[&body]).as_bytes()[..16]);
        let (mut items, mut refusals) = (Vec::new(), Vec::new());
        let mut refuse = |place: String, misfit: Misfit| {
            refusals.push(Refusal {
                origin: place,
                member: misfit.member,
                reason: format!("{} (message {content})", misfit.fault),
            });
        };
        match message::read(&body, keyring) {
            Err(fault) => refuse(origin.clone(), Misfit { member: None, fault }),
            Ok(read) => {
                let once = Identity { source, id, content: content.clone() };
                for (number, Entry { judged, event }) in (1..).zip(read.entries) {
                    match judged {
                        Ok(registration) => {
                            let event = match event {
                                Some(event) => Some(keyring.event(&event.source, &event.id)),
                                None => once.of_entry(number, keyring),
                            };
                            items.push(Item { registration, event });
                        }
                        Err(misfit) if read.is_array => refuse(format!("{origin}[{number}]"), misfit),
                        Err(misfit) => refuse(origin.clone(), misfit),
                    }
                }
            }
        }
        let fate = if items.is_empty() { Fate::Poison } else { Fate::Taken };
        Self { items, refusals, origin, receipt, fate }
    }

    /// How many entries it had.
    pub(super) fn len(&self) -> usize {
        self.items.len() + self.refusals.len()
    }
}

/// What a message is known by when it comes again.
struct Identity {
    source: String,
    id: Option<String>,
    content: String,
}

impl Identity {
    /// The content is part of it: a sender whose ids are not unique must not lose a member by that.
    fn of_entry(&self, number: usize, keyring: &Keyring) -> Option<SeenKey> {
        let id = self.id.as_ref()?;
        Some(keyring.event(&self.source, &format!("{id} {number} {}", self.content)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_as(id: Option<&str>, body: &str) -> Parcel<()> {
        let arrival = Arrival {
            body: body.as_bytes().to_vec(),
            source: "nats:MEMBERS".to_owned(),
            id: id.map(str::to_owned),
            origin: "nats:MEMBERS:17".to_owned(),
            redelivered: false,
            receipt: (),
        };
        Parcel::open(arrival, &Keyring::from_bytes([7; 32]))
    }

    fn open(body: &str) -> Parcel<()> {
        open_as(Some("1"), body)
    }

    #[test]
    fn what_cannot_be_taken_in_is_told_with_its_place_and_hash() {
        let parcel = open(r#"["ada@example.com", "nobody", {"member_id": "7", "email": "x"}]"#);
        assert_eq!((parcel.items.len(), parcel.len(), parcel.fate), (1, 3, Fate::Taken));
        let told: Vec<_> =
            parcel.refusals.iter().map(|refusal| format!("{} {}", refusal.origin, refusal.reason)).collect();
        insta::assert_snapshot!(told.join("\n"), @"
        nats:MEMBERS:17[2] e-mail address: has no `@` (message 807a0aa0858fab196c558f2b18d57c46)
        nats:MEMBERS:17[3] e-mail address: has no `@` (message 807a0aa0858fab196c558f2b18d57c46)
        ");
        assert_eq!(parcel.refusals[1].member.as_ref().unwrap().as_str(), "7");
    }

    #[test]
    fn a_message_that_says_nothing_is_poison() {
        for body in ["", "{", "nobody", r#"{"email": "nobody"}"#, "[[], 1]"] {
            let parcel = open(body);
            assert_eq!((parcel.items.len(), parcel.fate), (0, Fate::Poison), "{body}");
            assert!(!parcel.refusals.is_empty(), "{body}");
        }
        assert_eq!(open("").refusals[0].origin, "nats:MEMBERS:17");
        assert_ne!(
            open("{").refusals[0].reason,
            open("{ ").refusals[0].reason,
            "another message, another hash"
        );
    }

    #[test]
    fn a_repeat_is_known_and_nothing_else_is_taken_for_one() {
        let keys = |id, body| -> Vec<_> { open_as(id, body).items.iter().map(|item| item.event).collect() };
        let (ada, ida) = ("ada@example.com", "ida@example.com");
        assert_eq!(keys(Some("1"), ada), keys(Some("1"), ada));
        assert_ne!(keys(Some("1"), ada), keys(Some("2"), ada));
        assert_ne!(keys(Some("1"), ada), keys(Some("1"), ida), "an id that is not unique loses nobody");
        assert_eq!(keys(None, ada), [None], "without an id, every message stands for itself");
        let twins = keys(Some("1"), r#"["ada@example.com", "ada@example.com"]"#);
        assert_ne!(twins[0], twins[1]);
        let event =
            r#"{"specversion": "1.0", "source": "/m", "id": "9", "data": {"email": "ada@example.com"}}"#;
        assert_eq!(keys(Some("1"), event), keys(Some("2"), event), "an event is known by its own id");
    }
}
