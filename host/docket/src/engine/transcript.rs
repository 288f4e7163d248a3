//! What the processes of a stage printed, for whoever wants to read it. Values of granted variables are masked in it only
//! once its attempt is over, so until then the files are only named.

use docket_core::run::{Refusal, RunState, StageState};
use schemars::JsonSchema;
use serde::Serialize;

use super::EngineError;
use crate::plugin::host::records;
use crate::store::run_folder::file_name;
use crate::store::{RunFolder, StoreError, journal};

/// How much of a stream is read.
const MOST: u64 = 16 * 1024 * 1024;
/// Streams, and the files they are kept in.
const STREAMS: [(&str, &str); 3] = [("said", "said.jsonl"), ("stdout", "stdout"), ("stderr", "stderr")];

/// What a process printed. Published as `docket schema transcript`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Transcript {
    /// The stage's name.
    pub stage: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// Which of its processes, from 1.
    pub process: u32,
    /// `stdout`, `stderr`, or `said` for what it was told line by line.
    pub stream: String,
    /// The file.
    pub file: String,
    /// What it holds; bytes that are not UTF-8 are replaced. Nothing while the attempt goes on.
    pub text: Option<String>,
    /// Whether there is more in the file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

/// Refuses a name that no stage of the run has.
///
/// # Errors
/// When there is none, with those there are.
pub fn require_stage(folder: &RunFolder, name: &str) -> Result<(), EngineError> {
    find(&journal::load_state(&folder.journal())?, name).map(drop)
}

/// What the processes of a stage printed: of every attempt, or of one.
///
/// # Errors
/// When there is no such stage, or a file can't be read.
pub fn of_stage(
    folder: &RunFolder,
    name: &str,
    attempt: Option<u32>,
) -> Result<Vec<Transcript>, EngineError> {
    let state = journal::load_state(&folder.journal())?;
    let stage = find(&state, name)?;
    let goes_on = |attempt: u32| stage.is_executing() && stage.attempt == attempt;
    let mut found = Vec::new();
    for process in records::find(folder.path()) {
        let is_wanted = attempt.is_none_or(|attempt| attempt == process.attempt);
        if process.stage != file_name(name) || !is_wanted {
            continue;
        }
        let number = process.path.file_name().and_then(|name| name.to_str());
        let number = number.and_then(|name| name.strip_prefix("process-")?.parse().ok()).unwrap_or(0);
        for (stream, file) in STREAMS {
            let path = process.path.join(file);
            if !path.is_file() {
                continue;
            }
            let read = || records::read(&path, MOST).map_err(StoreError::io("can't read", &path));
            let read = (!goes_on(process.attempt)).then(read).transpose()?;
            let is_cut = read.as_ref().is_some_and(|(_, is_cut)| *is_cut);
            found.push(Transcript {
                stage: name.to_owned(),
                attempt: process.attempt,
                process: number,
                stream: stream.to_owned(),
                file: path.display().to_string(),
                text: read.map(|(text, _)| text),
                is_cut,
            });
        }
    }
    // By number: the tenth comes after the second.
    found.sort_by_key(|transcript| (transcript.attempt, transcript.process));
    Ok(found)
}

fn find<'a>(state: &'a RunState, name: &str) -> Result<&'a StageState, EngineError> {
    state.stages.iter().find(|stage| stage.name == name).ok_or_else(|| {
        EngineError::Refused(Refusal::NoSuchStage {
            run: state.id().to_owned(),
            stage: name.to_owned(),
            stages: state.current_stages().map(|(_, stage)| stage.name.clone()).collect(),
        })
    })
}
