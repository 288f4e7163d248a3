//! Showing what the stages of a run may touch, before it starts.

use std::fmt::Write as _;

use docket_core::text::printable;

use crate::cli::args::Output;
use crate::cli::ui::Ui;
use crate::engine::Engine;
use crate::engine::check::Definition;
use crate::engine::rights::StageRights;
use crate::engine::start::Start;
use crate::report::shapes::RightsShape;

/// Works out what a run that is about to start may touch, and says it to people: for stages of plugins that are not
/// docket's own, and in a dry run for all. `None` when there is nothing to tell, and when the run can't be started:
/// starting it says why.
pub(super) fn announce(
    engine: &Engine,
    definition: &Definition,
    start: &Start,
    ui: &mut Ui,
) -> Option<RightsShape> {
    let is_human = ui.output() == Output::Human;
    if is_human && !start.dry_run && !engine.has_foreign_plugins() {
        return None;
    }
    let rights = engine.rights(definition, start).ok()?;
    if !is_human {
        return Some(RightsShape::from(&rights));
    }
    let listed = |stage: &&StageRights| start.dry_run || !stage.is_built_in;
    let stages: Vec<&StageRights> = rights.stages.iter().filter(listed).collect();
    if !stages.is_empty() {
        ui.say(&text(&stages, rights.is_cut));
    }
    None
}

fn text(stages: &[&StageRights], is_cut: bool) -> String {
    let mut text = "What the stages of this run may do beside reading their inputs:".to_owned();
    for stage in stages {
        let name = printable(&stage.path.join(" > "));
        let plugin = format!("{} {}", printable(&stage.plugin), printable(&stage.version));
        let _ = write!(text, "\n  {name} ({plugin}): ");
        match stage.rights.as_slice() {
            [] => text.push_str("nothing"),
            rights => text.push_str(&printable(&rights.join("; "))),
        }
        if !stage.withheld.is_empty() {
            let withheld = printable(&stage.withheld.join("; "));
            let _ = write!(text, "\n    asks for, and was not granted: {withheld}");
        }
    }
    if is_cut {
        text.push_str("\n  … and more stages than are listed here");
    }
    text
}
