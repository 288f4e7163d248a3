//! Puts a context package together. Decides what is in it and why; how relations are found is in the other modules.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use docket_markdown::{Document, Kind};
use docket_plugin::{Error, report};

use crate::catalog;
use crate::citations::Citations;
use crate::commands::commands;
use crate::excerpt::excerpt;
use crate::facts::{self, Facts, terms};
use crate::inventory::{File, Inventory, read_text};
use crate::package::{Command, ContextPackage, Item, Patterns, Reference, Related};
use crate::programs::programs;
use crate::references::references;
use crate::related::{Project, Relative, Weights, related};
use crate::resolve::Resolver;
use crate::settings::{Include, Settings};

/// A larger document is refused: nobody reviews it in one piece.
const MAXIMUM_TARGET: u64 = 8 << 20;
/// How many items of each kind are listed by topic, beside those that are referred to.
const BY_TOPIC: usize = 8;
/// Less similar than this share of the best is another topic.
const MINIMUM_SIMILARITY: f64 = 0.2;
/// An architecture document is listed however little it shares, with at least this score.
const ARCHITECTURE_SCORE: f64 = 0.1;
/// How many lines a reason names.
const NAMED_LINES: usize = 3;

/// Gathers the context of `settings.target` in the project at `root`.
///
/// # Errors
/// `target-unreadable` when the document is too large or no text.
pub fn gather(root: &Path, settings: &Settings) -> Result<ContextPackage, Error> {
    let inventory = Inventory::list(root);
    let document = read_target(root, &settings.target)?;
    let words = terms::words(&document.text);
    let documents = catalog::read(root, &inventory, facts::read(&settings.target, &document.text));
    report::log(report::Level::Debug, format!("Comparing {} documents", documents.len()));
    if !inventory.is_complete() {
        report::log(report::Level::Warn, "The project has too many files; some were not looked at");
    }
    let resolver = Resolver::new(&inventory, &documents);
    let position = resolver.position(&settings.target).unwrap_or_default();
    let target = &documents[position];
    let references = if settings.wants(Include::ParseReferences) {
        references(target, &resolver, &inventory)
    } else {
        Vec::new()
    };
    let relatives = if settings.wants(Include::RelatedAdrs) {
        let citations = Citations::resolve(&documents, &resolver);
        let project = Project { documents: &documents, citations: &citations };
        related(project, position, &words, &Weights::default())
    } else {
        Vec::new()
    };
    let cli_commands = if settings.wants(Include::AffectedCommands) {
        commands(&document, &programs(root, &inventory), &inventory, root)
    } else {
        Vec::new()
    };
    let mut related = listed(root, &documents, &resolver, &references, &relatives, settings);
    related.code = code(&inventory, &references, &cli_commands);
    Ok(ContextPackage {
        kind: target.kind().name(),
        target: settings.target.clone(),
        strategy: settings.strategy.name(),
        patterns: Patterns { schemas: schemas(&inventory, &document), cli_commands },
        title: target.title.clone(),
        related,
        references,
    })
}

fn read_target(root: &Path, target: &str) -> Result<Document, Error> {
    let unreadable = |why: &str| Error::new("target-unreadable", format!("'{target}' {why}"));
    let metadata = std::fs::metadata(root.join(target))
        .map_err(|cause| unreadable(&format!("can't be read: {cause}")))?;
    let file = File { path: target.to_owned(), bytes: metadata.len() };
    let text = read_text(root, &file, MAXIMUM_TARGET)
        .ok_or_else(|| unreadable("is not a text of at most 8 MiB").hint("choose a Markdown document"))?;
    Ok(docket_markdown::parse(&text))
}

/// Why a document is in the package, and how strongly.
#[derive(Default)]
struct Case {
    score: f64,
    reasons: Vec<String>,
}

fn listed(
    root: &Path,
    documents: &[Facts],
    resolver: &Resolver<'_>,
    references: &[Reference],
    relatives: &[Relative],
    settings: &Settings,
) -> Related {
    let mut cases: HashMap<usize, Case> = HashMap::new();
    for (path, lines) in referenced(references) {
        if let Some(document) = resolver.position(path) {
            cases.insert(document, Case { score: 1.0, reasons: vec![reference_reason(&lines)] });
        }
    }
    let mut listed: HashMap<Kind, usize> = HashMap::new();
    for relative in relatives {
        let count = listed.entry(group(documents[relative.document].kind())).or_default();
        let is_new = !cases.contains_key(&relative.document);
        if is_new && (relative.score < MINIMUM_SIMILARITY || *count >= BY_TOPIC) {
            continue;
        }
        *count += usize::from(is_new);
        let case = cases.entry(relative.document).or_default();
        case.score = case.score.max(relative.score);
        // The reference itself is named with all its lines already.
        let is_named = !case.reasons.is_empty();
        let reasons = relative.reasons.iter().filter(|reason| !is_named || !reason.starts_with("referenced on"));
        case.reasons.extend(reasons.cloned());
    }
    if settings.wants(Include::ArchitectureDocs) {
        for (position, facts) in documents.iter().enumerate() {
            if facts.kind() == Kind::Architecture && facts.path != settings.target {
                let case = cases.entry(position).or_default();
                case.score = case.score.max(ARCHITECTURE_SCORE);
                case.reasons.push("describes the architecture".into());
            }
        }
    }
    let mut chosen: Vec<(&Facts, Case)> =
        cases.into_iter().map(|(document, case)| (&documents[document], case)).collect();
    chosen.sort_by(|left, right| {
        right.1.score.total_cmp(&left.1.score).then_with(|| left.0.path.cmp(&right.0.path))
    });
    let mut related = Related::default();
    for (facts, case) in chosen {
        let list = match group(facts.kind()) {
            Kind::Adr => &mut related.adrs,
            Kind::Rfc => &mut related.rfcs,
            Kind::Architecture => &mut related.architecture,
            _ => &mut related.documents,
        };
        list.push(item(root, facts, case));
    }
    related
}

/// A document as an item of a package; only its excerpt is read again.
fn item(root: &Path, facts: &Facts, case: Case) -> Item {
    let file = File { path: facts.path.clone(), bytes: facts.bytes };
    let text = read_text(root, &file, MAXIMUM_TARGET).unwrap_or_default();
    Item {
        path: facts.path.clone(),
        title: facts.title.clone(),
        kind: facts.kind().name(),
        status: facts.status.clone(),
        // Three digits: enough to order by, and the same on every machine.
        score: (case.score * 1000.0).round() / 1000.0,
        reasons: case.reasons,
        bytes: facts.bytes,
        excerpt: excerpt(&docket_markdown::parse(&text)),
    }
}

/// The list a kind goes to: those without one of their own share `documents`.
fn group(kind: Kind) -> Kind {
    match kind {
        Kind::Adr | Kind::Rfc | Kind::Architecture => kind,
        _ => Kind::Document,
    }
}

/// Where each existing path is referred to: line and text, in order.
fn referenced(references: &[Reference]) -> BTreeMap<&str, Vec<(usize, &str)>> {
    let mut paths: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
    for reference in references {
        if let Some(path) = &reference.path {
            paths.entry(path).or_default().push((reference.line, &reference.text));
        }
    }
    paths
}

fn reference_reason(lines: &[(usize, &str)]) -> String {
    let named: Vec<String> =
        lines.iter().take(NAMED_LINES).map(|(line, text)| format!("line {line} as {text}")).collect();
    let more = lines.len().saturating_sub(NAMED_LINES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("referenced on {}{more}", named.join(", "))
}

/// Source files that the document names or that define its commands.
fn code(inventory: &Inventory, references: &[Reference], commands: &[Command]) -> Vec<Item> {
    let mut reasons: BTreeMap<&str, (f64, Vec<String>)> = BTreeMap::new();
    for (path, lines) in referenced(references) {
        reasons.insert(path, (1.0, vec![reference_reason(&lines)]));
    }
    for command in commands {
        if let Some(file) = &command.file {
            let case = reasons.entry(file).or_insert((0.5, Vec::new()));
            case.0 += 0.1;
            case.1.push(format!("defines `{}`", command.command));
        }
    }
    let mut items: Vec<Item> = reasons
        .into_iter()
        .filter_map(|(path, (score, reasons))| {
            let file = inventory.file(path).filter(|file| !file.is_document())?;
            let (title, score) = (file.name().to_owned(), (score * 1000.0).round() / 1000.0);
            let path = path.to_owned();
            Some(Item {
                path,
                title,
                kind: "document",
                status: None,
                score,
                reasons,
                bytes: file.bytes,
                excerpt: String::new(),
            })
        })
        .collect();
    items.sort_by(|left, right| right.score.total_cmp(&left.score).then_with(|| left.path.cmp(&right.path)));
    items
}

/// Schema files whose name stands in the document.
fn schemas(inventory: &Inventory, document: &Document) -> Vec<String> {
    let separators = |character: char| character.is_whitespace() || "()[]<>\"'`,;|/*:".contains(character);
    let words: BTreeSet<&str> =
        document.text.split(separators).map(|word| word.trim_end_matches('.')).collect();
    let is_schema = |file: &&File| {
        file.name().ends_with(".schema.json")
            || file.path.split('/').rev().skip(1).any(|folder| folder == "schemas")
    };
    (inventory.files().iter())
        .filter(is_schema)
        .filter(|file| words.contains(file.name()))
        .map(|file| file.path.clone())
        .collect()
}
