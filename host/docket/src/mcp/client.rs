//! Who a client is: what it says of itself, made safe to keep and to show.

use docket_core::run::Actor;
use docket_core::text::printable;
use rmcp::model::Implementation;

/// Characters of a client's name, and of its version, that are kept.
const MAX_CHARACTERS: usize = 60;
/// A client that does not say what it is.
const NAMELESS: &str = "a client without a name";

/// Whoever runs the server, through this client.
pub(super) fn actor(by: Actor, client: Option<&Implementation>) -> Actor {
    let short = |text: &str| printable(text).trim().chars().take(MAX_CHARACTERS).collect::<String>();
    let (name, version) =
        client.map(|client| (short(&client.name), short(&client.version))).unwrap_or_default();
    let client = if name.is_empty() { NAMELESS.to_owned() } else { format!("{name} {version}") };
    Actor { client: Some(client.trim_end().to_owned()), ..by }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, version: &str) -> String {
        let me = Actor { user: "me".into(), process: 1, client: None };
        actor(me, Some(&Implementation::new(name, version))).to_string()
    }

    #[test]
    fn what_a_client_says_of_itself_is_short_and_harmless() {
        assert_eq!(named("codex", "0.169.0"), "me through codex 0.169.0 (MCP)");
        assert_eq!(named("\u{1b}[31mred\u{7}\n", "1\u{202e}"), "me through red 1 (MCP)");
        assert_eq!(named(" \n ", "1"), "me through a client without a name (MCP)");
        assert_eq!(named(&"x".repeat(5000), "").len(), "me through  (MCP)".len() + MAX_CHARACTERS);
    }
}
