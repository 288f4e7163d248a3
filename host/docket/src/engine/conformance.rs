//! `docket plugin check`: reads a component, then tries it in a sandbox with nothing in it, and puts together what is
//! wrong with it. Must not decide what is wrong: that is [`crate::plugin::conformance`]'s.

use std::collections::BTreeMap;
use std::sync::Arc;

use docket_core::run::sha256;
use serde_json::Value;

use super::request::{RequestAgent, RequestProfile, RequestReference, StageRequest};
use crate::plugin::catalog::PluginBytes;
use crate::plugin::conformance::trial::{Bench, Times, reference};
use crate::plugin::conformance::{Examined, Finding, Findings, examine, examine_text};
use crate::plugin::host::scratch::scratch;
use crate::plugin::pack::with_manifest;
use crate::plugin::{Catalog, Limits, Manifest, Plugin, PluginOrigin, Runtime};
use crate::store::Home;

/// What a check of a component found.
#[derive(Debug)]
pub struct Conformance {
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Its manifest, when docket takes it.
    pub manifest: Option<Manifest>,
    /// What it imports.
    pub imports: Vec<String>,
    /// What is wrong, errors first.
    pub findings: Vec<Finding>,
    /// How long its parts took; nothing when it could not be tried.
    pub times: Option<Times>,
    /// How each stage type ended in an empty project, in words.
    pub endings: Vec<(String, String)>,
}

/// The stage types of docket's own plugins.
pub fn built_in_types() -> Vec<String> {
    let own = Catalog::built_in(crate::embedded::COMPONENTS).unwrap_or_default();
    Catalog::new(own.into_iter().map(Arc::new).collect())
        .stage_types()
        .into_iter()
        .map(|stage| stage.name)
        .collect()
}

/// A component with a manifest in it.
#[derive(Debug)]
pub struct Packed {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What is wrong with it, errors first.
    pub findings: Vec<Finding>,
    /// Whether docket takes it as it is.
    pub is_plugin: bool,
}

/// Puts a manifest into a component, and says everything that is wrong with either. Nothing is run.
pub fn pack(component: &[u8], manifest: &[u8], limits: &Limits) -> Packed {
    // The manifest comes first: what is wrong with it has nothing to do with what it is packed into.
    let mut findings = examine_text(manifest, &built_in_types());
    let bytes = with_manifest(component, manifest);
    findings.append(examine(&bytes, limits, &built_in_types()).findings);
    let is_plugin = !findings.has_errors();
    Packed { bytes, findings: findings.into_sorted(), is_plugin }
}

/// Checks a component. Its code is run only when nothing is wrong that keeps docket from loading it.
pub fn check(bytes: Vec<u8>, home: &Home, limits: &Limits) -> Conformance {
    let Examined { mut findings, manifest, imports } = examine(&bytes, limits, &built_in_types());
    let mut checked = Conformance {
        sha256: sha256(&bytes),
        manifest: manifest.clone(),
        imports,
        findings: Vec::new(),
        times: None,
        endings: Vec::new(),
    };
    if manifest.is_some() && !findings.has_errors() {
        let origin = PluginOrigin::File("the component".to_owned());
        match Plugin::new(PluginBytes::Read(bytes), origin) {
            Ok(plugin) => {
                // Here it has all that it asks for: there is nothing behind it.
                let asked = plugin.manifest.capabilities.listed().into_iter().collect();
                let plugin = plugin.granted(&asked);
                let limits = plugin.rights.limits.raise(*limits);
                try_out(&plugin, home, &limits, &mut findings, &mut checked);
            }
            Err(error) => findings.error("refused", "component", error.to_string(), "mend what is said here"),
        }
    }
    checked.findings = findings.into_sorted();
    checked
}

fn try_out(
    plugin: &Plugin,
    home: &Home,
    limits: &Limits,
    findings: &mut Findings,
    checked: &mut Conformance,
) {
    let tried = scratch(home.cache(), "check-").and_then(|folder| {
        // A cache of its own: the time to compile is what a user's first run waits for.
        let key_home = home.clone();
        let key = Box::new(move || key_home.cache_key(super::start::random().ok()?).ok());
        let runtime = Runtime::new(&folder.path().join("code"), key, limits.stack);
        let bench = Bench {
            runtime: &runtime,
            limits: *limits,
            scratch: folder.path().to_owned(),
            request: &|stage_type, config, references| request(stage_type, config, references),
        };
        bench.try_out(plugin)
    });
    match tried {
        Ok(tried) => {
            findings.append(tried.findings);
            checked.times = Some(tried.times);
            checked.endings = tried.endings;
        }
        Err(cause) => {
            let what = format!("it could not be tried: {cause}");
            findings.error("not-tried", "sandbox", what, "make your cache folder writable, then check again");
        }
    }
}

/// A request as a run of one stage would make it.
fn request(stage_type: &str, config: &Value, references: &[(String, String)]) -> String {
    let (stage, output) = reference();
    let references = references
        .iter()
        .map(|(field, path)| (field.as_str(), RequestReference { stage, output, path: path.clone() }))
        .collect();
    let agent = (stage_type == "agent").then(|| RequestAgent {
        prompt: "Say hello.",
        prompt_file: ".docket/workflows/state/wf-check/results/check/prompt.md",
        schema: None,
        prompt_shows_schema: false,
        repairs: 0,
        project_folder: None,
        profile: RequestProfile::default(),
    });
    let request = StageRequest {
        run: "wf-check",
        workflow: "check",
        stage: "check",
        stage_type,
        attempt: 1,
        date: "2026-01-02",
        config,
        inputs: &BTreeMap::new(),
        references,
        agent,
    };
    serde_json::to_string(&request).unwrap_or_default()
}
