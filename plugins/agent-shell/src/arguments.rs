//! The arguments of a command: the user's own first, then docket's. So a profile's command may be a wrapper (`npx codex`,
//! `env KEY=value opencode`), and whatever the user sets is not set a second time: programs differ in which one counts,
//! and some refuse two.

use docket_plugin::Agent;
use docket_plugin::process::Argument;

/// Arguments in the making.
pub(crate) struct Arguments<'a> {
    users: &'a [String],
    all: Vec<Argument>,
}

impl<'a> Arguments<'a> {
    /// Begins with the user's own: those of the profile's `command`.
    pub(crate) fn of(agent: &'a Agent) -> Self {
        let users = agent.profile.arguments.as_slice();
        Self { users, all: users.iter().cloned().map(Argument::Text).collect() }
    }

    /// Adds a subcommand, unless the user wrote it.
    pub(crate) fn subcommand(mut self, word: &str) -> Self {
        if !self.users.iter().any(|own| own == word) {
            self.all.push(word.into());
        }
        self
    }

    /// Adds an option without a value: the first of these names, unless the user set one of them.
    pub(crate) fn flag(mut self, names: &[&str]) -> Self {
        if let Some(first) = names.first().filter(|_| !sets(self.users, names)) {
            self.all.push((*first).into());
        }
        self
    }

    /// Adds an option with a value: the first of these names, unless the user set one of them. The other names are its
    /// aliases, and options that rule it out.
    pub(crate) fn option(mut self, names: &[&str], value: impl Into<Argument>) -> Self {
        if let Some(first) = names.first().filter(|_| !sets(self.users, names)) {
            self.all.extend([(*first).into(), value.into()]);
        }
        self
    }

    /// The same where there is a value.
    pub(crate) fn option_if(self, names: &[&str], value: Option<impl Into<Argument>>) -> Self {
        match value {
            Some(value) => self.option(names, value),
            None => self,
        }
    }

    /// Adds what can't be left out.
    pub(crate) fn always<const N: usize>(mut self, arguments: [Argument; N]) -> Self {
        self.all.extend(arguments);
        self
    }

    /// All of them.
    pub(crate) fn done(self) -> Vec<Argument> {
        self.all
    }
}

/// Whether arguments set one of these options: `--name`, `--name=value`, `-n`, `-nvalue`.
pub(crate) fn sets(arguments: &[String], names: &[&str]) -> bool {
    let is_it = |argument: &str, name: &str| match argument.strip_prefix(name) {
        Some(rest) => rest.is_empty() || rest.starts_with('=') || (name.len() == 2 && !rest.starts_with('-')),
        None => false,
    };
    arguments.iter().any(|argument| names.iter().any(|name| is_it(argument, name)))
}

#[cfg(test)]
mod tests {
    use docket_plugin::json;

    use super::*;

    fn made(users: &[&str]) -> Vec<Argument> {
        let agent: Agent = serde_json::from_value(json!({
            "prompt": "", "prompt_file": "", "schema": null,
            "profile": { "name": "", "agent": null, "program": "x", "arguments": users, "idle_timeout": null },
        }))
        .expect("an agent's task");
        Arguments::of(&agent)
            .subcommand("exec")
            .flag(&["--json"])
            .option(&["--sandbox", "-s", "--yolo"], "read-only")
            .option_if(&["--model", "-m"], Some("large"))
            .option_if(&["--other"], None::<&str>)
            .always(["-".into()])
            .done()
    }

    #[test]
    fn defaults_follow_what_the_user_wrote() {
        let all = |words: &[&str]| words.iter().map(|word| Argument::from(*word)).collect::<Vec<_>>();
        assert_eq!(made(&[]), all(&["exec", "--json", "--sandbox", "read-only", "--model", "large", "-"]));
        let wrapped = made(&["codex", "--search"]);
        assert_eq!(wrapped[..4], all(&["codex", "--search", "exec", "--json"]));
    }

    #[test]
    fn what_the_user_sets_is_not_set_again() {
        for own in
            [&["-s", "open"][..], &["-sopen"], &["--sandbox=open"], &["--sandbox", "open"], &["--yolo"]]
        {
            assert!(!made(own).contains(&"read-only".into()), "{own:?}");
        }
        assert!(made(&["--sandboxes", "--s"]).contains(&"read-only".into()));
        assert_eq!(
            made(&["exec", "--json", "-m", "small"]).iter().filter(|one| **one == "exec".into()).count(),
            1
        );
        assert!(!made(&["-m", "small"]).contains(&"large".into()));
    }
}
