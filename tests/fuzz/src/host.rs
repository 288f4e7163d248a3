//! The functions that plugins call: any program of calls, carried out by a guest in the sandbox (`tests/fuzz/guest`).
//!
//! What holds: the host does not panic. Nothing changes outside the sandbox's folders, and no file is read that was not
//! granted: the guest looks for what must not be there, and the host's side compares the files around it. Every run has a
//! store of its own. What comes back keeps to the grants and limits, and shows nothing that a terminal obeys.

mod scratch;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use docket::plugin::catalog::PluginBytes;
use docket::plugin::host::answer::{AnswerFolder, Answers};
use docket::plugin::host::{Cancel, process::GrantedCommand};
use docket::plugin::manifest::Capabilities;
use docket::plugin::{Grants, Limits, Outcome, Plugin, PluginOrigin, Runtime, StageCall};
use docket_core::run::{Failure, Notice, ProjectPath, sha256};
use docket_core::secret::Secrets;
use serde_json::json;

use crate::assert_harmless;
use scratch::Scratch;

const GUEST: &[u8] = include_bytes!(env!("DOCKET_FUZZ_GUEST"));
const MIB: usize = 1024 * 1024;
/// The command that a profile grants: prints its arguments and does nothing else.
const COMMAND: &str = "/bin/echo";
/// Most faults that docket takes of one config.
const MOST_FAULTS: usize = 100;
/// Longest text of a failure that makes sense, in characters.
const LONGEST_TEXT: usize = 20_000;

/// Small limits, so that they are met.
fn limits() -> Limits {
    Limits {
        memory: 32 * MIB,
        cpu: Duration::from_millis(500),
        wall_clock: Duration::from_secs(5),
        table_entries: 1000,
        host_call: MIB,
        log: 64 * 1024,
        out: MIB as u64,
        out_files: 20,
        cache: MIB as u64,
        // Compiled once, perhaps on a machine that is busy with other targets.
        compile: Duration::from_secs(300),
        ..Limits::default()
    }
}

struct Setting {
    scratch: Scratch,
    runtime: Runtime,
    plugin: Plugin,
    grants: Grants,
}

static SETTING: LazyLock<Mutex<Setting>> = LazyLock::new(|| {
    let scratch = Scratch::new();
    let runtime = Runtime::new(&scratch.compiled(), Box::new(|| Some([7; 32])), limits().stack);
    let origin = PluginOrigin::File("fuzz-guest.wasm".to_owned());
    let plugin = Plugin::new(PluginBytes::Embedded(GUEST), origin).expect("the guest is a plugin");
    let asked = plugin.manifest.capabilities.listed().into_iter().collect();
    let plugin = plugin.granted(&asked);
    let grants = Grants::resolve(&plugin.rights, &json!({})).expect("what it asks for is sound");
    Mutex::new(Setting { scratch, runtime, plugin, grants })
});

/// Is docket's helper when this program was started as one, as docket starts itself to supervise processes: the exit
/// code. To be called before anything else.
pub fn become_helper() -> Option<u8> {
    let arguments: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let is_helper = arguments.get(1).is_some_and(|word| word.to_string_lossy().starts_with("__"));
    is_helper.then(|| docket::cli::run(arguments))
}

/// Runs the target: the first byte chooses between running a stage, with a command that is there or is not, and looking
/// at a config; the others are the program.
pub fn host(data: &[u8]) {
    let Some((mode, program)) = data.split_first() else { return };
    let setting = SETTING.lock().unwrap_or_else(PoisonError::into_inner);
    if mode.is_multiple_of(8) {
        looks_at_config(&setting, program);
    } else {
        runs(&setting, &setting.grants, program, mode.is_multiple_of(3));
    }
    setting.scratch.assert_untouched();
}

fn looks_at_config(setting: &Setting, program: &[u8]) {
    let word = word(program);
    let config = json!({ "text": String::from_utf8_lossy(program), "word": word });
    match setting.runtime.check(&setting.plugin, "fuzz", &config, &limits()) {
        Err(failure) => shown(&failure, &word),
        Ok(faults) => {
            assert!(faults.len() <= MOST_FAULTS, "{} faults", faults.len());
            for fault in faults {
                assert_harmless("a fault", &fault.message);
                assert_harmless("a hint", fault.hint.as_deref().unwrap_or_default());
            }
        }
    }
}

/// Breaks two promises on purpose: a secret is granted and read, and a file beside the sandbox is changed.
///
/// # Errors
/// Which of them the target does not notice.
pub fn sabotage() -> Result<(), String> {
    // Reads `/project/secret.txt`.
    const READS_A_SECRET: &[u8] = &[51, 9, 28, 6];
    let is_noticed = |broken: &dyn Fn()| catch_unwind(AssertUnwindSafe(broken)).is_err();
    let setting = SETTING.lock().unwrap_or_else(PoisonError::into_inner);
    let asked = Capabilities { read: vec!["secret.txt".to_owned()], ..setting.plugin.rights.clone() };
    let grants = Grants::resolve(&asked, &json!({})).map_err(|error| error.to_string())?;
    runs(&setting, &setting.grants, READS_A_SECRET, false);
    if !is_noticed(&|| runs(&setting, &grants, READS_A_SECRET, false)) {
        return Err("a secret was read and nobody noticed".to_owned());
    }
    setting.scratch.assert_untouched();
    setting.scratch.meddle();
    if is_noticed(&|| setting.scratch.assert_untouched()) {
        Ok(())
    } else {
        Err("a file beside the sandbox was changed and nobody noticed".to_owned())
    }
}

/// Takes away the folders that this target made. Nothing can be run after it.
pub fn clean_up() {
    SETTING.lock().unwrap_or_else(PoisonError::into_inner).scratch.remove();
}

fn runs(setting: &Setting, grants: &Grants, program: &[u8], has_command: bool) {
    let Setting { scratch, runtime, plugin, .. } = setting;
    scratch.clean();
    let word = word(program);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let limits = limits();
    let reply = runtime.run(StageCall {
        plugin,
        request: json!({
            "run": "wf-1", "workflow": "W", "stage": "s", "type": "fuzz", "attempt": 1, "date": "2026-01-02",
            "config": { "word": word }, "inputs": {},
        })
        .to_string(),
        grants: grants.clone(),
        project: scratch.project(),
        folders: scratch.folders(),
        inputs: vec![("program".to_owned(), program.to_vec())],
        limits,
        notices: Arc::new(move |notice| hears.lock().unwrap_or_else(PoisonError::into_inner).push(notice)),
        cancel: Cancel::default(),
        answers: Answers::new(
            Box::new(|_| Vec::new()),
            Some(AnswerFolder {
                path: scratch.records(),
                shown: "kept".to_owned(),
                secrets: Secrets::default(),
            }),
        ),
        commands: vec![GrantedCommand {
            name: "granted".to_owned(),
            is_agent: true,
            path: if has_command { Ok(COMMAND.into()) } else { Err("it is not there".to_owned()) },
            folder: scratch.project_path(),
            environment: Vec::new(),
            secrets: Secrets::default(),
            records: scratch.records(),
        }],
        launches: Arc::new(|| true),
        environment: Vec::new(),
    });
    assert!(!scratch.folders().work.exists(), "a stage's scratch is left behind");
    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    said(&heard, &word, limits.log);
    assert!(reply.usage.cost_usd.is_none_or(|cost| cost.is_finite() && cost >= 0.0), "a cost that is none");
    match reply.outcome {
        Outcome::Completed { writes, .. } => {
            let bytes: usize = writes.iter().map(|write| write.bytes.len()).sum();
            assert!(bytes as u64 <= limits.out, "{bytes} bytes of proposals");
            assert!(writes.len() <= limits.out_files, "{} proposals", writes.len());
            for write in writes {
                assert!(grants.allow(&write).is_ok(), "'{}' was not granted", write.path);
                assert!(
                    ProjectPath::writable(write.path.as_str()).is_ok(),
                    "'{}' may not be written",
                    write.path
                );
                assert!(!holds_secret(&write.bytes), "a proposal with what was not granted");
            }
        }
        Outcome::Waiting(question) => assert_harmless("a question", &question.prompt),
        Outcome::Failed(failure) => shown(&failure, &word),
        Outcome::Cancelled => panic!("nobody cancelled it"),
    }
}

/// A word that no program can contain: its own hash. What the guest logs behind it is a promise that was broken.
fn word(program: &[u8]) -> String {
    sha256(program)
}

fn said(heard: &[Notice], word: &str, limit: usize) {
    let mut bytes = 0;
    for notice in heard {
        let (Notice::Log { text, .. } | Notice::Progress(text)) = notice else { continue };
        assert!(!text.contains(word), "the guest tells: {text}");
        assert_harmless("a notice", text);
        assert!(!text.contains('\n'), "a notice of several lines");
        bytes += text.len();
    }
    // One line more says that the log is full.
    assert!(bytes <= limit + 200, "{bytes} bytes of log");
}

fn shown(failure: &Failure, word: &str) {
    let plain = failure.code.chars().all(|it| it.is_ascii_alphanumeric() || it == '-');
    assert!(plain && !failure.code.is_empty(), "a code for programs: {:?}", failure.code);
    assert!(!failure.message.trim().is_empty(), "a failure without words");
    assert!(!failure.message.contains(word), "the guest tells: {}", failure.message);
    assert!(!failure.message.contains("BUG"), "docket's own fault: {}", failure.message);
    assert!(failure.code != "component-invalid", "the guest can be run: {}", failure.message);
    for text in [&failure.message, failure.hint.as_ref().unwrap_or(&failure.code)] {
        assert_harmless("a failure", text);
        assert!(text.chars().count() <= LONGEST_TEXT, "a long failure: {} {text:.300}", failure.code);
    }
}

/// What files that no stage may read contain.
const SECRET: &[u8] = b"docket-fuzz-secret";

fn holds_secret(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window == SECRET)
}
