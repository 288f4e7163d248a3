//! Keeping the values of granted variables out of what is kept and shown: each value, in the spellings programs print
//! it in, is replaced by a mark with the variable's name. Pure text: what is masked, and where, is the caller's matter.
//!
//! This guards against accidents (an agent that prints its environment, a client that quotes the header it sent), not
//! against a program that means to hide a value: any cipher of its own goes through.

mod pieces;
mod spelling;
mod stream;

use std::sync::Arc;

use aho_corasick::AhoCorasick;
use serde_json::Value;

pub use stream::SecretStream;

/// Values with fewer bytes are not masked: they would be found in harmless words, and each mark would give them away.
pub const SHORTEST: usize = 6;
/// So many bytes of a value at the end of a text that was cut are taken for its beginning.
const CUT: usize = 4;

/// The values that must not be seen, ready to be looked for. A copy costs nothing.
#[derive(Clone, Default)]
pub struct Secrets {
    inner: Option<Arc<Spellings>>,
}

struct Spellings {
    search: AhoCorasick,
    /// Each spelling with the name of its variable, in the order the search knows them.
    spellings: Vec<(Vec<u8>, String)>,
    /// Bytes of the longest spelling.
    longest: usize,
}

/// A part of a text that is to be masked: bytes from, bytes to, and which spelling it is.
type Span = (usize, usize, usize);

impl Secrets {
    /// Looks for the values of these variables: name and value. A value is taken without the white space around it, and
    /// is left alone when it has fewer than [`SHORTEST`] bytes.
    pub fn new<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut spellings: Vec<(Vec<u8>, String)> = Vec::new();
        for (name, value) in variables {
            let value = value.trim();
            if value.len() < SHORTEST {
                continue;
            }
            for spelling in spelling::all(value) {
                if spelling.len() >= SHORTEST && !spellings.iter().any(|(known, _)| *known == spelling) {
                    spellings.push((spelling, name.to_owned()));
                }
            }
        }
        let longest = spellings.iter().map(|(spelling, _)| spelling.len()).max().unwrap_or(0);
        // The search refuses only more than 2^31 patterns or bytes, which no environment holds.
        let search = AhoCorasick::new(spellings.iter().map(|(spelling, _)| spelling)).ok();
        let search = search.filter(|_| !spellings.is_empty());
        Self { inner: search.map(|search| Arc::new(Spellings { search, spellings, longest })) }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.inner.is_none()
    }

    /// The text with every value replaced by `•••[NAME]`. Line breaks within a value do not hide it, and stay.
    pub fn mask(&self, text: &str) -> String {
        match &self.inner {
            None => text.to_owned(),
            Some(spellings) => spellings.masked(&[], text, None),
        }
    }

    /// As [`Self::mask`], for a text whose lines may have been cut: what could be the beginning of a value is masked at
    /// the end of each line, too.
    pub fn mask_cut(&self, text: &str) -> String {
        let Some(spellings) = &self.inner else { return text.to_owned() };
        // Whole values first: of one that goes on over a line break nothing is left then.
        let whole = self.mask(text);
        let lines = whole.split('\n').map(|line| spellings.masked(&[], line, Some(CUT)));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// A transcript with every value masked, in lines of JSON also one that comes in pieces: what an agent says in
    /// parts, each in a line of its own.
    pub fn mask_transcript(&self, text: &str) -> String {
        match &self.inner {
            None => text.to_owned(),
            Some(_) => pieces::mask(self, &self.mask(text)),
        }
    }

    /// Masks every text of a value in place, the names of fields included. A value may begin in one text of a list and
    /// end in a later one.
    pub fn mask_json(&self, value: &mut Value) {
        if self.is_empty() {
            return;
        }
        match value {
            Value::String(text) => *text = self.mask(text),
            Value::Array(items) => {
                items.iter_mut().for_each(|item| self.mask_json(item));
                pieces::mask_list(self, items);
            }
            Value::Object(fields) => {
                let old = std::mem::take(fields);
                for (name, mut field) in old {
                    self.mask_json(&mut field);
                    fields.insert(self.mask(&name), field);
                }
            }
            // A value of digits is a number when an agent's JSON says so.
            Value::Number(number) => {
                let text = number.to_string();
                let masked = self.mask(&text);
                if masked != text {
                    *value = Value::String(masked);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// A stream of lines, in which a value may begin in one and end in a later one.
    pub fn stream(&self) -> SecretStream {
        SecretStream::new(self.clone())
    }
}

/// Names only: a derived one would print what must not be seen.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut names: Vec<&str> =
            self.inner.iter().flat_map(|inner| &inner.spellings).map(|(_, name)| name.as_str()).collect();
        names.dedup();
        formatter.debug_tuple("Secrets").field(&names).finish()
    }
}

impl Spellings {
    /// The text masked, as it goes on after `before` (without line breaks). With `open`, the text may go on, too: so many
    /// bytes or more that could be the beginning of a value are masked at its end.
    fn masked(&self, before: &[u8], text: &str, open: Option<usize>) -> String {
        let mut dense = before.to_vec();
        let mut places = Vec::with_capacity(text.len());
        for (place, byte) in text.bytes().enumerate().filter(|(_, byte)| !is_line_break(*byte)) {
            dense.push(byte);
            places.push(place);
        }
        let mut result = String::with_capacity(text.len());
        let mut done = 0;
        for (from, to, spelling) in self.spans(&dense, open) {
            // What lies in the text before this one was said already.
            let (from, to) = (from.saturating_sub(before.len()), to.saturating_sub(before.len()));
            let Some(last) = places.get(from..to).and_then(<[usize]>::last) else { continue };
            let (from, to) = (places[from], last + 1);
            result.push_str(text.get(done..from).unwrap_or_default());
            let (_, name) = &self.spellings[spelling];
            mark(text.get(from..to).unwrap_or_default(), name, &mut result);
            done = to;
        }
        result.push_str(text.get(done..).unwrap_or_default());
        result
    }

    /// Where values are, in order and apart from each other.
    fn spans(&self, dense: &[u8], open: Option<usize>) -> Vec<Span> {
        let found = self.search.find_overlapping_iter(dense);
        let mut spans: Vec<Span> =
            found.map(|found| (found.start(), found.end(), found.pattern().as_usize())).collect();
        if let Some(least) = open {
            let beginnings = self.spellings.iter().enumerate().filter_map(|(index, (spelling, _))| {
                let length = stream::beginning(dense, spelling, least)?;
                Some((dense.len() - length, dense.len(), index))
            });
            spans.extend(beginnings);
        }
        // The longest first, so that its name is the one that is told.
        spans.sort_by_key(|(from, to, _)| (*from, std::cmp::Reverse(*to)));
        let mut apart: Vec<Span> = Vec::new();
        for span in spans {
            match apart.last_mut() {
                Some(last) if span.0 < last.1 => last.1 = last.1.max(span.1),
                _ => apart.push(span),
            }
        }
        apart
    }
}

fn is_line_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// A mark for each line of a masked part, so that lines stay lines.
fn mark(part: &str, name: &str, result: &mut String) {
    let mut is_marked = false;
    for character in part.chars() {
        if matches!(character, '\n' | '\r') {
            result.push(character);
            is_marked = false;
        } else if !is_marked {
            result.push_str(&format!("•••[{name}]"));
            is_marked = true;
        }
    }
}

#[cfg(test)]
mod tests;
