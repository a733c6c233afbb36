//! A provider that lives outside Gleaner's repository.

pub mod acme_directory;
