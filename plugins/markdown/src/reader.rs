//! Folds the parser's events into the parts of a document. Parsing itself is pulldown-cmark's.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};

use crate::line_index::LineIndex;
use crate::section::Heading;
use crate::{CodeBlock, CodeSpan, Comment, Item, Link, LinkKind};

/// What was found, and the state of what is open.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) headings: Vec<Heading>,
    pub(crate) links: Vec<Link>,
    pub(crate) code_blocks: Vec<CodeBlock>,
    pub(crate) code_spans: Vec<CodeSpan>,
    pub(crate) items: Vec<Item>,
    pub(crate) comments: Vec<Comment>,
    /// Code blocks, link targets, inline HTML.
    pub(crate) masked: Vec<Range<usize>>,
    /// Inline code, with its marks.
    pub(crate) span_ranges: Vec<Range<usize>>,
    /// Comments, with their marks.
    pub(crate) comment_ranges: Vec<Range<usize>>,
    open_heading: Option<Heading>,
    open_links: Vec<(Link, Range<usize>)>,
    open_items: Vec<usize>,
    open_lists: Vec<bool>,
    open_code: Option<CodeBlock>,
    /// Where the last piece of text ended: what follows it up to a link's end is the link's target.
    text_end: usize,
}

impl Reader {
    /// Reads `text` from byte `body` on.
    pub(crate) fn read(text: &str, body: usize, lines: &LineIndex) -> Self {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_FOOTNOTES;
        let mut reader = Self::default();
        let events = Parser::new_ext(&text[body..], options).into_offset_iter();
        let definitions =
            events.reference_definitions().iter().map(|(_, definition)| shift(&definition.span, body));
        reader.masked.extend(definitions);
        for (event, range) in events {
            reader.event(event, shift(&range, body), text, lines);
        }
        reader
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>, text: &str, lines: &LineIndex) {
        match event {
            Event::Start(tag) => self.start(tag, range, text, lines),
            Event::End(tag) => self.end(tag),
            Event::Text(piece) => self.text(&piece, range, lines),
            Event::Code(code) => {
                self.add_text(&code);
                self.text_end = range.end;
                self.code_spans.push(CodeSpan { text: code.to_string(), line: lines.line(range.start) });
                self.span_ranges.push(range);
            }
            Event::SoftBreak | Event::HardBreak => self.add_text(" "),
            Event::InlineHtml(_) => {
                self.comments_in(&range, text, lines);
                self.text_end = range.end;
                self.masked.push(range);
            }
            Event::TaskListMarker(checked) => {
                if let Some(item) = self.open_items.last().and_then(|item| self.items.get_mut(*item)) {
                    item.checked = Some(checked);
                }
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>, text: &str, lines: &LineIndex) {
        let line = lines.line(range.start);
        match tag {
            Tag::Heading { level, .. } => {
                self.open_heading = Some(Heading { level: level as u8, title: String::new(), line, range });
            }
            Tag::CodeBlock(kind) => {
                let language = match kind {
                    CodeBlockKind::Fenced(info) => {
                        info.split([' ', ',', '{']).next().unwrap_or_default().to_ascii_lowercase()
                    }
                    CodeBlockKind::Indented => String::new(),
                };
                // Line 0 until the first line of code says where it is.
                self.open_code = Some(CodeBlock { language, text: String::new(), line: 0 });
                self.masked.push(range);
            }
            Tag::HtmlBlock => self.comments_in(&range, text, lines),
            Tag::List(first) => self.open_lists.push(first.is_some()),
            Tag::Item => {
                self.open_items.push(self.items.len());
                let depth = self.open_items.len() - 1;
                let ordered = self.open_lists.last().copied().unwrap_or_default();
                self.items.push(Item { text: String::new(), line, depth, ordered, checked: None, range });
            }
            Tag::Link { link_type, dest_url, .. } => {
                let kind = match link_type {
                    LinkType::Inline | LinkType::WikiLink { .. } => LinkKind::Inline,
                    LinkType::Autolink | LinkType::Email => LinkKind::Autolink,
                    _ => LinkKind::Reference,
                };
                self.text_end = range.start;
                self.open_links
                    .push((Link { target: dest_url.to_string(), text: String::new(), line, kind }, range));
            }
            Tag::Image { dest_url, .. } => {
                let link =
                    Link { target: dest_url.to_string(), text: String::new(), line, kind: LinkKind::Image };
                self.text_end = range.start;
                self.open_links.push((link, range));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => self.headings.extend(self.open_heading.take().map(|mut heading| {
                heading.title = heading.title.trim().to_owned();
                heading
            })),
            TagEnd::CodeBlock => self.code_blocks.extend(self.open_code.take()),
            TagEnd::List(_) => _ = self.open_lists.pop(),
            TagEnd::Item => _ = self.open_items.pop(),
            TagEnd::Link | TagEnd::Image => {
                let Some((link, range)) = self.open_links.pop() else { return };
                let target = if link.kind == LinkKind::Autolink {
                    range.start
                } else {
                    self.text_end.max(range.start)
                };
                self.masked.push(target..range.end);
                self.text_end = range.end;
                self.links.push(link);
            }
            _ => {}
        }
    }

    fn text(&mut self, piece: &str, range: Range<usize>, lines: &LineIndex) {
        if let Some(code) = &mut self.open_code {
            if code.line == 0 {
                code.line = lines.line(range.start);
            }
            code.text.push_str(piece);
            return;
        }
        self.text_end = range.end;
        self.add_text(piece);
    }

    /// Adds a piece of text to whatever collects text right now.
    fn add_text(&mut self, piece: &str) {
        if let Some(heading) = &mut self.open_heading {
            heading.title.push_str(piece);
        }
        for (link, _) in &mut self.open_links {
            link.text.push_str(piece);
        }
        if let Some(item) = self.open_items.last().and_then(|item| self.items.get_mut(*item)) {
            item.text.push_str(piece);
        }
    }

    /// Finds the comments of a piece of HTML. One that is not closed goes to the end of the piece.
    fn comments_in(&mut self, range: &Range<usize>, text: &str, lines: &LineIndex) {
        let Some(html) = text.get(range.clone()) else { return };
        let mut from = 0;
        while let Some(start) = html[from..].find("<!--").map(|at| at + from) {
            let inner = start + 4;
            let close = html[inner..].find("-->").map(|at| at + inner);
            let end = close.map_or(html.len(), |close| close + 3);
            let whole = range.start + start..range.start + end;
            self.comments.push(Comment {
                text: html[inner..close.unwrap_or(html.len())].trim().to_owned(),
                line: lines.line(whole.start),
                range: whole.clone(),
            });
            self.comment_ranges.push(whole);
            from = end;
        }
    }
}

fn shift(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}
