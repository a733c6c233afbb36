//! The matcher against the RFC's and Google's published examples, hostile files, and another matcher.

mod differential;
mod properties;

use std::time::Duration;

use super::Robots;

fn allows(file: &str, agent: &str, path: &str) -> bool {
    Robots::parse(file.as_bytes()).allows(agent, path)
}

/// Whether one `Disallow` line keeps us from a path.
fn matches(rule: &str, path: &str) -> bool {
    !allows(&format!("User-agent: *\nDisallow: {rule}\n"), "gleaner", path)
}

/// Google's table of path matches: rule, what it matches, what it does not.
#[test]
fn googles_table_of_paths() {
    let table: &[(&str, &[&str], &[&str])] = &[
        ("/", &["/", "/fish", "/fish.html", "/?x"], &[]),
        ("/*", &["/", "/fish", "/fish.html"], &[]),
        ("/$", &["/"], &["/fish", "/?x"]),
        (
            "/fish",
            &[
                "/fish",
                "/fish.html",
                "/fish/salmon.html",
                "/fishheads",
                "/fishheads/yummy.html",
                "/fish.php?id=anything",
            ],
            &["/Fish.asp", "/catfish", "/?id=fish", "/desert/fish"],
        ),
        (
            "/fish*",
            &[
                "/fish",
                "/fish.html",
                "/fish/salmon.html",
                "/fishheads",
                "/fishheads/yummy.html",
                "/fish.php?id=anything",
            ],
            &["/Fish.asp", "/catfish", "/?id=fish", "/desert/fish"],
        ),
        (
            "/fish/",
            &["/fish/", "/fish/?id=anything", "/fish/salmon.htm"],
            &["/fish", "/fish.html", "/animals/fish/", "/Fish/Salmon.asp"],
        ),
        (
            "/*.php",
            &[
                "/index.php",
                "/filename.php",
                "/folder/filename.php",
                "/folder/filename.php?parameters",
                "/folder/any.php.file.html",
                "/filename.php/",
            ],
            &["/", "/windows.PHP"],
        ),
        (
            "/*.php$",
            &["/filename.php", "/folder/filename.php"],
            &["/filename.php?parameters", "/filename.php/", "/filename.php5", "/windows.PHP"],
        ),
        ("/fish*.php", &["/fish.php", "/fishheads/catfish.php?parameters"], &["/Fish.PHP"]),
    ];
    for (rule, hits, misses) in table {
        for path in *hits {
            assert!(matches(rule, path), "{rule} matches {path}");
        }
        for path in *misses {
            assert!(!matches(rule, path), "{rule} does not match {path}");
        }
    }
}

/// RFC 9309 section 2.2.2 and 2.2.3, and the draft before it.
#[test]
fn percent_encoding_is_compared_in_one_spelling() {
    for (rule, path, expected) in [
        ("/foo/bar?baz=quz", "/foo/bar?baz=quz", true),
        ("/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https%3A%2F%2Ffoo.bar", true),
        ("/foo/bar?baz=https%3a%2f%2ffoo.bar", "/foo/bar?baz=https://foo.bar", true),
        ("/foo/bar/ツ", "/foo/bar/%E3%83%84", true),
        ("/foo/bar/%e3%83%84", "/foo/bar/%E3%83%84", true),
        ("/foo/bar/%E3%83%84", "/foo/bar/ツ", true),
        ("/foo/bar/%62%61%7A", "/foo/bar/baz", true),
        ("/foo/bar/baz", "/foo/bar/%62%61%7A", true),
        ("/a%3cd.html", "/a%3Cd.html", true),
        ("/a<d.html", "/a%3Cd.html", true),
        ("/a%2fb.html", "/a%2Fb.html", true),
        ("/a%2fb.html", "/a/b.html", false),
        ("/a/b.html", "/a%2fb.html", false),
        ("/%7ejoe/index.html", "/~joe/index.html", true),
        ("/~joe/index.html", "/%7Ejoe/index.html", true),
        ("/a b", "/a%20b", true),
        ("/path/file-with-a-%2A.html", "/path/file-with-a-*.html", true),
        ("/path/file-with-a-%2A.html", "/path/file-with-a-x.html", false),
        ("/path/foo-%24", "/path/foo-$", true),
        ("/path/foo-%24", "/path/foo-", false),
        ("/a%", "/a%", true),
        ("/a%4", "/a%4", true),
        ("/a%zz", "/a%zz", true),
        ("/100%25", "/100%25", true),
        ("/100%25", "/100%", false),
        ("/fish$*", "/fish", false),
        ("/fish$*", "/fish%24x", true),
        ("*/private", "/a/private/b", true),
        ("fish", "/fish", false),
        ("/*:x", "/a?b=c:x", true),
        ("/*/private", "/a?b=%2Fprivate", true),
        ("/a**b", "/axb", true),
        ("/*a*$", "/xay", true),
        ("/*ab$", "/abab", true),
        ("/ab*ab$", "/ab", false),
        ("/ab*ab$", "/aab", false),
        ("/ab*ba$", "/aba", false),
    ] {
        assert_eq!(matches(rule, path), expected, "{rule} and {path}");
    }
}

/// Section 5.1 of the RFC.
const RFC_SIMPLE: &str = "\
User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot

EOF";

#[test]
fn the_rfcs_simple_example() {
    for (agent, path, expected) in [
        ("gleaner", "/", true),
        ("gleaner", "/x.gif", false),
        ("gleaner", "/x.gif?y", true),
        ("gleaner", "/example/page.html", false),
        ("gleaner", "/publications/x.html", true),
        ("gleaner", "/publications/x.gif", true),
        ("foobot", "/", false),
        ("FooBot", "/example/page.html", true),
        ("foobot/1.0 (+https://example.org/)", "/example/allowed.gif", true),
        ("foobot", "/publications/", false),
        ("barbot", "/example/page.html", false),
        ("BAZBOT", "/example/page.html", false),
        ("bazbot", "/x.gif", true),
        ("quxbot", "/example/", true),
        ("foobots", "/example/", false),
        ("foobots", "/", true),
    ] {
        assert_eq!(allows(RFC_SIMPLE, agent, path), expected, "{agent} at {path}");
    }
}

#[test]
fn the_longest_rule_decides_and_allow_wins_a_tie() {
    for (rules, path, expected) in [
        // Section 5.2 of the RFC.
        (
            "Allow: /example/page/\nDisallow: /example/page/disallowed.gif",
            "/example/page/disallowed.gif",
            false,
        ),
        ("Allow: /example/page/\nDisallow: /example/page/disallowed.gif", "/example/page/x.gif", true),
        // Google's table of precedence.
        ("allow: /p\ndisallow: /", "/page", true),
        ("allow: /folder\ndisallow: /folder", "/folder/page", true),
        ("disallow: /folder\nallow: /folder", "/folder/page", true),
        ("allow: /page\ndisallow: /*.htm", "/page.htm", false),
        ("allow: /page\ndisallow: /*.ph", "/page.php5", true),
        ("allow: /$\ndisallow: /", "/", true),
        ("allow: /$\ndisallow: /", "/page.htm", false),
        ("disallow: /a%62\nallow: /ab", "/abc", true),
        ("disallow: /\nallow:", "/x", false),
        ("disallow:", "/x", true),
        ("disallow: /", "/robots.txt", true),
        ("disallow: /", "", false),
    ] {
        assert_eq!(
            allows(&format!("User-agent: *\n{rules}\n"), "gleaner", path),
            expected,
            "{rules}: {path}"
        );
    }
    let robots = Robots::parse(b"User-agent: *\nDisallow: /a\nAllow: /a%62");
    let rules = robots.rules_for("gleaner");
    assert_eq!(rules.verdict("/abc").rule, Some("/ab"));
    assert_eq!(rules.verdict("/ax").rule, Some("/a"));
    assert_eq!(rules.verdict("/x").rule, None);
}

#[test]
fn groups_are_read_as_people_write_them() {
    for (file, expected) in [
        // Several groups for one robot are one.
        (
            "User-agent: gleaner\nDisallow: /a\nUser-agent: x\nDisallow: /y\nUser-agent: gleaner\nDisallow: /p",
            false,
        ),
        ("User-agent: *\nDisallow: /a\n\nUser-agent: *\nDisallow: /p", false),
        // Our own group, even an empty one, stands in place of the one for all.
        ("User-agent: *\nDisallow: /\nUser-agent: gleaner\nDisallow: /a", true),
        ("User-agent: *\nDisallow: /\nUser-agent: gleaner\nDisallow:", true),
        ("User-agent: gleaner\nUser-agent: other\nDisallow: /", false),
        ("User-agent: GLEANER/9.9\nDisallow: /", false),
        ("User-agent: gleaner-images\nDisallow: /", true),
        ("User-agent: gleane\nDisallow: /", true),
        ("User-agent: * # everybody\nDisallow: / # everything", false),
        // Blank lines and lines of others end no group.
        ("User-agent: gleaner\n\n\nDisallow: /p", false),
        ("User-agent: gleaner\nSitemap: https://example.org/s.xml\nUser-agent: x\nDisallow: /p", false),
        ("User-agent: gleaner\nHost: example.org\nDisallow: /p", false),
        ("Sitemap: https://example.org/s.xml\nUser-agent: gleaner\nDisallow: /p", false),
        // A rule before any robot is nobody's.
        ("Disallow: /\nUser-agent: gleaner\nAllow: /p", true),
        // Line ends, blanks, case, marks, typing mistakes.
        ("User-agent: *\rDisallow: /p", false),
        ("User-agent: *\r\nDisallow: /p\r\n", false),
        ("\u{feff}User-agent: *\nDisallow: /p", false),
        ("  user-agent  :  *  \n\tDISALLOW\t:\t/p\t\n", false),
        ("useragent: *\ndisalow: /p", false),
        ("user agent: *\ndissallow: /p", false),
        ("User-agent *\nDisallow /p", false),
        ("User-agent: *\nDisallow these: /p", true),
        ("User-agent: *\nDisallow", true),
        ("User-agent: *\n#Disallow: /p", true),
        ("<!doctype html><title>Not Found</title>\nDisallow: /p", true),
        ("", true),
        ("\0\0\0", true),
        (": /\n:\n::", true),
    ] {
        assert_eq!(allows(file, "gleaner", "/page"), expected, "{file:?}");
    }
}

#[test]
fn a_crawl_delay_is_kept_to_up_to_half_a_minute() {
    for (lines, expected) in [
        ("Crawl-delay: 5", Some(5_000)),
        ("crawl-delay: 0.5", Some(500)),
        ("Crawl-delay: 86400", Some(30_000)),
        ("Crawl-delay: 1e300", Some(30_000)),
        ("Crawl-delay: inf", Some(30_000)),
        ("Crawl-delay: 2\nCrawl-delay: 7", Some(7_000)),
        ("Crawl-delay: -1", None),
        ("Crawl-delay: NaN", Some(30_000)),
        ("Crawl-delay: soon", None),
        ("Crawl-delay:", None),
        ("Disallow: /", None),
    ] {
        let robots = Robots::parse(format!("User-agent: gleaner\n{lines}").as_bytes());
        let delay = robots.rules_for("gleaner").crawl_delay();
        assert_eq!(delay, expected.map(Duration::from_millis), "{lines}");
        assert_eq!(robots.rules_for("other").crawl_delay(), None);
    }
}

#[test]
fn caps_hold() {
    // A rule cut by the end of what is read would say something else than was meant.
    let start = "User-agent: *\nDisallow: /private/\n";
    let filler = "#".repeat(super::MOST_BYTES - start.len() - 12);
    let cut = format!("{start}{filler}\nDisallow: /public\n");
    assert!(allows(&cut, "gleaner", "/page") && !allows(&cut, "gleaner", "/private/"));
    let beyond = format!("User-agent: *\nDisallow: /a\n{}\nDisallow: /b", "#".repeat(super::MOST_BYTES));
    assert!(!allows(&beyond, "gleaner", "/a") && allows(&beyond, "gleaner", "/b"));
    let whole = format!("User-agent: *\n{}Disallow: /b", "# \n".repeat((super::MOST_BYTES - 26) / 3));
    assert!(!allows(&whole, "gleaner", "/b"));

    let rules: Vec<_> = (0..1_500).map(|number| format!("Disallow: /{number}-")).collect();
    let many = format!("User-agent: *\n{}", rules.join("\n"));
    assert!(!allows(&many, "gleaner", "/999-") && allows(&many, "gleaner", "/1000-"));

    assert!(matches(&format!("/{}", "x".repeat(2_047)), &format!("/{}", "x".repeat(2_047))));
    assert!(!matches(&format!("/{}*", "x".repeat(2_047)), &format!("/{}", "x".repeat(2_047))));
    assert!(!allows("", "gleaner", &format!("/{}", "x".repeat(2_048))), "too long a path is not asked for");
}
