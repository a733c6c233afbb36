//! The columns of `batches`, as far as every engine reads them alike.
//!
//! Invariant: pure; what cannot be read is told by the column.

use super::{BatchKind, BatchState, Selection};
use crate::job::BatchName;
use crate::store::StoreError;
use crate::store::columns::corrupt;

const BATCHES: &str = "batches";

pub(in crate::store) fn state_of(word: &str) -> Result<BatchState, StoreError> {
    let known = BatchState::ALL.into_iter().find(|state| state.as_str() == word);
    known.ok_or_else(|| corrupt(BATCHES, "state"))
}

pub(in crate::store) fn kind_of(word: &str) -> Result<BatchKind, StoreError> {
    let known = BatchKind::ALL.into_iter().find(|kind| kind.as_str() == word);
    known.ok_or_else(|| corrupt(BATCHES, "kind"))
}

pub(in crate::store) fn name_of(text: &str) -> Result<BatchName, StoreError> {
    BatchName::parse(text).map_err(|_| corrupt(BATCHES, "name"))
}

pub(in crate::store) fn selection_of(text: &str) -> Result<Selection, StoreError> {
    serde_json::from_str(text).map_err(|_| corrupt(BATCHES, "selection"))
}

/// How far a batch is filled: which part of its selection, and the last member of it that was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::store) enum Mark {
    Records(String),
    Letters(String),
}

impl Mark {
    pub(in crate::store) fn read(text: Option<&str>) -> Self {
        match text.and_then(|text| text.split_at_checked(1)) {
            Some(("l", after)) => Self::Letters(after.to_owned()),
            Some((_, after)) => Self::Records(after.to_owned()),
            None => Self::Records(String::new()),
        }
    }

    pub(in crate::store) fn write(&self) -> String {
        match self {
            Self::Records(after) => format!("r{after}"),
            Self::Letters(after) => format!("l{after}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_back_as_it_was_written() {
        for mark in
            [Mark::Records("m-1".to_owned()), Mark::Letters(String::new()), Mark::Letters("lx".to_owned())]
        {
            assert_eq!(Mark::read(Some(&mark.write())), mark);
        }
        assert_eq!(Mark::read(None), Mark::Records(String::new()));
    }
}
