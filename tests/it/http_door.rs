//! The HTTP door: the real server over the real wire, held against the document that it serves.

mod answers;
mod hostile;
mod load;
mod once;
#[cfg(unix)]
mod postgres;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod running;
mod support;
mod tokens;
