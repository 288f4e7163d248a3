//! Values of variables that a launcher profile grants are for the agent alone: whatever it does with them, they are in
//! nothing that docket keeps or says.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use docket_tests::{Output, Place, kill, wait_until};
use serde_json::json;

use crate::place;
use crate::sandbox::{PLUGIN, guest, guest_with_spawn, results, run_of, single, with_manifest};
use crate::support::{
    Agent, CONFIG, answer, assert_document_reviewed_once, place_with_document, run_with, stage,
    start_arguments,
};

/// The variable.
const NAME: &str = "REVIEW_KEY";
/// Its value: not a word, not printable in JSON or a URL as it is, in two halves that can be told.
const KEY: &str = "Zq8\"first-half/Zq9+second-half";
/// What stands for it.
const MARK: &str = "•••[REVIEW_KEY]";
/// Parts of its spellings of which none may be seen: plain, each half of it, base64 at each alignment,
/// percent-encoded, in hexadecimal.
const TRACES: [&str; 8] = [
    "Zq8",
    "first-half",
    "second-half",
    "Zmlyc3QtaGFsZi9acTkrc2Vjb25kLWhhbG",
    "ZpcnN0LWhhbGYvWnE5K3NlY29uZC1oYWxm",
    "maXJzdC1oYWxmL1pxOStzZWNvbmQtaGFsZ",
    "%22first-half",
    "66697273742d68616c66",
];

/// An agent that sees the key, and does this before it answers.
fn agent(place: &Place, script: &str) -> Agent {
    let agent = Agent::new(place, &format!("cat > /dev/null\n{script}"));
    place.write_home(CONFIG, agent.profile().replace(" }", &format!(", env: [{NAME}] }}")));
    agent
}

fn start(place: &Place) -> Output {
    run_with(place, &[(NAME, KEY)], &start_arguments(&["--profile", "mine"]))
}

/// Everything that docket says about a run, in every form.
fn told(place: &Place, run: &str) -> String {
    let mut all = String::new();
    for command in ["status", "logs", "results", "verify"] {
        for form in ["human", "json", "jsonl"] {
            let output = place.run(&["workflow", command, run, "--output", form]);
            all.push_str(&output.stdout);
            all.push_str(&output.stderr);
        }
    }
    all
}

/// Every file below a folder, with its text; the agent's own folder is its own business.
fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() && !path.ends_with("home/agent") {
            files(&path, found);
        } else if path.is_file() {
            let bytes = std::fs::read(&path).expect("readable");
            found.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

#[track_caller]
fn assert_hidden(what: &str, text: &str) {
    for trace in TRACES {
        assert!(!text.contains(trace), "'{trace}' of the key is in {what}:\n{text}");
    }
}

/// Nothing of the key is in any file of the project or of the user's folders, nor in these outputs.
#[track_caller]
fn assert_hidden_everywhere(place: &Place, outputs: &[&Output]) {
    let mut found = Vec::new();
    files(&place.project(), &mut found);
    files(&place.home(), &mut found);
    assert!(found.iter().any(|(path, _)| path.ends_with("journal.jsonl")), "{found:?}");
    for (path, text) in &found {
        assert_hidden(path, text);
    }
    for output in outputs {
        assert_hidden("standard output", &output.stdout);
        assert_hidden("standard error", &output.stderr);
    }
    for run in place.runs() {
        assert_hidden("what docket tells", &told(place, &run));
    }
}

#[test]
fn an_agent_that_prints_its_key_in_every_way_prints_a_mark() {
    let place = place_with_document();
    let agent = agent(
        &place,
        "env | grep REVIEW >&2\n\
         printf '%s\\n' \"$REVIEW_KEY\" | fold -w 15 >&2\n\
         for before in '' x xx; do for width in 0 20; do\n\
           printf '%s%s and so on' \"$before\" \"$REVIEW_KEY\" | base64 -w $width >&2; echo >&2\n\
         done; done\n\
         echo 'GET /?key=Zq8%22first-half%2FZq9%2Bsecond-half' >&2\n\
         printf '%s\\n' 'Zq8\\u0022first-half/Zq9\\u002Bsecond-half' >&2\n\
         printf '%s' \"$REVIEW_KEY\" | od -An -v -tx1 | tr -d ' \\n' >&2; echo >&2\n\
         cat \"$1/answer\"\n",
    );
    let mut said = answer();
    said["summary"] = format!("I was given {KEY} and used it.").into();
    said["strengths"] = json!(["Basic dXNlcjpacTgiZmlyc3QtaGFsZi9acTkrc2Vjb25kLWhhbGY="]);
    agent.answers(&said.to_string());
    let output = start(&place).success();
    assert_hidden_everywhere(&place, &[&output]);
    assert_document_reviewed_once(&place);

    let run = place.only_run();
    let results = place.run(&["workflow", "results", &run, "--output", "json"]).success().json();
    let review = &results["stages"]["review-architecture"];
    assert_eq!(review["summary"], format!("I was given {MARK} and used it."), "{results}");
    assert!(review["strengths"][0].as_str().expect("text").contains(MARK), "{results}");
    let transcript = place.run_folder(&run).join("results/review-architecture/attempt-1/process-1/stderr");
    let transcript = std::fs::read_to_string(transcript).expect("it is kept");
    assert!(transcript.starts_with(&format!("{NAME}={MARK}\n{MARK}\n{MARK}\n")), "{transcript}");
    assert!(transcript.contains(&format!("GET /?key={MARK}\n")), "{transcript}");
}

/// What an agent says bit by bit, as its events carry it, is masked in each of them.
#[test]
fn a_key_that_an_agent_says_in_pieces_is_masked_in_each() {
    let place = place_with_document();
    let pieces = ["so: Zq8\\\"first-h", "alf/Zq9+sec", "ond-half, yes"];
    let events: Vec<String> = pieces.iter().map(|piece| format!("'{{\"delta\":\"{piece}\"}}'")).collect();
    agent(&place, &format!("printf '%s\\n' {} >&2\ncat \"$1/answer\"\n", events.join(" ")));
    let output = start(&place).success();
    assert_hidden_everywhere(&place, &[&output]);
    let run = place.only_run();
    let transcript = place.run_folder(&run).join("results/review-architecture/attempt-1/process-1/stderr");
    let transcript = std::fs::read_to_string(transcript).expect("it is kept");
    let wanted = ["so: •••[REVIEW_KEY]", "•••[REVIEW_KEY]", "•••[REVIEW_KEY], yes"];
    let wanted: String = wanted.iter().map(|text| format!("{{\"delta\":\"{text}\"}}\n")).collect();
    assert_eq!(transcript, wanted);
    let log = place.run(&["workflow", "logs", &run]).success();
    for trace in ["first-h", "alf/Zq9", "ond-half"] {
        assert!(!log.stdout.contains(trace), "{}", log.stdout);
    }
}

#[test]
fn an_agent_that_fails_with_its_key_on_its_lips_is_quoted_without_it() {
    let place = place_with_document();
    agent(&place, "echo \"the key $REVIEW_KEY is not valid\" >&2\nexit 7\n");
    let output = start(&place).code(1).says("exit code 7").says(&format!("the key {MARK} is not valid"));
    assert_hidden_everywhere(&place, &[&output]);
    let failure = stage(&place, &place.only_run(), "review-architecture")["failure"].clone();
    assert!(failure["message"].as_str().expect("a message").contains(MARK), "{failure}");
}

#[test]
fn what_can_not_be_used_is_kept_without_the_key() {
    let place = place_with_document();
    let agent = agent(&place, "cat \"$1/answer\"\n");
    agent.answers(&format!("I will not answer, but {KEY} is the key.\n"));
    let unreadable = start(&place).code(1).says(MARK);
    let mut wrong = answer();
    wrong["assessment"] = KEY.into();
    agent.answers(&wrong.to_string());
    let unfit = start(&place).code(1).says("does not fit its schema");
    assert_hidden_everywhere(&place, &[&unreadable, &unfit]);
}

/// While the agent works its output is its own, in files that only the user can read; they are masked when its stage is
/// over, also when docket was killed meanwhile.
#[test]
fn a_transcript_is_private_and_masked_in_the_end_even_by_another_docket() {
    let place = place_with_document();
    let agent = agent(
        &place,
        "echo \"key: $REVIEW_KEY\" >&2\necho $$ > \"$1/pid.new\" && mv \"$1/pid.new\" \"$1/pid\"\n\
         tries=0\nwhile [ ! -e \"$1/go\" ] && [ $tries -lt 1200 ]; do sleep 0.05; tries=$((tries+1)); done\n\
         cat \"$1/answer\"\n",
    );
    let mut owner = place
        .command(&start_arguments(&["--profile", "mine"]))
        .env(NAME, KEY)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("docket can be started");
    agent.wait_for_launch();
    let run = place.only_run();
    let folder = place.run_folder(&run).join("results/review-architecture/attempt-1/process-1");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for name in ["stdout", "stderr"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    kill(&mut owner);
    agent.go();
    wait_until("the agent is done", || folder.join("exited.json").exists());
    let output = run_with(&place, &[(NAME, KEY)], &["workflow", "resume", &run]).success();
    assert_hidden_everywhere(&place, &[&output]);
    let transcript = std::fs::read_to_string(folder.join("stderr")).expect("it is kept");
    assert_eq!(transcript, format!("key: {MARK}\n"));
    assert_eq!(mode(&folder.join("stderr")), 0o600);
}

/// A variable that was granted to a plugin is hidden as one that a profile grants: in what the plugin says and returns, and
/// in what the command it runs prints.
#[test]
fn a_plugin_that_tells_its_variable_tells_a_mark() {
    let place = place();
    let asking = |component: &[u8], exec: bool| {
        with_manifest(component, |manifest| {
            manifest["capabilities"] = json!({ "env": [NAME], "exec": exec });
        })
    };
    let run = |config: serde_json::Value| {
        place.trusted_definition("acts", &single(&config));
        let output = run_with(&place, &[(NAME, KEY)], &["workflow", "start", "acts"]).success();
        let result = results(&place, &run_of(&output))["s"].clone();
        (output, result)
    };
    place.write(PLUGIN, asking(&guest(), false));
    let (output, result) = run(json!({ "act": "environment" }));
    assert_eq!(result["variables"], json!([[NAME, MARK]]), "{result}");
    place.write_home(
        CONFIG,
        "profile: mine\nprofiles: { mine: { launcher: shell, agent: generic, command: [/usr/bin/printenv] } }\n",
    );
    place.write(PLUGIN, asking(&guest_with_spawn(), true));
    let (spawned, result) =
        run(json!({ "act": "spawn", "program": "/usr/bin/printenv", "arguments": [NAME] }));
    assert_eq!(result["stdout"], json!([MARK]), "{result}");
    assert_hidden_everywhere(&place, &[&output, &spawned]);
}

/// What is shorter than six bytes would be found in ordinary words, and variables that every command sees are no secrets.
#[test]
fn short_values_and_common_variables_are_not_masked() {
    let place = place_with_document();
    let agent = Agent::new(&place, "cat > /dev/null\necho \"$LEVEL $LANG\" >&2\nexit 1\n");
    place.write_home(CONFIG, agent.profile().replace(" }", ", env: [LEVEL, LANG] }"));
    let output = run_with(&place, &[("LEVEL", "quiet")], &start_arguments(&["--profile", "mine"])).code(1);
    output.says("quiet C.UTF-8");
}
