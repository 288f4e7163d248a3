//! A journal's faults, all of them: for `docket workflow verify`, which tells what is wrong and not only that
//! something is. Must not be used to go on with a run: that takes [`super::read`], which believes nothing after the
//! first fault.

use super::journal::{HASH_KEY, LINE_END, Writer, check_events, holds_whole_record, sound_line};
use super::{JournalError, JournalFault};

/// Every line of a journal that can't be trusted, in order; empty exactly when [`super::read`] takes the journal. A
/// torn last line is none. A line that was changed counts once: the next one is held to the hash it states.
pub fn survey(bytes: &[u8]) -> Vec<JournalError> {
    let mut faults = Vec::new();
    let mut records = Vec::new();
    let mut writer = Writer::default();
    let mut position = 0;
    let mut number = 0;
    let mut stages = 0;
    while position < bytes.len() {
        number += 1;
        let end = bytes[position..].iter().position(|byte| *byte == b'\n').map(|found| position + found + 1);
        let is_last = end.is_none_or(|end| end == bytes.len());
        let line = &bytes[position..end.unwrap_or(bytes.len())];
        let looked = end.ok_or(JournalFault::Hash).and_then(|_| sound_line(line));
        match looked {
            Ok((read, hash)) => {
                if !read.follows(&writer) {
                    faults.push(JournalError { line: number, fault: JournalFault::Chain });
                }
                writer = Writer::after(read.seq, hash);
                let record = read.record();
                // Without the first record nothing is known that events could be held to.
                if (number == 1 || !records.is_empty())
                    && let Err(fault) = check_events(&records, &record, &mut stages)
                {
                    faults.push(JournalError { line: number, fault });
                }
                if number == 1 || !records.is_empty() {
                    records.push(record);
                }
            }
            Err(JournalFault::Hash) if is_last && number > 1 && !holds_whole_record(line) => break,
            Err(fault) => {
                faults.push(JournalError { line: number, fault });
                writer = Writer::after(writer.seq() + 1, stated_hash(line).unwrap_or_default());
            }
        }
        position = end.unwrap_or(bytes.len());
    }
    if number == 0 {
        faults.push(JournalError { line: 1, fault: JournalFault::Empty });
    }
    faults
}

/// The hashes of a journal's whole lines, as they state them, in order: the place of a hash among them is the record
/// that had it as its head. Only worth something for a journal that [`super::read`] takes.
pub fn record_hashes(bytes: &[u8]) -> Vec<String> {
    bytes.split_inclusive(|byte| *byte == b'\n').map_while(stated_hash).collect()
}

fn stated_hash(line: &[u8]) -> Option<String> {
    let (_, rest) = std::str::from_utf8(line).ok()?.rsplit_once(HASH_KEY)?;
    Some(rest.strip_suffix(LINE_END)?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::run::{Actor, Event, NewRun, RunOptions, Tail, read};

    fn journal() -> (Vec<u8>, Vec<usize>) {
        let at: Timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
        let created = Event::RunCreated(Box::new(NewRun {
            run: "wf-1".into(),
            definition: "d".into(),
            workflow: "D".into(),
            origin: "built-in".into(),
            text: "name: D".into(),
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
        }));
        let mut writer = Writer::default();
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for events in [
            vec![created, Event::StageStarted { stage: 0, attempt: 1, child: None }],
            vec![Event::RunPaused],
            vec![Event::StageSkipped { stage: 0, reason: "no".into() }],
            vec![Event::RunCompleted { outputs: [].into() }],
        ] {
            bytes.extend(writer.line(at, &events).expect("JSON").into_bytes());
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    #[test]
    fn a_sound_journal_has_no_faults_and_a_hash_per_record() {
        let (bytes, _) = journal();
        assert_eq!(survey(&bytes), []);
        let hashes = record_hashes(&bytes);
        assert_eq!(hashes.len(), 4);
        assert_eq!(hashes[3], read(&bytes).expect("sound").writer.head());
    }

    #[test]
    fn it_agrees_with_the_reader_on_every_changed_byte_and_every_length() {
        let (bytes, _) = journal();
        for position in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= 1;
            assert_eq!(survey(&changed).is_empty(), read(&changed).is_ok(), "changed at {position}");
            assert_eq!(
                survey(&bytes[..position]).is_empty(),
                read(&bytes[..position]).is_ok(),
                "cut at {position}"
            );
        }
    }

    #[test]
    fn every_fault_is_told_once() {
        let (mut bytes, ends) = journal();
        bytes[ends[0] + 30] ^= 1;
        bytes[ends[1] + 30] ^= 1;
        let faults: Vec<(usize, JournalFault)> =
            survey(&bytes).into_iter().map(|error| (error.line, error.fault)).collect();
        assert_eq!(faults, [(2, JournalFault::Hash), (3, JournalFault::Hash)]);
        let (bytes, ends) = journal();
        let missing = [&bytes[..ends[0]], &bytes[ends[1]..]].concat();
        let faults = survey(&missing);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!((faults[0].line, &faults[0].fault), (2, &JournalFault::Chain));
    }

    #[test]
    fn a_torn_end_is_no_fault() {
        let (bytes, ends) = journal();
        let torn = &bytes[..ends[3] - 5];
        assert_eq!(survey(torn), []);
        assert_eq!(read(torn).expect("sound so far").tail, Tail::Torn { sound: ends[2] });
        assert_eq!(record_hashes(torn).len(), 3);
    }
}
