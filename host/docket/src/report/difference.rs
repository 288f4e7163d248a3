//! The difference of two texts in the unified format, safe to print: line by line, so that nothing in a text reaches a
//! terminal as a command.

use docket_core::text::printable;

/// The difference between two texts, with what stands in the two header lines. Tabs may stay.
pub fn unified(from: &str, to: &str, before: &str, after: &str) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    let text = diff.unified_diff().header(from, to).to_string();
    let safe = |line: &str| line.split('\t').map(printable).collect::<Vec<_>>().join("\t");
    text.lines().map(|line| safe(line) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_marked_and_harmless() {
        let text = unified("a/x", "b/x", "one\ntwo\n", "one\n\u{1b}[31mthree\n");
        assert!(text.starts_with("--- a/x\n+++ b/x\n") && text.contains("\n-two\n"), "{text}");
        assert!(!text.contains('\u{1b}') && text.contains("three"), "{text}");
    }
}
