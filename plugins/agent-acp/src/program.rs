//! Which command speaks the protocol, for the agents people name. Some do with an argument, others through a program of
//! its own.

use docket_plugin::process::{Argument, Command};
use docket_plugin::{Error, Profile};

/// Agents whose own program speaks the protocol when it is given this argument.
const ARGUMENTS: [(&str, &str); 2] = [("gemini", "--acp"), ("opencode", "acp")];
/// Agents that speak it through another program, from this npm package.
const ADAPTERS: [(&str, &str, &str); 2] = [
    ("claude", "claude-agent-acp", "@agentclientprotocol/claude-agent-acp"),
    ("codex", "codex-acp", "@agentclientprotocol/codex-acp"),
];

/// The command of a profile.
///
/// # Errors
/// `no-command` when it names none that could speak the protocol.
pub(crate) fn command(profile: &Profile) -> Result<Command, Error> {
    let program = profile.program.as_deref().ok_or_else(|| {
        let profile = match profile.name.as_str() {
            "" => "no launcher profile is in force, so".to_owned(),
            name => format!("profile '{name}' has no command, so"),
        };
        Error::new("no-command", format!("{profile} the launcher 'acp' does not know which agent to run")).hint(
            "set `command` in a profile in ~/.docket/config.yml, such as `mine: { launcher: acp, command: [codex-acp] }`",
        )
    })?;
    if let Some((_, adapter, package)) = ADAPTERS.into_iter().find(|(name, ..)| *name == program) {
        let message =
            format!("'{program}' does not speak the Agent Client Protocol by itself, but '{adapter}' does");
        return Err(Error::new("no-command", message).hint(format!(
            "set `command: [{adapter}]` in profile '{}' (`npm install -g {package}`)",
            profile.name
        )));
    }
    let mut arguments: Vec<Argument> = profile.arguments.iter().cloned().map(Argument::Text).collect();
    if let Some((_, argument)) = ARGUMENTS.into_iter().find(|(name, _)| *name == program)
        && !profile.arguments.iter().any(|given| given.ends_with("acp"))
    {
        arguments.push(argument.into());
    }
    Ok(Command { program: program.to_owned(), arguments, ..Command::default() })
}

#[cfg(test)]
mod tests {
    use docket_plugin::json;

    use super::*;

    fn of(program: &str, arguments: &[&str]) -> Result<Vec<Argument>, Error> {
        let profile = json!({ "name": "p", "agent": null, "program": program, "arguments": arguments,
            "idle_timeout": null });
        command(&serde_json::from_value(profile).expect("a profile")).map(|command| command.arguments)
    }

    #[test]
    fn agents_are_called_so_that_they_speak_the_protocol() {
        assert_eq!(of("my-agent", &["--stdio"]), Ok(vec!["--stdio".into()]));
        assert_eq!(of("gemini", &["-m", "x"]), Ok(["-m", "x", "--acp"].map(Argument::from).to_vec()));
        assert_eq!(of("gemini", &["--experimental-acp"]), Ok(vec!["--experimental-acp".into()]));
        assert_eq!(of("opencode", &[]), Ok(vec!["acp".into()]));
        let error = of("codex", &[]).expect_err("it does not");
        assert_eq!(error.code, "no-command");
        assert!(error.hint.expect("a hint").contains("command: [codex-acp]"));
    }
}
