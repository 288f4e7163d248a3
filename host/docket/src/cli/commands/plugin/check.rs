//! `docket plugin check`: everything that is wrong with a component, for whoever writes it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::cli::author_args::CheckPluginArguments;
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::wire::{CheckedStage, PluginCheckShape};
use crate::engine::conformance;
use crate::plugin::conformance::{Finding, Severity};
use crate::store::user_file;

/// Largest file that is looked at; a component may be a quarter of that.
const MAX_FILE: u64 = 256 * 1024 * 1024;

/// `docket plugin check FILE`
pub(super) fn check(
    settings: &Settings,
    arguments: &CheckPluginArguments,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let file = component(&settings.folder.join(&arguments.component))?;
    let bytes = read(&file)?;
    let size = bytes.len() as u64;
    let checked = conformance::check(bytes, &settings.home, &settings.limits()?);
    let shown = file.strip_prefix(&settings.folder).unwrap_or(&file).display().to_string();
    let stage = |(stage_type, ended): (String, String)| CheckedStage { stage_type, ended };
    let shape = PluginCheckShape {
        file: shown,
        sha256: checked.sha256,
        bytes: size,
        ok: !checked.findings.iter().any(|finding| finding.severity == Severity::Error),
        name: checked.manifest.as_ref().map(|manifest| manifest.name.clone()),
        version: checked.manifest.as_ref().map(|manifest| manifest.version.clone()),
        asks_for: checked.manifest.map(|manifest| manifest.capabilities.listed()).unwrap_or_default(),
        imports: checked.imports,
        times: checked.times,
        stages: checked.endings.into_iter().map(stage).collect(),
        findings: checked.findings,
    };
    ui.result(&text(&shape), &shape)?;
    verdict(&shape.file, &shape.findings)?;
    Ok(ExitCode::Done)
}

/// Fails when a finding is an error.
pub(super) fn verdict(file: &str, findings: &[Finding]) -> Result<(), CliError> {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if errors == 0 {
        return Ok(());
    }
    let plural = if errors == 1 { "thing" } else { "things" };
    Err(CliError::mistake(
        format!("{file} is no plugin yet: {errors} {plural} to mend"),
        "each says above what mends it; `docket schema plugin-manifest` has what a manifest may say",
    ))
}

/// Reads a component, whatever it is.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    user_file::read_bytes(file, MAX_FILE)
        .map_err(|error| CliError::mistake(error.to_string(), "name the component that your build made"))
}

/// The component: the file itself, or what cargo built in a folder.
fn component(path: &Path) -> Result<PathBuf, CliError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let release = path.join("target/wasm32-wasip2/release");
    let hint = "run `cargo build --release` there, or name the .wasm file";
    let mut found = user_file::named(&release, "wasm").unwrap_or_default();
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(CliError::mistake(format!("{} has no component", release.display()), hint)),
        (Some(_), false) => Err(CliError::mistake(
            format!("{} has several components", release.display()),
            "name one of them",
        )),
    }
}

fn text(shape: &PluginCheckShape) -> String {
    let mut text = findings(&shape.findings);
    let who = match (&shape.name, &shape.version) {
        (Some(name), Some(version)) => format!("{name} {version}"),
        _ => shape.file.clone(),
    };
    let warnings = shape.findings.iter().filter(|finding| finding.severity == Severity::Warning).count();
    let verdict = match (shape.ok, warnings) {
        (false, _) => "❌ not ready",
        (true, 0) => "✅ nothing to mend",
        (true, _) => "✅ works; the warnings above are worth a look",
    };
    let _ = write!(text, "{who}: {verdict}\n   {} KiB, sha256 {}", shape.bytes.div_ceil(1024), shape.sha256);
    if shape.name.is_some() {
        let asks = if shape.asks_for.is_empty() { "nothing".to_owned() } else { shape.asks_for.join(", ") };
        let _ = write!(text, "\n   asks to: {asks}");
    }
    if let Some(times) = &shape.times {
        let _ = write!(text, "\n   compiled in {} ms", times.compile_ms);
    }
    for stage in &shape.stages {
        let _ = write!(text, "\n   '{}' in an empty project: {}", stage.stage_type, stage.ended);
    }
    docket_core::text::printable_lines(&text)
}

/// Findings, for people.
pub(super) fn findings(list: &[Finding]) -> String {
    let mut text = String::new();
    for finding in list {
        let symbol = match finding.severity {
            Severity::Error => "❌ error",
            Severity::Warning => "⚠️  warning",
        };
        let what = finding.what.replace('\n', "\n   ");
        let _ = writeln!(
            text,
            "{symbol} [{}] {}\n   {what}\n   fix: {}\n",
            finding.code, finding.place, finding.fix
        );
    }
    text
}
