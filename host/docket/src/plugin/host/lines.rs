//! The lines of a file that a process writes while they are read, with the values in them masked that nobody may see.
//! Reads only.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use docket_core::secret::SecretStream;

/// Longest line that is given to a plugin; longer ones come in pieces. Agents print whole files as one line of JSON.
const MAX_LINE: usize = 4 * 1024 * 1024;
/// How much is read at once.
const READ: u64 = 1024 * 1024;

/// The lines of a file that grows, without what nobody may see.
pub(super) struct Lines {
    path: PathBuf,
    position: u64,
    /// What was read; of it, what lies before `start` was given, and before `searched` there is no line end.
    pending: Vec<u8>,
    start: usize,
    searched: usize,
    secrets: SecretStream,
    given: u64,
}

impl Lines {
    /// The lines of the file at this path, whether or not it is there yet.
    pub(super) fn new(path: PathBuf, secrets: SecretStream) -> Self {
        Self { path, position: 0, pending: Vec::new(), start: 0, searched: 0, secrets, given: 0 }
    }

    /// How many lines were given so far.
    pub(super) fn given(&self) -> u64 {
        self.given
    }

    /// The next whole line; at the end of the process, the last one even without a line end.
    pub(super) fn next(&mut self, last: bool) -> Option<String> {
        let mut end = self.line_end();
        while end.is_none() && self.pending.len() - self.start < MAX_LINE && self.read_more() {
            end = self.line_end();
        }
        let rest = self.pending.get(self.start..).unwrap_or_default();
        let (line, taken) = match end {
            Some(end) if end <= MAX_LINE => (rest.get(..end)?, end + 1),
            _ if rest.len() >= MAX_LINE => {
                let piece = whole_characters(rest.get(..MAX_LINE)?);
                (piece, piece.len())
            }
            _ if last && !rest.is_empty() => (rest, rest.len()),
            _ => return None,
        };
        let text = String::from_utf8_lossy(line);
        let text = self.secrets.line(text.strip_suffix('\r').unwrap_or(&text));
        self.start += taken;
        self.searched = self.searched.max(self.start);
        self.given += 1;
        Some(text)
    }

    /// How many bytes of what was not given come before the next line end.
    fn line_end(&mut self) -> Option<usize> {
        let unsearched = self.pending.get(self.searched..).unwrap_or_default();
        let found = unsearched.iter().position(|byte| *byte == b'\n').map(|place| self.searched + place);
        self.searched = found.unwrap_or(self.pending.len());
        found.map(|place| place - self.start)
    }

    /// Reads on; whether there was anything. What can't be read now is read the next time.
    fn read_more(&mut self) -> bool {
        // Only what has no line end yet is left, so moving it costs little.
        self.pending.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.position))?;
            file.take(READ).read_to_end(&mut self.pending)
        });
        let read = read.unwrap_or(0);
        self.position += read as u64;
        read > 0
    }
}

/// Bytes without a character that is cut off at their end (UTF-8, RFC 3629).
fn whole_characters(bytes: &[u8]) -> &[u8] {
    for back in 1..=bytes.len().min(3) {
        let length = match bytes[bytes.len() - back] {
            0x80..=0xbf => continue,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            _ => 1,
        };
        return if length > back { &bytes[..bytes.len() - back] } else { bytes };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use docket_core::secret::Secrets;

    use super::*;

    #[test]
    fn lines_come_whole_and_the_last_one_at_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("stdout");
        let mut lines = Lines::new(path.clone(), Secrets::default().stream());
        assert_eq!(lines.next(false), None);
        std::fs::write(&path, "one\r\ntw").expect("written");
        assert_eq!(lines.next(false).as_deref(), Some("one"));
        assert_eq!(lines.next(false), None);
        std::fs::write(&path, b"one\r\ntwo\n\xff\n\nend").expect("written");
        assert_eq!(lines.next(false).as_deref(), Some("two"));
        assert_eq!(lines.next(false).as_deref(), Some("\u{fffd}"));
        assert_eq!(lines.next(false).as_deref(), Some(""));
        assert_eq!(lines.next(false), None);
        assert_eq!(lines.next(true).as_deref(), Some("end"));
        assert_eq!(lines.next(true), None);
    }
    #[test]
    fn many_lines_and_very_long_ones_come_as_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("stdout");
        let short: String = (0..300_000).map(|number| format!("{number}\n")).collect();
        let long = "ä".repeat(MAX_LINE / 2 - 1);
        std::fs::write(&path, format!("{short}{long}\n-{long}ä\nend\n")).expect("written");
        let mut lines = Lines::new(path, Secrets::default().stream());
        for number in 0..300_000 {
            assert_eq!(lines.next(false), Some(number.to_string()));
        }
        assert_eq!(lines.next(false).as_deref(), Some(long.as_str()));
        // Longer by a byte than a line may be: its last character comes whole, too, in a piece of its own.
        assert_eq!(lines.next(false), Some(format!("-{long}")));
        assert_eq!(lines.next(false).as_deref(), Some("ä"));
        assert_eq!(lines.next(false).as_deref(), Some("end"));
        assert_eq!((lines.next(true), lines.given()), (None, 300_004));
    }

    #[test]
    fn pieces_end_between_characters() {
        for (text, whole) in [("aé", 3), ("a€", 4), ("a\u{10348}", 5), ("abc", 3)] {
            let bytes = text.as_bytes();
            assert_eq!(whole_characters(bytes).len(), whole);
            for cut in 2..bytes.len() {
                let expected = if text.is_char_boundary(cut) { cut } else { 1 };
                assert_eq!(whole_characters(&bytes[..cut]).len(), expected, "{text} cut at {cut}");
            }
        }
        assert_eq!(whole_characters(&[0xff, 0x80, 0x80, 0x80, 0x80]).len(), 5, "what is no UTF-8 goes on");
    }
}
