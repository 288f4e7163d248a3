//! Why an agent failed, in a few stable codes with advice, whatever its program calls it. Reads only what a program says
//! about its failure, never what an agent answers: a review may well be about rate limits.

use docket_launcher::tail::described;
use docket_plugin::Error;
use docket_plugin::process::ExitStatus;

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The account's limit is used up, or there is nothing left to pay with.
    Quota,
    /// Too many requests at the moment.
    RateLimit,
    /// The model's service is busy, or can't be reached.
    Overloaded,
    /// Not logged in, or not allowed.
    Auth,
    /// The agent, its model or its program declined.
    Refused,
    /// It took as many turns as it may.
    TurnLimit,
    /// It used as much as its own limit allows.
    Budget,
    /// The prompt, or what became of it, is more than the model can read.
    TooLong,
    /// The program was called wrongly: its version, its settings, or a model that is not there.
    Setup,
    /// It ended before its work did.
    Interrupted,
    /// Anything else.
    Failed,
}

/// The error for a failure of `agent` (the preset's name), with what its program said.
pub(crate) fn failure(agent: &str, kind: Kind, reason: &str) -> Error {
    let reason = reason.trim();
    let reason = if reason.is_empty() { "it gave no reason" } else { reason };
    let (code, retryable, words) = match kind {
        Kind::Quota => ("agent-quota", false, "has used up its limit"),
        Kind::RateLimit => ("agent-quota", true, "is held back by a rate limit"),
        Kind::Overloaded => ("agent-overloaded", true, "could not get an answer from its model's service"),
        Kind::Auth => ("agent-auth", false, "is not logged in or not allowed to do this"),
        Kind::Refused => ("agent-refused", false, "declined"),
        Kind::TurnLimit => ("agent-turn-limit", false, "took as many turns as it may"),
        Kind::Budget => ("agent-budget", false, "used up the budget it was given"),
        Kind::TooLong => ("agent-prompt-too-long", false, "was given more than its model can read"),
        Kind::Setup => ("agent-setup", false, "can't work as it is set up"),
        Kind::Interrupted => ("agent-interrupted", true, "was interrupted"),
        Kind::Failed => ("agent-failed", true, "failed"),
    };
    let error = Error::new(code, format!("{agent} {words}: {reason}"));
    let error = match advice(kind, agent) {
        Some(advice) => error.hint(advice),
        None => error,
    };
    if retryable { error.retryable() } else { error }
}

fn advice(kind: Kind, agent: &str) -> Option<String> {
    Some(match kind {
        Kind::Quota => "wait until the limit is reset, or use a profile with another account or agent; then `docket workflow retry`".to_owned(),
        Kind::RateLimit => "try again later, or give the stage a `retry` with a longer `backoff`".to_owned(),
        Kind::Overloaded => "look at the service's status and your network, then retry the stage".to_owned(),
        Kind::Auth => format!(
            "log in with {agent} by hand, as the user that runs docket; a variable with a key must be named under `env` in the launcher profile"
        ),
        Kind::TurnLimit => format!("raise {agent}'s turn limit in the arguments of the profile's `command`, or make the task smaller"),
        Kind::Budget => "raise the agent's own limit in the arguments of the profile's `command` or in its settings, or make the task smaller".to_owned(),
        Kind::TooLong => "give it less: fewer related documents, a smaller document, or a model that reads more".to_owned(),
        Kind::Setup => format!("run {agent} by hand in the project; look at the profile's `command` and `model`"),
        Kind::Interrupted => format!("run {agent} by hand in the project to see whether it works there"),
        Kind::Refused | Kind::Failed => return None,
    })
}

/// The kind of a failure, from the status of the model's service (HTTP) and what the program says; `None` when neither
/// tells.
pub(crate) fn kind(status: Option<u64>, text: &str) -> Option<Kind> {
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let status = status.or_else(|| STATUSES.into_iter().find(|status| has_number(&text, *status)));
    let used_up = says(&USED_UP) || (says(&["limit"]) && says(&["hit your", "reached your", "your limit"]));
    match status {
        Some(429) if !used_up => return Some(Kind::RateLimit),
        Some(402 | 429) => return Some(Kind::Quota),
        Some(413) => return Some(Kind::TooLong),
        _ => {}
    }
    if used_up {
        Some(Kind::Quota)
    } else if says(&[
        "rate limit",
        "rate_limit",
        "too many requests",
        "resource_exhausted",
        "resource exhausted",
    ]) {
        Some(Kind::RateLimit)
    } else if says(&["token budget", "budget exhausted"]) {
        Some(Kind::Budget)
    } else if says(&TOO_LONG) {
        Some(Kind::TooLong)
    } else if matches!(status, Some(401 | 403)) || says(&NOT_ALLOWED) {
        Some(Kind::Auth)
    } else if says(&["content filter", "content_filter", "content policy", "safety", "prohibited", "refusal"])
    {
        Some(Kind::Refused)
    } else if says(&["turn limit", "max turns", "maximum session turns", "max session turns"]) {
        Some(Kind::TurnLimit)
    } else if status == Some(404) || says(&NOT_THERE) {
        Some(Kind::Setup)
    } else if status.is_some_and(|status| status >= 500) || says(&BUSY) {
        Some(Kind::Overloaded)
    } else {
        None
    }
}

/// Statuses that are looked for in text.
const STATUSES: [u64; 12] = [401, 402, 403, 404, 413, 429, 500, 502, 503, 504, 522, 529];
const USED_UP: [&str; 10] = [
    "usage limit",
    "usage_limit",
    "limit reached",
    "quota",
    "credit balance",
    "out of credits",
    "insufficient credit",
    "insufficient_funds",
    "billing",
    "spend limit",
];
const TOO_LONG: [&str; 6] = [
    "context length",
    "context window",
    "context_length",
    "prompt is too long",
    "contextoverflow",
    "maximum number of tokens",
];
const NOT_ALLOWED: [&str; 11] = [
    "unauthorized",
    "unauthenticated",
    "authentication",
    "not logged in",
    "please run /login",
    "api key",
    "api_key",
    "providerautherror",
    "forbidden",
    "permission_error",
    "auth method",
];
const NOT_THERE: [&str; 7] = [
    "model not found",
    "model_not_found",
    "modelnotfound",
    "not_found_error",
    "unknown option",
    "unexpected argument",
    "unknown argument",
];
const BUSY: [&str; 9] = [
    "overloaded",
    "service unavailable",
    "server error",
    "server_error",
    "bad gateway",
    "stream disconnected",
    "connection",
    "econnre",
    "timed out",
];

/// Whether a number stands in a text by itself.
fn has_number(text: &str, number: u64) -> bool {
    let number = number.to_string();
    text.match_indices(&number).any(|(place, _)| {
        let before = text.get(..place).and_then(|text| text.chars().next_back());
        let after = text.get(place + number.len()..).and_then(|text| text.chars().next());
        // A digit, a letter or a point at either side makes it a part of something else: a version, a time, an id.
        let apart = |beside: Option<char>| {
            beside.is_none_or(|it| !it.is_alphanumeric() && !matches!(it, '.' | '-' | '_'))
        };
        apart(before)
            && (apart(after)
                || text.get(place + number.len()..).is_some_and(|rest| rest == "." || rest.starts_with(". ")))
    })
}

/// The error for a process that ended without saying how its work ended. `complaint`: what it said on standard error.
pub(crate) fn interrupted(agent: &str, exit: &ExitStatus, trouble: Option<&str>, complaint: &str) -> Error {
    let said = trouble.map(|trouble| format!("; it last said: {trouble}")).unwrap_or_default();
    let reason = format!("it ended with {} before its work was over{said}", described(exit));
    let known = trouble.and_then(|trouble| kind(None, trouble)).or_else(|| kind(None, complaint));
    failure(agent, known.unwrap_or(Kind::Interrupted), &reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_say_is_told_apart() {
        for (status, text, expected) in [
            (
                None,
                "You've hit your usage limit. To get more access now, try again at 12:16 PM.",
                Some(Kind::Quota),
            ),
            (None, "exceeded retry limit, last status: 429 Too Many Requests", Some(Kind::RateLimit)),
            (Some(429), "API Error: Request rejected (429) · try later", Some(Kind::RateLimit)),
            (None, "You've hit your limit · resets 1pm (Europe/Lisbon)", Some(Kind::Quota)),
            (None, "Claude AI usage limit reached|1753560000", Some(Kind::Quota)),
            (None, "Credit balance is too low", Some(Kind::Quota)),
            (None, "You exceeded your current quota, please check your plan", Some(Kind::Quota)),
            (None, "shared rollout token budget exhausted", Some(Kind::Budget)),
            (None, "unexpected status 401 Unauthorized: Missing bearer", Some(Kind::Auth)),
            (None, "Invalid API key · Please run /login", Some(Kind::Auth)),
            (Some(403), "Your organization has disabled access", Some(Kind::Auth)),
            (Some(529), "Overloaded", Some(Kind::Overloaded)),
            (None, "stream disconnected before completion", Some(Kind::Overloaded)),
            (None, "prompt is too long: 250000 tokens > 200000 maximum", Some(Kind::TooLong)),
            (Some(404), "model: nonesuch", Some(Kind::Setup)),
            (None, "error: unknown option '--nonsense'", Some(Kind::Setup)),
            (None, "Response blocked due to safety settings", Some(Kind::Refused)),
            (None, "Maximum session turns exceeded", Some(Kind::TurnLimit)),
            (None, "something else", None),
            (None, "version 0.429.1 of id a-401-b at 5.503", None),
        ] {
            assert_eq!(kind(status, text), expected, "{text}");
        }
    }

    #[test]
    fn an_interruption_is_named_by_its_cause_when_there_is_one() {
        let exit = ExitStatus { code: Some(1), ..ExitStatus::default() };
        assert_eq!(interrupted("codex", &exit, None, "").code, "agent-interrupted");
        assert_eq!(interrupted("codex", &exit, Some("status 401"), "").code, "agent-auth");
        let error = interrupted("codex", &exit, None, "Error: quota exceeded");
        assert_eq!((error.code.as_str(), error.retryable), ("agent-quota", false));
        assert!(error.message.contains("exit code 1"), "{error}");
    }
}
