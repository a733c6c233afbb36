//! What pages state, in the ways in which people and attackers write them.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

mod cards;
mod owners;
mod structured;

fn url() -> Url {
    Url::parse("https://example.com/about/").unwrap()
}

fn facts(html: &str) -> Facts {
    read(html.as_bytes(), &url()).unwrap()
}

/// What a page states of its people, in words.
fn told(html: &str) -> String {
    let told: Vec<_> = facts(html).people.iter().map(tell).collect();
    told.join(" & ")
}

fn tell(person: &Person) -> String {
    let Parts { full, given, family } = person.name.clone();
    let mut told: Vec<String> = full.into_iter().collect();
    told.extend(given.map(|given| format!("given {given}")));
    told.extend(family.map(|family| format!("family {family}")));
    told.extend(person.nicknames.iter().map(|nickname| format!("aka {nickname}")));
    told.extend(person.emails.iter().map(|email| format!("mail {email}")));
    told.extend(person.hashes.iter().map(|hash| format!("hash {hash}")));
    told.extend(person.links.iter().map(|link| format!("link {link}")));
    told.extend(person.births.iter().map(|birth| format!("born {birth}")));
    told.join(", ")
}

#[test]
fn the_documented_page_states_one_person() {
    let html = include_str!("../../fixtures/homepage/person.html");
    let page = facts(html);
    assert_eq!(page.people[0].vocabularies, [Vocabulary::HCard, Vocabulary::JsonLd]);
    assert_eq!(page.addresses, ["ada@example.com"]);
    let urls = |urls: &[Url]| urls.iter().map(Url::to_string).collect::<Vec<_>>();
    assert_eq!(
        urls(&page.me),
        ["https://social.example.com/@ada", "https://example.com/", "https://github.com/ada-example"]
    );
    assert_eq!(urls(&page.creators), ["https://social.example.com/@ada"]);
    assert!(!page.is_closed && !page.is_organisations);
    insta::assert_snapshot!(told(html).replace(", ", "\n"), @r"
    Ada Example
    given Ada
    family Example
    mail ada@example.com
    link https://example.com/
    link https://github.com/ada-example
    link https://www.linkedin.com/in/ada-example-1a2b3c/
    born 1987-06-07
    born 1987-06
    ");
}

#[test]
fn relative_links_follow_the_base_that_the_page_states() {
    let page = facts(r#"<base href="https://other.example.com/x/"><a rel="nofollow me" href="y">y</a>"#);
    assert_eq!(page.me, [Url::parse("https://other.example.com/x/y").unwrap()]);
}

#[test]
fn robots_directives_for_us_close_the_page() {
    for (directives, closed) in [
        ("noindex", true),
        ("nofollow, NoIndex", true),
        ("none", true),
        ("all, noai", true),
        ("*: noindex", true),
        ("gleaner: noindex", true),
        ("otherbot: noindex, nofollow", false),
        ("unavailable_after: 25 Jun 2030 15:00:00 GMT, noindex", true),
        ("max-snippet:20, noindex", true),
        ("nofollow", false),
        ("noindexing", false),
        ("", false),
    ] {
        assert_eq!(is_closed(directives), closed, "{directives}");
    }
    assert!(facts(r#"<meta name="ROBOTS" content="noai">"#).is_closed);
    assert!(!facts(r#"<meta name="description" content="noai">"#).is_closed);
}

#[test]
fn hostile_nesting_ends_soon_and_says_why() {
    let started = Instant::now();
    for unit in ["<div>", "<ul><li>", "<b>", "<svg><g>"] {
        let bomb = unit.repeat((1 << 20) / unit.len());
        assert_eq!(read(bomb.as_bytes(), &url()).unwrap_err(), PageError::TooDeep, "{unit}");
    }
    assert!(started.elapsed() < Duration::from_millis(4 * 400), "took {:?}", started.elapsed());
}

#[test]
fn a_flat_page_of_a_megabyte_is_read_and_its_lists_are_bounded() {
    let mut html = String::new();
    for number in 0.. {
        let letters: String = number.to_string().chars().map(|c| char::from(c as u8 + 49)).collect();
        write!(
            html,
            "<p class=h-card><a class='p-name u-url' href=/{number}>Ada{letters} Example</a> <a rel=me href=/m{number}>m</a></p>"
        )
        .unwrap();
        if html.len() > 1 << 20 {
            break;
        }
    }
    let page = facts(&html);
    assert_eq!((page.people.len(), page.me.len()), (MAX_PEOPLE, MAX_VALUES));
}

/// Pages of up to a megabyte that are made to take long. Release builds take a tenth of this.
#[test]
fn hostile_shapes_are_read_or_refused_in_bounded_time() {
    let fill = |unit: &str| unit.repeat((1 << 20) / unit.len());
    let nested = "<div class=h-card><i class='u-email p-name u-url'>".repeat(200);
    let scope = "<p itemscope itemtype=http://schema.org/Person itemref='a'></p>".repeat(4000);
    let mut attributes = String::new();
    (0..150_000).for_each(|n| write!(attributes, "a{n} ").unwrap());
    let person = r#"{"@type":"Person","name":"Ada Example","sameAs":["/a"]},"#;
    let shapes = [
        ("cards", fill("<b class=h-card>Ada</b>")),
        ("cards with links", fill("<p class=h-card><a class='p-name u-url' href=/a>Ada E</a></p>")),
        ("links", fill("<a rel=me href='javascript:x'></a>")),
        ("addresses", fill("<a href=mailto:a@example.com></a>")),
        ("nested cards", format!("{nested}{}", "<u></u>".repeat(100_000))),
        ("formatting", fill("<i><b></i>")),
        ("attributes", format!("<p {attributes}>")),
        ("scopes", format!("{scope}<div id=a>{}</div>", "<i itemprop=name></i>".repeat(30_000))),
        ("nodes", format!("<script type=application/ld+json>[{}{{}}]</script>", fill(person))),
        ("brackets", format!("<script type=application/ld+json>{}</script>", fill("["))),
        ("commas", format!("<script type=application/ld+json>{}</script>", fill(" ,]"))),
        ("comments", format!("<script type=application/ld+json>{}</script>", fill("/*"))),
        ("quotes", format!("<script type=application/ld+json>{}</script>", fill("&quot;"))),
        ("blocks", fill("<script type=application/ld+json>{,}</script>")),
        ("tables", fill("<table><p>")),
        ("options", fill("<select><option>")),
    ];
    for (shape, page) in shapes {
        let started = Instant::now();
        let _ = read(page.as_bytes(), &url());
        let took = started.elapsed();
        assert!(took < Duration::from_secs(4), "{shape} took {took:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_read_as_far_as_they_go() {
    let page = b"\xef\xbb\xbf<p class=h-card>Ada Example</p>\0\x80<p class=h-card>Bob \xff\xfe Sample</p>";
    let people = read(page, &url()).unwrap().people;
    assert_eq!(people.iter().map(tell).collect::<Vec<_>>(), ["Ada Example"], "a name with holes is none");
    assert!(read(b"", &url()).unwrap().people.is_empty());
}

proptest! {
    #[test]
    fn pieces_are_the_whole_text_and_never_split_a_character(text in "(\\PC|é|😀){0,3000}") {
        let pieces: Vec<_> = pieces(&text).collect();
        prop_assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES));
        prop_assert_eq!(pieces.concat(), text);
    }

    /// Words of pages, put together at random: no panic, whatever comes out.
    #[test]
    fn no_page_is_fatal(words in proptest::collection::vec(prop_oneof![
        Just("<div class='h-card'>"), Just("<a class='p-name u-url' href='//['>"), Just("<time class=dt-bday datetime=''>"),
        Just("<script type='application/ld+json'>"), Just(r#"{"@type":"Person","@id":"x","name":{"@id":"x"}}"#),
        Just("</script>"), Just("<table><template><tr>"), Just("<base href='data:,x'>"), Just("<a rel=me href='mailto:'>"),
        Just("<div itemscope itemtype='https://schema.org/Person' itemref='a b' id=a>"), Just("<i itemprop='name url email'>"),
        Just("<p typeof=foaf:Person property=foaf:name>"), Just("<i class='value'>"), Just("<meta property=og:type content=profile>"),
        Just("<a data-cfemail=4f2e class=u-email>"), Just("<img src='//gravatar.com/avatar/'>"), Just("<p class=vcard><b class=fn>"),
        Just("<!--"), Just("é\u{202e}\0"), Just("</div>"), Just("<svg><style>"), Just("<abbr class=value-title>"),
    ], 0..60)) {
        let _ = read(words.concat().as_bytes(), &url());
    }

    #[test]
    fn no_bytes_are_fatal(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = read(&bytes, &url());
    }

    /// A real page with pieces cut out, doubled and overwritten.
    #[test]
    fn no_mutation_is_fatal(
        cuts in proptest::collection::vec((0usize..2000, 0usize..60, 0u8..3, any::<u8>()), 1..20)
    ) {
        let mut page = include_bytes!("../../fixtures/pages/everything.html").to_vec();
        for (from, length, kind, byte) in cuts {
            let from = from % page.len();
            let to = (from + length).min(page.len());
            match kind {
                0 => page.drain(from..to).for_each(drop),
                1 => page.extend_from_within(from..to),
                _ => page[from] = byte,
            }
            page.push(b' ');
        }
        let _ = read(&page, &url());
    }
}
