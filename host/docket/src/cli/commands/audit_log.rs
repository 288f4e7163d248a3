//! `docket audit-log`: every grant, denial and trust decision, newest last, and looking for some of them.

use docket_core::Timestamp;
use docket_core::definition::closest;
use docket_core::text::printable;

use crate::cli::args::{AuditLogArguments, Output, Since};
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::wire::AuditLogShape;
use crate::store::audit::{Decision, Entry, read};

/// `docket audit-log`
pub(super) fn audit_log(
    settings: &Settings,
    arguments: &AuditLogArguments,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let decision = arguments.decision.as_deref().map(decision).transpose()?;
    let project = match arguments.this_project {
        true => Some(settings.project()?.root().display().to_string()),
        false => None,
    };
    let since = arguments.since.map(second).transpose()?;
    let log = read(&settings.home)?;
    let wanted = |entry: &Entry| {
        decision.is_none_or(|decision| entry.decision == decision)
            && project.as_ref().is_none_or(|project| entry.project.as_ref() == Some(project))
            && since.is_none_or(|since| entry.at.as_second() >= since)
            && arguments.about.as_ref().is_none_or(|about| {
                entry.subject.contains(about.as_str())
                    || entry.sha256.as_ref().is_some_and(|hash| hash.starts_with(about.as_str()))
            })
    };
    let mut entries: Vec<Entry> = log.entries.into_iter().filter(wanted).collect();
    let too_many = entries.len().saturating_sub(arguments.limit.unwrap_or(usize::MAX));
    entries.drain(..too_many);
    if !log.unreadable.is_empty() {
        let lines: Vec<String> = log.unreadable.iter().map(ToString::to_string).collect();
        ui.say(&format!(
            "warning: {} has lines that can't be read: {}",
            settings.home.audit_file().display(),
            lines.join(", ")
        ));
    }
    if ui.output() == Output::Jsonl {
        for entry in &entries {
            ui.json(entry, false)?;
        }
        return Ok(ExitCode::Done);
    }
    let shape = AuditLogShape { entries, unreadable: log.unreadable };
    let text: Vec<String> = shape.entries.iter().map(line).collect();
    let text = if text.is_empty() { "nothing of that kind was decided".to_owned() } else { text.join("\n") };
    ui.result(&text, &shape)?;
    Ok(ExitCode::Done)
}

/// A moment in seconds since 1970.
fn second(since: Since) -> Result<i64, CliError> {
    match since {
        Since::Age(age) => Ok(Timestamp::now().as_second().saturating_sub(age)),
        Since::Day(day) => {
            let begin = day.to_zoned(jiff::tz::TimeZone::system());
            let begin = begin.map_err(|cause| {
                CliError::mistake(
                    format!("--since {day} can't be used: {cause}"),
                    "name another day, or an age",
                )
            })?;
            Ok(begin.timestamp().as_second())
        }
    }
}

fn decision(word: &str) -> Result<Decision, CliError> {
    let words: Vec<&str> = Decision::ALL.iter().map(|(word, _)| *word).collect();
    Decision::ALL.iter().find(|(known, _)| *known == word).map(|(_, decision)| *decision).ok_or_else(|| {
        let near = closest(word, words.iter().copied());
        let near = near.map(|near| format!("did you mean '{near}'? ")).unwrap_or_default();
        CliError::mistake(
            format!("'{word}' is no decision"),
            format!("{near}there are: {}", words.join(", ")),
        )
    })
}

fn line(entry: &Entry) -> String {
    let hash =
        entry.sha256.as_ref().map(|hash| format!(" sha256:{}", hash.chars().take(16).collect::<String>()));
    let mut text = format!(
        "{}  {:<8} {}{} (by {})",
        entry.at.strftime("%Y-%m-%d %H:%M:%S"),
        entry.decision.word(),
        entry.subject,
        hash.unwrap_or_default(),
        entry.by
    );
    for detail in &entry.details {
        text.push_str(&format!("; {detail}"));
    }
    printable(&text)
}
