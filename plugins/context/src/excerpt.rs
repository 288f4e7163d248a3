//! The first paragraphs of a document, for a reader who decides whether to open it.

use docket_markdown::Document;

/// An excerpt is no longer than this many bytes.
const MAXIMUM: usize = 600;
/// Sections that say what a document is about, best first.
const OPENINGS: [&str; 7] =
    ["summary", "abstract", "executive summary", "overview", "introduction", "context", "motivation"];

/// The paragraphs of the section that sums the document up, else its first ones.
pub(crate) fn excerpt(document: &Document) -> String {
    let opening = OPENINGS
        .iter()
        .find_map(|name| document.sections.iter().find(|section| section.title.eq_ignore_ascii_case(name)))
        .filter(|section| section.has_own_content);
    let text = match opening {
        Some(section) => document.text.get(section.own.clone()).unwrap_or_default(),
        None => &document.text,
    };
    let fields: Vec<usize> = document.metadata.iter().map(|field| field.line).collect();
    let first_line = opening.map_or(1, |section| document.line_of(section.own.start));
    let mut excerpt = String::new();
    let mut in_front_matter = opening.is_none() && !document.front_matter.is_empty();
    for (above, line) in text.lines().enumerate() {
        let line_number = first_line + above;
        let line = line.trim();
        if in_front_matter {
            in_front_matter = above == 0 || line != "---";
            continue;
        }
        if line.is_empty()
            || line.starts_with('#')
            || line.starts_with("<!--")
            || fields.contains(&line_number)
        {
            continue;
        }
        if !excerpt.is_empty() {
            excerpt.push(' ');
        }
        excerpt.push_str(line);
        if excerpt.len() > MAXIMUM {
            return shortened(excerpt);
        }
    }
    excerpt
}

fn shortened(mut text: String) -> String {
    let mut end = MAXIMUM;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text[..end].rfind(' ').unwrap_or(end);
    text.truncate(end);
    text.push('…');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_comes_first_and_metadata_is_left_out() {
        let text = "# T\n\n**Status:** Draft\n\nIntro.\n\n## Summary\n\nShort\nand good.\n\n## Next\n";
        assert_eq!(excerpt(&docket_markdown::parse(text)), "Short and good.");
        let text = "---\ntitle: x\n---\n# T\n\n**Status:** Draft\n\nIntro.\n\n## Next\n\nMore.";
        assert_eq!(excerpt(&docket_markdown::parse(text)), "Intro. More.");
    }

    #[test]
    fn a_long_one_is_cut_between_words() {
        let cut = excerpt(&docket_markdown::parse(&"wörter ".repeat(300)));
        assert!(cut.len() <= MAXIMUM + 3 && cut.ends_with("wörter…"), "{cut}");
    }
}
