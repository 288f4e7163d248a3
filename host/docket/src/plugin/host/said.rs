//! What was sent to a process in a dialogue, as it is kept in `said.jsonl` of its folder: one record per line that was
//! sent, and one for the end of its input. docket appends, the process's supervisor hands on what is there (see
//! [`super::pump`]), and a stage that runs again compares. Only whole records count: what a docket that died left of one
//! was handed to nobody.
//!
//! A record names how much of the process's output had been read when it was made, so that a replay can give no more
//! than that before it, and the hash of itself and the one before, so that a change can be seen.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use docket_core::run::sha256;
use docket_core::secret::Secrets;
use serde::{Deserialize, Serialize};

use super::child::Read;
use crate::disk::fault::{self, Point};

/// Longest line that may be sent, in bytes.
pub(super) const MAX_LINE: usize = 4 * 1024 * 1024;
/// Most bytes of records about one process. Also what an endless dialogue of tiny lines comes to.
pub(super) const MAX_SAID: u64 = 64 * 1024 * 1024;
/// Longest record that is read: a longest line, each byte of it escaped, and what stands around it.
const MAX_RECORD: u64 = 6 * MAX_LINE as u64 + 1024;

/// Something that was said to a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The line, without its end; `None` for the end of its input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<String>,
    /// How many lines of its standard output had been read.
    stdout: u64,
    /// The same of standard error.
    stderr: u64,
    /// SHA-256 of this record without its hash, behind that of the one before.
    hash: String,
}

impl Record {
    fn new(line: Option<String>, read: Read, before: &str) -> Self {
        let mut record = Self { line, stdout: read.stdout, stderr: read.stderr, hash: String::new() };
        record.hash = record.sealed(before);
        record
    }

    /// What had been read of the process's output when this was said.
    pub(super) fn read(&self) -> Read {
        Read { stdout: self.stdout, stderr: self.stderr }
    }

    fn sealed(&self, before: &str) -> String {
        let read = format!("{before} {} {} ", self.stdout, self.stderr);
        // What is no line begins otherwise than every line does here.
        let said = self.line.as_ref().map_or_else(|| "end".to_owned(), |line| format!("line {line}"));
        sha256((read + &said).as_bytes())
    }
}

/// The records of a file, one after the other; only whole ones, and at their end again when more was written.
#[derive(Debug)]
pub(super) struct Records {
    file: BufReader<File>,
    /// Where the last whole record ended.
    end: u64,
}

impl Records {
    /// Those of the file at this path.
    ///
    /// # Errors
    /// When it can't be opened.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufReader::new(File::open(path)?), end: 0 })
    }

    /// The next whole record, if there is one by now.
    ///
    /// # Errors
    /// When the file can't be read, or has something in it that docket did not write.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        let mut text = Vec::new();
        self.file.by_ref().take(MAX_RECORD).read_until(b'\n', &mut text)?;
        if text.last() != Some(&b'\n') {
            if text.len() as u64 == MAX_RECORD {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a record is too long"));
            }
            // What was read of a record that is not whole may still be cut off: it is read again. Seeking also forgets
            // what was read ahead.
            self.file.seek(SeekFrom::Start(self.end))?;
            return Ok(None);
        }
        let record = serde_json::from_slice(&text)?;
        self.end += text.len() as u64;
        Ok(Some(record))
    }
}

/// What is said to a process, by a stage that may run for the first time or again.
#[derive(Debug)]
pub(super) struct Said {
    records: Records,
    file: File,
    /// What an earlier attempt said at this point, before docket died.
    upcoming: Option<Record>,
    /// The hash of the last record that was said.
    hash: String,
    is_finished: bool,
    /// Whether a part of a record may stand at the end of the file.
    is_torn: bool,
}

impl Said {
    /// Makes the file, empty, if it is not there.
    ///
    /// # Errors
    /// When it can't be made.
    pub(super) fn create(path: &Path) -> io::Result<()> {
        options().create(true).open(path).map(|_| ())
    }

    /// Takes up what was said so far, from its beginning.
    ///
    /// # Errors
    /// When the file can't be opened, or holds what docket did not write.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = options().open(path)?;
        let records = Records::open(path)?;
        let mut said =
            Self { records, file, upcoming: None, hash: String::new(), is_finished: false, is_torn: false };
        said.look_ahead()?;
        Ok(said)
    }

    /// What an earlier attempt said next. `None` when this one is the first to get here.
    pub(super) fn upcoming(&self) -> Option<&Record> {
        self.upcoming.as_ref()
    }

    /// Whether the end of the input was said.
    pub(super) fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Goes past what an earlier attempt said.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(super) fn repeat(&mut self) -> io::Result<()> {
        if let Some(record) = self.upcoming.take() {
            self.is_finished = record.line.is_none();
            self.hash = record.hash;
            self.look_ahead()?;
        }
        Ok(())
    }

    /// Says something for the first time.
    ///
    /// # Errors
    /// When it can't be written, or there is no more room for it; nothing is said then.
    pub(super) fn say(&mut self, line: Option<&str>, read: Read) -> io::Result<()> {
        let record = Record::new(line.map(str::to_owned), read, &self.hash);
        let mut text = serde_json::to_vec(&record)?;
        text.push(b'\n');
        let end = self.records.end + text.len() as u64;
        // The end of the input is said even then.
        if end > MAX_SAID && line.is_some() {
            return Err(io::Error::other(format!(
                "no more than {} MiB can be sent to one process",
                MAX_SAID / 1024 / 1024
            )));
        }
        if self.is_torn {
            self.cut()?;
        }
        // A record is needed only as long as the process lives, so that a machine that loses its power loses nothing
        // with it.
        if let Err(cause) = fault::write(Point::DialogueWrite, &self.file, &text) {
            self.is_torn = true;
            // Else it is cut off before the next one.
            let _ = self.cut();
            return Err(cause);
        }
        self.records.end = end;
        self.is_finished = line.is_none();
        self.hash = record.hash;
        Ok(())
    }

    /// Reads what comes next; at the end, whatever is no whole record is cut off.
    fn look_ahead(&mut self) -> io::Result<()> {
        self.upcoming = self.records.next()?;
        if self.upcoming.is_none() { self.cut() } else { Ok(()) }
    }

    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.records.end)?;
        self.is_torn = false;
        Ok(())
    }
}

/// Only the user may read what is said.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).mode(0o600);
    options
}

/// Looks over a file of records: what is wrong with it, in words that go on from its name.
pub(super) fn look_over(path: &Path) -> Result<(), String> {
    let mut records = Records::open(path).map_err(|cause| format!("can't be read: {cause}"))?;
    let (mut hash, mut count, mut is_finished) = (String::new(), 0_u64, false);
    loop {
        let place = count + 1;
        let record = match records.next() {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(()),
            Err(cause) => return Err(format!("is not what docket writes in line {place}: {cause}")),
        };
        if record.sealed(&hash) != record.hash {
            return Err(format!("does not fit its hash in line {place}"));
        }
        if is_finished {
            return Err(format!("goes on after its end in line {place}"));
        }
        (hash, count, is_finished) = (record.hash, place, record.line.is_none());
    }
}

/// The records of a file with values masked, as text; `None` when there is nothing to mask. They are whole records of
/// their own: their hashes are those of what they say now.
pub(super) fn masked(path: &Path, secrets: &Secrets) -> io::Result<Option<String>> {
    let mut records = Records::open(path)?;
    let mut stream = secrets.stream();
    let (mut text, mut hash, mut has_value) = (String::new(), String::new(), false);
    while let Some(record) = records.next()? {
        let line = record.line.as_deref().map(|line| stream.line(line));
        has_value |= line != record.line;
        let masked = Record::new(line, record.read(), &hash);
        text.push_str(&serde_json::to_string(&masked)?);
        text.push('\n');
        hash = masked.hash;
    }
    Ok(has_value.then_some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Read = Read { stdout: 2, stderr: 1 };

    fn file() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("said.jsonl");
        Said::create(&path).expect("created");
        (folder, path)
    }

    fn lines(path: &Path) -> Vec<Option<String>> {
        let mut records = Records::open(path).expect("there");
        std::iter::from_fn(|| records.next().expect("readable")).map(|record| record.line).collect()
    }

    #[test]
    fn what_was_said_is_met_again_and_then_goes_on() {
        let (_folder, path) = file();
        let mut said = Said::open(&path).expect("opened");
        said.say(Some("one"), Read::default()).expect("said");
        said.say(Some("two \u{2028} \"quoted\""), READ).expect("said");
        drop(said);
        let mut again = Said::open(&path).expect("opened");
        assert_eq!(again.upcoming().and_then(|record| record.line.as_deref()), Some("one"));
        again.repeat().expect("read");
        assert_eq!(again.upcoming().map(Record::read), Some(READ));
        again.repeat().expect("read");
        assert_eq!(again.upcoming(), None);
        again.say(Some("three"), READ).expect("said");
        again.say(None, READ).expect("said");
        assert!(again.is_finished());
        let texts: Vec<_> = lines(&path).into_iter().map(|line| line.unwrap_or("the end".into())).collect();
        assert_eq!(texts, ["one", "two \u{2028} \"quoted\"", "three", "the end"]);
        assert_eq!(look_over(&path), Ok(()));
    }

    #[test]
    fn what_is_no_whole_record_is_cut_off_and_handed_to_nobody() {
        let (_folder, path) = file();
        let mut said = Said::open(&path).expect("opened");
        said.say(Some("one"), READ).expect("said");
        let whole = std::fs::read(&path).expect("readable");
        said.say(Some("two"), READ).expect("said");
        let both = std::fs::read(&path).expect("readable");
        for cut in whole.len()..both.len() {
            std::fs::write(&path, &both[..cut]).expect("written");
            assert_eq!(lines(&path), [Some("one".to_owned())]);
            let mut again = Said::open(&path).expect("opened");
            again.repeat().expect("read");
            assert_eq!(again.upcoming(), None);
            again.say(Some("two"), READ).expect("said");
            assert_eq!(std::fs::read(&path).expect("readable"), both, "cut at {cut}");
        }
    }

    #[test]
    fn a_reader_goes_on_where_it_stopped() {
        let (_folder, path) = file();
        let mut said = Said::open(&path).expect("opened");
        let mut records = Records::open(&path).expect("opened");
        assert_eq!(records.next().expect("readable"), None);
        for line in ["one", "two"] {
            said.say(Some(line), READ).expect("said");
            assert_eq!(
                records.next().expect("readable").and_then(|record| record.line).as_deref(),
                Some(line)
            );
            assert_eq!(records.next().expect("readable"), None);
        }
    }

    #[test]
    fn no_more_than_there_is_room_for_is_said_but_the_end_is() {
        let (_folder, path) = file();
        let mut said = Said::open(&path).expect("opened");
        let line = "x".repeat(MAX_LINE);
        let mut count = 0;
        while said.say(Some(&line), READ).is_ok() {
            count += 1;
            assert!(count <= 16, "there is no end");
        }
        assert_eq!(count, 15);
        said.say(None, READ).expect("the end can be said");
        assert_eq!(look_over(&path), Ok(()));
    }

    #[test]
    fn every_change_is_found() {
        let (_folder, path) = file();
        let mut said = Said::open(&path).expect("opened");
        for line in ["one", "two", "three"] {
            said.say(Some(line), READ).expect("said");
        }
        let text = std::fs::read_to_string(&path).expect("readable");
        let mut without: Vec<&str> = text.lines().collect();
        without.remove(1);
        for changed in [
            text.replace("two", "too"),
            text.replacen("\"stdout\":2", "\"stdout\":3", 1),
            without.join("\n") + "\n",
            text.replace("\"line\":\"two\",", ""),
            format!("{text}garbage\n"),
        ] {
            std::fs::write(&path, &changed).expect("written");
            assert!(look_over(&path).is_err(), "{changed}");
        }
    }

    #[test]
    fn masked_records_are_sound_and_say_when_there_was_nothing() {
        let (_folder, path) = file();
        let mut said = Said::open(&path).expect("opened");
        for line in ["a", "key hidden-value", "b"] {
            said.say(Some(line), READ).expect("said");
        }
        let secrets = Secrets::new([("K", "hidden-value")]);
        assert_eq!(masked(&path, &Secrets::new([("K", "other-value")])).expect("readable"), None);
        let text = masked(&path, &secrets).expect("readable").expect("a value");
        std::fs::write(&path, text).expect("written");
        assert_eq!(lines(&path)[1].as_deref(), Some("key •••[K]"));
        assert_eq!(look_over(&path), Ok(()));
    }
}
