//! The journal's format: one line of JSON per record, each chained to the one before by SHA-256.
//!
//! A record is one transition: its events happened together or not at all. A line is
//! `{"format":2,"seq":…,"at":…,"prev":…,"events":[…],"hash":…}`, where `hash` is the SHA-256 of the line's bytes
//! up to the comma before `"hash"`, and `prev` is the hash of the line before (empty for the first). Bytes go in
//! and come out; files are the host's.
//!
//! Format 2 has more kinds of events than format 1 (matrix items, work sent back, retries); a journal may begin with
//! records of format 1 and go on with those of format 2.

use serde::{Deserialize, Serialize};

use super::{Event, RunState, sha256};
use crate::Timestamp;

/// The version of the format this docket reads and writes.
pub const FORMAT: u32 = 2;

/// What stands between the hashed part of a line and its hash, and what ends a line.
pub(super) const HASH_KEY: &str = ",\"hash\":\"";
pub(super) const LINE_END: &str = "\"}\n";
/// Characters of a SHA-256 in hexadecimal.
const HASH_LENGTH: usize = 64;

/// One transition of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its place, from 1.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub events: Vec<Event>,
}

/// A journal that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    /// Its records; never empty.
    pub records: Vec<Record>,
    /// Where to go on writing.
    pub writer: Writer,
    /// What comes after the last whole record.
    pub tail: Tail,
}

/// What comes after the last whole record of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    Clean,
    /// A record that was not wholly written when docket or the machine died. Its transition did not happen; the
    /// bytes from here on are to be cut off before the next record is written.
    Torn {
        /// Length of the sound part in bytes.
        sound: usize,
    },
}

/// Makes lines that continue a journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Writer {
    seq: u64,
    prev: String,
}

/// Why a journal can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct JournalError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: JournalFault,
}

/// What is wrong with a journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalFault {
    /// There is no whole record.
    #[error("no whole record")]
    Empty,
    /// Written by a newer docket.
    #[error(
        "format {0} is newer than this docket reads ({FORMAT}); use the docket that wrote it, or a newer one"
    )]
    Newer(u32),
    /// The hash does not fit the text.
    #[error("the record was changed after it was written (its hash does not fit)")]
    Hash,
    /// The record does not follow the one before.
    #[error("the record does not follow the one before; a record is missing, doubled or out of order")]
    Chain,
    /// Not a record.
    #[error("not a record: {0}")]
    Unreadable(String),
    /// The first record does not create a run, or a later one does.
    #[error("the journal does not begin with the start of a run, or begins twice")]
    Start,
    /// An event names a stage that the run does not have.
    #[error("an event names a stage that the run does not have")]
    Stage,
}

#[derive(Serialize)]
struct Line<'a> {
    format: u32,
    seq: u64,
    at: Timestamp,
    prev: &'a str,
    events: &'a [Event],
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

#[derive(Deserialize)]
pub(super) struct ReadLine {
    pub(super) seq: u64,
    at: Timestamp,
    prev: String,
    events: Vec<Event>,
}

impl ReadLine {
    /// Whether the line comes right after this one.
    pub(super) fn follows(&self, before: &Writer) -> bool {
        self.seq == before.seq + 1 && self.prev == before.prev
    }

    /// The record it holds.
    pub(super) fn record(self) -> Record {
        Record { seq: self.seq, at: self.at, events: self.events }
    }
}

impl Writer {
    /// A writer that would go on after this line.
    pub(super) fn after(seq: u64, hash: String) -> Self {
        Self { seq, prev: hash }
    }

    /// The place of the last record, from 1; 0 before the first.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Makes the line for the next record, with its line end.
    ///
    /// # Errors
    /// When an event can't be written as JSON, which no event can be the cause of: a bug.
    pub fn line(&mut self, at: Timestamp, events: &[Event]) -> Result<String, serde_json::Error> {
        let line = Line { format: FORMAT, seq: self.seq + 1, at, prev: &self.prev, events };
        let mut text = serde_json::to_string(&line)?;
        text.pop();
        let hash = sha256(text.as_bytes());
        text.push_str(HASH_KEY);
        text.push_str(&hash);
        text.push_str(LINE_END);
        self.seq += 1;
        self.prev = hash;
        Ok(text)
    }

    /// The hash of the last record: what an outside witness needs to keep to notice a rewritten journal.
    pub fn head(&self) -> &str {
        &self.prev
    }
}

/// Reads a journal. Only the very last line may be incomplete.
///
/// # Errors
/// The first line that can't be trusted, and why.
pub fn read(bytes: &[u8]) -> Result<Journal, JournalError> {
    let mut records = Vec::new();
    let mut writer = Writer::default();
    let mut tail = Tail::Clean;
    let mut position = 0;
    let mut stages = 0;
    while position < bytes.len() {
        let line = records.len() + 1;
        let error = |fault| JournalError { line, fault };
        let end = bytes[position..].iter().position(|byte| *byte == b'\n').map(|found| position + found + 1);
        let is_last = end.is_none_or(|end| end == bytes.len());
        match end.ok_or(JournalFault::Hash).and_then(|end| record(&bytes[position..end], &writer)) {
            Ok((record, hash)) => {
                check_events(&records, &record, &mut stages).map_err(error)?;
                writer = Writer { seq: record.seq, prev: hash };
                records.push(record);
            }
            // A write that was cut short, or whose blocks reached the disk in part. A line with a sound hash is
            // never torn, so a newer format or a broken chain at the end is still refused.
            Err(JournalFault::Hash) if is_last && !holds_whole_record(&bytes[position..]) => {
                tail = Tail::Torn { sound: position };
                break;
            }
            Err(fault) => return Err(error(fault)),
        }
        position = end.unwrap_or(bytes.len());
    }
    if records.is_empty() {
        return Err(JournalError { line: 1, fault: JournalFault::Empty });
    }
    Ok(Journal { records, writer, tail })
}

/// Whether more than one byte comes after a whole record. A torn write ends before its record does, so what looks
/// like one is then two records whose line end was changed.
pub(super) fn holds_whole_record(line: &[u8]) -> bool {
    let end = LINE_END.trim_end().as_bytes();
    let key = HASH_KEY.as_bytes();
    let keys = line.windows(key.len()).enumerate().filter(|(_, window)| *window == key);
    keys.map(|(start, _)| start).any(|start| {
        let rest = &line[start + key.len()..];
        let Some(hash) = rest.get(..HASH_LENGTH) else { return false };
        let after = &rest[HASH_LENGTH..];
        after.starts_with(end) && after.len() > end.len() + 1 && sha256(&line[..start]).as_bytes() == hash
    })
}

fn record(line: &[u8], before: &Writer) -> Result<(Record, String), JournalFault> {
    let (line, hash) = sound_line(line)?;
    if !line.follows(before) {
        return Err(JournalFault::Chain);
    }
    Ok((line.record(), hash))
}

/// A line whose hash fits its text, with that hash. Whether it follows the one before is not looked at.
pub(super) fn sound_line(line: &[u8]) -> Result<(ReadLine, String), JournalFault> {
    let text = std::str::from_utf8(line).map_err(|_| JournalFault::Hash)?;
    let (body, rest) = text.rsplit_once(HASH_KEY).ok_or(JournalFault::Hash)?;
    let hash = rest.strip_suffix(LINE_END).ok_or(JournalFault::Hash)?;
    if sha256(body.as_bytes()) != hash {
        return Err(JournalFault::Hash);
    }
    let body = format!("{body}}}");
    let unreadable = |cause: serde_json::Error| JournalFault::Unreadable(cause.to_string());
    let version: Version = serde_json::from_str(&body).map_err(unreadable)?;
    if version.format > FORMAT {
        return Err(JournalFault::Newer(version.format));
    }
    Ok((serde_json::from_str(&body).map_err(unreadable)?, hash.to_owned()))
}

/// Holds events to what [`RunState::apply`] takes for granted. `stages` is how many stages the run can have so far, items
/// of matrices included.
pub(super) fn check_events(
    before: &[Record],
    record: &Record,
    stages: &mut usize,
) -> Result<(), JournalFault> {
    let creates = |event: &Event| matches!(event, Event::RunCreated(_));
    let first = before.is_empty();
    let starts_well = record.events.first().is_some_and(creates) == first;
    if !starts_well || record.events.iter().skip(1).any(creates) {
        return Err(JournalFault::Start);
    }
    if let Some(Event::RunCreated(start)) = record.events.first() {
        *stages = start.stages.len();
    }
    for event in &record.events {
        if event.stage().is_some_and(|stage| stage >= *stages) {
            return Err(JournalFault::Stage);
        }
        if let Event::StageExpanded { items, .. } = event {
            *stages += items.len();
        }
    }
    Ok(())
}

impl Event {
    /// The position of the stage it is about.
    pub fn stage(&self) -> Option<usize> {
        match self {
            Self::StageStarted { stage, .. }
            | Self::StageCompleted { stage, .. }
            | Self::StageWaiting { stage, .. }
            | Self::StageFailed { stage, .. }
            | Self::StageSkipped { stage, .. }
            | Self::StageExpanded { stage, .. }
            | Self::StageGathered { stage }
            | Self::StageSentBack { stage, .. }
            | Self::ChangesApplied { stage }
            | Self::ChangesConflicted { stage, .. } => Some(*stage),
            _ => None,
        }
    }
}

impl Journal {
    /// Folds the records into the state they lead to. `None` only for a journal that was not made by [`read`].
    pub fn state(&self) -> Option<RunState> {
        let first = self.records.first()?;
        let Some(Event::RunCreated(start)) = first.events.first() else { return None };
        let mut state = RunState::new((**start).clone(), first.at);
        for record in &self.records {
            for event in &record.events {
                state.apply(event, record.at);
            }
        }
        Some(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Actor, NewRun, RunOptions};

    fn at() -> Timestamp {
        "2026-01-02T03:04:05Z".parse().expect("a time")
    }

    fn created() -> Event {
        Event::RunCreated(Box::new(NewRun {
            run: "wf-1".into(),
            definition: "d".into(),
            workflow: "D".into(),
            origin: "built-in".into(),
            text: "name: D, with \",\\\"hash\\\":\\\"\" in it".into(),
            templates: [].into(),
            schemas: [].into(),
            stage_types: vec![],
            launchers: vec![],
            idle_launchers: vec![],
            stages: vec!["only".into()],
            inputs: [].into(),
            date: "2026-01-02".into(),
            options: RunOptions::default(),
            docket: "0.1.0".into(),
            by: Actor { user: "me".into(), process: 1, client: None },
            workflows: [].into(),
            parent: None,
            seal: String::new(),
        }))
    }

    fn journal() -> (Vec<u8>, Vec<usize>) {
        let mut writer = Writer::default();
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for events in [
            vec![created(), Event::StageStarted { stage: 0, attempt: 1, child: None }],
            vec![Event::StageSkipped { stage: 0, reason: "ü".into() }],
            vec![Event::RunCompleted { outputs: [].into() }],
        ] {
            bytes.extend(writer.line(at(), &events).expect("JSON").into_bytes());
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    #[test]
    fn what_was_written_is_read() {
        let (bytes, _) = journal();
        let journal = read(&bytes).expect("a sound journal");
        assert_eq!(journal.records.len(), 3);
        assert_eq!(journal.tail, Tail::Clean);
        assert_eq!(journal.state().expect("a state").status.name(), "completed");
        let mut writer = journal.writer;
        let more = writer.line(at(), &[Event::RunPaused]).expect("JSON");
        assert_eq!(read(&[bytes, more.into_bytes()].concat()).expect("still sound").records.len(), 4);
    }

    #[test]
    fn cut_anywhere_in_the_last_record_the_rest_stands() {
        let (bytes, ends) = journal();
        for length in ends[1] + 1..ends[2] {
            let journal = read(&bytes[..length]).expect("the first two records stand");
            assert_eq!((journal.records.len(), journal.tail), (2, Tail::Torn { sound: ends[1] }), "{length}");
        }
        for length in 0..ends[0] {
            assert_eq!(read(&bytes[..length]).expect_err("no record").fault, JournalFault::Empty, "{length}");
        }
    }

    #[test]
    fn every_changed_byte_before_the_last_record_is_noticed() {
        let (bytes, ends) = journal();
        for position in 0..ends[1] {
            let mut changed = bytes.clone();
            changed[position] ^= 1;
            assert!(read(&changed).is_err(), "{position}");
        }
    }

    #[test]
    fn removed_doubled_and_swapped_records_are_noticed() {
        let (bytes, ends) = journal();
        let (one, two, three) = (&bytes[..ends[0]], &bytes[ends[0]..ends[1]], &bytes[ends[1]..]);
        for broken in [[one, three].concat(), [one, two, two, three].concat(), [one, three, two].concat()] {
            assert_eq!(read(&broken).expect_err("broken").fault, JournalFault::Chain);
        }
        assert!(read(&[two, three].concat()).is_err());
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let text = format!("{{\"format\":{},\"seq\":1,\"surprise\":true", FORMAT + 1);
        let line = format!("{text}{HASH_KEY}{}{LINE_END}", sha256(text.as_bytes()));
        assert_eq!(read(line.as_bytes()).expect_err("newer").fault, JournalFault::Newer(FORMAT + 1));
    }
}
