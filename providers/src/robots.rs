//! robots.txt, as RFC 9309 reads it: bytes in, "may this robot ask for this path?" out.
//!
//! A robots.txt is a stranger's. Known matchers take seconds on a file that is made to slow them down (see
//! docs/decisions/0007), so that this one is our own, takes time linear in the file and the path, and has caps.
//!
//! Invariant: pure, never fails: what cannot be read is no rule. Sources: RFC 9309; where it is silent, Google's
//! published reading of it (`github.com/google/robotstxt`).

mod lines;
mod pattern;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::lines::{Line, lines};
use self::pattern::{Pattern, normal_path};

/// How much of a file is read, in bytes: what the RFC asks for at least.
pub const MOST_BYTES: usize = 500 * 1024;
/// Rules that are weighed for one robot; further ones are not read.
const MOST_RULES: usize = 1_000;
/// The longest rule and the longest path, in bytes as written.
const LONGEST: usize = 2_048;
/// The longest `Crawl-delay` that is kept to; a longer one is cut to it.
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// A robots.txt, read whole.
#[derive(Clone, Debug, Default)]
pub struct Robots {
    groups: Vec<Group>,
}

/// Robots that are named together, and the rules for them.
#[derive(Clone, Debug, Default)]
struct Group {
    /// Product tokens in lower case, and `*`.
    agents: Vec<Box<str>>,
    rules: Vec<Rule>,
    crawl_delay: Option<Duration>,
}

#[derive(Clone, Debug)]
struct Rule {
    allows: bool,
    pattern: Pattern,
}

/// What a robots.txt asks of one robot.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    crawl_delay: Option<Duration>,
}

/// Whether a path may be asked for, and the rule that decides it; no rule, no restriction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verdict<'a> {
    pub allowed: bool,
    /// The path of the rule, percent-encoded in one way.
    pub rule: Option<&'a str>,
}

impl Robots {
    /// Reads a file; bytes beyond [`MOST_BYTES`] are not looked at, nor a line that is cut by that.
    pub fn parse(file: &[u8]) -> Self {
        let mut groups = Vec::new();
        // A run of `User-agent` lines names the robots of one group; the first rule ends it.
        let mut group = Group::default();
        let mut is_naming = true;
        for line in lines(file, MOST_BYTES) {
            match line {
                Line::Agent(token) => {
                    if !is_naming {
                        groups.push(std::mem::take(&mut group));
                    }
                    is_naming = true;
                    group.agents.push(token);
                }
                // A rule for nobody.
                Line::Rule { .. } if group.agents.is_empty() => {}
                Line::Rule { allows, path } => {
                    is_naming = false;
                    group.rules.extend(Pattern::parse(path, LONGEST).map(|pattern| Rule { allows, pattern }));
                }
                // Not of the RFC, so it ends no run of names.
                Line::CrawlDelay(delay) => {
                    group.crawl_delay = group.crawl_delay.max(Some(delay.min(LONGEST_DELAY)));
                }
            }
        }
        groups.push(group);
        Self { groups }
    }

    /// What is asked of this robot: the rules of every group that names it, or else of those for all (`*`).
    pub fn rules_for(&self, agent: &str) -> Rules {
        let token = lines::product_token(agent.as_bytes());
        let named = |name: &str| {
            let names = |group: &&Group| group.agents.iter().any(|agent| **agent == *name);
            self.groups.iter().filter(names).collect::<Vec<_>>()
        };
        let own = named(&token);
        let groups = if own.is_empty() { named("*") } else { own };
        Rules {
            rules: groups.iter().flat_map(|group| &group.rules).take(MOST_RULES).cloned().collect(),
            crawl_delay: groups.iter().filter_map(|group| group.crawl_delay).max(),
        }
    }

    /// Whether this robot may ask for this path (with its query).
    pub fn allows(&self, agent: &str, path_and_query: &str) -> bool {
        self.rules_for(agent).verdict(path_and_query).allowed
    }
}

impl Rules {
    /// No restriction.
    pub const fn none() -> Self {
        Self { rules: Vec::new(), crawl_delay: None }
    }

    /// Judges a path (with its query) by the rule that has the most octets; among equals, by the one that allows.
    pub fn verdict(&self, path_and_query: &str) -> Verdict<'_> {
        if path_and_query.len() > LONGEST {
            return Verdict { allowed: false, rule: None };
        }
        let path = normal_path(path_and_query);
        // The file that says what may be read may be read.
        if path == "/robots.txt" {
            return Verdict { allowed: true, rule: None };
        }
        let matching = self.rules.iter().filter(|rule| rule.pattern.matches(&path));
        let decisive = matching.max_by_key(|rule| (rule.pattern.octets(), rule.allows));
        decisive.map_or(Verdict { allowed: true, rule: None }, |rule| Verdict {
            allowed: rule.allows,
            rule: Some(rule.pattern.as_str()),
        })
    }

    /// The pause that the site asks for between two pages, at most 30 s.
    pub const fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }

    /// About how many bytes it holds.
    pub fn weight(&self) -> usize {
        self.rules.iter().map(|rule| rule.pattern.octets() + size_of::<Rule>()).sum()
    }
}
