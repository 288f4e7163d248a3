//! Puts a context package together. Decides what is in it and why; how relations are found is in the other modules.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use docket_markdown::{Document, Kind};
use docket_plugin::{Error, report};
use foldhash::HashMap;

use crate::budget;
use crate::catalog::{self, Catalog, Sources};
use crate::code::{self, Evidence, Wishes};
use crate::commands::commands;
use crate::excerpt::excerpt;
use crate::facts::{self, Facts, terms};
use crate::history::{self, NoHistory};
use crate::inventory::{File, Inventory, Moment};
use crate::package::{ContextPackage, History, Item, Note, OpenTodo, Origin, Reference, Related, Session};
use crate::reading;
use crate::references::references;
use crate::related::{Project, Relative, Weights, related};
use crate::resolve::{Referrer, Resolver};
use crate::session;
use crate::settings::{Include, PROJECT, Settings};
use crate::words::Damaged;

/// A larger document is refused: nobody reviews it in one piece.
const MAXIMUM_TARGET: u64 = 8 << 20;
/// How many documents are listed by topic, beside those that are referred to.
const LISTED: usize = 60;
/// Less related than this share of the best is another topic.
const MINIMUM_SIMILARITY: f64 = 0.2;
/// An architecture document is listed however little it shares, with at least this score.
const ARCHITECTURE_SCORE: f64 = 0.1;
/// What a commit that changed a document and the target adds, up to so many commits.
const TOGETHER_SCORE: f64 = 0.05;
const TOGETHER_COMMITS: u32 = 4;
/// How many lines a reason names.
const NAMED_LINES: usize = 3;

/// Why nothing was gathered.
enum Stop {
    /// Something that somebody has to mend.
    Failed(Error),
    /// What was kept of the last time is damaged.
    Damaged,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Damaged> for Stop {
    fn from(_: Damaged) -> Self {
        Self::Damaged
    }
}

/// Gathers the context of `settings.target` in the project at `root`, or, without a target, where the project stands. What
/// was read is kept in the folder `cache`, if there is one.
///
/// # Errors
/// `target-unreadable` when the document is too large or no text.
pub fn gather(root: &Path, cache: Option<&Path>, settings: &Settings) -> Result<ContextPackage, Error> {
    let attempt = |cache| {
        if settings.target == PROJECT {
            of_project(root, cache, settings)
        } else {
            of_document(root, cache, settings)
        }
    };
    let gathered = attempt(cache).or_else(|stop| match (stop, cache) {
        (Stop::Damaged, Some(folder)) => {
            // The same again, as if nothing had been kept.
            catalog::forget(folder);
            attempt(cache).or_else(|_| attempt(None))
        }
        (stop, _) => Err(stop),
    });
    gathered.map_err(|stop| match stop {
        Stop::Failed(error) => error,
        Stop::Damaged => Error::new("index-damaged", "BUG: an index that is not there is damaged"),
    })
}

fn of_document(root: &Path, cache: Option<&Path>, settings: &Settings) -> Result<ContextPackage, Stop> {
    let inventory = Inventory::list(root);
    let (file, document) = read_target(root, &settings.target)?;
    let reading = facts::read(&settings.target, &document.text);
    let mut catalog = Catalog::new(root, &inventory, cache);
    let documents = catalog.documents(Some(&file))?;
    report::log(report::Level::Debug, format!("Comparing {} documents", documents.facts.len()));
    let (resolver, mut citations) = catalog.relations(&documents)?;
    let position = resolver.position(&settings.target).unwrap_or_default();
    let target = Referrer { facts: &reading.facts, written: &reading.written };
    // The target may be larger than what is read of others, which are known by name then.
    let mut facts = Cow::Borrowed(documents.facts.as_slice());
    if facts[position] != reading.facts {
        facts.to_mut()[position].clone_from(&reading.facts);
        citations = citations.with(position, target, &facts, &resolver);
    }
    let mut package = ContextPackage::empty(
        &settings.target,
        &reading.facts.title,
        reading.facts.kind().name(),
        settings.strategy.name(),
    );
    if settings.wants(Include::ParseReferences) {
        package.references = references(target, &resolver, &inventory);
    }
    let needs_sources = [Include::AffectedCommands, Include::RelatedCode, Include::OpenTodos]
        .iter()
        .any(|what| settings.wants(*what));
    let sources = if needs_sources { catalog.sources(&documents.facts) } else { Sources::default() };
    if settings.wants(Include::AffectedCommands) {
        package.patterns.cli_commands = commands(&document, &inventory, &sources);
    }
    package.patterns.schemas = schemas(&inventory, &document);
    package.notes = catalog.notes;
    if settings.wants(Include::GitHistory) {
        let history = history::of_document(&settings.target);
        put_history(&mut package, history);
    }
    let relatives = if settings.wants(Include::RelatedAdrs) {
        let project = Project {
            documents: &facts,
            citations: &citations,
            words: &documents.words,
            own: &reading.words,
        };
        related(project, position, &terms::words(&document.text), &Weights::default())?
    } else {
        Vec::new()
    };
    package.related = listed(root, &facts, &resolver, &package, &relatives, settings);
    package.related.code = code(root, &inventory, &sources, &document, &package, settings);
    if settings.wants(Include::OpenTodos) {
        package.todos = Some(todos_around(&document, &documents.todos()?, &sources, &package));
    }
    // A sandbox is thrown away whole: taking hundreds of thousands of values apart first would only take time.
    std::mem::forget((resolver, citations, facts));
    std::mem::forget((documents, sources));
    Ok(finish(package, settings))
}

/// Gathers where the project at `root` stands. What can't be had is left out, and said.
fn of_project(root: &Path, cache: Option<&Path>, settings: &Settings) -> Result<ContextPackage, Stop> {
    let inventory = Inventory::list(root);
    let mut catalog = Catalog::new(root, &inventory, cache);
    let documents = catalog.documents(None)?;
    catalog.keep_documents(&documents)?;
    let is_readme = |facts: &&Facts| facts.path.eq_ignore_ascii_case("readme.md");
    let title = documents.facts.iter().find(is_readme).map_or("", |facts| facts.title.as_str());
    let mut package = ContextPackage::empty(&settings.target, title, "project", settings.strategy.name());
    if settings.wants(Include::OpenTodos) {
        let sources = catalog.sources(&documents.facts);
        let of_documents = documents.todos()?;
        let of_documents = of_documents.iter().map(|(path, todo)| (*path, todo));
        let of_sources =
            sources.files().flat_map(|(path, source)| source.todos.iter().map(move |todo| (path, todo)));
        package.todos = Some(of_documents.chain(of_sources).map(|(path, todo)| open(path, todo)).collect());
    }
    package.notes = catalog.notes;
    if settings.wants(Include::GitHistory) {
        put_history(&mut package, history::of_project());
    }
    let states = if settings.wants(Include::DocumentStates) {
        session::documents(&documents.facts, &settings.today)
    } else {
        Vec::new()
    };
    package.session = Some(Session { documents: states, runs: settings.runs.clone() });
    Ok(finish(package, settings))
}

/// Weighs everything and takes out what has no room.
fn finish(mut package: ContextPackage, settings: &Settings) -> ContextPackage {
    let related = &mut package.related;
    for list in [
        &mut related.adrs,
        &mut related.rfcs,
        &mut related.architecture,
        &mut related.documents,
        &mut related.code,
    ] {
        list.iter_mut().for_each(budget::weigh);
    }
    budget::fit(&mut package, settings.budget);
    package
}

/// Puts the history into the package, or says why it is not there.
fn put_history(package: &mut ContextPackage, history: Result<History, NoHistory>) {
    let message = match history {
        Ok(history) => {
            package.history = Some(history);
            return;
        }
        Err(NoHistory::NotGranted) => format!(
            "the repository's history is left out: running git is not granted; to have it, run `{}`",
            history::GRANT
        ),
        Err(NoHistory::Unavailable(why)) => format!("the repository's history is left out: {why}"),
    };
    package.notes.push(Note { about: "history", message });
}

/// What is to do in the document, in those that are related, and in the code that belongs to it.
fn todos_around(
    document: &Document,
    of_documents: &[(&str, crate::source::Todo)],
    sources: &Sources,
    package: &ContextPackage,
) -> Vec<OpenTodo> {
    let own = crate::source::todo::in_document(&document.text);
    let code: BTreeSet<&str> = package.related.code.iter().map(|item| item.path.as_str()).collect();
    let referred: BTreeSet<&str> =
        package.references.iter().filter_map(|reference| reference.path.as_deref()).collect();
    let of_documents = of_documents.iter().filter(|(path, _)| referred.contains(path));
    let of_sources = sources
        .files()
        .filter(|(path, _)| code.contains(path))
        .flat_map(|(path, source)| source.todos.iter().map(move |todo| (path, todo)));
    let others = of_documents.map(|(path, todo)| (*path, todo)).chain(of_sources);
    let own = own.iter().map(|todo| open(&package.target, todo));
    own.chain(others.map(|(path, todo)| open(path, todo))).collect()
}

fn open(path: &str, todo: &crate::source::Todo) -> OpenTodo {
    OpenTodo { path: path.to_owned(), line: todo.line, text: todo.text.clone() }
}

fn read_target(root: &Path, target: &str) -> Result<(File, Document), Error> {
    let unreadable = |why: &str| Error::new("target-unreadable", format!("'{target}' {why}"));
    let metadata = std::fs::metadata(root.join(target))
        .map_err(|cause| unreadable(&format!("can't be read: {cause}")))?;
    let modified = metadata.modified().ok().and_then(Moment::of);
    let file = File { path: target.to_owned(), bytes: metadata.len(), modified };
    let text = reading::text(root, &file, MAXIMUM_TARGET)
        .ok_or_else(|| unreadable("is not a text of at most 8 MiB").hint("choose a Markdown document"))?;
    Ok((file, docket_markdown::parse(&text)))
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
    package: &ContextPackage,
    relatives: &[Relative],
    settings: &Settings,
) -> Related {
    let mut cases: HashMap<usize, Case> = HashMap::default();
    for (path, lines) in referenced(&package.references) {
        if let Some(document) = resolver.position(path) {
            cases.insert(document, Case { score: 1.0, reasons: vec![reference_reason(&lines)] });
        }
    }
    let mut count = 0;
    for relative in relatives {
        let is_new = !cases.contains_key(&relative.document);
        if is_new && (relative.score < MINIMUM_SIMILARITY || count >= LISTED) {
            continue;
        }
        count += usize::from(is_new);
        let case = cases.entry(relative.document).or_default();
        case.score = case.score.max(relative.score);
        // The reference itself is named with all its lines already.
        let is_named = !case.reasons.is_empty();
        let reasons =
            relative.reasons.iter().filter(|reason| !is_named || !reason.starts_with("referenced on"));
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
    for together in package.history.iter().flat_map(|history| &history.together) {
        // Once may be chance.
        let position = resolver.position(&together.path).filter(|_| together.count > 1);
        if let Some(case) = position.and_then(|position| cases.get_mut(&position)) {
            case.score += TOGETHER_SCORE * f64::from(together.count.min(TOGETHER_COMMITS));
            case.reasons.push(format!("changed together with it in {} commits", together.count));
        }
    }
    for (document, case) in &mut cases {
        case.score *= settings.strategy.weight(documents[*document].kind());
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
    let file = File { path: facts.path.clone(), bytes: facts.bytes, modified: None };
    let text = reading::text(root, &file, MAXIMUM_TARGET).unwrap_or_default();
    Item {
        path: facts.path.clone(),
        title: facts.title.clone(),
        kind: facts.kind().name(),
        status: facts.status.clone(),
        // Three digits: enough to order by, and the same on every machine.
        score: (case.score * 1000.0).round() / 1000.0,
        reasons: case.reasons,
        bytes: facts.bytes,
        tokens: 0,
        excerpt: excerpt(&docket_markdown::parse(&text)),
        origin: Origin::of(&facts.path),
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

/// Source files that belong to the document.
fn code(
    root: &Path,
    inventory: &Inventory,
    sources: &Sources,
    document: &Document,
    package: &ContextPackage,
    settings: &Settings,
) -> Vec<Item> {
    let evidence = Evidence {
        document,
        sources,
        inventory,
        commands: &package.patterns.cli_commands,
        together: package.history.as_ref().map_or(&[], |history| &history.together),
        referenced: referenced(&package.references)
            .into_iter()
            .map(|(path, lines)| (path, reference_reason(&lines)))
            .collect(),
    };
    let wishes = Wishes {
        most: settings.strategy.code_items(),
        weight: settings.strategy.code_weight(),
        symbols: settings.wants(Include::RelatedCode),
    };
    code::related(root, &evidence, wishes)
}

/// Files whose names say that they are schemas: by their ending, or by the folder they lie in.
const SCHEMA_ENDINGS: [&str; 9] =
    [".schema.json", ".proto", ".wit", ".graphql", ".avsc", ".xsd", ".thrift", ".cddl", ".prisma"];
const SCHEMA_FOLDERS: [&str; 3] = ["schemas", "schema", "openapi"];
const SCHEMA_STEMS: [&str; 3] = ["openapi", "swagger", "asyncapi"];

/// Schema files that the document names, by their name or path.
fn schemas(inventory: &Inventory, document: &Document) -> Vec<String> {
    let separators = |character: char| character.is_whitespace() || "()[]<>\"'`,;|*:".contains(character);
    let words: BTreeSet<&str> = document
        .text
        .split(separators)
        .map(|word| word.trim_end_matches('.').trim_end_matches('/'))
        .filter_map(|word| word.rsplit('/').next())
        .collect();
    let is_schema = |file: &&File| {
        let data = matches!(file.stem_and_extension().1, "json" | "yaml" | "yml");
        SCHEMA_ENDINGS.iter().any(|ending| file.name().ends_with(ending))
            || data && SCHEMA_STEMS.contains(&file.stem_and_extension().0)
            || data && file.path.split('/').rev().skip(1).any(|folder| SCHEMA_FOLDERS.contains(&folder))
    };
    (inventory.files().iter())
        .filter(is_schema)
        .filter(|file| words.contains(file.name()))
        .map(|file| file.path.clone())
        .collect()
}
