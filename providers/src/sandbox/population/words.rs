//! The words that people, places and firms are made of, read once from the lists beside this room.
//!
//! Invariant: the order of the lists is part of the population: append, never sort.

use std::sync::LazyLock;

/// A name in its own script and in ASCII, as handles spell it.
#[derive(Clone, Copy)]
pub(in crate::sandbox) struct Word {
    pub(in crate::sandbox) text: &'static str,
    pub(in crate::sandbox) ascii: &'static str,
}

const ADA: Word = Word { text: "Ada", ascii: "ada" };

/// Names that occur together.
pub(in crate::sandbox) struct Culture {
    pub(in crate::sandbox) name: &'static str,
    given: Vec<Word>,
    family: Vec<Word>,
}

impl Culture {
    pub(in crate::sandbox) fn given(&self, rng: &mut fastrand::Rng) -> Word {
        rng.choice(&self.given).copied().unwrap_or(ADA)
    }

    /// A family name; none where people have one name only.
    pub(in crate::sandbox) fn family(&self, rng: &mut fastrand::Rng) -> Option<Word> {
        rng.choice(&self.family).copied()
    }

    /// A given name with this initial (lower-case ASCII), or any.
    pub(in crate::sandbox) fn given_with_initial(&self, initial: &str, rng: &mut fastrand::Rng) -> Word {
        let fitting: Vec<Word> =
            self.given.iter().filter(|word| word.ascii.starts_with(initial)).copied().collect();
        rng.choice(fitting).unwrap_or_else(|| self.given(rng))
    }
}

/// Two of five are English, so that an English-speaking demonstration looks familiar.
pub(in crate::sandbox) fn culture(rng: &mut fastrand::Rng) -> &'static Culture {
    static CULTURES: LazyLock<Vec<Culture>> = LazyLock::new(read_names);
    static NOBODY: Culture = Culture { name: "english", given: Vec::new(), family: Vec::new() };
    let choice = if rng.u8(..100) < 40 { CULTURES.first() } else { rng.choice(CULTURES.iter()) };
    choice.unwrap_or(&NOBODY)
}

/// A word of this kind: `adjective`, `trade`, `place` or `job`.
pub(in crate::sandbox) fn thing(kind: &str, rng: &mut fastrand::Rng) -> &'static str {
    static THINGS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
        rows(include_str!("../words/things.tsv")).filter_map(|row| row.split_once('\t')).collect()
    });
    let range_start = THINGS.partition_point(|(row_kind, _)| order(row_kind) < order(kind));
    let range_end = THINGS.partition_point(|(row_kind, _)| order(row_kind) <= order(kind));
    THINGS.get(range_start..range_end).and_then(|words| rng.choice(words)).map_or("Amber", |(_, word)| word)
}

/// The order in which the list holds its kinds.
fn order(kind: &str) -> u8 {
    match kind {
        "adjective" => 0,
        "trade" => 1,
        "place" => 2,
        _ => 3,
    }
}

fn read_names() -> Vec<Culture> {
    let mut cultures: Vec<Culture> = Vec::new();
    for row in rows(include_str!("../words/names.tsv")) {
        let mut cells = row.split('\t');
        let (Some(name), Some(part), Some(text), Some(ascii)) =
            (cells.next(), cells.next(), cells.next(), cells.next())
        else {
            continue;
        };
        if cultures.last().is_none_or(|culture| culture.name != name) {
            cultures.push(Culture { name, given: Vec::new(), family: Vec::new() });
        }
        if let Some(culture) = cultures.last_mut() {
            let list = if part == "given" { &mut culture.given } else { &mut culture.family };
            list.push(Word { text, ascii });
        }
    }
    cultures
}

fn rows(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}
