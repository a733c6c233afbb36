//! The body of a question: a table of the file, sent as JSON or as a form.
//!
//! Invariant: what is filled in stays a value: no address adds a field to a form or ends a text in JSON.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::Value;
use toml::Spanned;
use url::Url;

use super::compile::Wrong;
use super::file::Encoding;
use super::template::{Filling, Template, Unfilled};
use crate::http::{HttpClient, Request};

/// A body with templates for texts.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Json(BTreeMap<String, Json>),
    /// Fields in the order of their names; one that was written as a list stands here once an item.
    Form(Vec<(String, Template)>),
}

#[derive(Clone, Debug)]
pub(super) enum Json {
    Text(Template),
    Other(Value),
    List(Vec<Self>),
    Table(BTreeMap<String, Self>),
}

impl Body {
    pub(super) fn compile(
        entries: BTreeMap<String, Spanned<toml::Value>>,
        encoding: Encoding,
    ) -> Result<Self, Wrong> {
        let mut table = BTreeMap::new();
        let mut form = Vec::new();
        for (name, value) in entries {
            let place = value.span();
            let wrong = |message| Wrong(place, format!("`body.{name}`: {message}"));
            match encoding {
                Encoding::Json => {
                    let value = Json::compile(value.into_inner()).map_err(wrong)?;
                    table.insert(name, value);
                }
                Encoding::Form => {
                    let values = form_values(value.into_inner()).map_err(wrong)?;
                    form.extend(values.into_iter().map(|value| (name.clone(), value)));
                }
            }
        }
        Ok(match encoding {
            Encoding::Json => Self::Json(table),
            Encoding::Form => Self::Form(form),
        })
    }

    /// The call that carries it. What the trail shows of it holds no key.
    pub(super) fn post<'a>(
        &self,
        url: Url,
        filling: Filling<'_>,
        http: &'a HttpClient,
    ) -> Result<Request<'a>, Unfilled> {
        let secret = SecretString::from("[secret]");
        let shown = Filling { key: Some(&secret), ..filling };
        match self {
            Self::Json(table) => {
                http.note("body", || {
                    filled_table(table, shown).map_or_else(|_| String::new(), |it| it.to_string())
                });
                Ok(http.post_json(url, &filled_table(table, filling)?))
            }
            Self::Form(fields) => {
                http.note("body", || {
                    let fields = filled_form(fields, shown).unwrap_or_default();
                    let fields: Vec<_> =
                        fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    fields.join("&")
                });
                let fields = filled_form(fields, filling)?;
                let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                Ok(http.post_form(url, &fields))
            }
        }
    }

    pub(super) fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Json(table) => table.values().flat_map(Json::templates).collect(),
            Self::Form(fields) => fields.iter().map(|(_, value)| value).collect(),
        }
    }
}

fn filled_table(table: &BTreeMap<String, Json>, filling: Filling<'_>) -> Result<Value, Unfilled> {
    let entries = table.iter().map(|(name, item)| Ok((name.clone(), item.fill(filling)?)));
    Ok(Value::Object(entries.collect::<Result<_, _>>()?))
}

fn filled_form<'f>(
    fields: &'f [(String, Template)],
    filling: Filling<'_>,
) -> Result<Vec<(&'f str, String)>, Unfilled> {
    fields.iter().map(|(name, value)| Ok((name.as_str(), value.fill(filling)?))).collect()
}

/// What a form sends under one name.
fn form_values(value: toml::Value) -> Result<Vec<Template>, String> {
    Ok(match value {
        toml::Value::String(text) => vec![Template::parse(&text)?],
        toml::Value::Array(items) => {
            let items: Result<Vec<_>, _> = items.into_iter().map(form_values).collect();
            items?.concat()
        }
        toml::Value::Table(_) => {
            return Err(
                "a form has no tables within it: write each field with the name that the vendor documents, \
                        such as `\"person[email]\" = \"{email}\"`"
                    .to_owned(),
            );
        }
        toml::Value::Datetime(_) => return Err(DATE.to_owned()),
        number_or_truth => vec![Template::parse(&number_or_truth.to_string())?],
    })
}

const DATE: &str = "a date in a body is written as a text";

impl Json {
    fn compile(value: toml::Value) -> Result<Self, String> {
        Ok(match value {
            toml::Value::String(text) => Self::Text(Template::parse(&text)?),
            toml::Value::Array(items) => {
                Self::List(items.into_iter().map(Self::compile).collect::<Result<_, _>>()?)
            }
            toml::Value::Table(entries) => {
                let entries = entries.into_iter().map(|(name, value)| Ok((name, Self::compile(value)?)));
                Self::Table(entries.collect::<Result<_, String>>()?)
            }
            toml::Value::Integer(number) => Self::Other(number.into()),
            toml::Value::Float(number) => Self::Other(number.into()),
            toml::Value::Boolean(truth) => Self::Other(truth.into()),
            toml::Value::Datetime(_) => return Err(DATE.to_owned()),
        })
    }

    fn fill(&self, filling: Filling<'_>) -> Result<Value, Unfilled> {
        Ok(match self {
            Self::Text(template) => template.fill(filling)?.into(),
            Self::Other(value) => value.clone(),
            Self::List(items) => items.iter().map(|item| item.fill(filling)).collect::<Result<_, _>>()?,
            Self::Table(entries) => filled_table(entries, filling)?,
        })
    }

    fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Text(template) => vec![template],
            Self::Other(_) => Vec::new(),
            Self::List(items) => items.iter().flat_map(Self::templates).collect(),
            Self::Table(entries) => entries.values().flat_map(Self::templates).collect(),
        }
    }
}
