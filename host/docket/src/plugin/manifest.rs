//! What a component says about itself without being run: the JSON in its custom section `docket:manifest`, and what
//! it imports.

use docket_core::definition::StageType;
use docket_core::text::printable;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmparser::{Parser, Payload};

pub use super::capabilities::Capabilities;

/// The custom section's name.
pub(super) const SECTION: &str = "docket:manifest";
/// The contract versions this docket runs.
pub(super) const CONTRACTS: [&str; 1] = ["0.1.0"];
/// What an exported stage interface is called.
pub(super) const STAGE_INTERFACE: &str = "docket:stage/stage@";
/// The package whose versions count.
pub(super) const CONTRACT_PACKAGE: &str = "docket:stage/";
/// Longest text of what is wrong, in characters.
const MAX_TOLD: usize = 1_000;
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
    /// For a launcher: the agents that a profile's `agent` may name. Any when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<String>,
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
    #[error("was built for contract {CONTRACT_PACKAGE}… {0}; this docket runs {known}; {fix}", known = CONTRACTS.join(", "), fix = super::imports::other_contract(.0))]
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
        let not_wasm =
            |cause: wasmparser::BinaryReaderError| ManifestError::NotWasm(told(&cause.to_string()));
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
    let bad = |detail: String| ManifestError::Bad(told(&detail));
    if text.len() > MAX_MANIFEST {
        return Err(bad(format!("it is larger than {MAX_MANIFEST} bytes")));
    }
    // The contract comes first: a manifest for a newer one may have fields this docket does not know.
    let value: Value = serde_json::from_slice(text).map_err(|cause| bad(cause.to_string()))?;
    if let Some(contract) = value.get("contract").and_then(Value::as_str)
        && !CONTRACTS.contains(&contract)
    {
        return Err(ManifestError::Contract(told(contract)));
    }
    let manifest: Manifest = serde_json::from_value(value).map_err(|cause| bad(cause.to_string()))?;
    let plain = is_plain;
    if !plain(&manifest.name) {
        return Err(bad("`name` must be letters, digits, '-', '_' or '.', at most 64".to_owned()));
    }
    // What follows a `+` names the build.
    if !plain(&manifest.version.replacen('+', ".", 1)) {
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
    if let Some(name) = manifest.capabilities.env.iter().find(|name| !is_variable(name)) {
        return Err(bad(format!(
            "`capabilities.env` names '{}'; a variable's name is letters, digits and '_', no digit first",
            name.escape_debug()
        )));
    }
    if let Some(name) = manifest.capabilities.commands.iter().find(|name| !is_plain(name)) {
        return Err(bad(format!(
            "`capabilities.commands` names '{}'; a command is named as on PATH, without a path or arguments",
            name.escape_debug()
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

/// What a file says, or what is said of it, as it is shown: harmless to a terminal, and no longer than anybody reads.
fn told(text: &str) -> String {
    let text = printable(text);
    match text.char_indices().nth(MAX_TOLD) {
        Some((end, _)) => format!("{}… (cut)", &text[..end]),
        None => text,
    }
}

/// Whether a text is a name as manifests have them.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 64 && name.chars().all(plain)
}

/// Names that every shell can set; `=` and NUL can't be part of one at all.
pub(super) fn is_variable(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && name.len() <= 128
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
}

fn check_contract(manifest: &Manifest, imports: &[String], exports: &[String]) -> Result<(), ManifestError> {
    let version_of = |name: &String| {
        let (_, version) = name.strip_prefix(CONTRACT_PACKAGE)?.rsplit_once('@')?;
        (!CONTRACTS.contains(&version)).then(|| told(version))
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
        let endless = parse(&text(&format!(r#""{}\u001b[2J":1,"stages":[]"#, "x".repeat(100_000))))
            .expect_err("unknown");
        assert!(endless.len() < 5_000 && !endless.contains('\u{1b}'), "{endless}");
        for (version, is_good) in
            [("1.0.0+build.7", true), ("1+\u{1b}[2J", false), ("1+2+3", false), ("", false)]
        {
            let manifest = format!(
                r#"{{"contract":"0.1.0","name":"a","version":{},"description":"","stages":[{{"type":"t","description":"","config":{{}},"result":{{}}}}]}}"#,
                Value::from(version)
            );
            assert_eq!(parse(&manifest).is_ok(), is_good, "{version}");
        }
        let agent = r#""stages":[{"type":"agent","description":"","config":{},"result":{}}]"#;
        assert!(parse(&text(agent)).expect_err("no launcher").contains("launcher"));
        assert!(parse(&text(&format!(r#"{agent},"launcher":"x""#))).is_ok());
        let asking = |capabilities: &str| {
            parse(&text(&format!(r#"{agent},"launcher":"x","capabilities":{capabilities}"#)))
        };
        for (capabilities, named) in [
            (r#"{"env":["A=B"]}"#, "'A=B'"),
            (r#"{"env":["1A"]}"#, "'1A'"),
            (r#"{"env":[""]}"#, "''"),
            (r#"{"commands":["/bin/sh"]}"#, "'/bin/sh'"),
            (r#"{"commands":["git log"]}"#, "'git log'"),
            (r#"{"commands":[""]}"#, "''"),
            (r#"{"limits":{"memory":1}}"#, "`memory`"),
            (r#"{"limits":{"wall_clock":1}}"#, "`wall_clock`"),
            (r#"{"limits":{"cpu":"10 minutes"}}"#, "10 minutes"),
            (r#"{"network":["*"]}"#, "`network`"),
        ] {
            let error = asking(capabilities).expect_err("refused");
            assert!(error.contains(named), "{capabilities}: {error}");
        }
        let asked = asking(r#"{"env":["_A1"],"limits":{"cpu":"10m","memory_mib":512}}"#).expect("fine");
        assert_eq!(asked.capabilities.env, ["_A1"]);
        assert_eq!(asked.capabilities.limits.cpu.map(|cpu| cpu.seconds), Some(600));
    }
}
