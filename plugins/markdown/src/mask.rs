//! Blanking parts of a text while every other byte keeps its place, so that line numbers stay right.

use std::ops::Range;

/// `text` with the ranges replaced by spaces; line ends stay. Ranges may overlap and come in any order.
pub(crate) fn mask<'a>(text: &str, ranges: impl IntoIterator<Item = &'a Range<usize>>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for range in ranges {
        if let Some(part) = bytes.get_mut(range.clone()) {
            part.iter_mut().filter(|byte| !matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        }
    }
    // The ranges come from a parser and lie between characters; if one did not, the damage is shown, not hidden.
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_line_ends_stay() {
        let ranges = vec![1..6, 40..50];
        assert_eq!(mask("aüb\ncd", &ranges), "a   \n d");
    }
}
