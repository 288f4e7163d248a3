//! What a document says about itself in its header: status, date, authors, categories.

use docket_markdown::{Document, Field};

use super::terms::hash;

/// Fields that say when a document was written, best first.
const DATES: [&str; 8] =
    ["created", "creation-date", "date", "start date", "start-date", "published", "proposed", "updated"];
/// Fields that name people.
const AUTHORS: [&str; 6] = ["author", "authors", "owner", "owners", "owning-sig", "deciders"];
/// Values longer than this are prose, not categories.
const MAXIMUM_CATEGORY: usize = 40;
const MAXIMUM_AUTHORS: usize = 12;
const MAXIMUM_GROUPS: usize = 12;
/// Fields whose values belong to one document only, or to all.
const NO_CATEGORIES: [&str; 6] = ["title", "status", "id", "number", "version", "date"];

/// All fields of a document: front matter, then `**Field:** value` lines, then `Field: value` lines at its very start.
pub fn fields(document: &Document) -> Vec<Field> {
    let mut fields: Vec<Field> = document.front_matter.iter().chain(&document.metadata).cloned().collect();
    if document.front_matter.is_empty() {
        fields.extend(plain_header(&document.text));
    }
    fields
}

/// `Field: value` lines before the first empty line, as in mail: reStructuredText and plain text documents have them.
fn plain_header(text: &str) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for (above, line) in text.lines().enumerate().take(60) {
        if line.trim().is_empty() {
            if fields.is_empty() { continue } else { break }
        }
        let continued = line.starts_with([' ', '\t']);
        if let (true, Some(last)) = (continued, fields.last_mut()) {
            let sep = if last.value.is_empty() || last.value.ends_with(',') { " " } else { ", " };
            last.value = format!("{}{sep}{}", last.value, line.trim()).trim().to_owned();
            last.values = vec![last.value.clone()];
            continue;
        }
        let Some((name, value)) = line.trim_start_matches(':').split_once(':') else { return Vec::new() };
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.len() <= 30
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if !is_name || value.starts_with("//") {
            return Vec::new();
        }
        let value = value.trim().to_owned();
        fields.push(Field { name: name.to_owned(), values: vec![value.clone()], value, line: above + 1 });
    }
    if fields.len() >= 2 { fields } else { Vec::new() }
}

/// The first value of the field `name`.
pub(crate) fn value<'a>(fields: &'a [Field], name: &str) -> Option<&'a str> {
    fields.iter().find(|field| field.is(name)).map(|field| field.value.as_str())
}

/// The day a document was written, as 20240131.
pub(crate) fn date(fields: &[Field]) -> Option<u32> {
    DATES.iter().find_map(|name| day(value(fields, name)?))
}

/// The first `year-month-day` of a text.
fn day(text: &str) -> Option<u32> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(9)).find_map(|at| {
        let part = text.get(at..at + 10)?;
        let mut numbers = part.split(['-', '/', '.']).map(|number| number.parse::<u32>().ok());
        let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let is_date = (1970..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        is_date.then_some(year * 10_000 + month * 100 + day)
    })
}

/// Hashes of the names of those who wrote it.
pub(crate) fn authors(fields: &[Field]) -> Vec<u32> {
    let named = fields.iter().filter(|field| AUTHORS.iter().any(|name| field.is(name)));
    let mut found: Vec<u32> = named
        .flat_map(|field| field.values.iter())
        .flat_map(|value| value.split([',', ';']))
        .map(|name| name.split(['(', '<']).next().unwrap_or_default().trim())
        .map(|name| name.trim_start_matches("and ").trim_start_matches('[').trim_start_matches('@'))
        .map(|name| name.split(']').next().unwrap_or_default().trim().to_lowercase())
        .filter(|name| name.len() > 2)
        .map(|name| hash(&name))
        .take(MAXIMUM_AUTHORS)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Hashes of what it is filed under: short values of fields that are no date, id or name.
pub(crate) fn groups(fields: &[Field]) -> Vec<u32> {
    let is_category = |field: &&Field| {
        let name = field.name.to_ascii_lowercase();
        !AUTHORS.contains(&name.as_str()) && !NO_CATEGORIES.contains(&name.as_str())
    };
    let values = fields.iter().filter(is_category).flat_map(|field| {
        let name = field.name.to_ascii_lowercase();
        field
            .values
            .iter()
            .flat_map(|value| value.split(','))
            .map(move |value| (name.clone(), value.trim().to_lowercase()))
    });
    let mut found: Vec<u32> = values
        .filter(|(_, value)| {
            (2..=MAXIMUM_CATEGORY).contains(&value.len())
                && !value.contains("://")
                && !value.bytes().any(|byte| byte.is_ascii_digit())
        })
        .map(|(name, value)| hash(&format!("{name}={value}")))
        .take(MAXIMUM_GROUPS)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_like_that_of_mail_is_read() {
        let text = "PEP: 8\nTitle: Style\nAuthor: Ana Ruiz <a@example.org>,\n        Bo Li\nCreated: 05-Jul-2001\n\nText";
        let fields = fields(&docket_markdown::parse(text));
        assert_eq!(value(&fields, "pep"), Some("8"));
        assert_eq!(authors(&fields), {
            let mut both = vec![hash("ana ruiz"), hash("bo li")];
            both.sort_unstable();
            both
        });
        assert!(plain_header("Note: this is\nprose that goes on").is_empty());
    }

    #[test]
    fn days_are_read() {
        assert_eq!(day("accepted on 2024-01-31 by all"), Some(20_240_131));
        assert_eq!(day("2024"), None);
    }
}
