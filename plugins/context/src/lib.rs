//! The stage type `context`: gathers what somebody needs to know to work on one document.
//!
//! [`settings`] reads the config, [`inventory`] lists the project's files, [`catalog`] has what each file says by itself:
//! documents as [`facts`], code as [`source`]; the [`index`] keeps it from run to run. Across all facts [`identifiers`] and
//! [`resolve`] tell what refers to what; [`citations`], [`references`], [`related`], [`commands`], [`code`] and [`history`]
//! each find one kind of relation; [`gather`] puts them together as a [`package::ContextPackage`], and [`budget`] makes it fit. The same
//! project and document always give the same package. Writes nothing but the index.

mod address;
pub mod budget;
pub mod catalog;
pub mod citations;
pub mod code;
pub mod commands;
mod disk;
mod excerpt;
pub mod facts;
pub mod gather;
pub mod history;
pub mod identifiers;
pub mod index;
pub mod inventory;
mod nearest;
pub mod package;
pub mod reading;
pub mod references;
pub mod related;
pub mod resolve;
pub mod session;
pub mod settings;
pub mod source;
pub mod strategy;
pub mod words;

use std::path::Path;

use docket_plugin::report::{self, Level};
use docket_plugin::{Error, Outcome, Request, Stage, guest_path, plugin};

use crate::gather::gather;
use crate::package::ContextPackage;
use crate::settings::{PROJECT, Settings};

/// The stage type `context`.
pub struct Context;

impl Stage for Context {
    fn run(request: &Request) -> Result<Outcome, Error> {
        let root = Path::new(guest_path::PROJECT);
        let settings = Settings::read(request, root)?;
        let cache = Some(Path::new(guest_path::CACHE)).filter(|folder| folder.is_dir());
        report::progress(if settings.target == PROJECT {
            "Looking where the project stands".to_owned()
        } else {
            format!("Reading the documents around {}", settings.target)
        });
        let package = gather(root, cache, &settings)?;
        tell(&package);
        let value = serde_json::to_value(&package).map_err(|cause| {
            Error::new("package-unwritable", format!("BUG: the package can't be written: {cause}"))
        })?;
        Ok(Outcome::Completed(value))
    }
}

/// Says what was found.
fn tell(package: &ContextPackage) {
    let related = &package.related;
    let documents =
        related.adrs.len() + related.rfcs.len() + related.architecture.len() + related.documents.len();
    report::progress(format!("Found {}", counted(documents, "related document")));
    report::progress(format!("Found {}", counted(package.patterns.cli_commands.len(), "affected command")));
    for broken in package.references.iter().filter(|reference| reference.broken) {
        let line = broken.line;
        report::log(Level::Warn, format!("{}:{line}: '{}' leads nowhere", package.target, broken.text));
    }
    package.notes.iter().for_each(|note| report::log(Level::Info, &note.message));
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

plugin!(Context, manifest = "../manifest.json");
