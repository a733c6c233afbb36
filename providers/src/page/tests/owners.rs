//! Whose page it is: `ada@example.com` is asked for, unless said otherwise.

use super::*;
use crate::email::EmailAddress;

const MD5: &str = "7a56afdefb8a0f9d0a8b4ac3f2d3e3f7";

fn owner(html: &str, address: &str) -> String {
    let email = EmailAddress::parse(address).unwrap();
    owner_of(&facts(html), &email)
        .map_or_else(String::new, |owner| format!("{:?}: {}", owner.proof, tell(&owner.person)))
}

fn check(cases: &[(&str, &str)]) {
    for (html, expected) in cases {
        assert_eq!(owner(html, "ada@example.com"), *expected, "{html}");
    }
}

const ADA: &str = "<p class=h-card><b class=p-name>Ada Example</b></p>";
const BOB: &str = "<p class=h-card><b class=p-name>Bob Sample</b></p>";
const MAILTO: &str = "<a href=mailto:ADA@example.com>x</a>";

fn card(name: &str, inner: &str) -> String {
    format!("<p class=h-card><b class=p-name>{name}</b>{inner}</p>")
}

#[test]
fn without_proof_there_is_nobody() {
    check(&[
        ("", ""),
        (MAILTO, ""),
        (BOB, ""),
        (&format!("{BOB}<a href=mailto:bob@example.com>x</a>"), ""),
        (&format!("{BOB}{}{MAILTO}", card("Cleo Muster", "")), ""),
        (&format!("{ADA}{}", card("Ada Muster", "")), ""),
        (&card("Ada Example", "<i class=u-email>ada2@example.com</i>"), ""),
        (&format!("{}{MAILTO}", card("Bob Sample", "<i class=u-email>bob@example.com</i>")), ""),
        (&format!("{BOB}{MAILTO}<a href=mailto:bob@example.com>x</a>"), ""),
        ("<p class=h-card><b class='p-name p-org'>Ada Example</b></p>", ""),
        ("<p>Ada Example</p>", ""),
        ("<meta name=author content='Bob Sample'>", ""),
    ]);
}

#[test]
fn who_states_the_address_is_its_owner() {
    let stating = |name| card(name, "<i class=u-email>ada@example.com</i>");
    check(&[
        (&stating("Ada Example"), "Stated: Ada Example, mail ada@example.com"),
        (&stating("Bob Sample"), "Stated: Bob Sample, mail ada@example.com"),
        (&format!("{BOB}{}", stating("Ada Example")), "Stated: Ada Example, mail ada@example.com"),
        (
            &format!("{}{}", stating("Bob Sample"), stating("Ada Example")),
            "Stated: Ada Example, mail ada@example.com",
        ),
        (&format!("{}{}", stating("Bob Sample"), stating("Cleo Muster")), ""),
        (&card("Ada Example", MAILTO), "Stated: Ada Example, mail ADA@example.com"),
        (
            r#"<script type=application/ld+json>{"@type":"Person","name":"Bob Sample","email":"mailto:Ada@Example.com"}</script>"#,
            "Stated: Bob Sample, mail Ada@Example.com",
        ),
    ]);
}

#[test]
fn hashes_of_the_address_prove_as_well() {
    use sha2::Digest as _;
    let hashes = [
        hex::encode(md5::Md5::digest("ada@example.com")),
        hex::encode(sha2::Sha256::digest("ada@example.com")),
        hex::encode(sha1::Sha1::digest("mailto:ada@example.com")),
    ];
    for hash in hashes {
        let picture = format!("<img class=u-photo src=https://gravatar.com/avatar/{hash}>");
        let expected = format!("Hashed: Cleo Muster, hash {hash}");
        assert_eq!(owner(&format!("{BOB}{}", card("Cleo Muster", &picture)), "ada@example.com"), expected);
        assert_eq!(owner(&format!("{BOB}{picture}"), "ada@example.com"), "OnlyPerson: Bob Sample");
        assert_eq!(owner(&card("Ada Example", &picture), "bob@example.com"), "");
    }
    assert_eq!(
        owner(
            &card("Cleo Muster", &format!("<img src=https://gravatar.com/avatar/{MD5}>")),
            "ada@example.com"
        ),
        ""
    );
}

#[test]
fn the_only_person_has_what_the_page_says_as_a_whole() {
    let me = "<a rel=me href=https://github.com/ada>x</a><meta name=fediverse:creator content=@ada@social.example.com>";
    check(&[
        (&format!("{BOB}{MAILTO}"), "OnlyPerson: Bob Sample"),
        (
            &format!("{BOB}{MAILTO}{me}"),
            "OnlyPerson: Bob Sample, link https://github.com/ada, link https://social.example.com/@ada",
        ),
        (&format!("{BOB}{MAILTO}<a href=mailto:office@example.com>x</a>"), "OnlyPerson: Bob Sample"),
        (&format!("{ADA}{BOB}{me}"), "NameAgrees: Ada Example"),
    ]);
    assert_eq!(
        owner(&format!("{BOB}<a href=mailto:ada.example@example.com>x</a>"), "ada.example@example.com"),
        ""
    );
}

#[test]
fn the_only_one_after_whom_a_mailbox_is_named_is_its_owner() {
    check(&[
        (ADA, "NameAgrees: Ada Example"),
        (&format!("{ADA}{BOB}"), "NameAgrees: Ada Example"),
        ("<meta name=author content='Ada Example'>", "NameAgrees: Ada Example"),
        (
            &card("Ada Example", "<i class=u-email>ada@example.org</i>"),
            "NameAgrees: Ada Example, mail ada@example.org",
        ),
        (&card("Bob Sample", "<i class=p-nickname>ada</i>"), "NameAgrees: Bob Sample, aka ada"),
    ]);
    for local_part in
        ["ada", "Example", "ada.example", "example-ada", "aexample", "a.example", "ada+news", "adae"]
    {
        assert_eq!(
            owner(ADA, &format!("{local_part}@example.com")),
            "NameAgrees: Ada Example",
            "{local_part}"
        );
    }
    for local_part in ["a", "ae", "adam", "office", "exam", "1987"] {
        assert_eq!(owner(ADA, &format!("{local_part}@example.com")), "", "{local_part}");
    }
    assert_eq!(owner(&card("Jürgen Müller", ""), "jurgen@example.com"), "NameAgrees: Jürgen Müller");
    assert_eq!(owner(&card("Li Wu", ""), "li@example.com"), "", "two letters prove nothing");
    assert_eq!(
        owner(&format!("{ADA}{}", card("Alan Example", "")), "aexample@example.com"),
        "",
        "both may be meant"
    );
}

#[test]
fn whole_pages() {
    let page = include_str!("../../../fixtures/pages/everything.html");
    let told = facts(page).people[0].vocabularies.iter().map(|each| each.as_str()).collect::<Vec<_>>();
    assert_eq!(told, ["h-card", "json-ld", "microdata", "rdfa", "opengraph"]);
    insta::assert_snapshot!(owner(page, "ada@example.com").replace(", ", "\n"), @r"
    Stated: Ada Example
    given Ada
    family Example
    aka adaex
    mail ada@example.com
    hash 4f0a23e5b6f3c6d5a2bb2a9d3fbd3b4a
    link https://example.com/
    link https://github.com/ada-example
    link https://www.linkedin.com/in/ada-example-1a2b3c/
    link https://social.example.com/@ada
    link https://twitter.com/adaex
    born 1987-06-07
    ");
    assert_eq!(
        facts(page).foaf.iter().map(Url::as_str).collect::<Vec<_>>(),
        ["https://example.com/foaf.rdf"]
    );
    let page = include_str!("../../../fixtures/pages/comments.html");
    assert_eq!(owner(page, "ada@example.com"), "NameAgrees: Ada Example, link https://example.com/");
    assert_eq!(owner(page, "bob@example.com"), "NameAgrees: Bob Sample, link https://bob.example.org/");
    assert_eq!(owner(page, "dora@example.com"), "");
    let page = include_str!("../../../fixtures/pages/company.html");
    assert_eq!(owner(page, "ada@example.com"), "NameAgrees: Ada Example, born 1987-06-07");
    assert_eq!(owner(page, "bob@example.com"), "");
}
