//! `config.yml` in the user's folder and in a project. Only the user's may name commands and limits; a project's
//! chooses among the user's profiles.

use std::collections::BTreeMap;
use std::path::Path;

use docket_core::definition::{Fault, Faults, LocatedText};
use docket_core::run::Usage;
use docket_core::{Budget, Duration};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Home, Project, StoreError};

/// Sizes of a stage's stack that make sense, in KiB.
const STACK_KIB: std::ops::RangeInclusive<u64> = 64..=65_536;

/// The user's settings: `config.yml` in the home folder. Published as `docket schema config`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
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
    /// The text it was read from.
    #[serde(skip)]
    pub source: LocatedText,
}

/// A project's settings: `.docket/config.yml`. Published as `docket schema project-config`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectConfig {
    /// The launcher when neither flag, definition nor profile says one.
    pub launcher: Option<String>,
    /// Which of the user's profiles to use.
    pub profile: Option<String>,
    /// The most that a run may use, if that is less than the user allows.
    #[serde(default, deserialize_with = "budget")]
    pub budget: Option<Budget>,
    /// The text it was read from.
    #[serde(skip)]
    pub source: LocatedText,
}

/// How the user wants agents to be launched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
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
    /// How long it may be silent: seconds, or text such as `90s`.
    pub idle_timeout: Option<Duration>,
    /// How often it may be asked to mend an answer that does not fit; once when left out.
    pub repairs: Option<u32>,
    /// Which model the agent is to use, for launchers that can choose one.
    pub model: Option<String>,
    /// What the launcher is told beyond the above; each launcher says what it knows.
    #[serde(default)]
    pub options: BTreeMap<String, serde_json::Value>,
}

/// Limits of stages; what is left out keeps docket's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
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
    /// Stack of a stage, in KiB: 64 to 65536.
    #[serde(default, deserialize_with = "stack_kib")]
    #[schemars(with = "Option<u64>", range(min = 64, max = 65_536))]
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
/// When the file is unsafe or says what it can't say: every fault of it, with its place.
pub fn home(home: &Home) -> Result<HomeConfig, StoreError> {
    let path = home.config_file();
    let (config, source) = parse::<HomeConfig>(&path, home.read_private(&path)?)?;
    Ok(HomeConfig { source, ..config })
}

/// Reads a project's settings.
///
/// # Errors
/// When the file can't be read or says what it can't say: every fault of it, with its place.
pub fn project(project: &Project) -> Result<ProjectConfig, StoreError> {
    let path = project.config_file();
    let parsed = parse::<ProjectConfig>(&path, crate::disk::read_if_there(&path)?);
    let (config, source) = parsed.map_err(explain_choice)?;
    Ok(ProjectConfig { source, ..config })
}

/// Says of what only the user's settings can say where it belongs.
fn explain_choice(error: StoreError) -> StoreError {
    let StoreError::Faulty(mut faults) = error else { return error };
    for fault in &mut faults.list {
        if ["profiles", "limits"].iter().any(|key| fault.message.starts_with(&format!("unknown key '{key}'")))
        {
            fault.hint = Some(
                "a project chooses with `profile` and `launcher` among what you define in ~/.docket/config.yml; it can't \
                 name commands or limits"
                    .to_owned(),
            );
        }
    }
    StoreError::Faulty(faults)
}

fn parse<T: Default + DeserializeOwned + JsonSchema>(
    path: &Path,
    bytes: Option<Vec<u8>>,
) -> Result<(T, LocatedText), StoreError> {
    let name = path.display().to_string();
    let Some(bytes) = bytes else { return Ok((T::default(), LocatedText::new(name, ""))) };
    let text = String::from_utf8(bytes).map_err(|cause| StoreError::BadConfig {
        path: path.to_owned(),
        detail: format!("not UTF-8: {cause}"),
    })?;
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let config = if text.lines().all(blank) {
        Ok(T::default())
    } else {
        serde_saphyr::from_str(&text).map_err(|cause| cause.without_snippet().to_string())
    };
    let source = LocatedText::new(name, text);
    match config {
        Ok(config) => Ok((config, source)),
        Err(detail) => Err(StoreError::Faulty(faults(&source, &schema::<T>(), detail))),
    }
}

/// What is wrong with a text that can't be read: all that its schema finds, else what the reader stopped at.
fn faults(source: &LocatedText, schema: &Value, detail: String) -> Faults {
    let faults = source.faults(schema);
    if !faults.list.is_empty() {
        return faults;
    }
    let fault = Fault { message: detail, location: None, hint: None };
    Faults { list: vec![fault], ..faults }
}

/// The JSON Schema of a settings file, without references: faults are explained with what stands beside them.
fn schema<T: JsonSchema>() -> Value {
    let settings =
        schemars::generate::SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_can_not_name_commands() {
        let text = "profiles: { mine: { launcher: shell, command: [/bin/sh] } }\n";
        let error =
            parse::<ProjectConfig>(Path::new("p/config.yml"), Some(text.into())).expect_err("refused");
        let told = explain_choice(error).to_string();
        assert!(told.starts_with("p/config.yml:1:1: unknown key 'profiles' in config\n"), "{told}");
        assert!(told.contains("a project chooses"), "{told}");
    }

    #[test]
    fn a_budget_limits_what_it_names_to_something() {
        let read = |text: &str| parse::<ProjectConfig>(Path::new("c"), Some(text.into()));
        let config = read("budget: { usd: 2.5, launches: 3 }\n").expect("fine");
        let usd = docket_core::Dollars::parse("2.50");
        assert_eq!(config.0.budget, Some(Budget { usd, tokens: None, launches: Some(3) }));
        for text in ["{ usd: 0 }", "{ launches: 0 }", "{ usd: -1 }", "{ euro: 1 }", "2.50"] {
            assert!(read(&format!("budget: {text}\n")).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_seconds_or_have_a_unit() {
        let text = "profiles:\n  a: { launcher: shell, timeout: 10m, idle_timeout: 90 }\n";
        let (config, _) = parse::<HomeConfig>(Path::new("config.yml"), Some(text.into())).expect("fine");
        assert_eq!(config.profiles["a"].timeout, Some(Duration { seconds: 600 }));
        assert_eq!(config.profiles["a"].idle_timeout, Some(Duration { seconds: 90 }));
        assert_eq!(
            parse::<HomeConfig>(Path::new("c"), Some("# nothing\n".into())).expect("empty").0,
            HomeConfig::default()
        );
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let text = "lanucher: shell\nprofiles:\n  mine: { launcher: shell, comand: [x], timeout: 10 minutes }\n  \
                    other: { agent: codex, repairs: many }\nlimits: { stack_kib: 1 }\n";
        let error = parse::<HomeConfig>(Path::new("config.yml"), Some(text.into())).expect_err("refused");
        let told = error.to_string();
        for expected in [
            "config.yml:1:1: unknown key 'lanucher' in config",
            "did you mean 'launcher'?",
            "config.yml:3:28: unknown key 'comand' in config",
            "did you mean 'command'?",
            "config.yml:3:50: 'profiles.mine.timeout' in config",
            "such as `10m`",
            "'launcher' is missing in 'profiles.other' in config",
            "'profiles.other.repairs' in config must be empty or a whole number",
            "64 to 65536",
        ] {
            assert!(told.contains(expected), "{expected}:\n{told}");
        }
    }

    #[test]
    fn options_are_handed_on_as_they_are() {
        let text =
            "profiles:\n  a: { launcher: acp, model: m-1, options: { allow: [read], deep: { on: true } } }\n";
        let (config, _) = parse::<HomeConfig>(Path::new("config.yml"), Some(text.into())).expect("fine");
        let profile = &config.profiles["a"];
        assert_eq!(profile.model.as_deref(), Some("m-1"));
        assert_eq!(
            serde_json::to_value(&profile.options).expect("JSON"),
            serde_json::json!({ "allow": ["read"], "deep": { "on": true } })
        );
    }
}
