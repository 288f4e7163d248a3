//! Which of the project's own commands the target is about, and where they are defined.

use std::collections::BTreeSet;

use docket_markdown::Document;

use crate::catalog::Sources;
use crate::inventory::{File, Inventory};
use crate::package::Command;
use crate::source::commands::How;

/// A command is a program and at most so many subcommands; what follows are arguments.
const MAXIMUM_SUBCOMMANDS: usize = 3;
const MAXIMUM_COMMANDS: usize = 40;
/// Files that can be named after the command they define.
const SOURCES: [&str; 13] =
    ["rs", "ts", "tsx", "js", "mjs", "py", "go", "rb", "java", "kt", "sh", "cs", "swift"];
/// Parts of a path that say a file is about the command line.
const COMMAND_FOLDERS: [&str; 6] = ["cli", "cmd", "command", "commands", "bin", "main"];
/// Languages of code blocks that hold command lines.
const SHELLS: [&str; 8] = ["", "bash", "sh", "shell", "console", "zsh", "text", "terminal"];
/// Programs that run what a file of the project defines, and how it defines that.
const RUNNERS: [(&str, How); 6] = [
    ("make", How::Make),
    ("just", How::Just),
    ("npm run", How::Script),
    ("pnpm run", How::Script),
    ("yarn", How::Script),
    ("bun run", How::Script),
];
/// What stands before a program's name without being one.
const STARTERS: [&str; 7] = ["cargo run --", "cargo", "npx", "sudo", "uv run", "poetry run", "bundle exec"];

/// The commands of the project that `document` names in code, in order of first appearance, each with the place that
/// defines it.
pub fn commands(document: &Document, inventory: &Inventory, sources: &Sources) -> Vec<Command> {
    let programs = programs(inventory, sources);
    let mut named: Vec<Vec<String>> = Vec::new();
    let blocks = document.code_blocks.iter().filter(|block| SHELLS.contains(&block.language.as_str()));
    let lines = blocks
        .flat_map(|block| block.text.lines().enumerate().map(|(above, line)| (block.line + above, line)));
    let spans = document.code_spans.iter().map(|span| (span.line, span.text.as_str()));
    let mut written: Vec<(usize, &str)> = lines.chain(spans).collect();
    written.sort_by_key(|(line, _)| *line);
    let mut found: Vec<Command> = Vec::new();
    for (_, line) in written {
        if found.len() >= MAXIMUM_COMMANDS {
            break;
        }
        if let Some(command) = of_runner(line, sources) {
            if !found.contains(&command) {
                found.push(command);
            }
        } else if let Some(words) = command(line, &programs).filter(|words| !named.contains(words)) {
            named.push(words.clone());
            let command = placed(&words, inventory, sources);
            if !found.iter().any(|known| known.command == command.command) {
                found.push(command);
            }
        }
    }
    found
}

/// Names of the project's programs, in lower case: what its package files install, and without any what the readme is
/// titled with.
fn programs(inventory: &Inventory, sources: &Sources) -> BTreeSet<String> {
    let installed = sources.commands().filter(|(_, command)| command.how == How::Program);
    let mut names: BTreeSet<String> =
        installed.map(|(_, command)| command.name.to_ascii_lowercase()).collect();
    // `cmd/x/main.go` and `bin/x`.
    for file in inventory.files() {
        let parts: Vec<&str> = file.path.split('/').collect();
        match parts.as_slice() {
            [.., "cmd", program, "main.go"] => names.extend([(*program).to_owned()]),
            [.., "bin", _] => names.extend([file.stem_and_extension().0.to_owned()]),
            _ => {}
        }
    }
    if names.is_empty() {
        names.extend(sources.readme_word.clone());
    }
    names.retain(|name| is_program(name));
    names
}

fn is_program(name: &str) -> bool {
    let is_part =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
    name.len() > 1 && name.bytes().all(is_part)
}

/// A command line without its prompt.
fn without_prompt(line: &str) -> &str {
    line.trim().trim_start_matches(['$', '>', '%']).trim_start()
}

/// The program and subcommands of a command line, if the program is one of `programs` and has a subcommand.
fn command(line: &str, programs: &BTreeSet<String>) -> Option<Vec<String>> {
    let mut line = without_prompt(line);
    let starter = STARTERS.iter().find_map(|starter| line.strip_prefix(starter)?.strip_prefix(' '));
    if let Some(rest) = starter.map(str::trim_start)
        && programs.contains(rest.split_whitespace().next().unwrap_or_default())
    {
        line = rest;
    }
    let mut words = line.split_whitespace();
    let program = words.next()?;
    let program = programs.get(program.strip_prefix("./").unwrap_or(program))?;
    let is_subcommand = |word: &&str| {
        word.starts_with(|character: char| character.is_ascii_lowercase())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    let subcommands: Vec<String> =
        words.take_while(is_subcommand).take(MAXIMUM_SUBCOMMANDS).map(String::from).collect();
    if subcommands.is_empty() {
        return None;
    }
    Some(std::iter::once(program.clone()).chain(subcommands).collect())
}

/// `make x`, `just x`, `npm run x`, where a file of the project defines `x`.
fn of_runner(line: &str, sources: &Sources) -> Option<Command> {
    let line = without_prompt(line);
    RUNNERS.iter().find_map(|(runner, how)| {
        let target = line.strip_prefix(runner)?.strip_prefix(' ')?.split_whitespace().next()?;
        let defined = sources.commands().filter(|(_, command)| command.how == *how && command.name == target);
        let (path, command) = defined.min_by_key(|(path, _)| (path.matches('/').count(), *path))?;
        Some(Command {
            command: format!("{runner} {target}"),
            file: Some(path.to_owned()),
            line: usize::try_from(command.line).ok(),
            how: Some(how.words()),
        })
    })
}

/// A command with the place that defines its last word that has one: words after that are arguments, as far as can be
/// told. Without any place, at most two subcommands are believed.
fn placed(words: &[String], inventory: &Inventory, sources: &Sources) -> Command {
    for end in (2..=words.len()).rev() {
        let words = &words[..end];
        let place = declared(words, sources).or_else(|| by_name(words, inventory));
        if let Some((file, line, how)) = place {
            return Command { command: words.join(" "), file: Some(file), line, how };
        }
    }
    let words = &words[..words.len().min(MAXIMUM_SUBCOMMANDS)];
    Command { command: words.join(" "), file: None, line: None, how: None }
}

type Place = (String, Option<usize>, Option<&'static str>);

/// Where the last word is declared as a command: rather in a file that has to do with the word before it, and rather not
/// in a test.
fn declared(words: &[String], sources: &Sources) -> Option<Place> {
    let (last, above) = words.split_last()?;
    let (program, parents) = above.split_first()?;
    let both = parents.last().map(|parent| format!("{parent} {last}"));
    let fits = |name: &str| name == last || both.as_deref() == Some(name);
    let candidates = sources.commands().filter(|(_, command)| {
        !matches!(command.how, How::Make | How::Just | How::Script | How::Program) && fits(&command.name)
    });
    let (path, command) = candidates.min_by_key(|(path, command)| {
        let parts: Vec<&str> = path.split(['/', '.', '-', '_']).collect();
        let names = |word: &String| parts.contains(&word.as_str());
        let is_near = parents.last().map_or_else(|| is_about_commands(path), names);
        (
            crate::code::is_test(path),
            both.as_deref() != Some(command.name.as_str()),
            !is_near,
            !names(program),
            !is_about_commands(path),
            path.matches('/').count(),
            *path,
        )
    })?;
    Some((path.to_owned(), usize::try_from(command.line).ok(), Some(command.how.words())))
}

/// A file that is named after the last word below a folder of commands.
fn by_name(words: &[String], inventory: &Inventory) -> Option<Place> {
    let (last, above) = words.split_last()?;
    let parent = above.last()?;
    let named = |file: &&File| {
        let (stem, extension) = file.stem_and_extension();
        SOURCES.contains(&extension)
            && (stem == last || stem == last.replace('-', "_"))
            && is_about_commands(&file.path)
            && !crate::code::is_test(&file.path)
    };
    let files = inventory.files().iter().filter(named);
    let best = files.min_by_key(|file| (!file.path.split('/').any(|folder| folder == parent), &file.path))?;
    Some((best.path.clone(), None, None))
}

fn is_about_commands(path: &str) -> bool {
    path.split(['/', '.']).any(|part| COMMAND_FOLDERS.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_told_from_prose() {
        let programs = BTreeSet::from(["docket".to_owned(), "xtask".to_owned()]);
        let read = |line: &str| command(line, &programs).map(|words| words.join(" "));
        assert_eq!(
            read("$ docket workflow start rfc-review --x"),
            Some("docket workflow start rfc-review".into())
        );
        assert_eq!(read("docket review docs/a.md"), Some("docket review".into()));
        assert_eq!(read("cargo xtask bench"), Some("xtask bench".into()));
        assert_eq!(read("./docket trust"), Some("docket trust".into()));
        assert_eq!(read("cargo build"), None);
        assert_eq!(read("docket --version"), None);
        assert_eq!(read("git status"), None);
    }
}
