//! A plugin talks to a command: what is sent arrives once, whoever dies in between, and nothing that a command or a plugin
//! does with it holds up docket.

use std::path::PathBuf;

use docket_tests::{Output, Place, kill, wait_until};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::sandbox::{
    PLUGIN, act, assert_failure, failure_of, guest_place, guest_with_spawn, result_of, results, single,
    with_manifest,
};
use crate::support::{run_with, status_of};

/// Writes down who it is and what it hears, and answers each line; waits while it is held.
const PARTNER: &str = r#"
echo $$ >> "$1/launches"
while IFS= read -r line; do
  printf '%s\n' "$line" >> "$1/heard"
  while [ -e "$1/hold" ]; do sleep 0.01; done
  printf 'you said %s\n' "$line"
done
echo "the end" >> "$1/heard"
echo over
exit 7
"#;

/// A place whose plugin talks to a shell with this script.
struct Talk {
    place: Place,
}

impl Talk {
    fn with(script: &str) -> Self {
        let place = guest_place();
        let change = |manifest: &mut Value| manifest["capabilities"]["exec"] = json!(true);
        place.write(PLUGIN, with_manifest(&guest_with_spawn(), change));
        place.write_home(
            "config.yml",
            "profile: mine\nprofiles: { mine: { launcher: shell, agent: generic, command: [/bin/sh], env: [PARTNER_KEY] } }\n",
        );
        let talk = Self { place };
        std::fs::create_dir(talk.folder()).expect("created");
        std::fs::write(talk.folder().join("partner.sh"), script).expect("written");
        talk
    }

    fn folder(&self) -> PathBuf {
        self.place.home().join("partner")
    }

    /// The config of an act with the partner.
    fn config(&self, act: &str, more: Value) -> Value {
        let folder = self.folder().display().to_string();
        let mut config = json!({ "act": act, "program": "/bin/sh", "arguments": [format!("{folder}/partner.sh"), folder] });
        let fields = more.as_object().cloned().unwrap_or_default();
        config.as_object_mut().expect("fields").extend(fields);
        config
    }

    /// Says these texts.
    fn says(&self, texts: &[&str]) -> Value {
        self.config("converse", json!({ "says": texts }))
    }

    fn lines(&self, file: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder().join(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// What the partner heard, in all its lives.
    fn heard(&self) -> Vec<String> {
        self.lines("heard")
    }

    /// Starts a run of one stage with faults; docket is killed by them.
    #[track_caller]
    fn killed_by(&self, faults: &str, config: &Value) -> String {
        self.place.trusted_definition("acts", &single(config));
        let log = self.place.home().join("fault-log");
        let _ = std::fs::remove_file(&log);
        let faults = format!("{faults},log:{}", log.display());
        let output = run_with(&self.place, &[("DOCKET_FAULTS", &faults)], &["workflow", "start", "acts"]);
        assert_eq!(output.code, -1, "{faults}: {}", output.stderr);
        self.place.only_run()
    }

    /// The folder of the run's only process.
    fn process(&self, run: &str) -> PathBuf {
        self.place.run_folder(run).join("results/s/attempt-1/process-1")
    }

    fn resume(&self, run: &str) -> Output {
        self.place.run_or_kill(&["workflow", "resume", run])
    }
}

#[test]
fn what_is_said_is_heard_line_by_line_and_answered() {
    let talk = Talk::with(PARTNER);
    let config = talk.config("converse", json!({ "says": ["one", "", "  two ☃"], "stdin": "first\n" }));
    let result = result_of(&talk.place, config);
    // Text in `stdin` comes first; its answer is the first reply.
    assert_eq!(result["replies"], json!(["you said first", "you said one", "you said "]));
    assert_eq!(result["rest"], json!(["you said   two ☃", "over"]));
    assert_eq!(result["code"], 7);
    assert_eq!(talk.heard(), ["first", "one", "", "  two ☃", "the end"]);
    talk.place.run(&["workflow", "verify"]).success();
    let run = talk.place.only_run();
    let folder = talk.process(&run);
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: PathBuf| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(folder.join("said.jsonl")), mode(folder)), (0o600, 0o700));
}

#[test]
fn a_dialogue_is_refused_like_any_command_that_was_not_granted() {
    let talk = Talk::with(PARTNER);
    let other = json!({ "act": "converse", "program": "/bin/echo" });
    assert_failure(&failure_of(&talk.place, other), "command-not-granted", &["/bin/sh"]);
    talk.place.write_home("config.yml", "");
    assert_failure(&failure_of(&talk.place, talk.says(&["one"])), "command-not-granted", &["/bin/sh"]);
    assert_eq!(talk.heard(), [""; 0]);
}

#[test]
fn dialogues_count_as_the_processes_that_they_are() {
    let talk = Talk::with(PARTNER);
    let config = std::fs::read_to_string(talk.place.docket_home().join("config.yml")).expect("settings");
    talk.place.write_home("config.yml", format!("{config}limits: {{ processes: 0 }}\n"));
    assert_failure(&failure_of(&talk.place, talk.says(&[])), "process-limit", &["more than 0 processes"]);
}

#[test]
fn a_command_that_ends_is_told_to_the_plugin() {
    let talk = Talk::with("read line; echo \"heard $line\"; exit 3");
    let failure = failure_of(&talk.place, talk.says(&["one", "two", "three"]));
    // Whether the second line was sent before the end was known is chance.
    let code = failure["code"].as_str().expect("a code");
    assert!(["agent-lost", "agent-gone"].contains(&code), "{failure}");
}

/// A pipe holds 64 KiB; here are more than ten times as many, and nobody reads them.
#[test]
fn a_command_that_never_reads_holds_up_nobody() {
    let talk = Talk::with("i=0; while [ $i -lt 40 ]; do echo $i; i=$((i+1)); done; exec sleep 1000");
    let text = "x".repeat(20 * 1024);
    let says: Vec<&str> = (0..40).map(|_| text.as_str()).collect();
    let config = talk.config("converse", json!({ "says": says, "patience": 300 }));
    let result = result_of(&talk.place, config);
    assert_eq!(result["replies"].as_array().map(Vec::len), Some(40), "{result}");
    assert_eq!(result["idle"], true, "{result}");
    // What a stage that is over left running is ended, and its end is recorded.
    let run = talk.place.only_run();
    wait_until("the end is recorded", || talk.process(&run).join("exited.json").exists());
    talk.place.run(&["workflow", "verify"]).success();
}

#[test]
fn a_cancelled_run_ends_its_partner() {
    let talk = Talk::with(PARTNER);
    std::fs::write(talk.folder().join("hold"), "").expect("written");
    talk.place.trusted_definition("acts", &single(&talk.says(&["one"])));
    let owner = talk.place.spawn(&["workflow", "start", "acts"]);
    wait_until("the partner hears it", || talk.heard() == ["one"]);
    let run = talk.place.only_run();
    talk.place.run(&["workflow", "cancel", &run]).success();
    Output::of_child(owner);
    assert_eq!(status_of(&talk.place, &run), "cancelled");
    wait_until("the end is recorded", || talk.process(&run).join("exited.json").exists());
}

/// docket is killed around each line; what was sent is not sent again, what was not is.
#[cfg(debug_assertions)]
#[test]
fn wherever_docket_dies_each_line_is_heard_once() {
    for time in 1..=4 {
        for kind in ["kill-before", "kill-after", "torn"] {
            let talk = Talk::with(PARTNER);
            let run = talk
                .killed_by(&format!("{kind}:dialogue.write:{time}"), &talk.says(&["one", "two", "three"]));
            let what = format!("{kind} at {time}");
            let resumed = talk.resume(&run);
            assert_eq!(resumed.code, 0, "{what}: {}", resumed.stderr);
            let result = &results(&talk.place, &run)["s"];
            let replies = json!(["you said one", "you said two", "you said three"]);
            assert_eq!((&result["replies"], &result["rest"]), (&replies, &json!(["over"])), "{what}");
            assert_eq!(talk.heard(), ["one", "two", "three", "the end"], "{what}");
            assert_eq!(talk.lines("launches").len(), 1, "{what}");
            talk.place.run(&["workflow", "verify"]).success();
        }
    }
}

/// The partner goes on without docket, and again and again.
#[test]
fn a_partner_outlives_docket() {
    let talk = Talk::with(PARTNER);
    std::fs::write(talk.folder().join("hold"), "").expect("written");
    talk.place.trusted_definition("acts", &single(&talk.says(&["one", "two"])));
    let mut owner = talk.place.spawn(&["workflow", "start", "acts"]);
    wait_until("the partner hears it", || talk.heard() == ["one"]);
    kill(&mut owner);
    let run = talk.place.only_run();
    for _ in 0..2 {
        assert_eq!(status_of(&talk.place, &run), "interrupted");
        let mut owner = talk.place.spawn(&["workflow", "resume", &run]);
        wait_until("the run is owned again", || status_of(&talk.place, &run) == "running");
        kill(&mut owner);
    }
    std::fs::remove_file(talk.folder().join("hold")).expect("removed");
    talk.resume(&run).success();
    assert_eq!(results(&talk.place, &run)["s"]["replies"], json!(["you said one", "you said two"]));
    assert_eq!(talk.heard(), ["one", "two", "the end"]);
    assert_eq!(talk.lines("launches").len(), 1);
}

/// A plugin that speaks into a silence hears the same before it as it heard the first time.
#[cfg(debug_assertions)]
#[test]
fn a_replay_gives_no_more_than_was_read_when_something_was_said() {
    for fault in
        ["kill-after:dialogue.write:2", "kill-before:dialogue.write:3", "kill-after:dialogue.write:3"]
    {
        let talk = Talk::with("echo ready; while read -r line; do echo \"you said $line\"; done");
        let run = talk
            .killed_by(fault, &talk.config("listen", json!({ "says": ["a", "b", "c"], "patience": 30_000 })));
        talk.resume(&run).success();
        let wanted = [
            "heard ready",
            "said a",
            "heard you said a",
            "said b",
            "heard you said b",
            "said c",
            "heard you said c",
        ];
        assert_eq!(results(&talk.place, &run)["s"], json!(wanted), "{fault}");
    }
}

#[cfg(debug_assertions)]
#[test]
fn a_plugin_that_says_something_else_than_before_is_told_so_and_nothing_is_sent() {
    let talk = Talk::with(PARTNER);
    let run = talk.killed_by("kill-after:dialogue.write:2", &talk.says(&["one", "now <time>"]));
    talk.resume(&run).code(1);
    let failure = talk.place.status(&run)["stages"][0]["failure"].clone();
    assert_failure(&failure, "agent-lost", &["sent something else at this point", "retry the stage"]);
    let heard = talk.heard();
    assert!(heard.len() <= 3 && heard[0] == "one", "{heard:?}");
    assert_eq!(heard.iter().filter(|line| line.starts_with("now")).count(), 1, "{heard:?}");
}

/// Nobody would know how the partner ends, nor hand anything on: it hears the end of its input.
#[test]
fn without_its_supervisor_a_dialogue_fails_honestly() {
    let talk = Talk::with(PARTNER);
    std::fs::write(talk.folder().join("hold"), "").expect("written");
    talk.place.trusted_definition("acts", &single(&talk.says(&["one", "two"])));
    let owner = talk.place.spawn(&["workflow", "start", "acts"]);
    wait_until("the partner hears it", || talk.heard() == ["one"]);
    let partner: i32 = talk.lines("launches")[0].parse().expect("a process");
    let text = std::fs::read_to_string(format!("/proc/{partner}/stat")).expect("it lives");
    let fields = text.rsplit_once(')').expect("a name").1;
    let supervisor = fields.split_ascii_whitespace().nth(1).and_then(|id| id.parse().ok());
    let supervisor = supervisor.and_then(rustix::process::Pid::from_raw).expect("a parent");
    rustix::process::kill_process(supervisor, Signal::KILL).expect("it lives");
    std::fs::remove_file(talk.folder().join("hold")).expect("removed");
    Output::of_child(owner).code(1);
    let run = talk.place.only_run();
    let failure = talk.place.status(&run)["stages"][0]["failure"].clone();
    let code = failure["code"].as_str().expect("a code");
    assert!(["agent-lost", "agent-gone"].contains(&code), "{failure}");
    wait_until("the partner hears the end", || talk.heard() == ["one", "the end"]);
}

#[cfg(debug_assertions)]
#[test]
fn a_line_that_the_disk_refuses_is_sent_to_nobody() {
    for (fault, cause) in [
        ("enospc:dialogue.write:2", "No space left on device"),
        ("eio:dialogue.write:2", "Input/output error"),
    ] {
        let talk = Talk::with(PARTNER);
        talk.place.trusted_definition("acts", &single(&talk.says(&["one", "two"])));
        let output = run_with(&talk.place, &[("DOCKET_FAULTS", fault)], &["workflow", "start", "acts"]);
        output.code(1).says(cause);
        assert!(talk.heard().iter().all(|line| line == "one" || line == "the end"), "{:?}", talk.heard());
        talk.place.run(&["workflow", "verify"]).success();
    }
}

#[test]
fn verify_finds_what_was_changed_in_what_was_said() {
    let talk = Talk::with(PARTNER);
    result_of(&talk.place, talk.says(&["one", "two"]));
    let run = talk.place.only_run();
    let said = talk.process(&run).join("said.jsonl");
    let text = std::fs::read_to_string(&said).expect("readable");
    talk.place.run(&["workflow", "verify"]).success();
    let last = text.lines().last().expect("a line");
    for (changed, words) in [
        (text.replace("two", "owt"), "does not fit its hash in line 2"),
        (text.replacen("one", "eno", 1), "does not fit its hash in line 1"),
        (format!("{text}{last}\n"), "line 4"),
        (format!("{text}what is this\n"), "is not what docket writes in line 4"),
    ] {
        std::fs::write(&said, changed).expect("written");
        let output = talk.place.run(&["workflow", "verify"]);
        assert_ne!(output.code, 0, "{words}");
        assert!(output.stdout.contains(words) || output.stderr.contains(words), "{words}: {}", output.stdout);
    }
    std::fs::remove_file(&said).expect("removed");
    assert_ne!(talk.place.run(&["workflow", "verify"]).code, 0);
}

/// What was said is masked when its stage is over, and is still a sound record; a resumed run goes on from it.
#[test]
fn values_of_granted_variables_are_masked_in_what_was_said() {
    const VALUE: &str = "a-secret-of-the-partner";
    let talk = Talk::with(PARTNER);
    talk.place
        .trusted_definition("acts", &single(&talk.says(&["one", "key a-secret-of-the-partner", "two"])));
    let environment = [("PARTNER_KEY", VALUE)];
    run_with(&talk.place, &environment, &["workflow", "start", "acts"]).success();
    // The partner got it.
    assert_eq!(talk.heard()[1], format!("key {VALUE}"));
    let run = talk.place.only_run();
    let said = std::fs::read_to_string(talk.process(&run).join("said.jsonl")).expect("readable");
    assert!(said.contains("key •••[PARTNER_KEY]") && !said.contains(VALUE), "{said}");
    talk.place.run(&["workflow", "verify"]).success();
}

/// docket dies when what was said is masked already and the stage's end is not recorded yet.
#[cfg(debug_assertions)]
#[test]
fn a_masked_dialogue_is_taken_up_like_any_other() {
    const VALUE: &str = "a-secret-of-the-partner";
    let talk = Talk::with(PARTNER);
    talk.place
        .trusted_definition("acts", &single(&talk.says(&["one", "key a-secret-of-the-partner", "two"])));
    let environment = [("PARTNER_KEY", VALUE), ("DOCKET_FAULTS", "kill-before:journal.write:2")];
    let output = run_with(&talk.place, &environment, &["workflow", "start", "acts"]);
    assert_eq!(output.code, -1, "{}", output.stderr);
    let run = talk.place.only_run();
    let said = std::fs::read_to_string(talk.process(&run).join("said.jsonl")).expect("readable");
    assert!(said.contains("•••[PARTNER_KEY]"), "the case is set up: {said}");
    run_with(&talk.place, &environment[..1], &["workflow", "resume", &run]).success();
    assert_eq!(talk.heard().len(), 4);
    assert_eq!(talk.lines("launches").len(), 1);
}

#[test]
fn acts_without_the_ability_say_so() {
    let place = guest_place();
    act(&place, json!({ "act": "converse", "program": "/bin/sh" }))
        .code(1)
        .says("without the feature `spawn`");
}
