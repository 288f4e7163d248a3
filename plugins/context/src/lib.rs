//! The stage type `context`: gathers what somebody needs to know to work on one document.
//!
//! [`settings`] reads the config, [`inventory`] lists the project's files, [`catalog`] reads each document once, and
//! keeps what it says by itself as [`facts`]. Across all facts [`identifiers`] and [`resolve`] tell what refers to what,
//! [`citations`], [`references`], [`related`] and [`commands`] each find one kind of relation, and [`gather`] puts them together as a
//! [`package::ContextPackage`]. The same project and document always give the same package. Writes nothing.

mod address;
pub mod catalog;
pub mod citations;
pub mod commands;
mod excerpt;
pub mod facts;
pub mod gather;
pub mod identifiers;
pub mod inventory;
mod nearest;
pub mod package;
mod programs;
pub mod references;
pub mod related;
pub mod resolve;
pub mod settings;

use std::path::Path;

use docket_plugin::report::{self, Level};
use docket_plugin::{Error, Outcome, Request, Stage, guest_path, plugin};

use crate::gather::gather;
use crate::settings::Settings;

/// The stage type `context`.
pub struct Context;

impl Stage for Context {
    fn run(request: &Request) -> Result<Outcome, Error> {
        let root = Path::new(guest_path::PROJECT);
        let settings = Settings::read(request, root)?;
        report::progress(format!("Reading the documents around {}", settings.target));
        let package = gather(root, &settings)?;
        let documents = package.related.adrs.len()
            + package.related.rfcs.len()
            + package.related.architecture.len()
            + package.related.documents.len();
        report::progress(format!("Found {}", counted(documents, "related document")));
        report::progress(format!(
            "Found {}",
            counted(package.patterns.cli_commands.len(), "affected command")
        ));
        for broken in package.references.iter().filter(|reference| reference.broken) {
            let line = broken.line;
            report::log(Level::Warn, format!("{}:{line}: '{}' leads nowhere", package.target, broken.text));
        }
        let value = serde_json::to_value(&package).map_err(|cause| {
            Error::new("package-unwritable", format!("BUG: the package can't be written: {cause}"))
        })?;
        Ok(Outcome::Completed(value))
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

plugin!(Context, manifest = "../manifest.json");
