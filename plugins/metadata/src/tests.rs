//! Whole documents before and after, and what holds for any document.

use proptest::prelude::*;

use super::*;

fn updates(updates: Value) -> Vec<Update> {
    serde_json::from_value(updates).expect("updates")
}

fn edited(before: &str, changes: Value) -> String {
    let mut text = Text::parse(before);
    let changes = updates(changes);
    edit::apply(&mut text, &changes).expect("edited");
    let after = text.to_string();
    let mut again = Text::parse(&after);
    edit::apply(&mut again, &changes).expect("edited again");
    assert_eq!(again.to_string(), after, "the second time changes nothing");
    after
}

fn status(value: &str) -> Value {
    json!([{ "field": "Status", "value": value }])
}

#[test]
fn the_rfc_s_updates_do_what_it_says() {
    let before = "# RFC-0003: Workflows\n\n**Status:** Draft\n**Author:** A\n**Created:** 2025-10-12\n\n---\n\n## Summary\n\n**Status:** x\n";
    let changes = json!([
        { "field": "Status", "value": "In Review" },
        { "field": "Reviewed", "value": "2026-11-22" },
        { "add_line": "**Reviewed:** 2026-11-22 (security perspective)" },
    ]);
    assert_eq!(
        edited(before, changes),
        "# RFC-0003: Workflows\n\n**Status:** In Review\n**Author:** A\n**Created:** 2025-10-12\n\
         **Reviewed:** 2026-11-22\n**Reviewed:** 2026-11-22 (security perspective)\n\n---\n\n## Summary\n\n**Status:** x\n"
    );
}

#[test]
fn fields_are_edited_where_they_are() {
    for (before, after) in [
        (
            "---\nstatus: Draft # c\n---\n# T\n\n**Status:** Draft\n",
            "---\nstatus: New # c\n---\n# T\n\n**Status:** Draft\n",
        ),
        (
            "# T\n\n```\n**Status:** code\n```\n\n**Status:** Draft\n",
            "# T\n\n```\n**Status:** code\n```\n\n**Status:** New\n",
        ),
        (
            "# T\n\n<!--\n**Status:** no\n-->\n- **status**: Draft",
            "# T\n\n<!--\n**Status:** no\n-->\n- **status**: New",
        ),
        ("# T\nStatus: Draft\nDate: x\n\nText: y", "# T\nStatus: New\nDate: x\n\nText: y"),
        ("T\n===\n\nStatus: Draft\r\n", "T\n===\n\nStatus: New\r\n"),
        ("\u{feff}**Status:** Entwurf\r\n\r\nGrüße", "\u{feff}**Status:** New\r\n\r\nGrüße"),
    ] {
        assert_eq!(edited(before, status("New")), after, "{before:?}");
    }
}

#[test]
fn missing_fields_are_added_where_metadata_is() {
    for (before, after) in [
        ("# T\n\n**Date:** x  \n\nText\n", "# T\n\n**Date:** x  \n**Status:** New  \n\nText\n"),
        ("# T\n\n- **Date:** x\n- **By:** y", "# T\n\n- **Date:** x\n- **By:** y\n- **Status:** New"),
        (
            "# T\n\n**Date:** x\n\n**By:** y\n\nText",
            "# T\n\n**Date:** x\n\n**By:** y\n\n**Status:** New\n\nText",
        ),
        (
            "# T\n\n**Date:** x\n\n**Abstract:** long\ntext\n",
            "# T\n\n**Date:** x\n**Status:** New\n\n**Abstract:** long\ntext\n",
        ),
        ("---\ntitle: T\n---\n# T\n", "---\ntitle: T\nstatus: New\n---\n# T\n"),
        ("---\n---\n", "---\nStatus: New\n---\n"),
        ("---\nt: T\n---\n# T\n\n**Date:** x\n", "---\nt: T\n---\n# T\n\n**Date:** x\n**Status:** New\n"),
        ("# T\n\nText\n", "# T\n\n**Status:** New\n\nText\n"),
        ("# T\nText\n", "# T\n\n**Status:** New\n\nText\n"),
        ("# T", "# T\n\n**Status:** New"),
        ("## S\n", "**Status:** New\n\n## S\n"),
        ("", "**Status:** New\n"),
        ("# T\r\n\r\nDate: x\r\nBy: y\r\n", "# T\r\n\r\nDate: x\r\nBy: y\r\nStatus: New\r\n"),
        ("---\n\nText\n\n---\n", "**Status:** New\n\n---\n\nText\n\n---\n"),
    ] {
        assert_eq!(edited(before, status("New")), after, "{before:?}");
    }
}

#[test]
fn lines_are_added_once() {
    for (before, line, after) in [
        ("# T\n\n**A:** x\\\n\nText\n", "**B:** y", "# T\n\n**A:** x\\\n**B:** y\\\n\nText\n"),
        ("# T\n\n- **A:** x\n- **B:** y  \n", "**B:** y", "# T\n\n- **A:** x\n- **B:** y  \n"),
        ("# T\n\nA: x\n\nText\n", "Seen by B", "# T\n\nA: x\n\nSeen by B\n\nText\n"),
        ("---\na: x\n---\nText\n", "b: y", "---\na: x\nb: y\n---\nText\n"),
        ("---\na: x\n---\nText\n", "**B:** y", "---\na: x\n---\n\n**B:** y\n\nText\n"),
        ("# T\n\n```\n**B:** y\n```\n", "**B:** y", "# T\n\n**B:** y\n\n```\n**B:** y\n```\n"),
    ] {
        assert_eq!(edited(before, json!([{ "add_line": line }])), after, "{before:?}");
    }
}

#[test]
fn what_would_break_a_document_is_refused() {
    let mut text = Text::parse("---\ntags:\n  - a\n---\n");
    let error = edit::apply(&mut text, &updates(json!([{ "field": "Tags", "value": "b" }])));
    assert_eq!(error, Err(EditError::NotOneLine { key: "tags".into(), line: 2 }));
    let error = edit::apply(&mut text, &updates(json!([{ "add_line": "## New" }])));
    assert!(matches!(error, Err(EditError::Refused(_))));
    let config = json!({ "updates": [{ "field": "a:b", "value": "" }, { "add_line": "# ${date}" }, { "add_line": "# a" }] });
    let pointers: Vec<String> =
        Metadata::check("metadata", &config).into_iter().map(|fault| fault.pointer).collect();
    assert_eq!(pointers, ["/updates/0/field", "/updates/2/add_line"]);
}

#[test]
fn values_stay_on_their_line() {
    assert_eq!(edited("**Status:** a\n", status("x\n\n# y")), "**Status:** x # y\n");
}

#[test]
fn the_stage_proposes_a_file_only_when_it_changed() {
    let project = tempfile::tempdir().expect("a folder");
    let proposals = tempfile::tempdir().expect("a folder");
    fs::create_dir(project.path().join("docs")).expect("a folder");
    fs::write(project.path().join("docs/a.md"), "# T\n\n**Status:** Draft\n").expect("a document");
    let run = |file: &str, value: &str| {
        let config = Config { file: file.into(), updates: updates(status(value)) };
        run(&config, project.path(), proposals.path())
    };
    let unchanged = run("docs/a.md", "Draft").expect("a result");
    assert_eq!(unchanged, json!({ "file": "docs/a.md", "changed": false, "changes": [] }));
    assert!(!proposals.path().join("docs").exists());
    let changed = run("docs/a.md", "Done").expect("a result");
    assert_eq!(
        changed["changes"],
        json!([{ "line": 3, "before": "**Status:** Draft", "after": "**Status:** Done" }])
    );
    assert_eq!(
        fs::read_to_string(proposals.path().join("docs/a.md")).expect("a file"),
        "# T\n\n**Status:** Done\n"
    );

    fs::write(project.path().join("latin.md"), b"# T\n\xe4").expect("a document");
    for (file, code) in [
        ("b.md", "file-missing"),
        ("../a.md", "file-invalid"),
        ("/a", "file-invalid"),
        ("latin.md", "file-not-utf8"),
    ] {
        let error = run(file, "x").expect_err(code);
        assert_eq!(error.code, code);
        assert!(error.message.contains(file), "{error}");
    }
}

#[test]
fn the_manifest_is_json() {
    let manifest: Value = serde_json::from_str(include_str!("../manifest.json")).expect("JSON");
    assert_eq!(manifest["capabilities"], json!({ "read": ["${config.file}"], "write": ["${config.file}"] }));
}

/// Lines that documents are made of, the awkward ones above all.
const LINES: &[&str] = &[
    "",
    "",
    "",
    "---",
    "...",
    "===",
    "# Title",
    "## Section",
    "```",
    "~~~",
    "<!--",
    "-->",
    "<!-- c -->",
    "text",
    "- text",
    "    code",
    "**Status:** a",
    "**Status**: a\\",
    "- **Status:** a  ",
    "  - **Owner:** ä",
    "Status: a",
    "status: 'a' # c",
    "owner: \"b\"",
    "last_seen: 1",
    "Owner: b",
    "**Owner:** <!-- c -->",
    "**Note:** x <!-- c -->  ",
    "**Bold** text",
    "tags: [a]",
    "list:",
    "Seen by B",
    "**Seen:** a",
    "* **Last Seen:** x",
    "-",
    "> quote",
    "\tx: y",
    "a\rb",
    "title: é",
];
const NAMES: &[&str] = &["Status", "owner", "Last-Seen", "Seen", "A rather long name of many words", "list"];
const VALUES: &[&str] = &[
    "a",
    "b",
    "",
    "x: y",
    "\"q\"",
    "it's",
    "a \\",
    "é <!-- c -->",
    "# no",
    "true",
    "a\nb",
    "-->",
    "[c]",
    "{d",
];
const ADDED: &[&str] = &[
    "**Status:** a",
    "**Status:** b",
    "Status: a",
    "status: b",
    "Seen by B",
    "- **Seen:** a",
    "* x",
    "**Seen:** a\\",
    "owner: x: y",
    "**Owner:** b",
    "Last-Seen: a  ",
    "> quote",
    "title: é",
];

fn any_update() -> impl Strategy<Value = Update> {
    let field = (prop::sample::select(NAMES), prop::sample::select(VALUES))
        .prop_map(|(field, value)| Update::Field { field: field.into(), value: json!(value) });
    let line = prop::sample::select(ADDED).prop_map(|line| Update::Line { add_line: line.into() });
    prop_oneof![field, line]
}

fn any_document() -> impl Strategy<Value = String> {
    let lines = prop::collection::vec((prop::sample::select(LINES), prop::bool::weighted(0.1)), 0..14);
    (lines, any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(lines, front, windows, mark, ended)| {
            let usual = if windows { "\r\n" } else { "\n" };
            let mut text = String::from(if mark { "\u{feff}" } else { "" });
            if front {
                text.push_str(&format!("---{usual}status: x{usual}"));
            }
            for (line, other) in lines {
                text.push_str(line);
                text.push_str(if other { "\n" } else { usual });
            }
            if !ended { text.trim_end_matches(['\r', '\n']).to_owned() } else { text }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_second_time_changes_nothing(document in any_document(), changes in prop::collection::vec(any_update(), 1..4)) {
        let mut text = Text::parse(&document);
        // Lists in front matter are refused, which changes nothing either.
        if edit::apply(&mut text, &changes).is_ok() {
            let once = text.to_string();
            let mut again = Text::parse(&once);
            edit::apply(&mut again, &changes).expect("what could be edited once can be edited again");
            prop_assert_eq!(again.to_string(), once);
        }
    }

    #[test]
    fn lines_that_are_not_reported_as_changed_are_as_they_were(
        document in any_document(),
        changes in prop::collection::vec(any_update(), 1..4),
    ) {
        let mut text = Text::parse(&document);
        prop_assume!(edit::apply(&mut text, &changes).is_ok());
        let after = text.to_string();
        let reported: Vec<_> = text.changes().collect();
        // Put back what the report says; what is left must be the document.
        let mut lines: Vec<String> = after.split_inclusive('\n').map(str::to_owned).collect();
        for change in reported.iter().rev() {
            let index = change.line - 1;
            match &change.before {
                Some(before) => {
                    let line = lines[index].replacen(&change.after, before, 1);
                    lines[index] = line;
                }
                None => drop(lines.remove(index)),
            }
        }
        prop_assert_eq!(after.starts_with('\u{feff}'), document.starts_with('\u{feff}'));
        let restored = lines.concat();
        let (restored, document) = (restored.trim_start_matches('\u{feff}'), document.trim_start_matches('\u{feff}'));
        // A line added below a last line without an end gives that line one.
        let is_end = |rest: &str| matches!(rest, "" | "\n" | "\r\n");
        prop_assert!(restored.strip_prefix(document).is_some_and(is_end), "{restored:?} is not {document:?}");
    }
}
