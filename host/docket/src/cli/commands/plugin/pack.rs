//! `docket plugin pack`: puts a manifest into a component that another language's tools built.

use docket_core::run::sha256;

use super::check::{findings, read, verdict};
use crate::cli::args::Output;
use crate::cli::author_args::PackPluginArguments;
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::wire::PackShape;
use crate::disk::{Durability, replace};
use crate::engine::conformance;
use crate::store::user_file;

/// Largest manifest that is read.
const MAX_MANIFEST: u64 = 1024 * 1024;

/// `docket plugin pack FILE --manifest FILE -o FILE`
pub(super) fn pack(
    settings: &Settings,
    arguments: &PackPluginArguments,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let manifest = user_file::read_bytes(&settings.folder.join(&arguments.manifest), MAX_MANIFEST)
        .map_err(|error| CliError::mistake(error.to_string(), "name the manifest with `--manifest FILE`"))?;
    let component = read(&settings.folder.join(&arguments.component))?;
    let packed = conformance::pack(&component, &manifest, &settings.limits()?);
    let found = &packed.findings;
    if ui.output() == Output::Human && !found.is_empty() {
        ui.say(&docket_core::text::printable_lines(&findings(found)));
    }
    let out = settings.folder.join(&arguments.out);
    let shape = PackShape {
        file: arguments.out.display().to_string(),
        sha256: sha256(&packed.bytes),
        bytes: packed.bytes.len() as u64,
        ok: packed.is_plugin,
        findings: packed.findings,
    };
    if shape.ok {
        replace(&out, &packed.bytes, Durability::Derived)?;
    }
    let text = if shape.ok {
        format!("{}: {} KiB, sha256 {}", shape.file, shape.bytes.div_ceil(1024), shape.sha256)
    } else {
        String::new()
    };
    ui.result(&text, &shape)?;
    verdict(&arguments.component.display().to_string(), &shape.findings)?;
    if ui.output() == Output::Human {
        ui.say(&format!("next: docket plugin check {}", shape.file));
    }
    Ok(ExitCode::Done)
}
