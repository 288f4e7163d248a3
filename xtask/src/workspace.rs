//! Where the workspace is and how docket is built from it. Must not know what is done with the program.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::process;

/// The profile docket is built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// What the tests use as well: quickest from nothing, because dependencies are compiled once for both.
    Development,
    /// What users get.
    Release,
}

/// The workspace's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The folder that cargo builds into, which configuration and environment can move.
pub(crate) fn target_folder() -> Result<PathBuf, Failure> {
    let arguments = ["metadata", "--no-deps", "--format-version", "1"];
    let folder = process::output(process::cargo().args(arguments))
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .and_then(|metadata| Some(PathBuf::from(metadata.get("target_directory")?.as_str()?)));
    folder.ok_or_else(|| Failure::new("`cargo metadata` does not say where cargo builds; run it to see why"))
}

/// Builds docket and returns its program.
pub(crate) fn build_docket(profile: Profile) -> Result<PathBuf, Failure> {
    let mut command = process::cargo();
    command.args(["build", "--package", "docket"]);
    let folder = match profile {
        Profile::Development => "debug",
        Profile::Release => {
            command.arg("--release");
            "release"
        }
    };
    process::run(&mut command)?;
    let program = target_folder()?.join(folder).join(format!("docket{}", std::env::consts::EXE_SUFFIX));
    if program.is_file() {
        Ok(program)
    } else {
        Err(Failure::new(format!(
            "docket was built, but not at {}; is `build.target` set?",
            program.display()
        )))
    }
}

/// The compiler's version, as it gives it.
pub(crate) fn rustc_version() -> Option<String> {
    process::output(Command::new("rustc").arg("--version").current_dir(root()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_workspace() {
        assert!(root().join("rust-toolchain.toml").is_file());
    }
}
