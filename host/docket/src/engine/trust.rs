//! Trusting what a project brings along: what there is, what it asks for, and pinning it as it is now.

use std::collections::BTreeSet;
use std::path::Path;

use docket_core::run::{Actor, Failure, PluginUsed};

use super::plugins::{Candidate, candidates};
use super::{EngineError, now};
use crate::store::audit::{self, Decision, Entry};
use crate::store::trust::{Item, Standing, Trust, items};
use crate::store::{Home, Project};

/// Something that can be trusted.
#[derive(Debug)]
pub struct Offer {
    /// Its path, as shown.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How it stands.
    pub standing: Standing,
    /// For a plugin: its name, version and what it asks for.
    pub plugin: Option<PluginOffer>,
}

/// A plugin that can be trusted.
#[derive(Debug)]
pub struct PluginOffer {
    /// Name and version.
    pub name: String,
    /// Each capability, and whether it is granted already.
    pub capabilities: Vec<(String, bool)>,
}

/// What a project brings along, and the plugins of the user.
pub struct Offers {
    /// What can be trusted, by path.
    pub list: Vec<Offer>,
    items: Vec<Item>,
    plugins: Vec<Candidate>,
    trust: Trust,
}

impl Offers {
    /// Looks at what there is. Nothing of it is run.
    ///
    /// # Errors
    /// When something can't be read or believed, or a plugin file is no plugin: that is to be mended or removed first.
    pub fn look(project: &Project, home: &Home, max_bytes: u64) -> Result<Self, EngineError> {
        let trust = Trust::load(home)?;
        let items = items(project)?;
        let plugins = candidates(project, home, max_bytes)?;
        let mut list = Vec::new();
        for item in items.iter().filter(|item| !item.path.ends_with(".wasm")) {
            list.push(Offer {
                path: format!(".docket/{}", item.path),
                sha256: item.sha256.clone(),
                standing: trust.standing(project.root(), &item.path, &item.sha256),
                plugin: None,
            });
        }
        for candidate in &plugins {
            list.push(plugin_offer(&trust, project.root(), candidate)?);
        }
        Ok(Self { list, items, plugins, trust })
    }

    /// Whether anything is not trusted or granted as it is.
    pub fn has_news(&self) -> bool {
        self.list.iter().any(|offer| {
            offer.standing != Standing::Trusted
                || offer.plugin.as_ref().is_some_and(|plugin| plugin.capabilities.iter().any(|(_, had)| !had))
        })
    }

    /// Trusts everything as it was looked at, and grants the plugins what they ask for.
    ///
    /// # Errors
    /// When it can't be stored or logged.
    pub fn accept(mut self, project: &Project, home: &Home, by: &Actor) -> Result<(), EngineError> {
        self.trust.pin(project.root(), &self.items);
        for plugin in self.plugins.iter().filter_map(|candidate| candidate.plugin.as_ref().ok()) {
            let asked: BTreeSet<String> = plugin.manifest.capabilities.listed().into_iter().collect();
            self.trust.grant(&plugin.sha256, asked);
        }
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
            if offer.standing != Standing::Trusted {
                audit::append(home, &entry(Decision::Trusted, Vec::new()))?;
            }
            if let Some(plugin) = &offer.plugin {
                let details = plugin.capabilities.iter().map(|(text, _)| text.clone()).collect();
                audit::append(home, &entry(Decision::Granted, details))?;
            }
        }
        Ok(self.trust.save(home)?)
    }
}

fn plugin_offer(trust: &Trust, root: &Path, candidate: &Candidate) -> Result<Offer, EngineError> {
    let plugin = candidate
        .plugin
        .as_ref()
        .map_err(|cause| EngineError::Plugin { path: candidate.path.clone(), cause: cause.clone() })?;
    let granted = trust.granted(&plugin.sha256);
    let had = |text: &String| granted.is_some_and(|granted| granted.contains(text));
    let item = candidate.item.as_ref();
    let standing = match item {
        Some(item) => trust.standing(root, &item.path, &item.sha256),
        None if granted.is_some() => Standing::Trusted,
        None => Standing::Unknown,
    };
    Ok(Offer {
        path: candidate.path.clone(),
        sha256: plugin.sha256.clone(),
        standing,
        plugin: Some(PluginOffer {
            name: format!("{} {}", plugin.manifest.name, plugin.manifest.version),
            capabilities: plugin
                .manifest
                .capabilities
                .listed()
                .into_iter()
                .map(|text| {
                    let granted = had(&text);
                    (text, granted)
                })
                .collect(),
        }),
    })
}

/// Takes back all trust in a project.
///
/// # Errors
/// When it can't be stored or logged.
pub fn forget(project: &Project, home: &Home, by: &Actor) -> Result<bool, EngineError> {
    let mut trust = Trust::load(home)?;
    if !trust.forget(project.root()) {
        return Ok(false);
    }
    trust.save(home)?;
    audit::append(
        home,
        &Entry {
            at: now(),
            by: by.clone(),
            decision: Decision::Revoked,
            subject: project.root().display().to_string(),
            sha256: None,
            project: Some(project.root().display().to_string()),
            details: Vec::new(),
        },
    )?;
    Ok(true)
}

/// Logs that something was refused for want of trust.
pub fn log_denial(home: &Home, project: &Path, by: &Actor, items: &[super::Untrusted]) {
    for item in items {
        log_denied(home, project, by, &item.path, None, item.capabilities.clone());
    }
}

/// Codes of failures that are denials: of trust, of a grant, of what a stage proposed.
const DENIALS: [&str; 3] = ["not-granted", "not-trusted", "proposal-refused"];

/// Logs that a stage was refused something, if that is why it failed.
pub(super) fn log_stage_denial(setting: &super::Setting, plugin: Option<&PluginUsed>, failure: &Failure) {
    if DENIALS.contains(&failure.code.as_str()) {
        let subject = plugin.map_or("a stage", |plugin| plugin.name.as_str());
        let sha256 = plugin.map(|plugin| plugin.sha256.clone());
        let root = setting.project.root();
        log_denied(&setting.home, root, &setting.actor, subject, sha256, vec![failure.message.clone()]);
    }
}

fn log_denied(
    home: &Home,
    project: &Path,
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
        project: Some(project.display().to_string()),
        details,
    };
    // A denial that can't be logged is still a denial.
    let _ = audit::append(home, &entry);
}
