//! What an agent's program prints: any lines.
//!
//! What holds: the same lines give the same answer, and the same task the same command (docket finds a process again by
//! it). Activities are one short line. A program that failed has no answer. An answer that fits its schema is not
//! changed on its way through the strict form that some agents want.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use docket_plugin::process::{Argument, ExitStatus};
use docket_plugin::{Agent, Profile};
use docket_plugin_agent_shell::replay::{command, replay};
use serde_json::Value;

use crate::sample::REVIEW_SCHEMA;
use crate::text;

/// The agents whose programs print events.
const PROGRAMS: [&str; 4] = ["codex", "claude", "gemini", "opencode"];
/// Longest activity that makes sense, in characters.
const LONGEST_ACTIVITY: usize = 200;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(REVIEW_SCHEMA).unwrap_or_default());
static REVIEW: LazyLock<Option<jsonschema::Validator>> =
    LazyLock::new(|| jsonschema::validator_for(&SCHEMA).ok());

/// Runs the target. The first byte chooses the agent and how its process ended; a line `schema` puts what follows in
/// place of the schema, a line `answer` what follows into the answer file.
pub fn agent(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    let Some(text) = text(rest) else { return };
    let (text, answer) = text.split_once("\nanswer\n").unwrap_or((text, ""));
    let (text, schema) = text.split_once("\nschema\n").unwrap_or((text, ""));
    let agent = Agent {
        prompt: "Review!".into(),
        prompt_file: "prompt.md".into(),
        schema: serde_json::from_str(schema).ok().or_else(|| (mode & 8 == 0).then(|| SCHEMA.clone())),
        profile: Profile {
            name: "fuzz".into(),
            agent: Some(
                if mode & 1 == 0 { PROGRAMS[usize::from(mode >> 4 & 3)] } else { "generic" }.to_owned(),
            ),
            program: Some("program".into()),
            arguments: vec![],
            idle_timeout: None,
            model: None,
            options: BTreeMap::new(),
        },
        prompt_shows_schema: false,
        repairs: 1,
        project_folder: None,
    };
    let exit = ExitStatus {
        code: (mode & 2 == 0).then_some(i32::from(mode & 4)),
        signal: (mode & 2 != 0).then_some(9),
        answers: if answer.is_empty() { vec![] } else { vec![("answer.txt".into(), answer.into())] },
    };
    has_one_command(&agent);
    let read = replay(&agent, None, text.lines(), &exit, answer).expect("the agents are known");
    assert_eq!(replay(&agent, None, text.lines(), &exit, answer).as_ref(), Ok(&read), "read twice");
    for activity in &read.activities {
        assert!(!activity.contains('\n'), "an activity of several lines: {activity:?}");
        assert!(activity.chars().count() <= LONGEST_ACTIVITY, "a long activity: {activity:?}");
    }
    match &read.answer {
        Err(error) => assert!(!error.code.is_empty() && !error.message.is_empty(), "an error without words"),
        Ok(value) => {
            assert!(mode & 1 == 0 || exit.code == Some(0), "a failed program has no answer");
            is_kept(value);
        }
    }
}

fn has_one_command(agent: &Agent) {
    let first = command(agent, None).expect("a program is named");
    assert_eq!(command(agent, None).as_ref(), Ok(&first), "another command for the same task");
    let names: Vec<&String> = first.attachments.iter().map(|(name, _)| name).collect();
    for argument in &first.arguments {
        if let Argument::Attachment(name) = argument {
            assert!(names.contains(&name), "an argument names an attachment that is not there");
        }
    }
    for (_, schema) in first.attachments {
        let schema: Value = serde_json::from_str(&schema).expect("a schema is JSON");
        assert!(is_closed(&schema), "an object of a strict schema is open: {schema}");
    }
}

/// Whether every object that a strict schema describes names all its fields and takes no others.
fn is_closed(schema: &Value) -> bool {
    let Some(keywords) = schema.as_object() else { return true };
    let properties = keywords.get("properties").and_then(Value::as_object);
    let own = properties.is_none_or(|properties| {
        let required = keywords.get("required").and_then(Value::as_array);
        keywords.get("additionalProperties") == Some(&Value::Bool(false))
            && required.is_some_and(|names| {
                properties.keys().all(|name| names.contains(&Value::from(name.as_str())))
            })
    });
    let inner = properties.into_iter().flat_map(|properties| properties.values());
    own && inner.chain(keywords.get("items")).all(is_closed)
}

/// A review that fits its schema comes through codex, which takes the schema in strict form, as it is.
fn is_kept(value: &Value) {
    if !REVIEW.as_ref().is_some_and(|review| review.is_valid(value)) {
        return;
    }
    let agent = Agent {
        prompt: String::new(),
        prompt_file: String::new(),
        schema: Some(SCHEMA.clone()),
        profile: Profile {
            name: String::new(),
            agent: Some("codex".into()),
            program: Some("codex".into()),
            arguments: vec![],
            idle_timeout: None,
            model: None,
            options: BTreeMap::new(),
        },
        prompt_shows_schema: false,
        repairs: 1,
        project_folder: None,
    };
    let said = serde_json::json!({ "type": "item.completed", "item": { "type": "agent_message", "text": value.to_string() } });
    let over = serde_json::json!({ "type": "turn.completed", "usage": {} });
    let lines = [said.to_string(), over.to_string()];
    let exit = ExitStatus { code: Some(0), ..ExitStatus::default() };
    let read = replay(&agent, None, lines.iter().map(String::as_str), &exit, "");
    assert_eq!(read.expect("codex is known").answer.as_ref(), Ok(value), "a good review was changed");
}
