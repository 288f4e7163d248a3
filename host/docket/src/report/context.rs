//! A context package in words. Takes it as it comes from the stage, as JSON: another plugin may serve the stage type,
//! and fields it does not give are left out. Whatever stands in it comes from files and is data.

use std::fmt::Write as _;

use docket_core::text::printable;
use serde::Deserialize;
use serde_json::Value;

/// Most reasons that are shown for one item.
const REASONS: usize = 4;
/// Most lines of a list that is shown only in part.
const LINES: usize = 10;

/// The parts of a package that are shown.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Package {
    target: String,
    title: String,
    kind: String,
    strategy: String,
    related: Related,
    patterns: Patterns,
    references: Vec<Reference>,
    history: Option<History>,
    todos: Vec<Todo>,
    session: Option<Session>,
    size: Option<Size>,
    left_out: Vec<LeftOut>,
    notes: Vec<Note>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Related {
    adrs: Vec<Item>,
    rfcs: Vec<Item>,
    architecture: Vec<Item>,
    code: Vec<Item>,
    documents: Vec<Item>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    path: String,
    title: String,
    status: Option<String>,
    score: f64,
    reasons: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Patterns {
    #[serde(rename = "cliCommands")]
    commands: Vec<Command>,
    schemas: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Command {
    command: String,
    file: Option<String>,
    line: Option<u64>,
    how: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    text: String,
    line: u64,
    broken: bool,
    nearest: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct History {
    commits: Vec<Commit>,
    together: Vec<Together>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Commit {
    hash: String,
    date: String,
    author: String,
    subject: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Together {
    path: String,
    count: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Session {
    documents: Vec<DocumentState>,
    runs: Vec<Run>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DocumentState {
    path: String,
    title: String,
    status: Option<String>,
    state: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Todo {
    path: String,
    line: u64,
    text: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Run {
    run: String,
    workflow: String,
    status: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Size {
    tokens: u64,
    budget: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LeftOut {
    path: Option<String>,
    what: String,
    count: Option<u64>,
    tokens: u64,
    reason: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Note {
    message: String,
}

/// A package for people. One that is of another shape is shown as the JSON it is.
pub fn text(package: &Value) -> String {
    let read = match Package::deserialize(package) {
        Ok(read) if package.is_object() && !read.target.is_empty() => read,
        _ => return docket_core::text::escaped_json(&format!("{package:#}")),
    };
    let mut text = Text(String::new());
    text.head(&read);
    for (heading, items) in [
        ("Decisions", &read.related.adrs),
        ("RFCs", &read.related.rfcs),
        ("Architecture", &read.related.architecture),
        ("Other documents", &read.related.documents),
        ("Code", &read.related.code),
    ] {
        text.items(heading, items);
    }
    text.patterns(&read.patterns);
    text.broken(&read.references);
    if let Some(session) = &read.session {
        text.session(session);
    }
    let todo = |todo: &Todo| format!("{}:{}: {}", todo.path, todo.line, todo.text);
    text.list("To do", read.todos.iter().map(todo), usize::MAX);
    if let Some(history) = &read.history {
        text.history(history);
    }
    text.rest(&read);
    text.0
}

struct Text(String);

impl Text {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.0, "{}", printable(text));
    }

    /// A heading and its lines, if there are any; more than `most` are counted only.
    fn list(&mut self, heading: &str, lines: impl ExactSizeIterator<Item = String>, most: usize) {
        let count = lines.len();
        if count == 0 {
            return;
        }
        let _ = writeln!(self.0, "\n{heading}");
        lines.take(most).for_each(|line| self.line(&format!("  {line}")));
        if count > most {
            self.line(&format!("  … and {} more", count - most));
        }
    }

    fn head(&mut self, package: &Package) {
        let is_document = package.session.is_none();
        let found = [&package.related.adrs, &package.related.rfcs, &package.related.architecture]
            .iter()
            .map(|list| list.len())
            .sum::<usize>()
            + package.related.documents.len();
        self.line(&format!("{}: {}", package.target, package.title));
        if is_document {
            let (kind, strategy) = (&package.kind, &package.strategy);
            self.line(&format!("{kind}, {strategy}: {found} related, best first"));
        }
    }

    fn items(&mut self, heading: &str, items: &[Item]) {
        if items.is_empty() {
            return;
        }
        let _ = writeln!(self.0, "\n{heading}");
        for item in items.iter().take(LINES) {
            let status = item.status.iter().map(|status| format!(" [{status}]")).collect::<String>();
            let title = if item.path.ends_with(&item.title) { "" } else { &item.title };
            self.line(&format!("  {:.2}  {}  {title}{status}", item.score, item.path));
            for reason in item.reasons.iter().take(REASONS) {
                self.line(&format!("        {reason}"));
            }
        }
        if items.len() > LINES {
            self.line(&format!("  … and {} more; --output json has all", items.len() - LINES));
        }
    }

    fn patterns(&mut self, patterns: &Patterns) {
        let command = |command: &Command| {
            let line = command.line.map(|line| format!(":{line}")).unwrap_or_default();
            let how = command.how.iter().map(|how| format!(" ({how})")).collect::<String>();
            let file = command.file.iter().map(|file| format!("  {file}{line}{how}")).collect::<String>();
            format!("{}{file}", command.command)
        };
        self.list("Commands", patterns.commands.iter().map(command), usize::MAX);
        self.list("Schemas", patterns.schemas.iter().cloned(), usize::MAX);
    }

    fn broken(&mut self, references: &[Reference]) {
        let broken: Vec<&Reference> = references.iter().filter(|reference| reference.broken).collect();
        let line = |reference: &&Reference| {
            let near = reference.nearest.iter().map(|near| format!("; probably {near}")).collect::<String>();
            format!("line {}: {} leads nowhere{near}", reference.line, reference.text)
        };
        self.list("Broken references", broken.iter().map(line), usize::MAX);
    }

    fn session(&mut self, session: &Session) {
        let run = |run: &Run| format!("{}  {}  {}", run.run, run.status, run.workflow);
        self.list("Runs", session.runs.iter().map(run), usize::MAX);
        let document = |document: &DocumentState| {
            let status = document.status.as_deref().unwrap_or("no status");
            format!("{:<9} {}  {} [{status}]", document.state, document.path, document.title)
        };
        self.list("Documents", session.documents.iter().map(document), usize::MAX);
    }

    fn history(&mut self, history: &History) {
        let commit = |commit: &Commit| {
            let hash: String = commit.hash.chars().take(9).collect();
            format!("{}  {hash}  {}  ({})", commit.date, commit.subject, commit.author)
        };
        self.list("Commits", history.commits.iter().map(commit), LINES);
        let together = |file: &Together| format!("{} times  {}", file.count, file.path);
        self.list("Changes together with", history.together.iter().map(together), LINES);
    }

    fn rest(&mut self, package: &Package) {
        let left_out = |left: &LeftOut| {
            let count = left.count.map(|count| format!("{count} ")).unwrap_or_default();
            let path = left.path.as_deref().unwrap_or(&left.what);
            format!("{count}{path}  {} tokens: {}", left.tokens, left.reason)
        };
        self.list("Left out", package.left_out.iter().map(left_out), LINES);
        self.list("Notes", package.notes.iter().map(|note| note.message.clone()), usize::MAX);
        if let Some(size) = &package.size {
            let _ = writeln!(self.0, "\nabout {} of {} tokens", size.tokens, size.budget);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_package_is_a_readable_list_with_reasons_and_harmless() {
        let package = json!({
            "target": "docs/rfc-1.md", "title": "RFC 1", "kind": "rfc", "strategy": "rfc-review",
            "related": { "adrs": [{
                "path": "docs/adr-2.md", "title": "Two\u{1b}[2J", "status": "Accepted", "score": 1.5,
                "reasons": ["referenced on line 3 as ADR-2"],
            }] },
            "patterns": { "cliCommands": [
                { "command": "x run", "file": "src/run.rs", "line": 4, "how": "clap subcommand" },
                { "command": "x stop", "file": null, "line": null },
            ] },
            "references": [{ "text": "b.md", "line": 9, "broken": true, "nearest": "docs/b.md" }],
            "left_out": [{ "path": "docs/c.md", "what": "document", "tokens": 90, "reason": "no room" }],
            "size": { "tokens": 120, "budget": 24000 },
            "notes": [{ "about": "history", "message": "git is not granted" }],
        });
        let text = text(&package);
        assert!(!text.contains('\u{1b}'), "{text:?}");
        for expected in [
            "docs/rfc-1.md: RFC 1\nrfc, rfc-review: 1 related, best first\n\nDecisions\n",
            "  1.50  docs/adr-2.md",
            "        referenced on line 3 as ADR-2\n",
            "\nCommands\n  x run  src/run.rs:4 (clap subcommand)\n  x stop\n",
            "  line 9: b.md leads nowhere; probably docs/b.md\n",
            "  docs/c.md  90 tokens: no room\n",
            "\nNotes\n  git is not granted\n",
            "\nabout 120 of 24000 tokens\n",
        ] {
            assert!(text.contains(expected), "{expected:?} in {text}");
        }
    }

    #[test]
    fn another_shape_is_shown_as_it_is() {
        assert_eq!(text(&json!(["a\u{1b}"])), "[\n  \"a\\u001b\"\n]");
        assert_eq!(text(&json!({ "x": 1 })), "{\n  \"x\": 1\n}");
    }
}
