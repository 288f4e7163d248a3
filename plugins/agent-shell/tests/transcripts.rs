//! What the launcher reads from what agents print: every transcript (`tests/transcripts/<preset>/<name>.txt`, written by
//! hand after the programs' documentation and what they print to a scripted model) against its reading (`<name>.json`).
//! `UPDATE_GOLDEN=1 cargo test -p docket-plugin-agent-shell --test transcripts` writes the readings anew.
//!
//! A transcript begins with lines `#exit 1`, `#signal 9`, `#stderr words`, `#answer text of the answer file`, `#schema` (the
//! task has one) and `#resumed session input cached output` (it goes on with a session that had used so much).

use std::path::{Path, PathBuf};

use docket_plugin::process::ExitStatus;
use docket_plugin::report::Usage;
use docket_plugin::{Agent, Value, json};
use docket_plugin_agent_shell::replay::{Before, Replayed, replay};

/// The presets whose programs say when they are done.
const WITH_TERMINAL_EVENT: [&str; 4] = ["claude", "codex", "gemini", "opencode"];

struct Transcript {
    path: PathBuf,
    preset: String,
    agent: Agent,
    before: Option<Before>,
    exit: ExitStatus,
    complaint: String,
    text: String,
}

impl Transcript {
    fn read(path: &Path) -> Self {
        let all = std::fs::read_to_string(path).expect("readable");
        let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        let preset = folder.expect("a preset's folder").to_owned();
        let headers = all.lines().take_while(|line| line.starts_with('#'));
        let text: String =
            all.lines().skip(headers.clone().count()).map(|line| format!("{line}\n")).collect();
        let mut exit = ExitStatus { code: Some(0), ..ExitStatus::default() };
        let (mut schema, mut before, mut complaint) = (Value::Null, None, String::new());
        for header in headers {
            let (name, value) = header.split_once(' ').unwrap_or((header, ""));
            match name {
                "#exit" => exit.code = Some(value.parse().expect("a number")),
                "#signal" => (exit.code, exit.signal) = (None, Some(value.parse().expect("a number"))),
                "#answer" => exit.answers = vec![("answer.txt".to_owned(), value.to_owned())],
                "#stderr" => complaint = value.to_owned(),
                "#schema" => schema = self::schema(),
                "#resumed" => before = Some(resumed(value)),
                other => panic!("{}: {other}", path.display()),
            }
        }
        let profile = json!({ "name": "ci", "agent": preset, "program": preset, "idle_timeout": null });
        let agent =
            json!({ "prompt": "Review!", "prompt_file": "p.md", "schema": schema, "profile": profile });
        let agent = serde_json::from_value(agent).expect("an agent's task");
        Self { path: path.to_owned(), preset, agent, before, exit, complaint, text }
    }

    fn replayed(&self, text: &str) -> Replayed {
        replay(&self.agent, self.before.as_ref(), text.lines(), &self.exit, &self.complaint)
            .expect("it is known")
    }
}

fn schema() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object", "required": ["assessment", "summary"],
        "properties": { "assessment": text, "summary": text, "note": text },
    })
}

fn resumed(value: &str) -> Before {
    let mut words = value.split(' ');
    let session = words.next().expect("a session").to_owned();
    let mut number = || words.next().and_then(|word| word.parse().ok());
    let used =
        Usage { input_tokens: number(), cached_tokens: number(), output_tokens: number(), cost_usd: None };
    Before { session, used }
}

fn shown(replayed: &Replayed) -> Value {
    let used = |used: &Usage| {
        let all = [
            ("input", used.input_tokens.map(Value::from)),
            ("cached", used.cached_tokens.map(Value::from)),
            ("output", used.output_tokens.map(Value::from)),
            ("usd", used.cost_usd.map(Value::from)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect::<Value>()
    };
    let answer = match &replayed.answer {
        Ok(answer) => json!({ "answer": answer }),
        Err(error) => json!({
            "code": error.code, "message": error.message, "hint": error.hint, "retryable": error.retryable,
        }),
    };
    json!({
        "activities": replayed.activities, "logged": replayed.logged,
        "used": replayed.used.iter().map(used).collect::<Vec<_>>(),
        "over_after": replayed.over_after, "session": replayed.session, "ended": answer,
    })
}

fn all() -> Vec<Transcript> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let entries = |folder: &Path| {
        let entries = std::fs::read_dir(folder).expect("readable");
        entries.map(|entry| entry.expect("readable").path()).collect::<Vec<_>>()
    };
    let mut paths: Vec<PathBuf> = entries(&root).iter().flat_map(|folder| entries(folder)).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    assert!(paths.len() > 80, "{paths:?}");
    paths.iter().map(|path| Transcript::read(path)).collect()
}

#[test]
fn every_transcript_reads_as_it_should() {
    let mut failures = Vec::new();
    for transcript in all() {
        let golden = transcript.path.with_extension("json");
        let actual = serde_json::to_string_pretty(&shown(&transcript.replayed(&transcript.text)))
            .expect("JSON")
            + "\n";
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &actual).expect("the golden file can be written");
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        if expected != actual {
            failures.push(format!("{}:\n{actual}", golden.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A process that dies has said a part of what it would have said: whatever part it is, it is no success before the
/// program said that it is done.
#[test]
fn no_part_of_a_transcript_is_a_success_before_its_end() {
    for transcript in all().iter().filter(|it| WITH_TERMINAL_EVENT.contains(&it.preset.as_str())) {
        for (cut, _) in transcript.text.char_indices() {
            let part = transcript.text.get(..cut).expect("at a character");
            let replayed = transcript.replayed(part);
            let is_success = replayed.answer.is_ok();
            assert!(!is_success || replayed.over_after.is_some(), "{}: {part}", transcript.path.display());
        }
    }
}

#[test]
fn lines_that_mean_nothing_change_nothing() {
    for transcript in all().iter().filter(|it| WITH_TERMINAL_EVENT.contains(&it.preset.as_str())) {
        let quiet = transcript.replayed(&transcript.text);
        let noise = "npm warn deprecated\n{\"type\":\"from_the_future\",\"error\":\"quota exceeded\"}\n{\"type\":\n\u{fffd}\u{0}\n";
        let noisy: String = transcript.text.lines().map(|line| format!("{noise}{line}\n")).collect();
        let noisy = transcript.replayed(&format!("{noisy}{noise}"));
        let told =
            |it: &Replayed| (it.answer.clone(), it.used.clone(), it.session.clone(), it.activities.clone());
        assert_eq!(told(&noisy), told(&quiet), "{}", transcript.path.display());
    }
}
