//! `docket trust`: showing what a project brings along, and pinning it as it is.

use std::fmt::Write as _;

use docket_core::text::printable;

use crate::cli::args::{Output, TrustArguments};
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::wire::{DoneShape, TrustItem, TrustShape};
use crate::engine::trust::{Offer, Offers, PluginOffer, forget};
use crate::report::difference::unified;
use crate::store::trust::Standing;

/// `docket trust`
pub(super) fn trust(
    settings: &Settings,
    arguments: &TrustArguments,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let project = settings.project()?;
    if !arguments.list {
        settings.refuse_agents("docket trust")?;
    }
    if arguments.forget {
        let had = forget(&project, &settings.home, &settings.actor())?;
        let text = if had { "this project is not trusted any more" } else { "this project was not trusted" };
        match ui.output() {
            Output::Human => ui.say(text),
            output => ui.json(&DoneShape { done: text.to_owned() }, output == Output::Json)?,
        }
        return Ok(ExitCode::Done);
    }
    let offers = Offers::look(&project, &settings.home, settings.limits()?.component)?;
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
    let grants = offers.grants();
    let question = if grants {
        "Trust these files as they are now, and grant the plugins what they ask for?"
    } else {
        "Trust these files as they are now?"
    };
    if !arguments.yes {
        if settings.non_interactive || !ui.can_ask() {
            return Err(CliError::NobodyToAsk { what: "trust", command: "docket trust --yes".to_owned() });
        }
        if !ui.ask(question) {
            return Err(CliError::Declined { what: "trust" });
        }
    }
    let value = shape(true, &offers.list);
    offers.accept(&project, &settings.home, &settings.actor())?;
    match ui.output() {
        Output::Human if grants => {
            ui.say(
                "trusted, and granted what is asked for; a change to any of them will be asked about again",
            );
        }
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
        asks: offer.asks.clone(),
        diff: offer.change.as_ref().map(|(before, after)| diff(&offer.path, before, after)),
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Trusted => "trusted",
        Standing::Changed => "changed",
        Standing::Unknown => "unknown",
    }
}

fn diff(path: &str, before: &str, after: &str) -> String {
    unified(&format!("trusted/{path}"), &format!("now/{path}"), before, after)
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
        for line in &offer.asks {
            let _ = writeln!(text, "    {}", printable(line));
        }
        if let Some((before, after)) = &offer.change {
            for line in diff(&offer.path, before, after).lines() {
                let _ = writeln!(text, "    {line}");
            }
        } else if offer.standing == Standing::Changed && offer.plugin.is_none() {
            text.push_str("    what it was is not kept; look at the whole file\n");
        }
        if let Some(plugin) = &offer.plugin {
            plugin_listed(&mut text, plugin);
        }
    }
    text
}

fn plugin_listed(text: &mut String, plugin: &PluginOffer) {
    let _ = writeln!(text, "    plugin {} {}", printable(&plugin.name), printable(&plugin.version));
    if let Some(update) = &plugin.update {
        let hash: String = update.sha256.chars().take(16).collect();
        let _ = writeln!(text, "    instead of {} sha256:{hash}", printable(&update.version));
        for removed in &update.removed {
            let _ = writeln!(text, "    no longer asks to {}", printable(removed));
        }
    }
    if plugin.capabilities.is_empty() {
        text.push_str("    asks for nothing\n");
    }
    let is_new =
        |capability: &String| plugin.update.as_ref().is_some_and(|update| update.added.contains(capability));
    for (capability, granted) in &plugin.capabilities {
        let mark = match (granted, plugin.is_decided) {
            (true, _) => " (granted)",
            (false, true) => " (not granted; `docket plugin grant` does)",
            (false, false) if is_new(capability) => " (NEW: the one before did not)",
            (false, false) => "",
        };
        let _ = writeln!(text, "    asks to {}{mark}", printable(capability));
    }
    if let Some(pin) = &plugin.pinned {
        let _ = writeln!(text, "    NOT RUN: .docket/plugins.lock pins sha256:{}", pin.sha256);
    }
}
