//! The spellings in which programs print a value: plain, in JSON, percent-encoded, in hexadecimal, in base64. Must not
//! look for them.

use crate::text::printable;

/// The 62 characters that both base64 alphabets share (RFC 4648, sections 4 and 5).
const SHARED: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What percent-encoders leave as it is beside letters, digits and `-._~`: nothing (RFC 3986, section 2.3), what Python's
/// `quote` leaves, what JavaScript's `encodeURIComponent` and `encodeURI` leave, and the marks of forms (WHATWG URL).
const LEFT_ALONE: [&[u8]; 5] = [b"", b"/", b"!'()*", b";,/?:@&=+$!*'()#", b"*"];
/// Characters that some JSON writers escape though they need not: Go's and .NET's.
const ESCAPED_FOR_HTML: [&str; 3] = ["", "<>&", "<>&'+`"];

/// Every spelling of a value, without line breaks: where one is looked for, they are left out, too.
pub(super) fn all(value: &str) -> Vec<Vec<u8>> {
    let mut spellings = vec![value.as_bytes().to_vec(), printable(value).into_bytes()];
    spellings.extend(json(value));
    for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
        for left in LEFT_ALONE {
            spellings.push(percent(value, digits, left, "%20"));
            spellings.push(percent(value, digits, left, "+"));
        }
        spellings.push(value.bytes().flat_map(|byte| hexadecimal(byte, digits)).collect());
    }
    for last in [b"+/", b"-_"] {
        for skipped in 0..3 {
            spellings.push(base64(value.as_bytes(), last, skipped));
        }
    }
    for spelling in &mut spellings {
        spelling.retain(|byte| !super::is_line_break(*byte));
    }
    spellings.sort();
    spellings.dedup();
    spellings
}

/// As it stands in a JSON text, without the quotes: as plainly as it may, with `/` escaped, with what is not ASCII
/// escaped, with what HTML would read escaped; and each of these within the text of another JSON text.
fn json(value: &str) -> Vec<Vec<u8>> {
    let quoted = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&quoted).to_owned()
    };
    let plain = quoted(value);
    let mut texts = vec![plain.clone()];
    // .NET's writer has no short form for a quotation mark.
    let without_short_form = plain.replace("\\\"", "\"");
    for also in ESCAPED_FOR_HTML {
        for (lower, ascii) in [(true, true), (true, false), (false, true), (false, false)] {
            texts.push(escaped(&plain, also, lower, ascii));
            texts.push(escaped(&without_short_form, &format!("{also}\""), lower, ascii));
        }
    }
    let slashed: Vec<String> = texts.iter().map(|text| text.replace('/', "\\/")).collect();
    texts.extend(slashed);
    let within: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    texts.into_iter().chain(within).map(String::into_bytes).collect()
}

/// A JSON text in which these characters, and with `ascii` those that are not ASCII, are written as `\u` and four digits.
fn escaped(text: &str, these: &str, lower: bool, ascii: bool) -> String {
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        if !these.contains(character) && (character.is_ascii() || !ascii) {
            result.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            result.push_str(&if lower { format!("\\u{unit:04x}") } else { format!("\\u{unit:04X}") });
        }
    }
    result
}

/// Percent-encoded but for letters, digits, `-._~` and what is left alone besides, with these hexadecimal digits and this
/// for a space.
fn percent(value: &str, digits: &[u8; 16], left: &[u8], space: &str) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(value.len() * 3);
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte),
            b' ' => encoded.extend(space.bytes()),
            _ if left.contains(&byte) => encoded.push(byte),
            _ => {
                encoded.push(b'%');
                encoded.extend(hexadecimal(byte, digits));
            }
        }
    }
    encoded
}

fn hexadecimal(byte: u8, digits: &[u8; 16]) -> [u8; 2] {
    [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]
}

/// The base64 characters that a value alone decides when `skipped` bytes (0 to 2) come before it in their group of three.
/// One character at either end may carry up to four bits of the value beside bits of its neighbour; it is not among them.
fn base64(value: &[u8], last: &[u8; 2], skipped: usize) -> Vec<u8> {
    let first = (skipped * 8).div_ceil(6);
    let end = (skipped + value.len()) * 8 / 6;
    let bit = |position: usize| {
        let byte = (position / 8).checked_sub(skipped).and_then(|index| value.get(index)).copied();
        byte.map_or(0, |byte| byte >> (7 - position % 8) & 1)
    };
    let character = |index: usize| {
        let number = (0..6).fold(0, |number, offset| number << 1 | bit(index * 6 + offset));
        let number = usize::from(number);
        SHARED.get(number).copied().unwrap_or_else(|| last[number - SHARED.len()])
    };
    (first..end).map(character).collect()
}
