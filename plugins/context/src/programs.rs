//! What the project's own programs are called: from its package files and readme.

use std::collections::BTreeSet;
use std::path::Path;

use docket_plugin::Value;

use crate::inventory::{Inventory, read_text};

/// So many package files are read; a workspace has no more programs than that.
const MAXIMUM_PACKAGES: usize = 50;
const MAXIMUM_SIZE: u64 = 256 << 10;

/// Names of the project's programs, in lower case.
pub(crate) fn programs(root: &Path, inventory: &Inventory) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let read = |file| read_text(root, file, MAXIMUM_SIZE);
    for text in inventory.named("Cargo.toml").take(MAXIMUM_PACKAGES).filter_map(read) {
        names.extend(cargo_names(&text));
    }
    for text in inventory.named("package.json").take(MAXIMUM_PACKAGES).filter_map(read) {
        names.extend(node_names(&text));
    }
    // Without package files, a project whose readme is titled with one word is most likely called that.
    if names.is_empty() {
        let readme = inventory.named("README.md").find(|file| !file.path.contains('/'));
        let title = readme.and_then(read).and_then(|text| docket_markdown::parse(&text).title);
        names.extend(title.and_then(|title| title.split([' ', ':']).next().map(str::to_ascii_lowercase)));
    }
    names.retain(|name| is_program(name));
    names
}

fn is_program(name: &str) -> bool {
    name.len() > 1
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
}

/// `name` of the tables `[package]` and `[[bin]]`.
fn cargo_names(text: &str) -> Vec<String> {
    let mut in_table = false;
    let mut names = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            in_table = matches!(line, "[package]" | "[[bin]]");
        } else if let Some(value) =
            line.strip_prefix("name").and_then(|rest| rest.trim_start().strip_prefix('='))
            && in_table
        {
            names.push(value.trim().trim_matches('"').to_owned());
        }
    }
    names
}

/// `name` without its scope, and the keys of `bin`.
fn node_names(text: &str) -> Vec<String> {
    let Ok(package) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let name = package.get("name").and_then(Value::as_str);
    let unscoped = name.map(|name| name.rsplit('/').next().unwrap_or(name).to_owned());
    let bin = package.get("bin").and_then(Value::as_object);
    unscoped.into_iter().chain(bin.into_iter().flat_map(|bin| bin.keys().cloned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_files_name_programs() {
        assert_eq!(
            cargo_names("[package]\nname = \"a\"\n[lib]\nname = \"b\"\n[[bin]]\nname=\"c\""),
            ["a", "c"]
        );
        assert_eq!(node_names(r#"{"name": "@x/tool", "bin": {"t": "./t.js"}}"#), ["tool", "t"]);
        assert!(node_names("{").is_empty());
    }
}
