//! What a plugin asks for in its manifest, and the part of it that was granted. A capability is known by its text:
//! that is what people are shown, what they grant, and what is recorded.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AskedLimits;

/// Names that are never part of a granted folder, at any depth, unless they are asked for themselves.
const SECRET_NAMES: [&str; 2] = [".git", ".docket"];
/// And what begins like this.
const SECRET_PREFIX: &str = ".env";

/// Whether a file or folder of this name is kept from plugins that don't name it.
pub(super) fn is_secret(name: &str) -> bool {
    SECRET_NAMES.contains(&name) || name.starts_with(SECRET_PREFIX)
}

/// What a plugin asks for. Nothing asked for is nothing had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Capabilities {
    /// Folders and files to read: project paths, `.` for the whole project without hidden and ignored entries,
    /// globs of folders such as `packages/*/docs` or `**/adr`, or `${config.name}` for the path in that config field.
    /// A glob matches folders only, each with everything below it, and looks into hidden folders only where it names
    /// them; files are named by their exact path. `.git`, `.docket` and what begins with `.env` are left out wherever
    /// they are, unless a path names them literally, as in `.git`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
    /// Files to propose: project paths, globs, or `${config.name}`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<String>,
    /// Whether it runs the command of the launcher profile.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub exec: bool,
    /// Programs of the user's machine that it can do without, each by the name it has on PATH. A program is found
    /// outside the project and started without a shell. Unlike everything else, it is had by nobody who was not granted
    /// it, docket's own plugins included; `process.spawn` answers `not-granted` then, and the plugin goes on without.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// Variables of the user's environment that it sees, and that a command it runs sees. One that is not set is not
    /// there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Whether it keeps a private cache across runs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cache: bool,
    /// Limits it asks to have raised.
    #[serde(skip_serializing_if = "asks_for_none")]
    pub limits: AskedLimits,
}

fn asks_for_none(limits: &AskedLimits) -> bool {
    *limits == AskedLimits::default()
}

/// Running the profile's command, in words.
pub(super) const EXEC: &str = "run the launcher profile's command";
/// A private cache, in words.
pub(super) const CACHE: &str = "keep a private cache";

/// Reading a path, in words; with emphasis when it is one that plugins normally don't see.
pub(super) fn read_text(path: &str) -> String {
    let kept = if path.split('/').any(is_secret) { " (normally kept from plugins)" } else { "" };
    format!("read {path}{kept}")
}

/// Proposing a file, in words.
pub(super) fn write_text(path: &str) -> String {
    format!("write {path}")
}

/// Running a program, in words.
pub(super) fn command_text(name: &str) -> String {
    format!("run the command {name}")
}

/// Seeing a variable, in words.
pub(super) fn env_text(name: &str) -> String {
    format!("see the variable {name}")
}

/// The config field that a capability names: `x` of `${config.x}`.
pub(super) fn config_field(capability: &str) -> Option<&str> {
    capability.strip_prefix("${config.")?.strip_suffix('}')
}

impl Capabilities {
    /// The same, for showing, with what a config field is shown as in place of its name; where that is `None`, the name
    /// stays. Never grants anything: see [`super::Grants::resolve`].
    pub fn with_config(&self, shown: &dyn Fn(&str) -> Option<String>) -> Self {
        let replaced = |capability: &String| {
            config_field(capability).and_then(shown).unwrap_or_else(|| capability.clone())
        };
        Self {
            read: self.read.iter().map(replaced).collect(),
            write: self.write.iter().map(replaced).collect(),
            ..self.clone()
        }
    }

    /// Each capability as a short text: what is shown, granted and recorded.
    pub fn listed(&self) -> Vec<String> {
        let read = self.read.iter().map(|path| read_text(path));
        let write = self.write.iter().map(|path| write_text(path));
        let exec = self.exec.then(|| EXEC.to_owned());
        let commands = self.commands.iter().map(|name| command_text(name));
        let env = self.env.iter().map(|name| env_text(name));
        let cache = self.cache.then(|| CACHE.to_owned());
        let asked = read.chain(write).chain(exec).chain(commands);
        asked.chain(env).chain(cache).chain(self.limits.listed()).collect()
    }

    /// What one of docket's own plugins has of it without anybody's decision: all but commands.
    pub fn of_own_plugin(&self) -> Self {
        Self { commands: Vec::new(), ..self.clone() }
    }

    /// The same with these commands.
    pub fn with_commands(self, commands: Vec<String>) -> Self {
        Self { commands, ..self }
    }

    /// What only a decision gives to one of docket's own plugins, as texts.
    pub fn to_decide(&self) -> Vec<String> {
        self.commands.iter().map(|name| command_text(name)).collect()
    }

    /// Those of them that were granted.
    pub fn granted(&self, granted: &BTreeSet<String>) -> Self {
        let has = |text: &str| granted.contains(text);
        let kept = |list: &[String], text: fn(&str) -> String| {
            list.iter().filter(|item| has(&text(item))).cloned().collect()
        };
        Self {
            read: kept(&self.read, read_text),
            write: kept(&self.write, write_text),
            exec: self.exec && has(EXEC),
            commands: kept(&self.commands, command_text),
            env: kept(&self.env, env_text),
            cache: self.cache && has(CACHE),
            limits: self.limits.granted(&has),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everything() -> Capabilities {
        Capabilities {
            read: vec!["docs".to_owned(), ".git".to_owned()],
            write: vec!["out/**".to_owned()],
            exec: true,
            commands: vec!["git".to_owned()],
            env: vec!["TOKEN".to_owned()],
            cache: true,
            limits: AskedLimits { memory_mib: Some(512), ..AskedLimits::default() },
        }
    }

    #[test]
    fn each_capability_has_a_text_and_is_granted_by_it() {
        let all = everything();
        let texts = all.listed();
        assert_eq!(
            texts,
            [
                "read docs",
                "read .git (normally kept from plugins)",
                "write out/**",
                "run the launcher profile's command",
                "run the command git",
                "see the variable TOKEN",
                "keep a private cache",
                "use 512 MiB of memory (default 256)",
            ]
        );
        for text in &texts {
            let one = all.granted(&BTreeSet::from([text.clone()]));
            assert_eq!(one.listed(), [text.as_str()]);
        }
        assert_eq!(all.granted(&texts.into_iter().collect()), all);
        assert_eq!(all.granted(&BTreeSet::new()), Capabilities::default());
    }

    #[test]
    fn dockets_own_plugins_have_no_command_by_themselves() {
        let own = everything().of_own_plugin();
        assert_eq!(own.commands, Vec::<String>::new());
        assert_eq!(everything().to_decide(), ["run the command git"]);
        assert_eq!(own.listed().len() + 1, everything().listed().len());
    }

    #[test]
    fn what_was_granted_and_is_not_asked_for_is_not_had() {
        let granted: BTreeSet<String> = everything().listed().into_iter().collect();
        assert_eq!(Capabilities::default().granted(&granted), Capabilities::default());
        // The path that plugins normally don't see needs the grant that says so.
        let plain = BTreeSet::from(["read .git".to_owned()]);
        assert!(everything().granted(&plain).read.is_empty());
    }
}
