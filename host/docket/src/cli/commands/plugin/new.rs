//! `docket plugin new`: the files of a new plugin, and what to do with them.

use crate::cli::args::Output;
use crate::cli::author_args::NewPluginArguments;
use crate::cli::error::{CliError, ExitCode};
use crate::cli::settings::Settings;
use crate::cli::ui::Ui;
use crate::cli::wire::NewPluginShape;
use crate::engine::conformance::built_in_types;
use crate::plugin::scaffold::{self, NameError, WriteError};

/// `docket plugin new NAME [--path DIR] [--manifest]`
pub(super) fn new(
    settings: &Settings,
    arguments: &NewPluginArguments,
    ui: &mut Ui,
) -> Result<ExitCode, CliError> {
    let name = &arguments.name;
    scaffold::check_name(name, &built_in_types()).map_err(|error| {
        let hint = match error {
            NameError::Form(_) => "such as word-count",
            NameError::Taken(_) => "choose another, such as my-plugin",
            NameError::BuiltIn(_) => "a new type needs a name of its own; choose another",
        };
        CliError::mistake(error.to_string(), hint)
    })?;
    let shown = arguments.path.clone().unwrap_or_else(|| name.into());
    let files = scaffold::files(name, arguments.manifest);
    scaffold::write(&settings.folder.join(&shown), &files).map_err(|error| {
        let hint = match error {
            WriteError::Occupied(_) => "choose another folder with `--path DIR`; nothing was changed",
            WriteError::Io { .. } => "make the folder writable, or choose another with `--path DIR`",
        };
        CliError::mistake(error.to_string(), hint)
    })?;
    let component = format!("target/wasm32-wasip2/release/{}.wasm", name.replace('-', "_"));
    let next = vec![
        format!("cd {}", quoted(&shown.display().to_string())),
        "cargo build --release".to_owned(),
        "docket plugin check .".to_owned(),
        "docket init".to_owned(),
        format!("docket plugin add --to-project {component}"),
        format!("cp {name}.yml .docket/workflows/definitions/"),
        "docket trust".to_owned(),
        format!("docket workflow start {name} --who you"),
    ];
    let shape = NewPluginShape {
        name: name.clone(),
        folder: settings.folder.join(&shown).display().to_string(),
        component,
        files: files.into_iter().map(|(path, _)| path).collect(),
        next,
    };
    let text = format!("{} is a plugin with the stage type '{name}': look at src/lib.rs", shown.display());
    ui.result(&text, &shape)?;
    if ui.output() == Output::Human {
        let next = shape.next.join("\n  ");
        ui.say(&format!(
            "to build it and run it here (once before: rustup target add wasm32-wasip2):\n  {next}"
        ));
    }
    Ok(ExitCode::Done)
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_=./:+,@".contains(letter);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}
