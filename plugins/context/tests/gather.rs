//! The whole stage on a small project in `tests/project`.

use std::path::{Path, PathBuf};

use docket_plugin_context::gather::gather;
use docket_plugin_context::package::{ContextPackage, Item};
use docket_plugin_context::settings::{Include, Settings, Strategy};

const EVERYTHING: [Include; 4] =
    [Include::ParseReferences, Include::RelatedAdrs, Include::AffectedCommands, Include::ArchitectureDocs];

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/project")
}

fn package(include: &[Include]) -> ContextPackage {
    let target = "docs/rfcs/rfc-0002-journal.md".to_owned();
    let settings = Settings { strategy: Strategy::RfcReview, include: include.to_vec(), target };
    gather(&project(), &settings).expect("a package")
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
            ("ledger export", Some("src/commands/main.rs"), Some(3)),
        ]
    );
    assert_eq!(package.patterns.schemas, ["schemas/entry.schema.json"]);
    assert_eq!(paths(&package.related.code), ["src/commands/import.rs", "src/commands/main.rs"]);
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
    let settings = Settings { strategy: Strategy::RfcReview, include: Vec::new(), target: "none.md".into() };
    assert_eq!(gather(&project(), &settings).expect_err("no such file").code, "target-unreadable");
}
