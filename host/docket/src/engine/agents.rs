//! The agents that docket knows by name, and what their programs are usually called for each launcher. Only this table and
//! the user's settings name programs: never a project, a definition or a plugin.

use docket_core::run::ProfileSnapshot;

/// The agent that is no program of its own: its command must be named.
const GENERIC: &str = "generic";

/// An agent that docket knows.
struct Known {
    /// What a profile's `agent` says, and what its own program is called.
    name: &'static str,
    /// How its program is installed.
    install: &'static str,
    /// How it is called where the Agent Client Protocol is spoken: program and arguments, several in the order in which
    /// they are looked for. Some bring the protocol along, others have an adapter.
    acp: &'static [&'static [&'static str]],
    /// How the first of these is installed.
    install_acp: &'static str,
}

/// From the agents' own documentation and that of the adapters; tried with the versions in `docs/guides/agents.md`.
const KNOWN: [Known; 4] = [
    Known {
        name: "claude",
        install: "npm install -g @anthropic-ai/claude-code",
        acp: &[&["claude-agent-acp"], &["claude-code-acp"]],
        install_acp: "npm install -g @agentclientprotocol/claude-agent-acp",
    },
    Known {
        name: "codex",
        install: "npm install -g @openai/codex",
        acp: &[&["codex-acp"]],
        install_acp: "npm install -g @agentclientprotocol/codex-acp",
    },
    Known {
        name: "gemini",
        install: "npm install -g @google/gemini-cli",
        acp: &[&["gemini", "--acp"]],
        install_acp: "npm install -g @google/gemini-cli",
    },
    Known {
        name: "opencode",
        install: "npm install -g opencode-ai",
        acp: &[&["opencode", "acp"]],
        install_acp: "npm install -g opencode-ai",
    },
];

/// Whether docket knows this agent's program: then it may be asked for its version without being told to.
pub(super) fn is_known(agent: &str) -> bool {
    KNOWN.iter().any(|known| known.name == agent)
}

/// Program and arguments of a profile for a launcher: those it names, else the usual ones of its agent, of several the
/// first whose program is there. Empty when the profile stands for no program: none of the known agents is an MCP server
/// that has itself as a tool.
pub(super) fn command_line(
    profile: &ProfileSnapshot,
    launcher: Option<&str>,
    is_there: impl Fn(&str) -> bool,
) -> Vec<String> {
    if !profile.command.is_empty() {
        return profile.command.clone();
    }
    let Some(agent) = profile.agent.as_deref().filter(|agent| *agent != GENERIC) else { return Vec::new() };
    let known = KNOWN.iter().find(|known| known.name == agent);
    let words = match (known, launcher) {
        (Some(known), Some("acp")) => {
            let there = known.acp.iter().find(|command| command.first().is_some_and(|name| is_there(name)));
            there.or(known.acp.first()).copied().unwrap_or_default()
        }
        (Some(_), Some("mcp")) => &[],
        _ => &[agent],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// How the program of a known agent is installed.
pub(super) fn installation(program: &str) -> Option<&'static str> {
    KNOWN.iter().find_map(|known| {
        let is_adapter = known.acp.iter().any(|command| command.first() == Some(&program));
        (known.name == program).then_some(known.install).or_else(|| is_adapter.then_some(known.install_acp))
    })
}

/// Every program that a profile can stand for, whichever launcher it was for.
pub(super) fn programs(profile: &ProfileSnapshot) -> Vec<String> {
    if let Some(program) = profile.command.first() {
        return vec![program.clone()];
    }
    let Some(agent) = profile.agent.as_deref().filter(|agent| *agent != GENERIC) else { return Vec::new() };
    let adapters = KNOWN.iter().filter(|known| known.name == agent).flat_map(|known| known.acp);
    let mut programs: Vec<String> =
        adapters.filter_map(|command| command.first()).map(|name| (*name).to_owned()).collect();
    programs.push(agent.to_owned());
    programs.sort();
    programs.dedup();
    programs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(agent: Option<&str>, command: &[&str]) -> ProfileSnapshot {
        ProfileSnapshot {
            name: "mine".to_owned(),
            agent: agent.map(str::to_owned),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            ..ProfileSnapshot::default()
        }
    }

    fn line(agent: &str, launcher: &str, there: &[&str]) -> String {
        command_line(&profile(Some(agent), &[]), Some(launcher), |name| there.contains(&name)).join(" ")
    }

    #[test]
    fn an_agent_is_called_as_its_launcher_needs_it() {
        assert_eq!(line("codex", "shell", &[]), "codex");
        assert_eq!(line("codex", "acp", &["codex", "codex-acp"]), "codex-acp");
        assert_eq!(line("gemini", "acp", &[]), "gemini --acp");
        assert_eq!(line("opencode", "acp", &[]), "opencode acp");
        assert_eq!(line("codex", "mcp", &["codex"]), "", "it is no MCP server");
        assert_eq!(
            line("theirs", "acp", &[]),
            "theirs",
            "one that docket does not know is called by its name"
        );
    }

    #[test]
    fn of_several_programs_the_one_that_is_there_is_taken() {
        assert_eq!(line("claude", "acp", &["claude", "claude-code-acp"]), "claude-code-acp");
        assert_eq!(line("claude", "acp", &["claude-code-acp", "claude-agent-acp"]), "claude-agent-acp");
        assert_eq!(line("claude", "acp", &[]), "claude-agent-acp", "the one to install");
        assert_eq!(
            installation("claude-agent-acp"),
            Some("npm install -g @agentclientprotocol/claude-agent-acp")
        );
    }

    #[test]
    fn a_named_command_comes_first_and_generic_names_none() {
        let named = profile(Some("codex"), &["/opt/codex", "--quiet"]);
        assert_eq!(command_line(&named, Some("acp"), |_| true), ["/opt/codex", "--quiet"]);
        assert_eq!(programs(&named), ["/opt/codex"]);
        assert_eq!(command_line(&profile(Some("generic"), &[]), Some("shell"), |_| true), [""; 0]);
        assert_eq!(programs(&profile(None, &[])), [""; 0]);
        assert_eq!(programs(&profile(Some("codex"), &[])), ["codex", "codex-acp"]);
        assert!(is_known("gemini") && !is_known(GENERIC));
    }
}
