//! Source files that belong to a document: those it names by path or name, those that define what it names in code,
//! those that define its commands, and those that change together with it. Each says which symbol and which line.

use std::collections::BTreeMap;
use std::path::Path;

use docket_markdown::Document;
use foldhash::{HashMap, HashSet};

use crate::catalog::Sources;
use crate::inventory::{File, Inventory};
use crate::package::{Command, Item, Origin, Together};
use crate::reading;
use crate::source::{Language, MAXIMUM_LINE, word};

/// So many names of a document are looked up.
const MAXIMUM_NAMES: usize = 400;
/// A name that more files define than this is too common to mean any of them.
const MAXIMUM_FILES: usize = 4;
/// A name in a code block says less than one in running text: what is shown there is often yet to be made.
const IN_BLOCK: f64 = 0.2;
const IN_TEXT: f64 = 0.5;
/// With what it belongs to before it (`Store::load`), and that is in the same file.
const QUALIFIED: f64 = 0.8;
/// A file that is named by its name.
const NAMED: f64 = 0.9;
/// A commit that changed both.
const TOGETHER: f64 = 0.12;
/// A file that changed with the document only once may have done so by chance.
const MINIMUM_TOGETHER: u32 = 2;
/// A file that defines a command.
const COMMAND: f64 = 0.4;
/// What is said of tests counts less: they name what others define.
const TEST: f64 = 0.5;
/// Less is chance.
const MINIMUM: f64 = 0.12;
/// So many symbols are named in a reason, and quoted.
const NAMED_SYMBOLS: usize = 4;
/// A quoted line is cut here, in characters.
const QUOTED: usize = 120;
/// Files larger than this are not opened for a quotation.
const MAXIMUM_QUOTED_FILE: u64 = 512 << 10;

/// Why a source file is related, and how strongly.
#[derive(Debug, Default)]
pub struct Case {
    /// How much speaks against chance, from 0 to 1.
    strength: f64,
    symbols: Vec<(String, u32)>,
    /// Why, but for the symbols.
    reasons: Vec<String>,
    /// Whether the document refers to it.
    is_referred_to: bool,
}

impl Case {
    /// Adds evidence that is independent of what there is.
    fn add(&mut self, weight: f64) {
        self.strength = 1.0 - (1.0 - self.strength) * (1.0 - weight);
    }
}

/// What a document says about code.
pub struct Evidence<'a> {
    /// The document.
    pub document: &'a Document,
    /// The project's source files.
    pub sources: &'a Sources,
    /// All files.
    pub inventory: &'a Inventory,
    /// The commands that it names.
    pub commands: &'a [Command],
    /// What changes together with it.
    pub together: &'a [Together],
    /// The files that it refers to, with the reason to give.
    pub referenced: BTreeMap<&'a str, String>,
}

/// How many files, and what they count.
#[derive(Debug, Clone, Copy)]
pub struct Wishes {
    /// At most so many beside those that are referred to.
    pub most: usize,
    /// What a score is multiplied with.
    pub weight: f64,
    /// Whether symbols are looked up.
    pub symbols: bool,
}

/// The source files that belong to a document, best first.
pub fn related(root: &Path, evidence: &Evidence<'_>, wishes: Wishes) -> Vec<Item> {
    let mut cases: BTreeMap<&str, Case> = BTreeMap::new();
    for (path, reason) in &evidence.referenced {
        let Some(file) = evidence.inventory.file(path).filter(|file| !file.is_document()) else { continue };
        let case = cases.entry(&file.path).or_default();
        case.is_referred_to = true;
        case.add(NAMED);
        case.reasons.push(reason.clone());
    }
    for command in evidence.commands {
        let Some(file) = command.file.as_deref().and_then(|path| evidence.inventory.file(path)) else {
            continue;
        };
        let case = cases.entry(&file.path).or_default();
        case.add(COMMAND);
        let line = command.line.map(|line| format!(" on line {line}")).unwrap_or_default();
        case.reasons.push(format!("defines `{}`{line}", command.command));
        let line = command.line.and_then(|line| u32::try_from(line).ok());
        case.symbols.extend(line.map(|line| (String::new(), line)));
    }
    if wishes.symbols {
        by_symbols(evidence, &mut cases);
        for together in evidence.together.iter().filter(|together| together.count >= MINIMUM_TOGETHER) {
            let file =
                evidence.inventory.file(&together.path).filter(|file| Language::of(file.name()).is_some());
            let Some(file) = file else { continue };
            let case = cases.entry(&file.path).or_default();
            case.add(TOGETHER * f64::from(together.count.min(5)));
            case.reasons.push(format!("changed together with the document in {} commits", together.count));
        }
    }
    let mut chosen: Vec<(&str, Case)> =
        cases.into_iter().filter(|(_, case)| case.is_referred_to || case.strength >= MINIMUM).collect();
    chosen.sort_by(|left, right| {
        let order = right.1.is_referred_to.cmp(&left.1.is_referred_to);
        order.then_with(|| right.1.strength.total_cmp(&left.1.strength)).then_with(|| left.0.cmp(right.0))
    });
    let referred = chosen.iter().filter(|(_, case)| case.is_referred_to).count();
    chosen.truncate(referred + wishes.most);
    let item = |(path, case): (&str, Case)| {
        let file = evidence.inventory.file(path)?;
        Some(item(root, file, case, wishes.weight))
    };
    let mut items: Vec<Item> = chosen.into_iter().filter_map(item).collect();
    items.sort_by(|left, right| right.score.total_cmp(&left.score).then_with(|| left.path.cmp(&right.path)));
    items
}

fn item(root: &Path, file: &File, mut case: Case, weight: f64) -> Item {
    let named: Vec<String> = case
        .symbols
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .take(NAMED_SYMBOLS)
        .map(|(name, line)| format!("`{name}` on line {line}"))
        .collect();
    if !named.is_empty() {
        let more = case.symbols.iter().filter(|(name, _)| !name.is_empty()).count() - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        case.reasons.push(format!("defines {}{more}", named.join(", ")));
    }
    let mut lines: Vec<u32> = case.symbols.iter().map(|(_, line)| *line).take(NAMED_SYMBOLS).collect();
    lines.sort_unstable();
    lines.dedup();
    // What the document refers to itself comes before what is only implied.
    let score = if case.is_referred_to { 1.0 + case.strength / 10.0 } else { case.strength * 0.9 };
    Item {
        path: file.path.clone(),
        title: file.name().to_owned(),
        kind: "code",
        status: None,
        score: (score * weight * 1000.0).round() / 1000.0,
        reasons: case.reasons,
        bytes: file.bytes,
        tokens: 0,
        excerpt: quotation(root, file, &lines),
        origin: Origin::of(&file.path),
    }
}

/// These lines of a file, with their numbers.
fn quotation(root: &Path, file: &File, lines: &[u32]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let Some(text) = reading::text(root, file, MAXIMUM_QUOTED_FILE) else { return String::new() };
    let quoted = text.lines().enumerate().filter_map(|(above, line)| {
        let number = crate::source::number(above);
        lines.contains(&number).then(|| {
            let line: String = line.trim().chars().take(QUOTED).collect();
            format!("{number}: {line}")
        })
    });
    quoted.collect::<Vec<_>>().join("\n")
}

/// A name that may be a symbol's.
#[derive(Debug, Clone, PartialEq)]
struct Name<'a> {
    name: &'a str,
    /// What it is written as a part of.
    owner: Option<&'a str>,
    weight: f64,
}

fn by_symbols<'a>(evidence: &Evidence<'a>, cases: &mut BTreeMap<&'a str, Case>) {
    for span in &evidence.document.code_spans {
        if let Some(file) = named_file(&span.text, evidence.inventory) {
            let case = cases.entry(&file.path).or_default();
            if !case.is_referred_to && case.reasons.is_empty() {
                case.add(NAMED);
                case.reasons.push(format!("named on line {} as {}", span.line, span.text.trim()));
            }
        }
    }
    let names = names(evidence.document);
    let mut places: HashMap<&str, Vec<(&'a str, u32)>> =
        names.iter().map(|name| (name.name, Vec::new())).collect();
    for (path, source) in evidence.sources.files() {
        for definition in &source.definitions {
            if let Some(found) = places.get_mut(definition.name.as_str())
                && found.last().is_none_or(|(last, _)| *last != path)
            {
                found.push((path, definition.line));
            }
        }
    }
    for name in &names {
        let found = &places[name.name];
        let of_owner: Vec<&(&str, u32)> = found
            .iter()
            .filter(|(path, _)| name.owner.is_some_and(|owner| defines_or_is(evidence, path, owner)))
            .collect();
        let (found, weight) = match of_owner.is_empty() {
            false => (of_owner, QUALIFIED),
            true => (found.iter().collect(), name.weight),
        };
        if found.is_empty() || found.len() > MAXIMUM_FILES {
            continue;
        }
        for (path, line) in &found {
            let case = cases.entry(*path).or_default();
            let test = if is_test(path) { TEST } else { 1.0 };
            case.add(weight * test / found.len() as f64);
            case.symbols.push((name.name.to_owned(), *line));
        }
    }
}

/// Whether a file defines a name, or is called so.
fn defines_or_is(evidence: &Evidence<'_>, path: &str, owner: &str) -> bool {
    let is_called = path.split(['/', '.']).any(|part| part.eq_ignore_ascii_case(owner));
    let defines = || {
        let mut files = evidence.sources.files();
        let source = files.find(|(known, _)| *known == path).map(|(_, source)| source);
        source.is_some_and(|source| source.definitions.iter().any(|definition| definition.name == owner))
    };
    is_called || defines()
}

/// The only file with the name or module path that a text is: `drive.rs`, `engine::drive`.
fn named_file<'a>(text: &str, inventory: &'a Inventory) -> Option<&'a File> {
    let text = text.trim();
    let name = text.split(':').next().unwrap_or(text);
    if !name.contains('/') && Language::of(name).is_some() {
        return inventory.only_with_tail(name);
    }
    let is_module = text.contains("::")
        && text.split("::").all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        });
    let tail = text.strip_prefix("crate::").unwrap_or(text).replace("::", "/");
    let of_module = || {
        inventory
            .only_with_tail(&format!("{tail}.rs"))
            .or_else(|| inventory.only_with_tail(&format!("{tail}/mod.rs")))
    };
    if is_module && tail.contains('/') { of_module() } else { None }
}

/// The names in a document's code that may be symbols, each once; those in running text first.
fn names(document: &Document) -> Vec<Name<'_>> {
    let of_spans = document.code_spans.iter().filter_map(|span| symbol(&span.text));
    let lines = document.code_blocks.iter().flat_map(|block| block.text.lines());
    let pieces = lines
        .filter(|line| line.len() <= MAXIMUM_LINE)
        .flat_map(|line| line.split(|character: char| !(character.is_alphanumeric() || character == '_')));
    let of_blocks =
        pieces.filter(|piece| is_telling(piece)).map(|name| Name { name, owner: None, weight: IN_BLOCK });
    let mut seen = HashSet::default();
    of_spans.chain(of_blocks).filter(|name| seen.insert(name.name)).take(MAXIMUM_NAMES).collect()
}

/// The symbol that inline code is, if it looks like one: `RunState`, `load_all`, `decide()`, `Store::load`, `store.load()`.
fn symbol(text: &str) -> Option<Name<'_>> {
    let text = text.trim();
    let (head, is_call) = match text.find('(') {
        Some(open) if text.ends_with(')') => (&text[..open], true),
        Some(_) => return None,
        None => (text.split('<').next()?, false),
    };
    let head = head.trim_end_matches('!').trim_start_matches(['&', '@', '#', '.']);
    let is_plain =
        |character: char| character.is_alphanumeric() || matches!(character, '_' | ':' | '.' | '?');
    if head.is_empty() || !head.chars().all(is_plain) {
        return None;
    }
    let mut parts = head.rsplit(['.', ':']).filter(|part| !part.is_empty());
    let name = parts.next()?;
    let owner = parts.next();
    let is_symbol = name.len() >= 3
        && word(name, "?").len() == name.len()
        && (is_telling(name) || is_call || owner.is_some());
    is_symbol.then_some(Name { name, owner, weight: IN_TEXT })
}

/// Whether a word is written as only symbols are: with several humps, or with `_` in it.
fn is_telling(name: &str) -> bool {
    let has_underscore = name.trim_matches('_').contains('_');
    let humps = name.char_indices().filter(|(at, character)| *at > 0 && character.is_uppercase()).count();
    let has_lower = name.chars().any(char::is_lowercase);
    name.len() >= 4
        && name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && (has_underscore || has_lower && humps > 0)
}

/// Whether a file is there to test or to show others.
pub(crate) fn is_test(path: &str) -> bool {
    path.split(['/', '.', '_', '-']).any(|part| {
        matches!(
            part,
            "test"
                | "tests"
                | "spec"
                | "specs"
                | "fixtures"
                | "testdata"
                | "examples"
                | "example"
                | "__tests__"
                | "mock"
                | "mocks"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_told_from_words() {
        let read = |text| symbol(text).map(|name| (name.name, name.owner));
        assert_eq!(read("RunState"), Some(("RunState", None)));
        assert_eq!(read("decide()"), Some(("decide", None)));
        assert_eq!(read("Store::load(path)"), Some(("load", Some("Store"))));
        assert_eq!(read("store.load_all"), Some(("load_all", Some("store"))));
        assert_eq!(read("Vec<u8>"), None);
        for text in ["status", "a b", "--flag", "docs/a.md", "x", "{id}", "f(", "", "..", "::", "1.5"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn evidence_adds_up_and_never_to_certainty() {
        let mut case = Case::default();
        (0..50).for_each(|_| case.add(IN_TEXT));
        assert!(case.strength > 0.9 && case.strength <= 1.0);
    }
}
