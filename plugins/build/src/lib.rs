//! Builds plugin crates to WebAssembly components from a build script, so that a component is never older than
//! its source. Must not be used by anything but build scripts, `xtask` and tests that build a plugin.
//!
//! A nested cargo builds them into a target folder of their own below the outer one (cargo locks a target folder
//! while it builds). It decides by itself what is out of date.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The target that components are built for.
pub const TARGET: &str = "wasm32-wasip2";
/// The cargo profile, defined in the workspace's `Cargo.toml`.
const PROFILE: &str = "component";
/// Where Debian's packages put what rustup would otherwise bring.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LIBRARIES: &str = "/usr/lib/wasm32-wasi";
const DEBIAN_SOURCES: &str = "/usr/lib/rustlib/src/rust/library";

/// How components can be built on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolchain {
    /// The toolchain in use has the target's standard library.
    Installed,
    /// Debian's compiler and sources build the standard library along with the components.
    Debian,
    /// Neither is there.
    Missing,
}

/// Finds out how components can be built with the compiler `rustc` (a program name or path).
pub fn toolchain(rustc: &str) -> Toolchain {
    if library_folder(rustc).is_some_and(|folder| folder.is_dir()) {
        return Toolchain::Installed;
    }
    let debian = Path::new(DEBIAN_RUSTC).is_file()
        && [DEBIAN_LIBRARIES, DEBIAN_SOURCES].iter().all(|folder| Path::new(folder).is_dir());
    if debian { Toolchain::Debian } else { Toolchain::Missing }
}

/// Builds the packages and returns the folder with their `.wasm` files. For build scripts: reads cargo's
/// environment and prints what the build depends on.
///
/// # Panics
/// When the target is missing (with the command that adds it) or a package does not build.
pub fn build(workspace: &Path, packages: &[&str], watched: &[&str]) -> PathBuf {
    build_with(workspace, packages, &[], watched)
}

/// As [`build`], with these features of the packages, in a target folder of their own.
///
/// # Panics
/// As [`build`].
#[expect(clippy::print_stdout, reason = "this is how a build script talks to cargo")]
pub fn build_with(workspace: &Path, packages: &[&str], features: &[&str], watched: &[&str]) -> PathBuf {
    for folder in watched.iter().chain(&["Cargo.toml", "Cargo.lock", "plugins/sdk", "wit"]) {
        println!("cargo::rerun-if-changed={}", workspace.join(folder).display());
    }
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--locked", "--quiet", "--target", TARGET, "--profile", PROFILE])
        .current_dir(workspace);
    for variable in ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        cargo.env_remove(variable);
    }
    prepare(&mut cargo, &rustc, PROFILE);
    let target =
        target_folder().join(["components"].iter().chain(features).copied().collect::<Vec<_>>().join("-"));
    if !features.is_empty() {
        cargo.arg("--features").arg(features.join(","));
    }
    cargo.arg("--target-dir").arg(&target);
    for package in packages {
        cargo.args(["--package", package]);
    }
    let status = cargo.status().unwrap_or_else(|cause| panic!("cargo can't be run: {cause}"));
    assert!(status.success(), "the components {packages:?} did not build: {status}");
    target.join(TARGET).join(PROFILE)
}

/// Makes a build of components with `profile` work with what is installed.
///
/// # Panics
/// When nothing is, with the command that gets it.
pub fn prepare(cargo: &mut Command, rustc: &str, profile: &str) {
    match toolchain(rustc) {
        Toolchain::Installed => {}
        Toolchain::Debian => use_debian(cargo, rustc, profile),
        Toolchain::Missing => panic!(
            "\n\nThe compiler has no standard library for {TARGET}, which docket's stage components are built for.\n\
             Run:  cargo xtask setup     (or: rustup target add {TARGET})\n"
        ),
    }
}

/// The folder where the compiler keeps the target's standard library.
fn library_folder(rustc: &str) -> Option<PathBuf> {
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(folder.trim()))
}

/// Builds the standard library from Debian's sources with Debian's compiler; the linkers come from the
/// toolchain in use, because Debian ships none for components.
///
/// Debian's compiler is older than the workspace asks for. What the components use of the newer language is
/// switched on for the workspace's packages alone: the standard library has its own list of features.
fn use_debian(cargo: &mut Command, rustc: &str, profile: &str) {
    let host_tools = Command::new(rustc)
        .args(["--print", "target-libdir"])
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .and_then(|folder| Path::new(folder.trim()).parent().map(|parent| parent.join("bin")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(host_tools.into_iter().chain(std::env::split_paths(&path)));
    let features = format!("profile.{profile}.rustflags=['-Zcrate-attr=feature(let_chains)']");
    cargo
        .args([
            "-Zbuild-std=std,panic_abort",
            "--ignore-rust-version",
            "-Zprofile-rustflags",
            "--config",
            &features,
        ])
        .args(["--config", &format!("profile.{profile}.package.'*'.rustflags=[]")])
        .env("RUSTC", DEBIAN_RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", format!("-L native={DEBIAN_LIBRARIES}"))
        .env("PATH", path.unwrap_or_else(|cause| panic!("PATH can't be extended: {cause}")));
}

/// The outer build's target folder: build scripts run with `OUT_DIR` = `<target>/<profile>/build/<unit>/out`.
fn target_folder() -> PathBuf {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("build scripts have OUT_DIR"));
    out.ancestors().nth(4).expect("OUT_DIR lies four folders below the target folder").to_owned()
}
