//! `docket plugin new`: a folder that builds without a clone of docket and without anything but what docket itself is
//! built from, and a plugin that passes `docket plugin check` and runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use docket_component_build::{TARGET, prepare};
use docket_tests::{Place, finish};

use crate::{DOCKET, place};

/// Builds the plugin in a folder, from what cargo already has, into a folder that stays: its dependencies are the same
/// for every test.
fn build(folder: &Path, name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-plugins");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--offline", "--locked", "--quiet"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", &target);
    for variable in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(variable);
    }
    prepare(&mut cargo, "rustc", "dev");
    finish(&mut cargo).success();
    let built = target.join(TARGET).join("debug").join(format!("{name}.wasm"));
    let kept = folder.join(format!("{name}.wasm"));
    std::fs::copy(&built, &kept).unwrap_or_else(|cause| panic!("{}: {cause}", built.display()));
    kept
}

/// The files of a folder, by path.
fn files(folder: &Path) -> Vec<String> {
    fn collect(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                collect(root, &path, found);
            } else {
                found.push(path.strip_prefix(root).expect("below").display().to_string());
            }
        }
    }
    let mut found = Vec::new();
    collect(folder, folder, &mut found);
    found.sort();
    found
}

/// From nothing to a result, in both variants.
#[test]
fn a_new_plugin_builds_passes_the_check_and_runs() {
    for arguments in [&["plugin", "new", "say-hello"][..], &["plugin", "new", "say-hello", "--manifest"]] {
        let place = place();
        let output = place.run(arguments).success();
        let output = output.says("cargo build --release").says("docket plugin check .");
        assert!(output.stdout.contains("say-hello"), "{}", output.stdout);
        let folder = place.project().join("say-hello");
        let source = place.read("say-hello/src/lib.rs");
        assert!(source.lines().count() <= 10, "{source}");
        let component = build(&folder, "say_hello").display().to_string();
        let checked =
            place.run_or_kill(&["plugin", "check", &component, "--output", "json"]).success().json();
        assert_eq!(checked["findings"], serde_json::json!([]), "{checked:#}");
        assert_eq!(checked["name"], "say-hello");
        assert_eq!(checked["version"], "0.1.0");
        place.run(&["plugin", "add", "--to-project", &component, "--yes"]).success();
        place.trusted_definition("say-hello", &place.read("say-hello/say-hello.yml"));
        place.run_or_kill(&["workflow", "start", "say-hello", "--who", "you"]).success();
        let results = place.run(&["workflow", "results", &place.only_run(), "--output", "json"]).success();
        assert!(results.stdout.contains("Hello, you!"), "{}", results.stdout);
    }
}

#[test]
fn nothing_is_overwritten() {
    let place = Place::without_project(DOCKET);
    place.write("hello/notes.md", "mine");
    place.run(&["plugin", "new", "hello"]).code(2).says("hello").says("--path");
    assert_eq!(files(&place.project()), ["hello/notes.md"]);
    place.run(&["plugin", "new", "hello", "--path", "plugins/a b"]).success().says("cd 'plugins/a b'");
    assert!(place.project().join("plugins/a b/src/lib.rs").is_file());
    place.run(&["plugin", "new", "hello", "--path", "plugins/a b"]).code(2);
    assert_eq!(place.read("hello/notes.md"), "mine");
}

#[test]
fn names_that_would_not_work_are_refused() {
    let place = Place::without_project(DOCKET);
    for (name, word) in [
        ("Hello", "lower-case"),
        ("../hello", "lower-case"),
        ("hello_there", "lower-case"),
        ("match", "Rust"),
        ("storage", "stage types"),
    ] {
        place.run(&["plugin", "new", name]).code(2).says(word);
    }
    assert_eq!(files(&place.project()), Vec::<String>::new());
}

/// The SDK in the folder is docket's own, byte for byte.
#[test]
fn the_sdk_in_the_folder_is_docket_s_own() {
    let place = Place::without_project(DOCKET);
    let shape = place.run(&["plugin", "new", "hello", "--output", "json"]).success().json();
    let folder = place.project().join("hello");
    let mut listed: Vec<&str> =
        shape["files"].as_array().expect("files").iter().filter_map(|name| name.as_str()).collect();
    listed.sort_unstable();
    assert_eq!(files(&folder), listed);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (own, copied) in [("plugins/sdk/src", "src"), ("wit", "wit")] {
        let own = root.join(own);
        let names = files(&own);
        assert!(!names.is_empty());
        assert_eq!(names, files(&folder.join("vendor/docket-plugin").join(copied)));
        for name in names {
            let read = |folder: &Path| std::fs::read_to_string(folder.join(&name)).expect("readable");
            assert_eq!(read(&own), read(&folder.join("vendor/docket-plugin").join(copied)), "{name}");
        }
    }
}
