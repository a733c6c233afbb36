//! The specification of names, as tables.

mod agreement;
mod full_names;
mod parts;
mod properties;
mod refused;

use super::{Parts, PersonName};

fn name(text: &str) -> PersonName {
    PersonName::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn parts(full: &str, given: &str, family: &str) -> Parts {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Parts { full: some(full), given: some(given), family: some(family) }
}
