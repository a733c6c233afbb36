//! What an attacker writes into the fields of a profile, for the kit of checks and for the sandbox.
//!
//! Invariant: pure and deterministic.

#[cfg(feature = "sandbox")]
use serde_json::Value;

/// Text that must come out of no provider as it is.
const TEXTS: [(&str, &str); 6] = [
    ("control characters", "Ada\u{0}\u{7}\u{1b}[31m\r\nExample"),
    ("bidi overrides", "Ada \u{202e}elpmaxE\u{2066}\u{200b}"),
    ("markup", "<script>alert(1)</script>"),
    ("a script URL", "javascript:alert(1)//github.com/ada"),
    ("a data URL", "data:text/html,<b>Ada</b>"),
    ("100,000 characters", LONG),
];

/// What the long text is made of.
const LONG: &str = "AdaExample";
#[cfg(feature = "contract")]
const LONG_REPEATS: usize = 10_000;

/// Each with its name, at its length.
#[cfg(feature = "contract")]
pub(crate) fn texts() -> impl Iterator<Item = (&'static str, String)> {
    TEXTS
        .iter()
        .map(|&(name, text)| (name, if text == LONG { LONG.repeat(LONG_REPEATS) } else { text.into() }))
}

/// The body with every text in it replaced, by one after the other of those that fit into an answer many times over: of JSON every
/// string, of a page what it shows between its tags. What is neither stays as it is.
#[cfg(feature = "sandbox")]
pub(crate) fn everywhere(body: Vec<u8>) -> Vec<u8> {
    let mut next = TEXTS.iter().map(|&(_, text)| text).filter(|&text| text != LONG).cycle();
    let mut next = || next.next().unwrap_or_default();
    if let Ok(mut value) = serde_json::from_slice(&body) {
        replace(&mut value, &mut next);
        return value.to_string().into_bytes();
    }
    match String::from_utf8(body) {
        Ok(page) if page.trim_start().starts_with('<') => {
            let (mut spoilt, mut done) = (String::new(), 0);
            for (from, to) in shown(&page) {
                spoilt.push_str(&page[done..from]);
                spoilt.push_str(&escaped(next()));
                done = to;
            }
            spoilt.push_str(&page[done..]);
            spoilt.into_bytes()
        }
        Ok(other) => other.into_bytes(),
        Err(other) => other.into_bytes(),
    }
}

#[cfg(feature = "sandbox")]
fn replace(value: &mut Value, next: &mut impl FnMut() -> &'static str) {
    match value {
        Value::String(text) => next().clone_into(text),
        Value::Array(values) => values.iter_mut().for_each(|value| replace(value, next)),
        Value::Object(fields) => fields.values_mut().for_each(|value| replace(value, next)),
        _ => {}
    }
}

/// Where a page holds values: between quotes, and between tags.
#[cfg(feature = "contract")]
pub(crate) fn quoted_and_shown(page: &str) -> Vec<(usize, usize)> {
    [between(page, '"', '"'), shown(page)].concat()
}

/// What a page shows: the text between its tags.
fn shown(page: &str) -> Vec<(usize, usize)> {
    between(page, '>', '<')
}

fn between(page: &str, open: char, close: char) -> Vec<(usize, usize)> {
    let (mut spans, mut rest) = (Vec::new(), 0);
    while let Some(from) = page[rest..].find(open).map(|at| rest + at + 1) {
        let Some(to) = page[from..].find(close).map(|at| from + at) else { break };
        if !page[from..to].trim().is_empty() {
            spans.push((from, to));
        }
        rest = to + usize::from(open == close);
    }
    spans
}

/// As it has to be written in a page.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_page_are_found_between_quotes_and_tags() {
        let page = r#"<p class="n"> <b>Ada</b> </p>"#;
        let found: Vec<_> = quoted_and_shown(page).into_iter().map(|(from, to)| &page[from..to]).collect();
        assert_eq!(found, ["n", "Ada"]);
    }

    #[test]
    fn every_text_is_replaced_and_nothing_else() {
        let json = br#"{"a":["x",7,{"b":"y"}],"c":null}"#.to_vec();
        let spoilt: Value = serde_json::from_slice(&everywhere(json)).unwrap();
        assert_eq!((&spoilt["a"][0], &spoilt["a"][2]["b"]), (&TEXTS[0].1.into(), &TEXTS[1].1.into()));
        assert_eq!((&spoilt["a"][1], &spoilt["c"]), (&7.into(), &Value::Null));
        let page = String::from_utf8(everywhere(b"<p class=\"n\"><b>Ada</b>.</p>".to_vec())).unwrap();
        assert_eq!(page, format!("<p class=\"n\"><b>{}</b>{}</p>", TEXTS[0].1, TEXTS[1].1));
        assert_eq!(everywhere(vec![0xc6, 0x33]), [0xc6, 0x33], "not a text");
    }
}
