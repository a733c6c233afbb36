//! The only file of the commands that writes to standard output and standard error.

use std::fmt::{Arguments, Display};
use std::io::{ErrorKind, IsTerminal as _, Write as _};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use gleaner::config::ConfigError;
use serde::Serialize;

use super::Exit;
use super::host::BadConfig;

/// Prints a line of the answer.
pub(crate) fn line(text: impl Display) {
    print(format_args!("{text}\n"));
}

/// Prints the answer as JSON, one line.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string(value)?);
    Ok(())
}

/// Prints lines that are ready, many at once.
pub(crate) fn block(lines: &[u8]) {
    or_end(std::io::stdout().lock().write_all(lines));
}

/// Prints a note for the person who waits: not part of the answer.
pub(crate) fn note(text: impl Display) {
    // Nobody reads standard error any more: there is nobody left to tell.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Asks a person; an error where nobody is there to answer.
pub(crate) fn asks(question: &str) -> anyhow::Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(NobodyToAsk.into());
    }
    // Nobody reads standard error any more: then nobody answers either.
    let _ = write!(std::io::stderr().lock(), "{question} [y/N] ");
    let mut answer = String::new();
    stdin.read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// A command that asks was run by a script.
#[derive(Debug, thiserror::Error)]
#[error("nobody is there to ask: say `--yes` to do it, or `--dry-run` to see what it would do")]
struct NobodyToAsk;

/// Says why a command failed, cause by cause.
pub(crate) fn failure(error: &anyhow::Error) -> Exit {
    note(format_args!("error: {error:#}"));
    if error.is::<ConfigError>() || error.is::<BadConfig>() || error.is::<NobodyToAsk>() {
        Exit::Usage
    } else {
        Exit::Failed
    }
}

/// A table without borders; the columns named are numbers and stand right.
pub(crate) fn table<const N: usize>(header: [&str; N], numeric: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if index == 0 { 2 } else { 1 }, 1));
        if numeric.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn print(text: Arguments<'_>) {
    or_end(std::io::stdout().lock().write_fmt(text));
}

/// A reader that went away (`gleaner … | head`) ends the process quietly, as it ends any other filter.
fn or_end(written: std::io::Result<()>) {
    if let Err(error) = written {
        if error.kind() != ErrorKind::BrokenPipe {
            note(format_args!("error: cannot write to standard output: {error}"));
        }
        std::process::exit(i32::from(error.kind() != ErrorKind::BrokenPipe));
    }
}
