//! Reading files that somebody else wrote: bounded, and whatever is in them. What can't be read as text says why.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk;
use crate::inventory::File;

/// So far it is looked whether a file is text.
const LOOKED_AT: usize = 8 << 10;

/// Which bytes text has none of, but for a few by mistake.
const IS_CONTROL: [bool; 256] = {
    let mut controls = [false; 256];
    let mut byte = 0;
    while byte < 32 {
        controls[byte] = !matches!(byte, 9..=13 | 27);
        byte += 1;
    }
    controls
};

/// What is odd about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Oddity {
    /// It is too large to be read.
    TooLarge,
    /// It is no text.
    Binary,
    /// It can't be opened or read.
    Unreadable,
    /// It is text, but not UTF-8, and was taken as Latin-1.
    NotUnicode,
}

impl Oddity {
    /// What is the matter, after the names of files.
    pub fn words(self) -> &'static str {
        match self {
            Self::TooLarge => "too large to be read; known by name only",
            Self::Binary => "not text in spite of the name; known by name only",
            Self::Unreadable => "could not be read; known by name only",
            Self::NotUnicode => "not UTF-8; read as Latin-1",
        }
    }
}

/// The bytes of a file of at most `limit` bytes.
///
/// # Errors
/// Why it is not read.
pub fn bytes(root: &Path, file: &File, limit: u64) -> Result<Vec<u8>, Oddity> {
    if file.bytes > limit {
        return Err(Oddity::TooLarge);
    }
    // It may have grown since it was listed, or never come to an end.
    let bytes = disk::read(&root.join(&file.path), file.bytes, limit + 1).ok_or(Oddity::Unreadable)?;
    if bytes.len() as u64 > limit { Err(Oddity::TooLarge) } else { Ok(bytes) }
}

/// Bytes as text: UTF-8, UTF-16 with a mark, else Latin-1.
///
/// # Errors
/// [`Oddity::Binary`].
pub fn decoded(bytes: Vec<u8>) -> Result<(String, Option<Oddity>), Oddity> {
    if let [first @ (0xfe | 0xff), second @ (0xfe | 0xff), rest @ ..] = bytes.as_slice()
        && first != second
    {
        let unit: fn([u8; 2]) -> u16 = if *first == 0xfe { u16::from_be_bytes } else { u16::from_le_bytes };
        let units = rest.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect();
        return if text.contains('\0') { Err(Oddity::Binary) } else { Ok((text, None)) };
    }
    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    let controls: usize = start.iter().map(|byte| usize::from(IS_CONTROL[usize::from(*byte)])).sum();
    if start.contains(&0) || controls * 50 > start.len() {
        return Err(Oddity::Binary);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((text, None)),
        Err(error) => {
            let text = error.as_bytes().iter().map(|byte| char::from(*byte)).collect();
            Ok((text, Some(Oddity::NotUnicode)))
        }
    }
}

/// A text file of at most `limit` bytes; `None` for larger, binary and unreadable ones.
pub fn text(root: &Path, file: &File, limit: u64) -> Option<String> {
    bytes(root, file, limit).and_then(decoded).ok().map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_what_is_none() {
        assert_eq!(decoded(b"a \xc3\xa4".to_vec()), Ok(("a ä".into(), None)));
        assert_eq!(decoded(b"a \xe4".to_vec()), Ok(("a ä".into(), Some(Oddity::NotUnicode))));
        assert_eq!(decoded(b"\xff\xfea\0\xe4\0".to_vec()), Ok(("aä".into(), None)));
        assert_eq!(decoded(b"\xfe\xff\0a".to_vec()), Ok(("a".into(), None)));
        assert_eq!(decoded(b"\x7fELF\0\0".to_vec()), Err(Oddity::Binary));
        assert_eq!(decoded(b"\x01\x02\x03abc".to_vec()), Err(Oddity::Binary));
        assert_eq!(decoded(Vec::new()), Ok((String::new(), None)));
        assert_eq!(decoded(b"\xff\xfe\0\0".to_vec()), Err(Oddity::Binary));
    }

    #[test]
    fn a_file_that_has_no_end_is_too_large() {
        let file = File { path: "dev/zero".into(), bytes: 0, modified: None };
        assert_eq!(bytes(Path::new("/"), &file, 1000), Err(Oddity::TooLarge));
        let file = File { path: "none".into(), bytes: 5, modified: None };
        assert_eq!(bytes(Path::new("/nowhere"), &file, 1000), Err(Oddity::Unreadable));
        let file = File { path: "none".into(), bytes: 5000, modified: None };
        assert_eq!(bytes(Path::new("/nowhere"), &file, 1000), Err(Oddity::TooLarge));
    }
}
