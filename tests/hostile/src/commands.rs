//! Attempts with the right to run one command: to run another, to run it as something else, to run too many.

use docket_plugin::process::{self, Argument, Child, Command, Event, SpawnError};
use docket_plugin::{Error, Outcome, Request, json};

use crate::tries::{Tries, over, text};

/// More than one call may carry.
const GIANT: usize = 32 * 1024 * 1024;

fn command(program: &str) -> Command {
    Command { program: program.to_owned(), ..Command::default() }
}

/// Runs a command to its end; all that it printed.
fn printed(command: &Command) -> Result<Vec<String>, SpawnError> {
    Ok(lines(&process::spawn(command)?))
}

fn lines(child: &Child) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        match child.next(60_000) {
            Event::Stdout(line) | Event::Stderr(line) => lines.push(line),
            Event::Exited(_) | Event::Idle => return lines,
        }
    }
}

/// Commands that were not granted, by name, path and way around.
pub(crate) fn other_programs(request: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let granted = text(request, "program");
    for program in ["/bin/sh", "sh", "", ".", "/", "./tool", "tool", "../project/tool"] {
        tries.refused(program, printed(&command(program)));
    }
    for program in [
        format!("{granted} "),
        format!("/bin/..{granted}"),
        format!("{granted}\0"),
        format!("/{granted}"),
        granted.to_uppercase(),
    ] {
        tries.refused(format!("{program:?}"), printed(&command(&program)));
    }
    tries.allowed("the granted one", printed(&command(granted)));
    tries.done()
}

/// A program's name of megabytes.
pub(crate) fn giant_program(_: &Request) -> Result<Outcome, Error> {
    over(json!({ "refused": printed(&command(&"x".repeat(GIANT))).is_err() }))
}

/// A million arguments.
pub(crate) fn giant_arguments(request: &Request) -> Result<Outcome, Error> {
    let arguments = vec![Argument::Text("x".into()); 1_000_000];
    let ran = printed(&Command { arguments, ..command(text(request, "program")) });
    over(json!({ "refused": ran.is_err() }))
}

/// Standard input and attachments of megabytes.
pub(crate) fn giant_input(request: &Request) -> Result<Outcome, Error> {
    let giant = "x".repeat(GIANT);
    let attachments = vec![("a".to_owned(), giant.clone())];
    let ran = printed(&Command { attachments, stdin: Some(giant), ..command(text(request, "program")) });
    over(json!({ "refused": ran.is_err() }))
}

/// Attachments whose names lead elsewhere.
pub(crate) fn odd_attachments(request: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let with = |name: &str| Command {
        arguments: vec![Argument::Attachment(name.to_owned())],
        attachments: vec![(name.to_owned(), "planted".to_owned())],
        ..command(text(request, "program"))
    };
    for name in ["../planted", "/tmp/planted", "a/b", "..", ".", "", "a\0b", "a\\b"] {
        tries.refused(format!("{name:?}"), printed(&with(name)));
    }
    // A name that looks like an option is none: the command gets a whole path.
    let as_option = printed(&with("-rf"));
    let is_path = |lines: &Vec<String>| lines.iter().all(|line| line.starts_with('/'));
    if as_option.is_ok() {
        tries.allowed("-rf", as_option.ok().filter(is_path).ok_or("no path"));
    }
    let missing = vec![Argument::Attachment("missing".into())];
    let ran = printed(&Command { arguments: missing, ..command(text(request, "program")) });
    tries.refused("one that is not there", ran);
    tries.allowed("a plain one", printed(&with("plain.md")).map(|lines| is_path(&lines)));
    tries.done()
}

/// Answer files whose names lead elsewhere.
pub(crate) fn odd_answer_files(request: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let with = |name: &str| Command {
        arguments: vec![Argument::AnswerFile(name.to_owned())],
        ..command(text(request, "program"))
    };
    for name in ["../planted", "/tmp/planted", "a/b", "..", ".", "", "a\0b", "a\\b"] {
        tries.refused(format!("{name:?}"), printed(&with(name)));
    }
    tries.allowed("a plain one", printed(&with("plain.md")));
    tries.done()
}

/// Runs the granted command over and over, and looks after none of them.
pub(crate) fn many_processes(request: &Request) -> Result<Outcome, Error> {
    let mut kept = Vec::new();
    while kept.len() < 200 {
        kept.push(process::spawn(&command(text(request, "program")))?);
    }
    over(json!({ "started": kept.len() }))
}

/// Waits for a process for as long as a number can say.
pub(crate) fn waits_for_ever(request: &Request) -> Result<Outcome, Error> {
    let arguments = vec![Argument::Text("100000".into())];
    let child = process::spawn(&Command { arguments, ..command(text(request, "program")) })?;
    let ended = child.next(u64::MAX);
    child.stop(u64::MAX);
    over(json!({ "ended": matches!(ended, Event::Exited(_)) }))
}

/// Arguments that a shell would obey, and one with a NUL.
pub(crate) fn arguments_are_no_shell(request: &Request) -> Result<Outcome, Error> {
    let texts = [
        "; touch planted",
        "$(touch planted)",
        "`touch planted`",
        "| touch planted",
        "> planted",
        "$HOME",
        "*",
    ];
    let arguments = texts.map(Argument::from).to_vec();
    let lines = printed(&Command { arguments, ..command(text(request, "program")) })?;
    let arguments = vec!["a\0b".into()];
    let nul = printed(&Command { arguments, ..command(text(request, "program")) });
    over(json!({ "sent": texts, "lines": lines, "nul": format!("{nul:?}") }))
}

/// Passes a text of the config on to the command, as one argument.
pub(crate) fn passed_on(request: &Request) -> Result<Outcome, Error> {
    let arguments = vec!["<%s>\\n".into(), Argument::Text(text(request, "text").to_owned())];
    let lines = printed(&Command { arguments, ..command(text(request, "program")) })?;
    over(json!({ "lines": lines }))
}
