//! `docket trust`: showing what a project brings along, and pinning it as it is.

use std::fmt::Write as _;

use docket_core::text::printable;

use crate::cli::args::{Output, TrustArguments};
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::wire::{TrustItem, TrustShape};
use crate::engine::trust::{Offer, Offers, forget};
use crate::plugin::Limits;
use crate::store::trust::Standing;

/// `docket trust`
pub(super) fn trust(
    settings: &Settings,
    arguments: &TrustArguments,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let project = settings.project()?;
    if arguments.forget {
        let had = forget(&project, &settings.home, &settings.actor())?;
        ui.say(if had { "this project is not trusted any more" } else { "this project was not trusted" });
        return Ok(ExitCode::Done);
    }
    let offers = Offers::look(&project, &settings.home, Limits::default().component)?;
    let shape = |trusted: bool, offers: &[Offer]| TrustShape {
        project: project.root().display().to_string(),
        trusted,
        items: offers.iter().map(item).collect(),
    };
    if ui.output() == Output::Human {
        ui.say(&listed(project.root(), &offers.list));
    }
    if arguments.list || !offers.has_news() {
        let trusted = !offers.has_news();
        if ui.output() != Output::Human {
            ui.json(&shape(trusted, &offers.list), ui.output() == Output::Json)?;
        } else if !arguments.list {
            ui.say("nothing new to trust");
        }
        return Ok(if trusted { ExitCode::Done } else { ExitCode::NotTrusted });
    }
    if !arguments.yes {
        if settings.non_interactive || !ui.can_ask() {
            return Err(CliError::NobodyToAsk { command: "docket trust --yes".to_owned() });
        }
        if !ui.ask("Trust these files as they are now?") {
            return Err(CliError::Declined);
        }
    }
    let value = shape(true, &offers.list);
    offers.accept(&project, &settings.home, &settings.actor())?;
    match ui.output() {
        Output::Human => ui.say("trusted; a change to any of them will be asked about again"),
        output => ui.json(&value, output == Output::Json)?,
    }
    Ok(ExitCode::Done)
}

fn item(offer: &Offer) -> TrustItem {
    let capabilities = offer.plugin.iter().flat_map(|plugin| &plugin.capabilities);
    TrustItem {
        path: offer.path.clone(),
        sha256: offer.sha256.clone(),
        standing: standing(offer.standing).to_owned(),
        capabilities: capabilities.map(|(text, _)| text.clone()).collect(),
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Trusted => "trusted",
        Standing::Changed => "changed",
        Standing::Unknown => "unknown",
    }
}

fn listed(root: &std::path::Path, offers: &[Offer]) -> String {
    let mut text = format!("{} brings along:\n", root.display());
    if offers.is_empty() {
        text.push_str("  nothing that needs trust\n");
    }
    for offer in offers {
        let how = match offer.standing {
            Standing::Trusted => "trusted",
            Standing::Changed => "CHANGED since you trusted it",
            Standing::Unknown => "new",
        };
        let _ = writeln!(text, "  {} [{how}] sha256:{}", printable(&offer.path), &offer.sha256[..16]);
        if let Some(plugin) = &offer.plugin {
            let _ = writeln!(text, "    plugin {}", printable(&plugin.name));
            if plugin.capabilities.is_empty() {
                text.push_str("    asks for nothing\n");
            }
            for (capability, granted) in &plugin.capabilities {
                let had = if *granted { " (granted)" } else { "" };
                let _ = writeln!(text, "    asks to {}{had}", printable(capability));
            }
        }
    }
    text
}
