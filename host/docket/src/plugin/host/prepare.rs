//! What a command needs before it is started, written into its process folder, and taking up one that was started
//! before. Starts nothing.

use std::path::Path;

use docket_core::run::sha256;
use docket_core::secret::Secrets;

use super::child::Child;
use super::contract::docket::stage::process::{Argument, Command, ProcessError};
use super::process::GrantedCommand;
use super::process_folder::{ProcessFolder, Recorded};
use super::said::Said;
use crate::disk::fault::Point;
use crate::disk::{Durability, replace, replace_at};

/// What is recorded about a command before it is started.
pub(super) fn recorded(
    granted: &GrantedCommand,
    command: &Command,
    folder: &ProcessFolder,
    is_dialogue: bool,
) -> Result<Recorded, ProcessError> {
    Ok(Recorded {
        program: granted.path.clone().map_err(ProcessError::NotFound)?,
        arguments: arguments(command, folder)?,
        folder: granted.folder.clone(),
        stdin_sha256: sha256(command.stdin.as_deref().unwrap_or_default().as_bytes()),
        dialogue: is_dialogue,
    })
}

/// Another command than the recorded one is refused: the plugin did not do the same for the same request.
pub(super) fn refuse_other_command(folder: &ProcessFolder, recorded: &Recorded) -> Result<(), ProcessError> {
    let Ok(bytes) = std::fs::read(folder.command()) else { return Ok(()) };
    let before = serde_json::from_slice::<Recorded>(&bytes);
    // A machine that lost its power may have kept the name and lost the text; then nothing was launched by it.
    let is_lost = before.is_err() && !folder.was_launched();
    if is_lost || before.is_ok_and(|before| before == *recorded) {
        return Ok(());
    }
    Err(ProcessError::Lost("an earlier attempt at this stage started a different command".to_owned()))
}

/// Takes up a process that was started before.
pub(super) fn take_up(folder: ProcessFolder, secrets: &Secrets) -> Result<Child, ProcessError> {
    // docket's format before launchers: the claim came before it was known which process it would be.
    if folder.started().is_none() && folder.exited().is_none() && !folder.is_supervised() {
        return Err(ProcessError::Lost(
            "docket died while it started the command; whether it ran can't be known".to_owned(),
        ));
    }
    Ok(Child::new(folder, None, secrets))
}

/// Writes what the command needs; `command.json` comes last. What an earlier start wrote stays as it is when it is whole:
/// its supervisor may be about to begin, and whichever comes first runs the same command. A machine that lost its power
/// may have kept some of it only, so it is compared.
pub(super) fn prepare(folder: &ProcessFolder, command: &Command, recorded: &Recorded) -> std::io::Result<()> {
    // What a command prints and answers is the user's own business, values of granted variables included.
    crate::disk::create_private(&folder.path).map_err(std::io::Error::other)?;
    std::fs::create_dir_all(folder.attachments())?;
    std::fs::create_dir_all(folder.answers())?;
    for attachment in &command.attachments {
        write_once(&folder.attachments().join(&attachment.name), attachment.content.as_bytes())?;
    }
    write_once(&folder.stdin(), command.stdin.as_deref().unwrap_or_default().as_bytes())?;
    if recorded.dialogue {
        Said::create(&folder.said())?;
    }
    if read_json_file::<Recorded>(&folder.command()).is_some_and(|before| before == *recorded) {
        return Ok(());
    }
    replace_at(Point::CommandPrepare, &folder.command(), &serde_json::to_vec(recorded)?, Durability::Derived)
        .map_err(std::io::Error::other)
}

/// Writes a file that is not there, or not whole.
fn write_once(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    replace(path, bytes, Durability::Derived).map_err(std::io::Error::other)
}

fn read_json_file<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// The arguments with attachments and answer files replaced by paths.
fn arguments(command: &Command, folder: &ProcessFolder) -> Result<Vec<String>, ProcessError> {
    let plain = |name: &str| {
        !name.is_empty()
            && !name.starts_with('.')
            && name
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.'))
    };
    let refused =
        |name: &str| ProcessError::Failed(format!("'{}' is no plain file name", name.escape_debug()));
    if let Some(bad) = command.attachments.iter().find(|attachment| !plain(&attachment.name)) {
        return Err(refused(&bad.name));
    }
    command
        .arguments
        .iter()
        .map(|argument| match argument {
            Argument::Text(text) if text.contains('\0') => {
                Err(ProcessError::Failed("an argument contains a NUL character".to_owned()))
            }
            Argument::Text(text) => Ok(text.clone()),
            Argument::Attachment(name) if command.attachments.iter().any(|known| known.name == *name) => {
                Ok(folder.attachments().join(name).display().to_string())
            }
            Argument::Attachment(name) => {
                Err(ProcessError::Failed(format!("there is no attachment '{}'", name.escape_debug())))
            }
            Argument::AnswerFile(name) if plain(name) => {
                Ok(folder.answers().join(name).display().to_string())
            }
            Argument::AnswerFile(name) => Err(refused(name)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_command_is_taken_up_and_a_dialogue_is_another_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = ProcessFolder { path: folder.path().join("process-1") };
        let granted = GrantedCommand {
            name: "cat".to_owned(),
            is_agent: true,
            path: Ok("/bin/cat".into()),
            folder: "/".into(),
            environment: Vec::new(),
            secrets: Secrets::default(),
            records: folder.path.clone(),
        };
        let command = |stdin: &str| Command {
            program: "cat".to_owned(),
            arguments: Vec::new(),
            attachments: Vec::new(),
            stdin: Some(stdin.to_owned()),
        };
        let wanted = |stdin: &str, is_dialogue: bool| {
            recorded(&granted, &command(stdin), &folder, is_dialogue).expect("a sound command")
        };
        let before = wanted("one", true);
        prepare(&folder, &command("one"), &before).expect("prepared");
        assert!(folder.said().exists(), "what is said has a place before anybody listens");
        assert!(refuse_other_command(&folder, &wanted("one", true)).is_ok());
        for other in [wanted("one", false), wanted("two", true)] {
            assert!(matches!(refuse_other_command(&folder, &other), Err(ProcessError::Lost(_))), "{other:?}");
        }
        let text = std::fs::read_to_string(folder.command()).expect("readable");
        assert!(text.contains("\"dialogue\":true"), "{text}");
        let plain = serde_json::to_string(&wanted("one", false)).expect("JSON");
        assert!(!plain.contains("dialogue"), "an older docket wrote the same: {plain}");
    }
}
