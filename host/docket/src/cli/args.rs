//! Arguments as clap parses them. Help texts are part of the interface: `docs/reference.md` is made from them.

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::author_args::AuthorCommand;
use super::context_args::ContextArguments;
use super::run_args::{BudgetArguments, LogArguments};

/// Runs agent workflows: gathers the related documents, builds the prompt, launches the agent, keeps the structured
/// result, updates the document's status.
#[derive(Debug, Parser)]
#[command(name = "docket", version, propagate_version = true, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 run failed, 2 wrong usage or definition, 3 waiting for a person, \
4 not trusted or not granted, 5 conflict, 130 interrupted."
)]
pub struct Arguments {
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArguments,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct GlobalArguments {
    /// How to put out results: for people, as one JSON value, or as JSON lines [env: DOCKET_OUTPUT]
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub output: Option<Output>,
    /// Never ask anything; what would have to be asked is refused
    #[arg(long, global = true)]
    pub non_interactive: bool,
    /// The project's folder, instead of the nearest one above with a .docket folder
    #[arg(long, global = true, value_name = "DIR")]
    pub project: Option<std::path::PathBuf>,
}

/// How to put out results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Human,
    /// One JSON value.
    Json,
    /// One JSON value per line.
    Jsonl,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make this folder a docket project
    Init,
    /// Look whether everything docket needs is there
    Doctor,
    /// Look at what the project brings along (definitions, templates, schemas, plugins) and trust it as it is now
    Trust(TrustArguments),
    /// Review a document: `docket review docs/rfcs/rfc-0002-x.md`, or just `docket review rfc-0002`
    Review(ReviewArguments),
    /// Show what belongs to a document: related documents, code, commands, references, each with why it is there
    Context(ContextArguments),
    /// Start, watch and control workflows
    #[command(subcommand)]
    Workflow(WorkflowCommand),
    /// See what there is to run agents with: launchers and profiles
    #[command(subcommand)]
    Agent(AgentCommand),
    /// See what plugins there are and what they may do, add and remove them, grant and revoke
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Be a server of the Model Context Protocol on standard input and output, for agents that speak it
    Mcp(McpArguments),
    /// Show what was granted, denied and trusted, when and by whom
    AuditLog(AuditLogArguments),
    /// Print the JSON Schema of one of docket's formats
    Schema(SchemaArguments),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Arguments of `mcp`.
#[derive(Debug, Args)]
#[command(after_help = "An agent starts it itself, once it is in the agent's settings, for instance by \
`claude mcp add docket -- docket mcp`. Standard output carries the protocol and nothing else.")]
pub struct McpArguments {
    /// Let the client approve and reject as well; without it, that is a person's to do
    #[arg(long)]
    pub allow_approvals: bool,
}

/// Arguments of `trust`.
#[derive(Debug, Args)]
pub struct TrustArguments {
    /// Trust without asking
    #[arg(long, short)]
    pub yes: bool,
    /// Only show what there is and how it stands
    #[arg(long, conflicts_with_all = ["yes", "forget"])]
    pub list: bool,
    /// Take back the trust in this project's files; what plugins were granted stays theirs until they change
    #[arg(long, conflicts_with = "yes")]
    pub forget: bool,
}

/// The commands about launchers and profiles.
#[derive(Debug, Subcommand)]
pub enum AgentCommand {
    /// List launchers and profiles, which is in force here and why, and whether the profiles' commands are there
    List(AgentListArguments),
}

/// Arguments of `agent list`.
#[derive(Debug, Args)]
pub struct AgentListArguments {
    /// What a run would be started with.
    #[command(flatten)]
    pub choice: LaunchArguments,
    /// Ask no program for its version; otherwise those of the agents that docket knows are asked
    #[arg(long)]
    pub no_probe: bool,
    /// Ask programs of your own for their versions, too: they are run with `--version`
    #[arg(long, conflicts_with = "no_probe")]
    pub probe_all: bool,
}

/// Which launcher and profile a run is to have.
#[derive(Debug, Clone, Default, Args)]
pub struct LaunchArguments {
    /// The launcher for its agents, whatever the definition says [env: DOCKET_LAUNCHER]
    #[arg(long)]
    pub launcher: Option<String>,
    /// The launcher profile of your config.yml [env: DOCKET_PROFILE]
    #[arg(long)]
    pub profile: Option<String>,
}

/// The commands about plugins.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// List the project's plugins, yours and the built-in ones, and how they stand
    List,
    /// Show what a plugin is, asks for and has, without running any of it
    Inspect {
        /// A plugin's name, or a .wasm file
        #[arg(value_name = "NAME OR FILE")]
        plugin: String,
    },
    /// Add a plugin, or an update of one, after showing what it asks for
    Add(AddArguments),
    /// Remove a plugin, what it was granted, and its caches
    Remove {
        /// The plugin's name or file
        #[arg(value_name = "NAME")]
        plugin: String,
        /// Remove without asking
        #[arg(long, short)]
        yes: bool,
    },
    /// Grant a plugin what it asks for, or some of it
    Grant {
        /// The plugin's name or file
        #[arg(value_name = "NAME")]
        plugin: String,
        /// What to grant, as `docket plugin inspect` lists it; everything it asks for when left out
        #[arg(value_name = "CAPABILITY")]
        capabilities: Vec<String>,
        /// Grant without asking
        #[arg(long, short)]
        yes: bool,
    },
    /// Take back what a plugin was granted, or some of it
    Revoke {
        /// The plugin's name or file
        #[arg(value_name = "NAME")]
        plugin: String,
        /// What to take back; everything when left out, and then it does not run any more
        #[arg(value_name = "CAPABILITY")]
        capabilities: Vec<String>,
    },
    /// Pin the project's plugins, as they are now, in .docket/plugins.lock
    Lock,
    /// The commands for whoever writes plugins.
    #[command(flatten)]
    Author(AuthorCommand),
}

/// Arguments of `plugin add`.
#[derive(Debug, Args)]
pub struct AddArguments {
    /// The .wasm file
    pub file: String,
    /// Put it into this project, and pin it there, instead of your own folder
    #[arg(long)]
    pub to_project: bool,
    /// Grant it this, as `docket plugin inspect` lists it, and nothing else; can be repeated
    #[arg(long, value_name = "CAPABILITY")]
    pub grant: Vec<String>,
    /// Add it and decide later; it does not run until it is granted something
    #[arg(long, conflicts_with_all = ["grant", "yes"])]
    pub no_grant: bool,
    /// Add it and grant what it asks for, without asking
    #[arg(long, short, conflicts_with = "grant")]
    pub yes: bool,
}

/// Arguments of `audit-log`.
#[derive(Debug, Args)]
pub struct AuditLogArguments {
    /// Only decisions of this kind: trusted, revoked, granted, denied, added or removed
    #[arg(long, value_name = "KIND")]
    pub decision: Option<String>,
    /// Only decisions about this: part of a file's or plugin's name, or the beginning of a hash
    #[arg(long, value_name = "TEXT")]
    pub about: Option<String>,
    /// Only decisions in this project
    #[arg(long)]
    pub this_project: bool,
    /// Only decisions since then: an age such as 7d (s, m, h, d or w), or a date such as 2026-11-22
    #[arg(long, value_name = "AGE OR DATE", value_parser = parse_since)]
    pub since: Option<Since>,
    /// Only the last so many
    #[arg(long, value_name = "NUMBER")]
    pub limit: Option<usize>,
}

/// Arguments of `review`.
#[derive(Debug, Args)]
pub struct ReviewArguments {
    /// The document: a path, or an id that its file name begins with
    pub document: String,
    /// What to look at
    #[arg(long)]
    pub perspective: Option<String>,
    /// The workflow, instead of the one for the document's kind
    #[arg(long)]
    pub workflow: Option<String>,
    /// How to run
    #[command(flatten)]
    pub run: RunArguments,
}

/// How to run a workflow.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "How to run")]
pub struct RunArguments {
    /// The launcher for its agents, whatever the definition says [env: DOCKET_LAUNCHER]
    #[arg(long)]
    pub launcher: Option<String>,
    /// The launcher profile of your config.yml [env: DOCKET_PROFILE]
    #[arg(long)]
    pub profile: Option<String>,
    /// Show what would be written instead of writing it
    #[arg(long)]
    pub dry_run: bool,
    /// Print the run's id and let it run in the background
    #[arg(long)]
    pub detach: bool,
    /// What it may use.
    #[command(flatten)]
    pub budget: BudgetArguments,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// The format; without it, all names are listed
    pub name: Option<String>,
}

/// The commands about workflows.
#[derive(Debug, Subcommand)]
pub enum WorkflowCommand {
    /// Start a workflow; `docket workflow start NAME --help` shows its inputs
    #[command(disable_help_flag = true, override_usage = "docket workflow start <NAME> [INPUTS] [OPTIONS]")]
    Start {
        /// The workflow's name, its inputs and options
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "NAME AND INPUTS")]
        rest: Vec<String>,
    },
    /// Show where a run stands
    Status(RunName),
    /// Show a run's log
    Logs {
        /// The run
        #[command(flatten)]
        run: RunName,
        /// What of it
        #[command(flatten)]
        which: LogArguments,
    },
    /// Pause a run after the stage that is running
    Pause(RunName),
    /// Continue a run that paused, conflicts, or whose docket died
    Resume(RunName),
    /// End a run
    Cancel(RunName),
    /// List this project's runs, newest first
    List {
        /// Only runs that stand like this
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
        /// Also runs whose folders were pruned, from the records that were kept
        #[arg(long)]
        archived: bool,
    },
    /// Show what came of a run
    Results {
        /// The run
        #[command(flatten)]
        run: RunName,
        /// Results as JSON or Markdown
        #[arg(long, value_enum)]
        format: Option<ResultsFormat>,
    },
    /// Answer a stage that waits: the result of an agent you ran yourself
    Submit {
        /// The run
        #[command(flatten)]
        run: RunName,
        /// A file with the answer as JSON; `-` reads standard input
        #[arg(long, short, value_name = "FILE")]
        file: String,
        /// The stage, when several wait
        #[arg(long)]
        stage: Option<String>,
    },
    /// Approve what a stage asks approval for
    Approve {
        /// The run
        #[command(flatten)]
        run: RunName,
        /// The stage, when several ask
        #[arg(long)]
        stage: Option<String>,
        /// What you have to say to it
        #[arg(long, short = 'm', value_name = "TEXT")]
        comment: Option<String>,
        /// A file with the form, filled in, as JSON, when the stage asks for one; `-` reads standard input
        #[arg(long, value_name = "FILE")]
        form: Option<String>,
    },
    /// Reject what a stage asks approval for: the stage fails, or earlier work is done again with your comment
    Reject {
        /// The run
        #[command(flatten)]
        run: RunName,
        /// The stage, when several ask
        #[arg(long)]
        stage: Option<String>,
        /// Send the work back: do this stage again, and all that build on it
        #[arg(long, value_name = "STAGE")]
        to: Option<String>,
        /// What is wrong; an agent that does the work again gets to read it
        #[arg(long, short = 'm', value_name = "TEXT")]
        comment: Option<String>,
    },
    /// Do what failed or was cancelled again, as a new attempt; with `--from`, a stage and all that build on it
    Retry {
        /// The run
        #[command(flatten)]
        run: RunName,
        /// The first stage to do again
        #[arg(long, value_name = "STAGE")]
        from: Option<String>,
        /// What the run may use from now on, what it has used included
        #[command(flatten)]
        budget: BudgetArguments,
    },
    /// Check definitions without running anything: all of the project's, or those named
    Check {
        /// Names of workflows, or files
        names: Vec<String>,
    },
    /// Show a run in full, or a definition by its name
    Show {
        /// A run's id or a workflow's name
        name: String,
        /// Who did what when: every attempt of every stage, with plugin, grants, times and usage
        #[arg(long)]
        timeline: bool,
    },
    /// Show the changes a run made, or would make, to files
    Diff(RunName),
    /// Check that runs are still what docket wrote: journals, results, contents, processes, files of the project
    Verify {
        /// The runs; without any, all of this project
        #[arg(value_name = "RUN")]
        runs: Vec<String>,
        /// The head of the run's journal as you kept it elsewhere: shows whether the journal was written anew
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
    },
    /// Remove the folders of runs that ended long ago, and what crashes left behind; their records stay
    Prune(PruneArguments),
}

/// Arguments of `workflow prune`.
#[derive(Debug, Args)]
pub struct PruneArguments {
    /// How long ago a run must have ended: a number with s, m, h, d or w
    #[arg(long, value_name = "AGE", default_value = "30d", value_parser = parse_age)]
    pub older_than: i64,
    /// Only show what would be removed
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Remove without asking
    #[arg(long, short)]
    pub yes: bool,
}

/// A moment in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// So many seconds ago.
    Age(i64),
    /// The begin of a day, where the user is.
    Day(jiff::civil::Date),
}

fn parse_since(text: &str) -> Result<Since, String> {
    parse_age(text).map(Since::Age).or_else(|_| {
        text.parse().map(Since::Day).map_err(|_| {
            "neither an age (a number with s, m, h, d or w, such as 7d) nor a date such as 2026-11-22"
                .to_owned()
        })
    })
}

/// An age in seconds: `30d`, `12h`, `0s`.
fn parse_age(text: &str) -> Result<i64, String> {
    let bad = || "an age is a number with s, m, h, d or w, such as 30d".to_owned();
    let unit = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(bad)?;
    let number: i64 = text[..unit].parse().map_err(|_| bad())?;
    let factor = match &text[unit..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return Err(bad()),
    };
    number.checked_mul(factor).ok_or_else(bad)
}

/// A run.
#[derive(Debug, Args)]
pub struct RunName {
    /// The run's id, such as wf-a1b2c3
    #[arg(value_name = "RUN")]
    pub run: String,
}

/// How to show results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResultsFormat {
    /// JSON.
    Json,
    /// Markdown.
    Markdown,
}
