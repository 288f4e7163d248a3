//! Which launcher and which profile are in force, and which rule chose them. From strong to weak: flag, environment, the
//! stage's own `launcher`, the profile in force, the project's settings, the user's, else docket's default. What the stage
//! says is joined in by `docket-core`, which knows it.

use docket_core::definition::closest;
use docket_core::run::{DEFAULT_LAUNCHER, LaunchSettings, ProfileSnapshot};

use super::{Engine, EngineError, Plugins};
use crate::store::StoreError;
use crate::store::config::{HomeConfig, Profile, ProjectConfig};

/// What flags and environment say about launchers.
#[derive(Debug, Clone, Default)]
pub struct LaunchWishes {
    /// The launcher (`--launcher`, `DOCKET_LAUNCHER`).
    pub launcher: Option<String>,
    /// The profile (`--profile`, `DOCKET_PROFILE`).
    pub profile: Option<String>,
}

/// What chose a launcher or a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A flag or the environment.
    Wish,
    /// The profile in force.
    Profile,
    /// The project's settings.
    Project,
    /// The user's settings.
    Home,
    /// Nothing: it is docket's default.
    Default,
}

/// A name and what chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The launcher's or profile's name.
    pub name: String,
    /// What chose it.
    pub rule: Rule,
}

/// What is in force where a stage names no launcher itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The launcher.
    pub launcher: Chosen,
    /// The profile.
    pub profile: Option<Chosen>,
}

/// What launchers and profiles are chosen from.
#[derive(Clone, Copy)]
pub struct Choice<'a> {
    /// The user's settings.
    pub home: &'a HomeConfig,
    /// The project's settings; empty ones outside a project.
    pub project: &'a ProjectConfig,
    /// The plugins there are.
    pub plugins: &'a Plugins,
}

impl Choice<'_> {
    /// Chooses by the rules, without looking whether what is chosen is there.
    pub fn resolve(&self, wishes: &LaunchWishes) -> Resolution {
        let first = |candidates: [(Option<&String>, Rule); 4]| {
            let found = candidates.into_iter().find_map(|(name, rule)| Some((name?, rule)));
            found.map(|(name, rule)| Chosen { name: name.clone(), rule })
        };
        let profile = first([
            (wishes.profile.as_ref(), Rule::Wish),
            (self.project.profile.as_ref(), Rule::Project),
            (self.home.profile.as_ref(), Rule::Home),
            (None, Rule::Default),
        ]);
        let of_profile = profile.as_ref().and_then(|chosen| self.home.profiles.get(&chosen.name));
        let launcher = first([
            (wishes.launcher.as_ref(), Rule::Wish),
            (of_profile.map(|profile| &profile.launcher), Rule::Profile),
            (self.project.launcher.as_ref(), Rule::Project),
            (self.home.launcher.as_ref(), Rule::Home),
        ]);
        let fallback = || Chosen { name: DEFAULT_LAUNCHER.to_owned(), rule: Rule::Default };
        Resolution { launcher: launcher.unwrap_or_else(fallback), profile }
    }

    /// Chooses by the rules for a run.
    ///
    /// # Errors
    /// When what is chosen is not there: where it is named, and what may be meant.
    pub fn settings(&self, wishes: &LaunchWishes) -> Result<LaunchSettings, EngineError> {
        let Resolution { profile, .. } = self.resolve(wishes);
        let snapshot = match &profile {
            Some(chosen) => Some(self.snapshot(chosen)?),
            None => None,
        };
        if let Some(launcher) = &wishes.launcher {
            self.require_launcher(launcher, Rule::Wish, None)?;
        }
        // What is weaker than a wish counts, too: a stage's own launcher lies between the two.
        let preferred = self.resolve(&LaunchWishes { launcher: None, ..wishes.clone() }).launcher;
        if preferred.rule != Rule::Default {
            self.require_launcher(&preferred.name, preferred.rule, profile.as_ref())?;
        }
        Ok(LaunchSettings {
            forced: wishes.launcher.clone(),
            preferred: (preferred.rule != Rule::Default).then_some(preferred.name),
            profile: snapshot,
        })
    }

    fn snapshot(&self, chosen: &Chosen) -> Result<ProfileSnapshot, EngineError> {
        let profile = self.home.profiles.get(&chosen.name).ok_or_else(|| self.no_profile(chosen))?;
        self.require_agent(&chosen.name, profile)?;
        Ok(snapshot(&chosen.name, profile))
    }

    fn no_profile(&self, chosen: &Chosen) -> EngineError {
        let Chosen { name, rule } = chosen;
        let hint = match closest(name, self.home.profiles.keys().map(String::as_str)) {
            Some(similar) => format!("did you mean '{similar}'?"),
            None => format!("define it under `profiles:` in {}", self.home.source.name()),
        };
        self.fault(*rule, None, "/profile", format!("there is no profile '{name}'"), hint)
    }

    fn require_launcher(&self, name: &str, rule: Rule, profile: Option<&Chosen>) -> Result<(), EngineError> {
        if self.plugins.find("agent", Some(name))?.is_some() {
            return Ok(());
        }
        let known = self.plugins.usable.launchers();
        let hint = match closest(name, known.iter().map(String::as_str)) {
            Some(similar) => format!("did you mean '{similar}'? There are: {}", known.join(", ")),
            None => format!("there are: {}", known.join(", ")),
        };
        let of_profile = profile.map(|chosen| chosen.name.as_str());
        Err(self.fault(rule, of_profile, "/launcher", format!("there is no launcher '{name}'"), hint))
    }

    /// Refuses an agent that the profile's launcher says it does not know.
    fn require_agent(&self, name: &str, profile: &Profile) -> Result<(), EngineError> {
        let Some(agent) = &profile.agent else { return Ok(()) };
        let Ok(Some(plugin)) = self.plugins.find("agent", Some(&profile.launcher)) else { return Ok(()) };
        let known = &plugin.manifest.agents;
        if known.is_empty() || known.contains(agent) {
            return Ok(());
        }
        let all = known.join(", ");
        let hint = match closest(agent, known.iter().map(String::as_str)) {
            Some(similar) => format!("did you mean '{similar}'? It knows: {all}"),
            None => format!("it knows: {all}"),
        };
        let message = format!("the launcher '{}' knows no agent '{agent}'", profile.launcher);
        Err(self.fault(Rule::Profile, Some(name), "/agent", message, hint))
    }

    /// A fault where something is named: in a settings file at its place there.
    fn fault(
        &self,
        rule: Rule,
        profile: Option<&str>,
        key: &str,
        message: String,
        hint: String,
    ) -> EngineError {
        let of_profile = profile.unwrap_or_default().replace('~', "~0").replace('/', "~1");
        let faults = match rule {
            Rule::Profile => {
                self.home.source.fault(&format!("/profiles/{of_profile}{key}"), message, Some(hint))
            }
            Rule::Project => self.project.source.fault(key, message, Some(hint)),
            Rule::Home => self.home.source.fault(key, message, Some(hint)),
            Rule::Wish | Rule::Default => return EngineError::Launcher { message, hint },
        };
        EngineError::Store(StoreError::Faulty(faults))
    }
}

impl Engine {
    /// What launchers and profiles are chosen from here.
    pub fn choice(&self) -> Choice<'_> {
        let setting = self.setting();
        Choice { home: &setting.home_config, project: &setting.project_config, plugins: self.plugins() }
    }

    /// Works out the launch settings of a new run.
    ///
    /// # Errors
    /// When a launcher, profile or agent that is named is not there.
    pub fn launch_settings(&self, wishes: &LaunchWishes) -> Result<LaunchSettings, EngineError> {
        self.choice().settings(wishes)
    }
}

/// A profile as a run keeps it.
pub(super) fn snapshot(name: &str, profile: &Profile) -> ProfileSnapshot {
    ProfileSnapshot {
        name: name.to_owned(),
        agent: profile.agent.clone(),
        command: profile.command.clone(),
        environment: profile.env.clone(),
        idle_timeout: profile.idle_timeout.map(|duration| duration.seconds),
        timeout: profile.timeout.map(|duration| duration.seconds),
        repairs: profile.repairs,
        model: profile.model.clone(),
        options: profile.options.clone(),
    }
}
