//! `gleaner dead-letters`: what stopped for good, and why.

use gleaner::store::Page;

use super::host::Host;
use super::{Exit, Global, out};

#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// List dead letters, newest first
    List {
        /// At most this many
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        limit: u32,
        /// Only those older than this id: the next page of a list
        #[arg(long, value_name = "ID")]
        before: Option<i64>,
    },
}

pub(crate) async fn run(global: &Global, command: Command) -> anyhow::Result<Exit> {
    let Command::List { limit, before } = command;
    let vault = Host::open(global)?.vault().await?;
    let letters = vault.store.dead_letters(Page { limit, before }).await?;
    if global.json {
        letters.iter().try_for_each(out::json)?;
        return Ok(Exit::Done);
    }
    if letters.is_empty() {
        out::line("no dead letters");
        return Ok(Exit::Done);
    }
    let mut table = out::table(["Id", "member or origin", "reason", "tries", "what happened"], &[0, 3]);
    for letter in &letters {
        let member = letter.member_id.as_ref().map(ToString::to_string);
        table.add_row([
            letter.id.to_string(),
            member.or_else(|| letter.origin.clone()).unwrap_or_default(),
            letter.reason.as_str().to_owned(),
            letter.attempts.to_string(),
            letter.error.clone(),
        ]);
    }
    out::line(table);
    if let Some(last) = letters.last().filter(|_| u32::try_from(letters.len()) == Ok(limit)) {
        out::line(format_args!("\nolder ones: gleaner dead-letters list --before {}", last.id));
    }
    Ok(Exit::Done)
}
