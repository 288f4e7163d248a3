//! Builds what scenarios need beside docket: the test plugin and the hostile one, each with and without the ability to run
//! commands, the fake agent, and the program that plays agents and servers.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("below the workspace").to_owned();
    let watched = ["tests/guest", "tests/hostile"];
    let packages = ["docket-test-guest", "docket-hostile-guest"];
    for (suffix, features) in [("", &[][..]), ("_SPAWN", &["spawn"][..])] {
        let folder = docket_component_build::build_with(&workspace, &packages, features, &watched);
        for (variable, file) in [
            ("DOCKET_TEST_GUEST", "docket_test_guest.wasm"),
            ("DOCKET_HOSTILE_GUEST", "docket_hostile_guest.wasm"),
        ] {
            println!("cargo::rustc-env={variable}{suffix}={}", folder.join(file).display());
        }
    }
    println!("cargo::rustc-env=DOCKET_TEST_PEER={}", peer(&workspace).display());
    println!("cargo::rustc-env=DOCKET_TEST_AGENT={}", agent().display());
}

/// Builds the peer for this machine in a target folder of its own, as components are: cargo locks a target folder while
/// it builds.
fn peer(workspace: &Path) -> PathBuf {
    println!("cargo::rerun-if-changed={}", workspace.join("tests/peer").display());
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("build scripts have OUT_DIR"));
    let target = out.ancestors().nth(4).expect("OUT_DIR lies below the target folder").join("peer");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--locked", "--quiet", "--package", "docket-test-peer"]).current_dir(workspace);
    for variable in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(variable);
    }
    let status = cargo.arg("--target-dir").arg(&target).status();
    let status = status.unwrap_or_else(|cause| panic!("cargo can't be run: {cause}"));
    assert!(status.success(), "the peer did not build: {status}");
    target.join("debug/docket-test-peer")
}

/// The fake agent. Another package's tests run it, and cargo builds programs only for the tests of their own.
fn agent() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin/agent.rs");
    println!("cargo::rerun-if-changed={}", source.display());
    let variable = |name: &str| std::env::var_os(name).unwrap_or_else(|| panic!("cargo sets {name}"));
    let program = PathBuf::from(variable("OUT_DIR")).join("agent");
    let status = Command::new(variable("RUSTC"))
        .args(["--edition", "2024", "--crate-name", "agent", "--target"])
        .arg(variable("TARGET"))
        .args(["-C", "debuginfo=0", "-O", "-o"])
        .args([&program, &source])
        .status()
        .expect("the compiler can be started");
    assert!(status.success(), "the fake agent can't be built");
    program
}
