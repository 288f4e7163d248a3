//! How each real agent is told to talk to the scripted model and to nobody else: its settings, its variables, and the
//! profile that a user would write. Must not run anything.

use std::path::Path;

use serde_json::json;

use super::model::KEY;
use crate::failure::Failure;
use crate::scratch::{Scratch, write};

/// An agent as it is set up in a scratch project.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    /// What stands in `config.yml` under `profiles: { tested: … }`, without its `env`.
    pub(crate) profile: &'static str,
    /// Variables that the profile grants, with their values.
    pub(crate) variables: Vec<(String, String)>,
}

fn variable(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// codex, with a home of its own whose settings name the model. What it would ask of its maker's servers is turned off.
pub(crate) fn codex(profile: &'static str, scratch: &Scratch, model: &str) -> Result<Setup, Failure> {
    let home = scratch.home().join("codex");
    let settings = format!(
        "model = \"scripted\"\nmodel_provider = \"loopback\"\ncheck_for_update_on_startup = false\n\
         analytics.enabled = false\nfeedback.enabled = false\n\
         otel = {{ exporter = \"none\", metrics_exporter = \"none\" }}\nfeatures = {{ plugins = false, apps = false }}\n\
         [model_providers.loopback]\nname = \"loopback\"\nbase_url = \"{model}/v1\"\nwire_api = \"responses\"\n\
         env_key = \"MODEL_KEY\"\n"
    );
    write(&home.join("config.toml"), settings.as_bytes())?;
    let home = variable("CODEX_HOME", home.display().to_string());
    Ok(Setup { profile, variables: vec![home, variable("MODEL_KEY", KEY), variable("NO_BROWSER", "1")] })
}

/// opencode, with a provider of the user's own. The registry that it looks for a plugin in is the model, which has none.
pub(crate) fn opencode(profile: &'static str, scratch: &Scratch, model: &str) -> Result<Setup, Failure> {
    let path = scratch.home().join("opencode.json");
    let provider = json!({
        "npm": "@ai-sdk/openai-compatible", "name": "loopback",
        "options": { "baseURL": format!("{model}/v1"), "apiKey": "{env:MODEL_KEY}" },
        "models": { "scripted": { "name": "scripted" } },
    });
    let settings = json!({
        "autoupdate": false, "share": "disabled", "enabled_providers": ["loopback"],
        "model": "loopback/scripted", "small_model": "loopback/scripted", "provider": { "loopback": provider },
    });
    write(&path, settings.to_string().as_bytes())?;
    let mut variables = vec![
        variable("MODEL_KEY", KEY),
        variable("OPENCODE_CONFIG", path.display().to_string()),
        variable("npm_config_registry", format!("{model}/npm/")),
    ];
    for name in ["AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS"] {
        variables.push(variable(&format!("OPENCODE_DISABLE_{name}"), "1"));
    }
    Ok(Setup { profile, variables })
}

/// gemini, with an API key and the model's address in place of its maker's.
pub(crate) fn gemini(profile: &'static str, scratch: &Scratch, model: &str) -> Result<Setup, Failure> {
    let settings = json!({
        "security": { "auth": { "selectedType": "gemini-api-key" } },
        "privacy": { "usageStatisticsEnabled": false }, "telemetry": { "enabled": false },
        "general": { "disableAutoUpdate": true, "disableUpdateNag": true, "enableAutoUpdate": false },
    });
    write(&scratch.home().join(".gemini/settings.json"), settings.to_string().as_bytes())?;
    let variables = vec![
        variable("GEMINI_API_KEY", KEY),
        variable("GOOGLE_GEMINI_BASE_URL", model),
        variable("GEMINI_CLI_TRUST_WORKSPACE", "true"),
    ];
    Ok(Setup { profile, variables })
}

/// Writes the user's settings with the profile `tested`, which grants its variables and those of the tripwire.
pub(crate) fn write_config(path: &Path, setup: &Setup, more: &[(String, String)]) -> Result<(), Failure> {
    let names: Vec<&str> = setup.variables.iter().chain(more).map(|(name, _)| name.as_str()).collect();
    let text =
        format!("profiles:\n  tested: {{ {}, timeout: 5m, env: [{}] }}\n", setup.profile, names.join(", "));
    write(path, text.as_bytes())
}
