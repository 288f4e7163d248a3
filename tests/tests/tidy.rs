//! What every file of the repository keeps to. Text only: nothing is built or run.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("below the repository").to_owned()
}

/// Files below these folders, with this extension.
fn files(folders: &[&str], extension: &str) -> Vec<PathBuf> {
    fn collect(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_test_data = path.ends_with("tests/project") || path.ends_with("target");
            if path.is_dir() && !is_test_data {
                collect(&path, extension, found);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    folders.iter().for_each(|folder| collect(&root().join(folder), extension, &mut found));
    found.sort();
    assert!(!found.is_empty(), "no .{extension} below {folders:?}");
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let silent: Vec<String> = files(&["host", "plugins", "tests", "xtask"], "rs")
        .iter()
        .filter(|path| !read(path).starts_with("//!"))
        .map(|path| shown(path))
        .collect();
    assert!(silent.is_empty(), "these don't open with `//!`: {silent:#?}");
}

/// The rooms of the host and what they must not know. `docs/architecture.md` draws the same picture.
const WALLS: [(&str, &[&str]); 6] = [
    ("disk", &["cli", "engine", "mcp", "plugin", "report", "store"]),
    ("store", &["cli", "engine", "mcp", "plugin", "report"]),
    ("plugin", &["cli", "engine", "mcp", "report", "store"]),
    ("report", &["cli", "engine", "mcp", "plugin"]),
    ("engine", &["cli", "mcp"]),
    ("mcp", &["cli", "plugin"]),
];

#[test]
fn imports_go_one_way() {
    let mut broken = Vec::new();
    for (room, forbidden) in WALLS {
        for path in files(&[&format!("host/docket/src/{room}")], "rs") {
            let text = read(&path);
            broken.extend(
                forbidden
                    .iter()
                    .filter(|other| text.contains(&format!("crate::{other}::")))
                    .map(|other| format!("{} knows {other}", shown(&path))),
            );
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn only_one_file_prints_and_only_one_reads_the_environment() {
    for (word, owner) in
        [("std::env::var", "settings.rs"), ("io::stdout()", "ui.rs"), ("io::stderr()", "ui.rs")]
    {
        let others: Vec<String> = files(&["host/docket/src"], "rs")
            .iter()
            .filter(|path| !path.ends_with(owner) && read(path).contains(word))
            .map(|path| shown(path))
            .collect();
        assert!(others.is_empty(), "`{word}` belongs into {owner}: {others:#?}");
    }
}

#[test]
fn links_in_the_documentation_lead_somewhere() {
    let mut broken = Vec::new();
    let mut documents = files(&["docs"], "md");
    documents.extend(["README.md", "CHANGELOG.md"].map(|name| root().join(name)));
    for path in documents {
        let text = read(&path);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            if !path.parent().expect("a folder").join(target).exists() {
                broken.push(format!("{}: {target}", shown(&path)));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_dependency_is_accounted_for() {
    let manifest = read(&root().join("Cargo.toml"));
    let documented = read(&root().join("docs/dependencies.md"));
    let section = manifest.split("[workspace.dependencies]").nth(1).expect("the section");
    let section = section.split("\n[").next().expect("its lines");
    let missing: Vec<&str> = section
        .lines()
        .filter(|line| !line.contains("path ="))
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.trim())
        .filter(|name| !documented.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "not in docs/dependencies.md: {missing:?}");
}

#[test]
fn every_decision_has_its_parts() {
    for path in files(&["docs/adr"], "md") {
        let text = read(&path);
        for part in ["**Status:**", "## Context", "## Decision", "## Consequences", "## References"] {
            assert!(text.contains(part), "{} has no {part}", shown(&path));
        }
    }
}

/// A manifest is embedded when a component is built; what `cargo` builds must be what lies there.
#[test]
fn manifests_name_the_folder_they_are_in() {
    for path in files(&["plugins"], "json") {
        if path.ends_with("manifest.json") {
            let manifest: serde_json::Value = serde_json::from_str(&read(&path)).expect("JSON");
            let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
            assert_eq!(manifest["name"].as_str(), folder, "{}", shown(&path));
        }
    }
}
