//! Changing components for tests: another manifest, another text, a section more; and values as YAML that holds any text.
//! Must not know what a test expects of it.

use serde_json::Value;

/// The name of the section with the manifest.
const MANIFEST: &[u8] = b"docket:manifest";

/// The same component with its manifest changed. The bytes keep their length, so that nothing else must change.
///
/// # Panics
/// When there is no manifest, or the changed one is longer than the old one.
pub fn with_manifest(component: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let section = find(component, MANIFEST).expect("a manifest") + MANIFEST.len();
    let start = section + find(&component[section..], b"{").expect("JSON");
    let mut values = serde_json::Deserializer::from_slice(&component[start..]).into_iter::<Value>();
    let mut manifest = values.next().expect("a manifest").expect("JSON");
    let length = values.byte_offset();
    change(&mut manifest);
    let mut text = manifest.to_string().into_bytes();
    assert!(text.len() <= length, "the changed manifest is longer than the old one");
    text.resize(length, b' ');
    let mut changed = component.to_vec();
    changed[start..start + length].copy_from_slice(&text);
    changed
}

/// The same component with a text, wherever it stands, replaced by one of the same length.
///
/// # Panics
/// When the text is not there, or the lengths differ.
pub fn replaced(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "lengths are part of the format");
    let mut changed = component.to_vec();
    let mut count = 0;
    while let Some(start) = find(&changed, from.as_bytes()) {
        changed[start..start + from.len()].copy_from_slice(to.as_bytes());
        count += 1;
    }
    assert!(count > 0, "'{from}' is not in the component");
    changed
}

/// The same component with a custom section more: id 0, length, length of the name, name, content.
pub fn with_section(component: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let section = [leb128(name.len()), name.as_bytes().to_vec(), content.to_vec()].concat();
    [component.to_vec(), vec![0], leb128(section.len()), section].concat()
}

/// A number as WebAssembly writes it: seven bits a byte, the lowest first.
pub fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// A value as YAML that holds any text: JSON with all but ASCII escaped.
pub fn yaml(value: &Value) -> String {
    let mut text = String::new();
    for unit in value.to_string().encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() && !byte.is_ascii_control() => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\u{unit:04x}")),
        }
    }
    text
}

/// A module or component written as text.
///
/// # Panics
/// When the text is none.
pub fn from_text(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|cause| panic!("{cause}"))
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
