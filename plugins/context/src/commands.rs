//! Which of the project's own commands the target is about, and where they are defined.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use docket_markdown::Document;

use crate::inventory::{File, Inventory, read_text};
use crate::package::Command;

/// A command is a program and at most so many subcommands; what follows are arguments.
const MAXIMUM_SUBCOMMANDS: usize = 2;
const MAXIMUM_COMMANDS: usize = 40;
/// Source files larger than this, and more of them, are not searched.
const MAXIMUM_SOURCE: u64 = 256 << 10;
const MAXIMUM_SOURCES: usize = 400;
/// Files that can define a command.
const SOURCES: [&str; 12] = ["rs", "ts", "js", "mjs", "tsx", "py", "go", "rb", "java", "kt", "sh", "cs"];
/// Parts of a path that say a file is about the command line.
const COMMAND_FOLDERS: [&str; 6] = ["cli", "cmd", "command", "commands", "bin", "main"];
/// Languages of code blocks that hold command lines.
const SHELLS: [&str; 8] = ["", "bash", "sh", "shell", "console", "zsh", "text", "terminal"];

/// A subcommand's definition: file, and line when one was found in the text.
type Place = (String, Option<usize>);

/// The commands of `programs` that `document` names in code, in order of first appearance, each with the source file
/// that defines it.
pub fn commands(
    document: &Document,
    programs: &BTreeSet<String>,
    inventory: &Inventory,
    root: &Path,
) -> Vec<Command> {
    let mut named: Vec<Vec<String>> = Vec::new();
    let blocks = document.code_blocks.iter().filter(|block| SHELLS.contains(&block.language.as_str()));
    let lines = blocks
        .flat_map(|block| block.text.lines().enumerate().map(|(above, line)| (block.line + above, line)));
    let spans = document.code_spans.iter().map(|span| (span.line, span.text.as_str()));
    let mut written: Vec<(usize, &str)> = lines.chain(spans).collect();
    written.sort_by_key(|(line, _)| *line);
    for (_, line) in written {
        if let Some(command) = command(line, programs).filter(|command| !named.contains(command)) {
            named.push(command);
        }
    }
    named.truncate(MAXIMUM_COMMANDS);
    let places = places(&named, inventory, root);
    named
        .into_iter()
        .map(|words| {
            let place = words.last().and_then(|last| places.get(&(parent(&words).to_owned(), last.clone())));
            let (file, line) = place.cloned().map_or((None, None), |(file, line)| (Some(file), line));
            Command { command: words.join(" "), file, line }
        })
        .collect()
}

/// The program and subcommands of a command line, if the program is one of `programs` and has a subcommand.
fn command(line: &str, programs: &BTreeSet<String>) -> Option<Vec<String>> {
    let line = line.trim().trim_start_matches(['$', '>', '%']).trim_start();
    let mut words = line.split_whitespace();
    let program = words.next().filter(|program| programs.contains(*program))?;
    let is_subcommand = |word: &&str| {
        word.starts_with(|character: char| character.is_ascii_lowercase())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    let subcommands: Vec<String> =
        words.take_while(is_subcommand).take(MAXIMUM_SUBCOMMANDS).map(String::from).collect();
    if subcommands.is_empty() {
        return None;
    }
    Some(std::iter::once(program.to_owned()).chain(subcommands).collect())
}

/// The word before the last: the command a subcommand belongs to.
fn parent(words: &[String]) -> &str {
    words.len().checked_sub(2).map_or("", |at| words[at].as_str())
}

/// Where the last word of each command is defined: a file named after it below a folder of commands, else the first
/// file about the command line with the word as a literal or an enum's variant.
fn places(commands: &[Vec<String>], inventory: &Inventory, root: &Path) -> BTreeMap<(String, String), Place> {
    let mut places: BTreeMap<(String, String), Place> = BTreeMap::new();
    if commands.is_empty() {
        return places;
    }
    let sources: Vec<&File> = (inventory.files().iter())
        .filter(|file| SOURCES.contains(&file.stem_and_extension().1) && is_about_commands(&file.path))
        .take(MAXIMUM_SOURCES)
        .collect();
    let wanted: Vec<(String, String)> = (commands.iter())
        .filter_map(|words| Some((parent(words).to_owned(), words.last()?.clone())))
        .collect();
    for key in &wanted {
        let named = sources.iter().filter(|file| {
            file.stem_and_extension().0 == key.1.replace('-', "_") || file.stem_and_extension().0 == key.1
        });
        let best = named.min_by_key(|file| (!file.path.split('/').any(|folder| folder == key.0), &file.path));
        if let Some(file) = best {
            places.insert(key.clone(), (file.path.clone(), None));
        }
    }
    for file in sources {
        let missing: Vec<&(String, String)> = wanted.iter().filter(|key| !places.contains_key(key)).collect();
        if missing.is_empty() {
            break;
        }
        let Some(text) = read_text(root, file, MAXIMUM_SOURCE) else { continue };
        let found: Vec<_> = missing
            .into_iter()
            .filter_map(|key| Some((key.clone(), defining_line(&text, &key.1)?)))
            .collect();
        places.extend(found.into_iter().map(|(key, line)| (key, (file.path.clone(), Some(line)))));
    }
    places
}

fn is_about_commands(path: &str) -> bool {
    path.split(['/', '.']).any(|part| COMMAND_FOLDERS.contains(&part))
}

/// The first line that has the word as a whole string literal or starts with it as an enum's variant.
fn defining_line(text: &str, word: &str) -> Option<usize> {
    let literals = [format!("\"{word}\""), format!("'{word}'"), format!("\"{word} "), format!("'{word} ")];
    let variant: String = word.split('-').map(capitalised).collect();
    let defines = |line: &str| {
        let rest = line.trim().strip_prefix(variant.as_str());
        literals.iter().any(|literal| line.contains(literal.as_str()))
            || rest.is_some_and(|rest| {
                rest.is_empty() || rest.starts_with(['(', ',', '{']) || rest.starts_with(" {")
            })
    };
    text.lines().position(defines).map(|above| above + 1)
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_told_from_prose() {
        let programs = BTreeSet::from(["docket".to_owned()]);
        let read = |line: &str| command(line, &programs).map(|words| words.join(" "));
        assert_eq!(read("$ docket workflow start rfc-review --x"), Some("docket workflow start".into()));
        assert_eq!(read("docket review docs/a.md"), Some("docket review".into()));
        assert_eq!(read("docket --version"), None);
        assert_eq!(read("git status"), None);
    }

    #[test]
    fn definitions_are_literals_or_variants() {
        assert_eq!(defining_line("enum C {\n    Start(Args),\n}", "start"), Some(2));
        assert_eq!(defining_line("x.command('run-all <id>')", "run-all"), Some(1));
        assert_eq!(defining_line("// start of it\nStarter", "start"), None);
    }
}
