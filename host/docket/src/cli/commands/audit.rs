//! `docket workflow verify` and `show --timeline`: is a run still what docket wrote, and who did what when. Looks only.

use docket_core::Timestamp;

use crate::cli::args::Output;
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::wire::VerifyShape;
use crate::engine::control::look;
use crate::engine::verify;
use crate::report::timeline::{Timeline, text as timeline_text};
use crate::report::verify::text as verify_text;
use crate::store::run_folder::ID_PREFIX;
use crate::store::verify::Witness;
use crate::store::{Project, RunFolder, StoreError, archive, claims, journal, list};

/// Digits of a journal's head.
const HASH_LENGTH: usize = 64;

/// `docket workflow verify [RUN…] [--head HASH]`
pub(super) fn verify(
    settings: &Settings,
    names: &[String],
    head: Option<&str>,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let project = settings.project()?;
    let head = head.map(|head| parse_head(head, names)).transpose()?;
    let key = settings.home.existing_key()?;
    let witness = Witness { key: key.as_ref(), head: head.as_deref() };
    let ids = if names.is_empty() { every_run(&project) } else { named(&project, names)? };
    let mut runs = Vec::with_capacity(ids.len());
    for id in &ids {
        let run = verify::verify(&project, id, witness);
        match ui.output() {
            Output::Human => ui.data(&verify_text(&run))?,
            Output::Jsonl => ui.json(&run, false)?,
            Output::Json => {}
        }
        runs.push(run);
    }
    let count = runs.len();
    let broken = runs.iter().filter(|run| !run.sound).count();
    match ui.output() {
        Output::Json => ui.json(&VerifyShape { sound: broken == 0, runs }, true)?,
        Output::Human if count == 0 => ui.say("no runs"),
        Output::Human if broken == 0 => ui.say(&format!("{count} run(s) looked over: nothing is broken")),
        _ => {}
    }
    if broken > 0 {
        return Err(CliError::Shown(format!(
            "{broken} of {count} run(s) broken; each FAULT says what and where"
        )));
    }
    Ok(ExitCode::Done)
}

/// A hash is that of one run's journal, so it takes one run to compare it with.
fn parse_head(head: &str, names: &[String]) -> Result<String, CliError> {
    if names.len() != 1 {
        return Err(CliError::mistake(
            "--head is the hash of one run's journal",
            "name that run: `docket workflow verify RUN --head HASH`",
        ));
    }
    let head = head.to_ascii_lowercase();
    if head.len() != HASH_LENGTH || !head.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(CliError::mistake(
            format!("'{}' is no hash of a journal's record", docket_core::text::printable(&head)),
            format!(
                "it has {HASH_LENGTH} hexadecimal digits; `docket workflow verify RUN` shows it as the head"
            ),
        ));
    }
    Ok(head)
}

/// Every run that has a folder or a record.
fn every_run(project: &Project) -> Vec<String> {
    let mut ids = list::ids(project);
    ids.extend(archive::all(project).into_keys());
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The ids of runs that were named. What is there but can't be used is looked over all the same.
fn named(project: &Project, names: &[String]) -> Result<Vec<String>, CliError> {
    let known = every_run(project);
    let mut ids = Vec::new();
    for name in names {
        let id = if name.starts_with(ID_PREFIX) { name.clone() } else { format!("{ID_PREFIX}{name}") };
        if !known.contains(&id) {
            RunFolder::find(project, name)?;
        }
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// `docket workflow show RUN --timeline`
pub(super) fn timeline(settings: &Settings, run: &str, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let project = settings.project()?;
    let timeline = match RunFolder::find(&project, run) {
        Ok(folder) => {
            let (_, snapshot) = look(&folder)?;
            let journal = journal::load(&folder.journal())?;
            let claims = claims::read(&folder)?;
            Timeline::of(&journal, snapshot.status, Timestamp::now())
                .map(|timeline| timeline.with_claims(&claims))
        }
        Err(StoreError::Pruned { record, .. }) => {
            let record = super::kept::load(&record, ui)?;
            Timeline::of_record(&record)
        }
        Err(error) => return Err(error.into()),
    };
    let timeline = timeline.ok_or_else(|| {
        CliError::mistake(
            format!("nothing is known of the timeline of {run}"),
            "its record was written by an older docket, which kept no totals, and its folder was pruned",
        )
    })?;
    ui.result(&timeline_text(&timeline), &timeline)?;
    Ok(ExitCode::Done)
}
