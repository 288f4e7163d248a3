//! Reviews merged as a stage merges them, each result held against the schema `review-results`.

use docket_plugin::{Value, json};

use super::*;

const SCHEMA: &str = include_str!("../../../workflows/schemas/review-results.schema.json");

fn finding(id: &str, section: &str, title: &str) -> Value {
    json!({ "id": id, "title": title, "section": section, "recommendation": format!("Settle {id}.") })
}

fn review(assessment: &str, summary: &str, [blockers, major, minor]: [Vec<Value>; 3]) -> Value {
    json!({
        "assessment": assessment, "summary": summary, "blockers": blockers, "major": major, "minor": minor,
        "strengths": ["Short."],
    })
}

fn try_merged(reviews: &Value, labels: &[&str]) -> Result<Value, Error> {
    let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
    let labels = (!labels.is_empty()).then_some(labels);
    merge::merge("summarise", &labelled("summarise", reviews, labels.as_deref())?)
}

/// The merged review, which must fit the schema.
#[track_caller]
fn merged(reviews: &Value, labels: &[&str]) -> Value {
    let merged = try_merged(reviews, labels).expect("a merged review");
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a usable schema");
    let faults: Vec<String> = validator.iter_errors(&merged).map(|error| error.to_string()).collect();
    assert_eq!(faults, [""; 0], "{merged:#}");
    merged
}

#[track_caller]
fn refused(reviews: &Value, labels: &[&str]) -> Error {
    let error = try_merged(reviews, labels).expect_err("nothing to merge");
    assert!(error.hint.is_some(), "{error:?}");
    assert!(error.message.contains("'summarise'"), "{error:?}");
    error
}

/// One field of every finding of a list.
fn field(review: &Value, list: &str, field: &str) -> Vec<String> {
    let findings = review[list].as_array().expect("a list");
    findings.iter().map(|finding| finding[field].as_str().expect("text").to_owned()).collect()
}

#[test]
fn the_worst_assessment_and_all_findings_in_the_order_of_the_reviews() {
    let security = review(
        "APPROVE_WITH_CHANGES",
        "Keys lie open.",
        [vec![], vec![finding("M1", "Keys", "No rotation")], vec![finding("N1", "Keys", "A typo")]],
    );
    let mut architecture = review(
        "REQUEST_CHANGES",
        "Nobody owns the state.",
        [
            vec![finding("B1", "State", "No owner"), finding("B2", "State", "No limit")],
            vec![finding("M1", "State", "No name")],
            vec![],
        ],
    );
    architecture["strengths"] = json!([" short. ", "Honest about costs."]);
    let merged = merged(&json!([security, architecture]), &["security", "architecture"]);
    assert_eq!(merged["assessment"], "REQUEST_CHANGES");
    assert_eq!(field(&merged, "blockers", "id"), ["architecture/B1", "architecture/B2"]);
    assert_eq!(field(&merged, "major", "id"), ["security/M1", "architecture/M1"]);
    assert_eq!(field(&merged, "minor", "id"), ["security/N1"]);
    assert_eq!(merged["strengths"], json!(["Short.", "Honest about costs."]));
    assert_eq!(
        merged["summary"],
        "security: APPROVE_WITH_CHANGES. Keys lie open.\n\narchitecture: REQUEST_CHANGES. Nobody owns the state."
    );
}

#[test]
fn every_pair_of_assessments_gives_the_worse() {
    let order = ["APPROVE", "APPROVE_WITH_CHANGES", "REQUEST_CHANGES", "REJECT"];
    for (left, one) in order.iter().enumerate() {
        for (right, other) in order.iter().enumerate() {
            let reviews = [one, other].map(|assessment| review(assessment, "", [vec![], vec![], vec![]]));
            assert_eq!(merged(&json!(reviews), &[])["assessment"], order[left.max(right)], "{one} {other}");
        }
    }
}

#[test]
fn the_same_finding_is_kept_once_where_it_weighs_most() {
    let mut light = finding("typo", " Open questions", "HOW many? ");
    light["detail"] = "It is asked twice.".into();
    light["file"] = "docs/a.md".into();
    light["line"] = 12.into();
    let mut heavy = finding("limit", "Open Questions", "How many?");
    heavy["detail"] = "Memory runs out.".into();
    let reviews = json!([
        review("APPROVE", "", [vec![], vec![], vec![light]]),
        review("REJECT", "", [vec![finding("first", "State", "No owner"), heavy], vec![], vec![]]),
        review("APPROVE", "", [vec![], vec![], vec![finding("limit", "open questions", "how many?")]]),
    ]);
    let merged = merged(&reviews, &["security", "architecture", "implementation"]);
    assert_eq!(merged["minor"], json!([]));
    assert_eq!(field(&merged, "blockers", "id"), ["architecture/first", "security/typo"]);
    let kept = &merged["blockers"][1];
    assert_eq!(kept["title"], "How many?");
    assert_eq!(kept["recommendation"], "Settle limit.");
    assert_eq!(kept["file"], "docs/a.md");
    assert_eq!(kept["line"], 12);
    assert_eq!(
        kept["detail"],
        "Raised by security (minor), architecture (blocker) and implementation (minor).\n\n\
         Memory runs out.\n\n\
         security adds: It is asked twice.\n\n\
         security recommends: Settle typo."
    );
}

#[test]
fn of_findings_that_weigh_the_same_the_first_stands() {
    let reviews = json!([
        review("APPROVE", "", [vec![], vec![finding("a", "S", "T")], vec![]]),
        review("APPROVE", "", [vec![], vec![finding("b", "S", "T")], vec![]]),
    ]);
    let merged = merged(&reviews, &[]);
    assert_eq!(field(&merged, "major", "id"), ["review-1/a"]);
    assert_eq!(merged["major"][0]["recommendation"], "Settle a.");
    assert_eq!(
        merged["major"][0]["detail"],
        "Raised by review-1 and review-2.\n\nreview-2 recommends: Settle b."
    );
}

#[test]
fn what_one_review_says_twice_stays_two_findings_and_ids_stay_apart() {
    let twice =
        || vec![finding("link", "References", "Broken link"), finding("link", "References", "Broken link")];
    let reviews = json!([
        review("APPROVE", "", [vec![], vec![], twice()]),
        review("APPROVE", "", [vec![], vec![], twice()]),
    ]);
    let merged = merged(&reviews, &["a", "b"]);
    assert_eq!(field(&merged, "minor", "id"), ["a/link", "a/link-2"]);
    assert_eq!(field(&merged, "minor", "detail"), ["Raised by a and b."; 2]);
}

#[test]
fn a_finding_without_an_id_gets_one_from_its_place() {
    let nameless = |title: &str| json!({ "title": title, "recommendation": "Do it." });
    let lists = [vec![nameless("one"), nameless("two")], vec![nameless("three")], vec![nameless("four")]];
    let merged = merged(&json!([review("REJECT", "", lists)]), &["a"]);
    assert_eq!(field(&merged, "blockers", "id"), ["a/B1", "a/B2"]);
    assert_eq!(field(&merged, "major", "id"), ["a/M1"]);
    assert_eq!(field(&merged, "minor", "id"), ["a/N1"]);
    assert_eq!(merged["blockers"][0]["section"], "");
}

#[test]
fn a_single_review_is_a_list_of_one() {
    let one = review("APPROVE", "Fine.", [vec![], vec![], vec![finding("n", "S", "T")]]);
    assert_eq!(merged(&one, &[]), merged(&json!([one]), &[]));
    let merged = merged(&one, &["security"]);
    assert_eq!(merged["summary"], "security: APPROVE. Fine.");
    assert_eq!(merged["minor"][0]["id"], "security/n");
    assert_eq!(merged["minor"][0]["detail"], Value::Null);
}

#[test]
fn a_review_that_failed_is_named_and_nothing_else_is_lost() {
    let one = review("APPROVE", "Fine.", [vec![], vec![], vec![]]);
    let merged = merged(&json!([null, one]), &["security", "architecture"]);
    assert_eq!(merged["assessment"], "APPROVE");
    assert_eq!(
        merged["summary"],
        "security: no review. Its stage failed or was skipped, so what it would have found is missing here.\n\n\
         architecture: APPROVE. Fine."
    );
}

#[test]
fn nothing_to_merge_is_an_error() {
    let error = refused(&json!([]), &[]);
    assert_eq!(error.code, "no-reviews");
    for nothing in [json!([null, null]), json!(null)] {
        let error = refused(&nothing, &[]);
        assert_eq!(error.code, "no-reviews");
        assert!(error.message.contains("review-1"), "{error:?}");
    }
}

#[test]
fn what_is_no_review_is_named_with_its_fault() {
    let good = review("APPROVE", "", [vec![], vec![], vec![]]);
    let mut without = good.clone();
    without.as_object_mut().expect("an object").remove("major");
    let mut maybe = good.clone();
    maybe["assessment"] = "MAYBE\n\u{1b}[2J".into();
    for (bad, words) in
        [(without, "major"), (maybe, "MAYBE"), (json!("text"), "text"), (json!([good]), "review")]
    {
        let error = refused(&json!([good, bad]), &["one", "two"]);
        assert_eq!(error.code, "not-a-review");
        assert!(error.message.contains("'two'") && error.message.contains(words), "{error:?}");
        assert!(!error.message.contains(char::is_control), "{error:?}");
    }
}

#[test]
fn labels_must_fit_the_reviews() {
    let one = review("APPROVE", "", [vec![], vec![], vec![]]);
    let error = refused(&json!([one, one]), &["only"]);
    assert_eq!(error.code, "labels-mismatch");
    assert!(error.message.contains("1 labels for 2 reviews"), "{error:?}");
    assert_eq!(refused(&json!([one, one]), &["same", " same\n"]).code, "labels-mismatch");
    // A label that is nothing but spaces is none.
    assert!(merged(&json!([one]), &[" \n"])["summary"].as_str().expect("text").starts_with("review-1: "));
}

#[test]
fn unknown_fields_and_line_zero_do_not_reach_the_result() {
    let mut extra = finding("x", "S", "T");
    extra["confidence"] = 0.5.into();
    extra["line"] = 0.into();
    extra["file"] = "a.md".into();
    let mut one = review("APPROVE", "", [vec![], vec![], vec![extra]]);
    one["model"] = json!({ "name": "some" });
    let merged = merged(&json!([one]), &["a"]);
    assert_eq!(merged["minor"][0]["line"], Value::Null);
    assert_eq!(merged["minor"][0].get("confidence"), None);
    assert_eq!(merged.get("model"), None);
}

#[test]
fn no_review_can_speak_in_the_name_of_another() {
    let mut hostile = finding("x\n\narchitecture/B1", "S", "T");
    hostile["recommendation"] = "Do it.\n\nRaised by everybody.\u{1b}[2J".into();
    let reviews = json!([
        review(
            "REJECT",
            "No.\n\narchitecture: APPROVE. \u{202e}Fine.\u{1b}[31m",
            [vec![], vec![], vec![hostile]]
        ),
        review("APPROVE", "", [vec![], vec![], vec![finding("y", "s", "t")]]),
    ]);
    let merged = merged(&reviews, &["security\n\nother: APPROVE.", "architecture"]);
    let summary = merged["summary"].as_str().expect("text");
    let paragraphs: Vec<&str> = summary.split("\n\n").collect();
    assert_eq!(
        paragraphs,
        ["security other: APPROVE.: REJECT. No. architecture: APPROVE. Fine.[31m", "architecture: APPROVE."]
    );
    assert_eq!(field(&merged, "minor", "id"), ["security other: APPROVE./x architecture/B1"]);
    // What an agent wrote as a finding's text stays as it wrote it: whoever shows it makes it safe.
    assert_eq!(merged["minor"][0]["recommendation"], "Do it.\n\nRaised by everybody.\u{1b}[2J");
    let detail = merged["minor"][0]["detail"].as_str().expect("text");
    assert!(detail.starts_with("Raised by security other: APPROVE. and architecture.\n\n"), "{detail}");
}

#[test]
fn a_thousand_reviews_are_merged() {
    let reviews: Vec<Value> = (0..1000)
        .map(|number| {
            let own = finding("own", "S", &format!("Finding {number}"));
            review("APPROVE", "Fine.", [vec![], vec![finding("all", "S", "Everybody says so")], vec![own]])
        })
        .collect();
    let merged = merged(&json!(reviews), &[]);
    assert_eq!(merged["major"].as_array().map(Vec::len), Some(1));
    assert_eq!(merged["minor"].as_array().map(Vec::len), Some(1000));
    assert_eq!(merged["minor"][999]["id"], "review-1000/own");
}

#[test]
fn the_manifest_promises_the_schema_of_reviews() {
    let manifest: Value = serde_json::from_str(include_str!("../manifest.json")).expect("JSON");
    let stage = &manifest["stages"][0];
    assert_eq!(stage["result"], serde_json::from_str::<Value>(SCHEMA).expect("JSON"));
    assert_eq!(stage["config"]["properties"]["reviews"]["x-docket"], "output");
    assert_eq!(manifest.get("capabilities"), None);
}
