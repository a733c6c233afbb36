//! Whether two spellings can be one person's name, and how far.
//!
//! Invariant: symmetric; bounded work whatever the names hold.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use super::words::{Classes, classes};
use super::{Agreement, Fullness};

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

/// The names that begin a group: the full forms.
static FORMAL: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("nicknames.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_whitespace().next()).collect()
});

/// How far two spellings agree.
pub(super) fn degree(a: &str, b: &str) -> Agreement {
    let (a, b) = (Comparable::new(a), Comparable::new(b));
    match (&a.generation, &b.generation) {
        (Some(one), Some(other)) if one != other => Agreement::Contradicting,
        (one, other) if one == other && (a.joined() == b.joined() || a.sorted() == b.sorted()) => {
            Agreement::Equal
        }
        _ if can_be_one(&a, &b) => Agreement::Compatible,
        _ => Agreement::Contradicting,
    }
}

fn can_be_one(a: &Comparable, b: &Comparable) -> bool {
    if a.joined() == b.joined() || is_given_name_of(a, b) || is_given_name_of(b, a) {
        return true;
    }
    let (short, long) =
        if a.words.len() <= b.words.len() { (&a.words, &b.words) } else { (&b.words, &a.words) };
    if short.is_empty() || long.len() > MAX_WORDS {
        return false;
    }
    let is_whole = |word: &String| !is_initial(word);
    let shared = |word: &String| long.iter().any(|other| word == other || is_spelt_alike(word, other));
    short.iter().any(|word| is_whole(word) && shared(word)) && each_has_its_own(short, long)
}

/// Whether the one is the given name of the other, which East Asian names have at their end, without a space.
fn is_given_name_of(given: &Comparable, full: &Comparable) -> bool {
    // Folding takes syllables apart.
    let whole = |name: &Comparable| name.joined().nfc().collect::<String>();
    let (given, full) = (whole(given), whole(full));
    !given.is_empty() && given.chars().all(super::parts::is_east_asian) && full.ends_with(&given)
}

/// A letter that stands for a name; one East Asian character is a name.
fn is_initial(word: &str) -> bool {
    let mut characters = word.nfc();
    let first = characters.next();
    characters.next().is_none() && first.is_some_and(|c| !super::parts::is_east_asian(c))
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

    fn sorted(&self) -> Vec<&str> {
        let mut words: Vec<_> = self.words.iter().map(String::as_str).collect();
        words.sort_unstable();
        words
    }
}

/// How much of a name a spelling says: words in full, words cut to an initial, and words that only stand for a
/// name ("Bob").
pub(super) fn fullness(name: &str) -> Fullness {
    let words = Comparable::new(name).words;
    let initials = words.iter().filter(|word| is_initial(word)).count();
    let nicknames = words.iter().filter(|word| is_nickname(word)).count();
    // East Asian names hold family and given name without a space.
    let is_both = words.len() == 1 && is_east_asian_pair(name);
    Fullness { words: words.len() - initials + usize::from(is_both), initials, nicknames }
}

fn is_east_asian_pair(name: &str) -> bool {
    name.chars().nth(1).is_some() && name.chars().all(super::parts::is_east_asian)
}

/// Whether the word begins no group of the table: `bob` is only ever short for something.
fn is_nickname(word: &str) -> bool {
    NICKNAMES.contains_key(word) && !FORMAL.contains(word)
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

/// Equal, an initial of the other, spelt alike, or names that stand for one another.
fn same_word(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let initial = |short: &str, long: &str| short.chars().nth(1).is_none() && long.starts_with(short);
    initial(a, b) || initial(b, a) || is_spelt_alike(a, b) || are_nicknames(a, b)
}

/// "Mueller" and "Müller", "Janssen" and "Jansen", "Sophia" and "Sofia", and two letters that changed places. Short
/// words have too many neighbours.
fn is_spelt_alike(a: &str, b: &str) -> bool {
    const SHORTEST: usize = 4;
    let long_enough = |word: &str| word.is_ascii() && word.len() >= SHORTEST;
    long_enough(a) && long_enough(b) && (plain(a) == plain(b) || is_transposed(a.as_bytes(), b.as_bytes()))
}

/// What the spellings of one sound have in common.
fn plain(word: &str) -> String {
    let word = word.replace("ae", "a").replace("oe", "o").replace("ue", "u").replace("ph", "f");
    let word = word.replace("ck", "k").replace("th", "t");
    let mut plain = String::with_capacity(word.len());
    let mut letters = word.chars().peekable();
    while let Some(letter) = letters.next() {
        let letter = if letter == 'c' && letters.peek() != Some(&'h') { 'k' } else { letter };
        if !plain.ends_with(letter) {
            plain.push(letter);
        }
    }
    plain
}

fn is_transposed(a: &[u8], b: &[u8]) -> bool {
    let Some(first) = a.iter().zip(b).position(|(a, b)| a != b) else { return false };
    match (a.get(first..), b.get(first..)) {
        (Some([a0, a1, a_rest @ ..]), Some([b0, b1, b_rest @ ..])) => {
            a.len() > 4 && a0 == b1 && a1 == b0 && a_rest == b_rest
        }
        _ => false,
    }
}

fn are_nicknames(a: &str, b: &str) -> bool {
    match (NICKNAMES.get(a), NICKNAMES.get(b)) {
        (Some(a), Some(b)) => a.iter().any(|group| b.contains(group)),
        _ => false,
    }
}
