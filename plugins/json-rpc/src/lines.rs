//! From lines of standard output to messages. Programs print other things too, and docket gives a long line in pieces.
//! Must not hold more of a message than a launcher has memory for.

use docket_plugin::Value;

use crate::message::Message;

/// Lines of at least this length may be pieces: docket cuts lines at 1 MiB, and masking may have shortened them.
const PIECE: usize = 256 * 1024;
/// The largest message that is put together; docket gives a stage 256 MiB of memory.
const MAXIMUM_MESSAGE: usize = 16 * 1024 * 1024;

/// What a line turned out to be.
#[derive(Debug, PartialEq)]
pub(crate) enum Line {
    /// Messages, at least one.
    Messages(Vec<Message>),
    /// A piece of a message that goes on.
    Piece,
    /// Something else, maybe nothing.
    Other,
    /// A message that is larger than a launcher may hold, in MiB.
    TooLarge(usize),
}

/// Reads line after line.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The pieces so far.
    pending: String,
}

impl Lines {
    pub(crate) fn read(&mut self, line: &str) -> Line {
        if !self.pending.is_empty() {
            self.pending.push_str(line);
            match parsed(&self.pending) {
                Parsed::Whole(value) => {
                    self.pending.clear();
                    return understood(value);
                }
                Parsed::Unfinished if self.pending.len() > MAXIMUM_MESSAGE => {
                    self.pending = String::new();
                    return Line::TooLarge(MAXIMUM_MESSAGE / (1024 * 1024));
                }
                Parsed::Unfinished => return Line::Piece,
                // The message broke off, and this line stands for itself.
                Parsed::Broken => self.pending.clear(),
            }
        }
        match parsed(line) {
            Parsed::Whole(value) => understood(value),
            Parsed::Unfinished if line.len() >= PIECE => {
                line.clone_into(&mut self.pending);
                Line::Piece
            }
            Parsed::Unfinished | Parsed::Broken => Line::Other,
        }
    }
}

enum Parsed {
    Whole(Value),
    Unfinished,
    Broken,
}

fn parsed(text: &str) -> Parsed {
    match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(value) => Parsed::Whole(value),
        Err(cause) if cause.is_eof() => Parsed::Unfinished,
        Err(_) => Parsed::Broken,
    }
}

fn understood(value: Value) -> Line {
    match Message::read_all(value) {
        messages if messages.is_empty() => Line::Other,
        messages => Line::Messages(messages),
    }
}

#[cfg(test)]
mod tests {
    use docket_plugin::json;

    use super::*;

    fn told(text: &str) -> Message {
        Message::Notification { method: "m".into(), params: json!(text) }
    }

    #[test]
    fn other_lines_are_no_messages_and_do_no_harm() {
        let mut lines = Lines::default();
        for other in ["", "  ", "Starting…", "\u{fffd}\u{1b}[31m", "{\"method\":\"m\",\"par", "7", "{}"] {
            assert_eq!(lines.read(other), Line::Other, "{other}");
        }
        assert_eq!(lines.read(&told("x").line()), Line::Messages(vec![told("x")]));
    }

    #[test]
    fn pieces_are_put_together() {
        let message = told(&"é".repeat(PIECE));
        let line = message.line();
        let (first, second) = line.split_at(line.ceil_char_boundary(PIECE));
        let mut lines = Lines::default();
        assert_eq!(lines.read(first), Line::Piece);
        assert_eq!(lines.read(second), Line::Messages(vec![message.clone()]));
        assert_eq!(lines.read(first), Line::Piece, "and one that breaks off");
        assert_eq!(lines.read(&told("y").line()), Line::Messages(vec![told("y")]));
    }

    #[test]
    fn an_endless_message_is_let_go() {
        let mut lines = Lines::default();
        assert_eq!(lines.read(&format!("\"{}", "x".repeat(PIECE))), Line::Piece);
        let piece = "x".repeat(1024 * 1024);
        let found = (0..20).map(|_| lines.read(&piece)).find(|line| *line != Line::Piece);
        assert_eq!(found, Some(Line::TooLarge(16)));
    }
}
