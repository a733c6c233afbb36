//! Tables and properties for ages. Invariant: every expectation is written out, none is computed by the code under test.

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::{AgeError, BirthInterval, OLDEST_AGE, Precision};

const TODAY: Date = date(2026, 11, 23);

/// `earliest..latest`, or the reason for the refusal.
fn shown(result: Result<BirthInterval, AgeError>) -> String {
    match result {
        Ok(interval) if interval.earliest() == interval.latest() => interval.earliest().to_string(),
        Ok(interval) => format!("{}..{}", interval.earliest(), interval.latest()),
        Err(error) => error.to_string(),
    }
}

fn ages(text: &str) -> Option<(u8, u8)> {
    BirthInterval::parse_age(text, TODAY).ok().map(|interval| interval.ages_on(TODAY))
}

#[test]
fn birth_dates_are_read_in_every_spelling() {
    let exact = [
        "1987-06-07",
        " 1987-06-07 ",
        "1987-6-7",
        "1987/06/07",
        "1987.06.07",
        "19870607",
        "7 June 1987",
        "June 7, 1987",
        "june 7th 1987",
        "7th of June, 1987",
        "Jun 7 1987",
        "7-Jun-1987",
        "1987-Jun-07",
        "Sunday, June 7, 1987",
        "7. Juni 1987",
        "7 juin 1987",
        "7 de junio de 1987",
        "7 de junho de 1987",
        "7 giugno 1987",
        "7 juni 1987",
        "Sun, 07 Jun 1987 00:00:00 GMT",
        "Sun Jun 07 1987 00:00:00 GMT+0200 (CEST)",
        "1987-06-07T00:00:00Z",
        "+1987-06-07T00:00:00Z",
        "1987-06-07T10:00:00.123+02:00",
        "1987-06-07t10:00",
        "1987-06-07 10:00:00 UTC",
        "1987-06-07T00:00:00+02:00[Europe/Berlin]",
        "1987\u{2013}06\u{2013}07",
        "１９８７-06-07",
        "1987‐06‐07",
    ];
    for text in exact {
        assert_eq!(shown(BirthInterval::parse_birth_date(text, TODAY)), "1987-06-07", "{text}");
    }
    let first_of_month = ["1er juin 1987", "1. Juni 1987", "1987-06-01", "June 1st, 1987"];
    for text in first_of_month {
        assert_eq!(shown(BirthInterval::parse_birth_date(text, TODAY)), "1987-06-01", "{text}");
    }
    let month =
        ["1987-06", "1987/06", "06/1987", "6.1987", "Jun 1987", "June, 1987", "1987-06-00", "junio de 1987"];
    for text in month {
        assert_eq!(shown(BirthInterval::parse_birth_date(text, TODAY)), "1987-06-01..1987-06-30", "{text}");
    }
}

#[test]
fn what_a_text_leaves_open_stays_open() {
    let year = [
        "1987",
        "+1987-00-00T00:00:00Z",
        "1987-00-00",
        "1987-01-01",
        "01/01/1987",
        "1 January 1987",
        "19870101",
        "1987-01-01T00:00:00Z",
        "07/06/1987",
        "12-11-1987",
        "07.06.1987",
    ];
    for text in year {
        assert_eq!(shown(BirthInterval::parse_birth_date(text, TODAY)), "1987-01-01..1987-12-31", "{text}");
    }
    for (text, day) in [
        ("13/06/1987", "1987-06-13"),
        ("06/13/1987", "1987-06-13"),
        ("31.12.1987", "1987-12-31"),
        ("06/06/1987", "1987-06-06"),
        ("29/02/1988", "1988-02-29"),
    ] {
        assert_eq!(shown(BirthInterval::parse_birth_date(text, TODAY)), day, "{text}");
    }
}

#[test]
fn texts_without_a_year_say_nothing() {
    for text in ["--06-07", "--0607", "---07", "06-07", "06/07", "7 June", "June 7", "June", "0000-06-07"] {
        assert_eq!(BirthInterval::parse_birth_date(text, TODAY), Err(AgeError::NoYear), "{text}");
    }
}

#[test]
fn what_is_no_birth_date_is_refused() {
    let refused = [
        "",
        "  ",
        "true",
        "false",
        "null",
        "n/a",
        "unknown",
        "1987-02-30",
        "1987-02-29",
        "1900-02-29",
        "1987-13-01",
        "1987-06-31",
        "1987-06-32",
        "31/02/1987",
        "02/30/1987",
        "13/13/1987",
        "07/06/87",
        "87-06-07",
        "7 June 87",
        "'87",
        "-1987-06-07",
        "1900-01-01",
        "1970-01-01",
        "1901-01-01",
        "1901-12-13",
        "1970-01-01T00:00:00Z",
        "1969-12-31T19:00:00-05:00",
        "1 January 1970",
        "19700101",
        "2026-11-24",
        "2027",
        "2027-01",
        "9999-12-31",
        "1903-11-23",
        "1902",
        "1066-10-14",
        "0607",
        "198706",
        "549849600",
        "1987-06-07-08",
        "1987-06/07",
        "1987--06",
        "1987-",
        "12345678901234567890",
        "1987-06-07T99:00:00Z",
        "1987-06-07Tnoon",
        "7 Juneteenth 1987",
        "7 June 8 1987",
        "June 1987 July",
        "1983-2005",
        "circa 1987",
        "1980s",
        "²1987",
        "1987²",
        "between 1980 and 1990 as far as anybody in the whole of the country can still remember it",
    ];
    for text in refused {
        let result = BirthInterval::parse_birth_date(text, TODAY);
        assert!(matches!(result, Err(AgeError::Invalid(_))), "{text}: {}", shown(result));
    }
}

#[test]
fn a_birth_lies_within_a_lifetime() {
    assert_eq!(shown(BirthInterval::from_year(1987, TODAY)), "1987-01-01..1987-12-31");
    assert_eq!(shown(BirthInterval::from_year(2026, TODAY)), "2026-01-01..2026-11-23");
    assert_eq!(shown(BirthInterval::parse_birth_date("2026-11", TODAY)), "2026-11-01..2026-11-23");
    assert_eq!(shown(BirthInterval::from_year(1903, TODAY)), "1903-11-24..1903-12-31");
    assert_eq!(shown(BirthInterval::parse_birth_date("1903-11-24", TODAY)), "1903-11-24");
    for year in [i16::MIN, -1987, 1, 87, 1902, 2027, 9999, i16::MAX] {
        assert!(BirthInterval::from_year(year, TODAY).is_err(), "{year}");
    }
    assert_eq!(BirthInterval::from_year(0, TODAY), Err(AgeError::NoYear));
    assert_eq!(BirthInterval::from_parts(None, Some(6), Some(7), TODAY), Err(AgeError::NoYear));
    assert_eq!(shown(BirthInterval::from_parts(Some(1987), None, Some(7), TODAY)), "1987-01-01..1987-12-31");
    assert!(BirthInterval::from_parts(Some(1987), Some(-6), None, TODAY).is_err());
}

/// Spellings, and the youngest and oldest age that they mean.
const AGES: &[(&[&str], (u8, u8))] = &[
    (
        &[
            "41",
            " 41 ",
            "041",
            "41 years old",
            "41 yrs",
            "41 yrs.",
            "41y",
            "41yo",
            "41 y/o",
            "41 y.o.",
            "aged 41",
            "age: 41",
            "Age 41",
            "41-year-old",
            "41 years of age",
            "41.0",
            "４１",
            "41 ans",
            "41-41",
        ],
        (41, 41),
    ),
    (
        &[
            "35-44",
            "35 - 44",
            "35–44",
            "35 — 44",
            "35‑44",
            "35−44",
            "35\u{a0}–\u{a0}44",
            "35 to 44",
            "35 TO 44",
            "between 35 and 44",
            "from 35 to 44",
            "35-44 years old",
            "ages 35-44",
            "35 years to 44 years",
            "35 through 44",
            "35－44",
        ],
        (35, 44),
    ),
    (
        &[
            "65+",
            "65 +",
            "65-",
            "65 plus",
            "65 or older",
            "65 and older",
            "65 years or older",
            "65 & over",
            "65 and up",
            "65+ years",
            "at least 65",
            ">=65",
            "≥ 65",
            "65 years and over",
        ],
        (65, OLDEST_AGE),
    ),
    (&["over 65", ">65", "> 65", "older than 65", "above 65", "more than 65"], (66, OLDEST_AGE)),
    (&["<18", "< 18", "under 18", "below 18", "younger than 18", "less than 18", "under 18 years"], (0, 17)),
    (&["18 or younger", "18 and under", "up to 18", "at most 18", "<=18", "≤18"], (0, 18)),
    (&["40s", "40's", "40’s", "forties", "in his forties", "in her 40s", "in the 40s", "40-49"], (40, 49)),
    (&["mid-30s", "mid 30s", "mid – 30s", "in their mid-thirties"], (34, 36)),
    (&["early 30s", "early-30s", "early thirties"], (30, 33)),
    (&["late 30s", "in his late thirties"], (37, 39)),
    (&["teens", "in her teens"], (13, 19)),
    (&["0-17"], (0, 17)),
    (&["122"], (122, 122)),
];

#[test]
fn ages_are_read_in_every_spelling() {
    for (texts, expected) in AGES {
        for text in *texts {
            assert_eq!(ages(text), Some(*expected), "{text}");
        }
    }
}

#[test]
fn an_age_may_be_told_by_the_year_of_birth() {
    for text in
        ["born 1983", "Born in 1983", "b. 1983", "b.1983", "b 1983", "geb. 1983", "*1983", "born: 1983"]
    {
        let interval = BirthInterval::parse_age(text, TODAY);
        assert_eq!(shown(interval), "1983-01-01..1983-12-31", "{text}");
    }
    assert_eq!(shown(BirthInterval::parse_age("born on June 7, 1987", TODAY)), "1987-06-07");
    assert!(BirthInterval::parse_age("born to run", TODAY).is_err());
}

#[test]
fn what_is_no_age_is_refused() {
    for text in [
        "",
        " ",
        "true",
        "false",
        "yes",
        "null",
        "0",
        "-1",
        "-41",
        "−41",
        "+41",
        "- 41",
        "aged -41",
        "age: -1",
        "123",
        "150",
        "999",
        "99999999999999999999",
        "1983",
        "39.5",
        "39,5",
        "39.",
        "41/42",
        "44-35",
        "35-44-53",
        "-44",
        "35 44",
        "about 41",
        "~41",
        "c. 41",
        "41 months",
        "6 weeks",
        "18 months old",
        "years old",
        "old",
        "adult",
        "senior",
        "35s",
        "100s",
        "0s",
        "mid-41",
        "early",
        "mid 30",
        "<0",
        ">122",
        ">200",
        "under",
        "over",
        "between 35",
        "between 44 and 35",
        "35 to",
        "to 44",
        "4²",
        "½",
        "41%",
        "41 (est.)",
        "0x29",
        "4e1",
        "35..44",
        "06-07",
        "25__34",
        "forty-one",
        "41;drop",
        "🎂 41",
    ] {
        assert_eq!(ages(text), None, "{text}");
    }
}

#[test]
fn ages_are_read_as_machines_write_them() {
    for (text, expected) in [
        ("25_34", (25, 34)),
        ("AGE_25_34", (25, 34)),
        ("AGE_65_PLUS", (65, 122)),
        ("over_65", (66, 122)),
        ("Age range: 25-34", (25, 34)),
        ("age group 25 to 34", (25, 34)),
        ("41 anos", (41, 41)),
        ("41歳", (41, 41)),
    ] {
        assert_eq!(ages(text), Some(expected), "{text}");
    }
}

#[test]
fn an_age_becomes_the_days_on_which_it_is_true() {
    for (youngest, oldest, observed, expected) in [
        (39, 39, date(2026, 11, 23), "1986-11-24..1987-11-23"),
        (35, 44, date(2026, 11, 23), "1981-11-24..1991-11-23"),
        (0, 0, date(2026, 11, 23), "2025-11-24..2026-11-23"),
        (20, 20, date(2026, 12, 31), "2006-01-01..2006-12-31"),
        (20, 20, date(2026, 1, 1), "2005-01-02..2006-01-01"),
        // On 28 February the leapling of 2004 has not had the birthday yet; on 1 March they have.
        (21, 21, date(2026, 2, 28), "2004-02-29..2005-02-28"),
        (22, 22, date(2026, 3, 1), "2003-03-02..2004-03-01"),
        // On 29 February, seen from common years.
        (1, 1, date(2028, 2, 29), "2026-03-01..2027-02-28"),
        (4, 4, date(2028, 2, 29), "2023-03-01..2024-02-29"),
        (3, 3, date(2028, 2, 29), "2024-03-01..2025-02-28"),
    ] {
        assert_eq!(shown(BirthInterval::from_ages(youngest, oldest, observed)), expected, "{observed}");
    }
    assert!(BirthInterval::from_ages(44, 35, TODAY).is_err());
    assert!(BirthInterval::from_ages(0, 123, TODAY).is_err());
    assert!(BirthInterval::from_ages(0, 122, Date::MIN).is_err());
    assert!(BirthInterval::from_ages(0, 0, Date::MAX).is_ok());
}

#[test]
fn ages_on_a_day_are_the_youngest_and_the_oldest() {
    let year = BirthInterval::from_year(1983, TODAY).unwrap();
    assert_eq!(year.ages_on(TODAY), (42, 43));
    assert_eq!(year.age_on(TODAY), None);
    assert_eq!(year.age_on(date(2026, 12, 31)), Some(43));
    assert_eq!(year.ages_on(date(1970, 1, 1)), (0, 0));
    let leapling = BirthInterval::from(date(2004, 2, 29));
    assert_eq!(leapling.age_on(date(2026, 2, 28)), Some(21));
    assert_eq!(leapling.age_on(date(2026, 3, 1)), Some(22));
    assert_eq!(leapling.age_on(date(2028, 2, 28)), Some(23));
    assert_eq!(leapling.age_on(date(2028, 2, 29)), Some(24));
    assert_eq!(BirthInterval::from(Date::MIN).ages_on(Date::MAX), (255, 255));
}

#[test]
fn buckets_of_two_vendors_intersect() {
    let one = BirthInterval::parse_age("35-44", TODAY).unwrap();
    let other = BirthInterval::parse_age("40-49", TODAY).unwrap();
    assert_eq!(one.intersect(&other).unwrap().ages_on(TODAY), (40, 44));
    assert_eq!(one.intersect(&BirthInterval::parse_age("65+", TODAY).unwrap()), None);
}

#[test]
fn minors_are_told_with_certainty_or_with_caution() {
    for (text, certainly, possibly) in [
        ("15", true, true),
        ("16", false, false),
        ("14-17", false, true),
        ("<16", true, true),
        ("<17", false, true),
    ] {
        let interval = BirthInterval::parse_age(text, TODAY).unwrap();
        assert_eq!(interval.certainly_under(16, TODAY), certainly, "{text}");
        assert_eq!(interval.possibly_under(16, TODAY), possibly, "{text}");
    }
}

#[test]
fn an_interval_tells_its_precision_and_can_be_coarsened() {
    let day = BirthInterval::from(date(1987, 6, 7));
    assert_eq!(day.precision(), Precision::Day);
    assert_eq!(day.truncated_to_month().precision(), Precision::Month);
    assert_eq!(day.truncated_to_year().precision(), Precision::Year);
    assert_eq!(BirthInterval::from_ages(39, 39, TODAY).unwrap().precision(), Precision::Range);
    assert_eq!(day.width_in_days(), 1);
    assert_eq!(day.truncated_to_month().width_in_days(), 30);
    assert_eq!(BirthInterval::from(date(2004, 5, 5)).truncated_to_year().width_in_days(), 366);
}

#[test]
fn it_is_stored_as_two_dates_and_shown_as_none() {
    let interval = BirthInterval::parse_birth_date("1987-06", TODAY).unwrap();
    insta::assert_snapshot!(
        serde_json::to_string(&interval).unwrap(), @r#"{"earliest":"1987-06-01","latest":"1987-06-30"}"#
    );
    insta::assert_snapshot!(format!("{interval:?}"), @"BirthInterval(redacted)");
    let swapped = serde_json::from_str::<BirthInterval>(r#"{"earliest":"1987-06-30","latest":"1987-06-01"}"#);
    assert!(swapped.is_err());
}

/// Completed years by counting birthdays one by one.
fn birthdays_until(birth: Date, day: Date) -> u8 {
    let birthday = |year| Date::new(year, birth.month(), birth.day()).unwrap_or_else(|_| date(year, 3, 1));
    let count = (birth.year() + 1..=day.year()).filter(|year| birthday(*year) <= day).count();
    u8::try_from(count).unwrap()
}

fn any_day() -> impl Strategy<Value = Date> {
    // Leap days and ends of months turn up far more often than by chance.
    let any = (1905_i16..2100, 1_i8..=12, 1_i8..=31);
    let edge =
        (1905_i16..2100, prop_oneof![Just((2_i8, 29_i8)), Just((2, 28)), Just((3, 1)), Just((12, 31))])
            .prop_map(|(year, (month, day))| (year, month, day));
    prop_oneof![any, edge].prop_map(|(year, month, day)| {
        (0..4).find_map(|less| Date::new(year, month, day - less).ok()).expect("every month has 28 days")
    })
}

fn any_interval() -> impl Strategy<Value = BirthInterval> {
    (any_day(), any_day())
        .prop_map(|(one, other)| BirthInterval::between(one.min(other), one.max(other)).expect("in order"))
}

proptest! {
    #[test]
    fn an_age_and_its_interval_are_inverse(birth in any_day(), day in any_day()) {
        let (birth, day) = (birth.min(day), birth.max(day));
        let age = birthdays_until(birth, day);
        prop_assert_eq!(BirthInterval::from(birth).age_on(day), Some(age));
        if age > OLDEST_AGE {
            prop_assert!(BirthInterval::from_ages(age, age, day).is_err());
            return Ok(());
        }
        let interval = BirthInterval::from_ages(age, age, day).unwrap();
        prop_assert!(interval.contains(birth));
        prop_assert_eq!(interval.ages_on(day), (age, age));
        // Exactly the days on which the age is true, and not one more.
        prop_assert_eq!(birthdays_until(interval.earliest().yesterday().unwrap(), day), age + 1);
        let too_late = interval.latest().tomorrow().unwrap();
        prop_assert!(too_late > day || birthdays_until(too_late, day) + 1 == age);
    }

    #[test]
    fn ranges_keep_their_ends(low in 0_u8..=122, high in 0_u8..=122, day in any_day()) {
        let (low, high) = (low.min(high), low.max(high));
        let interval = BirthInterval::from_ages(low, high, day).unwrap();
        prop_assert_eq!(interval.ages_on(day), (low, high));
        prop_assert_eq!(ages(&format!("{low}-{high}")).is_some(), true);
    }

    #[test]
    fn ages_only_grow(interval in any_interval(), day in any_day(), later in any_day()) {
        let (day, later) = (day.min(later), day.max(later));
        let ((youngest, oldest), (then_youngest, then_oldest)) = (interval.ages_on(day), interval.ages_on(later));
        prop_assert!(youngest <= oldest && youngest <= then_youngest && oldest <= then_oldest);
    }

    #[test]
    fn intersecting_is_commutative_associative_and_idempotent(
        a in any_interval(), b in any_interval(), c in any_interval(),
    ) {
        prop_assert_eq!(a.intersect(&b), b.intersect(&a));
        prop_assert_eq!(a.intersect(&a), Some(a));
        let left = a.intersect(&b).and_then(|ab| ab.intersect(&c));
        let right = b.intersect(&c).and_then(|bc| a.intersect(&bc));
        prop_assert_eq!(left, right);
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,40}", day in any_day()) {
        let _ = BirthInterval::parse_birth_date(&text, day);
        let _ = BirthInterval::parse_age(&text, day);
    }

    #[test]
    fn nothing_nearly_right_panics(text in "[0-9ts+<>=./,:\\-–²  bornmidJue']{0,24}", day in any_day()) {
        let readings = [BirthInterval::parse_birth_date(&text, day), BirthInterval::parse_age(&text, day)];
        for interval in readings.into_iter().flatten() {
            prop_assert!(interval.latest() <= day && interval.ages_on(day).1 <= OLDEST_AGE);
        }
    }

    #[test]
    fn an_iso_date_is_read_as_it_is(birth in any_day()) {
        let expected = match (birth.month(), birth.day()) {
            _ if birth > TODAY => None,
            (1, 1) if birth.year() == 1970 => None,
            (1, 1) => BirthInterval::from_year(birth.year(), TODAY).ok(),
            _ => Some(BirthInterval::from(birth)),
        };
        prop_assert_eq!(BirthInterval::parse_birth_date(&birth.to_string(), TODAY).ok(), expected);
    }
}
