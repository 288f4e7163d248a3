//! The launcher `shell`: runs an agent's command line program in batch mode and returns its answer.
//!
//! [`presets`] lists the programs that are known, one file each: how they are called and how what they print is read.
//! [`conversation`] launches them, [`follow`] follows one process, [`failure`] says why one failed, [`strict`] fits schemas
//! to agents that take them natively. Must not judge an answer: docket checks it against the schema.

mod arguments;
mod conversation;
mod events;
mod failure;
mod follow;
mod presets;
pub mod replay;
mod strict;

use docket_launcher::ask;
use docket_plugin::{Agent, Error, Outcome, Request, Stage, plugin};

use crate::conversation::Conversation;
use crate::presets::Preset;

/// The preset for profiles that name no agent.
const DEFAULT_AGENT: &str = "generic";

/// What a profile can say beyond what all have: nothing. Options of an agent's program go into the profile's `command`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {}

/// The launcher `shell`.
pub struct Shell;

impl Stage for Shell {
    fn run(request: &Request) -> Result<Outcome, Error> {
        let agent = request.agent()?;
        let (preset, program) = (chosen(agent)?, program(agent)?);
        let mut conversation = Conversation::new(preset, program, &conversation::start);
        ask::until_it_fits(agent, &mut conversation, &ask::Host).map(Outcome::Completed)
    }
}

fn chosen(agent: &Agent) -> Result<&'static dyn Preset, Error> {
    let profile = &agent.profile;
    let name = profile.agent.as_deref().unwrap_or(DEFAULT_AGENT);
    let preset = presets::named(name).ok_or_else(|| {
        let message = format!(
            "profile '{}' names the agent '{name}', which the launcher 'shell' does not know",
            profile.name
        );
        Error::new("agent-unknown", message).hint(format!(
            "set `agent` to one of: {}; `generic` fits any program that reads a prompt and prints JSON",
            presets::names()
        ))
    })?;
    profile.options::<Options>()?;
    if name == DEFAULT_AGENT && profile.model.is_some() {
        let message =
            format!("profile '{}' names a model, but its program is not one that docket knows", profile.name);
        return Err(Error::new("options-invalid", message).hint("say the model in the profile's `command`"));
    }
    Ok(preset)
}

fn program(agent: &Agent) -> Result<&str, Error> {
    agent.profile.program.as_deref().ok_or_else(|| {
        let profile = match agent.profile.name.as_str() {
            "" => "no launcher profile is in force, so".to_owned(),
            name => format!("profile '{name}' has no command, so"),
        };
        Error::new("no-command", format!("{profile} the launcher 'shell' does not know which program to run"))
            .hint("set `command` in a profile in ~/.docket/config.yml, such as `mine: { launcher: shell, agent: generic, command: [my-agent] }`")
    })
}

plugin!(Shell, manifest = "../manifest.json");

#[cfg(test)]
mod tests {
    use docket_plugin::{Value, json};

    use super::*;

    fn refused(profile: &Value) -> Error {
        let request: Request = serde_json::from_value(json!({
            "run": "wf-1", "workflow": "W", "stage": "review", "type": "agent", "attempt": 1, "date": "2026-11-22",
            "config": {}, "inputs": {},
            "agent": { "prompt": "Review!", "prompt_file": "p.md", "schema": null, "profile": profile },
        }))
        .expect("a request");
        Shell::run(&request).expect_err("refused")
    }

    #[test]
    fn a_profile_without_a_command_is_told_where_to_set_it() {
        let error = refused(&json!({ "name": "", "agent": null, "program": null, "idle_timeout": null }));
        assert_eq!(error.code, "no-command");
        assert!(error.hint.expect("a hint").contains("~/.docket/config.yml"));
        let error =
            refused(&json!({ "name": "ci", "agent": "codex", "program": null, "idle_timeout": null }));
        assert!(error.message.starts_with("profile 'ci' has no command"), "{error}");
    }

    #[test]
    fn an_unknown_agent_is_answered_with_the_known_ones() {
        let error =
            refused(&json!({ "name": "ci", "agent": "codecs", "program": "x", "idle_timeout": null }));
        assert_eq!(error.code, "agent-unknown");
        assert!(error.hint.expect("a hint").contains("generic, claude, codex, gemini, opencode"));
    }

    #[test]
    fn what_would_have_no_effect_is_refused() {
        for profile in [
            json!({ "name": "ci", "agent": "codex", "program": "x", "idle_timeout": null, "options": { "tool": "y" } }),
            json!({ "name": "ci", "agent": "generic", "program": "x", "idle_timeout": null, "model": "large" }),
        ] {
            assert_eq!(refused(&profile).code, "options-invalid", "{profile}");
        }
    }

    #[test]
    fn the_manifest_asks_for_commands_and_nothing_else() {
        let manifest: Value = serde_json::from_str(include_str!("../manifest.json")).expect("JSON");
        assert_eq!(manifest["launcher"], "shell");
        assert_eq!(manifest["agents"], json!(presets::names().split(", ").collect::<Vec<_>>()));
        assert_eq!(manifest["capabilities"], json!({ "exec": true }));
    }
}
