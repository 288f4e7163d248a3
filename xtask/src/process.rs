//! Running other programs. Every command that changes something or takes long is printed before it runs.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use crate::failure::Failure;

/// The cargo that runs this task.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::workspace::root());
    command
}

/// Prints the command, runs it with this terminal, and fails when it does. The failure has no message: the
/// command's own words stay the last ones.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let text = line(command);
    eprintln!("$ {text}");
    let status = command.status().map_err(|cause| Failure::new(format!("can't run `{text}`: {cause}")))?;
    if status.success() { Ok(()) } else { Err(Failure::already_told(status)) }
}

/// What a quiet command prints; `None` when it can't be run or fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// Whether a program is there and says so.
pub(crate) fn works(program: impl AsRef<OsStr>, arguments: &[&str]) -> bool {
    output(Command::new(program).args(arguments)).is_some()
}

/// A command as it would be typed: program names without folders, to be read rather than pasted.
pub(crate) fn line(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "-_=./:+,@".contains(character);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{word}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_as_typed() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command.args(["test", "--workspace", "two words"]);
        assert_eq!(line(&command), "cargo test --workspace 'two words'");
    }

    #[test]
    fn a_missing_program_gives_nothing() {
        assert!(!works("/no/such/program", &[]));
        assert_eq!(output(Command::new("sh").args(["-c", "echo hello"])).as_deref(), Some("hello"));
        assert_eq!(output(Command::new("sh").args(["-c", "echo hello; exit 1"])), None);
    }
}
