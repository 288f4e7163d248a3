//! Definitions with faults: all of them are told at once, each with its place, a caret and a fix, and nothing starts.

use crate::place;
use crate::support::{DOCUMENT, RFC_REVIEW, place_with_document, start};

/// Where the faulty definition lies.
const BAD: &str = ".docket/workflows/definitions/bad.yml";
/// A definition with one fault of each kind that can be seen before a run.
const FAULTY: &str = "\
name: Bad
version: 1
colour: red
inputs:
  - {name: rfc_path, type: fil, required: true}
stages:
  - name: one
    type: contxt
    depends_on: two
  - name: two
    type: context
    depends_on: one
  - name: three
    type: agent
    config:
      prompt_template: templates/review-prompts/rfc-architectur.md
  - name: four
    type: metadata
    config:
      file: ${{ inputs.rfc_paht }}
      updates: [{field: Status, value: \"{dat}\"}]
  - name: five
    type: storage
    config:
      source: four.result
      destinaton: docs/x.md
";
/// Each fault: its place, words of it, and words of its fix.
const FAULTS: [(&str, &str, &str); 8] = [
    ("3:1", "unknown key 'colour'", "a workflow may have: name"),
    ("5:28", "'fil'", "'file'"),
    ("8:11", "there is no stage type 'contxt'", "did you mean 'context'?"),
    ("9:17", "stages wait for each other: one → two → one", "take one of these dependencies out"),
    (
        "16:24",
        "there is no prompt template 'templates/review-prompts/rfc-architectur.md'",
        "rfc-architecture.md",
    ),
    ("20:17", "there is no input 'rfc_paht'", "did you mean 'rfc_path'?"),
    ("21:42", "'dat' is not defined", "did you mean 'date'?"),
    ("26:7", "destinaton", "destination"),
];

#[test]
fn check_tells_all_faults_with_place_caret_and_fix() {
    let place = place();
    place.write(BAD, FAULTY);
    let mut output = place.run(&["workflow", "check", "bad"]).code(2);
    for (at, fault, fix) in FAULTS {
        let marker = format!("{BAD}:{at}: ");
        output = output.says(&marker).says(fault).says(fix);
        let lines: Vec<&str> = output.stderr.lines().collect();
        let first = lines.iter().position(|line| line.starts_with(&marker)).expect("it was said");
        let (line, column) = at.split_once(':').expect("line and column");
        let source = FAULTY.lines().nth(line.parse::<usize>().expect("a number") - 1).expect("the line");
        assert_eq!(lines[first + 1], format!("{line:>3} | {source}"), "{}", output.stderr);
        let caret = lines[first + 2].find('^').expect("a caret");
        assert_eq!(
            caret,
            "    | ".len() + column.parse::<usize>().expect("a number") - 1,
            "{}",
            output.stderr
        );
    }
}

#[test]
fn check_tells_the_same_to_programs() {
    let place = place();
    place.write(BAD, FAULTY);
    place.write(".docket/workflows/definitions/good.yml", RFC_REVIEW);
    let output = place.run(&["workflow", "check", "--output", "json"]).code(2);
    let shown = output.json();
    let definitions = shown["definitions"].as_array().expect("a list");
    let by_name = |name: &str| definitions.iter().find(|one| one["name"] == name).expect("it is there");
    assert_eq!((&by_name("good")["ok"], &by_name("bad")["ok"]), (&true.into(), &false.into()));
    let faults = by_name("bad")["faults"].as_array().expect("a list");
    for (at, words, _) in FAULTS {
        let found = faults.iter().any(|fault| {
            let here = format!("{}:{}", fault["location"]["line"], fault["location"]["column"]);
            here == at && fault["message"].as_str().is_some_and(|message| message.contains(words))
        });
        assert!(found, "no '{words}' at {at} in {faults:#?}");
    }
    let error: serde_json::Value =
        serde_json::from_str(output.stderr.trim()).expect("the error is JSON, too");
    assert_eq!(error["exit_code"], 2);
}

#[test]
fn a_faulty_definition_starts_nothing() {
    let place = place_with_document();
    place.write(BAD, FAULTY);
    place.run(&["trust", "--yes"]).success();
    let output = place.run(&["workflow", "start", "bad", "--rfc-path", DOCUMENT]).code(2);
    let _ = output.says(&format!("{BAD}:3:1: unknown key 'colour'")).says("'dat' is not defined");
    assert_eq!(place.runs(), [""; 0]);
    // The others still work.
    start(&place, &["--launcher", "checklist"]).success();
    place.run(&["workflow", "start", "--help"]).success().prints("bad").prints("rfc-review");
}

#[test]
fn text_that_is_no_yaml_is_shown_with_its_place() {
    let place = place();
    for (text, at, words) in [
        ("name: X\nversion: 1\nstages:\n  - name: [a\n", "4:11", "not valid YAML"),
        ("name: X\nversion: 1\nstages:\n\t- name: a\n", "4:2", "indent with spaces"),
        ("name: X\nname: Y\nversion: 1\n", "2:1", "name"),
        ("", "1:1", "empty"),
        ("- a\n- b\n", "1:1", "workflow"),
        ("name: X\nversion: 1\nstages: *nowhere\n", "3:9", "nowhere"),
    ] {
        place.write(BAD, text);
        place.run(&["workflow", "check", "bad"]).code(2).says(&format!("{BAD}:{at}: ")).says(words);
    }
    place.write(BAD, b"name: \xff\n");
    place.run(&["workflow", "check", "bad"]).code(2).says("bad.yml").says("UTF-8").says("byte 6");
    place.run(&["workflow", "start", "bad"]).code(2).says("bad.yml").says("UTF-8");
}

#[test]
fn control_characters_of_a_definition_reach_no_terminal() {
    let place = place();
    place.write(BAD, "name: \"a\\e[2J\"\nversion: 1\n\"\\e]0;owned\\a\": 1\nstages: []\n");
    let output = place.run(&["workflow", "check", "bad"]).code(2);
    assert!(!output.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", output.stderr);
    let output = place.run(&["workflow", "start", "--help"]).success();
    assert!(!output.stdout.contains('\u{1b}'), "{:?}", output.stdout);
}

#[test]
fn definitions_can_be_checked_as_files_and_all_at_once() {
    let place = place();
    // Without definitions of one's own, docket's are checked.
    place.run(&["workflow", "check"]).success().says("rfc-review: ok").says("adr-review: ok");
    place.write("drafts/mine.yml", RFC_REVIEW);
    place.run(&["workflow", "check", "drafts/mine.yml"]).success().says("drafts/mine.yml: ok");
    place.write("drafts/mine.yml", FAULTY);
    place
        .run(&["workflow", "check", "drafts/mine.yml"])
        .code(2)
        .says("drafts/mine.yml:3:1: unknown key 'colour'");
    place
        .run(&["workflow", "check", "drafts/none.yml"])
        .code(2)
        .says("drafts/none.yml")
        .says("definition's file");
    place
        .run(&["workflow", "check", "rfc-reviev"])
        .code(2)
        .says("'rfc-reviev'")
        .says("did you mean 'rfc-review'?");
}

#[test]
fn a_schema_or_template_with_faults_is_found_before_a_run() {
    let place = place_with_document();
    let schema = ".docket/workflows/schemas/review-results.schema.json";
    let definition = ".docket/workflows/definitions/rfc-review.yml";
    place.write(definition, RFC_REVIEW);
    place.write(schema, "{\"type\": \"objekt\"}");
    place
        .run(&["workflow", "check", "rfc-review"])
        .code(2)
        .says(definition)
        .says("review-results.schema.json");
    place.write(schema, "{\"type\": ");
    place
        .run(&["workflow", "check", "rfc-review"])
        .code(2)
        .says(definition)
        .says("review-results.schema.json");
    std::fs::remove_file(place.project().join(schema)).expect("removed");
    let template = ".docket/workflows/templates/review-prompts/rfc-security.md";
    place.write(template, "{{ inputs.rfc_pth }} {% if %}");
    place.run(&["workflow", "check", "rfc-review"]).code(2).says("rfc-security.md");
    place.write(template, "{{ inputs.rfc_pth }}");
    place.run(&["workflow", "check", "rfc-review"]).code(2).says("rfc_pth").says("did you mean 'rfc_path'?");
}

#[test]
fn a_workflow_that_cannot_be_used_is_told_where_it_is_used() {
    let place = place();
    let definition = |name: &str, stages: &str| {
        let text = format!("name: {name}\nversion: 1\nstages:\n{stages}");
        place.write(&format!(".docket/workflows/definitions/{name}.yml"), text);
    };
    definition("one", "  - {name: a, uses: two}\n");
    definition("two", "  - {name: b, uses: one}\n");
    definition("typo", "  - {name: a, uses: rfc-reviw, with: {rfc_path: x.md}}\n");
    definition("broken", "  - {name: a, type: contxt}\n");
    definition("above", "  - {name: a, uses: broken}\n");
    definition("inputs", "  - {name: a, uses: rfc-review, with: {rfc_pth: x.md, perspective: securty}}\n");
    definition("fine", "  - {name: a, uses: rfc-review, with: {rfc_path: x.md}}\n");
    let check = |name: &str| place.run(&["workflow", "check", name]);
    let _ = check("one").code(2).says("one.yml:4:21: ").says("in a circle: one → two → one");
    let _ = check("two").code(2).says("in a circle: two → one → two");
    let _ = check("typo").code(2).says("there is no workflow 'rfc-reviw'").says("did you mean 'rfc-review'?");
    let _ = check("above").code(2).says("workflow 'broken' has 1 fault").says("docket workflow check broken");
    let output = check("inputs").code(2).says("no input 'rfc_pth'").says("did you mean 'rfc_path'?");
    let _ = output.says("needs the input 'rfc_path'").says("did you mean 'security'?");
    let _ = check("fine").success();
}
