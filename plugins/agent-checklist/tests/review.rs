//! A whole review of a small document, against what it has to say (`tests/golden`).

use std::path::Path;

use docket_plugin_agent_checklist::review;
use docket_plugin_agent_checklist::subject::{Perspective, Subject};

fn written(perspective: Perspective) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/project");
    let path = "docs/rfcs/rfc-0001-cache.md";
    let text = std::fs::read_to_string(root.join(path)).expect("the document is in the repository");
    let review = review(&Subject::of(path, &text, perspective, "2026-01-31", &root));
    serde_json::to_string_pretty(&review).expect("a review is JSON") + "\n"
}

/// `UPDATE_GOLDEN=1 cargo test` writes the files anew.
fn compare(name: &str, review: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, review).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(&path).expect("the golden file is in the repository");
    assert_eq!(review, golden, "{name} differs");
}

#[test]
fn the_review_is_as_expected() {
    compare("rfc-0001-cache-all.json", &written(Perspective::All));
    compare("rfc-0001-cache-security.json", &written(Perspective::Security));
}

#[test]
fn every_finding_has_file_line_and_advice_and_ids_are_unique() {
    let review: serde_json::Value =
        serde_json::from_str(&written(Perspective::Implementation)).expect("JSON");
    let mut ids = std::collections::HashSet::new();
    for list in ["blockers", "major", "minor"] {
        for finding in review[list].as_array().expect("a list") {
            assert_eq!(finding["file"], "docs/rfcs/rfc-0001-cache.md");
            assert!(finding["line"].as_u64().is_some_and(|line| line > 0), "{finding}");
            for field in ["title", "section", "recommendation"] {
                assert!(finding[field].as_str().is_some_and(|text| !text.is_empty()), "{field} of {finding}");
            }
            assert!(ids.insert(finding["id"].clone()), "{finding} has the id of another");
        }
    }
    assert!(!ids.is_empty());
}

#[test]
fn the_same_document_gives_the_same_review() {
    assert_eq!(written(Perspective::All), written(Perspective::All));
}
