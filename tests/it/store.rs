//! The conformance story of a store.

mod support;
