//! Texts that nobody would write, by the thousand: every parser answers each of them, and what it accepts it accepts
//! again as the same.
//!
//! Real spellings are cut, joined, repeated and sprinkled with odd characters. The default is quick;
//! `GLEANER_FUZZ_CASES=1000000 cargo test --release -p gleaner-providers --test fuzz` is the long run, and
//! `GLEANER_FUZZ_SEED` another one. A failure names its seed and case, and shows the text.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a test, all of it")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use gleaner_providers::name::Parts;
use gleaner_providers::{BirthInterval, EmailAddress, PersonName, SocialProfile, page};
use jiff::civil::{Date, date};
use url::Url;

const TODAY: Date = date(2026, 11, 23);
/// Cases for each parser of plain texts, unless the environment says otherwise.
const USUAL_CASES: u64 = 20_000;
/// A page costs as much as this many texts.
const TEXTS_A_PAGE: u64 = 50;

#[test]
fn addresses() {
    let seeds = [
        "jane.doe@example.com",
        "\"Jane Doe\" <jane+news@gmail.com>",
        "mailto:j%2Bx@example.org?subject=a",
        "\"a\\\"b@c\"@example.com",
        "jürgen@müller.example",
        "a@xn--mller-kva.example",
        "JANE@GOOGLEMAIL.COM",
        "user@[10.0.0.1]",
        "用户@例子.广告",
        "ȺȺȺ@example.com",
        "a@b@c",
        "'x'@example.co.uk",
        "“jane@example.com”",
        "info@sub.mailinator.com",
        "...@...",
    ];
    fuzz("address", &seeds, |text| {
        let Ok(email) = EmailAddress::parse(text) else { return };
        let again = EmailAddress::parse(email.expose()).expect("an address reads as itself");
        assert_eq!((again.expose(), again.canonical()), (email.expose(), email.canonical()));
        let key = EmailAddress::parse(email.canonical()).expect("the key is an address");
        assert_eq!(key.canonical(), email.canonical());
        assert_eq!(format!("{}@{}", email.local_part(), email.domain()), email.expose());
        assert!(email.expose().len() <= 254 && email.canonical().len() <= 254);
        let _ = (email.kind(), email.sha256(), email.name_guess());
    });
}

#[test]
fn names() {
    fuzz("name", &NAMES, |text| {
        let Ok(name) = PersonName::parse(text) else { return };
        reads_as_itself(&name);
    });
}

#[test]
fn names_in_parts() {
    fuzz("parts", &NAMES, |text| {
        let mut parts = text.splitn(3, ' ').map(|part| Some(part.to_owned()));
        let mut next = || parts.next().flatten();
        let parts = Parts { given: next(), family: next(), full: next() };
        let Ok(name) = PersonName::from_parts(parts) else { return };
        reads_as_itself(&name);
        assert!(name.given().is_none_or(|given| name.full().contains(given)));
        assert!(name.family().is_none_or(|family| name.full().contains(family)));
        assert!(name.agrees_with(&name));
    });
}

const NAMES: [&str; 20] = [
    "Jane Doe",
    "DOE, JANE",
    "Dr. med. Jane van der Doe-Smith, PhD",
    "jane \"Addie\" doe (she/her)",
    "José García Márquez Jr.",
    "李 小龙",
    "Ǆane Ⓓⓞⓔ",
    "J.R.R.Tolkien",
    "O'Neil McDonald III",
    "Jane Doe | CEO @ Example",
    "👩‍🚀 Jane :rocket: Doe",
    "Example GmbH",
    "=cmd|' /C calc'!A0",
    "@jane",
    "Mr and Mrs Doe",
    "Jane–Doe; x / y",
    "İstanbul ıI ǅ ﬁ ß",
    "'t Hooft",
    "علي حسن",
    "김 철수",
];

fn reads_as_itself(name: &PersonName) {
    assert!(!name.full().trim().is_empty() && name.full().chars().count() <= PersonName::MAX_CHARS);
    assert!(!name.full().chars().any(char::is_control));
    let stored = serde_json::to_string(name).expect("names are stored");
    assert_eq!(&serde_json::from_str::<PersonName>(&stored).expect("a stored name is read"), name);
}

#[test]
fn ages() {
    fuzz("age", &STATEMENTS, |text| {
        if let Ok(birth) = BirthInterval::parse_age(text, TODAY) {
            is_somebody_s(birth);
        }
    });
}

#[test]
fn birth_dates() {
    fuzz("birth date", &STATEMENTS, |text| {
        if let Ok(birth) = BirthInterval::parse_birth_date(text, TODAY) {
            is_somebody_s(birth);
            assert!(birth.earliest() <= TODAY);
        }
    });
}

const STATEMENTS: [&str; 22] = [
    "41",
    "35-44",
    "65+",
    "<18",
    "mid-30s",
    "between 20 and 30",
    "39.0",
    "born in 1983",
    "aged 41 years",
    "41-year-old",
    "122 or older",
    "1987-06-07",
    "1987",
    "07/06/1987",
    "7 June 1987",
    "juin 1987",
    "1987-06-07T10:00:00.000+02:00[Europe/Paris]",
    "19870607",
    "--06-07",
    "+1987-00-00T00:00:00Z",
    "２９ Ｆｅｂ 2000",
    "0000-00-00",
];

fn is_somebody_s(birth: BirthInterval) {
    assert!(birth.earliest() <= birth.latest());
    let (youngest, oldest) = birth.ages_on(TODAY);
    assert!(youngest <= oldest && birth.width_in_days() > 0);
    let _ = birth.precision();
    let stored = serde_json::to_string(&birth).expect("intervals are stored");
    assert_eq!(serde_json::from_str::<BirthInterval>(&stored).expect("a stored interval is read"), birth);
}

#[test]
fn profiles() {
    fuzz("profile", &PROFILES, |text| {
        if let Ok(profile) = SocialProfile::parse(text) {
            leads_to_itself(&profile);
        }
    });
}

#[test]
fn accounts_on_networks() {
    fuzz("account", &PROFILES, |text| {
        let (network, account) = text.split_once(['.', '/', ' ']).unwrap_or(("x", text));
        for network in [network, "linkedin", "mastodon", "youtube", "website"] {
            if let Ok(profile) = SocialProfile::on_network(network, account) {
                leads_to_itself(&profile);
            }
        }
    });
}

const PROFILES: [&str; 26] = [
    "https://www.linkedin.com/in/j%C3%BCrgen-m%C3%BCller-1/de?trk=x",
    "twitter.com/#!/ada_example",
    "@ada@social.example.com",
    "did:plc:testdoubleaaaaaaaaaaaaaa",
    "did://x",
    "tg:at://did:web:x.example",
    "https://m.facebook.com/profile.php?id=100000000000001&sk=about",
    "0000-0002-1825-0097",
    "http://http://x.com/@ada",
    "tg://resolve?domain=ada_example",
    "https://ada.substack.com/p/x",
    "https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv",
    "https://github.com/ada-example/repo?tab=a#b",
    "javascript:alert(1)",
    "https://user:pass@example.com",
    "http://127.0.0.1/",
    "example.com/~ada?id=1&utm_source=x",
    "https://müller.example/ü",
    "https://www.flickr.com/photos/12345678@N01",
    "https://bit.ly/x",
    "mailto:ada@example.com",
    "acct:ada@social.example.com",
    "at://ada.example.com/x",
    "https://news.ycombinator.com/user?id=AdaEx",
    "https://plus.google.com/+AdaExample",
    "(https://example.com/a_(b)).",
];

fn leads_to_itself(profile: &SocialProfile) {
    let again = SocialProfile::parse(profile.url()).expect("a canonical address reads as itself");
    assert_eq!((again.key(), again.url()), (profile.key(), profile.url()));
    let url = Url::parse(profile.url()).expect("a canonical address is a URL");
    assert!(matches!(url.scheme(), "https") && url.username().is_empty() && url.has_host());
}

#[test]
fn pages() {
    let url = Url::parse("https://ada.example.org/").expect("a URL");
    let (cases, seed) = (cases() / TEXTS_A_PAGE, seed());
    for case in 0..cases {
        let mut dice = Dice::new("page", seed, case);
        let mut text = String::new();
        for _ in 0..dice.below(40) {
            text.push_str(dice.pick(&PAGE_PIECES));
            if dice.below(12) == 0 {
                text = mutated(&text, &PAGE_PIECES, &mut dice);
            }
        }
        let mut bytes = text.into_bytes();
        if dice.below(4) == 0 && !bytes.is_empty() {
            let at = dice.below(bytes.len());
            bytes[at] = u8::try_from(dice.below(256)).unwrap_or(0xff);
        }
        answered("page", seed, case, &String::from_utf8_lossy(&bytes), || {
            // A page that is too deep or too slow is refused, which is an answer.
            let _ = page::read(&bytes, &url);
        });
    }
    println!("page: {cases} cases");
}

const PAGE_PIECES: [&str; 44] = [
    "<html>",
    "<head>",
    "<base href='https://other.example/'>",
    "<base href='::::'>",
    "<body>",
    "</body>",
    "<div class='h-card'>",
    "<span class='p-name'>Ada Example</span>",
    "<a class='u-url u-uid' href='/me' rel='me'>me</a>",
    "<a class='u-email' href='mailto:ada%40ada.example.org?x'>x</a>",
    "<time class='dt-bday' datetime='1987-06-07'>",
    "<a rel='me authn' href='https://github.com/ada-example'>",
    "</div>",
    "</a>",
    "<p class='p-org h-card'>",
    "<table>",
    "<tr>",
    "<td>",
    "<select>",
    "<option>",
    "<svg>",
    "<math>",
    "<template>",
    "<script type='application/ld+json'>",
    "</script>",
    "{\"@context\":\"https://schema.org\",\"@type\":\"Person\",\"name\":\"Ada Example\",\"sameAs\":[\"https://x.com/ada\"]}",
    "{\"@graph\":[{\"@type\":[\"Person\"],\"@id\":\"#a\",\"email\":\"ada@ada.example.org\",\"knows\":{\"@id\":\"#a\"}}]}",
    "[[[[{\"@id\":1}]]]]",
    "{\"@type\":",
    "null",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<meta name='robots' content='noindex, max-snippet:-1'>",
    "&amp;&#x110000;&#0;",
    "<style>",
    "</style>",
    "<frameset>",
    "<plaintext>",
    "<b><i><u>",
    "\u{feff}\u{0}",
    "<abbr class='value-title' title='x'>",
    "İ\u{202e}ü",
];

/// Gives a parser its cases; it panics where something does not hold.
fn fuzz(parser: &str, seeds: &[&str], check: impl Fn(&str)) {
    let (cases, seed) = (cases(), seed());
    for case in 0..cases {
        let mut dice = Dice::new(parser, seed, case);
        let mut text = dice.pick(seeds).to_owned();
        for _ in 0..=dice.below(4) {
            text = mutated(&text, seeds, &mut dice);
        }
        answered(parser, seed, case, &text, || check(&text));
    }
    println!("{parser}: {cases} cases");
}

fn answered(parser: &str, seed: u64, case: u64, text: &str, check: impl FnOnce()) {
    let outcome = catch_unwind(AssertUnwindSafe(check));
    assert!(outcome.is_ok(), "{parser}, seed {seed}, case {case}: {text:?}");
}

/// One change to a text, between its characters.
fn mutated(text: &str, seeds: &[&str], dice: &mut Dice) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = dice.below(chars.len() + 1);
    match dice.below(8) {
        0 => chars.truncate(at),
        1 => drop(chars.drain(..at)),
        2 => chars.insert(at, dice.character()),
        3 if at < chars.len() => chars[at] = dice.character(),
        4 if at < chars.len() => drop(chars.remove(at)),
        5 => {
            let other: Vec<char> = dice.pick(seeds).chars().collect();
            let from = dice.below(other.len() + 1);
            chars.splice(at..at, other.into_iter().skip(from));
        }
        6 => {
            let end = (at + dice.below(8)).min(chars.len());
            let piece = chars[at..end].repeat(1 + dice.below(4));
            chars.splice(at..end, piece);
        }
        _ if at < chars.len() => chars.swap(at, 0),
        _ => {}
    }
    // Long texts are refused at the door; what is inside matters more.
    chars.into_iter().take(400).collect()
}

#[expect(clippy::disallowed_methods, reason = "a test's own setting")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

fn cases() -> u64 {
    setting("GLEANER_FUZZ_CASES").unwrap_or(USUAL_CASES)
}

fn seed() -> u64 {
    setting("GLEANER_FUZZ_SEED").unwrap_or(0)
}

/// Numbers that look random and are the same in every run (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn new(parser: &str, seed: u64, case: u64) -> Self {
        let name = parser.bytes().fold(seed, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        Self(name.rotate_left(32) ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below `limit`, or 0 where there is none.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 33).unwrap_or_default() % limit.max(1)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// Signs with a meaning to some parser, letters that change their length with their case, marks, and anything.
    fn character(&mut self) -> char {
        const ODD: [char; 48] = [
            '@', '.', '/', ':', '?', '#', '%', '&', '=', '+', '-', '_', ',', ';', '"', '\'', '\\', '<', '>',
            '(', ')', '[', ']', '{', '}', '|', ' ', '\t', '\n', '\u{0}', '\u{7f}', '\u{ad}', '\u{200b}',
            '\u{200d}', '\u{202e}', '\u{301}', '\u{307}', '\u{feff}', '\u{fffd}', 'İ', 'ß', 'ǅ', 'ﬁ', 'Ⱥ',
            '\u{1100}', '０', '٣', '𝓐',
        ];
        match self.below(4) {
            0 => {
                char::from_u32(u32::try_from(self.below(0x11_0000)).unwrap_or_default()).unwrap_or('\u{fffd}')
            }
            1 => char::from(u8::try_from(self.below(128)).unwrap_or_default()),
            _ => ODD[self.below(ODD.len())],
        }
    }
}
