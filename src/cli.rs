//! The commands, one file each.
//!
//! Invariant: everything a command prints on standard output is its answer (text or, with `--json`, JSON); logs,
//! progress and errors go to standard error. Personal data is printed only by commands that were asked for it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use gleaner::config::DatabaseUrl;
use gleaner::telemetry::{self, LogFormat};
use gleaner_providers::catalog::Catalog;
use tracing_subscriber::filter::LevelFilter;

mod doors;
mod host;
mod out;
mod progress;
mod report;
mod sources;
mod view;

mod advise;
mod batch;
mod config;
mod dead_letters;
mod enqueue;
mod enrich;
mod explain;
mod member;
mod merge;
mod migrate;
mod normalize;
mod plan;
mod provider;
mod reconcile;
mod replay;
mod sandbox;
mod status;
mod token;
mod worker;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

const AFTER_HELP: &str = "\
Try it:
  gleaner enrich --sandbox              200 invented members against a local provider sandbox
  gleaner enrich jane@example.com       one address, with the real providers
  gleaner enrich members.csv            a file: CSV, TSV, JSON lines, a list; `-` is standard input

Exit codes:
  0  done                               3  nothing found, or numbers that do not add up
  1  failed; the reason is on stderr    4  stopped by a signal before everything was done
  2  wrong usage or configuration";

/// Supplemental-information enrichment: e-mail addresses in; names, ages and social profiles out.
#[derive(Debug, Parser)]
#[command(name = "gleaner", version, styles = STYLES, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options for every command")]
pub(crate) struct Global {
    /// Settings [default: gleaner.toml, config/gleaner.toml, /etc/gleaner/gleaner.toml, or none]
    #[arg(long, global = true, value_name = "FILE", env = "GLEANER_CONFIG")]
    config: Option<PathBuf>,
    /// The folder for database and key, in place of the configured one
    #[arg(long, global = true, value_name = "DIR", env = "GLEANER_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// The database, in place of the configured one: `sqlite:FILE` or `postgres://USER@HOST/DATABASE`. With a password
    /// rather in the variable: other users of this machine see a command's options
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "GLEANER_DATABASE_URL",
        hide_env_values = true,
        value_parser = |text: &str| Ok::<_, std::convert::Infallible>(DatabaseUrl::given(text.into()))
    )]
    database: Option<DatabaseUrl>,
    /// Answer in JSON on standard output
    #[arg(long, global = true)]
    json: bool,
    /// How much is logged on standard error: off, error, warn, info, debug, trace
    #[arg(long, global = true, value_name = "LEVEL", env = "GLEANER_LOG")]
    log: Option<LevelFilter>,
    /// How it is logged
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", env = "GLEANER_LOG_FORMAT")]
    log_format: Format,
    /// The providers that the binary brings along.
    #[arg(skip)]
    catalog: Catalog,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take members in, look them up, and show what was found
    Enrich(enrich::Args),
    /// Work off the queue until told to stop; configured doors stand open meanwhile
    Worker(worker::Args),
    /// Take members in without looking them up
    Enqueue(enqueue::Args),
    /// Compare the service's own list of members with what is known, and take in what is missing
    Reconcile(reconcile::Args),
    /// Open the doors for messages (HTTP, brokers) and look nobody up: workers elsewhere do
    Intake,
    /// Show whom an enrichment of an address would ask, in which order and at what price; asks nobody
    Plan(plan::Args),
    /// Show what providers are worth so far, what the present order costs, and what a better one would
    Advise,
    /// Show the whole story of a record: who was asked, what it cost, why each value won, who was not asked and why
    Explain(explain::Args),
    /// Show what was taken in and what became of it
    Status,
    /// Make the database's tables, or bring them up to date (every command does so where they are not)
    Migrate,
    /// Show what is known of a member
    #[command(subcommand)]
    Member(member::Command),
    /// Look a selection of members up again, previewed and priced before
    Replay(Box<replay::Args>),
    /// Follow, hold back and stop imports and replays
    #[command(subcommand)]
    Batch(batch::Command),
    /// Show what stopped for good, and why; replay it, or throw it away
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Make tokens for the HTTP door
    #[command(subcommand)]
    Token(token::Command),
    /// Check the settings
    #[command(subcommand)]
    Config(config::Command),
    /// Show and try providers
    #[command(subcommand)]
    Provider(provider::Command),
    /// Merge findings of any sources about many people into one record each, and say how sure every field is
    Merge(merge::Args),
    /// Show what becomes of names, ages, profiles, addresses, pages and URLs, value by value
    #[command(subcommand)]
    Normalize(normalize::Command),
    /// Run a local server that speaks every provider's wire format over invented people
    Sandbox(sandbox::Args),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    Done,
    Failed,
    /// Wrong usage or configuration.
    Usage,
    /// Nothing found, or numbers that do not add up.
    Nothing,
    /// Stopped by a signal before everything was done.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Nothing => 3,
            Exit::Interrupted => 4,
        })
    }
}

/// Reads the command line and runs a command over these providers: what `main` of a binary of one's own calls, with
/// `Catalog::default().with(…)`. `providers/examples/own-provider` shows it.
pub async fn run(catalog: Catalog) -> ExitCode {
    let mut cli = Cli::parse();
    cli.global.catalog = catalog;
    cli.run().await
}

impl Cli {
    async fn run(self) -> ExitCode {
        let level = self.global.log.unwrap_or(self.command.usual_level());
        let format = match self.global.log_format {
            Format::Text => LogFormat::Text,
            Format::Json => LogFormat::Json,
        };
        telemetry::init(level, format);
        let ended = match self.command {
            Command::Enrich(args) => enrich::run(&self.global, args).await,
            Command::Worker(args) => worker::run(&self.global, args).await,
            Command::Enqueue(args) => enqueue::run(&self.global, args).await,
            Command::Reconcile(args) => reconcile::run(&self.global, args).await,
            Command::Intake => doors::run(&self.global).await,
            Command::Plan(args) => plan::run(&self.global, args).await,
            Command::Advise => advise::run(&self.global).await,
            Command::Explain(args) => explain::run(&self.global, args).await,
            Command::Status => status::run(&self.global).await,
            Command::Migrate => migrate::run(&self.global).await,
            Command::Member(command) => member::run(&self.global, command).await,
            Command::Replay(args) => replay::run(&self.global, *args).await,
            Command::Batch(command) => batch::run(&self.global, command).await,
            Command::DeadLetters(command) => dead_letters::run(&self.global, command).await,
            Command::Token(command) => token::run(&self.global, &command),
            Command::Config(command) => config::run(&self.global, &command),
            Command::Provider(command) => provider::run(&self.global, command).await,
            Command::Merge(args) => merge::run(&self.global, &args),
            Command::Normalize(command) => normalize::run(command),
            Command::Sandbox(args) => sandbox::run(&self.global, args).await,
        };
        ended.unwrap_or_else(|error| out::failure(&error)).into()
    }
}

impl Command {
    /// A worker without a terminal tells its story in the log; the other commands answer on standard output.
    const fn usual_level(&self) -> LevelFilter {
        match self {
            Self::Worker(_) | Self::Intake | Self::Sandbox(_) => LevelFilter::INFO,
            _ => LevelFilter::WARN,
        }
    }
}
