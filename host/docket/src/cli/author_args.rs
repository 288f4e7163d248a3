//! Arguments of the commands for whoever writes plugins: `docket plugin new|check|pack`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The commands for whoever writes plugins.
#[derive(Debug, Subcommand)]
pub enum AuthorCommand {
    /// Make a folder with a new plugin in Rust, which builds as it is
    New(NewPluginArguments),
    /// Say everything that is wrong with a component: reads it, and tries it in an empty sandbox
    Check(CheckPluginArguments),
    /// Put a manifest into a component that another language's tools built
    Pack(PackPluginArguments),
    /// Print the contract in WIT, which other languages' tools make a component from
    Wit,
}

/// Arguments of `plugin new`.
#[derive(Debug, Args)]
pub struct NewPluginArguments {
    /// The plugin's name, which is that of its stage type, too: lower-case letters, digits and '-'
    pub name: String,
    /// The folder to make, instead of one with the plugin's name here
    #[arg(long, value_name = "DIR")]
    pub path: Option<PathBuf>,
    /// With a manifest file, for schemas of config and result and for what it asks for
    #[arg(long)]
    pub manifest: bool,
}

/// Arguments of `plugin check`.
#[derive(Debug, Args)]
pub struct CheckPluginArguments {
    /// The component, or the folder of a Rust crate that was built for release
    #[arg(value_name = "FILE")]
    pub component: PathBuf,
}

/// Arguments of `plugin pack`.
#[derive(Debug, Args)]
pub struct PackPluginArguments {
    /// The component as your language's tools built it
    #[arg(value_name = "FILE")]
    pub component: PathBuf,
    /// The manifest
    #[arg(long, value_name = "FILE", default_value = "manifest.json")]
    pub manifest: PathBuf,
    /// The plugin to write; one that is there is replaced
    #[arg(long, short = 'o', value_name = "FILE")]
    pub out: PathBuf,
}
