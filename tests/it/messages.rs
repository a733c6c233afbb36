//! Messages that nobody would send, by the thousand: each gets an answer, the same each time, which shows nothing of it.
//!
//! Real messages are cut, joined, repeated and sprinkled. The default is quick; `GLEANER_FUZZ_CASES=1000000 cargo test
//! --release --test it messages` is the long run, and `GLEANER_FUZZ_SEED` another one. A failure names its case.

use gleaner::intake::message::{self, MAX_ENTRIES, Message};
use gleaner::keyring::Keyring;

use crate::support::Dice;

const USUAL_CASES: u64 = 20_000;

/// Occurs in every address of the seeds, and nowhere else.
const CANARY: &str = "quokka";

const SEEDS: [&[u8]; 14] = [
    br#"{"member_id":"42","email":"quokka@example.com"}"#,
    br#"[{"member_id":1,"email":"quokka@example.com"},{"id":"2","E-Mail":"quokka+b@example.org"}]"#,
    br#"{"specversion":"1.0","id":"9","source":"/m","type":"t","time":"2026-03-01T12:00:00Z","data":{"email":"quokka@example.com"}}"#,
    br#"[{"specversion":"1.0","id":"quokka","source":"/m","data_base64":"e30="},{"specversion":"1.0","data":null}]"#,
    b"quokka@example.com",
    br#""Quokka Example <quokka@example.com>""#,
    br#"{"email":"\u0071uokka@example.com","email":null}"#,
    br#"{"member_id":18446744073709551616,"email":"quokka@m\u00fcller.example"}"#,
    b"\xef\xbb\xbf[\"quokka@example.com\",{}]\r\n",
    b"{\"email\":\"quokka\x00@example.com\"}",
    b"[[[[[[[[[[[[[[[[[[[[[[[[",
    b"{\"email\":\"\xff\xfequokka@example.com\"}",
    b"null",
    b",\"email\":\"quokka@example.com\"},{\"member_id\":\"",
];

#[test]
fn any_message_gets_an_answer_that_shows_nothing() {
    let (cases, seed) =
        (setting("GLEANER_FUZZ_CASES").unwrap_or(USUAL_CASES), setting("GLEANER_FUZZ_SEED").unwrap_or(0));
    let keyring = Keyring::from_bytes([7; 32]);
    let mut taken = 0;
    for case in 0..cases {
        let mut dice = Dice(seed.rotate_left(32) ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut bytes = pick(&mut dice).to_vec();
        for _ in 0..dice.between(0, 5) {
            mutate(&mut bytes, &mut dice);
        }
        let told = || format!("seed {seed}, case {case}: {:?}", String::from_utf8_lossy(&bytes));
        let (first, again) = (message::read(&bytes, &keyring), message::read(&bytes, &keyring));
        assert_eq!(format!("{first:?}"), format!("{again:?}"), "{}", told());
        if let Ok(read) = &first {
            assert!((1..=MAX_ENTRIES).contains(&read.entries.len()), "{}", told());
            taken += read.entries.iter().filter(|entry| entry.judged.is_ok()).count();
        }
        assert!(!shown(&first).to_lowercase().contains(CANARY), "{}: {}", told(), shown(&first));
    }
    let least = usize::try_from(cases / 10).unwrap();
    assert!(taken >= least, "only {taken} registrations: the mutations leave nothing whole");
}

#[expect(clippy::disallowed_methods, reason = "a test's own setting")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

/// What logs and dead letters may show. A member's id may stand there, and a mutation can move anything into it.
fn shown(read: &Result<Message, message::Fault>) -> String {
    match read {
        Err(fault) => format!("{fault} {fault:?}"),
        Ok(read) => {
            let entries = read.entries.iter().map(|entry| match &entry.judged {
                Ok(taken) => format!("{:?} {:?}", taken.email, entry.event),
                Err(misfit) => format!("{} {:?} {:?}", misfit.fault, misfit.fault, entry.event),
            });
            entries.collect::<Vec<_>>().join("\n")
        }
    }
}

fn pick(dice: &mut Dice) -> &'static [u8] {
    SEEDS[usize::try_from(dice.between(0, SEEDS.len() as u64)).unwrap()]
}

/// One change, between any two bytes.
fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let mut below = |limit: usize| usize::try_from(dice.between(0, limit.max(1) as u64)).unwrap();
    let at = below(bytes.len() + 1);
    match below(6) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(..at)),
        2 => bytes.insert(at, b"\"{}[],:\\ \0\xff@7n"[below(14)]),
        3 if at < bytes.len() => bytes[at] = u8::try_from(below(256)).unwrap(),
        4 => {
            let other = pick(dice);
            bytes.splice(at..at, other.iter().copied());
        }
        _ => {
            let end = (at + below(12)).min(bytes.len());
            let piece = bytes[at..end].repeat(1 + below(4));
            bytes.splice(at..end, piece);
        }
    }
}
