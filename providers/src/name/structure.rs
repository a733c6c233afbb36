//! The parts of a name as written: what stands around it, its order, titles, degrees and generations.
//!
//! Invariant: leaves out and turns round; no word is changed here but for its capitals (`case.rs`).

use std::borrow::Cow;

use super::clean::{SEPARATOR, clean};
use super::words::{Classes, Word, classes, key};
use super::{NameError, PersonName, case, refuse};

/// A full name, read; the words of given and family name only where the text told them apart.
pub(super) struct Structure {
    pub(super) words: Vec<String>,
    pub(super) given: Option<String>,
    pub(super) family: Option<String>,
}

/// Reads a full name.
pub(super) fn read_full(text: &str) -> Result<Structure, NameError> {
    let text = clean(text)?;
    refuse::text(&text)?;
    let segments = segments(&text)?;
    let name = in_order(segments)?;
    let (given, family) = (name.given.len(), name.family.len());
    let all = name.given.into_iter().chain(name.family).chain(name.generation);
    let mut words: Vec<String> = all.map(|word| word.text).collect();
    if words.iter().map(|word| word.chars().count() + 1).sum::<usize>() > PersonName::MAX_CHARS + 1 {
        return Err(NameError::NotAName("is longer than 200 characters"));
    }
    case::capitalize(&mut words);
    let told_apart = given > 0 && family > 0;
    let part = |from: usize, to: usize| words.get(from..to).filter(|_| told_apart).map(|part| part.join(" "));
    Ok(Structure { given: part(0, given), family: part(given, given + family), words })
}

/// Reads a given or family name that stands alone; `None` if nothing of a name is left.
pub(super) fn read_part(text: &str) -> Result<Option<Vec<String>>, NameError> {
    let text = clean(text)?;
    if text.is_empty() {
        return Ok(None);
    }
    refuse::text(&text)?;
    let words = words(without_frame(&text).split(',').next().unwrap_or_default());
    if words.iter().any(|word| word.is(Classes::COMPANY)) {
        return Err(NameError::NotAName("is an organisation"));
    }
    refuse::marks(&words.iter().collect::<Vec<_>>())?;
    let mut part = core_of(words);
    part.words.dedup_by(|a, b| key(&a.text) == key(&b.text) && a.text.len() > 2);
    if part.words.is_empty() || is_empty_part(&part.words) {
        return Ok(None);
    }
    let mut words: Vec<String> = part.words.into_iter().map(|word| word.text).collect();
    case::capitalize_part(&mut words);
    Ok(Some(words))
}

/// "unknown", "null": but Null, Na and Guest, so written, are also people's family names.
fn is_empty_part(words: &[Word]) -> bool {
    let also_a_name =
        |text: &str| matches!(text, "Null" | "Na" | "No" | "Guest" | "Test" | "My" | "Temp" | "Person");
    words.iter().all(|word| word.is(Classes::EMPTY) && !also_a_name(&word.text))
}

/// The text without what stands around the name: formula signs, quotes, asides and slogans.
fn without_frame(text: &str) -> String {
    let bare = text.trim_start_matches(['=', '+', '-', '@', ' ']);
    let bare = bare.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')).unwrap_or(bare);
    let bare = without_asides(bare);
    if !bare.contains([SEPARATOR, ';', ':', '/', '\\', '–', '-']) {
        return bare.trim().to_owned();
    }
    let pieces = bare.replace(" - ", " | ").replace(" – ", " | ").replace('–', "-");
    let says_nothing = |word: &str| is_pronouns(word) || word.eq_ignore_ascii_case("n/a");
    let words: Vec<&str> = pieces.split(' ').filter(|word| !says_nothing(word)).collect();
    words
        .join(" ")
        .split([SEPARATOR, ';', ':', '/', '\\'])
        .find(|piece| piece.chars().any(char::is_alphabetic))
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Without `(…)`, `[…]`, `{…}`, `<…>` and `"…"`: nicknames, pronouns, maiden names, markup. Their inside, if there
/// is nothing else.
fn without_asides(text: &str) -> Cow<'_, str> {
    const MARKS: [char; 9] = ['(', ')', '[', ']', '{', '}', '<', '>', '"'];
    if !text.contains(MARKS) {
        return Cow::Borrowed(text);
    }
    let mut outside = String::with_capacity(text.len());
    let mut depth = 0_usize;
    let mut unread = text.matches('"').count();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' => depth = depth.saturating_sub(1),
            '"' => {
                unread -= 1;
                quoted = !quoted && unread > 0;
            }
            _ if depth == 0 && !quoted => {
                outside.push(c);
                continue;
            }
            _ => {}
        }
        outside.push(' ');
    }
    Cow::Owned(if outside.chars().any(char::is_alphabetic) { outside } else { text.replace(MARKS, " ") })
}

/// `she/her`, written without parentheses.
fn is_pronouns(word: &str) -> bool {
    word.split_once('/').is_some_and(|(first, _)| classes(first).has(Classes::PRONOUN))
}

/// The words of the text between its commas. All of them are judged together: is it a person?
fn segments(text: &str) -> Result<Vec<Vec<Word>>, NameError> {
    let bare = without_frame(text);
    let mut segments: Vec<Vec<Word>> = bare.split(',').map(words).filter(|words| !words.is_empty()).collect();
    // "Jane Doe, Software Engineer": what she does, not a house of engineers.
    let slogan = segments.iter().skip(1).position(|words| words.iter().any(|word| word.is(Classes::JOB)));
    segments.truncate(slogan.map_or(segments.len(), |place| place + 1));
    refuse::words(&segments.iter().flatten().collect::<Vec<_>>())?;
    Ok(segments.into_iter().map(without_asides_in_words).collect())
}

/// Without "née Smith", "at Example" and the "null" of a missing part, if other words remain.
fn without_asides_in_words(mut words: Vec<Word>) -> Vec<Word> {
    let is_small = |word: &Word| !word.text.chars().any(char::is_uppercase);
    let is_absent = |word: &Word| {
        word.is(Classes::ABSENT) && (is_small(word) || word.is(Classes::EMPTY) && word.is_upper())
    };
    if words.iter().any(is_absent) && !words.iter().all(is_absent) {
        words.retain(|word| !is_absent(word));
    }
    let is_mixed = words.first().is_some_and(|word| !is_small(word));
    let aside = words.iter().skip(1).position(|word| word.is(Classes::ASIDE) && is_small(word));
    if let Some(place) = aside.filter(|place| is_mixed && place + 2 < words.len()) {
        words.truncate(place + 1);
    }
    words
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut quoted_since = None;
    for piece in text.split(' ').flat_map(split_glued) {
        let piece = piece.trim_matches(|c: char| matches!(c, '!' | ',' | '+' | '·' | '-'));
        if !piece.chars().any(char::is_alphanumeric) && piece != "&" {
            continue;
        }
        if piece.starts_with('\'') && piece != "'t" && !words.is_empty() {
            quoted_since = Some(words.len());
        }
        let ends_quote = piece.len() > 1 && piece.ends_with('\'');
        words.push(Word::new(piece.trim_start_matches('.')));
        if let Some(start) = quoted_since.filter(|_| ends_quote) {
            // Robert 'Bob' Smith
            words.truncate(start);
            quoted_since = None;
        }
    }
    for word in &mut words {
        if word.text != "'t" && (word.text.starts_with('\'') || word.text.ends_with("''")) {
            *word = Word::new(word.text.trim_matches('\''));
        }
    }
    words
}

/// "Dr.Jane" and "J.R.R.Tolkien" are two words each.
fn split_glued(piece: &str) -> impl Iterator<Item = &str> {
    let cut = glued_at(piece).unwrap_or(piece.len());
    let (first, second) = piece.split_at_checked(cut).unwrap_or((piece, ""));
    [first, second].into_iter().filter(|word| !word.is_empty())
}

fn glued_at(piece: &str) -> Option<usize> {
    let dot = piece.find('.')?;
    let known = classes(piece);
    if known != Classes::default() {
        return None;
    }
    let title = classes(piece.get(..dot)?).has(Classes::TITLE.or(Classes::DOTTED_TITLE));
    let after_title = piece.get(dot + 1..)?;
    if title && after_title.chars().next().is_some_and(char::is_alphabetic) {
        return Some(dot + 1);
    }
    let (initials, word) = piece.rsplit_once('.')?;
    let all_initials = initials.split('.').all(|initial| initial.chars().count() == 1);
    let long_word = word.chars().count() >= 3 && word.chars().next().is_some_and(char::is_uppercase);
    (all_initials && long_word).then_some(initials.len() + 1)
}

/// The words of a name by their office. Without a "Family, Given" all of them are in `given`.
#[derive(Default)]
struct Ordered {
    given: Vec<Word>,
    family: Vec<Word>,
    generation: Vec<Word>,
}

/// Turns `Doe, Jane, PhD` round. What follows the comma of a name in its usual order is a degree or a slogan.
fn in_order(mut segments: Vec<Vec<Word>>) -> Result<Ordered, NameError> {
    let mut generation = Vec::new();
    while let [first, .., last] = segments.as_slice() {
        let before = first.len() + segments.len() - 2;
        if !last.iter().all(|word| is_addition(word, before)) {
            break;
        }
        let last = segments.pop().unwrap_or_default();
        generation.extend(last.into_iter().filter(|word| word.is(Classes::GENERATION)));
    }
    let mut segments = segments.into_iter();
    let first = core_of(segments.next().unwrap_or_default());
    let second = segments.next().filter(|second| is_given(second));
    let turned = second.filter(|_| first.words.len() == 1 || segments.next().is_none());
    let mut ordered = match turned {
        Some(second) => {
            let given = core_of(second);
            let generation = [first.generation, given.generation].concat();
            Ordered { given: given.words, family: first.words, generation }
        }
        None => {
            Ordered { given: without_repeats(first.words), family: Vec::new(), generation: first.generation }
        }
    };
    ordered.generation.append(&mut generation);
    ordered.generation.truncate(1);
    let is_degree_alone = |words: &[Word]| matches!(words, [only] if is_degree(only, 0, false));
    if ordered.family.is_empty() && (ordered.given.is_empty() || is_degree_alone(&ordered.given)) {
        return Err(NameError::NotAName("is only a title"));
    }
    Ok(ordered)
}

/// Whether a word after a comma is added to a name rather than part of it; `before` counts the words or segments
/// that make the name without it. "Doe, Ed" and "Rahman, Md" are people, "Jane Doe, MA" has a degree.
fn is_addition(word: &Word, before: usize) -> bool {
    let dotted = word.text.ends_with('.');
    let inner_dot = word.text.trim_end_matches('.').contains('.');
    word.is(Classes::DEGREE) && word.text != "Md"
        || word.is(Classes::DEGREE_OR_NAME) && (inner_dot || before >= 2 && word.is_upper())
        || word.is(Classes::GENERATION.or(Classes::TITLE))
        || dotted && word.is(Classes::DOTTED_TITLE.or(Classes::TITLE_FIELD))
}

/// Whether the words after a comma can be given names.
fn is_given(words: &[Word]) -> bool {
    let small = |word: &&Word| word.text.starts_with(char::is_lowercase) && !word.is(Classes::PARTICLE);
    let some_small = words.iter().filter(small).count();
    words.len() <= 4
        && (some_small == 0 || some_small == words.len())
        && !words.iter().any(|word| word.is(Classes::JOB))
}

/// A name without titles and degrees, its generation apart.
#[derive(Default)]
struct Core {
    words: Vec<Word>,
    generation: Vec<Word>,
}

fn core_of(mut words: Vec<Word>) -> Core {
    let titles = leading_titles(&words);
    words.drain(..titles);
    let mut generation = Vec::new();
    let shouted = words.iter().all(|word| !word.text.chars().any(char::is_lowercase));
    while let Some(last) = words.last() {
        let others = words.len() - 1;
        if others >= 1 && is_degree(last, others, shouted) || others >= 2 && is_number(last) {
            words.pop();
        } else if others >= 2 && is_spaced_doctor(&words) {
            words.truncate(others - 1);
        } else if others >= 1 && generation.is_empty() && is_generation(last) {
            generation.extend(words.pop());
        } else {
            break;
        }
    }
    if let Some(last) = words.last_mut() {
        without_full_stop(last);
    }
    Core { words, generation }
}

/// How many words at the start are titles: "Prof. Dr. med. habil."
fn leading_titles(words: &[Word]) -> usize {
    let mut count = 0;
    for word in words {
        let dotted = word.text.ends_with('.');
        let title = word.is(Classes::TITLE) || dotted && word.is(Classes::DOTTED_TITLE);
        let field = count > 0 && dotted && word.is(Classes::TITLE_FIELD);
        if !title && !field {
            break;
        }
        count += 1;
    }
    count
}

/// `PhD` is a degree; `MA` only in capitals behind a name that is not, or with its dots; `Md` is Mohammed.
fn is_degree(word: &Word, others: usize, shouted: bool) -> bool {
    if word.is(Classes::DEGREE) {
        return word.text != "Md";
    }
    let dotted = word.text.trim_end_matches('.').contains('.');
    word.is(Classes::DEGREE_OR_NAME) && others >= 2 && (dotted || word.is_upper() && !shouted)
}

/// "Ph. D."
fn is_spaced_doctor(words: &[Word]) -> bool {
    matches!(words, [.., ph, d] if key(&ph.text) == "ph" && key(&d.text) == "d")
}

/// "Jane Doe 2": what a form added to tell accounts apart.
fn is_number(word: &Word) -> bool {
    word.text.chars().all(char::is_numeric)
}

/// "Jr.", "III"; but Ii is a Japanese family name.
fn is_generation(word: &Word) -> bool {
    word.is(Classes::GENERATION) && !matches!(word.text.as_str(), "Ii" | "Iv")
}

/// "Jane Doe.": the dot ends a sentence, unless it can be an initial's or an abbreviation's ("Wm.").
fn without_full_stop(last: &mut Word) {
    const VOWELS: [char; 6] = ['a', 'e', 'i', 'o', 'u', 'y'];
    if let Some(bare) = last.text.strip_suffix('.') {
        let long = bare.chars().count() >= 3 && !bare.contains('.');
        if long && (!bare.is_ascii() || bare.to_ascii_lowercase().contains(VOWELS)) {
            *last = Word::new(bare);
        }
    }
}

/// "kimberly kimberly patton" names her once, and so does "Jane Doe Jane Doe". "Sirhan Sirhan" stays.
fn without_repeats(mut words: Vec<Word>) -> Vec<Word> {
    let same = |a: &Word, b: &Word| {
        a.text.len() == b.text.len() && a.text.chars().count() > 2 && key(&a.text) == key(&b.text)
    };
    let (front, back) = words.split_at(words.len() / 2);
    if front.len() >= 2 && front.len() == back.len() && front.iter().zip(back).all(|(a, b)| same(a, b)) {
        words.truncate(words.len() / 2);
    }
    if words.len() >= 3 {
        words.dedup_by(|a, b| same(a, b));
    }
    words
}
