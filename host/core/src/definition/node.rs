//! YAML text as a tree in which everything knows its place in the text. Must not know what a definition is.
//!
//! Values are typed as YAML 1.2 types them (`on`, `yes` and dates are texts). Anchors and merge keys work within
//! limits; a repeated key is a fault. Locations of values behind an alias are those of the alias.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;
use serde_saphyr::options::DuplicateKeyPolicy;

use super::fault::{Fault, Location};

/// Bytes a definition may have.
pub(super) const MAX_BYTES: usize = 1024 * 1024;
/// How deep lists and maps may lie in one another.
const MAX_DEPTH: usize = 32;
/// Values a definition may have, those repeated by aliases included.
const MAX_NODES: usize = 50_000;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// The value.
    pub value: NodeValue,
    /// Where it stands; for a map, its first key.
    pub location: Location,
    /// The bytes it takes in the text.
    range: Option<(usize, usize)>,
}

/// A YAML value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NodeValue {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub key: String,
    pub location: Location,
    pub value: Node,
}

impl Node {
    /// The kind of value in words, for "must be … but is …".
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            NodeValue::Null => "empty",
            NodeValue::Boolean(_) => "a boolean",
            NodeValue::Number(_) => "a number",
            NodeValue::Text(_) => "a text",
            NodeValue::List(_) => "a list",
            NodeValue::Map(_) => "a map",
        }
    }

    /// The entry with this key, if it is a map that has it.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            NodeValue::Map(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The node at a JSON Pointer, or the last one on the way to it.
    pub(super) fn at(&self, pointer: &str) -> &Node {
        let mut node = self;
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            let next = match &node.value {
                NodeValue::List(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)),
                _ => node.entry(&part).map(|entry| &entry.value),
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    /// Where `piece`, a part of this text, stands; the whole text if that can't be told.
    pub(super) fn place_of(&self, source: &str, piece: &str) -> Location {
        self.find(source, piece).unwrap_or(self.location)
    }

    /// Where `piece`, a part of this text, stands.
    pub(super) fn find(&self, source: &str, piece: &str) -> Option<Location> {
        let offset = self
            .range
            .and_then(|(start, end)| Some((start, source.get(start..end)?)))
            .filter(|_| !piece.is_empty())
            .and_then(|(start, text)| Some(start + find_word(text, piece)?))?;
        let before = super::fault::lines(&source[..offset]);
        Some(Location {
            line: before.len(),
            column: before.last().map_or(0, |line| line.chars().count()) + 1,
            length: piece.lines().next().map_or(1, |line| line.chars().count()).max(1),
        })
    }

    /// The value as JSON, without places.
    pub(super) fn to_json(&self) -> Value {
        match &self.value {
            NodeValue::Null => Value::Null,
            NodeValue::Boolean(value) => Value::Bool(*value),
            NodeValue::Number(value) => Value::Number(value.clone()),
            NodeValue::Text(value) => Value::String(value.clone()),
            NodeValue::List(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            NodeValue::Map(entries) => {
                let pairs = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }
}

/// Where `piece` stands in `text`, not as a part of a longer name.
fn find_word(text: &str, piece: &str) -> Option<usize> {
    let in_name = |character: char| character == '_' || character == '.' || character.is_alphanumeric();
    let touches =
        |inner: Option<char>, outer: Option<char>| inner.is_some_and(in_name) && outer.is_some_and(in_name);
    text.match_indices(piece).map(|(at, _)| at).find(|at| {
        let (before, after) = (&text[..*at], &text[at + piece.len()..]);
        !touches(piece.chars().next(), before.chars().next_back())
            && !touches(piece.chars().next_back(), after.chars().next())
    })
}

/// Reads a text.
///
/// # Errors
/// The one fault that keeps the text from being YAML, or each repeated key.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Fault>> {
    let start = Location { line: 1, column: 1, length: 1 };
    if text.len() > MAX_BYTES {
        return Err(vec![Fault::at(start, format!("the file has more than {MAX_BYTES} bytes"))]);
    }
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_NODES, max_documents: 1 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_NODES },
    };
    let raw = serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options)
        .map_err(|error| vec![syntax_fault(&error)])?;
    let mut faults = Vec::new();
    let node = convert(raw, &mut faults);
    if faults.is_empty() { Ok(node) } else { Err(faults) }
}

fn syntax_fault(error: &serde_saphyr::Error) -> Fault {
    let error = error.without_snippet();
    let at = error.location().map(|place| location(&place));
    let message = match error {
        serde_saphyr::Error::Budget { breach, .. } => match breach {
            serde_saphyr::budget::BudgetBreach::Documents { .. } => {
                "there is a second document after '---': a file holds one document".to_owned()
            }
            serde_saphyr::budget::BudgetBreach::Depth { .. } => {
                format!("lists and maps lie more than {MAX_DEPTH} deep in one another")
            }
            _ => format!("the file is too large once its aliases are replaced ({breach:?})"),
        },
        other => {
            let text = other.to_string();
            let place =
                at.map(|at| format!(" at line {}, column {}", at.line, at.column)).unwrap_or_default();
            format!("not valid YAML: {}", text.trim_end_matches(&place))
        }
    };
    let tab = message.contains("tab").then(|| "indent with spaces: YAML allows no tabs there".to_owned());
    Fault { message, location: at, hint: tab }
}

fn location(place: &serde_saphyr::Location) -> Location {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX).max(1);
    Location {
        line: number(place.line()),
        column: number(place.column()),
        length: number(place.span().len()),
    }
}

fn range(place: &serde_saphyr::Location) -> Option<(usize, usize)> {
    let start = usize::try_from(place.span().byte_offset()?).ok()?;
    let length = usize::try_from(place.span().byte_len()?).ok()?;
    Some((start, start.checked_add(length)?))
}

fn convert(raw: Spanned<Raw>, faults: &mut Vec<Fault>) -> Node {
    let mut at = location(&raw.referenced);
    let range = range(&raw.referenced);
    let value = match raw.value {
        Raw::Scalar(value) => value,
        Raw::List(items) => NodeValue::List(items.into_iter().map(|item| convert(item, faults)).collect()),
        Raw::Map(pairs) => {
            let entries: Vec<Entry> =
                pairs.into_iter().map(|(key, value)| entry(key, value, faults)).collect();
            report_repeated(&entries, faults);
            if let Some(first) = entries.first() {
                at = first.location;
            }
            NodeValue::Map(entries)
        }
    };
    Node { value, location: at, range }
}

fn entry(key: Spanned<String>, value: Spanned<Raw>, faults: &mut Vec<Fault>) -> Entry {
    Entry { location: location(&key.referenced), key: key.value, value: convert(value, faults) }
}

fn report_repeated(entries: &[Entry], faults: &mut Vec<Fault>) {
    let mut seen = std::collections::BTreeMap::new();
    for entry in entries {
        match seen.get(entry.key.as_str()) {
            None => {
                seen.insert(entry.key.as_str(), entry.location);
            }
            Some(first) => faults.push(
                Fault::at(entry.location, format!("the key '{}' is there twice", entry.key))
                    .hint(format!("it is first given on line {}; keep one of the two", first.line)),
            ),
        }
    }
}

/// A value as the YAML reader hands it over.
enum Raw {
    Scalar(NodeValue),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Scalar(NodeValue::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(NodeValue::Boolean(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(NodeValue::Number(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(NodeValue::Number(value.into())))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Raw, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("the number is not finite"))?;
        Ok(Raw::Scalar(NodeValue::Number(number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(NodeValue::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = access.next_key()? {
            pairs.push((key, access.next_value()?));
        }
        Ok(Raw::Map(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_knows_its_place() {
        let text = "a: 1\non:\n  - {b: 'x {y}', c: ~}\n";
        let root = parse(text).expect("YAML");
        let item = root.at("/on/0");
        assert_eq!(item.location, Location { line: 3, column: 6, length: 1 });
        let quoted = root.at("/on/0/b");
        assert_eq!(quoted.location, Location { line: 3, column: 9, length: 7 });
        assert_eq!(quoted.place_of(text, "{y}"), Location { line: 3, column: 12, length: 3 });
        assert_eq!(root.to_json(), serde_json::json!({"a": 1, "on": [{"b": "x {y}", "c": null}]}));
    }

    #[test]
    fn pieces_of_block_texts_are_found() {
        let text = "m: |\n  one\n  two {x}\n";
        let root = parse(text).expect("YAML");
        assert_eq!(root.at("/m").place_of(text, "{x}"), Location { line: 3, column: 7, length: 3 });
    }

    #[test]
    fn repeated_keys_are_all_reported() {
        let faults = parse("a: 1\nb: {c: 1, c: 2}\na: 2\n").expect_err("repeated keys");
        let lines: Vec<usize> = faults.iter().filter_map(|fault| fault.location).map(|at| at.line).collect();
        assert_eq!(lines, [2, 3]);
    }

    #[test]
    fn broken_and_excessive_texts_are_one_fault_each() {
        let bomb = format!(
            "a: &a [{}]\n{}",
            "x,".repeat(50),
            (0..9).fold(String::new(), |text, level| {
                let (from, to) = (char::from(b'a' + level), char::from(b'b' + level));
                format!("{text}{to}: &{to} [{}]\n", format!("*{from},").repeat(9))
            })
        );
        for text in ["a: [1", "a: *x", "? [a]\n: b", &"[".repeat(99), "a: 1\n---\nb: 2\n", "a: .nan", &bomb] {
            let faults = parse(text).expect_err(text);
            assert_eq!(faults.len(), 1, "{text}");
            assert!(faults[0].location.is_some(), "{faults:?}");
        }
    }
}
