//! Whether two spellings can be one person's name.
//!
//! Invariant: symmetric; bounded work whatever the names hold.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use super::words::{Classes, classes};

/// More words than this are compared as a whole only.
const MAX_WORDS: usize = 16;

/// The groups of given names that stand for one another, by name; `nicknames.txt` has one group a line.
static NICKNAMES: LazyLock<HashMap<&'static str, Vec<usize>>> = LazyLock::new(|| {
    let mut groups: HashMap<&'static str, Vec<usize>> = HashMap::new();
    let lines = include_str!("nicknames.txt").lines().filter(|line| !line.starts_with('#'));
    for (group, line) in lines.enumerate() {
        line.split_whitespace().for_each(|name| groups.entry(name).or_default().push(group));
    }
    groups
});

pub(super) fn can_be_one(a: &str, b: &str) -> bool {
    let (a, b) = (Comparable::new(a), Comparable::new(b));
    if let (Some(a), Some(b)) = (&a.generation, &b.generation)
        && a != b
    {
        return false;
    }
    if a.joined() == b.joined() {
        return true;
    }
    let (short, long) =
        if a.words.len() <= b.words.len() { (&a.words, &b.words) } else { (&b.words, &a.words) };
    if short.is_empty() || long.len() > MAX_WORDS {
        return false;
    }
    let a_whole_word_is_shared = short.iter().any(|word| word.chars().count() > 1 && long.contains(word));
    a_whole_word_is_shared && each_has_its_own(short, long)
}

/// A name as it is compared.
struct Comparable {
    /// Folded words, initials apart.
    words: Vec<String>,
    generation: Option<String>,
}

impl Comparable {
    fn new(name: &str) -> Self {
        let mut words: Vec<&str> = name.split(' ').collect();
        let generation =
            words.last().filter(|last| words.len() > 1 && classes(last).has(Classes::GENERATION));
        let generation = generation.map(|last| fold(last).replace('.', ""));
        words.truncate(words.len() - usize::from(generation.is_some()));
        let words = fold(&words.join(" "))
            .split([' ', '-', '.', '·', '・'])
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        Self { words, generation }
    }

    fn joined(&self) -> String {
        self.words.concat()
    }
}

/// Lower case, without accents and apostrophes; letters that do not decompose by the Latin letters they grew from.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfd().filter(|c| !is_accent(*c)).flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'þ' => folded.push_str("th"),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            '\'' | '\u{2BB}' | '\u{2BC}' => {}
            _ => folded.push(c),
        }
    }
    folded
}

/// Marks that a spelling may leave out: accents, Hebrew and Arabic vowel points. Indic vowel signs are letters.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{591}'..='\u{5C7}' | '\u{64B}'..='\u{65F}' | '\u{670}')
}

/// Whether every word of the shorter name finds a word of its own in the longer one (augmenting paths).
fn each_has_its_own(short: &[String], long: &[String]) -> bool {
    let mut owner: Vec<Option<usize>> = vec![None; long.len()];
    (0..short.len()).all(|word| find_place(word, short, long, &mut owner, &mut vec![false; long.len()]))
}

fn find_place(
    word: usize,
    short: &[String],
    long: &[String],
    owner: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for place in 0..long.len() {
        let fits = !tried[place] && same_word(&short[word], &long[place]);
        if !fits {
            continue;
        }
        tried[place] = true;
        let free = owner[place].is_none_or(|holder| find_place(holder, short, long, owner, tried));
        if free {
            owner[place] = Some(word);
            return true;
        }
    }
    false
}

/// Equal, an initial of the other, or names that stand for one another.
fn same_word(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let initial = |short: &str, long: &str| short.chars().nth(1).is_none() && long.starts_with(short);
    initial(a, b) || initial(b, a) || are_nicknames(a, b)
}

fn are_nicknames(a: &str, b: &str) -> bool {
    match (NICKNAMES.get(a), NICKNAMES.get(b)) {
        (Some(a), Some(b)) => a.iter().any(|group| b.contains(group)),
        _ => false,
    }
}
