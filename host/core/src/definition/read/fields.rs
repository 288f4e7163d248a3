//! Reading the keys of a map: which are known, which must be there, what type each must have. Collects every fault
//! instead of stopping at the first. Must not know what the keys mean.

use super::super::fault::{Fault, Location};
use super::super::node::{Entry, Node, NodeValue};
use super::super::suggest;

/// A text and where it stands.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Text<'a> {
    pub text: &'a str,
    pub node: &'a Node,
}

/// The entries of a map.
pub(super) struct Fields<'a> {
    entries: &'a [Entry],
    /// Where the map begins.
    pub location: Location,
    /// What the map is, in words: "a stage".
    what: &'static str,
    /// Keys that are there but unknown.
    unknown: Vec<&'a str>,
}

/// Collects faults while a tree is read.
#[derive(Default)]
pub(super) struct Reader {
    pub faults: Vec<Fault>,
}

impl Reader {
    pub(super) fn fault(&mut self, location: Location, message: impl Into<String>, hint: Option<String>) {
        self.faults.push(Fault::at(location, message).maybe_hint(hint));
    }

    /// The node's entries. Unknown keys are faults; so are `planned` ones, which later versions will know.
    pub(super) fn map<'a>(
        &mut self,
        node: &'a Node,
        what: &'static str,
        known: &[&str],
        planned: &[&str],
    ) -> Option<Fields<'a>> {
        let NodeValue::Map(entries) = &node.value else {
            let keys = known.iter().take(3).copied().collect::<Vec<_>>().join(", ");
            let hint = format!("write it with keys below one another: {keys}…");
            self.fault(node.location, format!("{what} must be a map but is {}", node.kind()), Some(hint));
            return None;
        };
        let mut unknown = Vec::new();
        for entry in entries {
            let key = entry.key.as_str();
            if planned.contains(&key) {
                let message = format!("'{key}' in {what} is not supported by this version of docket");
                self.fault(entry.location, message, None);
            } else if !known.contains(&key) {
                unknown.push(key);
                let hint = suggest::closest(key, known.iter().copied());
                let hint = hint.map_or_else(
                    || format!("{what} may have: {}", known.join(", ")),
                    |name| format!("did you mean '{name}'?"),
                );
                self.fault(entry.location, format!("unknown key '{key}' in {what}"), Some(hint));
            }
        }
        Some(Fields { entries, location: node.location, what, unknown })
    }

    /// A text that may be left out.
    pub(super) fn text<'a>(&mut self, fields: &Fields<'a>, key: &str) -> Option<Text<'a>> {
        let entry = fields.get(key)?;
        self.as_text(&entry.value, &format!("'{key}'"))
    }

    /// A text that must be there and not be empty.
    pub(super) fn required<'a>(&mut self, fields: &Fields<'a>, key: &str) -> Option<Text<'a>> {
        let Some(entry) = fields.get(key) else {
            self.missing(fields, key);
            return None;
        };
        let text = self.as_text(&entry.value, &format!("'{key}'"))?;
        if text.text.trim().is_empty() {
            self.fault(text.node.location, format!("'{key}' in {} is empty", fields.what), None);
            return None;
        }
        Some(text)
    }

    /// Reports a key that is not there, unless an unknown one was probably meant to be it.
    pub(super) fn missing(&mut self, fields: &Fields<'_>, key: &str) {
        if fields.is_misspelled(key) {
            return;
        }
        self.fault(
            fields.location,
            format!("'{key}' is missing in {}", fields.what),
            Some(format!("add `{key}:`")),
        );
    }

    /// The node as a text; `what` names it in a fault.
    pub(super) fn as_text<'a>(&mut self, node: &'a Node, what: &str) -> Option<Text<'a>> {
        match &node.value {
            NodeValue::Text(text) => Some(Text { text, node }),
            NodeValue::Number(_) | NodeValue::Boolean(_) => {
                let message = format!("{what} must be a text but is {}", node.kind());
                self.fault(node.location, message, Some("put it in quotes".to_owned()));
                None
            }
            _ => {
                self.fault(node.location, format!("{what} must be a text but is {}", node.kind()), None);
                None
            }
        }
    }

    /// true or false; false when left out.
    pub(super) fn boolean(&mut self, fields: &Fields<'_>, key: &str) -> bool {
        let Some(entry) = fields.get(key) else { return false };
        match entry.value.value {
            NodeValue::Boolean(value) => value,
            _ => {
                let message = format!("'{key}' must be true or false but is {}", entry.value.kind());
                self.fault(entry.value.location, message, None);
                false
            }
        }
    }

    /// A whole number of at least 1.
    pub(super) fn counting(&mut self, fields: &Fields<'_>, key: &str) -> Option<u64> {
        let entry = fields.get(key)?;
        let number = match &entry.value.value {
            NodeValue::Number(number) => number.as_u64().filter(|number| *number >= 1),
            _ => None,
        };
        if number.is_none() {
            let message = format!("'{key}' must be a whole number of at least 1");
            self.fault(entry.value.location, message, None);
        }
        number
    }

    /// The items of a list; none when left out.
    pub(super) fn list<'a>(&mut self, fields: &Fields<'a>, key: &str) -> &'a [Node] {
        let Some(entry) = fields.get(key) else { return &[] };
        match &entry.value.value {
            NodeValue::List(items) => items,
            _ => {
                let message = format!("'{key}' must be a list but is {}", entry.value.kind());
                self.fault(entry.value.location, message, Some("begin each item with '- '".to_owned()));
                &[]
            }
        }
    }
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Whether one of the unknown keys is like this one: then that fault says enough.
    pub(super) fn is_misspelled(&self, key: &str) -> bool {
        self.unknown.iter().any(|unknown| suggest::closest(unknown, [key]).is_some())
    }
}
