//! Masking line by line, where a value may begin in one line and end in another. Holds nothing back: a line that is
//! given is answered at once, so that nobody waits for what an agent said.

use super::Secrets;

/// So many bytes of a value at the end of a line are taken for its beginning. Fewer stay as they are: nearly every
/// line ends in a byte that some value begins with.
const RECOGNISED: usize = 3;

/// Lines in which values are masked, also when a line break lies within one.
#[derive(Debug, Clone)]
pub struct SecretStream {
    secrets: Secrets,
    /// The end of what came before, unmasked and without line breaks.
    before: Vec<u8>,
}

impl SecretStream {
    pub(super) fn new(secrets: Secrets) -> Self {
        Self { secrets, before: Vec::new() }
    }

    /// The next line, or piece of a line, masked. Its last bytes are masked, too, where a value could begin with them:
    /// the next line would show the rest.
    pub fn line(&mut self, line: &str) -> String {
        let Some(spellings) = &self.secrets.inner else { return line.to_owned() };
        let masked = spellings.masked(&self.before, line, true);
        self.before.extend(line.bytes().filter(|byte| !super::is_line_break(*byte)));
        let surplus = self.before.len().saturating_sub(spellings.longest);
        self.before.drain(..surplus);
        masked
    }
}

/// How much of a value's beginning stands at the end of a text, if it is enough to be recognised and not all of it.
pub(super) fn beginning(text: &[u8], value: &[u8]) -> Option<usize> {
    let most = text.len().min(value.len().saturating_sub(1));
    (RECOGNISED..=most).rev().find(|length| text.ends_with(&value[..*length]))
}
