//! The flags of `docket workflow start NAME`: a workflow's inputs become flags with help texts, beside docket's own.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _};
use docket_core::definition::{InputError, InputKind, InputSpec, Workflow};
use docket_core::text::{printable, printable_lines};
use serde_json::Value;

use super::args::{GlobalArguments, RunArguments};
use super::error::CliError;

/// Put before the name of an input whose flag docket has itself.
const PREFIX: &str = "input-";

/// Arguments of a workflow that is to be started.
#[derive(Debug)]
pub(super) struct StartArguments {
    pub(super) global: GlobalArguments,
    pub(super) run: RunArguments,
    pub(super) inputs: BTreeMap<String, Value>,
    /// What is wrong with those inputs whose text does not fit their type; they are not among `inputs`.
    pub(super) wrong: Vec<InputError>,
}

/// Parses the arguments after a workflow's name.
///
/// # Errors
/// What clap has to say; help is one of these.
pub(super) fn parse(name: &str, workflow: &Workflow, rest: &[String]) -> Result<StartArguments, CliError> {
    let matches = command(name, workflow)
        .try_get_matches_from(rest)
        .map_err(|usage| CliError::Usage(Box::new(usage)))?;
    let usage = |error: clap::Error| CliError::Usage(Box::new(error));
    let mut wrong = Vec::new();
    let mut inputs = BTreeMap::new();
    for input in &workflow.inputs {
        match value(input, &matches) {
            None => {}
            Some(Ok(value)) => {
                inputs.insert(input.name.clone(), value);
            }
            Some(Err(error)) => wrong.push(error),
        }
    }
    Ok(StartArguments {
        global: GlobalArguments::from_arg_matches(&matches).map_err(usage)?,
        run: RunArguments::from_arg_matches(&matches).map_err(usage)?,
        inputs,
        wrong,
    })
}

fn value(input: &InputSpec, matches: &ArgMatches) -> Option<Result<Value, InputError>> {
    let texts: Vec<&String> = matches.get_many::<String>(&input.name)?.collect();
    Some(match (&input.kind, texts.as_slice()) {
        (InputKind::List, several) => {
            let texts: Vec<String> = several.iter().map(|text| (*text).clone()).collect();
            input.parse(&texts.join(","))
        }
        (_, [.., last]) => input.parse(last),
        (_, []) => return None,
    })
}

/// The command for a workflow, with a flag for each input.
fn command(name: &str, workflow: &Workflow) -> Command {
    let base = Command::new("start").bin_name(format!("docket workflow start {name}")).no_binary_name(true);
    // Flattened arguments bring their own description along, so the workflow's comes after them.
    let command = GlobalArguments::augment_args(RunArguments::augment_args(base));
    let title = printable(&workflow.name);
    let text = match &workflow.description {
        Some(description) => format!("{title}\n\n{}", printable_lines(description)),
        None => title.clone(),
    };
    let command = command.about(title).long_about(text);
    let taken: Vec<String> =
        command.get_arguments().filter_map(|flag| flag.get_long().map(str::to_owned)).collect();
    workflow.inputs.iter().fold(command, |command, input| command.arg(flag(input, &taken)))
}

fn flag(input: &InputSpec, taken: &[String]) -> Arg {
    let long = input.flag();
    let long = if taken.contains(&long) || long == "help" { format!("{PREFIX}{long}") } else { long };
    let mut help = input.description.clone().unwrap_or_default();
    let mut note = |text: String| {
        if !help.is_empty() {
            help.push(' ');
        }
        help.push_str(&text);
    };
    match &input.kind {
        InputKind::Enum(values) => note(format!("[one of: {}]", values.join(", "))),
        InputKind::List => note("[several, divided by commas]".to_owned()),
        InputKind::Date => note("[YYYY-MM-DD]".to_owned()),
        _ => {}
    }
    match &input.default {
        Some(Value::String(text)) => note(format!("[default: {text}]")),
        Some(value) => note(format!("[default: {value}]")),
        None if input.required => note("[required]".to_owned()),
        None => {}
    }
    let arg = Arg::new(input.name.clone())
        .long(long)
        .help(printable(&help))
        .help_heading("Inputs")
        .value_name(input.kind.name().to_uppercase())
        .allow_hyphen_values(true)
        .action(ArgAction::Append);
    match input.kind {
        // `--draft` alone means yes.
        InputKind::Boolean => arg.num_args(0..=1).default_missing_value("true").require_equals(true),
        _ => arg.num_args(1),
    }
}

/// What `docket workflow start` without a name, or with `--help`, shows.
pub(super) fn overview(names: &[(String, String)]) -> String {
    let width = names.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let list: Vec<String> = names.iter().map(|(name, about)| format!("  {name:<width$}  {about}")).collect();
    format!(
        "Start a workflow\n\nUsage: docket workflow start <NAME> [INPUTS] [OPTIONS]\n\nWorkflows:\n{}\n\n\
         `docket workflow start NAME --help` shows a workflow's inputs and options.\n",
        list.join("\n")
    )
}
