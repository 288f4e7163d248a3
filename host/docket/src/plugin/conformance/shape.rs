//! What a file is made of: whether it is a component at all, and what it imports, exports and carries. Nothing of it
//! is compiled.

use wasmparser::{Parser, Payload};

use super::Findings;
use crate::plugin::imports::CONTRACT_INTERFACES;
use crate::plugin::manifest::{CONTRACT_PACKAGE, CONTRACTS, SECTION, STAGE_INTERFACE};

/// What an author does about a component that lacks a manifest or has one too many.
const MANIFEST_FIX: &str = "with Rust, use the `plugin!` macro once; with other languages, run `docket plugin pack` once on what the tool built";
/// How a component is built.
const BUILD_FIX: &str = "build it as a component: `cargo build --release --target wasm32-wasip2`, or the component tool of your language";
/// First bytes of files that are native code, with what they are.
const NATIVE: [(&[u8], &str); 8] = [
    (b"\x7fELF", "native code or a precompiled component (ELF)"),
    (b"MZ", "native code for Windows (PE)"),
    (b"\xfe\xed\xfa\xce", "native code for macOS (Mach-O)"),
    (b"\xfe\xed\xfa\xcf", "native code for macOS (Mach-O)"),
    (b"\xce\xfa\xed\xfe", "native code for macOS (Mach-O)"),
    (b"\xcf\xfa\xed\xfe", "native code for macOS (Mach-O)"),
    (b"\xca\xfe\xba\xbe", "native code for macOS (Mach-O)"),
    (b"!<arch>", "a library of native code"),
];
/// The packages of WASI 0.2 that docket answers.
const WASI_PACKAGES: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// What a component is made of.
pub(super) struct Shape {
    manifests: Vec<Vec<u8>>,
    /// The names of its imports.
    pub(super) imports: Vec<String>,
    exports: Vec<String>,
    /// Whether it could be read to its end.
    complete: bool,
}

/// Takes a component apart. `None` when it is none.
pub(super) fn read(bytes: &[u8], findings: &mut Findings) -> Option<Shape> {
    if !Parser::is_component(bytes) {
        no_component(bytes, findings);
        return None;
    }
    let mut shape = Shape { manifests: Vec::new(), imports: Vec::new(), exports: Vec::new(), complete: true };
    if let Err(cause) = shape.collect(bytes) {
        shape.complete = false;
        let at = cause.offset();
        let what = if at >= bytes.len() || cause.message().contains("unexpected end") {
            format!("it is cut short: {} bytes are there, and more are announced at byte {at}", bytes.len())
        } else {
            format!("it is damaged at byte {at}: {}", cause.message())
        };
        findings.error("unreadable", "component", what, "build it again, and copy all of it");
    }
    Some(shape)
}

fn no_component(bytes: &[u8], findings: &mut Findings) {
    let place = "component";
    if Parser::is_core_wasm(bytes) {
        let what = "it is a core WebAssembly module, not a component";
        return findings.error("core-module", place, what, BUILD_FIX);
    }
    if let Some((_, what)) = NATIVE.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return findings.error("native-code", place, format!("it is {what}, not WebAssembly"), BUILD_FIX);
    }
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(64)]);
    let what = match text.trim_start() {
        "" => "it is empty",
        text if text.starts_with("(component") || text.starts_with("(module") => {
            "it is WebAssembly as text, not as bytes"
        }
        _ if bytes.starts_with(b"\0asm") => "its WebAssembly version is none that docket knows",
        _ => "it is no WebAssembly: it does not begin like a component",
    };
    findings.error("not-wasm", place, what, BUILD_FIX);
}

impl Shape {
    fn collect(&mut self, bytes: &[u8]) -> Result<(), wasmparser::BinaryReaderError> {
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::CustomSection(section) if section.name() == SECTION => {
                    self.manifests.push(section.data().to_vec());
                }
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        self.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        self.exports.push(export?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The manifest's text, when there is exactly one.
    pub(super) fn manifest(&self, findings: &mut Findings) -> Option<&[u8]> {
        let place = format!("custom section '{SECTION}'");
        match self.manifests.as_slice() {
            [text] => Some(text),
            [] if !self.complete => None,
            [] => {
                findings.error("no-manifest", place, "there is no manifest", MANIFEST_FIX);
                None
            }
            several => {
                let what =
                    format!("there are {} manifests; which of them counts is not defined", several.len());
                findings.error("several-manifests", place, what, MANIFEST_FIX);
                None
            }
        }
    }

    /// Exports and imports, as the contract has them.
    pub(super) fn judge_contract(&self, findings: &mut Findings) {
        for import in &self.imports {
            self.judge_import(import, findings);
        }
        self.judge_sockets(findings);
        if !self.complete {
            return;
        }
        let version = CONTRACTS[CONTRACTS.len() - 1];
        let stage = format!("{STAGE_INTERFACE}{version}");
        if self.exports.contains(&stage) {
            return;
        }
        let near = self.exports.iter().find(|export| export.starts_with("docket:"));
        let what = match near {
            Some(near) => format!("it exports '{near}', but not '{stage}'"),
            None if self.exports.is_empty() => format!("it exports nothing; '{stage}' is needed"),
            None => format!("it does not export '{stage}', only: {}", self.exports.join(", ")),
        };
        let fix = "build it for the world `stage-plugin` of docket's wit/stage.wit (with Rust, the `plugin!` macro does so)";
        findings.error("no-stage", "exports", what, fix);
    }

    /// The network is imported by some languages' runtimes whether it is used or not: said once.
    fn judge_sockets(&self, findings: &mut Findings) {
        let count = self.imports.iter().filter(|import| import.starts_with("wasi:sockets/")).count();
        if count > 0 {
            let place = format!("imports 'wasi:sockets/…' ({count})");
            let fix = "leave out what uses the network; when the language's runtime imports it by itself, nothing has to be done";
            findings.warning("sockets", place, "there is no network: each use of it fails", fix);
        }
    }

    fn judge_import(&self, import: &str, findings: &mut Findings) {
        let place = format!("import '{import}'");
        if let Some(rest) = import.strip_prefix(CONTRACT_PACKAGE) {
            let (interface, version) = rest.split_once('@').unwrap_or((rest, ""));
            if !CONTRACTS.contains(&version) {
                let what = format!(
                    "contract version '{version}' is none that this docket has: {}",
                    CONTRACTS.join(", ")
                );
                findings.error(
                    "unknown-contract",
                    place,
                    what,
                    "use the SDK or wit/stage.wit of one of these versions",
                );
            } else if !CONTRACT_INTERFACES.contains(&interface) {
                let what = format!("contract {version} has no interface '{interface}'");
                let fix = format!("it has: {}", CONTRACT_INTERFACES.join(", "));
                findings.error("unknown-import", place, what, fix);
            }
            return;
        }
        if import.starts_with("wasi:http/") {
            let fix = "switch it off in the tool that built it (componentize-js: `--disable http --disable fetch-event`); there is no network in the sandbox";
            return findings.error("unknown-import", place, "docket has no HTTP for plugins", fix);
        }
        let is_wasi = WASI_PACKAGES.iter().any(|package| import.starts_with(package));
        let is_0_2 = import.rsplit_once('@').is_some_and(|(_, version)| version.starts_with("0.2."));
        match (is_wasi, is_0_2) {
            (true, true) => {}
            (true, false) => {
                let fix = "build it for WASI 0.2, such as with Rust's target wasm32-wasip2";
                findings.error("unknown-import", place, "docket has WASI 0.2 and no other version", fix);
            }
            (false, _) => {
                let fix = "a plugin may import `docket:stage` 0.1 and WASI 0.2 (cli, clocks, filesystem, io, random, sockets), nothing else";
                findings.error("unknown-import", place, "nobody answers it", fix);
            }
        }
    }
}
