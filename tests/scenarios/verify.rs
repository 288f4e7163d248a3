//! `docket workflow verify`: what is sound is called sound, every kind of damage is found with its place, and what is
//! merely worth knowing is no fault.

use std::path::{Path, PathBuf};

use docket_core::run::sha256;
use docket_tests::{Output, Place, kill};
use serde_json::{Value, json};

use crate::formats::assert_fits;
use crate::sandbox;
use crate::stored::{Stored, fixtures, folders};
use crate::support::{
    Agent, DOCUMENT, answer, file, place_with_document, run_with_working_agent, start, status_of, waiting_run,
};

/// What `verify` says of this run, with the exit code that goes with it.
#[track_caller]
fn verified(place: &Place, run: &str) -> Value {
    let output = place.run(&["workflow", "verify", run, "--output", "json"]);
    let told = output.json();
    let sound = told["sound"] == true;
    let _ = output.code(if sound { 0 } else { 1 });
    assert_fits(place, "verify", &told);
    let of_run = told["runs"][0].clone();
    assert_eq!((&of_run["id"], &of_run["sound"]), (&json!(run), &json!(sound)), "{told:#}");
    of_run
}

/// The findings as `weight check`, in order.
fn kinds(run: &Value) -> Vec<String> {
    let word = |finding: &Value, name: &str| finding[name].as_str().expect("a word").to_owned();
    let findings = run["findings"].as_array().expect("a list");
    findings.iter().map(|finding| format!("{} {}", word(finding, "weight"), word(finding, "check"))).collect()
}

/// A place with a run that is over and sound.
fn completed() -> (Place, String) {
    let place = place_with_document();
    start(&place, &["--launcher", "checklist"]).success();
    let run = place.only_run();
    (place, run)
}

fn journal(place: &Place, run: &str) -> PathBuf {
    place.run_folder(run).join("journal.jsonl")
}

fn lines(place: &Place, run: &str) -> Vec<String> {
    let text = std::fs::read_to_string(journal(place, run)).expect("a journal");
    text.lines().map(str::to_owned).collect()
}

fn hash_of(line: &str) -> String {
    serde_json::from_str::<Value>(line).expect("JSON")["hash"].as_str().expect("a hash").to_owned()
}

/// Writes a journal anew with these changes, and all hashes as they should be: what an attacker would do.
fn write_anew(place: &Place, run: &str, change: impl Fn(String) -> String) {
    let mut before = String::new();
    let mut text = String::new();
    for line in lines(place, run) {
        let (body, _) = line.rsplit_once(",\"hash\":\"").expect("a hash");
        let mut body = change(body.to_owned());
        if !before.is_empty() {
            let start = body.find("\"prev\":\"").expect("a link") + "\"prev\":\"".len();
            body.replace_range(start..start + before.len(), &before);
        }
        before = sha256(body.as_bytes());
        text.push_str(&format!("{body},\"hash\":\"{before}\"}}\n"));
    }
    std::fs::write(journal(place, run), text).expect("written");
}

/// Every file below a folder, with its content.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(tree(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).expect("readable")));
        }
    }
    found.sort();
    found
}

#[test]
fn a_run_that_nobody_touched_is_sound_and_says_its_head() {
    let (place, run) = completed();
    let before = (tree(&place.project()), tree(&place.docket_home()));
    let told = verified(&place, &run);
    assert_eq!(kinds(&told), [""; 0], "{told:#}");
    let lines = lines(&place, &run);
    assert_eq!(told["records"], lines.len());
    assert_eq!(told["head"], hash_of(lines.last().expect("records")));
    assert_eq!(told["sealed"], true);
    assert!(told["compared"].as_u64().expect("a number") > 10, "{told}");
    let human = place.run(&["workflow", "verify"]).success().says("nothing is broken");
    let human = human.prints(&format!("{run}  sound")).prints(told["head"].as_str().expect("a head"));
    assert_eq!(human.stdout.lines().count(), 1, "{}", human.stdout);
    assert_eq!((tree(&place.project()), tree(&place.docket_home())), before, "verify only looks");
}

#[test]
fn without_names_every_run_is_looked_over() {
    let (place, first) = completed();
    start(&place, &["--launcher", "manual"]).code(3);
    let runs = place.runs();
    let told = place.run(&["workflow", "verify", "--output", "jsonl"]).success();
    let ids: Vec<Value> = told
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["id"].clone())
        .collect();
    assert_eq!(ids, runs);
    std::fs::write(journal(&place, &first), "garbage\ngarbage\n").expect("written");
    let output = place.run(&["workflow", "verify"]).code(1).says("1 of 2 run(s) broken");
    let _ = output.prints(&format!("{first}  BROKEN")).prints("sound");
    place.run(&["workflow", "verify", "wf-nothere"]).code(2).says("wf-nothere");
    // The prefix may be left out, as everywhere.
    place.run(&["workflow", "verify", first.trim_start_matches("wf-")]).code(1).prints(&first);
}

/// Each of these does one thing to a run that is over, and says what must be told of it, and where.
#[test]
fn every_kind_of_damage_is_found_with_its_place() {
    type Damage = fn(&Place, &Path);
    fn replace(path: PathBuf, from: &str, to: &str) {
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
        assert!(text.contains(from), "{text}");
        std::fs::write(path, text.replacen(from, to, 1)).expect("written");
    }
    let damages: [(&str, &str, &str, Damage); 10] = [
        ("fault journal", "journal.jsonl:2", "was changed after it was written", |_, run| {
            let text = std::fs::read(run.join("journal.jsonl")).expect("a journal");
            let second = text.iter().position(|byte| *byte == b'\n').expect("a line end") + 40;
            let mut changed = text;
            changed[second] ^= 1;
            std::fs::write(run.join("journal.jsonl"), changed).expect("written");
        }),
        ("fault snapshot", "definition.yml", "was changed", |_, run| {
            replace(run.join("definition.yml"), "RFC Review", "RFC Reviews");
        }),
        ("fault snapshot", "inputs.json", "was changed", |_, run| {
            replace(run.join("inputs.json"), "architecture", "security");
        }),
        ("note snapshot", "inputs.json", "is missing", |_, run| {
            std::fs::remove_file(run.join("inputs.json")).expect("removed");
        }),
        ("fault result", "results/review-architecture/result.json", "'review-architecture'", |_, run| {
            replace(run.join("results/review-architecture/result.json"), "\"strengths\"", "\"weaknesses\"");
        }),
        ("note result", "results/store-results/result.json", "is missing", |_, run| {
            std::fs::remove_file(run.join("results/store-results/result.json")).expect("removed");
        }),
        ("note derived", "state.json", "not what the journal says", |_, run| {
            replace(run.join("state.json"), "\"status\": \"completed\"", "\"status\": \"failed\"");
        }),
        ("note record", "completed/", "is missing", |place, _| {
            std::fs::remove_dir_all(place.project().join(".docket/workflows/completed")).expect("removed");
        }),
        ("note file", DOCUMENT, "changed since 'update-status' wrote it", |place, _| {
            place.write(DOCUMENT, "Something else.\n");
        }),
        ("note file", DOCUMENT, "removed since 'update-status' wrote it", |place, _| {
            std::fs::remove_file(place.project().join(DOCUMENT)).expect("removed");
        }),
    ];
    for (kind, place_of, words, damage) in damages {
        let (place, run) = completed();
        damage(&place, &place.run_folder(&run));
        let told = verified(&place, &run);
        assert_eq!(kinds(&told), [kind], "{told:#}");
        let finding = &told["findings"][0];
        assert!(finding["place"].as_str().expect("a place").contains(place_of), "{told:#}");
        assert!(finding["found"].as_str().expect("words").contains(words), "{told:#}");
        let broken = kind.starts_with("fault");
        let human = place.run(&["workflow", "verify", &run]).code(i32::from(broken)).prints(words);
        let _ = human.prints(place_of).prints(if broken { "FAULT" } else { "note" });
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let (place, run) = completed();
    let folder = place.run_folder(&run);
    std::fs::write(folder.join("definition.yml"), "name: Mine\n").expect("written");
    for stage in ["gather-context", "review-architecture"] {
        std::fs::write(folder.join(format!("results/{stage}/result.json")), "{}").expect("written");
    }
    std::fs::remove_file(folder.join("state.json")).expect("removed");
    place.write(DOCUMENT, "Something else.\n");
    let told = verified(&place, &run);
    let wanted = ["fault snapshot", "fault result", "fault result", "note derived", "note file"];
    assert_eq!(kinds(&told), wanted, "{told:#}");

    let mut bytes = std::fs::read(journal(&place, &run)).expect("a journal");
    let ends: Vec<usize> =
        bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    for line in [0, 2] {
        bytes[ends[line] + 40] ^= 1;
    }
    std::fs::write(journal(&place, &run), bytes).expect("written");
    let told = verified(&place, &run);
    assert_eq!(kinds(&told), ["fault journal", "fault journal"], "{told:#}");
    for (finding, line) in [(0, ":2"), (1, ":4")] {
        assert!(told["findings"][finding]["place"].as_str().expect("a place").ends_with(line), "{told:#}");
    }
}

#[test]
fn a_torn_end_is_told_and_is_no_fault() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let text = std::fs::read_to_string(journal(&place, &run)).expect("a journal");
    std::fs::write(journal(&place, &run), &text[..text.len() - 9]).expect("written");
    let told = verified(&place, &run);
    assert!(kinds(&told).contains(&"note journal".to_owned()), "{told:#}");
    assert!(told["findings"][0]["meaning"].as_str().expect("words").contains("cut off"), "{told:#}");
    place.run(&["workflow", "resume", &run]).code(3);
    assert_eq!(kinds(&verified(&place, &run)), [""; 0]);
}

#[test]
fn a_head_that_was_kept_elsewhere_shows_a_journal_that_was_written_anew() {
    let place = place_with_document();
    let run = waiting_run(&place);
    let waiting = hash_of(lines(&place, &run).last().expect("records"));
    let verify = |head: &str| -> Output { place.run(&["workflow", "verify", &run, "--head", head]) };
    verify(&waiting).success();
    verify(&waiting.to_uppercase()).success();
    let right = file(&place, "right.json", answer().to_string());
    place.run(&["workflow", "submit", &run, "--file", &right]).success();
    let number = lines(&place, &run).iter().position(|line| hash_of(line) == waiting).expect("there") + 1;
    verify(&waiting).success().prints(&format!("record {number} of")).prints("has grown since");
    let head = hash_of(lines(&place, &run).last().expect("records"));

    write_anew(&place, &run, |body| body.replace("\"user\":\"tester\"", "\"user\":\"nobody\""));
    let told = verified(&place, &run);
    assert!(told["sound"] == true, "it fits itself: {told:#}");
    assert!(kinds(&told).contains(&"note seal".to_owned()), "{told:#}");
    verify(&head).code(1).prints("none of its").prints(&head).prints("written anew");
    verify(&waiting).code(1).prints("FAULT");

    verify("abc").code(2).says("is no hash");
    place.run(&["workflow", "verify", "--head", &head]).code(2).says("name that run");
}

#[test]
fn a_run_of_somebody_elses_is_told_and_its_words_can_not_reach_the_terminal() {
    let (place, run) = completed();
    write_anew(&place, &run, |body| {
        body.replace("\"user\":\"tester\"", "\"user\":\"\\u001b[31mroot\\u202e\"")
    });
    let output = place.run(&["workflow", "verify", &run]).success().prints("does not carry your seal");
    assert!(output.stdout.contains("root"), "{}", output.stdout);
    assert!(!output.stdout.contains(['\u{1b}', '\u{202e}']), "{:?}", output.stdout);
    // Looking makes no key: another user's docket has none before it starts a run.
    let home = place.home().join("other");
    let told = docket_tests::finish(
        place.command(&["workflow", "verify", &run, "--output", "json"]).env("DOCKET_HOME", &home),
    );
    assert_eq!(told.success().json()["runs"][0]["sealed"], false);
    assert!(!home.exists());
}

#[test]
fn what_an_agent_was_given_and_what_ran_are_compared_with_what_was_recorded() {
    let place = place_with_document();
    Agent::quick(&place);
    start(&place, &["--profile", "mine"]).success();
    let run = place.only_run();
    assert_eq!(kinds(&verified(&place, &run)), [""; 0]);
    let folder = place.run_folder(&run).join("results/review-architecture/attempt-1/process-1");
    let change = |name: &str, from: &str, to: &str| {
        let text = std::fs::read_to_string(folder.join(name)).expect("there");
        assert!(text.contains(from), "{text}");
        std::fs::write(folder.join(name), text.replacen(from, to, 1)).expect("written");
    };
    change("stdin", "Memory", "Money");
    let told = verified(&place, &run);
    assert_eq!(kinds(&told), ["fault process"], "{told:#}");
    assert!(told["findings"][0]["found"].as_str().expect("words").contains("stdin"), "{told:#}");
    change("command.json", "/bin/sh", "/bin/cp");
    std::fs::remove_file(folder.join("launching")).expect("removed");
    let told = verified(&place, &run);
    assert_eq!(kinds(&told), ["fault process"; 3], "{told:#}");
    assert!(told.to_string().contains("without having been launched"), "{told:#}");
    std::fs::write(folder.join("exited.json"), "no JSON").expect("written");
    let told = verified(&place, &run);
    assert_eq!(kinds(&told), ["fault process"; 3], "{told:#}");
    assert!(told.to_string().contains("exited.json is not what docket writes"), "{told:#}");
    let unknown = folder.parent().and_then(Path::parent).expect("a stage").join("attempt-7/process-1");
    std::fs::create_dir_all(&unknown).expect("created");
    let told = verified(&place, &run);
    let last = told["findings"].as_array().expect("a list").last().expect("findings").clone();
    assert!(last["found"].as_str().expect("words").contains("attempt 7"), "{told:#}");
    assert!(last["place"].as_str().expect("a place").ends_with("attempt-7/process-1"), "{told:#}");
}

#[test]
fn large_contents_are_held_to_their_hashes() {
    let place = sandbox::guest_place();
    let content = "large ".repeat(40_000);
    let output = sandbox::act(&place, json!({ "act": "write", "path": "out/a.txt", "content": content }));
    let run = sandbox::run_of(&output.success());
    assert_eq!(kinds(&verified(&place, &run)), [""; 0]);
    let blobs = place.run_folder(&run).join("blobs");
    let blob = blobs.join(sha256(content.as_bytes()));
    std::fs::write(&blob, "small").expect("it is kept under its hash");
    let told = verified(&place, &run);
    assert_eq!(kinds(&told), ["fault blob"], "{told:#}");
    std::fs::remove_file(&blob).expect("removed");
    let told = verified(&place, &run);
    assert_eq!(kinds(&told), ["fault blob"], "{told:#}");
    assert!(
        told["findings"][0]["found"].as_str().expect("words").contains("'out/a.txt' is missing"),
        "{told:#}"
    );
    std::fs::write(&blob, content).expect("put back");
    std::fs::write(blobs.join("0".repeat(64)), "x").expect("written");
    assert_eq!(kinds(&verified(&place, &run)), ["note blob"]);
}

#[test]
fn a_run_that_goes_on_meanwhile_is_looked_over_without_being_disturbed() {
    let place = place_with_document();
    let (agent, mut owner, run) = run_with_working_agent(&place);
    for _ in 0..5 {
        let told = verified(&place, &run);
        assert_eq!(kinds(&told), ["note derived"], "{told:#}");
        assert!(told["findings"][0]["found"].as_str().expect("words").contains("is running it"), "{told:#}");
    }
    kill(&mut owner);
    assert_eq!(status_of(&place, &run), "interrupted");
    assert_eq!(verified(&place, &run)["sound"], true);
    agent.go();
    place.run(&["workflow", "resume", &run]).success();
    assert_eq!(kinds(&verified(&place, &run)), [""; 0]);
    assert_eq!(agent.launches(), 1);
}

#[test]
fn folders_that_are_no_runs_are_told_for_what_they_are() {
    let (place, run) = completed();
    let runs = place.run_folder(&run).parent().expect("the runs").to_owned();
    std::fs::create_dir(runs.join("wf-begun")).expect("created");
    std::fs::write(runs.join("wf-begun/definition.yml"), "name: X\n").expect("written");
    assert_eq!(kinds(&verified(&place, "wf-begun")), ["note journal"]);
    std::fs::write(runs.join("wf-begun/journal.jsonl"), "{\"format\":1,").expect("written");
    assert_eq!(kinds(&verified(&place, "wf-begun")), ["note journal"]);
    // A run that has results was begun: its journal is lost.
    std::fs::create_dir(runs.join("wf-begun/results")).expect("created");
    assert_eq!(kinds(&verified(&place, "wf-begun")), ["fault journal"]);
    std::fs::remove_file(runs.join("wf-begun/journal.jsonl")).expect("removed");
    assert_eq!(kinds(&verified(&place, "wf-begun")), ["fault journal"]);
    std::os::unix::fs::symlink(place.run_folder(&run), runs.join("wf-linked")).expect("linked");
    let told = verified(&place, "wf-linked");
    assert!(told["findings"][0]["found"].as_str().expect("words").contains("symbolic link"), "{told:#}");
    // Another run's journal fits itself, and not its folder.
    std::fs::create_dir(runs.join("wf-copied")).expect("created");
    std::fs::copy(journal(&place, &run), runs.join("wf-copied/journal.jsonl")).expect("copied");
    let told = verified(&place, "wf-copied");
    assert!(told["findings"][0]["found"].as_str().expect("words").contains(&run), "{told:#}");
    place.run(&["workflow", "verify", &run]).success();
}

/// Runs that an older docket left are held to what that docket wrote.
#[test]
fn runs_of_older_formats_are_sound() {
    let mut formats = folders(&fixtures());
    formats.retain(|folder| folder.starts_with("format-"));
    let names: Vec<String> = formats
        .iter()
        .flat_map(|format| {
            folders(&fixtures().join(format)).into_iter().map(move |run| format!("{format}/{run}"))
        })
        .collect();
    assert!(!names.is_empty());
    for name in names {
        let stored = Stored::new(&name);
        let told = verified(&stored.place, &stored.run);
        assert!(told["sound"] == true && told["sealed"] == true, "{name}: {told:#}");
        let kinds = kinds(&told);
        assert!(
            kinds.iter().all(|kind| kind != "note snapshot" && kind != "note result"),
            "{name}: {told:#}"
        );
        stored.place.run(&["workflow", "show", &stored.run, "--timeline"]).success().prints("(attempt 1)");
    }
}
