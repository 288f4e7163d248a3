//! The lines of a file that a process writes while they are read, with the values in them masked that nobody may see.
//! Reads only.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use docket_core::secret::SecretStream;

/// Longest line that is given to a plugin; longer ones come in pieces.
const MAX_LINE: usize = 1024 * 1024;

/// The lines of a file that grows, without what nobody may see.
pub(super) struct Lines {
    path: PathBuf,
    position: u64,
    pending: Vec<u8>,
    secrets: SecretStream,
    given: u64,
}

impl Lines {
    /// The lines of the file at this path, whether or not it is there yet.
    pub(super) fn new(path: PathBuf, secrets: SecretStream) -> Self {
        Self { path, position: 0, pending: Vec::new(), secrets, given: 0 }
    }

    /// How many lines were given so far.
    pub(super) fn given(&self) -> u64 {
        self.given
    }

    /// The next whole line; at the end of the process, the last one even without a line end.
    pub(super) fn next(&mut self, last: bool) -> Option<String> {
        if !self.pending.contains(&b'\n') && self.pending.len() < MAX_LINE {
            // What can't be read now is read the next time.
            let _ = self.read_more();
        }
        let end = self.pending.iter().take(MAX_LINE).position(|byte| *byte == b'\n');
        let line: Vec<u8> = match end {
            Some(end) => {
                let mut line: Vec<u8> = self.pending.drain(..=end).collect();
                line.pop();
                line
            }
            None if self.pending.len() >= MAX_LINE => self.pending.drain(..MAX_LINE).collect(),
            None if last && !self.pending.is_empty() => std::mem::take(&mut self.pending),
            None => return None,
        };
        self.given += 1;
        let text = String::from_utf8_lossy(&line);
        Some(self.secrets.line(text.strip_suffix('\r').unwrap_or(&text)))
    }

    fn read_more(&mut self) -> std::io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.position))?;
        let read = file.take(MAX_LINE as u64).read_to_end(&mut self.pending)?;
        self.position += read as u64;
        Ok(())
    }
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
}
