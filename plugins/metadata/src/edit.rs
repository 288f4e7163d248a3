//! Puts updates into a document.
//!
//! So that doing it twice changes nothing, a field never takes over a line that one of the same updates adds: with
//! `Reviewed: today` and the line `**Reviewed:** today (security)` the document ends up with both, once.

use std::collections::HashSet;

use crate::layout::{self, Layout, Place};
use crate::text::Text;
use crate::update::{self, Update, normalized, one_line, value_text};
use crate::{field, front_matter};

/// Why a document can't be edited.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum EditError {
    /// An update would break the document.
    Refused(String),
    /// A value in front matter is not on one line.
    NotOneLine {
        /// Its key.
        key: String,
        /// Its line, counted from 1.
        line: usize,
    },
}

/// A field to set.
struct Setting<'a> {
    name: &'a str,
    value: String,
    is_string: bool,
}

/// Where a field is.
#[derive(Clone, Copy)]
enum Found {
    FrontMatter(usize),
    Header(usize),
}

/// Applies the updates in their order. Of two for the same field the last one counts.
pub(crate) fn apply(text: &mut Text, updates: &[Update]) -> Result<(), EditError> {
    for update in updates {
        let refused = match update {
            Update::Field { field, .. } => update::refused_field(field),
            Update::Line { add_line } => update::refused_line(add_line),
        };
        refused.map_or(Ok(()), |why| Err(EditError::Refused(why)))?;
    }
    let protected: HashSet<String> = updates
        .iter()
        .filter_map(|update| match update {
            Update::Line { add_line } => Some(core(&one_line(add_line)).to_owned()),
            Update::Field { .. } => None,
        })
        .collect();
    for (number, update) in updates.iter().enumerate() {
        match update {
            Update::Line { add_line } => add_line_once(text, &one_line(add_line)),
            Update::Field { field, value } => {
                let again = |later: &Update| matches!(later, Update::Field { field: other, .. } if normalized(other) == normalized(field));
                if !updates.iter().skip(number + 1).any(again) {
                    let setting = Setting {
                        name: field.trim(),
                        value: value_text(value),
                        is_string: value.is_string(),
                    };
                    set_field(text, &setting, &protected)?;
                }
            }
        }
    }
    Ok(())
}

/// What makes two lines the same: without bullet, hard line break and space around.
fn core(line: &str) -> &str {
    layout::without_bullet(line).trim().trim_end_matches(['\\', ' ']).trim_end()
}

fn set_field(text: &mut Text, setting: &Setting<'_>, protected: &HashSet<String>) -> Result<(), EditError> {
    let lines = text.lines();
    let layout = Layout::of(&lines);
    let found = found(&lines, &layout, &normalized(setting.name));
    let is_protected = |place: &Found| {
        let (Found::FrontMatter(index) | Found::Header(index)) = place;
        lines.get(*index).is_some_and(|line| protected.contains(core(line)))
    };
    if found.iter().any(|place| is_protected(place) && has_value(&lines, &layout, *place, &setting.value)) {
        return Ok(());
    }
    let replaced = match found.iter().find(|place| !is_protected(place)) {
        Some(Found::FrontMatter(index)) => {
            let index = *index;
            let end = layout.front_matter_end.unwrap_or(index);
            let Some(line) = lines.get(index).and_then(|line| front_matter::key(line)) else { return Ok(()) };
            if !line.is_one_line(lines.get(index + 1..end).unwrap_or_default()) {
                return Err(EditError::NotOneLine { key: line.key.to_owned(), line: index + 1 });
            }
            (!line.has_value(&setting.value)).then(|| (index, line.with_value(&setting.value)))
        }
        Some(Found::Header(index)) => layout
            .field(&lines, *index)
            .filter(|line| !line.has_value(&setting.value))
            .map(|line| (*index, line.with_value(&setting.value))),
        None => {
            insert_field(text, setting);
            return Ok(());
        }
    };
    if let Some((index, line)) = replaced {
        text.replace(index, line);
    }
    Ok(())
}

/// All lines of a field, front matter first.
fn found(lines: &[&str], layout: &Layout, name: &str) -> Vec<Found> {
    let end = layout.front_matter_end.unwrap_or(0);
    let keys = (1..end).filter(|index| {
        lines
            .get(*index)
            .and_then(|line| front_matter::key(line))
            .is_some_and(|line| normalized(line.key) == name)
    });
    let fields = layout
        .header_lines()
        .filter(|index| layout.field(lines, *index).is_some_and(|field| normalized(field.name) == name));
    keys.map(Found::FrontMatter).chain(fields.map(Found::Header)).collect()
}

fn has_value(lines: &[&str], layout: &Layout, place: Found, value: &str) -> bool {
    match place {
        Found::FrontMatter(index) => lines
            .get(index)
            .and_then(|line| front_matter::key(line))
            .is_some_and(|line| line.has_value(value)),
        Found::Header(index) => layout.field(lines, index).is_some_and(|line| line.has_value(value)),
    }
}

/// Adds a field that the document does not have.
fn insert_field(text: &mut Text, setting: &Setting<'_>) {
    let lines = text.lines();
    let layout = Layout::of(&lines);
    let place = layout.place(&lines);
    if let (Place::Alone(_), Some(end)) = (&place, layout.front_matter_end) {
        let keys = keys(&lines, end);
        if !keys.iter().any(|key| normalized(key) == normalized(setting.name)) {
            let line = front_matter::new_line(setting.name, &setting.value, setting.is_string, &keys);
            text.insert(end, line);
            return;
        }
    }
    let line = match &place {
        Place::After { like, .. } => {
            layout.field(&lines, *like).map(|neighbour| neighbour.sibling(setting.name, &setting.value))
        }
        Place::Alone(_) => None,
    };
    let line =
        line.unwrap_or_else(|| format!("**{}:** {}", setting.name, setting.value).trim_end().to_owned());
    insert_at(text, &place, line, false);
}

/// Adds a line, unless the header or the front matter has it.
fn add_line_once(text: &mut Text, line: &str) {
    let lines = text.lines();
    let layout = Layout::of(&lines);
    let front_matter = 1..layout.front_matter_end.unwrap_or(1);
    let is_same = |index: usize| lines.get(index).is_some_and(|other| core(other) == core(line));
    if front_matter.chain(layout.header_lines()).any(is_same) {
        return;
    }
    let place = layout.place(&lines);
    if let (Place::Alone(_), Some(end)) = (&place, layout.front_matter_end) {
        let added = front_matter::key(line).filter(front_matter::KeyLine::is_complete);
        let is_new = |key: &str| !keys(&lines, end).iter().any(|other| normalized(other) == normalized(key));
        if added.is_some_and(|added| is_new(added.key)) {
            text.insert(end, line.to_owned());
            return;
        }
    }
    let styled = match &place {
        Place::After { like, .. } => layout.field(&lines, *like).map(|neighbour| neighbour.neighbour(line)),
        Place::Alone(_) => None,
    };
    let styled = styled.unwrap_or_else(|| line.to_owned());
    // Below fields without markup, a line that is no field would make prose of all of them.
    let is_field = field::bold(&styled).is_some() || field::plain(&styled).is_some();
    let apart =
        matches!(&place, Place::After { like, .. } if layout.has_no_markup(&lines, *like)) && !is_field;
    insert_at(text, &place, if apart { line.to_owned() } else { styled }, apart);
}

fn keys<'a>(lines: &[&'a str], end: usize) -> Vec<&'a str> {
    lines
        .get(1..end)
        .unwrap_or_default()
        .iter()
        .filter_map(|line| Some(front_matter::key(line)?.key))
        .collect()
}

/// Inserts a line, with blank lines around it where it would run into another paragraph.
fn insert_at(text: &mut Text, place: &Place, line: String, apart: bool) {
    let (at, alone) = match place {
        Place::After { at, separate, .. } => (*at, *separate || apart),
        Place::Alone(at) => (*at, true),
    };
    let lines = text.lines();
    let has_text = |index: usize| lines.get(index).is_some_and(|line| !layout::is_blank(line));
    let blank_before = alone && at > 0 && has_text(at - 1);
    // Right after a title there is a blank line already, as a rule: the new line goes below it.
    let below = matches!(place, Place::Alone(_)) && blank_before && at < lines.len() && !has_text(at);
    let blank_after = alone && has_text(if below { at + 1 } else { at });
    let at = if below { at + 1 } else { at };
    if blank_after {
        text.insert(at, String::new());
    }
    text.insert(at, line);
    if blank_before && !below {
        text.insert(at, String::new());
    }
}
