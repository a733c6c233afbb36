//! Whose page it is: which of a page's people, if any, the address belongs to.
//!
//! Invariant: without proof there is nobody. Among several people only one who states the address or its hash is
//! taken, or the only one after whom the mailbox is named.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::unite::add;
use super::{Facts, Person};
use crate::email::{EmailAddress, MailboxKind};
use crate::name::PersonName;

/// A part of a name that is shorter proves nothing.
const MIN_NAME_CHARS: usize = 3;

/// What ties a person on the page to the address, strongest first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Proof {
    /// The person's own description states the address.
    Stated,
    /// The person's own description states a hash of the address, or shows the picture that belongs to it.
    Hashed,
    /// The page links to the address, or states its hash, and has one person on it.
    OnlyPerson,
    /// Of all people on the page the mailbox is named after this one alone.
    NameAgrees,
}

/// The person to whom an address belongs.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Their place in [`Facts::people`].
    pub position: usize,
    /// What the page says of them. Where the page is about nobody else, its `rel=me` links and the accounts in its
    /// head are theirs, too.
    pub person: Person,
    pub proof: Proof,
}

/// The person whose address it is, if one of the page's people is proved to be.
pub fn owner_of(facts: &Facts, email: &EmailAddress) -> Option<Owner> {
    let (position, proof) = prove(facts, email)?;
    let mut person = facts.people.get(position)?.clone();
    if facts.people.len() == 1 && !facts.is_organisations {
        add(&mut person.links, facts.me.iter().chain(&facts.creators).cloned());
    }
    Some(Owner { position, person, proof })
}

fn prove(facts: &Facts, email: &EmailAddress) -> Option<(usize, Proof)> {
    let people = &facts.people;
    let is_stated = |person: &Person| states(&person.emails, email);
    if people.iter().any(is_stated) {
        // An office's address may stand on everybody's card.
        let position = only(people, is_stated)
            .or_else(|| only(people, |person| is_stated(person) && is_namesake(person, email)))?;
        return Some((position, Proof::Stated));
    }
    let hashes = Hashes::of(email);
    if let Some(position) = only(people, |person| hashes.are_in(&person.hashes)) {
        return Some((position, Proof::Hashed));
    }
    if let [person] = people.as_slice()
        && !facts.is_organisations
        && !is_somebody_else(person, email)
        && (is_linked_alone(&facts.addresses, email) || hashes.are_in(&facts.hashes))
    {
        return Some((0, Proof::OnlyPerson));
    }
    let position = only(people, |person| is_namesake(person, email))?;
    let is_free = people.get(position).is_some_and(|person| !is_somebody_else(person, email));
    is_free.then_some((position, Proof::NameAgrees))
}

/// The place of the one person of whom something is true.
fn only(people: &[Person], is_true: impl Fn(&Person) -> bool) -> Option<usize> {
    let mut places = (0..).zip(people).filter(|(_, person)| is_true(person)).map(|(place, _)| place);
    let first = places.next()?;
    places.next().is_none().then_some(first)
}

fn states(addresses: &[String], email: &EmailAddress) -> bool {
    let mut addresses = addresses.iter().filter_map(|text| EmailAddress::parse(text).ok());
    addresses.any(|address| is_same(&address, email))
}

fn is_same(a: &EmailAddress, b: &EmailAddress) -> bool {
    a.canonical() == b.canonical()
}

/// Whether the address is linked, and no other person's at the same domain: whose is the page then?
fn is_linked_alone(addresses: &[String], email: &EmailAddress) -> bool {
    let addresses = || addresses.iter().filter_map(|text| EmailAddress::parse(text).ok());
    let is_other = |address: &EmailAddress| {
        let is_person = address.kind() == MailboxKind::Personal;
        is_person && address.domain() == email.domain() && !is_same(address, email)
    };
    addresses().any(|address| is_same(&address, email)) && !addresses().any(|address| is_other(&address))
}

/// Whether a person states another mailbox at the same domain (`ada2@` is not `ada@`), or is called otherwise than
/// the address says.
fn is_somebody_else(person: &Person, email: &EmailAddress) -> bool {
    let mut addresses = person.emails.iter().filter_map(|text| EmailAddress::parse(text).ok());
    let other = addresses.any(|address| address.domain() == email.domain() && !is_same(&address, email));
    let is_called_otherwise = || {
        let (guess, name) = (email.name_guess()?, PersonName::from_parts(person.name.clone()).ok()?);
        (!guess.agrees_with(&name)).then_some(())
    };
    other || is_called_otherwise().is_some()
}

/// The hashes under which pages show an address: of the address alone (MD5 and SHA-256, as Gravatar has it) and of
/// `mailto:` and the address (SHA-1, as FOAF has it).
struct Hashes(Vec<String>);

impl Hashes {
    fn of(email: &EmailAddress) -> Self {
        let written = email.expose();
        let mut hashes = Vec::new();
        for address in [written.to_owned(), written.to_lowercase(), email.canonical().to_owned()] {
            hashes.push(hex::encode(Md5::digest(&address)));
            hashes.push(hex::encode(Sha1::digest(&address)));
            hashes.push(hex::encode(Sha1::digest(format!("mailto:{address}"))));
            hashes.push(hex::encode(Sha256::digest(&address)));
        }
        Self(hashes)
    }

    fn are_in(&self, stated: &[String]) -> bool {
        stated.iter().any(|hash| self.0.contains(hash))
    }
}

fn is_namesake(person: &Person, email: &EmailAddress) -> bool {
    let name = PersonName::from_parts(person.name.clone()).ok();
    let mailbox = email.local_part();
    name.is_some_and(|name| is_named_after(mailbox, &name))
        || person.nicknames.iter().any(|nickname| is_nickname(mailbox, nickname))
}

/// Whether a mailbox is named after a person: `ada`, `example`, `ada.example`, `aexample`, `a.example`, `adae`.
fn is_named_after(local_part: &str, name: &PersonName) -> bool {
    let mailbox = letters(local_part);
    let words: Vec<String> =
        name.full().split([' ', '-']).map(fold).filter(|word| !word.is_empty()).collect();
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    let initial = |word: &String| word.chars().take(1).collect::<String>();
    let spellings = [
        first.clone(),
        last.clone(),
        format!("{first}{last}"),
        format!("{last}{first}"),
        format!("{}{last}", initial(first)),
        format!("{first}{}", initial(last)),
        words.concat(),
    ];
    mailbox.chars().count() >= MIN_NAME_CHARS && spellings.contains(&mailbox)
}

/// Whether a mailbox is called as a person calls themselves.
fn is_nickname(local_part: &str, nickname: &str) -> bool {
    let whole = |text: &str| fold(text.trim_start_matches('@')).replace(['.', '-', '_', ' '], "");
    let mailbox = whole(local_part.split('+').next().unwrap_or_default());
    mailbox.chars().count() >= MIN_NAME_CHARS && mailbox == whole(nickname)
}

/// The letters of a mailbox, without a tag.
fn letters(local_part: &str) -> String {
    let mailbox = local_part.split('+').next().unwrap_or_default();
    fold(mailbox).chars().filter(|c| c.is_alphabetic()).collect()
}

/// Lower case without accents: mailboxes are mostly written in plain letters.
fn fold(text: &str) -> String {
    text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}
