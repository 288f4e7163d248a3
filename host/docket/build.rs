//! Builds docket's own components from source and lists them, with the files of `workflows/`, for embedding. Must
//! not decide anything: what is embedded is what lies in those folders.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads cargo's environment and writes what is embedded"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The plugins that docket ships, by folder below `plugins/`.
const PLUGINS: [&str; 8] =
    ["agent-checklist", "agent-manual", "agent-shell", "approval", "context", "merge", "metadata", "storage"];

fn main() {
    let workspace =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders deep").to_owned();
    let packages: Vec<String> = PLUGINS.iter().map(|name| format!("docket-plugin-{name}")).collect();
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    let watched: Vec<String> = PLUGINS.iter().map(|name| format!("plugins/{name}")).collect();
    let mut watched: Vec<&str> = watched.iter().map(String::as_str).collect();
    watched.extend(["plugins/markdown", "workflows"]);
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
    let out =
        PathBuf::from(std::env::var_os("OUT_DIR").expect("build scripts have OUT_DIR")).join("embedded.rs");
    std::fs::write(out, code).expect("OUT_DIR can be written");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("workflows/ can be read") {
        let path = entry.expect("workflows/ can be read").path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
