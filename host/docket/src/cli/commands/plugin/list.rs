//! `docket plugin list`.

use docket_core::text::printable;

use super::shape::{PluginListShape, PluginShape};
use crate::cli::args::Output;
use crate::cli::error::{CliError, ExitCode};
use crate::cli::ui::Ui;
use crate::engine::installed::Workshop;

/// Lists the plugins there are.
pub(super) fn list(workshop: &Workshop<'_>, ui: &mut Ui) -> Result<ExitCode, CliError> {
    let all = workshop.survey()?;
    let missing = workshop.pinned_but_missing(&all)?;
    let shape = PluginListShape { plugins: all.iter().map(PluginShape::of).collect(), missing };
    if ui.output() == Output::Jsonl {
        for plugin in &shape.plugins {
            ui.json(plugin, false)?;
        }
        return Ok(ExitCode::Done);
    }
    ui.result(&text(&shape), &shape)?;
    Ok(ExitCode::Done)
}

fn text(shape: &PluginListShape) -> String {
    let head = ["NAME", "VERSION", "FROM", "SERVES", "STATE"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(shape.plugins.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let mut lines: Vec<String> = Vec::new();
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        lines.push(cells.join("  ").trim_end().to_owned());
    }
    lines.extend(
        shape
            .missing
            .iter()
            .map(|name| format!("{} is pinned in .docket/plugins.lock and not there", printable(name))),
    );
    lines.join("\n")
}

fn row(plugin: &PluginShape) -> [String; 5] {
    let serves = match &plugin.launcher {
        Some(launcher) => format!("agent (launcher {launcher})"),
        None => plugin.stages.join(", "),
    };
    let detail = plugin.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
    [
        printable(plugin.name.as_ref().unwrap_or(&plugin.path)),
        printable(plugin.version.as_deref().unwrap_or("-")),
        plugin.source.clone(),
        printable(&serves),
        printable(&format!("{}{detail}", plugin.state)),
    ]
}
