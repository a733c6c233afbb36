//! How many values a second each normalizer reads, on one core.
//!
//! `cargo bench --bench normalize`. Each corpus holds at least 2,000 different values in the proportions in which
//! vendors and forms send them: most are plain, some are decorated, some are to be refused. The goal is 200,000
//! values a second and kind (the column `median` of `item/s`).

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use gleaner_providers::{BirthInterval, EmailAddress, PersonName, SocialProfile};
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 11, 23);

const GIVEN: [&str; 25] = [
    "Ada",
    "Jane",
    "John",
    "Maria",
    "Wei",
    "Olga",
    "Jean-Luc",
    "José",
    "Anne Marie",
    "Søren",
    "Łukasz",
    "Zoë",
    "Björn",
    "Nguyễn",
    "Siobhán",
    "Mohammed",
    "Priya",
    "Yuki",
    "J. R.",
    "Ivan",
    "Fatima",
    "Lars",
    "Chloe",
    "Dmitri",
    "Ingrid",
];
const FAMILY: [&str; 20] = [
    "Example",
    "Doe",
    "Smith",
    "García Márquez",
    "van der Berg",
    "O'Neil",
    "McDonald",
    "Müller",
    "Li",
    "Nakamura",
    "Okafor",
    "de la Cruz",
    "Smith-Jones",
    "Kowalski",
    "Ivanova",
    "Ünal",
    "d'Arc",
    "Sørensen",
    "Brown",
    "Jones",
];

/// Every pair of a first and a second part, put together in one of the ways, which take turns.
fn crossed(firsts: &[&str], seconds: &[&str], ways: &[fn(&str, &str) -> String]) -> Vec<String> {
    let pairs = firsts.iter().flat_map(|first| seconds.iter().map(move |second| (first, second)));
    let values: Vec<String> = pairs
        .enumerate()
        .flat_map(|(n, (first, second))| {
            (0..5).map(move |turn| ways[(n * 5 + turn) % ways.len()](first, second))
        })
        .collect();
    assert!(values.len() >= 2_000);
    values
}

fn names() -> Vec<String> {
    crossed(
        &GIVEN,
        &FAMILY,
        &[
            |given, family| format!("{given} {family}"),
            |given, family| format!("{given} {family}").to_lowercase(),
            |given, family| format!("{family}, {given}"),
            |given, family| format!("{given} {family}"),
            |given, family| format!("{given} M. {family}"),
            |given, family| format!("{given} {family}").to_uppercase(),
            |given, family| format!("Dr. {given} {family}, PhD"),
            |given, family| format!("{given} {family} Jr."),
            |given, family| format!("{given} \"Addie\" {family} (she/her)"),
            |given, family| format!("{given} {family} 🚀 | Founder & CEO"),
            |given, family| format!("{given}_{family}99"),
            |given, family| format!("{given} {family}"),
            |_, family| format!("{family} Consulting GmbH"),
        ],
    )
}

fn addresses() -> Vec<String> {
    let domains = [
        "gmail.com",
        "example.com",
        "yahoo.com",
        "example.org",
        "outlook.com",
        "mail.example.net",
        "icloud.com",
        "hotmail.co.uk",
        "proton.me",
        "example.co.jp",
        "GMX.de",
        "mailinator.com",
        "müller.example",
        "example.edu",
        "qq.com",
        "yandex.ru",
        "web.de",
        "t-online.de",
        "fastmail.com",
        "corp.example.io",
    ];
    crossed(
        &GIVEN,
        &domains,
        &[
            |name, domain| format!("{}.doe@{domain}", ascii(name)),
            |name, domain| format!("{}87@{domain}", ascii(name)),
            |name, domain| format!("{}.van.der.berg@{domain}", ascii(name)),
            |name, domain| format!("{}_example+news@{domain}", ascii(name)),
            |name, domain| format!(" {}.Doe@{domain} ", ascii(name).to_uppercase()),
            |name, domain| format!("{name} Doe <{}@{domain}>", ascii(name)),
            |name, domain| format!("{}.doe@{domain}", name.replace(' ', ".")),
            |_, domain| format!("info@{domain}"),
            |name, domain| format!("{} {domain}", ascii(name)),
            |name, domain| format!("mailto:{}@{domain}?subject=hi", ascii(name)),
            |name, domain| format!("{}-example@{domain}", ascii(name)),
        ],
    )
}

/// The letters of a name that stand in most addresses.
fn ascii(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

fn statements() -> Vec<String> {
    let mut values = Vec::new();
    for year in 1940..2008 {
        let (month, day, age) = (year % 12 + 1, year % 28 + 1, 2026 - year);
        values.extend([
            format!("{year}-{month:02}-{day:02}"),
            format!("{year}"),
            format!("{age}"),
            format!("{year}-{month:02}"),
            format!("{year}-{month:02}-{day:02}T00:00:00Z"),
            format!("{month:02}/{day:02}/{year}"),
            format!("{age}-{}", age + 9),
            format!("{age}+"),
            format!("{age} years old"),
            format!("{day} June {year}"),
            format!("June {day}th, {year}"),
            format!("born {year}"),
            format!("{}s", age / 10 * 10),
            format!("early {}s", age / 10 * 10),
            format!("{age} – {}", age + 4),
            format!("{year}{month:02}{day:02}"),
            format!("+{year}-{month:02}-{day:02}T00:00:00Z"),
            format!("under {age}"),
            format!("{day} de junio de {year}"),
            format!("--{month:02}-{day:02}"),
            format!("aged {age}"),
            format!("{age}.0"),
            format!("1970-01-01 {age}"),
            format!("over {age}"),
            format!("{day}.{month}.{year}"),
            format!("mid-{}s", age / 10 * 10),
            format!("about {age}"),
            format!("between {age} and {}", age + 5),
            format!("{year} {month:02}"),
            format!("Jun {year}"),
        ]);
    }
    assert!(values.len() >= 2_000);
    values
}

fn accounts() -> Vec<String> {
    let sites = [
        "https://www.linkedin.com/in/",
        "linkedin.com/in/",
        "https://twitter.com/",
        "https://x.com/",
        "https://github.com/",
        "http://www.facebook.com/",
        "https://www.instagram.com/",
        "https://www.youtube.com/@",
        "https://www.tiktok.com/@",
        "https://mastodon.social/@",
        "https://bsky.app/profile/example.com?h=",
        "https://www.pinterest.co.uk/",
        "https://medium.com/@",
        "https://gitlab.com/",
        "https://www.reddit.com/user/",
        "https://t.me/",
        "https://keybase.io/",
        "https://soundcloud.com/",
        "https://www.linkedin.com/company/",
        "https://example.com/people/",
    ];
    crossed(
        &sites,
        &GIVEN,
        &[
            |site, name| format!("{site}{}-example", ascii(name)),
            |site, name| format!("{site}{}example/", ascii(name)),
            |site, name| format!("{site}{}_example?utm_source=feed&lang=en", ascii(name)),
            |site, name| format!("{site}{}example", ascii(name)),
            |site, name| format!("{}{}.example", site.replace("https://", "http://m."), ascii(name)),
            |site, name| format!("{site}{}example/status/1234567890", ascii(name)),
            |site, name| format!("{site}{name}"),
            |_, name| format!("@{}@social.example.com", ascii(name)),
            |_, name| format!("https://{}.example.com/about?ref=nav", ascii(name)),
            |_, name| format!("{}@example.com", ascii(name)),
            |_, name| format!("https://bit.ly/{}", ascii(name)),
        ],
    )
}

fn each(bencher: Bencher<'_, '_>, values: &[String], read: impl Fn(&str) -> bool + Sync) {
    bencher
        .counter(ItemsCount::new(values.len()))
        .bench(|| values.iter().filter(|value| read(black_box(value))).count());
}

#[divan::bench]
fn email(bencher: Bencher<'_, '_>) {
    each(bencher, &addresses(), |text| EmailAddress::parse(text).is_ok());
}

/// As the command `normalize email` has it: with kind, hash and the name that the address suggests.
#[divan::bench]
fn email_with_kind_hash_and_guess(bencher: Bencher<'_, '_>) {
    each(bencher, &addresses(), |text| {
        let email = EmailAddress::parse(text);
        email.is_ok_and(|email| {
            black_box((email.kind(), email.sha256(), email.name_guess()));
            true
        })
    });
}

#[divan::bench]
fn name(bencher: Bencher<'_, '_>) {
    each(bencher, &names(), |text| PersonName::parse(text).is_ok());
}

#[divan::bench]
fn age(bencher: Bencher<'_, '_>) {
    each(bencher, &statements(), |text| {
        BirthInterval::parse_age(text, TODAY)
            .or_else(|_| BirthInterval::parse_birth_date(text, TODAY))
            .is_ok()
    });
}

#[divan::bench]
fn social(bencher: Bencher<'_, '_>) {
    each(bencher, &accounts(), |text| SocialProfile::parse(text).is_ok());
}

/// As vendors give it that name the network beside the account.
#[divan::bench]
fn social_on_network(bencher: Bencher<'_, '_>) {
    let words = ["twitter", "linkedin", "GitHub", "facebook", "Instagram", "x"];
    let values: Vec<String> =
        GIVEN.iter().flat_map(|name| (0..100).map(|n| format!("{}{n}", ascii(name)))).collect();
    let turn = std::cell::Cell::new(0_usize);
    bencher.counter(ItemsCount::new(values.len())).bench_local(|| {
        values
            .iter()
            .filter(|value| {
                turn.set(turn.get() + 1);
                SocialProfile::on_network(words[turn.get() % words.len()], black_box(value)).is_ok()
            })
            .count()
    });
}

fn main() {
    divan::main();
}
