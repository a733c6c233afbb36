//! What pages state, in the ways in which people and attackers write them.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn url() -> Url {
    Url::parse("https://example.com/about/").unwrap()
}

fn facts(html: &str) -> Facts {
    read(html.as_bytes(), &url()).unwrap()
}

/// One line a person: name, given, family, addresses, links, births.
fn people(html: &str) -> String {
    let mut told = String::new();
    for person in facts(html).people {
        let Parts { full, given, family } = &person.name;
        let links: Vec<_> = person.links.iter().map(Url::as_str).collect();
        writeln!(told, "{full:?} {given:?} {family:?} {:?} {links:?} {:?}", person.emails, person.births)
            .unwrap();
    }
    told
}

#[test]
fn the_documented_page_states_its_person_twice() {
    let page = facts(include_str!("../../fixtures/homepage/person.html"));
    assert_eq!(page.people.len(), 2, "an h-card and a JSON-LD node");
    assert_eq!(page.addresses, ["ada@example.com"]);
    let me: Vec<_> = page.me.iter().map(Url::as_str).collect();
    assert_eq!(
        me,
        ["https://social.example.com/@ada", "https://example.com/", "https://github.com/ada-example"]
    );
    assert!(!page.is_closed);
    insta::assert_snapshot!(people(include_str!("../../fixtures/homepage/person.html")), @r#"
    Some("Ada Example") None None ["ada@example.com"] ["https://example.com/", "https://example.com/"] ["1987-06-07"]
    Some("Ada Example") Some("Ada") Some("Example") ["ada@example.com"] ["https://example.com/", "https://github.com/ada-example", "https://www.linkedin.com/in/ada-example-1a2b3c/"] ["1987-06"]
    "#);
}

#[test]
fn h_cards_are_read_in_all_their_spellings() {
    insta::assert_snapshot!(people(r#"
        <a class="h-card" href="/ada">Ada  <b>Example</b></a>
        <img class="h-card" alt="Ada Picture" src="ada.png">
        <p class="h-card"><abbr class="p-name" title="Ada Abbreviated">AA</abbr></p>
        <p class="h-card"><data class="p-given-name" value="Ada"></data><span class="p-family-name">Example</span></p>
        <p class="h-card"><span class="p-name">Ada <script>alert(1)</script>Scripted</span>
           <span class="dt-bday"><span class="value">1987-06-07</span> <span class="value">12:00</span></span></p>
        <p class="h-card"><span class="p-name">Ada Titled</span>
           <span class="dt-bday"><span class="value-title" title="1987-06-07"></span>a day in June</span></p>
        <p class="h-card"><span class="p-name">Ada Nested</span>
           <span class="p-org h-card"><span class="p-name">Example Works</span> <a class="u-url" href="https://works.example.com/">w</a></span>
           <a class="u-url" href="javascript:alert(1)">x</a> <a class="u-url" href="tel:+1">x</a></p>
        <p class="h-card"><b class="p-name p-org">Example Works</b></p>
    "#), @r#"
    Some("Ada Example") None None [] ["https://example.com/ada"] []
    Some("Ada Picture") None None [] [] []
    Some("Ada Abbreviated") None None [] [] []
    None Some("Ada") Some("Example") [] [] []
    Some("Ada Scripted") None None [] [] ["1987-06-07"]
    Some("Ada Titled") None None [] [] ["1987-06-07"]
    Some("Ada Nested") None None [] [] []
    "#);
}

#[test]
fn json_ld_is_read_in_all_its_shapes() {
    insta::assert_snapshot!(people(r##"
        <script type="application/ld+json">{"@type":"Person","name":"Ada Object","sameAs":"https://github.com/ada"}</script>
        <script type="Application/LD+JSON; charset=utf-8">[{"@type":"http://schema.org/Person","name":["Ada Array","A. A."]}]</script>
        <script type="application/ld+json">{"@type":"ProfilePage","mainEntity":{"@type":["Person","Patient"],"name":{"@value":"Ada Main"}}}</script>
        <script type="application/ld+json">{"@graph":[{"@type":"Article","author":{"@id":"#a"}},{"@id":"#a","name":"Ada Parts"},{"@id":"#a","@type":"schema:Person","email":["ada@example.com"],"birthDate":"1987"}]}</script>
        <script type="application/ld+json">{"@type":"Person","name":7,"url":{"@id":"/ada"},"sameAs":[null,{},["x"],"javascript:alert(1)"]}</script>
        <script type="application/ld+json">{"@type":"Organization","name":"Example Works"}</script>
        <script type="application/ld+json">{"@type":"Person","name":"Ada Broken",}</script>
        <script>{"@type":"Person","name":"Ada Script"}</script>
    "##), @r#"
    Some("Ada Object") None None [] ["https://github.com/ada"] []
    Some("Ada Array") None None [] [] []
    Some("Ada Main") None None [] [] []
    Some("Ada Parts") None None ["ada@example.com"] [] ["1987"]
    None None None [] ["https://example.com/ada"] []
    "#);
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
    let card = r#"<p class="h-card"><a class="p-name u-url" href="/a">Ada Example</a> <a rel=me href="/m">m</a></p>"#;
    let page = facts(&card.repeat((1 << 20) / card.len()));
    assert_eq!((page.people.len(), page.me.len()), (MAX_PEOPLE, MAX_VALUES));
}

#[test]
fn cards_within_cards_cost_no_more_than_cards_side_by_side() {
    let words = "word ".repeat(100_000);
    let page = format!("{}{words}", r#"<div class="h-card"><i class="u-email p-name">"#.repeat(200));
    let started = Instant::now();
    assert_eq!(facts(&page).people.len(), MAX_PEOPLE);
    assert!(started.elapsed() < Duration::from_secs(2), "took {:?}", started.elapsed());
}

#[test]
fn bytes_that_are_no_text_are_read_as_far_as_they_go() {
    let page = b"\xef\xbb\xbf<p class=h-card>Ada \xff\xfe Example</p>\0\x80";
    let person = read(page, &url()).unwrap().people.remove(0);
    assert_eq!(person.name.full.as_deref(), Some("Ada \u{fffd}\u{fffd} Example"));
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
        Just("<!--"), Just("é\u{202e}\0"), Just("</div>"), Just("<svg><style>"), Just("<abbr class=value-title>"),
    ], 0..60)) {
        let _ = read(words.concat().as_bytes(), &url());
    }
}
