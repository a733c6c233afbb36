use proptest::prelude::*;
use tokio::time::Instant;

use crate::robots::Robots;

/// What a matcher that tries everything would say. Exponential, and plainly right.
fn naive(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => true,
        b"$" => path.is_empty(),
        [b'*', rest @ ..] => (0..=path.len()).any(|skipped| naive(rest, &path[skipped..])),
        [first, rest @ ..] => path.first() == Some(first) && naive(rest, &path[1..]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_bytes_make_it_panic(file in prop::collection::vec(any::<u8>(), 0..400), path in ".{0,60}") {
        let robots = Robots::parse(&file);
        robots.allows("gleaner", &path);
        robots.allows(&path, "/");
    }

    #[test]
    fn no_lines_make_it_panic(
        lines in prop::collection::vec("(User-agent|Disallow|Allow|Crawl-delay|[a-z]{0,3})?[: ]{0,2}[*$%/a-f0-9\u{e9}]{0,8}", 0..20),
        path in "/[*$%/a-f0-9?\u{e9}]{0,12}",
    ) {
        Robots::parse(lines.join("\n").as_bytes()).allows("gleaner", &path);
    }

    #[test]
    fn it_says_what_trying_everything_says(pattern in "/[ab*]{0,10}[$]?", path in "/[ab]{0,12}") {
        let robots = Robots::parse(format!("User-agent: *\nDisallow: {pattern}").as_bytes());
        prop_assert_eq!(!robots.allows("gleaner", &path), naive(pattern.as_bytes(), path.as_bytes()));
    }

    /// The order of groups and of rules never matters.
    #[test]
    fn order_does_not_matter(mut rules in prop::collection::vec("(Allow|Disallow): /[ab*]{0,5}[$]?", 1..8), path in "/[ab]{0,8}") {
        let judged = |rules: &[String]| Robots::parse(format!("User-agent: *\n{}", rules.join("\n")).as_bytes()).allows("x", &path);
        let forwards = judged(&rules);
        rules.reverse();
        prop_assert_eq!(forwards, judged(&rules));
    }
}

/// 430 bytes on which another matcher took 35 s, and the worst that the caps let through.
#[test]
fn monsters_are_judged_at_once() {
    let begun = Instant::now();
    let monster = format!("User-agent: *\nDisallow: /{}b", "*a".repeat(200));
    assert!(Robots::parse(monster.as_bytes()).allows("gleaner", &format!("/{}", "a".repeat(2_000))));
    let rule = format!("Disallow: /{}b\n", "*a".repeat(240));
    let file = format!("User-agent: *\n{}", rule.repeat(1_000));
    let path = format!("/{}", "a".repeat(2_047));
    assert!(Robots::parse(file.as_bytes()).allows("gleaner", &path));
    // A hundred times what it takes, a hundredth of what a matcher that goes back takes.
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}
