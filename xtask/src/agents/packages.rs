//! The real agents and the real client, from npm, at pinned versions, in a folder of their own below `target`. Nothing is
//! installed where a user's programs are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::process;
use crate::scratch::{create, write};
use crate::workspace;

/// What is installed. `docs/guides/agents.md` names the same versions; a test compares them.
pub(crate) const PACKAGES: [(&str, &str); 5] = [
    ("@openai/codex", "0.169.0"),
    ("@agentclientprotocol/codex-acp", "2.6.0"),
    ("opencode-ai", "1.18.33"),
    ("@google/gemini-cli", "0.61.0"),
    ("@modelcontextprotocol/sdk", "1.32.2"),
];

/// The folder they are in.
#[derive(Debug)]
pub(crate) struct Packages {
    folder: PathBuf,
}

impl Packages {
    /// Installs what is not there at its version.
    ///
    /// # Errors
    /// When npm can't: its own words come before.
    pub(crate) fn install() -> Result<Self, Failure> {
        let packages = Self { folder: workspace::target_folder()?.join("agents/npm") };
        if packages.are_there() {
            return Ok(packages);
        }
        create(&packages.folder)?;
        let dependencies: BTreeMap<&str, &str> = PACKAGES.into_iter().collect();
        let manifest = serde_json::json!({
            "name": "docket-agents", "private": true, "type": "module", "dependencies": dependencies,
        });
        write(&packages.folder.join("package.json"), manifest.to_string().as_bytes())?;
        // Scripts of packages are not run: what is tested is to be what was packed.
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]);
        process::run(npm.current_dir(&packages.folder))?;
        if packages.are_there() {
            Ok(packages)
        } else {
            let folder = packages.folder.display();
            Err(Failure::new(format!(
                "npm installed something else than asked for in {folder}; remove it and try again"
            )))
        }
    }

    fn are_there(&self) -> bool {
        PACKAGES.iter().all(|(name, version)| self.version(name).as_deref() == Some(*version))
    }

    /// The version of an installed package.
    pub(crate) fn version(&self, name: &str) -> Option<String> {
        let text =
            fs::read_to_string(self.folder.join("node_modules").join(name).join("package.json")).ok()?;
        let manifest: serde_json::Value = serde_json::from_str(&text).ok()?;
        Some(manifest.get("version")?.as_str()?.to_owned())
    }

    /// The folder with their programs.
    pub(crate) fn programs(&self) -> PathBuf {
        self.folder.join("node_modules/.bin")
    }

    /// Where scripts have to lie to find them.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_names_the_versions_that_are_tested() {
        let guide = fs::read_to_string(workspace::root().join("docs/guides/agents.md")).expect("the guide");
        for (name, version) in PACKAGES {
            assert!(guide.contains(&format!("`{name}` {version}")), "{name} {version}");
        }
    }
}
