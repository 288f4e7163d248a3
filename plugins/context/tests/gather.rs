//! The whole stage on a small project in `tests/project`.

use std::path::{Path, PathBuf};

use docket_plugin_context::gather::gather;
use docket_plugin_context::package::{ContextPackage, Item};
use docket_plugin_context::settings::{Include, Settings, Strategy};

const TARGET: &str = "docs/rfcs/rfc-0002-journal.md";
const EVERYTHING: [Include; 5] = [
    Include::ParseReferences,
    Include::RelatedAdrs,
    Include::AffectedCommands,
    Include::ArchitectureDocs,
    Include::RelatedCode,
];

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/project")
}

fn package(include: &[Include]) -> ContextPackage {
    let settings = Settings { include: include.to_vec(), ..Settings::of(Strategy::RfcReview, TARGET) };
    gather(&project(), None, &settings).expect("a package")
}

fn paths(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.path.as_str()).collect()
}

#[test]
fn references_are_found_in_every_form() {
    let package = package(&EVERYTHING);
    let found: Vec<_> = (package.references.iter())
        .map(|reference| {
            (reference.text.as_str(), reference.line, reference.path.as_deref(), reference.broken)
        })
        .collect();
    let journal = Some("docs/adr/adr-0002-append-only-journal.md");
    assert_eq!(
        found,
        [
            ("PRD-0001", 5, Some("docs/prds/prd-0001-accounts.md"), false),
            ("/home/ana/ledger/docs/adr/adr-0002-append-only-journal.md", 13, journal, false),
            ("RFC 1", 13, Some("docs/rfcs/rfc-0001-import.md"), false),
            ("ADR 0001", 14, Some("docs/adr/adr-0001-plain-files.md"), false),
            ("../rfcs/rfc-0001-importing.md", 15, Some("docs/rfcs/rfc-0001-import.md"), true),
            ("RFC-0009", 15, None, true),
            ("docs/architecture/overview.md", 23, Some("docs/architecture/overview.md"), false),
            ("https://example.org/journal", 23, None, false),
            ("../adr/adr-0002-append-only-journal.md#decision", 27, journal, false),
        ]
    );
    let nearest = package
        .references
        .iter()
        .find(|reference| reference.broken)
        .and_then(|broken| broken.nearest.as_deref());
    assert_eq!(nearest, Some("docs/rfcs/rfc-0001-import.md"));
}

#[test]
fn documents_are_ordered_by_how_related_they_are_and_say_why() {
    let package = package(&EVERYTHING);
    assert_eq!(paths(&package.related.adrs)[0], "docs/adr/adr-0002-append-only-journal.md");
    let decision = &package.related.adrs[0];
    assert_eq!(decision.status.as_deref(), Some("Accepted"));
    assert!(decision.reasons[0].starts_with("referenced on line 13 as /home/ana"), "{:?}", decision.reasons);
    assert!(decision.reasons[1].contains("journal"), "{:?}", decision.reasons);
    assert!(decision.excerpt.starts_with("A crash must not lose"), "{}", decision.excerpt);
    assert!(!paths(&package.related.adrs).contains(&"docs/adr/adr-0003-colour-scheme.md"), "another topic");
    assert_eq!(paths(&package.related.architecture), ["docs/architecture/overview.md"]);
    assert!(paths(&package.related.documents).contains(&"docs/prds/prd-0001-accounts.md"));
    assert!(
        !paths(&package.related.documents).contains(&"templates/rfc-template.md"),
        "a form is no document"
    );
}

#[test]
fn commands_and_schemas_are_found_with_their_definitions() {
    let package = package(&EVERYTHING);
    let commands: Vec<_> = (package.patterns.cli_commands.iter())
        .map(|command| (command.command.as_str(), command.file.as_deref(), command.line))
        .collect();
    assert_eq!(
        commands,
        [
            ("ledger import", Some("src/commands/import.rs"), None),
            ("ledger export", Some("src/commands/main.rs"), Some(4)),
        ]
    );
    assert_eq!(package.patterns.schemas, ["schemas/entry.schema.json"]);
    let code = paths(&package.related.code);
    assert!(code.contains(&"src/commands/import.rs") && code.contains(&"src/commands/main.rs"), "{code:?}");
}

#[test]
fn code_is_found_by_what_the_document_names_and_says_where() {
    let package = package(&EVERYTHING);
    let journal =
        package.related.code.iter().find(|item| item.path == "src/journal.rs").expect("the journal");
    assert!(
        journal.reasons.contains(&"defines `compact_journal` on line 5".to_owned()),
        "{:?}",
        journal.reasons
    );
    assert_eq!(journal.excerpt, "5: pub fn compact_journal(entries: &mut Vec<Entry>) {");
    assert_eq!((journal.origin.path.as_str(), journal.origin.standing), ("src/journal.rs", "data"));
    assert!(!paths(&package.related.code).contains(&"src/colour.rs"), "nothing of it is named");
}

#[test]
fn everything_is_ranked_and_weighed() {
    let package = package(&EVERYTHING);
    let listed = [
        &package.related.adrs,
        &package.related.rfcs,
        &package.related.architecture,
        &package.related.code,
        &package.related.documents,
    ];
    let scores: Vec<f64> = (package.ranked.iter())
        .filter_map(|path| listed.iter().find_map(|list| list.iter().find(|item| item.path == *path)))
        .map(|item| item.score)
        .collect();
    assert_eq!(scores.len(), listed.iter().map(|list| list.len()).sum::<usize>());
    assert!(scores.is_sorted_by(|left, right| left >= right), "{scores:?}");
    assert!(listed.iter().all(|list| list.iter().all(|item| item.tokens > 10)));
    assert!(package.size.tokens > 0 && package.size.tokens <= package.size.budget);
    assert!(package.left_out.is_empty(), "{:?}", package.left_out);
}

#[test]
fn a_small_budget_keeps_the_best_and_lists_the_rest() {
    let settings =
        Settings { include: EVERYTHING.to_vec(), budget: 900, ..Settings::of(Strategy::RfcReview, TARGET) };
    let package = gather(&project(), None, &settings).expect("a package");
    assert!(
        package.ranked.contains(&"docs/adr/adr-0002-append-only-journal.md".to_owned()),
        "{:?}",
        package.ranked
    );
    let all = gather(&project(), None, &Settings { budget: 100_000, ..settings.clone() }).expect("a package");
    let mut here = package.ranked.clone();
    here.extend(package.left_out.iter().filter_map(|left| left.path.clone()));
    let (mut here, mut there) = (here, all.ranked);
    here.sort();
    there.sort();
    assert_eq!(here, there);
    assert!(!package.left_out.is_empty());
}

#[test]
fn without_git_the_package_says_so_and_how_to_have_it() {
    let package = package(&[Include::GitHistory]);
    assert_eq!(package.history, None);
    let note = package.notes.iter().find(|note| note.about == "history").expect("a note");
    assert!(note.message.contains("docket plugin grant context"), "{}", note.message);
}

#[test]
fn a_session_begins_with_what_is_unfinished() {
    let settings = Settings { today: "2025-03-10".into(), ..Settings::of(Strategy::SessionStart, ".") };
    let package = gather(&project(), None, &settings).expect("a package");
    let states: Vec<_> = (package.session.iter().flat_map(|session| &session.documents))
        .map(|document| (document.path.as_str(), document.state))
        .collect();
    assert!(states.contains(&(TARGET, "draft")), "{states:?}");
    let todos: Vec<_> = (package.todos.iter().flatten())
        .map(|todo| (todo.path.as_str(), todo.line, todo.text.as_str()))
        .collect();
    assert_eq!(
        todos,
        [
            ("docs/prds/prd-0001-accounts.md", 7, "say what an account is"),
            ("src/journal.rs", 4, "TODO: sync first")
        ]
    );
    assert!(package.related.adrs.is_empty() && package.references.is_empty());
}

#[test]
fn only_what_is_asked_for_is_gathered() {
    let package = package(&[Include::ArchitectureDocs]);
    assert!(package.references.is_empty() && package.patterns.cli_commands.is_empty());
    assert!(package.related.adrs.is_empty() && package.related.code.is_empty());
    assert_eq!(paths(&package.related.architecture), ["docs/architecture/overview.md"]);
}

#[test]
fn the_same_project_gives_the_same_package() {
    assert_eq!(package(&EVERYTHING), package(&EVERYTHING));
}

#[test]
fn a_document_that_is_no_text_is_refused() {
    let settings = Settings::of(Strategy::RfcReview, "none.md");
    assert_eq!(gather(&project(), None, &settings).expect_err("no such file").code, "target-unreadable");
}
