//! Masking line by line, where a value may begin in one line and end in another. Holds nothing back: a line that is
//! given is answered at once, so that nobody waits for what an agent said.

use super::Secrets;
use super::pieces::Pieces;

/// So many bytes of a value at the end of a line are taken for its beginning. Fewer stay as they are: nearly every
/// line ends in a byte that some value begins with.
const RECOGNISED: usize = 3;

/// Lines in which values are masked, also when a line break lies within one, or when it comes in pieces in the texts of
/// one JSON object after the other.
#[derive(Debug, Clone)]
pub struct SecretStream {
    secrets: Secrets,
    /// The end of what came before, unmasked and without line breaks.
    before: Vec<u8>,
    /// So many bytes are taken for the beginning of a value.
    recognised: usize,
    /// For lines that are JSON; none within such a line.
    pieces: Option<Box<Pieces>>,
}

impl SecretStream {
    pub(super) fn new(secrets: Secrets) -> Self {
        Self { pieces: Some(Box::default()), ..Self::plain(secrets, RECOGNISED) }
    }

    /// Lines that are no JSON.
    pub(super) fn plain(secrets: Secrets, recognised: usize) -> Self {
        Self { secrets, before: Vec::new(), recognised, pieces: None }
    }

    /// The next line, or piece of a line, masked. Its last bytes are masked, too, where a value could begin with them:
    /// the next line would show the rest.
    pub fn line(&mut self, line: &str) -> String {
        let Some(spellings) = &self.secrets.inner else { return line.to_owned() };
        let masked = spellings.masked(&self.before, line, Some(self.recognised));
        self.before.extend(line.bytes().filter(|byte| !super::is_line_break(*byte)));
        let surplus = self.before.len().saturating_sub(spellings.longest);
        self.before.drain(..surplus);
        let in_pieces = self.pieces.as_mut().and_then(|pieces| pieces.line(&self.secrets, &masked));
        in_pieces.unwrap_or(masked)
    }
}

/// How much of a value's beginning stands at the end of a text, if it is at least so much and not all of it.
pub(super) fn beginning(text: &[u8], value: &[u8], least: usize) -> Option<usize> {
    let most = text.len().min(value.len().saturating_sub(1));
    (least..=most).rev().find(|length| text.ends_with(&value[..*length]))
}
