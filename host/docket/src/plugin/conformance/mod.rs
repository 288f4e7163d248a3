//! Everything that is wrong with a component, for whoever writes one: `docket plugin check`.
//!
//! [`examine`] reads the bytes and runs nothing; [`trial`] runs the plugin in a sandbox with nothing in it. Both go on
//! after a finding, so that an author mends everything at once. What is refused when a plugin is loaded must never
//! pass here: whatever the parts below don't find is asked of [`super::manifest::inspect`] at the end.

mod asked;
mod finding;
mod manifest_text;
mod sample;
mod schemas;
mod shape;
pub mod trial;

use serde_json::Value;

use super::limits::Limits;
use super::manifest::{Manifest, inspect};
pub use finding::{Finding, Findings, Severity};

/// A component that is larger than this part of the limit is said to be large.
const LARGE: u64 = 2;

/// What reading a component's bytes gave.
#[derive(Debug)]
pub struct Examined {
    /// What is wrong with it.
    pub findings: Findings,
    /// Its manifest, when it is one that docket takes.
    pub manifest: Option<Manifest>,
    /// What it imports, as far as the bytes could be read.
    pub imports: Vec<String>,
}

/// Reads a component's bytes and says everything that is wrong with them. `built_in` are the stage types of docket's
/// own plugins. None of its code is run or compiled.
pub fn examine(bytes: &[u8], limits: &Limits, built_in: &[String]) -> Examined {
    let mut findings = Findings::default();
    let shape = shape::read(bytes, &mut findings);
    let Some(shape) = shape else {
        return Examined { findings, manifest: None, imports: Vec::new() };
    };
    let value = shape.manifest(&mut findings).and_then(|text| manifest_text::json(text, &mut findings));
    if let Some(value) = &value {
        examine_manifest(value, built_in, &mut findings);
        asked::processes(value, &shape.imports, &mut findings);
    }
    shape.judge_contract(&mut findings);
    // The last word is that of what loads plugins.
    let manifest = match inspect(bytes) {
        Ok(inspected) => {
            size(bytes, &inspected.manifest.capabilities.limits.raise(*limits), &mut findings);
            Some(inspected.manifest)
        }
        Err(error) => {
            if !findings.has_errors() {
                findings.error("refused", "component", error.to_string(), "mend what is said here");
            }
            // What it would ask for can't be read.
            size(bytes, limits, &mut findings);
            None
        }
    };
    Examined { findings, manifest, imports: shape.imports }
}

/// Says everything that is wrong with a manifest's text, as when it is to be packed into a component.
pub fn examine_text(text: &[u8], built_in: &[String]) -> Findings {
    let mut findings = Findings::default();
    if let Some(value) = manifest_text::json(text, &mut findings) {
        examine_manifest(&value, built_in, &mut findings);
    }
    findings
}

fn examine_manifest(value: &Value, built_in: &[String], findings: &mut Findings) {
    if !manifest_text::contract(value, findings) {
        // A manifest for another contract may have other fields.
        return;
    }
    manifest_text::fields(value, findings);
    manifest_text::names(value, built_in, findings);
    let stages = value.get("stages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (index, stage) in stages.iter().enumerate() {
        schemas::stage(stage, &format!("/stages/{index}"), findings);
    }
    asked::capabilities(value, stages, findings);
    asked::variables(value, findings);
    asked::commands(value, findings);
}

fn size(bytes: &[u8], limits: &Limits, findings: &mut Findings) {
    const MIB: u64 = 1024 * 1024;
    let size = bytes.len() as u64;
    if size > limits.component {
        findings.error(
            "too-large",
            "component",
            format!("it is {} MiB; docket loads at most {} MiB", size.div_ceil(MIB), limits.component / MIB),
            "build it for size (`opt-level = \"s\"`, `lto`, `strip`), or have users raise `limits: { component_mib: … }`",
        );
    } else if size > limits.component / LARGE {
        findings.warning(
            "large",
            "component",
            format!("it is {} MiB, more than half of what docket loads", size.div_ceil(MIB)),
            "build it for size (`opt-level = \"s\"`, `lto`, `strip`)",
        );
    }
}

#[cfg(test)]
mod tests;
