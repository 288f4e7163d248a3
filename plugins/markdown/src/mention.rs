//! Ids of documents in prose: `ADR-0003`, `RFC 12`, `ADRs 60 and 61`, also across a line end.

/// An id found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The scheme in lower case, such as `adr`.
    pub scheme: String,
    /// The number.
    pub number: u64,
    /// As it is written, white space made single.
    pub text: String,
    /// Where it starts in the text.
    pub offset: usize,
}

/// Finds ids in `text`. `is_scheme` says, of a word in lower case, whether ids start with it.
///
/// Between scheme and number there may be nothing, a dash, underscore, `#`, white space, or one line end. After a
/// plural (`ADRs 60, 61 and 62`) a list of numbers is read.
pub fn mentions(text: &str, is_scheme: impl Fn(&str) -> bool) -> Vec<Mention> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && bytes[at].is_ascii_alphabetic() {
            at += 1;
        }
        // `x-adr-3` and `éadr3` are other words.
        let glued = start > 0 && (bytes[start - 1].is_ascii_alphanumeric() || !bytes[start - 1].is_ascii());
        if glued || at - start > 16 {
            continue;
        }
        let word = text[start..at].to_ascii_lowercase();
        let singular = word.strip_suffix('s').filter(|singular| is_scheme(singular));
        let scheme = if is_scheme(&word) { Some(word.as_str()) } else { singular };
        let Some(scheme) = scheme else { continue };
        let Some((number, end)) = number_after(text, at) else { continue };
        found.push(mention(text, scheme, number, start, end));
        at = end;
        while let Some((number, from, end)) = singular.and_then(|_| next_of_list(text, at)) {
            found.push(mention(text, scheme, number, from, end));
            at = end;
        }
    }
    found
}

fn mention(text: &str, scheme: &str, number: u64, start: usize, end: usize) -> Mention {
    let written = text[start..end].split_whitespace().collect::<Vec<_>>().join(" ");
    Mention { scheme: scheme.to_owned(), number, text: written, offset: start }
}

/// The number that follows a scheme, and where it ends.
fn number_after(text: &str, at: usize) -> Option<(u64, usize)> {
    let rest = &text[at..];
    let gap = rest.find(|character: char| character.is_ascii_digit())?;
    let separator = &rest[..gap];
    let fits = match separator {
        "" | "-" | "_" | "#" | " " | " #" => true,
        // A wrapped line: indentation and a quote mark may follow the line end.
        other => {
            other.len() <= 12
                && other.matches('\n').count() == 1
                && other.chars().all(|character| character.is_whitespace() || matches!(character, '>' | '-'))
        }
    };
    if fits { digits(text, at + gap) } else { None }
}

fn digits(text: &str, at: usize) -> Option<(u64, usize)> {
    let rest = &text[at..];
    let length = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let next = rest[length..].chars().next();
    let version =
        next == Some('.') && rest[length + 1..].starts_with(|character: char| character.is_ascii_digit());
    if length == 0 || length > 6 || version || next.is_some_and(char::is_alphabetic) {
        return None;
    }
    Some((rest[..length].parse().ok()?, at + length))
}

/// The next number of a list: `, 61`, `and 62`, `& 63`, `, and 64`.
fn next_of_list(text: &str, at: usize) -> Option<(u64, usize, usize)> {
    let rest = &text[at..];
    let gap = rest.find(|character: char| character.is_ascii_digit())?;
    let between = rest.get(..gap).filter(|between| between.len() <= 10)?;
    let words: Vec<&str> = between
        .split(|character: char| character.is_whitespace() || character == ',')
        .filter(|word| !word.is_empty())
        .collect();
    let joined = match words.as_slice() {
        [] => between.contains(','),
        [word] => matches!(*word, "and" | "or" | "&" | "/"),
        _ => false,
    };
    let (number, end) = if joined { digits(text, at + gap)? } else { return None };
    Some((number, at + gap, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, u64)> {
        let known = |word: &str| matches!(word, "adr" | "rfc");
        mentions(text, known).into_iter().map(|mention| (mention.scheme, mention.number)).collect()
    }

    fn ids(list: &[(&str, u64)]) -> Vec<(String, u64)> {
        list.iter().map(|(scheme, number)| ((*scheme).to_owned(), *number)).collect()
    }

    #[test]
    fn ids_are_found_in_all_their_spellings() {
        assert_eq!(
            found("See ADR-0003, RFC 12, rfc#7 and adr0001."),
            ids(&[("adr", 3), ("rfc", 12), ("rfc", 7), ("adr", 1)])
        );
        assert_eq!(found("as ADR\n  101 says"), ids(&[("adr", 101)]));
        assert_eq!(
            found("ADRs 60, 61 and 62, 2 apples"),
            ids(&[("adr", 60), ("adr", 61), ("adr", 62), ("adr", 2)])
        );
    }

    #[test]
    fn other_words_are_left_alone() {
        assert_eq!(found("UTF-8, SHA-256, padr-3, RFC v2, ADR 1.2, adr, RFC"), ids(&[]));
        assert_eq!(found("éadr-3"), ids(&[]));
    }
}
