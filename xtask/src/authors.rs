//! `cargo xtask test --authors`: follows docs/guides/writing-a-plugin.md word for word, as somebody would who writes a
//! plugin: what it says to write is written, what it says to run is run. Needs the network where the guide does, so it
//! is no part of the plain tests.
//!
//! The guide's steps are the fenced blocks that have a comment `<!-- try GROUP: run -->` or `<!-- try GROUP: write PATH -->`
//! before them. A group has a folder of its own. Where the step `install` fails, the rest of its group is left out.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::failure::Failure;
use crate::process;
use crate::scratch::{create, write};
use crate::setup;
use crate::workspace::{self, Profile};

/// The guide.
const GUIDE: &str = "docs/guides/writing-a-plugin.md";
/// What a step begins with.
const MARK: &str = "<!-- try ";
/// The groups, with what they need beside the toolchain.
const GROUPS: [(&str, Option<&str>); 3] = [("rust", None), ("words", None), ("python", Some("python3"))];
/// A new user is to get from `docket plugin new` to a run in this time.
const PROMISED_SECONDS: u64 = 120;

/// Something the guide says to do.
#[derive(Debug, PartialEq, Eq)]
struct Step<'a> {
    group: &'a str,
    action: &'a str,
    content: &'a str,
}

/// Follows the guide.
pub(crate) fn follow_the_guide() -> Result<(), Failure> {
    setup::ensure()?;
    let docket = workspace::build_docket(Profile::Development)?;
    let guide = workspace::root().join(GUIDE);
    let text = fs::read_to_string(&guide).map_err(|cause| Failure::file("read", &guide, &cause))?;
    let steps = steps(&text);
    let folder = workspace::target_folder()?.join("authors");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|cause| Failure::file("remove", &folder, &cause))?;
    }
    for (group, needs) in GROUPS {
        if let Some(program) = needs.filter(|program| !process::works(program, &["--version"])) {
            eprintln!("{group}: left out, because {program} is not there");
            continue;
        }
        let steps: Vec<&Step<'_>> = steps.iter().filter(|step| step.group == group).collect();
        if steps.is_empty() {
            return Err(Failure::new(format!("{GUIDE} has no steps `{MARK}{group}: … -->` any more")));
        }
        follow(group, &steps, &folder.join(group), &docket)?;
    }
    Ok(())
}

fn follow(group: &str, steps: &[&Step<'_>], folder: &Path, docket: &Path) -> Result<(), Failure> {
    create(folder)?;
    let start = Instant::now();
    for step in steps {
        if let Some(path) = step.action.strip_prefix("write ") {
            write(&folder.join(path), step.content.as_bytes())?;
            continue;
        }
        match (step.action, process::run(&mut shell(step.content, folder, docket))) {
            (_, Ok(())) => {}
            ("install", Err(_)) => {
                eprintln!("{group}: left out, because its tools can't be installed here (see above)");
                return Ok(());
            }
            (_, Err(_)) => {
                return Err(Failure::new(format!("{GUIDE} is wrong for '{group}': see the command above")));
            }
        }
    }
    let seconds = start.elapsed().as_secs();
    eprintln!("{group}: the guide's way from nothing to a run took {seconds} s");
    if group == "rust" && seconds > PROMISED_SECONDS {
        eprintln!("warning: {PROMISED_SECONDS} s are promised, for a machine that does nothing else");
    }
    Ok(())
}

/// The guide's commands as a shell runs them: the first that fails ends it, docket is at hand, and its home is here.
fn shell(commands: &str, folder: &Path, docket: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-eu", "-c", commands]).current_dir(folder);
    let own = docket.parent().map(Path::to_path_buf);
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Ok(path) = std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path))) {
        command.env("PATH", path);
    }
    for variable in [
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET",
        "RUSTFLAGS",
        "DOCKET_OUTPUT",
        "DOCKET_LAUNCHER",
        "DOCKET_PROFILE",
    ] {
        command.env_remove(variable);
    }
    command.env("DOCKET_HOME", folder.join("docket-home")).env("XDG_CACHE_HOME", folder.join("cache"));
    command
}

/// The steps of a guide, in their order. A step that goes on in a folder that an earlier one made says so itself.
fn steps(text: &str) -> Vec<Step<'_>> {
    let parts = text.split(MARK).skip(1);
    let step = |part: &'_ str| -> Option<(usize, usize, usize)> {
        let head = part.find(" -->")?;
        let fence = part[head..].find("```").map(|at| head + at)?;
        let begin = part[fence..].find('\n').map(|at| fence + at + 1)?;
        let end = part[begin..].find("\n```").map(|at| begin + at + 1)?;
        Some((head, begin, end))
    };
    parts
        .filter_map(|part| {
            let (head, begin, end) = step(part)?;
            let (group, action) = part[..head].split_once(": ")?;
            Some(Step { group, action, content: &part[begin..end] })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_the_marked_blocks() {
        let text = "a\n\n<!-- try x: run -->\n```sh\none\ntwo\n```\n\n```sh\nnot this\n```\n\n<!-- try y: write a/b.txt -->\n```\nb\n```\n";
        let expected = [
            Step { group: "x", action: "run", content: "one\ntwo\n" },
            Step { group: "y", action: "write a/b.txt", content: "b\n" },
        ];
        assert_eq!(steps(text), expected);
    }

    #[test]
    fn the_guide_has_steps_for_every_group() {
        let text = fs::read_to_string(workspace::root().join(GUIDE)).expect("the guide");
        let steps = steps(&text);
        for (group, _) in GROUPS {
            assert!(steps.iter().any(|step| step.group == group && step.action == "run"), "{group}");
        }
        let known = |step: &Step<'_>| {
            step.action == "run" || step.action == "install" || step.action.starts_with("write ")
        };
        assert!(steps.iter().all(known), "{steps:#?}");
    }
}
