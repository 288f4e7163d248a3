//! What an agent said in a turn, message by message. Its answer is the last message that holds one. Must not hold more
//! than a launcher has memory for.

use docket_launcher::answer;
use docket_plugin::Error;

/// How much an agent may say in a turn: docket looks at an answer, and keeps it, in calls of at most 8 MiB.
const MAXIMUM_TEXT: usize = 4 * 1024 * 1024;

/// The messages of a turn.
#[derive(Debug, Default)]
pub(crate) struct Said {
    messages: Vec<String>,
    /// Whether the last message may go on, and its id, if it has one.
    open: Option<Option<String>>,
    length: usize,
}

impl Said {
    /// Takes a piece of a message.
    ///
    /// # Errors
    /// `agent-output-too-large` when it is more than can be kept.
    pub(crate) fn add(&mut self, id: Option<&str>, text: &str) -> Result<(), Error> {
        self.length += text.len();
        if self.length > MAXIMUM_TEXT {
            let message = format!("the agent said more than {} MiB", MAXIMUM_TEXT / (1024 * 1024));
            return Err(Error::new("agent-output-too-large", message).hint("have the agent answer with less"));
        }
        match self
            .messages
            .last_mut()
            .filter(|_| self.open.as_ref().is_some_and(|open| open.as_deref() == id))
        {
            Some(message) => message.push_str(text),
            None => self.messages.push(text.to_owned()),
        }
        self.open = Some(id.map(str::to_owned));
        Ok(())
    }

    /// What comes next is another message: the agent did something in between.
    pub(crate) fn interrupt(&mut self) {
        self.open = None;
    }

    /// The agent's answer: its last message if there is JSON in it, else all it said.
    pub(crate) fn answer(&self) -> String {
        match self.messages.last() {
            Some(last) if answer::read(last).is_some() => last.clone(),
            _ => self.messages.join("\n\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pieces: &[(Option<&str>, &str)]) -> Said {
        let mut said = Said::default();
        for (id, text) in pieces {
            if text.is_empty() { said.interrupt() } else { said.add(*id, text).expect("it fits") }
        }
        said
    }

    #[test]
    fn the_last_message_with_json_is_the_answer() {
        let whole = said(&[(None, "{\"a\""), (None, ":1}")]);
        assert_eq!(whole.answer(), "{\"a\":1}");
        let warned = said(&[(None, "Warning: {}\n"), (Some("m1"), "{\"a\":"), (Some("m1"), "2}")]);
        assert_eq!(warned.answer(), "{\"a\":2}");
        let worked = said(&[(None, "```json\n{\"a\":1}\n```"), (None, ""), (None, "{\"a\":3}")]);
        assert_eq!(worked.answer(), "{\"a\":3}");
        let chatty = said(&[(Some("m1"), "{\"a\":4}"), (Some("m2"), "Done.")]);
        assert_eq!(chatty.answer(), "{\"a\":4}\n\nDone.");
        assert_eq!(Said::default().answer(), "");
    }

    #[test]
    fn an_agent_can_not_talk_for_ever() {
        let mut said = Said::default();
        let piece = "x".repeat(1024 * 1024);
        let error = (0..20).find_map(|_| said.add(None, &piece).err()).expect("too much");
        assert_eq!(error.code, "agent-output-too-large");
        assert!(said.messages[0].len() <= MAXIMUM_TEXT);
    }
}
