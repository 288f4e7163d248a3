//! Journals: any bytes, and records of any content with a chain of hashes that fits.
//!
//! What holds: what is read has an unbroken chain, shown here by computing it anew; the survey finds no fault in exactly
//! those journals. What comes after the last whole record is left out, and reading the rest alone gives the same. What
//! is read leads to a state, and the run can be gone on with from there, whatever its records say.

use docket_core::definition::check;
use docket_core::run::{Event, Journal, JournalFault, NewRun, Tail, read, record_hashes, sha256, survey};
use serde_json::{Map, Value};

use crate::drive::Run;
use crate::sample::{Snapshot, at};

/// Most bytes that are looked at.
const LONGEST: usize = 256 * 1024;

/// Runs the target. The first byte says what the others are: 0 a journal as it is, else lines of records whose chain is
/// made to fit; the second chooses how a run is gone on with.
pub fn journal(data: &[u8]) {
    let [mode, choice, rest @ ..] = data else { return };
    if rest.len() > LONGEST {
        return;
    }
    let bytes = if mode.is_multiple_of(2) { rest.to_vec() } else { chained(rest) };
    let faults = survey(&bytes);
    match read(&bytes) {
        Ok(journal) => {
            assert!(faults.is_empty(), "read, but with faults: {faults:?}");
            sound(&bytes, &journal);
            goes_on(&bytes, &journal, *choice);
        }
        // One line that was cut short is no journal to read on from, and a damaged line to look at.
        Err(error) if error.fault == JournalFault::Empty => {
            assert_eq!(faults.first().map(|it| it.line), Some(1))
        }
        Err(error) => {
            assert_eq!(faults.first(), Some(&error), "refused for another reason than the first fault");
        }
    }
}

/// Lines of JSON as a journal: what each says, with the place and the hashes that make a chain.
fn chained(lines: &[u8]) -> Vec<u8> {
    let mut journal = Vec::new();
    let mut before = String::new();
    for (position, line) in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
        let Ok(said) = serde_json::from_slice::<Map<String, Value>>(line) else {
            journal.extend(line);
            journal.push(b'\n');
            continue;
        };
        let mut record = said;
        record.remove("hash");
        record.insert("seq".to_owned(), Value::from(position + 1));
        record.insert("prev".to_owned(), Value::from(before.as_str()));
        record.entry("format").or_insert(Value::from(2));
        let mut text = Value::Object(record).to_string();
        text.pop();
        before = sha256(text.as_bytes());
        journal.extend(format!("{text},\"hash\":\"{before}\"}}\n").into_bytes());
    }
    journal
}

/// Holds a journal that was read to its chain.
fn sound(bytes: &[u8], journal: &Journal) {
    let whole = match journal.tail {
        Tail::Clean => bytes.len(),
        Tail::Torn { sound } => sound,
    };
    let mut before = String::new();
    let mut lines = 0;
    for line in bytes[..whole].split_inclusive(|byte| *byte == b'\n') {
        let text = std::str::from_utf8(line).expect("a record is text");
        let (hashed, hash) = text.rsplit_once(",\"hash\":\"").expect("a record states its hash");
        let hash = hash.strip_suffix("\"}\n").expect("the hash is the end");
        assert_eq!(sha256(hashed.as_bytes()), hash, "a hash that does not fit was taken");
        let record: Value = serde_json::from_str(text).expect("a record is JSON");
        assert_eq!(record["prev"], before.as_str(), "a record that does not follow was taken");
        assert_eq!(record["seq"], lines + 1, "a record out of order was taken");
        before = hash.to_owned();
        lines += 1;
    }
    assert_eq!(lines, journal.records.len(), "as many records as lines");
    assert_eq!(before, journal.writer.head());
    assert_eq!(record_hashes(&bytes[..whole]).last().map(String::as_str), Some(journal.writer.head()));
    if whole < bytes.len() {
        let alone = read(&bytes[..whole]).expect("without its torn end it is a journal, too");
        assert_eq!((alone.tail, &alone.records), (Tail::Clean, &journal.records));
    }
    let mut longer = bytes[..whole].to_vec();
    let line = journal.writer.clone().line(at(1), &[Event::RunPaused]).expect("an event is JSON");
    longer.extend(line.into_bytes());
    assert_eq!(read(&longer).map(|longer| longer.records.len()), Ok(lines + 1), "it can be written on");
}

/// Folds what was read and goes on with it, if its first record, which docket seals, fits its definition.
fn goes_on(bytes: &[u8], journal: &Journal, choice: u8) {
    let state = journal.state().expect("a journal that was read leads to a state");
    assert_eq!(journal.state().as_ref(), Some(&state), "folded twice");
    let start: &NewRun = &state.start;
    let Ok(workflow) = check("definition.yml", &start.text, &Snapshot(start)) else { return };
    if workflow.stages.len() != start.stages.len() {
        return;
    }
    let whole = match journal.tail {
        Tail::Clean => bytes.len(),
        Tail::Torn { sound } => sound,
    };
    let choices: Vec<u8> =
        (0..24).map(|step| choice.wrapping_mul(31).wrapping_add(37_u8.wrapping_mul(step))).collect();
    let mut run = Run::go_on(&workflow, state, journal.writer.clone(), bytes[..whole].to_vec());
    run.drive(&[&[14][..], &choices].concat());
}
