//! Builds docket's own components from source and lists them, with the files of `workflows/` and what a new plugin is
//! made of, for embedding. Must not decide anything: what is embedded is what lies in those folders.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads cargo's environment and writes what is embedded"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The plugins that docket ships, by folder below `plugins/`.
const PLUGINS: [&str; 10] = [
    "agent-acp",
    "agent-checklist",
    "agent-manual",
    "agent-mcp",
    "agent-shell",
    "approval",
    "context",
    "merge",
    "metadata",
    "storage",
];

fn main() {
    let workspace =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders deep").to_owned();
    let packages: Vec<String> = PLUGINS.iter().map(|name| format!("docket-plugin-{name}")).collect();
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    let watched: Vec<String> = PLUGINS.iter().map(|name| format!("plugins/{name}")).collect();
    let mut watched: Vec<&str> = watched.iter().map(String::as_str).collect();
    watched.extend([
        "plugins/markdown",
        "plugins/launcher",
        "plugins/json-rpc",
        "plugins/scaffold",
        "workflows",
    ]);
    let components = docket_component_build::build(&workspace, &packages, &watched);

    let mut code = String::from("pub(crate) const COMPONENTS: &[&[u8]] = &[\n");
    for package in &packages {
        let file = components.join(format!("{}.wasm", package.replace('-', "_")));
        let _ = writeln!(code, "    include_bytes!({:?}),", file.display().to_string());
    }
    code.push_str("];\npub(crate) const WORKFLOWS: &[crate::store::definitions::BuiltIn] = &[\n");
    let root = workspace.join("workflows");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    for file in files {
        let name = file.strip_prefix(&root).expect("below the root").display().to_string();
        let _ = writeln!(
            code,
            "    crate::store::definitions::BuiltIn {{ name: {name:?}, text: include_str!({:?}) }},",
            file.display().to_string()
        );
    }
    code.push_str("];\n");
    new_plugin(&workspace, &mut code);
    let out =
        PathBuf::from(std::env::var_os("OUT_DIR").expect("build scripts have OUT_DIR")).join("embedded.rs");
    std::fs::write(out, code).expect("OUT_DIR can be written");
}

/// What `docket plugin new` writes: the templates, the sources of the SDK by their path in its package, and the
/// versions of what the SDK depends on, which are those that docket is tested with.
fn new_plugin(workspace: &Path, code: &mut String) {
    for (name, folder) in [("SCAFFOLD", "plugins/scaffold"), ("SDK", "plugins/sdk/src"), ("CONTRACT", "wit")]
    {
        let root = workspace.join(folder);
        let mut files = Vec::new();
        collect(&root, &mut files);
        files.sort();
        let _ = writeln!(code, "pub(crate) const {name}: &[(&str, &str)] = &[");
        for file in files {
            let path = file.strip_prefix(&root).expect("below the root").display().to_string();
            let _ = writeln!(code, "    ({path:?}, include_str!({:?})),", file.display().to_string());
        }
        code.push_str("];\n");
    }
    let lock = std::fs::read_to_string(workspace.join("Cargo.lock")).expect("Cargo.lock can be read");
    let manifest = std::fs::read_to_string(workspace.join("Cargo.toml")).expect("Cargo.toml can be read");
    code.push_str("pub(crate) const SDK_DEPENDENCIES: &[(&str, &str)] = &[\n");
    for name in ["serde", "serde_json", "wit-bindgen"] {
        let version = locked(&lock, &manifest, name);
        let _ = writeln!(code, "    ({name:?}, {version:?}),");
    }
    code.push_str("];\n");
}

/// The version of a dependency in the lock file: of several, the one that the workspace asks for.
fn locked(lock: &str, manifest: &str, name: &str) -> String {
    let line = manifest.lines().find_map(|line| line.strip_prefix(&format!("{name} = {{ version = \"")));
    let wanted = line.and_then(|rest| rest.split('"').next()).expect("the workspace names a version");
    let versions = lock.split("[[package]]").filter_map(|package| {
        let rest = package.trim_start().strip_prefix(&format!("name = \"{name}\"\nversion = \""))?;
        rest.split('"').next()
    });
    let found = versions.into_iter().find(|version| version.starts_with(&format!("{wanted}.")));
    found.unwrap_or_else(|| panic!("Cargo.lock has no {name} {wanted}")).to_owned()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
