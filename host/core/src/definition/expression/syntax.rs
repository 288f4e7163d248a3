//! The spelling of expressions: what is rewritten before CEL reads them, and what CEL's complaints mean.

use super::ExpressionError;

/// Rewrites `stages.some-name.…` and `stages.review-{input}.…` to index form, which CEL can read. Text literals are
/// left alone.
///
/// # Errors
/// When a brace in a stage's name is not closed or holds no name.
pub(super) fn rewrite_stage_names(source: &str) -> Result<String, ExpressionError> {
    let mut result = String::with_capacity(source.len());
    let mut rest = source;
    let mut previous = ' ';
    while let Some(first) = rest.chars().next() {
        let taken = if matches!(first, '\'' | '"') {
            literal_length(rest)
        } else if first == '_' || first.is_alphanumeric() {
            let word = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
            if &rest[..word] == "stages" && previous != '.' && rest[word..].starts_with('.') {
                let name = &rest[word + 1..];
                let length = stage_name_length(name);
                if is_rewritten(&name[..length]) {
                    result.push_str("stages[");
                    result.push_str(&index_of(&name[..length])?);
                    result.push(']');
                    rest = &name[length..];
                    previous = ']';
                    continue;
                }
            }
            word
        } else {
            first.len_utf8()
        };
        result.push_str(&rest[..taken]);
        previous = rest[..taken].chars().next_back().unwrap_or(' ');
        rest = &rest[taken..];
    }
    Ok(result)
}

/// Refuses brackets that lie too deep in one another, before CEL's parser goes down with them.
///
/// # Errors
/// When there are more than [`super::MAX_DEPTH`].
pub(super) fn check_depth(source: &str) -> Result<(), ExpressionError> {
    let mut depth = 0usize;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let taken = if matches!(first, '\'' | '"') { literal_length(rest) } else { first.len_utf8() };
        match first {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > super::MAX_DEPTH {
            let message =
                format!("an expression has brackets more than {} deep in one another", super::MAX_DEPTH);
            return Err(ExpressionError::new(message));
        }
        rest = &rest[taken..];
    }
    Ok(())
}

/// Bytes of the text literal that `text` starts with, quotes included; everything if it is not closed.
pub(in super::super) fn literal_length(text: &str) -> usize {
    let quote = &text[..1];
    let triple = quote.repeat(3);
    let quote = if text.starts_with(&triple) { triple.as_str() } else { quote };
    let mut at = quote.len();
    while at < text.len() {
        if text[at..].starts_with(quote) {
            return at + quote.len();
        }
        let mut characters = text[at..].chars();
        let first = characters.next().map_or(1, char::len_utf8);
        let escaped = text[at..].starts_with('\\');
        at += first + if escaped { characters.next().map_or(0, char::len_utf8) } else { 0 };
    }
    text.len()
}

/// Bytes of the stage name that `text` starts with: letters, digits, `_`, `-` and `{…}` or `${…}`.
fn stage_name_length(text: &str) -> usize {
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let opens = character == '{' || text[at..].starts_with("${");
        if opens {
            match text[at..].find('}') {
                Some(end) => at += end + 1,
                None => return text.len(),
            }
        } else if character == '_' || character == '-' || character.is_alphanumeric() {
            at += character.len_utf8();
        } else {
            break;
        }
    }
    at
}

fn is_rewritten(name: &str) -> bool {
    name.contains(['-', '{']) || name.starts_with(|first: char| first.is_numeric())
}

/// A stage's name with inputs in it as a CEL text: `review-{x}` → `'review-' + string(inputs.x)`.
fn index_of(name: &str) -> Result<String, ExpressionError> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let open = rest.find('{').unwrap_or(rest.len());
        let literal = rest[..open].trim_end_matches('$');
        if !literal.is_empty() {
            parts.push(format!("'{literal}'"));
        }
        if open == rest.len() {
            break;
        }
        let close = rest[open..].find('}').map(|end| open + end);
        let input = close.map(|end| rest[open + 1..end].trim()).unwrap_or_default();
        let input = input.strip_prefix("inputs.").unwrap_or(input);
        if !is_name(input) {
            return Err(ExpressionError::new(format!(
                "the stage name '{name}' has a '{{' that holds no input"
            ))
            .hint("write the stage's name as its `name:` does, such as stages.review-{perspective}"));
        }
        parts.push(format!("string(inputs.{input})"));
        rest = &rest[close.map_or(rest.len(), |end| end + 1)..];
    }
    Ok(parts.join(" + "))
}

/// Whether a text is a name: a letter or `_`, then letters, digits and `_` (ASCII).
pub(in super::super) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first == '_' || first.is_ascii_alphabetic())
        && characters.all(|character| character == '_' || character.is_ascii_alphanumeric())
}

/// CEL's first complaint in shorter words.
pub(super) fn explain(source: &str, errors: &cel::ParseErrors) -> ExpressionError {
    let message = errors.errors.first().map_or("", |error| error.msg.as_str());
    let message = message.trim_start_matches("Syntax error: ");
    let message = message.split(" expecting ").next().unwrap_or(message);
    let problem = if message.contains("<EOF>") && message.contains("mismatched") {
        "it ends too early".to_owned()
    } else if message.contains("token recognition error") {
        "a character has no meaning there, or a text literal is not closed".to_owned()
    } else if message.contains("Recursion limit") {
        format!("its parts lie more than {} deep in one another", super::MAX_PARSER_DEPTH)
    } else {
        message.replace("mismatched input", "unexpected").replace("extraneous input", "unexpected")
    };
    let hint = match source {
        _ if source.contains(" and ") || source.contains(" or ") => Some("CEL writes && and ||"),
        _ if source.contains(" = ") => Some("CEL compares with =="),
        _ => None,
    };
    ExpressionError::new(format!("'{source}' is not an expression (CEL): {problem}"))
        .maybe_hint(hint.map(str::to_owned))
}
