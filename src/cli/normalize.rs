//! `gleaner normalize`: what would Gleaner make of this value?
//!
//! For authors of providers, who want to see what becomes of a vendor's spelling, and for everybody who wants to judge
//! the rules before trusting them. `docs/normalize.md` has every field.
//!
//! Invariant: reads no settings, no database and no network; one line of JSON for each value, in the order of the
//! values, whatever they hold.

mod age;
mod email;
mod lines;
mod name;
mod object;
mod page;
mod robots;
mod social;
mod target;

use super::Exit;

const AFTER_HELP: &str = "\
Try it:
  gleaner normalize name --value 'DOE, JANE (she/her), PhD'
  gleaner normalize email < addresses.txt | jq -r 'select(.ok) | .canonical' | sort -u
  gleaner normalize age --as-of 2026-01-31 ages.txt | jq -c 'select(.ok | not)'
  printf 'twitter\\t@Ada_Example\\n' | gleaner normalize social
  curl -s https://ada.example.org/ | gleaner normalize page --url https://ada.example.org/ --email me@ada.example.org
  gleaner normalize target --value http://169.254.169.254/
  gleaner normalize robots --robots robots.txt --value /private/

Each value is answered with one line of JSON, in order: {\"input\": …, \"ok\": true, …} with what was made of it, or
{\"input\": …, \"ok\": false, \"reason\": …}. That a value is refused is an answer: the exit code is 0.
Nothing is looked up, and nothing is kept. All fields: docs/normalize.md";

#[derive(clap::Subcommand, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) enum Command {
    /// Read e-mail addresses: canonical form, kind of mailbox, hash, the name it suggests
    Email(email::Args),
    /// Read personal names, whole or in a vendor's parts
    Name(name::Args),
    /// Read ages, ranges of ages and birth dates as an interval of birth dates
    Age(age::Args),
    /// Read addresses of profiles, account names and ids
    Social(social::Args),
    /// Read HTML pages: the people on them, and what would be kept of whom
    Page(page::Args),
    /// Judge URLs: would the door to the network let them through?
    Target(target::Args),
    /// Judge paths by a robots.txt: may they be asked for?
    Robots(robots::Args),
}

pub(crate) fn run(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Email(args) => email::run(&args),
        Command::Name(args) => name::run(&args),
        Command::Age(args) => age::run(&args),
        Command::Social(args) => social::run(&args),
        Command::Page(args) => page::run(&args),
        Command::Target(args) => target::run(&args),
        Command::Robots(args) => robots::run(&args),
    }?;
    Ok(Exit::Done)
}
