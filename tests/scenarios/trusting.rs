//! What a project brings along runs only after a person said so, as it was then; and where definitions come from.

use docket_tests::Place;

use crate::support::{
    DOCUMENT, RFC_REVIEW, assert_document_reviewed_once, assert_nothing_written, place_with_document,
    reviews, start,
};

/// Where the project's definition lies.
const DEFINITION: &str = ".docket/workflows/definitions/rfc-review.yml";

/// The decisions logged in the user's folder, as `decision subject`.
fn audited(place: &Place) -> Vec<String> {
    let text = std::fs::read_to_string(place.docket_home().join("audit.jsonl")).unwrap_or_default();
    let entry = |line: &str| {
        let entry: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
        format!("{} {}", entry["decision"].as_str().expect("text"), entry["subject"].as_str().expect("text"))
    };
    text.lines().map(entry).collect()
}

#[test]
fn the_specifications_definition_reviews_a_document_once_it_is_trusted() {
    let place = place_with_document();
    place.write(DEFINITION, RFC_REVIEW);
    start(&place, &["--launcher", "checklist"]).code(4).says(DEFINITION).says("`docket trust`");
    assert_eq!(audited(&place), [format!("denied {DEFINITION}")]);
    assert_eq!(place.runs(), [""; 0], "nothing was started");
    assert_nothing_written(&place);

    place.run(&["trust", "--yes"]).success().says(DEFINITION).says("trusted");
    assert_eq!(audited(&place).last(), Some(&format!("trusted {DEFINITION}")));
    let output = start(&place, &["--launcher", "checklist"]).success();
    assert_document_reviewed_once(&place);

    let run = place.only_run();
    let folder = place.run_folder(&run);
    let read = |name: &str| -> serde_json::Value {
        let text =
            std::fs::read_to_string(folder.join(name)).unwrap_or_else(|cause| panic!("{name}: {cause}"));
        serde_json::from_str(&text).unwrap_or_else(|cause| panic!("{name}: {cause}"))
    };
    let review = read("review-results.json");
    let count = |severity: &str| review[severity].as_array().expect("a list").len();
    assert!(count("blockers") + count("major") + count("minor") > 0, "the document has flaws: {review}");
    let said =
        format!("Review complete! {} blockers, {} major concerns\n", count("blockers"), count("major"));
    assert_eq!(output.stdout, said);

    assert_eq!(read("context.json")["target"], DOCUMENT);
    assert_eq!(read("state.json")["status"], "completed");
    assert_eq!(read("results/review-architecture/result.json"), review);
    assert!(
        std::fs::read_to_string(folder.join("logs.txt"))
            .expect("a log")
            .contains("review-architecture: started")
    );
    assert_eq!(std::fs::read_to_string(folder.join("definition.yml")).expect("a snapshot"), RFC_REVIEW);
    let month = place.status(&run)["created_at"].as_str().expect("a time")[..7].to_owned();
    let record = place.read(&format!(".docket/workflows/completed/{month}/{run}.json"));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&record).expect("JSON")["status"], "completed");

    let (name, text) = reviews(&place).remove(0);
    assert!(name.starts_with("rfc-0007-queue-limits-") && name.ends_with("-architecture.md"), "{name}");
    let title =
        review["major"][0]["title"].as_str().or(review["minor"][0]["title"].as_str()).expect("a finding");
    assert!(text.contains(title), "{text}");
}

#[test]
fn a_definition_that_changed_after_it_was_trusted_is_refused_and_says_so() {
    let place = place_with_document();
    place.trusted_definition("rfc-review", RFC_REVIEW);
    place.write(DEFINITION, RFC_REVIEW.replace("value: In Review", "value: Rejected"));
    start(&place, &["--launcher", "checklist"]).code(4).says(DEFINITION).says("changed since you trusted it");
    assert_nothing_written(&place);
    place.run(&["trust", "--list"]).code(4).says("CHANGED");
    place.run(&["trust"]).code(4).says("trust needs a person at a terminal").says("docket trust --yes");
    start(&place, &["--launcher", "checklist"]).code(4).says("changed since you trusted it");
    place.run(&["trust", "--yes"]).success();
    place.run(&["trust", "--list"]).success().says("[trusted]");
    start(&place, &["--launcher", "checklist"]).success();
    assert!(place.read(DOCUMENT).contains("**Status:** Rejected\n"));
}

#[test]
fn trust_can_be_taken_back() {
    let place = place_with_document();
    place.trusted_definition("rfc-review", RFC_REVIEW);
    place.run(&["trust", "--forget"]).success().says("not trusted any more");
    start(&place, &["--launcher", "checklist"]).code(4).says(DEFINITION);
    assert!(audited(&place).iter().any(|entry| entry.starts_with("revoked ")), "{:?}", audited(&place));
    assert_nothing_written(&place);
}

#[test]
fn a_template_and_a_schema_of_the_project_need_trust_as_well() {
    let place = place_with_document();
    // docket's own schema, so that nothing else is wrong with it.
    let schema = || place.run(&["schema", "review-results"]).success().stdout;
    for (path, text) in [
        (".docket/workflows/templates/review-prompts/rfc-architecture.md", "Do what I say.\n".to_owned()),
        (".docket/workflows/schemas/review-results.schema.json", schema()),
    ] {
        place.write(path, text);
        start(&place, &["--launcher", "checklist"]).code(4).says(path).says("`docket trust`");
        std::fs::remove_file(place.project().join(path)).expect("removed");
    }
    assert_nothing_written(&place);
    start(&place, &["--launcher", "checklist"]).success();
}

#[test]
fn built_in_and_the_users_own_definitions_need_no_trust() {
    let place = place_with_document();
    start(&place, &["--launcher", "checklist"]).success();
    place.write_home("workflows/definitions/mine.yml", one_stage("Mine"));
    place.run(&["workflow", "start", "mine", "--rfc-path", DOCUMENT]).success();
    assert!(!place.docket_home().join("trust.json").exists());
}

#[test]
fn the_project_comes_first_then_the_user_then_docket_itself() {
    let place = place_with_document();
    let origin = || {
        let shown = place.run(&["workflow", "show", "rfc-review", "--output", "json"]).success().json();
        let name = shown["text"].as_str().expect("text").lines().find(|line| line.starts_with("name:"));
        format!("{} {}", shown["origin"].as_str().expect("an origin"), name.expect("a name"))
    };
    assert_eq!(origin(), "built-in name: RFC Review");
    let home = "workflows/definitions/rfc-review.yml";
    place.write_home(home, one_stage("Home"));
    assert_eq!(origin(), format!("{} name: Home", place.docket_home().join(home).display()));
    place.write(DEFINITION, one_stage("Project"));
    assert_eq!(origin(), format!("{DEFINITION} name: Project"));
    // One that is not trusted is refused; the next one in the order must not quietly take its place.
    start(&place, &[]).code(4).says(DEFINITION);
    assert_eq!(place.runs(), [""; 0]);
}

/// A definition with one stage.
fn one_stage(name: &str) -> String {
    format!(
        "name: {name}\nversion: 1\ninputs:\n  - {{name: rfc_path, type: file, required: true}}\n\
         stages:\n  - {{name: gather, type: context}}\n"
    )
}
