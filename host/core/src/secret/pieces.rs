//! Values in pieces: a value that stands in several texts of JSON, one after the other, as an agent's events carry what it
//! says bit by bit. Where all of them are there, only what is really a value is masked; the events of an agent that still
//! talks are masked as they come, so that what looks like the beginning of a value is masked, too.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{SecretStream, Secrets};

/// How many places of events are remembered: more than the events of any agent have.
const MOST_PLACES: usize = 256;
/// So many bytes of a value at the end of a piece are taken for its beginning. More than at the end of a line: pieces of
/// what an agent says end anywhere, and what it says is its result.
const RECOGNISED: usize = super::SHORTEST;

/// Longest text of which all lines are looked at together, in bytes. Lines of a longer one are masked as they come.
const LONGEST: usize = 32 * 1024 * 1024;

/// Masks what stands in pieces in the lines of a text that are JSON.
pub(super) fn mask(secrets: &Secrets, text: &str) -> String {
    if text.len() > LONGEST {
        let mut pieces = Pieces::default();
        let lines =
            text.split('\n').map(|line| pieces.line(secrets, line).unwrap_or_else(|| line.to_owned()));
        return lines.collect::<Vec<_>>().join("\n");
    }
    let mut lines: Vec<(&str, Option<Value>)> = text.split('\n').map(|line| (line, parsed(line))).collect();
    let mut places: BTreeMap<String, Vec<&mut String>> = BTreeMap::new();
    for (_, value) in &mut lines {
        if let Some(value) = value {
            leaves(value, &mut String::new(), &mut |place, text| {
                places.entry(place.to_owned()).or_default().push(text);
            });
        }
    }
    let mut is_changed = false;
    for texts in places.values_mut() {
        is_changed |= mask_joined(secrets, texts);
    }
    if !is_changed {
        return text.to_owned();
    }
    let written = lines.iter().map(|(line, value)| match value {
        // A line stays as it is written where nothing in it is masked.
        Some(value) if parsed(line).as_ref() != Some(value) => value.to_string(),
        _ => (*line).to_owned(),
    });
    written.collect::<Vec<_>>().join("\n")
}

/// Masks what stands in pieces in the texts of a list.
pub(super) fn mask_list(secrets: &Secrets, items: &mut [Value]) {
    let mut texts: Vec<&mut String> = items
        .iter_mut()
        .filter_map(|item| match item {
            Value::String(text) => Some(text),
            _ => None,
        })
        .collect();
    if texts.len() > 1 {
        mask_joined(secrets, &mut texts);
    }
}

/// Masks values in these texts as if they were one, and says whether there were any.
fn mask_joined(secrets: &Secrets, texts: &mut [&mut String]) -> bool {
    // Line breaks within a value do not hide it, and stay: so they can stand between the texts.
    let is_line_break = |character: char| matches!(character, '\n' | '\r');
    let breaks: Vec<usize> = texts.iter().map(|text| text.matches(is_line_break).count()).collect();
    let joined: String = texts.iter().flat_map(|text| [text.as_str(), "\n"]).collect();
    let masked = secrets.mask(&joined);
    if masked == joined {
        return false;
    }
    let mut rest = masked.as_str();
    for (text, breaks) in texts.iter_mut().zip(breaks) {
        let end = rest.match_indices(is_line_break).nth(breaks).map_or(rest.len(), |(end, _)| end);
        **text = rest[..end].to_owned();
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    true
}

/// Events of an agent that still talks: what stands at the same place of one after the other is taken for one text.
#[derive(Debug, Clone, Default)]
pub(super) struct Pieces {
    places: BTreeMap<String, SecretStream>,
}

impl Pieces {
    /// A line, masked where a value stands in it and in those before. `None` when nothing is to be masked.
    pub(super) fn line(&mut self, secrets: &Secrets, line: &str) -> Option<String> {
        let mut value = parsed(line)?;
        let mut is_changed = false;
        leaves(&mut value, &mut String::new(), &mut |place, text| {
            if !self.places.contains_key(place) {
                if self.places.len() == MOST_PLACES {
                    self.places.clear();
                }
                self.places.insert(place.to_owned(), SecretStream::plain(secrets.clone(), RECOGNISED));
            }
            let Some(stream) = self.places.get_mut(place) else { return };
            let masked = stream.line(text);
            is_changed |= masked != *text;
            *text = masked;
        });
        is_changed.then(|| value.to_string())
    }
}

/// A line that is a JSON object or list.
fn parsed(line: &str) -> Option<Value> {
    let line = line.trim_start();
    if line.starts_with(['{', '[']) { serde_json::from_str(line).ok() } else { None }
}

/// Every text in a value, with the names that lead to it.
fn leaves<'a>(value: &'a mut Value, place: &mut String, found: &mut dyn FnMut(&str, &'a mut String)) {
    match value {
        Value::String(text) => found(place, text),
        Value::Array(items) => items.iter_mut().for_each(|item| leaves(item, place, found)),
        Value::Object(fields) => {
            for (name, field) in fields {
                let length = place.len();
                place.push('/');
                place.push_str(name);
                leaves(field, place, found);
                place.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
