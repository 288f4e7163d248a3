//! `docket workflow prune`: what is over goes when somebody says so, nothing else ever, and what was kept still answers.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use docket_tests::{Output, Place, kill, wait_until};
use serde_json::{Value, json};

use crate::formats::assert_fits;
use crate::support::{
    Agent, CONFIG, DOCUMENT, answer, file, place_with_document, run_with_working_agent, start,
    start_arguments, status_of,
};

/// Removes everything that is over, however young.
pub(crate) const ALL: [&str; 5] = ["workflow", "prune", "--older-than", "0s", "--yes"];

/// A new run that is completed.
pub(crate) fn completed(place: &Place) -> String {
    let before = place.runs();
    start(place, &["--launcher", "checklist"]).success();
    place.runs().into_iter().find(|run| !before.contains(run)).expect("a new run")
}

/// A new run that waits for an answer.
pub(crate) fn waiting(place: &Place) -> String {
    let before = place.runs();
    start(place, &["--launcher", "manual"]).code(3);
    place.runs().into_iter().find(|run| !before.contains(run)).expect("a new run")
}

/// Where runs have their folders.
pub(crate) fn runs_folder(place: &Place) -> PathBuf {
    place.project().join(".docket/workflows/state")
}

/// The record of a run that is over.
pub(crate) fn record(place: &Place, run: &str) -> PathBuf {
    let folder = place.project().join(".docket/workflows/completed");
    let months = std::fs::read_dir(folder).expect("records").map(|month| month.expect("readable").path());
    let found: Vec<PathBuf> =
        months.map(|month| month.join(format!("{run}.json"))).filter(|path| path.exists()).collect();
    assert_eq!(found.len(), 1, "{run}: {found:?}");
    found[0].clone()
}

/// What a command that must succeed put out.
pub(crate) fn json_of(output: Output) -> Value {
    output.success().json()
}

#[track_caller]
fn pruned(place: &Place, arguments: &[&str]) -> Value {
    let told = json_of(place.run(&[arguments, &["--output", "json"]].concat()));
    assert_fits(place, "prune", &told);
    told
}

/// The ids in a list of runs, in order.
pub(crate) fn ids(list: &Value) -> Vec<String> {
    let runs = list.as_array().expect("a list");
    let mut ids: Vec<String> = runs.iter().map(|run| run["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

/// Makes a file or folder, and all in it, this old.
fn age(path: &Path, days: u64) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("readable") {
            age(&entry.expect("readable").path(), days);
        }
    }
    let then = SystemTime::now() - Duration::from_secs(days * 24 * 3600 + 3600);
    let file = std::fs::File::open(path).expect("there");
    file.set_modified(then).expect("its time can be set");
}

#[test]
fn nothing_goes_before_it_was_shown_and_somebody_said_yes() {
    let place = place_with_document();
    let run = completed(&place);
    let refused = place.run(&["workflow", "prune", "--older-than", "0s"]).code(2);
    let _ = refused
        .says(&run)
        .says("rfc-review")
        .says("docket workflow prune --older-than 0s --yes")
        .says("nothing was");
    place.run(&["workflow", "prune", "--older-than", "0s", "--non-interactive"]).code(2).says("--yes");
    let shown = place.run(&["workflow", "prune", "--older-than", "0s", "--dry-run"]).success();
    let _ = shown.prints(&run).prints("completed").prints("would be removed").prints("KiB");
    let shown = pruned(&place, &["workflow", "prune", "--older-than", "0s", "--dry-run"]);
    assert_eq!((&shown["dry_run"], ids(&shown["runs"])), (&json!(true), vec![run.clone()]));
    // By default a run stays for a month.
    place.run(&["workflow", "prune"]).success().prints("nothing to prune");
    place.run(&["workflow", "prune", "--yes", "--older-than", "1d"]).success().prints("nothing to prune");
    assert!(place.run_folder(&run).join("journal.jsonl").exists());
    for bad in ["30", "d", "-1d", "1y", "99999999999999999999d"] {
        place.run(&["workflow", "prune", &format!("--older-than={bad}")]).code(2).says("such as 30d");
    }
    place.run(&["workflow", "prune", "--yes", "--dry-run"]).code(2);
    assert_eq!(place.runs(), [run]);
}

#[test]
fn what_is_over_goes_and_everything_else_stays() {
    let place = place_with_document();
    let done = completed(&place);
    let waits = waiting(&place);
    let cancelled = waiting(&place);
    place.run(&["workflow", "cancel", &cancelled]).success();
    let paused = waiting(&place);
    place.run(&["workflow", "pause", &paused]).success();
    let agent = Agent::quick(&place);
    agent.answers("garbage");
    let before = place.runs();
    start(&place, &["--profile", "mine"]).code(1);
    let failed = place.runs().into_iter().find(|run| !before.contains(run)).expect("a new run");
    let before = place.runs();
    let agent = Agent::patient(&place);
    // The quick agent left no process id, so this one's launch is the first that shows.
    let mut owner = place.spawn(&start_arguments(&["--profile", "mine"]));
    agent.wait_for_launch();
    let running = place.runs().into_iter().find(|run| !before.contains(run)).expect("a new run");

    // The list says what a run in the background is at, and which process has it.
    let listed = json_of(place.run(&["workflow", "list", "--status", "running", "--output", "json"]));
    assert_fits(&place, "list", &listed);
    let listed = &listed["runs"][0];
    assert_eq!((&listed["id"], &listed["owner"]), (&json!(running), &json!(owner.id())));
    assert_eq!(listed["at"], json!(["review-architecture"]));
    let human = place.run(&["workflow", "list"]).success();
    let _ = human.prints(&format!("review-architecture (process {})", owner.id()));

    let mut gone = [done.clone(), cancelled.clone(), failed.clone()];
    gone.sort();
    let told = pruned(&place, &ALL);
    assert_eq!((&told["dry_run"], ids(&told["runs"])), (&json!(false), gone.to_vec()));
    assert!(told["bytes"].as_u64().expect("a size") > 1000, "{told}");
    let mut left = vec![waits.clone(), paused.clone(), running.clone()];
    left.sort();
    assert_eq!(place.runs(), left);
    kill(&mut owner);
    assert_eq!(status_of(&place, &running), "interrupted");
    place.run(&ALL).success().prints("nothing to prune");
    assert_eq!(place.runs(), left);
    // All of them go on as if nothing had happened.
    agent.go();
    place.run(&["workflow", "resume", &running]).success();
    let right = file(&place, "right.json", answer().to_string());
    place.run(&["workflow", "resume", &paused]).code(3);
    for run in [&waits, &paused] {
        place.run(&["workflow", "submit", run, "--file", &right]).success();
    }
    // No hidden folder, no temporary file.
    let names: Vec<String> = std::fs::read_dir(runs_folder(&place))
        .expect("readable")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"))
        .filter(|name| !name.starts_with("wf-"))
        .collect();
    assert_eq!(names, ["index.jsonl"]);
}

#[test]
fn what_is_not_ours_or_can_not_be_read_is_left_alone_and_told() {
    let place = place_with_document();
    let unreadable = completed(&place);
    let mut bytes = std::fs::read(place.run_folder(&unreadable).join("journal.jsonl")).expect("a journal");
    bytes[50] ^= 1;
    std::fs::write(place.run_folder(&unreadable).join("journal.jsonl"), bytes).expect("written");
    let linked = completed(&place);
    let victim = place.home().join("victim");
    std::fs::rename(place.run_folder(&linked), &victim).expect("moved");
    std::os::unix::fs::symlink(&victim, place.run_folder(&linked)).expect("linked");
    let stuffed = runs_folder(&place).join("wf-stuffed");
    std::fs::create_dir(&stuffed).expect("created");
    std::fs::write(stuffed.join("thesis.md"), "mine").expect("written");
    age(&stuffed, 2);
    // Its lock leads elsewhere: nobody writes there.
    let baited = runs_folder(&place).join("wf-baited");
    std::fs::create_dir(&baited).expect("created");
    std::fs::write(place.home().join("bait"), "mine").expect("written");
    std::os::unix::fs::symlink(place.home().join("bait"), baited.join("lock")).expect("linked");
    std::fs::remove_file(runs_folder(&place).join("index.jsonl")).expect("removed");

    let told = pruned(&place, &ALL);
    assert_eq!(told["runs"], json!([]), "{told:#}");
    let mut wanted = vec![unreadable.clone(), linked.clone(), "wf-stuffed".into(), "wf-baited".into()];
    wanted.sort();
    assert_eq!(ids(&told["kept"]), wanted);
    place.run(&ALL).success().prints("left alone").prints("nothing to prune");
    assert!(victim.join("journal.jsonl").exists() && stuffed.join("thesis.md").exists());
    assert_eq!(std::fs::read_to_string(place.home().join("bait")).expect("there"), "mine");

    // A run that came with the project: not started by this user.
    let theirs = place_with_document();
    let run = completed(&theirs);
    let home = theirs.home().join("other");
    let told = docket_tests::finish(theirs.command(&ALL).env("DOCKET_HOME", &home)).success();
    let _ = told.prints(&format!("left alone: {run}")).prints("was not started by you");
    assert!(theirs.run_folder(&run).join("journal.jsonl").exists());
    assert!(!home.exists(), "looking makes no key");
}

#[test]
fn a_run_whose_process_still_lives_is_left_alone() {
    let place = place_with_document();
    let (agent, mut owner, run) = run_with_working_agent(&place);
    kill(&mut owner);
    // As if the run had ended and its process had got away: another docket's word for its end.
    let done = completed(&place);
    let results = place.run_folder(&done).join("results/review-architecture");
    std::fs::rename(
        place.run_folder(&run).join("results/review-architecture/attempt-1"),
        results.join("attempt-1"),
    )
    .expect("moved");
    place.run(&ALL).success().prints(&format!("left alone: {done}")).prints("still runs");
    assert!(place.run_folder(&done).join("journal.jsonl").exists());
    agent.go();
    wait_until("the agent ends", || !agent.is_alive());
    // Its supervisor ends right after it.
    wait_until("it can be pruned", || {
        let _ = place.run(&ALL).success();
        !place.run_folder(&done).exists()
    });
}

#[test]
fn what_crashes_left_behind_goes_too() {
    let place = place_with_document();
    let run = completed(&place);
    let kept = completed(&place);
    let runs = runs_folder(&place);
    // A prune that was killed between renaming and removing.
    std::fs::rename(place.run_folder(&run), runs.join(format!(".pruned-{run}"))).expect("renamed");
    place.run(&["workflow", "status", &run]).success().says("was pruned").prints("Status: Completed");
    assert_eq!(place.runs(), std::slice::from_ref(&kept));
    // Starts that died, one of them just now.
    for (name, days) in [("wf-olddead", 1), ("wf-oldempty", 3), ("wf-torn", 2), ("wf-newdead", 0)] {
        let folder = runs.join(name);
        std::fs::create_dir(&folder).expect("created");
        if name != "wf-oldempty" {
            std::fs::write(folder.join("definition.yml"), "name: X\n").expect("written");
            std::fs::write(folder.join("lock"), "1").expect("written");
        }
        if name == "wf-torn" {
            std::fs::write(folder.join("journal.jsonl"), "{\"format\":1,\"se").expect("written");
        }
        if days > 0 {
            age(&folder, days);
        }
    }
    // Sandbox folders of a run that is over.
    let work = place.run_folder(&kept).join("work");
    std::fs::create_dir_all(work.join("review-1/out")).expect("created");
    std::fs::write(work.join("review-1/out/a.md"), "scratch").expect("written");
    age(&work, 2);
    place
        .run(&["workflow", "prune", "--dry-run"])
        .success()
        .prints("left by an earlier prune")
        .prints("a run that never began")
        .prints("sandbox folders of a run that is over")
        .prints("5 leftovers");
    assert!(work.exists() && runs.join("wf-olddead").exists());
    place.run(&["workflow", "prune"]).code(2).says("--yes");
    let told = pruned(&place, &["workflow", "prune", "--yes"]);
    assert_eq!(told["leftovers"].as_array().expect("a list").len(), 5, "{told:#}");
    let mut left = vec![kept.clone(), "wf-newdead".to_owned()];
    left.sort();
    assert_eq!(place.runs(), left);
    assert!(!work.exists() && !runs.join(format!(".pruned-{run}")).exists());
    place.run(&["workflow", "verify", &kept]).success();
    place.run(&["workflow", "prune"]).success().prints("nothing to prune");
}

#[test]
fn the_index_shrinks_and_the_list_stays_the_same() {
    let place = place_with_document();
    let gone = completed(&place);
    let run = waiting(&place);
    let list = |more: &[&str]| {
        let output = place.run(&[&["workflow", "list", "--output", "json"], more].concat());
        json_of(output)
    };
    let lines = || {
        let text = std::fs::read_to_string(runs_folder(&place).join("index.jsonl")).expect("an index");
        text.lines().count()
    };
    for _ in 0..3 {
        place.run(&["workflow", "pause", &run]).success();
        place.run(&["workflow", "resume", &run]).code(3);
    }
    let before = list(&[]);
    assert!(lines() > 4, "{}", lines());
    let told = pruned(&place, &["workflow", "prune"]);
    assert!(told["index_lines"].as_u64().expect("a number") > 2, "{told}");
    assert_eq!((lines(), list(&[])), (2, before));
    place.run(&ALL).success();
    assert_eq!(lines(), 2, "a run that was pruned stays in the index for `list --archived`");
    assert_eq!(ids(&list(&["--archived"])["runs"]).len(), 2);
    // Neither folder nor record: nothing is known of it any more.
    std::fs::remove_file(record(&place, &gone)).expect("removed");
    place.run(&ALL).success();
    assert_eq!((lines(), ids(&list(&["--archived"])["runs"])), (1, vec![run]));
}

/// A run that another one started is found by that one when it goes on, so it stays as long as that one may need it.
#[test]
fn a_sub_workflows_run_goes_no_sooner_than_the_run_that_started_it() {
    let place = place_with_document();
    place.write_home(CONFIG, "launcher: checklist\n");
    place.write(".docket/workflows/templates/ask.md", "Say something.\n");
    let definition = format!(
        "name: Outer\nversion: 1\nstages:\n  - {{name: inner, uses: rfc-review, with: {{rfc_path: {DOCUMENT}}}}}\n  \
         - {{name: yours, type: agent, launcher: manual, config: {{prompt_template: templates/ask.md}}}}\n"
    );
    place.trusted_definition("outer", &definition);
    place.run(&["workflow", "start", "outer"]).code(3);
    let runs = place.runs();
    assert_eq!(runs.len(), 2, "{runs:?}");
    let waits = |run: &&String| status_of(&place, run) == "waiting";
    let (outer, inner) = (runs.iter().find(waits).expect("one waits"), runs.iter().find(|run| !waits(run)));
    assert_eq!(status_of(&place, inner.expect("one is over")), "completed");
    let told = json_of(place.run(&["workflow", "show", outer, "--timeline", "--output", "json"]));
    assert_eq!(told["entries"][1]["child"], inner.expect("one is over").as_str(), "{told:#}");
    place.run(&ALL).success().prints("nothing to prune");
    assert_eq!(place.runs(), runs);
    place.run(&["workflow", "verify"]).success();
    let right = file(&place, "right.json", "{\"said\": 1}");
    place.run(&["workflow", "submit", outer, "--file", &right]).success();
    assert_eq!(ids(&pruned(&place, &ALL)["runs"]), runs);
    place.run(&["workflow", "status", inner.expect("one is over")]).success().says("was pruned");
    place.run(&["workflow", "results", outer]).success().says("was pruned");
}

/// A prune that is killed leaves each run whole or gone, and the next one goes on.
#[test]
fn a_prune_that_is_killed_leaves_whole_runs_or_none() {
    let place = place_with_document();
    let runs: Vec<String> = (0..5).map(|_| completed(&place)).collect();
    let mut kills = 0;
    while place.runs().len() > 1 {
        let before = place.runs().len();
        let mut child = place.spawn(&ALL);
        wait_until("a run is gone", || {
            place.runs().len() < before || child.try_wait().expect("it can be asked").is_some()
        });
        kill(&mut child);
        kills += 1;
        let folders = place.runs();
        for run in &runs {
            let status = place.run(&["workflow", "status", run]).success();
            assert_eq!(status.stderr.contains("was pruned"), !folders.contains(run), "{}", status.stderr);
            let _ = status.prints("Status: Completed");
        }
        place.run(&["workflow", "verify"]).success();
    }
    assert!(kills > 0);
    place.run(&ALL).success();
    assert_eq!(place.runs(), [""; 0]);
    let left = std::fs::read_dir(runs_folder(&place)).expect("readable").count();
    assert_eq!(left, 1, "only the index is left");
    assert_eq!(
        ids(&json_of(place.run(&["workflow", "list", "--archived", "--output", "json"]))["runs"]).len(),
        5
    );
}
