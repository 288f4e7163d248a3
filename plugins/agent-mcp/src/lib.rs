//! The launcher `mcp`: calls the tool of an MCP server (<https://modelcontextprotocol.io>) that runs an agent, and returns
//! its answer.
//!
//! [`session`] leads the dialogue, [`tool`] finds the tool and fits the task to what it takes, [`result`] reads what comes
//! back, [`listener`] hears progress and answers the server. Must not judge an answer: docket checks it against the
//! schema. Offers a server nothing: no model, no files, no questions to a person.

mod listener;
mod options;
mod result;
mod session;
mod tool;
mod wire;

use std::time::Duration;

use docket_json_rpc::Wire;
use docket_launcher::{ask, profile};
use docket_plugin::process::{Argument, Command};
use docket_plugin::{Error, Outcome, Profile, Request, Stage, dialogue, plugin, report};

use crate::options::Options;
use crate::session::McpSession;

/// How long a server may say nothing, when the profile does not say.
const DEFAULT_IDLE_TIMEOUT: u64 = 300;
/// Where a model can be said, since the launcher can't pass one on.
const MODEL_ADVICE: &str = "say the model under `options`, as one of `arguments`, if the tool takes one";

/// The launcher `mcp`.
pub struct Mcp;

impl Stage for Mcp {
    fn run(request: &Request) -> Result<Outcome, Error> {
        let agent = request.agent()?;
        let options: Options = agent.profile.options()?;
        profile::refuse_model(&agent.profile, "mcp", MODEL_ADVICE)?;
        let command = command(&agent.profile)?;
        report::progress(format!("Starting {}", command.program));
        let open = || -> Result<Box<dyn Wire>, Error> { Ok(Box::new(dialogue::open(&command)?)) };
        let patience = Duration::from_secs(agent.profile.idle_timeout.unwrap_or(DEFAULT_IDLE_TIMEOUT));
        let mut session = McpSession::new(&command.program, options, patience, &open);
        let answer = ask::until_it_fits(agent, &mut session, &ask::Host);
        session.close();
        answer.map(Outcome::Completed)
    }
}

fn command(profile: &Profile) -> Result<Command, Error> {
    let program = profile.program.clone().ok_or_else(|| {
        let profile = match profile.name.as_str() {
            "" => "no launcher profile is in force, so".to_owned(),
            name => format!("profile '{name}' has no command, so"),
        };
        Error::new("no-command", format!("{profile} the launcher 'mcp' does not know which server to run")).hint(
            "set `command` in a profile in ~/.docket/config.yml, such as `mine: { launcher: mcp, command: [my-server], \
             options: { tool: review } }`",
        )
    })?;
    let arguments = profile.arguments.iter().cloned().map(Argument::Text).collect();
    Ok(Command { program, arguments, ..Command::default() })
}

plugin!(Mcp, manifest = "../manifest.json");

#[cfg(test)]
mod tests {
    use docket_plugin::{Value, json};

    use super::*;

    fn refused(options: &Value, program: Option<&str>) -> Error {
        let profile = json!({ "name": "p", "agent": null, "program": program, "idle_timeout": null, "options": options });
        let request: Request = serde_json::from_value(json!({
            "run": "wf-1", "workflow": "W", "stage": "review", "type": "agent", "attempt": 1, "date": "2026-11-22",
            "config": {}, "inputs": {},
            "agent": { "prompt": "Review!", "prompt_file": "p.md", "schema": null, "profile": profile },
        }))
        .expect("a request");
        Mcp::run(&request).expect_err("refused")
    }

    #[test]
    fn what_a_profile_lacks_is_told_with_the_fix() {
        let error = refused(&json!({ "tol": "review" }), Some("x"));
        assert_eq!(error.code, "options-invalid");
        assert!(error.message.contains("'p'") && error.message.contains("`tool`"), "{error}");
        let error = refused(&json!({ "arguments": "all" }), Some("x"));
        assert_eq!(error.code, "options-invalid");
        let error = refused(&json!({}), None);
        assert_eq!(error.code, "no-command");
        assert!(error.hint.expect("a hint").contains("tool: review"));
    }

    #[test]
    fn the_manifest_asks_for_commands_and_nothing_else() {
        let manifest: Value = serde_json::from_str(include_str!("../manifest.json")).expect("JSON");
        assert_eq!(manifest["launcher"], "mcp");
        assert_eq!(manifest["capabilities"], json!({ "exec": true }));
    }
}
