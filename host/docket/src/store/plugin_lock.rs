//! `.docket/plugins.lock`: which plugins a project was made with. It is shared with the project and can only refuse: a
//! plugin whose name it has runs only with the bytes it names. So it needs no trust of its own.
//!
//! Format: YAML, one line per plugin, by name, so that versions of it merge:
//!
//! ```yaml
//! format: 1
//! plugins:
//!   git-changes: { version: "0.1.0", sha256: "2c26…" }
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;

use docket_core::run::ProjectPath;
use serde::Deserialize;

use super::{Project, StoreError, project};
use crate::disk::{Durability, remove_if_there, replace};

/// The file, below the project.
const FILE: &str = "plugins.lock";
/// The version of the format.
const FORMAT: u32 = 1;
/// What stands at its top.
const HEAD: &str = "\
# The plugins this project was made with. docket runs no other one of the same name.
# Written by `docket plugin add --to-project`, `docket plugin lock` and `docket plugin remove`.
";

/// The plugins a project was made with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginLock {
    pins: BTreeMap<String, Pin>,
}

/// What is pinned of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Its version, for people.
    pub version: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    #[serde(default)]
    plugins: BTreeMap<String, Pin>,
}

impl PluginLock {
    /// Reads a project's. Without the file nothing is pinned.
    ///
    /// # Errors
    /// When it is a link, can't be read, or is not what docket writes: what can't be read might refuse something.
    pub fn load(project: &Project) -> Result<Self, StoreError> {
        let path = project.root().join(project::FOLDER).join(FILE);
        let inside = ProjectPath::parse(&format!("{}/{FILE}", project::FOLDER));
        let Some(bytes) = inside.ok().map(|inside| project.read(&inside)).transpose()?.flatten() else {
            return Ok(Self::default());
        };
        let bad = |detail: String| StoreError::Lock { path: path.clone(), detail };
        let text = String::from_utf8(bytes).map_err(|cause| bad(format!("not UTF-8: {cause}")))?;
        Self::parse(&text).map_err(bad)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let stored: Stored = serde_saphyr::from_str(text).map_err(|cause| cause.to_string())?;
        if stored.format != FORMAT {
            return Err(format!("format {} is not the one this docket reads ({FORMAT})", stored.format));
        }
        // As docket writes it: a hash in capitals would never be that of any plugin.
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_hash = |pin: &Pin| pin.sha256.len() == 64 && pin.sha256.bytes().all(is_digit);
        if let Some((name, _)) = stored.plugins.iter().find(|(_, pin)| !is_hash(pin)) {
            return Err(format!("the sha256 of '{}' is none", name.escape_debug()));
        }
        Ok(Self { pins: stored.plugins })
    }

    /// Stores it; an empty one is removed.
    ///
    /// # Errors
    /// When the project can't be written.
    pub fn save(&self, project: &Project) -> Result<(), StoreError> {
        let path = project.root().join(project::FOLDER).join(FILE);
        if self.pins.is_empty() {
            return Ok(remove_if_there(&path)?);
        }
        Ok(replace(&path, self.text().as_bytes(), Durability::Synced)?)
    }

    fn text(&self) -> String {
        let mut text = format!("{HEAD}format: {FORMAT}\nplugins:\n");
        // Names and versions are plain (see the manifest), and JSON strings are YAML.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        for (name, pin) in &self.pins {
            let (name, version, hash) = (quoted(name), quoted(&pin.version), quoted(&pin.sha256));
            let _ = writeln!(text, "  {name}: {{ version: {version}, sha256: {hash} }}");
        }
        text
    }

    /// What is pinned of the plugin with this name.
    pub fn pin(&self, name: &str) -> Option<&Pin> {
        self.pins.get(name)
    }

    /// What is pinned of the plugin with this name when these are not the bytes it names.
    pub fn refuses(&self, name: &str, sha256: &str) -> Option<&Pin> {
        self.pin(name).filter(|pin| pin.sha256 != sha256)
    }

    /// What is pinned, by name.
    pub fn pins(&self) -> impl Iterator<Item = (&str, &Pin)> {
        self.pins.iter().map(|(name, pin)| (name.as_str(), pin))
    }

    /// Pins a plugin, instead of what was pinned of that name.
    pub fn set(&mut self, name: &str, version: &str, sha256: &str) {
        self.pins.insert(name.to_owned(), Pin { version: version.to_owned(), sha256: sha256.to_owned() });
    }

    /// Pins nothing of that name any more. True when it did.
    pub fn remove(&mut self, name: &str) -> bool {
        self.pins.remove(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_one_line_a_plugin() {
        let mut lock = PluginLock::default();
        lock.set("b", "1.0.0", &"0".repeat(64));
        lock.set("a", "0.1.0+x", &"f".repeat(64));
        let text = lock.text();
        assert_eq!(PluginLock::parse(&text), Ok(lock));
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("  \"")).collect();
        assert!(lines.len() == 2 && lines[0].starts_with("  \"a\""), "{text}");
    }

    #[test]
    fn what_can_not_be_read_is_refused() {
        let pin = |hash: &str| format!("format: 1\nplugins:\n  a: {{ version: '1', sha256: '{hash}' }}\n");
        assert!(PluginLock::parse(&pin(&"0".repeat(64))).is_ok());
        for text in [
            pin("short"),
            pin(&"A".repeat(64)),
            pin(&"x".repeat(64)),
            "format: 2\n".to_owned(),
            "plugins: {}\n".to_owned(),
            "[".to_owned(),
        ] {
            assert!(PluginLock::parse(&text).is_err(), "{text}");
        }
    }
}
