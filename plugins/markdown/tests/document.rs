//! Whole documents, read through the public interface only.

use docket_markdown::{LinkKind, parse};

const TEXT: &str = "\
# RFC-0001: A title with `code`

**Status:** Draft
- **Created:** 2025-01-02

<!-- TODO: not seen -->

## Summary

See [ADR-0003](../adr/adr-0003.md), <https://example.org/a>, [b][ref] and https://example.org/c.
Not `[x](y.md)` here.

```bash
docket start # TODO in code
[no](link.md)
```

## Empty

<!-- only a comment -->

## Outer

### Inner

1. first
   - nested **bold**
2. [x] second

[ref]: other.md
";

#[test]
fn the_parts_are_found_with_their_lines() {
    let document = parse(TEXT);
    assert_eq!(document.title.as_deref(), Some("RFC-0001: A title with code"));
    assert_eq!(document.field("status").map(|field| (field.value.as_str(), field.line)), Some(("Draft", 3)));
    assert_eq!(document.field("Created").map(|field| field.line), Some(4));
    let links: Vec<_> =
        document.links.iter().map(|link| (link.target.as_str(), link.line, link.kind)).collect();
    assert_eq!(
        links,
        [
            ("../adr/adr-0003.md", 10, LinkKind::Inline),
            ("https://example.org/a", 10, LinkKind::Autolink),
            ("other.md", 10, LinkKind::Reference),
            ("https://example.org/c", 10, LinkKind::Bare),
        ]
    );
    assert_eq!(document.code_blocks[0].language, "bash");
    assert_eq!(document.code_blocks[0].line, 14);
    assert_eq!(document.comments.len(), 2);
    let items: Vec<_> =
        document.items.iter().map(|item| (item.text.trim(), item.depth, item.ordered)).collect();
    assert_eq!(items[1..], [("first", 0, true), ("nested bold", 1, false), ("second", 0, true)]);
    assert_eq!(document.items[3].checked, Some(true));
}

#[test]
fn prose_has_neither_code_nor_comments_nor_targets() {
    let document = parse(TEXT);
    assert_eq!(document.prose.len(), document.text.len());
    for hidden in ["TODO", "adr-0003.md", "other.md", "example.org", "y.md"] {
        assert!(!document.prose.contains(hidden), "{hidden} is in the prose");
    }
    assert!(document.prose.contains("ADR-0003"));
    assert!(document.readable.contains("[x](y.md)"));
}

#[test]
fn sections_know_their_content() {
    let document = parse(TEXT);
    let state: Vec<_> = document
        .sections
        .iter()
        .map(|section| (section.title.as_str(), section.has_own_content, document.is_empty(section)))
        .collect();
    assert_eq!(
        state[1..],
        [("Summary", true, false), ("Empty", false, true), ("Outer", false, false), ("Inner", true, false)]
    );
    assert_eq!(document.sections[3].children, [4]);
    assert_eq!(document.sections[4].parent, Some(3));
    assert_eq!(document.section_at_line(14).map(|section| section.title.as_str()), Some("Summary"));
}

#[test]
fn line_ends_byte_order_mark_and_a_missing_last_line_end_change_nothing() {
    let plain = parse(TEXT);
    let odd = parse(&format!("\u{feff}{}", TEXT.trim_end().replace('\n', "\r\n")));
    assert_eq!(odd.title, plain.title);
    let lines = |document: &docket_markdown::Document| -> Vec<(String, usize)> {
        document.sections.iter().map(|section| (section.title.clone(), section.line)).collect()
    };
    assert_eq!(lines(&odd), lines(&plain));
    assert_eq!(odd.metadata, plain.metadata);
    assert_eq!(odd.links, plain.links);
    assert!(odd.is_empty(&odd.sections[2]));
}

#[test]
fn a_status_may_be_a_section_or_front_matter_or_lie_in_a_metadata_section() {
    let status = |text: &str| parse(text).field("status").map(|field| (field.value.clone(), field.line));
    assert_eq!(status("# 1. X\n\n## Status\n\nAccepted\n"), Some(("Accepted".into(), 5)));
    assert_eq!(status("---\nstatus: Final\n---\n# X\n"), Some(("Final".into(), 2)));
    assert_eq!(status("# X\n## Metadata\n- **Status:** draft\n"), Some(("draft".into(), 3)));
    assert_eq!(parse("---\ntitle: T\n---\ntext").title.as_deref(), Some("T"));
}

#[test]
fn any_text_is_a_document() {
    for text in
        ["", "\u{feff}", "---", "---\n", "<!--", "```", "[", "# ", "\r\n\r\n", "| a | b |", "- ", "[a]: b"]
    {
        let document = parse(text);
        assert_eq!(document.prose.len(), document.text.len(), "{text:?}");
    }
    let huge = "x".repeat(2_000_000);
    assert_eq!(parse(&huge).prose.len(), huge.len());
    assert_eq!(parse("ü <!-- é --> `ñ` [ö](ß.md)").links.len(), 1);
}
