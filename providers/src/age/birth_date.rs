//! Reads birth dates as vendors and web pages write them.
//!
//! Invariant: nothing is guessed. What a text leaves open (day or month first, a padded date) stays open.

use jiff::civil::Date;

use super::{AgeError, BirthInterval, text};

pub(super) fn parse(text: &str, today: Date) -> Result<BirthInterval, AgeError> {
    let text = text::tidy(text)?;
    // A leading plus is how Wikidata writes years of our era.
    let text = text.strip_prefix('+').unwrap_or(&text);
    if text.starts_with("--") {
        return Err(AgeError::NoYear);
    }
    if let Some((date, time)) = split_time(text) {
        return date_time(date, time, today);
    }
    if text.chars().any(char::is_alphabetic) { words(text, today) } else { numbers(text, today) }
}

/// A date-time counts with its date as written: a birthday is a day on the calendar, not an instant.
fn date_time(date: &str, time: &str, today: Date) -> Result<BirthInterval, AgeError> {
    if !is_time(time) {
        return Err(AgeError::Invalid("neither a date nor a date-time"));
    }
    if date == "1969-12-31" {
        return Err(AgeError::Invalid("the zero of a clock, seen from the west"));
    }
    numbers(date, today)
}

/// `1987-06-07t10:00:00z` or `1987-06-07 10:00`, split between date and time.
fn split_time(text: &str) -> Option<(&str, &str)> {
    let (date, time) = text.split_at_checked(10)?;
    let time = time.strip_prefix(['t', ' '])?.trim_start();
    let looks_like_date = date.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'/' | b'.'));
    (looks_like_date && time.starts_with(|c: char| c.is_ascii_digit())).then_some((date, time))
}

/// Hours and minutes, perhaps seconds, a fraction, an offset (`z`, `+02:00`) and a zone in brackets.
fn is_time(text: &str) -> bool {
    let clock = text.split('[').next().unwrap_or_default().trim_end();
    let clock = clock.split(['z', '+', '-']).next().unwrap_or_default();
    let whole = clock.split(['.', ',']).next().unwrap_or_default();
    let parts: Vec<&str> = whole.trim_end().trim_end_matches(" utc").split(':').collect();
    let in_range = |part: &&str, limit: u8| part.len() == 2 && part.parse::<u8>().is_ok_and(|n| n <= limit);
    match parts.as_slice() {
        [hour, minute] => in_range(hour, 24) && in_range(minute, 59),
        [hour, minute, second] => in_range(hour, 24) && in_range(minute, 59) && in_range(second, 60),
        _ => false,
    }
}

/// Digits with one kind of separator, or eight digits without any.
fn numbers(text: &str, today: Date) -> Result<BirthInterval, AgeError> {
    if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        let (year, rest) = text.split_at(4);
        let (month, day) = rest.split_at(2);
        return BirthInterval::from_parts(Some(number(year)?), Some(small(month)?), Some(small(day)?), today);
    }
    let separator = text.chars().find(|c| !c.is_ascii_digit()).unwrap_or('-');
    if !matches!(separator, '-' | '/' | '.') {
        return Err(AgeError::Invalid("not a date"));
    }
    let fields: Vec<&str> = text.split(separator).map(str::trim).collect();
    if fields.iter().any(|field| field.is_empty() || !field.bytes().all(|b| b.is_ascii_digit())) {
        return Err(AgeError::Invalid("not a date"));
    }
    let is_year = |field: &str| field.len() == 4;
    match *fields.as_slice() {
        [year] if is_year(year) => BirthInterval::from_parts(Some(number(year)?), None, None, today),
        [year, month] if is_year(year) => {
            BirthInterval::from_parts(Some(number(year)?), Some(small(month)?), None, today)
        }
        [month, year] if is_year(year) => {
            BirthInterval::from_parts(Some(number(year)?), Some(small(month)?), None, today)
        }
        [year, month, day] if is_year(year) => {
            BirthInterval::from_parts(Some(number(year)?), Some(small(month)?), Some(small(day)?), today)
        }
        [first, second, year] if is_year(year) => {
            either_order(small(first)?, small(second)?, number(year)?, today)
        }
        [_, _] => Err(AgeError::NoYear),
        [_, _, _] => Err(AgeError::Invalid("the year needs four digits")),
        _ => Err(AgeError::Invalid("not a date")),
    }
}

/// `07/06/1987`: two countries read it as two days. Only a number above 12, or twice the same, decides.
fn either_order(first: i8, second: i8, year: i16, today: Date) -> Result<BirthInterval, AgeError> {
    let (month, day) = match (first, second) {
        (first, second) if first == second => (Some(first), Some(second)),
        (day, month) if day > 12 => (Some(month), Some(day)),
        (month, day) if day > 12 => (Some(month), Some(day)),
        (0, _) | (_, 0) => return Err(AgeError::Invalid("no such day in the calendar")),
        _ => (None, None),
    };
    BirthInterval::from_parts(Some(year), month, day, today)
}

/// A date with its month in words, in any order: `7 June 1987`, `June 7th, 1987`, `Jun 1987`, `1987-jun-07`.
fn words(text: &str, today: Date) -> Result<BirthInterval, AgeError> {
    let text = without_clock(text);
    let mut parts: (Option<i16>, Option<i8>, Option<i8>) = (None, None, None);
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
        let again = if digits.is_empty() {
            let Some(month) = month(word) else {
                if is_filler(word) {
                    continue;
                }
                return Err(AgeError::Invalid("neither a month nor a number"));
            };
            parts.1.replace(month).is_some()
        } else if digits.len() == 4 && digits.len() == word.len() {
            parts.0.replace(number(digits)?).is_some()
        } else if digits.len() <= 2 && is_ordinal(word.get(digits.len()..).unwrap_or_default()) {
            parts.2.replace(small(digits)?).is_some()
        } else {
            return Err(AgeError::Invalid("neither a day nor a year"));
        };
        if again {
            return Err(AgeError::Invalid("more than one date, or a year of two digits"));
        }
    }
    match parts {
        (year, Some(month), day) => BirthInterval::from_parts(year, Some(month), day, today),
        (_, None, _) => Err(AgeError::Invalid("no month among the words")),
    }
}

/// What precedes the time of day: `Sun, 07 Jun 1987 00:00:00 GMT`.
fn without_clock(text: &str) -> &str {
    let before = text.split_once(':').map_or(text, |(before, _)| before);
    if before.len() == text.len() { text } else { before.trim_end_matches(|c: char| c.is_ascii_digit()) }
}

fn is_ordinal(suffix: &str) -> bool {
    matches!(suffix, "" | "st" | "nd" | "rd" | "th" | "er" | "ère" | "º" | "ª")
}

fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "of" | "the"
            | "on"
            | "de"
            | "del"
            | "le"
            | "el"
            | "den"
            | "am"
            | "mon"
            | "monday"
            | "tue"
            | "tues"
            | "tuesday"
            | "wed"
            | "wednesday"
            | "thu"
            | "thurs"
            | "thursday"
            | "fri"
            | "friday"
            | "sat"
            | "saturday"
            | "sun"
            | "sunday"
    )
}

/// The month that a word names in English, German, French, Spanish, Portuguese, Italian or Dutch. No word names two months in two of them.
fn month(word: &str) -> Option<i8> {
    Some(match word {
        "january" | "jan" | "januar" | "jänner" | "janvier" | "janv" | "enero" | "ene" | "janeiro"
        | "gennaio" | "januari" => 1,
        "february" | "feb" | "februar" | "feber" | "février" | "fevrier" | "févr" | "fév" | "febrero"
        | "fevereiro" | "febbraio" | "februari" => 2,
        "march" | "mar" | "märz" | "maerz" | "mär" | "mrz" | "mars" | "marzo" | "março" | "maart" => 3,
        "april" | "apr" | "avril" | "avr" | "abril" | "abr" | "aprile" => 4,
        "may" | "mai" | "mayo" | "maio" | "maggio" | "mei" => 5,
        "june" | "jun" | "juni" | "juin" | "junio" | "junho" | "giugno" => 6,
        "july" | "jul" | "juli" | "juillet" | "juil" | "julio" | "julho" | "luglio" => 7,
        "august" | "aug" | "août" | "aout" | "agosto" | "ago" | "augustus" => 8,
        "september" | "sep" | "sept" | "septembre" | "septiembre" | "setiembre" | "setembro"
        | "settembre" => 9,
        "october" | "oct" | "oktober" | "okt" | "octobre" | "octubre" | "outubro" | "ottobre" => 10,
        "november" | "nov" | "novembre" | "noviembre" | "novembro" => 11,
        "december" | "dec" | "dezember" | "dez" | "décembre" | "decembre" | "déc" | "diciembre" | "dic"
        | "dezembro" | "dicembre" => 12,
        _ => return None,
    })
}

fn number(digits: &str) -> Result<i16, AgeError> {
    digits.parse().map_err(|_| AgeError::Invalid("not a year"))
}

fn small(digits: &str) -> Result<i8, AgeError> {
    digits.parse().map_err(|_| AgeError::Invalid("no such day in the calendar"))
}
