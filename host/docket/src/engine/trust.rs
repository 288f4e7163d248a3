//! Trusting what a project brings along: what there is, what it asks for, what changed since it was trusted, and pinning
//! it as it is now. Nothing of it is run.

use std::collections::BTreeSet;
use std::path::Path;

use docket_core::run::{Actor, Failure, PluginUsed};

use super::definition_asks::asks;
use super::plugins::{Candidate, Plugins, candidates};
use super::{EngineError, library, now};
use crate::disk::DiskError;
use crate::plugin::Plugin;
use crate::store::audit::{self, Decision, Entry};
use crate::store::plugin_lock::{Pin, PluginLock};
use crate::store::trust::{Grant, Item, Standing, Trust, items, texts};
use crate::store::{Home, Project, StoreError};

/// Something that can be trusted.
#[derive(Debug)]
pub struct Offer {
    /// Its path, as shown.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How it stands.
    pub standing: Standing,
    /// For a definition: what its stages ask for, a line each.
    pub asks: Vec<String>,
    /// For a text that changed: what it was when it was trusted, if that was kept, and what it is.
    pub change: Option<(String, String)>,
    /// For a plugin: what it is and asks for.
    pub plugin: Option<PluginOffer>,
}

/// A plugin that can be trusted.
#[derive(Debug)]
pub struct PluginOffer {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Each capability, and whether it is granted already.
    pub capabilities: Vec<(String, bool)>,
    /// Whether it is the project's, and not the user's own.
    pub is_of_project: bool,
    /// Whether somebody decided about these bytes.
    pub is_decided: bool,
    /// The plugin of this name that was decided about before, if another one was.
    pub update: Option<Update>,
    /// What the project's lock has instead of these bytes.
    pub pinned: Option<Pin>,
}

/// What an update of a plugin changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The version before.
    pub version: String,
    /// The hash before.
    pub sha256: String,
    /// Capabilities it did not ask for before.
    pub added: Vec<String>,
    /// Capabilities it does not ask for any more.
    pub removed: Vec<String>,
}

impl Update {
    /// What changes between two plugins. `None` when they are the same bytes.
    pub fn between(before: &Plugin, after: &Plugin) -> Option<Self> {
        let asked = |plugin: &Plugin| -> BTreeSet<String> {
            plugin.manifest.capabilities.listed().into_iter().collect()
        };
        let (had, asks) = (asked(before), asked(after));
        (before.sha256 != after.sha256).then(|| Self {
            version: before.manifest.version.clone(),
            sha256: before.sha256.clone(),
            added: asks.difference(&had).cloned().collect(),
            removed: had.difference(&asks).cloned().collect(),
        })
    }

    /// What changes with a plugin, compared with the latest one of its name that was decided about.
    pub fn of(trust: &Trust, plugin: &Plugin) -> Option<Self> {
        let (sha256, before) = trust.earlier(&plugin.manifest.name, &plugin.sha256)?;
        let asked: BTreeSet<String> = plugin.manifest.capabilities.listed().into_iter().collect();
        Some(Self {
            version: before.version.clone(),
            sha256: sha256.to_owned(),
            added: asked.difference(&before.asked).cloned().collect(),
            removed: before.asked.difference(&asked).cloned().collect(),
        })
    }
}

/// What a project brings along, and the plugins of the user.
pub struct Offers {
    /// What can be trusted, by path.
    pub list: Vec<Offer>,
    items: Vec<Item>,
    /// What the project's plugins that nobody decided about would be granted, by their hash.
    grants: Vec<(String, Grant)>,
}

impl Offers {
    /// Looks at what there is. Nothing of it is run.
    ///
    /// # Errors
    /// When something can't be read or believed, or a plugin file is no plugin: that is to be mended or removed first.
    pub fn look(project: &Project, home: &Home, max_bytes: u64) -> Result<Self, EngineError> {
        let trust = Trust::load(home)?;
        let lock = PluginLock::load(project)?;
        let plugins = candidates(Some(project), home, max_bytes)?;
        // Plugins as they were looked at; everything else, whatever it is called, is shown as the text it is.
        let mut items = items(project)?;
        items.retain(|item| !plugins.iter().any(|candidate| candidate.is_at(&item.path)));
        let offer = |candidate| plugin_offer(&trust, &lock, project.root(), candidate);
        let offers = plugins.iter().map(offer).collect::<Result<Vec<Offer>, EngineError>>()?;
        let of_project = || plugins.iter().filter(|candidate| candidate.item.is_some());
        let undecided = of_project()
            .filter_map(|candidate| candidate.plugin.as_ref().ok())
            .filter(|plugin| trust.decided(&plugin.sha256).is_none());
        let grants = undecided.map(|plugin| (plugin.sha256.clone(), grant(plugin, None))).collect();
        let of_plugins: Vec<Item> = of_project().filter_map(|candidate| candidate.item.clone()).collect();
        let loaded = Plugins::of(plugins, &trust, &lock, project.root())?;
        let mut list = Vec::new();
        for item in &items {
            let standing = trust.standing(project.root(), &item.path, &item.sha256);
            let text = std::str::from_utf8(&item.bytes).ok();
            let before = || texts::trusted_text(home, &trust, project.root(), &item.path);
            let is_definition = [".yml", ".yaml"].iter().any(|extension| item.path.ends_with(extension));
            list.push(Offer {
                path: format!(".docket/{}", item.path),
                sha256: item.sha256.clone(),
                standing,
                asks: text
                    .filter(|_| is_definition)
                    .map(|text| asks(library(project, home), &loaded, &item.path, text))
                    .unwrap_or_default(),
                change: match (standing, text) {
                    (Standing::Changed, Some(text)) => before().map(|before| (before, text.to_owned())),
                    _ => None,
                },
                plugin: None,
            });
        }
        list.extend(offers);
        items.extend(of_plugins);
        Ok(Self { list, items, grants })
    }

    /// Whether anything of the project is not trusted as it is, or a plugin of its was not decided about.
    pub fn has_news(&self) -> bool {
        self.list.iter().any(|offer| {
            let is_undecided = |plugin: &PluginOffer| plugin.is_of_project && !plugin.is_decided;
            let is_users = offer.plugin.as_ref().is_some_and(|plugin| !plugin.is_of_project);
            !is_users && offer.standing != Standing::Trusted
                || offer.plugin.as_ref().is_some_and(is_undecided)
        })
    }

    /// Whether a plugin that asks for something would be granted it: one that nobody decided about.
    pub fn grants(&self) -> bool {
        self.grants.iter().any(|(_, grant)| !grant.asked.is_empty())
    }

    /// Trusts everything as it was looked at, and grants the project's plugins that nobody decided about what they ask
    /// for. The user's own plugins are decided about by name.
    ///
    /// # Errors
    /// When it can't be stored or logged.
    pub fn accept(self, project: &Project, home: &Home, by: &Actor) -> Result<(), EngineError> {
        for offer in &self.list {
            let entry = |decision, details| Entry {
                at: now(),
                by: by.clone(),
                decision,
                subject: offer.path.clone(),
                sha256: Some(offer.sha256.clone()),
                project: Some(project.root().display().to_string()),
                details,
            };
            if offer.plugin.as_ref().is_some_and(|plugin| !plugin.is_of_project) {
                continue;
            }
            if offer.standing != Standing::Trusted {
                audit::append(home, &entry(Decision::Trusted, Vec::new()))?;
            }
            if let Some(plugin) = offer.plugin.as_ref().filter(|plugin| !plugin.is_decided) {
                let details = plugin.capabilities.iter().map(|(text, _)| text.clone()).collect();
                audit::append(home, &entry(Decision::Granted, details))?;
            }
        }
        Trust::update(home, |trust| {
            trust.pin(project.root(), &self.items);
            for (sha256, grant) in self.grants {
                // Whatever was decided while this was looked at counts.
                if trust.decided(&sha256).is_none() {
                    trust.decide(&sha256, grant);
                }
            }
            texts::keep(home, trust, &self.items)
        })
        .map_err(|error: StoreError| error.into())
    }
}

/// A decision about a plugin: these of its capabilities, or all of them.
pub(super) fn grant(plugin: &Plugin, only: Option<&BTreeSet<String>>) -> Grant {
    let asked: BTreeSet<String> = plugin.manifest.capabilities.listed().into_iter().collect();
    let granted = only.map_or_else(|| asked.clone(), |only| asked.intersection(only).cloned().collect());
    Grant {
        name: plugin.manifest.name.clone(),
        version: plugin.manifest.version.clone(),
        asked,
        granted,
        refused: false,
        at: Some(now()),
    }
}

/// The decision that a plugin must not run.
pub(super) fn refusal(plugin: &Plugin) -> Grant {
    Grant { refused: true, ..grant(plugin, Some(&BTreeSet::new())) }
}

fn plugin_offer(
    trust: &Trust,
    lock: &PluginLock,
    root: &Path,
    candidate: &Candidate,
) -> Result<Offer, EngineError> {
    let plugin = candidate
        .plugin
        .as_ref()
        .map_err(|cause| EngineError::Plugin { path: candidate.path.clone(), cause: cause.clone() })?;
    let granted = trust.granted(&plugin.sha256);
    let had = |text: &String| granted.is_some_and(|granted| granted.contains(text));
    let standing = match &candidate.item {
        Some(item) => trust.standing(root, &item.path, &item.sha256),
        None if granted.is_some() => Standing::Trusted,
        None => Standing::Unknown,
    };
    let with_grant = |text: String| {
        let granted = had(&text);
        (text, granted)
    };
    let pinned = lock.refuses(&plugin.manifest.name, &plugin.sha256);
    Ok(Offer {
        path: candidate.path.clone(),
        sha256: plugin.sha256.clone(),
        standing,
        asks: Vec::new(),
        change: None,
        plugin: Some(PluginOffer {
            name: plugin.manifest.name.clone(),
            version: plugin.manifest.version.clone(),
            capabilities: plugin.manifest.capabilities.listed().into_iter().map(with_grant).collect(),
            is_of_project: candidate.item.is_some(),
            is_decided: trust.decided(&plugin.sha256).is_some(),
            update: if trust.decided(&plugin.sha256).is_some() { None } else { Update::of(trust, plugin) },
            pinned: pinned.cloned(),
        }),
    })
}

/// Takes back all trust in a project.
///
/// # Errors
/// When it can't be stored or logged.
pub fn forget(project: &Project, home: &Home, by: &Actor) -> Result<bool, EngineError> {
    let had = Trust::update(home, |trust| Ok::<bool, StoreError>(trust.forget(project.root())))?;
    if had {
        let subject = project.root().display().to_string();
        let entry = Entry {
            at: now(),
            by: by.clone(),
            decision: Decision::Revoked,
            project: Some(subject.clone()),
            subject,
            sha256: None,
            details: Vec::new(),
        };
        audit::append(home, &entry)?;
    }
    Ok(had)
}

/// Logs that a command was refused something, if that is why it failed. What agents ask for is logged where they are
/// found out.
pub fn log_denial(home: &Home, project: Option<&Path>, by: &Actor, error: &EngineError) {
    let log = |subject: &str, sha256, details| log_denied(home, project, by, subject, sha256, details);
    match error {
        EngineError::NotTrusted(items) => {
            for item in items {
                match item.pinned.as_deref() {
                    Some((sha256, pin)) => {
                        let reason = format!(".docket/plugins.lock pins {}", pin.sha256);
                        log(&item.path, Some(sha256.clone()), vec![reason]);
                    }
                    None => log(&item.path, None, item.capabilities.clone()),
                }
            }
        }
        EngineError::ForeignRun { run } => log(run, None, vec!["somebody else started it".to_owned()]),
        EngineError::Store(StoreError::Disk(DiskError::Unsafe { path, detail })) => {
            log(&path.display().to_string(), None, vec![detail.clone()]);
        }
        EngineError::Store(StoreError::NotBelieved { path, detail, .. }) => {
            log(&path.display().to_string(), None, vec![detail.clone()]);
        }
        _ => {}
    }
}

/// Codes of failures that are denials: of trust, of a grant, of what a stage proposed.
const DENIALS: [&str; 3] = ["not-granted", "not-trusted", "proposal-refused"];

/// Logs that a stage was refused something, if that is why it failed.
pub(super) fn log_stage_denial(setting: &super::Setting, plugin: Option<&PluginUsed>, failure: &Failure) {
    if DENIALS.contains(&failure.code.as_str()) {
        let subject = plugin.map_or("a stage", |plugin| plugin.name.as_str());
        let sha256 = plugin.map(|plugin| plugin.sha256.clone());
        let root = Some(setting.project.root());
        log_denied(&setting.home, root, &setting.actor, subject, sha256, vec![failure.message.clone()]);
    }
}

/// Logs that something was refused.
pub(super) fn log_denied(
    home: &Home,
    project: Option<&Path>,
    by: &Actor,
    subject: &str,
    sha256: Option<String>,
    details: Vec<String>,
) {
    let entry = Entry {
        at: now(),
        by: by.clone(),
        decision: Decision::Denied,
        subject: subject.to_owned(),
        sha256,
        project: project.map(|project| project.display().to_string()),
        details,
    };
    // A denial that can't be logged is still a denial.
    let _ = audit::append(home, &entry);
}
