//! What a selector finds in an answer: `JSONPath` (RFC 9535) in JSON, CSS in a page.
//!
//! Invariant: a selector sees what the answer holds and nothing else; what it finds is raw, for the normalizers.

use serde_json::Value;
use serde_json_path::JsonPath;

use super::file::Format;
use crate::error::LookupError;
use crate::http::Response;
use crate::page::{self, Css, Selected};

/// More values than anybody has: what a lying answer lists beyond it is not read.
const MAX_FOUND: usize = 200;

/// A selector, read and ready.
#[derive(Clone, Debug)]
pub(super) struct Selector {
    /// As it stands in the file.
    pub(super) text: String,
    path: Path,
}

#[derive(Clone, Debug)]
enum Path {
    Json(JsonPath),
    /// By its place in [`Selectors`]: a page is gone through once.
    Css(usize),
}

/// The selectors of one file, as they are read.
#[derive(Clone, Debug)]
pub(super) struct Selectors {
    format: Format,
    css: Vec<Css>,
}

/// An answer that selectors can look into.
pub(super) enum Document {
    Json(Value),
    Page(Selected),
    /// It could not be read, and why.
    Unreadable(LookupError),
}

/// What a selector found.
#[derive(Default)]
pub(super) struct Found {
    /// Places, whatever stands there.
    pub(super) places: usize,
    /// Texts and numbers that say something.
    pub(super) texts: Vec<String>,
}

impl Selectors {
    pub(super) const fn new(format: Format) -> Self {
        Self { format, css: Vec::new() }
    }

    pub(super) fn read(&mut self, text: &str) -> Result<Selector, String> {
        let path = match self.format {
            Format::Json => json_path(text).map(Path::Json)?,
            Format::Html => {
                self.css.push(Css::parse(text)?);
                Path::Css(self.css.len() - 1)
            }
        };
        Ok(Selector { text: text.to_owned(), path })
    }

    /// Reads a page, off the runtime's threads: it may take its time. A body that was cut at the cap is read as far as it
    /// goes.
    pub(super) async fn open_page(&self, response: Response) -> Result<(Document, Response), LookupError> {
        let css = self.css.clone();
        let parsing = tokio::task::spawn_blocking(move || {
            let kind = response.header("content-type");
            let selected = page::select(response.body(), kind, response.url(), &css);
            (selected, response)
        });
        let parsed = parsing.await.map_err(|_| LookupError::malformed("the page could not be parsed"))?;
        let (selected, response) = parsed;
        let selected = selected.map_err(|error| LookupError::malformed(error.to_string()))?;
        Ok((Document::Page(selected), response))
    }
}

impl Document {
    pub(super) fn of_json(response: &Response) -> Self {
        response.json().map_or_else(Self::Unreadable, Self::Json)
    }
}

fn json_path(text: &str) -> Result<JsonPath, String> {
    JsonPath::parse(text).map_err(|error| {
        format!("`{text}` is no JSONPath (RFC 9535, such as `$.person.name` or `$.links[*].url`): {error}")
    })
}

impl Document {
    pub(super) fn find(&self, selector: &Selector) -> Found {
        match (self, &selector.path) {
            (Self::Json(value), Path::Json(path)) => found(path, value),
            (Self::Page(selected), Path::Css(place)) => {
                let values = selected.found.get(*place).map(Vec::as_slice).unwrap_or_default();
                Found { places: values.len(), texts: values.iter().flatten().cloned().collect() }
            }
            _ => Found::default(),
        }
    }

    /// The parts of a JSON answer that a selector finds, each of them a document of its own.
    pub(super) fn parts(&self, selector: &Selector) -> Vec<Self> {
        match (self, &selector.path) {
            (Self::Json(value), Path::Json(path)) => {
                path.query(value).iter().take(MAX_FOUND).map(|&part| Self::Json(part.clone())).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn found(path: &JsonPath, value: &Value) -> Found {
    let nodes = path.query(value);
    let texts = nodes.iter().take(MAX_FOUND).filter_map(|node| text(node)).collect();
    Found { places: nodes.len(), texts }
}

/// A text that says something, or a number as it is written.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
