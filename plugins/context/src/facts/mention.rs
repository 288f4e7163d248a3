//! Ids in prose, whatever their scheme: `ADR-0003`, `RFC 12`, `ADRs 60 and 61`, `RFC 1-3`, also across a line end.
//!
//! Which words are schemes of the project is not known here: every word with a number after it is a candidate.

use std::ops::Range;

use super::label::{Label, MAXIMUM_SCHEME, is_ordinal};

/// A range such as `RFC 1-3` names no more documents than this.
const MAXIMUM_RANGE: u32 = 20;
/// So many bytes may stand between a word and its number: a line end and what the next line begins with.
const MAXIMUM_GAP: usize = 12;

/// A candidate found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// What it names.
    pub(crate) label: Label,
    /// Whether the word is written as a plural: `ADRs 60 and 61`.
    pub(crate) plural: bool,
    /// As it is written, white space made single.
    pub(crate) text: String,
    /// Where it starts in the text.
    pub(crate) offset: usize,
}

/// Words before numbers that are never schemes.
const WORDS: [&str; 40] = [
    "a", "about", "after", "all", "and", "are", "at", "be", "before", "between", "by", "every", "exactly",
    "for", "from", "has", "have", "in", "is", "it", "least", "most", "next", "of", "on", "only", "or",
    "over", "than", "that", "the", "then", "these", "this", "to", "under", "until", "up", "with", "top",
];

/// Finds candidates in `text`.
pub fn mentions(text: &str) -> Vec<Mention> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    // Numbers are rare, words are not: each number is asked for the word before it.
    while let Some(digit) = next_digit(bytes, at) {
        at = digit + bytes[digit..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let Some(Range { start, end }) = word_before(text, digit) else { continue };
        let word = &text[start..end];
        // `éadr3` and `x2adr3` are other words.
        let glued = start > 0
            && (bytes[start - 1].is_ascii_alphanumeric()
                || !bytes[start - 1].is_ascii() && is_letter_before(text, start));
        if glued || word.len() > MAXIMUM_SCHEME + 1 {
            continue;
        }
        let Some((number, end)) = digits(text, digit) else { continue };
        let lower = word.to_ascii_lowercase();
        if WORDS.contains(&lower.as_str()) || is_ordinal(&lower) || is_ordinal(lower.trim_end_matches('s')) {
            continue;
        }
        let plural = lower.len() > 2 && lower.ends_with('s');
        let mention = |number, start, end| Mention {
            label: Label { scheme: lower.clone(), number },
            plural,
            text: text[start..end].split_whitespace().collect::<Vec<_>>().join(" "),
            offset: start,
        };
        found.push(mention(number, start, end));
        at = end;
        let mut last = number;
        // After a singular only what can't be anything else goes on: `ADR-60/61`, `RFC 1-3`; prose after it may count.
        while let Some(next) = next_of_list(text, at, plural) {
            if next.is_range && next.number > last && next.number - last <= MAXIMUM_RANGE {
                found.extend((last + 1..next.number).map(|number| mention(number, next.start, next.end)));
            }
            found.push(mention(next.number, next.start, next.end));
            last = next.number;
            at = next.end;
        }
    }
    found
}

/// Where the next digit is, from `at` on.
fn next_digit(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    // Sixteen bytes at a time, without a branch for each.
    let has_digit = |bytes: &[u8; 16]| bytes.iter().fold(false, |has, byte| has | byte.is_ascii_digit());
    let (chunks, _) = rest.as_chunks();
    let passed = 16 * chunks.iter().take_while(|chunk| !has_digit(chunk)).count();
    rest[passed..].iter().position(u8::is_ascii_digit).map(|next| at + passed + next)
}

fn is_letter_before(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() && is_latin(before))
}

/// Scripts without spaces between words may stand right before an id: `参见ADR-3`.
fn is_latin(character: char) -> bool {
    (character as u32) < 0x0250
}

/// The word that the number at `digit` belongs to.
fn word_before(text: &str, digit: usize) -> Option<Range<usize>> {
    let before = &text.as_bytes()[..digit];
    let gap = before.iter().rev().take(MAXIMUM_GAP + 1).position(u8::is_ascii_alphanumeric)?;
    let end = digit - gap;
    let length = before[..end].iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let fits = match text.get(end..digit)? {
        "" | "-" | "_" | "#" | " " | " #" | ":`" | "-#" | "\u{a0}" | ": " | "–" | "‑" => true,
        // A wrapped line: indentation and a quote mark may follow the line end.
        other => {
            other.matches('\n').count() == 1
                && other.chars().all(|character| character.is_whitespace() || matches!(character, '>' | '-'))
        }
    };
    (fits && length > 0).then_some(end - length..end)
}

fn digits(text: &str, at: usize) -> Option<(u32, usize)> {
    let rest = &text[at..];
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let after = &rest[length..];
    let next = after.chars().next();
    let version = next == Some('.') && after[1..].starts_with(|character: char| character.is_ascii_digit());
    let glued = next.is_some_and(|next| next.is_alphabetic() && is_latin(next) || next == '%');
    if length == 0 || length > 6 || version || glued {
        return None;
    }
    Some((rest[..length].parse().ok()?, at + length))
}

struct Next {
    number: u32,
    is_range: bool,
    start: usize,
    end: usize,
}

/// The next number of a list: `, 61`, `and 62`, `& 63`, `, and 64`, or the end of a range: `-3`, ` to 7`.
fn next_of_list(text: &str, at: usize, plural: bool) -> Option<Next> {
    let rest = &text.as_bytes()[at..];
    let gap = rest.iter().take(12).position(u8::is_ascii_digit)?;
    let between = text.get(at..at + gap)?;
    let words: Vec<&str> = between
        .split(|character: char| character.is_whitespace() || matches!(character, ',' | '#'))
        .filter(|word| !word.is_empty())
        .collect();
    let (joined, is_range) = match words.as_slice() {
        [] => (plural && between.contains(','), false),
        ["and" | "or" | "&" | "+"] => (plural, false),
        ["/"] => (true, false),
        ["to" | "through"] => (plural, true),
        ["-" | "–" | "—" | "..."] => (true, true),
        _ => (false, false),
    };
    if !joined {
        return None;
    }
    let (number, end) = digits(text, at + gap)?;
    // `RFC 1-3` is a range, `ADR 2024-01` and `x-3-1` are not: the end must be larger, and written alike.
    let first_length = text[..at].bytes().rev().take_while(u8::is_ascii_digit).count();
    let first: u32 = text[at - first_length..at].parse().ok()?;
    let alike = number > first && end - (at + gap) >= first_length && number - first <= MAXIMUM_RANGE;
    let continues = text[end..].starts_with(['-', '_']);
    if is_range && (!alike || continues) || words == ["/"] && !alike {
        return None;
    }
    Some(Next { number, is_range, start: at + gap, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, u32)> {
        mentions(text).into_iter().map(|mention| (mention.label.scheme, mention.label.number)).collect()
    }

    fn ids(list: &[(&str, u32)]) -> Vec<(String, u32)> {
        list.iter().map(|(scheme, number)| ((*scheme).to_owned(), *number)).collect()
    }

    #[test]
    fn ids_are_found_in_all_their_spellings() {
        assert_eq!(
            found("See ADR-0003, RFC 12, rfc#7 and adr0001."),
            ids(&[("adr", 3), ("rfc", 12), ("rfc", 7), ("adr", 1)])
        );
        assert_eq!(found("as ADR\n  101 says"), ids(&[("adr", 101)]));
        assert_eq!(found("in :pep:`572`, and 参见ADR-3。"), ids(&[("pep", 572), ("adr", 3)]));
    }

    #[test]
    fn lists_and_ranges_name_each_document() {
        let four = ids(&[("adrs", 60), ("adrs", 61), ("adrs", 62), ("adrs", 2)]);
        assert_eq!(found("ADRs 60, 61 and 62, 2 apples"), four);
        assert_eq!(found("RFC 1-3"), ids(&[("rfc", 1), ("rfc", 2), ("rfc", 3)]));
        assert_eq!(found("PEPs 8 to 10"), ids(&[("peps", 8), ("peps", 9), ("peps", 10)]));
        assert_eq!(found("RFC 7, 8 apples"), ids(&[("rfc", 7)]));
        assert_eq!(found("adr-0001-2024.md"), ids(&[("adr", 1)]));
    }

    #[test]
    fn other_words_are_left_alone() {
        assert_eq!(found("Section 3, at 5, RFC v2, ADR 1.2, adr, RFC, 7 days, utf8x"), ids(&[]));
        assert_eq!(found("éadr-3"), ids(&[]));
    }
}
