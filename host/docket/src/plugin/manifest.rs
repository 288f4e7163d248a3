//! What a component says about itself without being run: the JSON in its custom section `docket:manifest`, and what
//! it imports.

use docket_core::definition::StageType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmparser::{Parser, Payload};

/// The custom section's name.
pub(super) const SECTION: &str = "docket:manifest";
/// The contract versions this docket runs.
pub(super) const CONTRACTS: [&str; 1] = ["0.1.0"];
/// What an exported stage interface is called.
pub(super) const STAGE_INTERFACE: &str = "docket:stage/stage@";
/// The package whose versions count.
pub(super) const CONTRACT_PACKAGE: &str = "docket:stage/";
/// Largest manifest that is read.
pub(super) const MAX_MANIFEST: usize = 1024 * 1024;

/// A plugin's manifest. Published as `docket schema plugin-manifest`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The contract version it was built for.
    pub contract: String,
    /// The plugin's name.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// For a plugin that serves `agent`: the launcher's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launcher: Option<String>,
    /// The stage types it serves.
    pub stages: Vec<StageManifest>,
    /// What it asks for.
    #[serde(default)]
    pub capabilities: Capabilities,
}

/// A stage type that a plugin serves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageManifest {
    /// Its name, as in a stage's `type`.
    #[serde(rename = "type")]
    pub stage_type: String,
    /// What it does, in a sentence.
    pub description: String,
    /// JSON Schema of its config.
    pub config: Value,
    /// JSON Schema of its result.
    pub result: Value,
}

/// What a plugin asks for. Nothing asked for is nothing had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Capabilities {
    /// Folders and files to read: project paths, `.` for the whole project without hidden and ignored entries, or
    /// `${config.name}` for the path in that config field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
    /// Files to propose: project paths, globs, or `${config.name}`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<String>,
    /// Whether it runs the command of the launcher profile.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub exec: bool,
    /// Whether it keeps a private cache across runs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cache: bool,
}

impl Capabilities {
    /// Each capability as a short text: what is shown, granted and recorded.
    pub fn listed(&self) -> Vec<String> {
        let read = self.read.iter().map(|path| format!("read {path}"));
        let write = self.write.iter().map(|path| format!("write {path}"));
        let exec = self.exec.then(|| "run the launcher profile's command".to_owned());
        let cache = self.cache.then(|| "keep a private cache".to_owned());
        read.chain(write).chain(exec).chain(cache).collect()
    }
}

/// Why bytes are no plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not WebAssembly, cut short, or garbage.
    #[error("is no readable WebAssembly: {0}")]
    NotWasm(String),
    /// A core module.
    #[error("is a core WebAssembly module, not a component; build it for the target wasm32-wasip2")]
    CoreModule,
    /// A component of something else.
    #[error("has no docket manifest (custom section '{SECTION}'); use the `plugin!` macro of docket-plugin")]
    NoManifest,
    /// Two manifests.
    #[error("has more than one docket manifest")]
    TwoManifests,
    /// A manifest that can't be read.
    #[error("has a manifest that can't be used: {0}")]
    Bad(String),
    /// A file that can't be read, or may not be.
    #[error("can't be used: {0}")]
    Unreadable(String),
    /// A contract version this docket does not know.
    #[error("was built for contract {CONTRACT_PACKAGE}… {0}; this docket runs {known}", known = CONTRACTS.join(", "))]
    Contract(String),
    /// Does not export a stage.
    #[error("does not export '{STAGE_INTERFACE}{known}'", known = CONTRACTS[0])]
    NoStage,
}

/// What a component says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspected {
    /// Its manifest.
    pub manifest: Manifest,
    /// The names of its imports.
    pub imports: Vec<String>,
}

/// Reads a component's manifest and imports. None of its code is run or compiled.
///
/// # Errors
/// Why the bytes are no plugin for this docket.
pub fn inspect(bytes: &[u8]) -> Result<Inspected, ManifestError> {
    if !wasmparser::Parser::is_component(bytes) {
        return Err(if Parser::is_core_wasm(bytes) {
            ManifestError::CoreModule
        } else {
            ManifestError::NotWasm("it does not begin like a component".to_owned())
        });
    }
    let mut text = None;
    let mut imports = Vec::new();
    let mut exports = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        let not_wasm = |cause: wasmparser::BinaryReaderError| ManifestError::NotWasm(cause.to_string());
        match payload.map_err(not_wasm)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section)
                if section.name() == SECTION && text.replace(section.data().to_vec()).is_some() =>
            {
                return Err(ManifestError::TwoManifests);
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(not_wasm)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(not_wasm)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    let manifest = parse(&text.ok_or(ManifestError::NoManifest)?)?;
    check_contract(&manifest, &imports, &exports)?;
    Ok(Inspected { manifest, imports })
}

fn parse(text: &[u8]) -> Result<Manifest, ManifestError> {
    let bad = |detail: String| ManifestError::Bad(detail);
    if text.len() > MAX_MANIFEST {
        return Err(bad(format!("it is larger than {MAX_MANIFEST} bytes")));
    }
    // The contract comes first: a manifest for a newer one may have fields this docket does not know.
    let value: Value = serde_json::from_slice(text).map_err(|cause| bad(cause.to_string()))?;
    if let Some(contract) = value.get("contract").and_then(Value::as_str)
        && !CONTRACTS.contains(&contract)
    {
        return Err(ManifestError::Contract(contract.escape_debug().to_string()));
    }
    let manifest: Manifest = serde_json::from_value(value).map_err(|cause| bad(cause.to_string()))?;
    let plain = is_plain;
    if !plain(&manifest.name) {
        return Err(bad("`name` must be letters, digits, '-', '_' or '.', at most 64".to_owned()));
    }
    if !plain(&manifest.version) && !manifest.version.contains('+') {
        return Err(bad("`version` must be a version such as 1.2.3".to_owned()));
    }
    if manifest.stages.is_empty() {
        return Err(bad("`stages` is empty: it serves nothing".to_owned()));
    }
    if let Some(stage) = manifest.stages.iter().find(|stage| !plain(&stage.stage_type)) {
        return Err(bad(format!(
            "stage type '{}' must be letters, digits, '-' or '_'",
            stage.stage_type.escape_debug()
        )));
    }
    let serves_agent = manifest.stages.iter().any(|stage| stage.stage_type == "agent");
    match (&manifest.launcher, serves_agent) {
        (None, true) => Err(bad("it serves `agent` and so must name its `launcher`".to_owned())),
        (Some(_), false) => Err(bad("it names a `launcher` but does not serve `agent`".to_owned())),
        (Some(name), true) if !plain(name) => Err(bad("`launcher` must be a plain name".to_owned())),
        _ => Ok(manifest),
    }
}

/// Whether a text is a name as manifests have them.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 64 && name.chars().all(plain)
}

fn check_contract(manifest: &Manifest, imports: &[String], exports: &[String]) -> Result<(), ManifestError> {
    let version_of = |name: &String| {
        let (_, version) = name.strip_prefix(CONTRACT_PACKAGE)?.rsplit_once('@')?;
        (!CONTRACTS.contains(&version)).then(|| version.to_owned())
    };
    if let Some(version) = imports.iter().chain(exports).find_map(version_of) {
        return Err(ManifestError::Contract(version));
    }
    let stage = format!("{STAGE_INTERFACE}{}", manifest.contract);
    if exports.contains(&stage) { Ok(()) } else { Err(ManifestError::NoStage) }
}

impl Manifest {
    /// The stage types as definitions are checked against.
    pub fn stage_types(&self) -> impl Iterator<Item = StageType> + '_ {
        self.stages.iter().map(|stage| StageType {
            name: stage.stage_type.clone(),
            config: stage.config.clone(),
            result: stage.result.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_told_apart() {
        assert!(matches!(inspect(b"hello"), Err(ManifestError::NotWasm(_))));
        assert!(matches!(inspect(b""), Err(ManifestError::NotWasm(_))));
        assert_eq!(inspect(b"\0asm\x01\0\0\0"), Err(ManifestError::CoreModule));
        assert_eq!(inspect(b"\0asm\x0d\0\x01\0"), Err(ManifestError::NoManifest));
    }

    #[test]
    fn manifests_that_make_no_sense_are_refused() {
        let parse = |text: &str| parse(text.as_bytes()).map_err(|error| error.to_string());
        assert!(parse("{").is_err());
        let future = parse(r#"{"contract":"0.2.0","surprise":1}"#).expect_err("newer");
        assert!(future.contains("0.2.0") && future.contains("0.1.0"), "{future}");
        let text = |rest: &str| {
            format!(r#"{{"contract":"0.1.0","name":"a","version":"1.0.0","description":"",{rest}}}"#)
        };
        assert!(parse(&text(r#""stages":[]"#)).is_err());
        let agent = r#""stages":[{"type":"agent","description":"","config":{},"result":{}}]"#;
        assert!(parse(&text(agent)).expect_err("no launcher").contains("launcher"));
        assert!(parse(&text(&format!(r#"{agent},"launcher":"x""#))).is_ok());
    }
}
