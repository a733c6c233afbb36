//! Blocks of JSON as pages hold them: wrapped for old browsers, escaped by templates, with a comma too many.
//!
//! Invariant: a block that reads as JSON is never touched; repairs drop or unwrap punctuation outside texts and
//! never make up a value.

use serde_json::Value;

use crate::page::{Page, is, text::unescape};

/// The blocks that can be read.
pub(super) fn all(page: &Page<'_>) -> impl Iterator<Item = Value> {
    let scripts = page.elements().filter(|element| is(element, "script")).filter(|element| {
        let kind = element.attr("type").unwrap_or_default().split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("application/ld+json")
    });
    scripts.filter_map(|script| parse(&script.text().collect::<String>()))
}

fn parse(block: &str) -> Option<Value> {
    let read = |text: &str| serde_json::from_str(text).ok();
    read(block).or_else(|| read(&repair(block))).or_else(|| {
        let is_escaped = block.contains("&quot;") || block.contains("&#34;") || block.contains("&#x22;");
        if is_escaped { read(&repair(&unescape(block))) } else { None }
    })
}

/// The block without comments, `CDATA` marks, commas before a closing bracket and a semicolon at the end; line
/// breaks within texts are spaces.
fn repair(block: &str) -> String {
    let mut repaired = String::with_capacity(block.len());
    let mut rest = block;
    let mut is_text = false;
    while let Some(c) = rest.chars().next() {
        if !is_text && let Some(after) = skip(rest) {
            rest = after;
            continue;
        }
        let (mut taken, _) = rest.split_at(c.len_utf8());
        match c {
            '"' => is_text = !is_text,
            '\\' if is_text => taken = rest.get(..rest.ceil_char_boundary(2)).unwrap_or(taken),
            '}' | ']' if !is_text => drop_comma(&mut repaired),
            c if is_text && c.is_ascii_control() => taken = " ",
            _ => {}
        }
        let width = if taken == " " { c.len_utf8() } else { taken.len() };
        repaired.push_str(taken);
        rest = rest.get(width..).unwrap_or_default();
    }
    let end = repaired.trim_end().trim_end_matches(';').len();
    repaired.truncate(end);
    repaired
}

/// What follows a comment or a mark that is no part of JSON, where the text begins with one.
fn skip(text: &str) -> Option<&str> {
    let after = |start: &str, end: &str| {
        let rest = text.strip_prefix(start)?;
        Some(rest.find(end).and_then(|at| rest.get(at + end.len()..)).unwrap_or_default())
    };
    let marks = ["<![CDATA[", "]]>", "<!--", "-->", "\u{feff}"];
    if let Some(rest) = marks.iter().find_map(|mark| text.strip_prefix(mark)) {
        return Some(rest);
    }
    if let Some(rest) = text.strip_prefix("//") {
        // `//<![CDATA[` and `//]]>` may share a line with the JSON.
        let rest = rest.trim_start_matches([' ', '\t']);
        return marks.iter().find_map(|mark| rest.strip_prefix(mark)).or_else(|| after("//", "\n"));
    }
    after("/*", "*/")
}

fn drop_comma(json: &mut String) {
    let end = json.trim_end();
    if let Some(before) = end.strip_suffix(',') {
        json.truncate(before.len());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stands_around_json_is_taken_off() {
        let ada = json!({"name": "Ada"});
        for block in [
            r#"{"name":"Ada"}"#,
            r#" {"name":"Ada",} "#,
            r#"{"name":"Ada"};"#,
            "\u{feff}{\"name\":\"Ada\"}",
            "//<![CDATA[\n{\"name\":\"Ada\"}\n//]]>",
            r#"//<![CDATA[ {"name":"Ada"} //]]>"#,
            r#"/* <![CDATA[ */ {"name":"Ada"} /* ]]> */"#,
            r#"<![CDATA[{"name":"Ada"}]]>"#,
            r#"<!-- {"name":"Ada"} -->"#,
            "{\"name\":\"Ada\" // the name\n}",
            r#"{"name":/* first */"Ada"}"#,
            "{&quot;name&quot;:&quot;Ada&quot;}",
            "{&#34;name&#34;:&#34;Ada&#34;,}",
        ] {
            assert_eq!(parse(block).as_ref(), Some(&ada), "{block}");
        }
    }

    #[test]
    fn texts_are_left_as_they_are() {
        for (block, expected) in [
            (r#"{"u":"https://example.com/",}"#, json!({"u": "https://example.com/"})),
            (r#"{"u":"/*,]*/ \"//,}\\",}"#, json!({"u": "/*,]*/ \"//,}\\"})),
            ("{\"u\":\"two\nlines\"}", json!({"u": "two lines"})),
            (r#"["&quot;",]"#, json!(["&quot;"])),
        ] {
            assert_eq!(parse(block), Some(expected), "{block}");
        }
    }

    #[test]
    fn what_is_no_json_is_nothing() {
        for block in
            ["", "{", "{'name':'Ada'}", r#"{"name":}"#, "<p>", "/*", "//", "{&quot;", "[1,,2]", r#"{"a":"b\"#]
        {
            assert_eq!(parse(block), None, "{block}");
        }
    }

    proptest! {
        #[test]
        fn no_block_is_fatal(block in r#"([\[\]{}",:/*\\é\n]|//|/\*|\*/|&quot;|<!--|true){0,60}"#) {
            let _ = parse(&block);
        }
    }
}
