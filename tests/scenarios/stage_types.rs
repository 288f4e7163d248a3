//! The stage types `approval` and `merge` in runs of their own, through the real binary.

use docket_tests::Place;
use serde_json::{Value, json};

use crate::place;
use crate::support::{answer, file, stage, status_of};

/// A trusted definition whose first stage waits for anything that a person submits, and then these.
fn start_after_question(place: &Place, stages: &Value) -> String {
    place.write(".docket/workflows/templates/ask.md", "Say something.\n");
    let mut all = vec![json!({ "name": "ask", "type": "agent", "launcher": "manual",
        "config": { "prompt_template": "templates/ask.md" } })];
    all.extend(stages.as_array().expect("stages").iter().cloned());
    place.trusted_definition("d", &json!({ "name": "D", "version": 1, "stages": all }).to_string());
    place.run(&["workflow", "start", "d"]).code(3);
    place.only_run()
}

fn submitted(place: &Place, run: &str, stage: &str, value: &Value) -> docket_tests::Output {
    let path = file(place, "answer.json", value.to_string());
    place.run(&["workflow", "submit", run, "--stage", stage, "--file", &path])
}

#[test]
fn reviews_are_merged_into_one_that_can_be_stored() {
    let place = place();
    let run = start_after_question(
        &place,
        &json!([
            { "name": "merged", "type": "merge",
              "config": { "reviews": "ask.result", "labels": ["security", "architecture", "implementation"] },
              "outputs": { "review": { "path": "merged.json", "schema": "review-results" } } },
            { "name": "store", "type": "storage",
              "config": { "source": "merged.review", "destination": "docs/review.md" } },
        ]),
    );
    let mut other = answer();
    other["assessment"] = "REJECT".into();
    other["blockers"] = json!([]);
    submitted(&place, &run, "ask", &json!([answer(), null, other])).success();
    let results = place.run(&["workflow", "results", &run, "--output", "json"]).success().json();
    let merged = &results["stages"]["merged"];
    assert_eq!(merged["assessment"], "REJECT");
    assert_eq!(merged["blockers"][0]["id"], "security/B1");
    assert_eq!(merged["major"].as_array().map(Vec::len), Some(2), "the same findings are kept once");
    let text = place.read("docs/review.md");
    for expected in ["security: REQUEST_CHANGES.", "architecture: no review.", "implementation: REJECT."] {
        assert!(text.contains(expected), "no '{expected}' in {text}");
    }
    place.run(&["workflow", "logs", &run]).success().prints("there is no review 'architecture'");
}

#[test]
fn what_can_not_be_merged_fails_the_stage_with_what_to_do() {
    for (value, code) in [(json!([]), "no-reviews"), (json!([answer(), "fine"]), "not-a-review")] {
        let place = place();
        let merge = json!([{ "name": "merged", "type": "merge", "config": { "reviews": "ask.result" } }]);
        let run = start_after_question(&place, &merge);
        submitted(&place, &run, "ask", &value).code(1).says("'merged'");
        let failure = stage(&place, &run, "merged")["failure"].clone();
        assert_eq!(failure["code"], code);
        assert!(failure["hint"].is_string(), "{failure}");
    }
}

/// A definition that stops for an approval with a form.
const APPROVAL: &str = "\
name: A
version: 1
stages:
  - name: agree
    type: approval
    config:
      prompt: Release it?
      form:
        type: object
        required: [version]
        properties:
          version: { type: string, description: The version to be released }
  - name: announce
    type: approval
    config:
      prompt: Announce ${{ stages.agree.outputs.form.version }}?
";

#[test]
fn a_run_waits_for_an_approval_and_goes_on_with_what_was_filled_in() {
    let place = place();
    place.trusted_definition("a", APPROVAL);
    let output = place.run(&["workflow", "start", "a"]).code(3);
    let run = place.only_run();
    let _ = output
        .says("Release it?")
        .says(&format!("docket workflow approve {run} --stage agree --form form.json"))
        .says(&format!("docket workflow reject {run} --stage agree"))
        .says("version (text): The version to be released");
    for refused in [
        json!({ "approved": false, "form": { "version": "1" } }),
        json!({ "approved": true }),
        json!({ "approved": true, "form": { "version": 1 } }),
        json!({ "approved": true, "form": { "version": "1" }, "more": 1 }),
    ] {
        submitted(&place, &run, "agree", &refused).code(2).says("does not fit its schema");
        assert_eq!(status_of(&place, &run), "waiting");
    }
    let right = json!({ "approved": true, "comment": "good", "form": { "version": "1.2" }, "by": "ann" });
    // A later stage uses what was filled in.
    submitted(&place, &run, "agree", &right).code(3).says("Announce 1.2?");
    let without_form = json!({ "approved": true, "comment": null });
    submitted(&place, &run, "announce", &without_form).success();
    let results = place.run(&["workflow", "results", &run, "--output", "json"]).success().json();
    // It says who answered even if the answer does not.
    let announced = json!({ "approved": true, "comment": null, "by": "tester" });
    assert_eq!(results["stages"], json!({ "agree": right, "announce": announced }));
}

#[test]
fn a_form_that_nobody_could_fill_in_is_a_fault_with_its_place() {
    let place = place();
    place.trusted_definition("a", &APPROVAL.replace("[version]", "[versoin]").replace("string", "strnig"));
    place
        .run(&["workflow", "check", "a"])
        .code(2)
        .says("'versoin' is required and not among the properties")
        .says("a.yml:10:20")
        .says("there is no type 'strnig'")
        .says("a.yml:12:28");
}
