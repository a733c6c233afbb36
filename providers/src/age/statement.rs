//! Reads ages, age ranges and decades of life as vendors and people write them.
//!
//! Invariant: a statement that could mean two things is refused, or read by the rule that `parse_age` documents.

use jiff::civil::Date;

use super::{AgeError, BirthInterval, OLDEST_AGE, text};

const NOT_AN_AGE: AgeError = AgeError::Invalid("not an age or a range of ages");

#[derive(Debug, PartialEq)]
enum Token<'t> {
    Number(u8),
    Word(&'t str),
    Sign(char),
}

pub(super) fn parse(text: &str, observed: Date) -> Result<BirthInterval, AgeError> {
    let text = text::tidy(text)?;
    if let Some(date) = after_born(&text) {
        return BirthInterval::parse_birth_date(date, observed);
    }
    if is_day_without_year(&text) {
        return Err(AgeError::NoYear);
    }
    let (youngest, oldest) = ages(&tokens(&text)?)?;
    BirthInterval::from_ages(youngest, oldest, observed)
}

/// `06-07`: nobody pads ages, and vCards give birthdays so.
fn is_day_without_year(text: &str) -> bool {
    matches!(text.as_bytes(), [b'0', b'0'..=b'9', b'-', b'0'..=b'9', b'0'..=b'9'])
}

/// What follows `born`, `born in`, `b.` or `*`.
fn after_born(text: &str) -> Option<&str> {
    let rest = text
        .strip_prefix("born")
        .or_else(|| text.strip_prefix("geb."))
        .or_else(|| text.strip_prefix("b."))
        .or_else(|| text.strip_prefix("b "))
        .or_else(|| text.strip_prefix('*'))?;
    let rest = rest.trim_start_matches([':', ' ']);
    Some(rest.strip_prefix("in ").or_else(|| rest.strip_prefix("on ")).unwrap_or(rest).trim_start())
}

/// The youngest and the oldest age that the tokens allow.
fn ages(tokens: &[Token<'_>]) -> Result<(u8, u8), AgeError> {
    use Token::{Number as N, Sign as S, Word as W};
    let below = |age: u8| age.checked_sub(1).ok_or(NOT_AN_AGE);
    let above = |age: u8| age.checked_add(1).ok_or(NOT_AN_AGE);
    Ok(match *tokens {
        [N(0)] => return Err(AgeError::Invalid("zero, which stands for unknown")),
        [N(age)] => (age, age),

        [N(from), S('-') | W("to" | "through" | "bis"), N(to)]
        | [W("between"), N(from), W("and") | S('-'), N(to)]
        | [W("from"), N(from), W("to") | S('-'), N(to)] => (from, to),

        [N(age), S('+' | '-') | W("plus")]
        | [N(age), W("or" | "and") | S('&'), W("older" | "over" | "above" | "up" | "upwards" | "more")]
        | [W("at"), W("least"), N(age)]
        | [S('>'), S('='), N(age)]
        | [S('≥'), N(age)] => (age, OLDEST_AGE),

        [W("over" | "above") | S('>'), N(age)] | [W("older" | "more"), W("than"), N(age)] => {
            (above(age)?, OLDEST_AGE)
        }

        [W("under" | "below") | S('<'), N(age)] | [W("younger" | "less"), W("than"), N(age)] => {
            (0, below(age)?)
        }

        [N(age), W("or" | "and") | S('&'), W("younger" | "under" | "below" | "less")]
        | [W("up"), W("to"), N(age)]
        | [W("at"), W("most"), N(age)]
        | [S('≤'), N(age)]
        | [S('<'), S('='), N(age)] => (0, age),

        [W("teens")] => (13, 19),
        [W(part), ref decade @ ..] if is_part(part) => part_of(part, decade_of(decade)?),
        ref decade => {
            let start = decade_of(decade)?;
            (start, start + 9)
        }
    })
}

/// The first age of `40s`, `40's` or `forties`.
fn decade_of(tokens: &[Token<'_>]) -> Result<u8, AgeError> {
    match *tokens {
        [Token::Number(start @ (20 | 30 | 40 | 50 | 60 | 70 | 80 | 90)), Token::Word("s" | "'s")] => {
            Ok(start)
        }
        [Token::Word(word)] => Ok(match word {
            "twenties" => 20,
            "thirties" => 30,
            "forties" | "fourties" => 40,
            "fifties" => 50,
            "sixties" => 60,
            "seventies" => 70,
            "eighties" => 80,
            "nineties" => 90,
            _ => return Err(NOT_AN_AGE),
        }),
        _ => Err(NOT_AN_AGE),
    }
}

fn is_part(word: &str) -> bool {
    matches!(word, "early" | "mid" | "late")
}

/// Early, mid and late divide a decade without overlap.
fn part_of(part: &str, start: u8) -> (u8, u8) {
    match part {
        "early" => (start, start + 3),
        "mid" => (start + 4, start + 6),
        _ => (start + 7, start + 9),
    }
}

/// Numbers, words and signs, without the words that add nothing to a number of years.
fn tokens(text: &str) -> Result<Vec<Token<'_>>, AgeError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c.is_ascii_digit() {
            let (digits, after) = split_while(rest, |c| c.is_ascii_digit());
            tokens.push(Token::Number(digits.parse().map_err(|_| NOT_AN_AGE)?));
            rest = glued(without_zero_fraction(after)?);
        } else if c.is_alphabetic() || c == '\'' {
            let (word, after) = split_while(rest, |c| c.is_alphabetic() || matches!(c, '\'' | '.' | '/'));
            let word = word.trim_end_matches('.');
            if !is_filler(word) {
                tokens.push(Token::Word(word));
            }
            rest = if is_part(word) { after.trim_start_matches(['-', ' ']) } else { glued(after) };
        } else {
            if c == '_' && is_between_digits(text, rest) {
                // `AGE_25_34`
                tokens.push(Token::Sign('-'));
            } else if matches!(c, '+' | '-' | '<' | '>' | '=' | '≤' | '≥' | '&') {
                tokens.push(Token::Sign(c));
            } else if !matches!(c, ' ' | ':' | '_') {
                return Err(NOT_AN_AGE);
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    Ok(tokens)
}

/// Whether `rest`, the end of `text`, begins with a sign that stands between two digits.
fn is_between_digits(text: &str, rest: &str) -> bool {
    let before = text.strip_suffix(rest).is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()));
    before && rest.get(1..).is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()))
}

fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// Skips the hyphen of a compound word: `41-year-old`. A minus before a number stays.
fn glued(after: &str) -> &str {
    match after.strip_prefix('-') {
        Some(rest) if rest.starts_with(char::is_alphabetic) => rest,
        _ => after,
    }
}

/// `39.0` is a whole number in a vendor's floating point; any other fraction is an estimate.
fn without_zero_fraction(after: &str) -> Result<&str, AgeError> {
    let Some(fraction) = after.strip_prefix(['.', ',']) else { return Ok(after) };
    let (digits, rest) = split_while(fraction, |c| c.is_ascii_digit());
    if !digits.is_empty() && digits.bytes().all(|b| b == b'0') { Ok(rest) } else { Err(NOT_AN_AGE) }
}

fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "age"
            | "aged"
            | "ages"
            | "old"
            | "of"
            | "years"
            | "year"
            | "yrs"
            | "yr"
            | "y"
            | "yo"
            | "y/o"
            | "y.o"
            | "in"
            | "his"
            | "her"
            | "their"
            | "the"
            | "is"
            | "jahre"
            | "alt"
            | "range"
            | "group"
            | "ans"
            | "años"
            | "anos"
            | "anni"
            | "jaar"
            | "år"
            | "歳"
            | "岁"
            | "세"
    )
}
