//! `config.yml` in the user's folder and in a project. Only the user's may name commands and limits; a project's
//! chooses among the user's profiles.

use std::collections::BTreeMap;
use std::path::Path;

use docket_core::run::Usage;
use docket_core::{Budget, Duration};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Home, Project, StoreError};

/// Sizes of a stage's stack that make sense, in KiB.
const STACK_KIB: std::ops::RangeInclusive<u64> = 64..=65_536;

/// The user's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HomeConfig {
    /// The launcher when nothing else says one.
    pub launcher: Option<String>,
    /// The profile when nothing else says one.
    pub profile: Option<String>,
    /// Profiles by name.
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
    /// Limits of stages.
    #[serde(default)]
    pub limits: LimitSettings,
    /// The most that a run may use.
    #[serde(default, deserialize_with = "budget")]
    pub budget: Option<Budget>,
}

/// A project's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectConfig {
    /// The launcher when neither flag, definition nor profile says one.
    pub launcher: Option<String>,
    /// Which of the user's profiles to use.
    pub profile: Option<String>,
    /// The most that a run may use, if that is less than the user allows.
    #[serde(default, deserialize_with = "budget")]
    pub budget: Option<Budget>,
}

/// How the user wants agents to be launched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The launcher.
    pub launcher: String,
    /// The agent program it is for.
    pub agent: Option<String>,
    /// Command and arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// Names of the environment variables the command may see.
    #[serde(default)]
    pub env: Vec<String>,
    /// How long an agent may take: seconds, or text such as `10m`.
    pub timeout: Option<Duration>,
    /// How long it may be silent.
    pub idle_timeout: Option<Duration>,
    /// How often it may be asked to mend an answer that does not fit; once when left out.
    pub repairs: Option<u32>,
}

/// Limits of stages; what is left out keeps docket's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Memory of a stage, in MiB.
    pub memory_mib: Option<u64>,
    /// CPU time of a stage.
    pub cpu: Option<Duration>,
    /// Wall-clock time of a stage that says none itself.
    pub wall_clock: Option<Duration>,
    /// Entries of all of a stage's tables.
    pub table_entries: Option<usize>,
    /// Files, folders and streams that a stage may have open at a time.
    pub handles: Option<usize>,
    /// Instances, memories and tables that a component may be made of.
    pub parts: Option<usize>,
    /// Stack of a stage, in KiB.
    #[serde(default, deserialize_with = "stack_kib")]
    pub stack_kib: Option<u64>,
    /// Processes that a stage may start.
    pub processes: Option<usize>,
    /// Bytes that one call between plugin and docket may carry, in MiB.
    pub host_call_mib: Option<u64>,
    /// A stage's log, in KiB.
    pub log_kib: Option<u64>,
    /// What a stage may propose to write, in MiB.
    pub out_mib: Option<u64>,
    /// How many files a stage may propose to write.
    pub out_files: Option<usize>,
    /// What a plugin may keep in its cache for a project, in MiB.
    pub cache_mib: Option<u64>,
    /// A component, in MiB.
    pub component_mib: Option<u64>,
    /// Time to compile a component.
    pub compile_timeout: Option<Duration>,
    /// Memory to compile a component, in MiB.
    pub compile_memory_mib: Option<u64>,
}

/// A stack that a stage can start with and a machine can give.
fn stack_kib<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let kib = Option::<u64>::deserialize(deserializer)?;
    match kib {
        Some(kib) if !STACK_KIB.contains(&kib) => Err(serde::de::Error::custom(format!(
            "{kib} is no size of a stack: {} to {}",
            STACK_KIB.start(),
            STACK_KIB.end()
        ))),
        kib => Ok(kib),
    }
}

/// A budget that leaves something: nothing at all is more likely to be a mistake than meant.
fn budget<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Budget>, D::Error> {
    let budget = Option::<Budget>::deserialize(deserializer)?;
    match budget.filter(|budget| !budget.used_up(&Usage::default()).is_unlimited()) {
        Some(_) => {
            Err(serde::de::Error::custom("a limit of a budget must be above 0; leave it out for none"))
        }
        None => Ok(budget),
    }
}

/// Reads the user's settings.
///
/// # Errors
/// When the file is unsafe or says what it can't say, with the place.
pub fn home(home: &Home) -> Result<HomeConfig, StoreError> {
    let path = home.config_file();
    parse(&path, home.read_private(&path)?)
}

/// Reads a project's settings.
///
/// # Errors
/// When the file can't be read or says what it can't say, with the place.
pub fn project(project: &Project) -> Result<ProjectConfig, StoreError> {
    let path = project.config_file();
    parse(&path, crate::disk::read_if_there(&path)?)
}

fn parse<T: Default + DeserializeOwned>(path: &Path, bytes: Option<Vec<u8>>) -> Result<T, StoreError> {
    let bad = |detail: String| StoreError::BadConfig { path: path.to_owned(), detail };
    let Some(bytes) = bytes else { return Ok(T::default()) };
    let text = String::from_utf8(bytes).map_err(|cause| bad(format!("not UTF-8: {cause}")))?;
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(blank) {
        return Ok(T::default());
    }
    serde_saphyr::from_str(&text).map_err(|cause| bad(cause.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_can_not_name_commands() {
        let text = "profiles: { mine: { launcher: shell, command: [/bin/sh] } }\n";
        let error =
            parse::<ProjectConfig>(Path::new("p/config.yml"), Some(text.into())).expect_err("refused");
        assert!(error.to_string().contains("profiles"), "{error}");
    }

    #[test]
    fn a_budget_limits_what_it_names_to_something() {
        let read = |text: &str| parse::<ProjectConfig>(Path::new("c"), Some(text.into()));
        let config = read("budget: { usd: 2.5, launches: 3 }\n").expect("fine");
        let usd = docket_core::Dollars::parse("2.50");
        assert_eq!(config.budget, Some(Budget { usd, tokens: None, launches: Some(3) }));
        for text in ["{ usd: 0 }", "{ launches: 0 }", "{ usd: -1 }", "{ euro: 1 }", "2.50"] {
            assert!(read(&format!("budget: {text}\n")).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_seconds_or_have_a_unit() {
        let text = "profiles:\n  a: { launcher: shell, timeout: 10m, idle_timeout: 90 }\n";
        let config: HomeConfig = parse(Path::new("config.yml"), Some(text.into())).expect("fine");
        assert_eq!(config.profiles["a"].timeout, Some(Duration { seconds: 600 }));
        assert_eq!(config.profiles["a"].idle_timeout, Some(Duration { seconds: 90 }));
        assert_eq!(
            parse::<HomeConfig>(Path::new("c"), Some("# nothing\n".into())).expect("empty"),
            HomeConfig::default()
        );
    }
}
