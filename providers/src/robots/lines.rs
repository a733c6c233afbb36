//! The lines of a robots.txt that say something.
//!
//! Invariant: knows nothing of paths and patterns. A line that is not understood is skipped, and so is a line that is
//! cut off by the cap.

use std::time::Duration;

/// One line that says something.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Line<'a> {
    /// A robot's product token in lower case, or `*`.
    Agent(Box<str>),
    Rule {
        allows: bool,
        path: &'a [u8],
    },
    CrawlDelay(Duration),
}

/// The meaningful lines among the first `most` bytes. Lines end with CR, LF or both.
pub(super) fn lines(file: &[u8], most: usize) -> impl Iterator<Item = Line<'_>> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let file = file.split_at_checked(most).map_or(file, |(head, tail)| {
        let is_cut = !tail.first().is_none_or(is_line_end);
        let end = if is_cut { head.iter().rposition(is_line_end).unwrap_or(0) } else { head.len() };
        head.get(..end).unwrap_or(head)
    });
    file.split(is_line_end).filter_map(line)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "fits `split`")]
const fn is_line_end(byte: &u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn line(line: &[u8]) -> Option<Line<'_>> {
    let line = line.split(|byte| *byte == b'#').next()?.trim_ascii();
    let (key, value) = key_and_value(line)?;
    match key.to_ascii_lowercase().as_slice() {
        b"user-agent" | b"useragent" | b"user agent" => Some(Line::Agent(product_token(value))),
        b"allow" => Some(Line::Rule { allows: true, path: value }),
        // As Google's parser does: what people mistype is still what they mean.
        b"disallow" | b"dissallow" | b"dissalow" | b"disalow" | b"diasllow" | b"disallaw" => {
            Some(Line::Rule { allows: false, path: value })
        }
        b"crawl-delay" => seconds(value).map(Line::CrawlDelay),
        _ => None,
    }
}

/// What stands before and behind the colon; without a colon, two words.
fn key_and_value(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (at, is_colon) = match line.iter().position(|byte| *byte == b':') {
        Some(at) => (at, true),
        None => (line.iter().position(u8::is_ascii_whitespace)?, false),
    };
    let (key, rest) = line.split_at_checked(at)?;
    let (key, value) = (key.trim_ascii(), rest.get(1..)?.trim_ascii());
    let is_pair = is_colon || !value.iter().any(u8::is_ascii_whitespace);
    is_pair.then_some((key, value))
}

/// The product token at the beginning of a user agent, in lower case; `*` stands for every robot.
pub(super) fn product_token(agent: &[u8]) -> Box<str> {
    if let [b'*'] | [b'*', b' ' | b'\t', ..] = agent {
        return "*".into();
    }
    let is_token = |byte: &&u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_');
    agent.iter().take_while(is_token).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

fn seconds(value: &[u8]) -> Option<Duration> {
    let seconds: f64 = str::from_utf8(value).ok()?.parse().ok()?;
    // Longer than any cap, and short enough to be a duration.
    Duration::try_from_secs_f64(seconds.min(1e9)).ok()
}
