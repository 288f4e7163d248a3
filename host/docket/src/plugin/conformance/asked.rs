//! What a plugin asks for: can it be granted, does it mean what it seems to, and does it fit what the component
//! imports. Whether it is granted is none of this module's business.

use docket_core::run::ProjectPath;
use serde_json::{Value, json};

use super::Findings;
use super::manifest_text::place;
use crate::plugin::grants::Grants;
use crate::plugin::imports::command_interfaces;
use crate::plugin::manifest::{Capabilities, is_plain, is_variable};

/// A path that stands for any, to try a capability with.
const SOME_PATH: &str = "docs/example.md";

/// Judges the capabilities of a manifest that serves these stages.
pub(super) fn capabilities(manifest: &Value, stages: &[Value], findings: &mut Findings) {
    for kind in ["read", "write"] {
        let paths = manifest.pointer(&format!("/capabilities/{kind}")).and_then(Value::as_array);
        let mut seen: Vec<&str> = Vec::new();
        for (index, path) in paths.into_iter().flatten().enumerate() {
            let Some(path) = path.as_str() else { continue };
            let at = place(&format!("/capabilities/{kind}/{index}"));
            if seen.contains(&path) {
                findings.warning(
                    "double-capability",
                    &at,
                    format!("'{path}' is asked for twice"),
                    "leave one out",
                );
                continue;
            }
            seen.push(path);
            match path.strip_prefix("${config.").and_then(|rest| rest.strip_suffix('}')) {
                Some(field) => stages.iter().for_each(|stage| config_field(stage, field, &at, findings)),
                None => one_path(kind, path, &at, findings),
            }
        }
    }
}

/// Names of variables, all of them.
pub(super) fn variables(manifest: &Value, findings: &mut Findings) {
    let names = manifest.pointer("/capabilities/env").and_then(Value::as_array);
    for (index, name) in names.into_iter().flatten().enumerate() {
        let Some(name) = name.as_str().filter(|name| !is_variable(name)) else { continue };
        let at = place(&format!("/capabilities/env/{index}"));
        let fix = "write letters, digits and '_', no digit first; the value is the user's business";
        findings.error("bad-name", at, format!("'{name}' is no name of a variable"), fix);
    }
}

/// Names of programs, all of them.
pub(super) fn commands(manifest: &Value, findings: &mut Findings) {
    let names = manifest.pointer("/capabilities/commands").and_then(Value::as_array);
    for (index, name) in names.into_iter().flatten().enumerate() {
        let Some(name) = name.as_str().filter(|name| !is_plain(name)) else { continue };
        let at = place(&format!("/capabilities/commands/{index}"));
        let fix = "name a program as it is found on PATH, without a folder or arguments";
        findings.error("bad-name", at, format!("'{name}' is no name of a program"), fix);
    }
}

/// A capability that names a config field: each stage's config must have it, as text, whenever it is used.
fn config_field(stage: &Value, field: &str, at: &str, findings: &mut Findings) {
    let name = stage.get("type").and_then(Value::as_str).unwrap_or("?");
    let property = stage.pointer("/config/properties").and_then(|fields| fields.get(field));
    let Some(property) = property else {
        let what = format!("the config of stage type '{name}' has no field '{field}'");
        return findings.error(
            "no-config-field",
            at,
            what,
            "name a field of the config, or add it to the schema",
        );
    };
    let is_text = property.get("type").and_then(Value::as_str) == Some("string")
        || property
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|list| list.iter().all(Value::is_string))
        || property.get("const").is_some_and(Value::is_string);
    if !is_text {
        let what = format!("the config field '{field}' of stage type '{name}' is not always a string");
        findings.error("config-field-type", at, what, "give it `\"type\": \"string\"`: it has to be a path");
    }
    let required = stage.pointer("/config/required").and_then(Value::as_array);
    if !required.is_some_and(|names| names.iter().any(|name| name == field)) {
        let what = format!(
            "the config field '{field}' of stage type '{name}' is not required; without it the stage can't be granted anything"
        );
        findings.error("config-field-optional", at, what, "add it to `required`");
    }
}

fn one_path(kind: &str, path: &str, at: &str, findings: &mut Findings) {
    if path.contains("${") {
        let what = format!("'{path}' has an expression in it");
        let fix = "only `${config.field}` as the whole text stands for a path";
        return findings.error("bad-capability", at, what, fix);
    }
    let asked: Result<Capabilities, _> = serde_json::from_value(json!({ kind: [path] }));
    let Ok(asked) = asked else { return };
    if let Err(cause) = Grants::resolve(&asked, &json!({ "example": SOME_PATH })) {
        let fix = "name a path or a pattern inside the project, with `/` between its parts";
        return findings.error("bad-capability", at, cause.to_string(), fix);
    }
    let fixed: Vec<&str> = path.split('/').take_while(|part| !part.contains(['*', '?', '[', '{'])).collect();
    let reserved =
        ProjectPath::writable(&fixed.join("/")).is_err() && ProjectPath::parse(&fixed.join("/")).is_ok();
    if kind == "write" && reserved {
        let what = format!("'{path}' lies where no stage may write: .docket and .git");
        return findings.error("reserved-path", at, what, "write somewhere else");
    }
    let fix =
        "ask for the folders that it needs, or for `${config.field}`: users see this when they are asked";
    if kind == "read" && matches!(path, "." | "**" | "**/*" | "*") {
        findings.warning("reads-everything", at, "it asks to read the whole project", fix);
    }
    if kind == "write" && matches!(path, "**" | "**/*") {
        findings.warning("writes-everything", at, "it asks to write anywhere in the project", fix);
    }
}

/// Running commands has to be asked for when it is imported, and imported when it is asked for.
pub(super) fn processes(manifest: &Value, imports: &[String], findings: &mut Findings) {
    let exec = manifest.pointer("/capabilities/exec").and_then(Value::as_bool).unwrap_or(false);
    let named = manifest.pointer("/capabilities/commands").and_then(Value::as_array);
    let asks = exec || named.is_some_and(|names| !names.is_empty());
    let at = place("/capabilities/exec");
    match (asks, command_interfaces(imports)) {
        (false, Some(interfaces)) => {
            let what =
                format!("it imports {interfaces} and does not ask to run commands, so it never starts");
            findings.error(
                "exec-not-asked",
                at,
                what,
                "add `\"exec\": true` or name the programs in `commands`, or leave out what runs commands",
            );
        }
        (true, None) => {
            let what = "it asks to run commands and imports neither `process` nor `dialogue`";
            findings.warning(
                "exec-not-used",
                at,
                what,
                "leave out `exec` and `commands`: ask for what is used",
            );
        }
        _ => {}
    }
}
