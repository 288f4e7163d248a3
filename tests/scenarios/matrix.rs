//! Stages that run for each item of a matrix: where the items come from, what they are called, what others see of them,
//! and what happens when some of them fail, are skipped, or write files.

use docket_tests::{Output, Place};
use serde_json::{Value, json};

use crate::sandbox::{guest_place, results, run_of};
use crate::support::{stage, status_of};

/// Runs stages of the test plugin and of others; JSON is YAML.
fn run(place: &Place, more: Value, arguments: &[&str]) -> (Output, String) {
    let mut definition = json!({ "name": "Many", "version": 1 });
    definition.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    place.trusted_definition("many", &definition.to_string());
    let output = place.run_or_kill(&[&["workflow", "start", "many"], arguments].concat());
    let run = run_of(&output);
    (output, run)
}

/// A stage that tells what it was asked, for each word.
fn words(values: Value) -> Value {
    json!({ "name": "words", "type": "test", "matrix": { "word": values },
            "config": { "act": "echo", "word": "${{ matrix.word }}" }, "outputs": { "said": {} } })
}

/// The words that a stage behind sees in the gathered list.
fn seen() -> Value {
    json!({ "name": "seen", "type": "test", "config": { "act": "echo", "source": "words.said",
            "words": "${{ stages.words.outputs.said.map(said, said == null ? null : said.config.word) }}" } })
}

/// What the stage `seen` saw, by the expression and by the reference; they must agree.
#[track_caller]
fn words_seen(place: &Place, run: &str) -> Value {
    let saw = results(place, run)["seen"].clone();
    let words = saw["config"]["words"].clone();
    let referred = &saw["references"]["source"]["read"]["value"];
    let referred: Vec<Value> =
        referred.as_array().expect("a list").iter().map(|said| said["config"]["word"].clone()).collect();
    assert_eq!(words, Value::Array(referred));
    words
}

/// The statuses of a stage's items, by label.
fn items(place: &Place, run: &str, of: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let status = place.status(run);
    let stages = status["stages"].as_array().expect("stages");
    let items = stages.iter().filter(|stage| stage["item_of"] == of);
    items.map(|stage| (text(&stage["name"])[of.len() + 1..].to_owned(), text(&stage["status"]))).collect()
}

fn labels(place: &Place, run: &str, of: &str) -> Vec<String> {
    items(place, run, of).into_iter().map(|(label, _)| label).collect()
}

#[test]
fn items_of_a_list_in_the_definition_are_stages_of_their_own_and_gathered_in_order() {
    let place = guest_place();
    let stages = json!({ "stages": [words(json!(["red", "green", "blue"])), seen()] });
    let (output, run) = run(&place, stages, &[]);
    let output = output.success().says("Stage 1/2: words for 3 items: red, green, blue");
    let output = output.says("Stage 1/2: words.green").says("words.green complete");
    let _ = output.says("Stage 1 complete").says("Stage 2/2: seen");
    assert_eq!(words_seen(&place, &run), json!(["red", "green", "blue"]));
    assert_eq!(labels(&place, &run, "words"), ["red", "green", "blue"]);
    assert_eq!(stage(&place, &run, "words.green")["matrix"], json!({ "word": "green" }));
    let status = place.run(&["workflow", "status", &run]).success().prints("✅ words (");
    let lines: Vec<&str> = status.stdout.lines().map(str::trim).collect();
    for label in ["red", "green", "blue"] {
        assert!(lines.iter().any(|line| line.starts_with(&format!("✅ {label} ("))), "{}", status.stdout);
    }
    let log = place.run(&["workflow", "logs", &run]).success();
    let _ = log.prints("words: is run for 3 items").prints("words.blue: started (attempt 1)");
    for (command, words) in [
        (vec!["workflow", "show", &run], "words.red"),
        (vec!["workflow", "show", &run, "--timeline"], "words.red"),
        (vec!["workflow", "results", &run, "--format", "markdown"], "## words.red"),
        (vec!["workflow", "list"], "completed"),
        (vec!["workflow", "verify"], &run),
    ] {
        place.run(&command).success().prints(words);
    }
}

#[test]
fn items_come_from_an_input_or_from_an_earlier_stage() {
    let place = guest_place();
    let inputs = json!([{ "name": "colours", "type": "list", "required": true }]);
    let given = json!({ "inputs": inputs, "stages": [words(json!("${{ inputs.colours }}")), seen()] });
    let (output, first) = run(&place, given, &["--colours", "red,green"]);
    let _ = output.success();
    assert_eq!(words_seen(&place, &first), json!(["red", "green"]));

    let list =
        json!({ "name": "list", "type": "test", "config": { "act": "echo", "found": ["x", { "deep": 1 }] } });
    let found = words(json!("${{ stages.list.outputs.result.config.found }}"));
    let (output, second) = run(&place, json!({ "stages": [list.clone(), found, seen()] }), &[]);
    let _ = output.success();
    assert_eq!(words_seen(&place, &second), json!(["x", { "deep": 1 }]));
    // An object is no name for anything.
    assert_eq!(labels(&place, &second, "words"), ["1", "2"]);

    let none = words(json!("${{ stages.list.outputs.result.config.act }}"));
    let (output, third) = run(&place, json!({ "stages": [list, none, seen()] }), &[]);
    let _ = output.code(1).says("'word' of the matrix is a single value, not a list");
    assert_eq!(stage(&place, &third, "words")["failure"]["code"], "matrix-invalid");
}

#[test]
fn an_empty_list_means_no_item_and_the_run_goes_on() {
    let place = guest_place();
    let inputs = json!([{ "name": "colours", "type": "list", "default": [] }]);
    let given = json!({ "inputs": inputs, "stages": [words(json!("${{ inputs.colours }}")), seen()] });
    let (output, run) = run(&place, given, &[]);
    let _ = output.success().says("words has no items");
    assert_eq!(words_seen(&place, &run), json!([]));
    assert_eq!(stage(&place, &run, "words")["status"], "completed");
}

#[test]
fn two_axes_turn_the_last_one_fastest_and_labels_have_both() {
    let place = guest_place();
    let both = |colours: Value, sizes: Value| {
        let words = json!({ "name": "words", "type": "test", "matrix": { "colour": colours, "size": sizes },
            "config": { "act": "echo", "word": "${{ matrix.colour + string(matrix.size) }}" }, "outputs": { "said": {} } });
        json!({ "stages": [words, seen()] })
    };
    let (output, first) = run(&place, both(json!(["red", "green"]), json!([1, 2])), &[]);
    let _ = output.success().says("words for 4 items: red.1, red.2, green.1, green.2");
    assert_eq!(words_seen(&place, &first), json!(["red1", "red2", "green1", "green2"]));
    assert_eq!(stage(&place, &first, "words.green.1")["matrix"], json!({ "colour": "green", "size": 1 }));

    // Neither paths nor texts of people are names, nor are names that differ in letters' case only.
    for odd in
        [json!(["a/b", "../c"]), json!(["two words", "é\u{1b}[31m"]), json!(["Red", "red"]), json!(["", "x"])]
    {
        let (output, run) = run(&place, both(odd.clone(), json!([1])), &[]);
        let output = output.success();
        assert!(!output.stderr.contains('\u{1b}'), "{}", output.stderr);
        assert_eq!(labels(&place, &run, "words"), ["1", "2"], "{odd}");
        assert_eq!(stage(&place, &run, "words.2")["matrix"]["colour"], odd[1]);
    }
}

#[test]
fn outputs_are_kept_in_a_file_for_each_item_or_in_one_for_the_list() {
    let place = guest_place();
    let mut each = words(json!(["red", "green"]));
    each["outputs"] = json!({ "said": { "path": "words/${matrix.word}.json" }});
    let mut list = words(json!(["blue"]));
    list["name"] = json!("list");
    list["outputs"] = json!({ "said": { "path": "words/all.json" }});
    let (output, run) = run(&place, json!({ "stages": [each, list] }), &[]);
    let _ = output.success();
    let read = |name: &str| -> Value {
        let path = place.run_folder(&run).join(name);
        let text = std::fs::read(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
        serde_json::from_slice(&text).expect("JSON")
    };
    for colour in ["red", "green"] {
        assert_eq!(read(&format!("words/{colour}.json"))["config"]["word"], colour);
        assert_eq!(read(&format!("results/words.{colour}/result.json"))["config"]["word"], colour);
    }
    assert_eq!(read("words/all.json")[0]["config"]["word"], "blue");
    assert_eq!(read("results/words/result.json")[1]["config"]["word"], "green");
    assert_eq!(read("results/list/result.json"), read("words/all.json"));
}

#[test]
fn outputs_that_could_not_be_kept_are_refused_before_any_item_is_run() {
    for (values, told) in [
        (json!(["red", "../green"]), "leads out of the run's folder"),
        (json!(["red", "RED"]), "would be kept where that of item '1' is"),
        (json!(["red", { "deep": 1 }]), "output 'said' of item '2'"),
    ] {
        let place = guest_place();
        let mut each = words(values);
        each["outputs"] = json!({ "said": { "path": "words/${matrix.word}.json" }});
        let (output, run) = run(&place, json!({ "stages": [each] }), &[]);
        let _ = output.code(1).says(told);
        assert_eq!(stage(&place, &run, "words")["failure"]["code"], "matrix-invalid");
        assert_eq!(labels(&place, &run, "words"), [""; 0]);
    }
}

#[test]
fn the_schema_of_an_output_holds_for_each_item() {
    let place = guest_place();
    let schema = json!({ "type": "object", "properties": { "config": { "properties": { "word": { "type": "string" } } } } });
    place.write(".docket/workflows/schemas/said.schema.json", schema.to_string());
    let mut some = words(json!(["red", 7]));
    some["outputs"] = json!({ "said": { "schema": "said" } });
    let (output, run) = run(&place, json!({ "stages": [some] }), &[]);
    let _ = output.code(1).says("words.7").says("'/config/word'");
    assert_eq!(stage(&place, &run, "words.red")["status"], "completed");
    let kept = place.run_folder(&run).join("results/words.7/rejected.json");
    assert!(std::fs::read_to_string(kept).expect("it is kept").contains("\"word\": 7"));
}

#[test]
fn an_item_that_fails_ends_the_run_unless_it_may_fail() {
    let place = guest_place();
    let act = json!({ "act": "${{ matrix.word == 'bad' ? 'fail' : 'echo' }}", "word": "${{ matrix.word }}" });
    let mut some = words(json!(["one", "bad", "three"]));
    some["config"] = act;
    let (output, first) = run(&place, json!({ "stages": [some.clone(), seen()] }), &[]);
    let _ = output.code(1).says("words.bad").says("it was asked to fail");
    assert_eq!(status_of(&place, &first), "failed");
    let failure = stage(&place, &first, "words")["failure"].clone();
    assert_eq!(failure["code"], "items-failed");
    assert_eq!(failure["message"], "1 of its 3 items failed: words.bad");
    assert_eq!(stage(&place, &first, "seen")["status"], "pending");
    let _ =
        place.run(&["workflow", "status", &first]).success().prints("❌ bad").prints("it was asked to fail");

    some["continue_on_error"] = json!(true);
    let (output, second) = run(&place, json!({ "stages": [some, seen()] }), &[]);
    let _ = output.success().says("it was asked to fail");
    let saw = results(&place, &second)["seen"]["config"]["words"].clone();
    assert_eq!(saw, json!(["one", null, "three"]));
    let done = |label: &str, status: &str| (label.to_owned(), status.to_owned());
    let wanted = [done("one", "completed"), done("bad", "failed"), done("three", "completed")];
    assert_eq!(items(&place, &second, "words"), wanted);
}

#[test]
fn a_failed_item_keeps_those_behind_it_from_starting() {
    let place = guest_place();
    let mut some = words(json!(["bad", "two", "three"]));
    some["config"]["act"] = json!("${{ matrix.word == 'bad' ? 'fail' : 'echo' }}");
    let (output, run) = run(&place, json!({ "max_parallel": 1, "stages": [some] }), &[]);
    let _ = output.code(1);
    let statuses: Vec<String> = items(&place, &run, "words").into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["failed", "skipped", "skipped"]);
}

#[test]
fn a_condition_about_the_item_skips_items_and_any_other_the_stage() {
    let place = guest_place();
    let mut some = words(json!(["one", "two", "three"]));
    some["if"] = json!("${{ matrix.word != 'two' }}");
    let (output, first) = run(&place, json!({ "stages": [some.clone(), seen()] }), &[]);
    let _ = output.success().says("words.two: its condition is false: matrix.word != 'two'");
    assert_eq!(results(&place, &first)["seen"]["config"]["words"], json!(["one", null, "three"]));
    assert_eq!(stage(&place, &first, "words.two")["status"], "skipped");

    some["if"] = json!("${{ 1 > 2 }}");
    let (output, second) = run(&place, json!({ "stages": [some] }), &[]);
    let _ = output.success();
    assert_eq!(stage(&place, &second, "words")["status"], "skipped");
    assert_eq!(labels(&place, &second, "words"), [""; 0]);
}

#[test]
fn a_condition_that_can_not_be_told_does_not_keep_the_other_stages_from_running() {
    let place = guest_place();
    let mut some = words(json!(["one", "two"]));
    some["continue_on_error"] = json!(true);
    // There is no such place in the list, which only shows when it is looked up.
    some["if"] = json!("${{ [1, 2][matrix.word == 'one' ? 7 : 0] == 1 }}");
    let (output, run) = run(&place, json!({ "stages": [some, seen()] }), &[]);
    let _ = output.success();
    assert_eq!(stage(&place, &run, "words.one")["failure"]["code"], "expression-failed");
    assert_eq!(results(&place, &run)["seen"]["config"]["words"], json!([null, "two"]));
}

#[test]
fn two_hundred_items_are_run_and_counted() {
    let place = guest_place();
    let numbers: Vec<u32> = (1..=200).collect();
    let (output, run) =
        run(&place, json!({ "max_parallel": 8, "stages": [words(json!(numbers)), seen()] }), &[]);
    let _ = output.success().says("words for 200 items: 1, 2, 3, 4, 5, 6, 7, 8, and 192 more");
    assert_eq!(words_seen(&place, &run), json!(numbers));
    place.run(&["workflow", "status", &run]).success().prints("200 items: 200 completed");
    place.run(&["workflow", "verify", &run]).success();
}

/// A stage whose items write a file each, at this path with this content.
fn writing(path: &str, content: &str) -> Value {
    json!({ "name": "files", "type": "test", "matrix": { "word": ["red", "green"] },
            "config": { "act": "write", "path": path, "content": content } })
}

#[test]
fn items_write_files_of_their_own() {
    let place = guest_place();
    let stages = json!({ "stages": [writing("out/${matrix.word}.md", "it is ${matrix.word}")] });
    let (output, run) = run(&place, stages, &[]);
    let _ = output.success().says("Writing out/red.md").says("Writing out/green.md");
    assert_eq!(
        (place.read("out/red.md"), place.read("out/green.md")),
        ("it is red".into(), "it is green".into())
    );
    place.run(&["workflow", "results", &run]).success().prints("- out/red.md").prints("- out/green.md");
    place.run(&["workflow", "diff", &run]).success().prints("+it is red").prints("+it is green");
}

#[test]
fn of_two_items_that_write_the_same_file_differently_the_second_is_refused() {
    // One after the other, side by side, and shown only: it must not depend on how they fall in time.
    for (limit, more) in [(1, vec![]), (2, vec![]), (1, vec!["--dry-run"])] {
        let place = guest_place();
        let stages =
            json!({ "max_parallel": limit, "stages": [writing("out/one.md", "it is ${matrix.word}")] });
        let (output, run) = run(&place, stages, &more);
        let _ = output.code(1).says("'out/one.md' is written by 'files.").says("differently");
        let statuses = items(&place, &run, "files");
        let (label, _) = statuses.iter().find(|(_, status)| status == "completed").expect("one was first");
        let (other, _) = statuses.iter().find(|(_, status)| status == "failed").expect("one was second");
        if more.is_empty() {
            assert_eq!(place.read("out/one.md"), format!("it is {label}"), "nothing was lost");
        }
        assert_eq!(stage(&place, &run, &format!("files.{other}"))["failure"]["code"], "file-contested");
    }
}

#[test]
fn items_that_write_the_same_into_the_same_file_agree() {
    for limit in [1, 2] {
        let place = guest_place();
        let stages = json!({ "max_parallel": limit, "stages": [writing("out/one.md", "the same")] });
        let (output, _) = run(&place, stages, &[]);
        let _ = output.success();
        assert_eq!(place.read("out/one.md"), "the same");
    }
}
