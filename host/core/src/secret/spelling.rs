//! The spellings in which programs print a value: plain, in JSON, percent-encoded, in base64. Must not look for them.

use crate::text::printable;

/// The 62 characters that both base64 alphabets share (RFC 4648, sections 4 and 5).
const SHARED: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Every spelling of a value, without line breaks: where one is looked for, they are left out, too.
pub(super) fn all(value: &str) -> Vec<Vec<u8>> {
    let mut spellings = vec![value.as_bytes().to_vec(), printable(value).into_bytes()];
    spellings.extend(json(value));
    for letters in [b"0123456789ABCDEF", b"0123456789abcdef"] {
        spellings.push(percent(value, letters, "%20"));
        spellings.push(percent(value, letters, "+"));
    }
    for last in [b"+/", b"-_"] {
        for skipped in 0..3 {
            spellings.push(base64(value.as_bytes(), last, skipped));
        }
    }
    for spelling in &mut spellings {
        spelling.retain(|byte| !super::is_line_break(*byte));
    }
    spellings
}

/// As it stands in a JSON text, without the quotes; once more with `/` escaped, as some languages write it.
fn json(value: &str) -> [Vec<u8>; 2] {
    let quoted = serde_json::Value::from(value).to_string();
    let text = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(&quoted);
    [text.as_bytes().to_vec(), text.replace('/', "\\/").into_bytes()]
}

/// Percent-encoded: all but the unreserved characters (RFC 3986, section 2.3), with these hexadecimal digits and this
/// for a space.
fn percent(value: &str, digits: &[u8; 16], space: &str) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(value.len() * 3);
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte),
            b' ' => encoded.extend(space.bytes()),
            _ => encoded.extend([b'%', digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]),
        }
    }
    encoded
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
