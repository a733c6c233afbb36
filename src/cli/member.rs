//! `gleaner member`: what is known of a member, and where it came from.

use anyhow::Context as _;
use gleaner::member::MemberId;
use gleaner_providers::EmailAddress;

use super::host::{Host, Vault};
use super::view::RecordView;
use super::{Exit, Global, out};

#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// Show the record with the provenance of each field
    Show {
        /// The member's id; an address stands for a member who was taken in without one
        #[arg(value_name = "MEMBER_ID|EMAIL")]
        member: String,
    },
}

pub(crate) async fn run(global: &Global, command: Command) -> anyhow::Result<Exit> {
    let Command::Show { member } = command;
    let vault = Host::open(global)?.vault().await?;
    show(&vault, &member, global.json).await
}

/// Prints a member's record, or says that there is none.
pub(crate) async fn show(vault: &Vault, member: &str, json: bool) -> anyhow::Result<Exit> {
    let member = if member.contains('@') {
        let email = EmailAddress::parse(member).context("e-mail address")?;
        MemberId::of_subject(vault.keyring.subject(&email))
    } else {
        MemberId::parse(member)?
    };
    let Some(record) = vault.store.record(&member).await? else {
        out::note(format_args!("no record of member `{member}`; `gleaner status` shows what is waiting"));
        return Ok(Exit::Nothing);
    };
    let view = RecordView::of(&record);
    if json {
        out::json(&view)?;
    } else {
        view.print();
    }
    Ok(Exit::Done)
}
