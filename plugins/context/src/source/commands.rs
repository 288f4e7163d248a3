//! Commands that a file defines: subcommands as argument parsers declare them, targets of build files, scripts and
//! programs of packages.

use serde::{Deserialize, Serialize};

use super::{Language, MAXIMUM_LINE, number, word};

/// More commands are not kept of one file.
const MAXIMUM: usize = 300;

/// A command where it is defined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandDefinition {
    /// Its name, or names after each other for one below another.
    pub name: String,
    /// Its line, from 1.
    pub line: u32,
    /// How it is defined.
    pub how: How,
}

/// How a command is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// A variant of an enum that derives clap's `Subcommand`.
    ClapVariant,
    /// A call that names it: clap's builder, argparse, commander, yargs, picocli and others.
    Call,
    /// A Python function with a decorator of click or typer.
    Decorator,
    /// The `Use` of a cobra command.
    Cobra,
    /// The path of an oclif command.
    Path,
    /// A script of `package.json`.
    Script,
    /// A target of a makefile.
    Make,
    /// A recipe of a justfile.
    Just,
    /// A program that a package installs.
    Program,
}

impl How {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::ClapVariant => "clap subcommand",
            Self::Call => "declared by name",
            Self::Decorator => "decorated function",
            Self::Cobra => "cobra command",
            Self::Path => "file of the command",
            Self::Script => "package script",
            Self::Make => "make target",
            Self::Just => "just recipe",
            Self::Program => "installed program",
        }
    }
}

/// Calls whose first argument is a command's name.
const CALLS: [&str; 14] = [
    "Command::new(",
    "SubCommand::with_name(",
    "App::new(",
    ".add_parser(",
    ".command(",
    "new Command(",
    "@Command(name = ",
    "@Command(name=",
    "CommandConfiguration(commandName: ",
    "commandName: ",
    ".addCommand(",
    "subcommand(",
    "CLI::App(",
    "add_subcommand(",
];

/// The commands that the file at `path` defines.
pub(crate) fn read(language: Language, path: &str, text: &str) -> Vec<CommandDefinition> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let mut found = match (language, name.as_str()) {
        (Language::Build, "package.json") => package_json(text),
        (Language::Build, "cargo.toml") => toml_programs(text, &["[package]", "[[bin]]"], "name"),
        (Language::Build, "pyproject.toml") => toml_scripts(text),
        (Language::Build, _) if name.contains("just") => recipes(text, How::Just),
        (Language::Build, _) => recipes(text, How::Make),
        _ => in_source(language, text),
    };
    if language == Language::Script {
        found.extend(oclif(path));
    }
    found.retain(|command| is_command(&command.name));
    found.truncate(MAXIMUM);
    found
}

fn is_command(name: &str) -> bool {
    let is_part = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | ':' | ' ' | '.')
    };
    (1..=60).contains(&name.len())
        && name.chars().all(is_part)
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
}

fn in_source(language: Language, text: &str) -> Vec<CommandDefinition> {
    let mut found = Vec::new();
    if language == Language::Rust {
        found.extend(clap_variants(text));
    }
    let mut decorated: Option<u32> = None;
    for (above, line) in text.lines().enumerate().filter(|(_, line)| line.len() <= MAXIMUM_LINE) {
        let body = line.trim_start();
        let define = |name: &str, how| CommandDefinition { name: name.to_owned(), line: number(above), how };
        if body.starts_with("//") || body.starts_with('*') {
            continue;
        }
        for call in CALLS {
            let argument = line.split_once(call).and_then(|(_, rest)| quoted(rest));
            found.extend(argument.map(|name| define(first_words(name), How::Call)));
        }
        match language {
            Language::Go => {
                let used = body.strip_prefix("Use:").and_then(|rest| quoted(rest.trim_start()));
                found.extend(used.map(|name| define(word(name, "-"), How::Cobra)));
            }
            Language::Python => {
                let is_decorator = body.starts_with('@')
                    && [".command", ".group", ".callback"].iter().any(|end| {
                        body.split_once('(').map_or(body, |(head, _)| head).trim_end().ends_with(end)
                    });
                if is_decorator {
                    decorated = quoted(body.split_once('(').map_or("", |(_, rest)| rest))
                        .is_none()
                        .then(|| number(above));
                } else if let Some(line) =
                    decorated.filter(|_| body.starts_with("def ") || body.starts_with("async def "))
                {
                    let name = word(body.trim_start_matches("async ").trim_start_matches("def "), "");
                    found.push(CommandDefinition { name: name.replace('_', "-"), line, how: How::Decorator });
                    decorated = None;
                } else if !body.starts_with(['@', ')', '#']) && body.starts_with("class ") {
                    decorated = None;
                }
            }
            _ => {}
        }
    }
    found
}

/// The text in quotes that `rest` begins with.
fn quoted(rest: &str) -> Option<&str> {
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\'' | '`'))?;
    rest[1..].split_once(quote).map(|(text, _)| text)
}

/// `run <file> [options]` is called `run`; `remote add` keeps both words.
fn first_words(text: &str) -> &str {
    let end = text.find(['<', '[', '{', '$', '|', '(']).unwrap_or(text.len());
    text[..end].trim_end()
}

/// Variants of enums that derive `Subcommand`, in kebab case, or as an attribute names them.
fn clap_variants(text: &str) -> Vec<CommandDefinition> {
    let mut found = Vec::new();
    let (mut is_derived, mut depth) = (false, 0_usize);
    let mut inside = false;
    let mut renamed: Option<String> = None;
    for (above, line) in text.lines().enumerate().filter(|(_, line)| line.len() <= MAXIMUM_LINE) {
        let body = line.trim_start();
        if body.starts_with("//") {
            continue;
        }
        if !inside {
            if body.starts_with("#[derive") {
                is_derived = body.contains("Subcommand");
            } else if is_derived && body.contains("enum ") && body.contains('{') {
                (inside, is_derived, depth) = (true, false, 1);
            } else if is_derived && !body.starts_with("#[") && !body.is_empty() {
                is_derived = false;
            }
            continue;
        }
        if depth == 1 {
            if body.starts_with("#[") {
                renamed = body
                    .split_once("name = ")
                    .and_then(|(_, rest)| quoted(rest))
                    .map(str::to_owned)
                    .or(renamed);
            } else if body.starts_with(|first: char| first.is_ascii_uppercase()) {
                let name = renamed.take().unwrap_or_else(|| kebab(word(body, "")));
                found.push(CommandDefinition { name, line: number(above), how: How::ClapVariant });
            }
        }
        for character in body.chars() {
            match character {
                '{' | '(' => depth += 1,
                '}' | ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        inside = depth > 0;
    }
    found
}

/// `StartAll` as `start-all`.
fn kebab(name: &str) -> String {
    let mut kebab = String::with_capacity(name.len() + 4);
    for (at, character) in name.char_indices() {
        if character.is_ascii_uppercase() && at > 0 {
            kebab.push('-');
        }
        kebab.push(character.to_ascii_lowercase());
    }
    kebab
}

/// `scripts` as `npm run x`, and the programs of `bin`.
fn package_json(text: &str) -> Vec<CommandDefinition> {
    let Ok(package) = serde_json::from_str::<serde_json::Value>(text) else { return Vec::new() };
    let line = |key: &str| {
        let wanted = format!("\"{key}\"");
        number(text.lines().position(|line| line.trim_start().starts_with(&wanted)).unwrap_or(0))
    };
    let keys = |field: &str, how| {
        let keys = package.get(field).and_then(serde_json::Value::as_object).into_iter().flatten();
        keys.map(move |(name, _)| (name.clone(), how)).collect::<Vec<_>>()
    };
    let mut names = keys("scripts", How::Script);
    names.extend(keys("bin", How::Program));
    if let (Some(name), true) = (
        package.get("name").and_then(serde_json::Value::as_str),
        package.get("bin").is_some_and(serde_json::Value::is_string),
    ) {
        names.push((name.rsplit('/').next().unwrap_or(name).to_owned(), How::Program));
    }
    names.into_iter().map(|(name, how)| CommandDefinition { line: line(&name), name, how }).collect()
}

/// The value of `key` in these tables of a TOML file.
fn toml_programs(text: &str, tables: &[&str], key: &str) -> Vec<CommandDefinition> {
    let mut in_table = false;
    let mut found = Vec::new();
    for (above, line) in text.lines().map(str::trim).enumerate() {
        if line.starts_with('[') {
            in_table = tables.contains(&line);
        } else if let (true, Some((name, value))) = (in_table, line.split_once('='))
            && name.trim() == key
            && let Some(value) = quoted(value)
        {
            found.push(CommandDefinition { name: value.to_owned(), line: number(above), how: How::Program });
        }
    }
    found
}

/// The keys of `[project.scripts]` and `[tool.poetry.scripts]`.
fn toml_scripts(text: &str) -> Vec<CommandDefinition> {
    let mut in_table = false;
    let mut found = Vec::new();
    for (above, line) in text.lines().map(str::trim).enumerate() {
        if line.starts_with('[') {
            in_table = matches!(line, "[project.scripts]" | "[tool.poetry.scripts]");
        } else if let (true, Some((name, _))) = (in_table, line.split_once('=')) {
            let name = name.trim().trim_matches('"').to_owned();
            found.push(CommandDefinition { name, line: number(above), how: How::Program });
        }
    }
    found
}

/// Targets of a makefile or recipes of a justfile: what stands before a colon at the begin of a line.
fn recipes(text: &str, how: How) -> Vec<CommandDefinition> {
    let mut found: Vec<CommandDefinition> = Vec::new();
    for (above, line) in text.lines().enumerate().filter(|(_, line)| line.len() <= MAXIMUM_LINE) {
        let Some((head, after)) = line.split_once(':') else { continue };
        let is_rule = !line.starts_with([' ', '\t', '#', '.', '@', '_']) && !after.starts_with(['=', ':']);
        if !is_rule || how == How::Make && head.contains(['=', '$', '%', '"']) {
            continue;
        }
        // A recipe has parameters after its name; a rule may make several targets.
        let names: Vec<&str> = match how {
            How::Just => head.split_whitespace().take(1).collect(),
            _ => head.split_whitespace().collect(),
        };
        for name in names.into_iter().filter(|name| !name.contains(['/', '.'])) {
            if found.len() < MAXIMUM && found.iter().all(|known| known.name != name) {
                found.push(CommandDefinition { name: name.to_owned(), line: number(above), how });
            }
        }
    }
    found
}

/// `src/commands/remote/add.ts` is `remote add`.
fn oclif(path: &str) -> Option<CommandDefinition> {
    let (_, below) =
        path.rsplit_once("/commands/").or_else(|| Some(("", path.strip_prefix("commands/")?)))?;
    let (stem, _) = below.split_once('.')?;
    let stem = stem.strip_suffix("/index").unwrap_or(stem);
    (stem != "index").then(|| CommandDefinition { name: stem.replace('/', " "), line: 1, how: How::Path })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(language: Language, path: &str, text: &str) -> Vec<(String, u32)> {
        read(language, path, text).into_iter().map(|command| (command.name, command.line)).collect()
    }

    fn names(language: Language, path: &str, text: &str) -> Vec<String> {
        found(language, path, text).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn clap_by_derive_and_builder() {
        let text = "#[derive(Debug, Subcommand)]\npub enum Command {\n    /// Doc\n    Init,\n    DryRun {\n        \
                    Not: u8,\n    },\n    #[command(name = \"ls\")]\n    List(Args),\n}\n#[derive(Debug)]\nenum Other {\n    No,\n}\n\
                    fn x() { Command::new(\"serve\"); }";
        assert_eq!(
            found(Language::Rust, "a.rs", text),
            [
                ("init".to_owned(), 4),
                ("dry-run".to_owned(), 5),
                ("ls".to_owned(), 9),
                ("serve".to_owned(), 15)
            ]
        );
    }

    #[test]
    fn python_go_and_node() {
        let python = "sub.add_parser(\"fetch\", help=1)\n@cli.command()\n@click.option('--x')\ndef run_all(x):\n    pass\n\
                      @app.command(\"named\")\ndef other():\n@cli.group\ndef remote():";
        assert_eq!(names(Language::Python, "a.py", python), ["fetch", "run-all", "named", "remote"]);
        assert_eq!(
            names(Language::Go, "cmd/a.go", "var c = &cobra.Command{\n\tUse:   \"start [flags]\","),
            ["start"]
        );
        let node = "program.command('build <file>')\nyargs.command(\"watch\", 'x')\n// .command('no')";
        assert_eq!(names(Language::Script, "cli.ts", node), ["build", "watch"]);
        assert_eq!(names(Language::Script, "src/commands/remote/add.ts", ""), ["remote add"]);
    }

    #[test]
    fn build_files() {
        let package = "{\n  \"name\": \"@x/tool\",\n  \"bin\": \"./t.js\",\n  \"scripts\": {\n    \"test:unit\": \"x\"\n  }\n}";
        assert_eq!(
            found(Language::Build, "package.json", package),
            [("test:unit".to_owned(), 5), ("tool".to_owned(), 1)]
        );
        let make = ".PHONY: all\nall test: build\n\tcc x\nX := 1\nout/a.o: a.c\nclean:\n";
        assert_eq!(names(Language::Build, "Makefile", make), ["all", "test", "clean"]);
        assert_eq!(
            names(Language::Build, "justfile", "x := '1'\nbuild target='a':\n  cargo\n@quiet:\n"),
            ["build"]
        );
        assert_eq!(
            names(
                Language::Build,
                "Cargo.toml",
                "[package]\nname = \"a\"\n[lib]\nname = \"b\"\n[[bin]]\nname=\"c\""
            ),
            ["a", "c"]
        );
        assert_eq!(
            names(Language::Build, "pyproject.toml", "[project.scripts]\ntool = \"a:b\"\n[x]\ny = 1"),
            ["tool"]
        );
    }

    #[test]
    fn garbage_defines_nothing() {
        for text in [
            "Command::new(",
            "Command::new(\"",
            "#[derive(Subcommand)]\nenum {\n}}}}",
            "@cli.command(",
            "{",
            ":",
        ] {
            for (language, path) in [
                (Language::Rust, "a.rs"),
                (Language::Python, "a.py"),
                (Language::Build, "package.json"),
                (Language::Build, "Makefile"),
                (Language::Go, "a.go"),
            ] {
                assert!(read(language, path, text).is_empty(), "{path}: {text}");
            }
        }
    }
}
