//! The launcher `acp`: prompts an agent over the Agent Client Protocol, version 1
//! (<https://agentclientprotocol.com>), and returns its answer.
//!
//! [`session`] leads the dialogue from its [`handshake`], [`turn`] listens while the agent works, [`permission`] answers
//! what it wants to be allowed, [`activity`] and [`said`] make progress and an answer of what it tells, [`usage`] counts. Must not judge an
//! answer: docket checks it against the schema. Offers no files and no terminal to an agent, which runs in the project.

mod activity;
mod handshake;
mod options;
mod permission;
mod program;
mod said;
mod session;
mod turn;
mod usage;

use std::time::Duration;

use docket_json_rpc::Wire;
use docket_launcher::{ask, profile};
use docket_plugin::{Error, Outcome, Request, Stage, dialogue, plugin, report};

use crate::options::Options;
use crate::session::AcpSession;

/// How long an agent may say nothing, when the profile does not say.
const DEFAULT_IDLE_TIMEOUT: u64 = 300;
/// Where a model can be said, since the launcher can't pass one on.
const MODEL_ADVICE: &str =
    "say the model in the agent's own settings, or in the arguments of the profile's `command`";

/// The launcher `acp`.
pub struct Acp;

impl Stage for Acp {
    fn run(request: &Request) -> Result<Outcome, Error> {
        let agent = request.agent()?;
        let options: Options = agent.profile.options()?;
        profile::refuse_model(&agent.profile, "acp", MODEL_ADVICE)?;
        let command = program::command(&agent.profile)?;
        let folder = agent.project_folder.as_deref().ok_or_else(|| {
            Error::new("project-folder-unknown", "the agent can't be told where the project is")
                .hint("the project's path has to be UTF-8, and docket 0.1 or newer")
        })?;
        report::progress(format!("Starting {}", command.program));
        let open = || -> Result<Box<dyn Wire>, Error> { Ok(Box::new(dialogue::open(&command)?)) };
        let patience = Duration::from_secs(agent.profile.idle_timeout.unwrap_or(DEFAULT_IDLE_TIMEOUT));
        let mut session = AcpSession::new(&command.program, folder, options, patience, &open);
        let answer = ask::until_it_fits(agent, &mut session, &ask::Host);
        session.close();
        answer.map(Outcome::Completed)
    }
}

plugin!(Acp, manifest = "../manifest.json");

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
        Acp::run(&request).expect_err("refused")
    }

    #[test]
    fn what_a_profile_lacks_is_told_with_the_fix() {
        let profile = |options: Value, program: Option<&str>| json!({ "name": "p", "agent": null, "program": program, "idle_timeout": null, "options": options });
        let error = refused(&profile(json!({ "permisions": "all" }), Some("x")));
        assert_eq!(error.code, "options-invalid");
        assert!(error.message.contains("'p'") && error.message.contains("`permissions`"), "{error}");
        let error = refused(&profile(json!({ "permissions": "some" }), Some("x")));
        assert!(error.message.contains("`reject`, `read`, `all`"), "{error}");
        let error = refused(&profile(json!({}), None));
        assert_eq!(error.code, "no-command");
        let error = refused(&profile(json!({}), Some("x")));
        assert_eq!(error.code, "project-folder-unknown");
        let mut with_model = profile(json!({}), Some("x"));
        with_model["model"] = json!("large");
        assert_eq!(refused(&with_model).code, "option-unknown");
    }

    #[test]
    fn the_manifest_asks_for_commands_and_nothing_else() {
        let manifest: Value = serde_json::from_str(include_str!("../manifest.json")).expect("JSON");
        assert_eq!(manifest["launcher"], "acp");
        assert_eq!(manifest["capabilities"], json!({ "exec": true }));
    }
}
