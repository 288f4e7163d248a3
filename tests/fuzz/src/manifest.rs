//! What a `.wasm` file says about itself: any bytes, and any manifest in a component that has one.
//!
//! What holds: looking twice finds the same. What is taken has plain names, a contract that docket runs and at least one
//! stage type, and its manifest written down and put into a component is taken for the same. What is said of the rest
//! holds nothing that a terminal obeys, and is not endless.

use docket::plugin::manifest::inspect;

use crate::assert_harmless;

/// Longest message that makes sense, in characters.
const LONGEST_MESSAGE: usize = 4_000;
/// The name of the section with the manifest.
const SECTION: &str = "docket:manifest";
/// The beginning of every component.
const PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";
/// What a stage is exported as.
const EXPORT: &str = "docket:stage/stage@0.1.0";

/// Runs the target: the first byte chooses between a whole file and a manifest.
pub fn manifest(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    if mode.is_multiple_of(2) { whole(rest) } else { whole(&component(rest)) }
}

fn whole(bytes: &[u8]) {
    let looked = inspect(bytes);
    assert_eq!(looked, inspect(bytes), "looked at twice");
    let found = match looked {
        Ok(found) => found,
        Err(error) => {
            let message = error.to_string();
            assert_harmless("what is said of a file", &message);
            assert!(message.chars().count() <= LONGEST_MESSAGE, "a long message: {message}");
            return;
        }
    };
    let manifest = &found.manifest;
    assert_eq!(manifest.contract, "0.1.0", "a contract that docket does not run");
    assert!(!manifest.stages.is_empty(), "a plugin that serves nothing");
    let names = manifest.stages.iter().map(|stage| &stage.stage_type).chain([&manifest.name]);
    for name in names.chain(&manifest.launcher) {
        let plain = name.chars().all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it));
        assert!(plain && !name.is_empty() && name.len() <= 64, "not a plain name: {name:?}");
    }
    assert!(manifest.version.len() <= LONGEST_MESSAGE, "an endless version");
    assert_harmless("a version", &manifest.version);
    let serves_agents = manifest.stages.iter().any(|stage| stage.stage_type == "agent");
    assert_eq!(serves_agents, manifest.launcher.is_some(), "agents are launched by launchers");
    let written = serde_json::to_vec(manifest).expect("a manifest is JSON");
    let again = inspect(&component(&written)).expect("a manifest that was taken, written down");
    assert_eq!(again.manifest, *manifest, "written down it says something else");
}

/// A component with nothing but this manifest and the export of an empty instance as its stage.
pub(crate) fn component(manifest: &[u8]) -> Vec<u8> {
    let mut bytes = PREAMBLE.to_vec();
    let mut custom = named(SECTION);
    custom.extend(manifest);
    section(&mut bytes, 0, &custom);
    // An instance without any export: one instance, made from exports, of which there are none.
    section(&mut bytes, 5, &[1, 1, 0]);
    let mut export = vec![1, 0];
    export.extend(named(EXPORT));
    // Of the kind instance, the first one, without a type of its own.
    export.extend([5, 0, 0]);
    section(&mut bytes, 11, &export);
    bytes
}

fn section(bytes: &mut Vec<u8>, id: u8, content: &[u8]) {
    bytes.push(id);
    bytes.extend(length(content.len()));
    bytes.extend(content);
}

fn named(name: &str) -> Vec<u8> {
    let mut bytes = length(name.len());
    bytes.extend(name.as_bytes());
    bytes
}

/// A length as WebAssembly writes it (LEB128).
fn length(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or_default();
        length >>= 7;
        if length == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
