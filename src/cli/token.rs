//! `gleaner token`: tokens for those who come through the HTTP door.

use std::path::PathBuf;

use super::{Exit, Global, out};

#[derive(clap::Subcommand, Debug)]
pub(crate) enum Command {
    /// Make a token of 32 random bytes in a new file that only its owner may read
    New {
        /// The file; one that exists is left alone
        file: PathBuf,
    },
}

pub(crate) fn run(global: &Global, command: &Command) -> anyhow::Result<Exit> {
    let Command::New { file } = command;
    gleaner::keyring::create_token(file)?;
    let shown = file.display();
    if global.json {
        out::json(&serde_json::json!({ "file": shown.to_string() }))?;
    } else {
        out::line(format_args!(
            "wrote {shown}; name it in `http.token_file` or under `[http.tokens]`, and hand a copy to the caller"
        ));
    }
    Ok(Exit::Done)
}
