//! Our reading beside that of `texting_robots`, for files on which the two are meant to agree.
//!
//! They are not meant to agree on: escaped octets (it decodes reserved ones); a query that holds `:` or `/`; typing
//! mistakes; `Crawl-delay` between two `User-agent` lines; rules without a leading slash; `Disallow:` with nothing
//! behind it, which it reads as `Allow: /`; and rules before the first `User-agent`, which it reads as everybody's.

use proptest::prelude::*;
use texting_robots::Robot;

use crate::robots::Robots;

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "User-agent: (gleaner|Gleaner|otherbot|[*])",
        3 => "Disallow: /[ab*]{0,4}[$]?",
        3 => "Allow: /[ab*]{0,4}[$]?",
        1 => Just("Sitemap: https://example.org/sitemap.xml".to_owned()),
        1 => Just("# a comment".to_owned()),
        1 => Just(String::new()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn two_matchers_agree(lines in prop::collection::vec(line(), 0..14), paths in prop::collection::vec("/[ab]{0,6}", 1..6)) {
        let file = format!("User-agent: somebot\n{}", lines.join("\n"));
        let theirs = Robot::new("gleaner", file.as_bytes()).unwrap();
        let ours = Robots::parse(file.as_bytes());
        for path in paths {
            let expected = theirs.allowed(&format!("https://example.org{path}"));
            prop_assert_eq!(ours.allows("gleaner", &path), expected, "{} of\n{}", path, file);
        }
    }
}
