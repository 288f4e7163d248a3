//! The tool that runs the agent: found among a server's tools, and given the task in the arguments that it takes. Must not
//! guess: what does not fit is an error that names what there is.

use docket_plugin::{Error, Value};
use serde_json::Map;

use crate::options::Options;
use crate::wire::Tool;

/// The arguments for prompt and schema, unless the profile says otherwise.
const PROMPT_ARGUMENT: &str = "prompt";
const SCHEMA_ARGUMENT: &str = "schema";
/// What agents' servers call the argument, and the field of a result, that names a session.
const SESSION_FIELDS: [&str; 5] = ["threadId", "sessionId", "conversationId", "thread_id", "session_id"];

/// A session that a server told of: in which field, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionId {
    pub(crate) field: String,
    pub(crate) id: String,
}

/// The tool that a profile names, or the only one.
///
/// # Errors
/// `tool-unknown`, naming the tools that there are.
pub(crate) fn chosen<'a>(tools: &'a [Tool], options: &Options) -> Result<&'a Tool, Error> {
    let names = || {
        let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    match (options.tool.as_deref(), tools) {
        (Some(name), _) => tools.iter().find(|tool| tool.name == name).ok_or_else(|| {
            Error::new("tool-unknown", format!("the server has no tool '{name}'; it has: {}", names()))
                .hint("correct `options: { tool: … }` in the launcher profile")
        }),
        (None, [tool]) => Ok(tool),
        (None, _) => Err(Error::new(
            "tool-unknown",
            format!("the profile names no tool, and the server has these: {}", names()),
        )
        .hint("set `options: { tool: … }` in the launcher profile")),
    }
}

/// The argument by which a tool takes the schema, if it takes one.
pub(crate) fn schema_argument<'a>(tool: &Tool, options: &'a Options) -> Option<&'a str> {
    match options.schema_argument.as_deref() {
        Some(argument) => Some(argument),
        None => Some(SCHEMA_ARGUMENT).filter(|argument| takes(tool, argument)),
    }
}

/// The arguments for a task: the profile's own, the prompt, and the schema where the tool takes one.
///
/// # Errors
/// `tool-does-not-fit` when the tool takes no such arguments, or needs others.
pub(crate) fn arguments(
    tool: &Tool,
    options: &Options,
    prompt: &str,
    schema: Option<&Value>,
) -> Result<Map<String, Value>, Error> {
    let mut arguments = options.arguments.clone();
    let prompt_argument = options.prompt_argument.as_deref().unwrap_or(PROMPT_ARGUMENT);
    arguments.insert(prompt_argument.to_owned(), prompt.into());
    if let (Some(argument), Some(schema)) = (schema_argument(tool, options), schema) {
        let wants_text = property(tool, argument).is_some_and(|property| property["type"] == "string");
        let schema = if wants_text { schema.to_string().into() } else { schema.clone() };
        arguments.insert(argument.to_owned(), schema);
    }
    fits(tool, &arguments)?;
    Ok(arguments)
}

fn fits(tool: &Tool, arguments: &Map<String, Value>) -> Result<(), Error> {
    let taken: Vec<&str> = tool.input_schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    let list = if taken.is_empty() { "none".to_owned() } else { taken.join(", ") };
    let wrong = |message: String| {
        Error::new("tool-does-not-fit", message).hint(
            "set `prompt_argument`, `schema_argument` or `arguments` in the `options` of the launcher profile",
        )
    };
    if let Some(extra) = arguments.keys().find(|name| !taken.is_empty() && !taken.contains(&name.as_str())) {
        return Err(wrong(format!("tool '{}' takes no argument '{extra}'; it takes: {list}", tool.name)));
    }
    let required = tool.input_schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let missing: Vec<&str> = required.filter(|name| !arguments.contains_key(*name)).collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(wrong(format!("tool '{}' also needs {missing}; it takes: {list}", tool.name)));
    }
    Ok(())
}

/// The session that a result tells of, in a field that sessions are told in.
pub(crate) fn session(result: &Value) -> Option<SessionId> {
    SESSION_FIELDS.into_iter().find_map(|field| {
        let id = result.get(field)?.as_str().filter(|id| !id.is_empty())?;
        Some(SessionId { field: field.to_owned(), id: id.to_owned() })
    })
}

/// The tool and the arguments by which the agent is told something in its session, if there are any.
pub(crate) fn reply(
    tools: &[Tool],
    tool: &Tool,
    options: &Options,
    session: &SessionId,
    prompt: &str,
) -> Option<(String, Map<String, Value>)> {
    let named = |name: &str| tools.iter().find(|tool| tool.name == name);
    let by_name = || {
        [format!("{}-reply", tool.name), format!("{}_reply", tool.name)].iter().find_map(|name| named(name))
    };
    let reply = match options.reply_tool.as_deref() {
        Some(name) => named(name)?,
        None => Some(tool).filter(|tool| takes(tool, &session.field)).or_else(by_name)?,
    };
    if !takes(reply, &session.field) {
        return None;
    }
    let same = reply.name == tool.name;
    let mut arguments = if same { options.arguments.clone() } else { Map::new() };
    let prompt_argument = options.prompt_argument.as_deref().unwrap_or(PROMPT_ARGUMENT);
    arguments.insert(prompt_argument.to_owned(), prompt.into());
    arguments.insert(session.field.clone(), session.id.clone().into());
    fits(reply, &arguments).is_ok().then(|| (reply.name.clone(), arguments))
}

fn takes(tool: &Tool, argument: &str) -> bool {
    property(tool, argument).is_some()
}

fn property<'a>(tool: &'a Tool, argument: &str) -> Option<&'a Value> {
    tool.input_schema.get("properties")?.get(argument)
}

#[cfg(test)]
mod tests {
    use docket_plugin::json;

    use super::*;

    fn tool(name: &str, properties: Value, required: Value) -> Tool {
        let schema = json!({ "type": "object", "properties": properties, "required": required });
        serde_json::from_value(json!({ "name": name, "inputSchema": schema })).expect("a tool")
    }

    fn options(options: Value) -> Options {
        serde_json::from_value(options).expect("options")
    }

    #[test]
    fn a_tool_is_the_one_that_is_named_or_the_only_one() {
        let tools = ["a", "b"].map(|name| tool(name, json!({}), json!([])));
        let name =
            |tools: &[Tool], given: Value| chosen(tools, &options(given)).map(|tool| tool.name.clone());
        assert_eq!(name(&tools, json!({ "tool": "b" })), Ok("b".into()));
        assert_eq!(name(&tools[..1], json!({})), Ok("a".into()));
        for (tools, given, words) in [
            (&tools[..], json!({}), "these: a, b"),
            (&tools[..], json!({ "tool": "c" }), "no tool 'c'; it has: a, b"),
            (&[], json!({}), "these: none"),
        ] {
            let error = name(tools, given).expect_err("unknown");
            assert!(error.code == "tool-unknown" && error.message.contains(words), "{error}");
        }
    }

    #[test]
    fn a_task_is_given_in_the_arguments_that_a_tool_takes() {
        let schema = json!({ "type": "object" });
        let given = |tool: &Tool, given: Value| {
            arguments(tool, &options(given), "Review!", Some(&schema)).map(Value::Object)
        };
        let text = json!({ "type": "string" });
        let plain = tool("review", json!({ "prompt": text }), json!(["prompt"]));
        assert_eq!(given(&plain, json!({})), Ok(json!({ "prompt": "Review!" })));
        let native = tool("review", json!({ "task": text, "schema": {}, "model": text }), json!(["task"]));
        let named = json!({ "prompt_argument": "task", "arguments": { "model": "m" } });
        assert_eq!(given(&native, named), Ok(json!({ "model": "m", "task": "Review!", "schema": schema })));
        let written = tool("review", json!({ "prompt": text, "out": text }), json!([]));
        assert_eq!(
            given(&written, json!({ "schema_argument": "out" })),
            Ok(json!({ "prompt": "Review!", "out": "{\"type\":\"object\"}" }))
        );
        let unknown: Tool = serde_json::from_value(json!({ "name": "review" })).expect("a tool");
        assert_eq!(given(&unknown, json!({})), Ok(json!({ "prompt": "Review!" })));
        for (given, words) in [
            (given(&native, json!({})), "takes no argument 'prompt'; it takes: task, schema, model"),
            (
                given(
                    &tool("t", json!({ "prompt": text, "cwd": text }), json!(["prompt", "cwd"])),
                    json!({}),
                ),
                "also needs cwd",
            ),
        ] {
            let error = given.expect_err("it does not fit");
            assert!(error.code == "tool-does-not-fit" && error.message.contains(words), "{error}");
        }
    }

    #[test]
    fn an_agent_is_asked_again_by_the_tool_that_takes_its_session() {
        let text = json!({ "type": "string" });
        let first = tool("codex", json!({ "prompt": text, "sandbox": text }), json!(["prompt"]));
        let second =
            tool("codex-reply", json!({ "prompt": text, "threadId": text }), json!(["prompt", "threadId"]));
        let session = session(&json!({ "threadId": "t1", "content": "x" })).expect("a session");
        let set = options(json!({ "arguments": { "sandbox": "read-only" } }));
        let tools = [first.clone(), second];
        let (name, arguments) = reply(&tools, &first, &set, &session, "Again!").expect("a reply");
        assert_eq!((name.as_str(), arguments.len()), ("codex-reply", 2));
        assert_eq!(arguments["threadId"], "t1");
        assert_eq!(reply(&tools[..1], &first, &set, &session, "Again!"), None, "there is no such tool");
        let same = tool("ask", json!({ "prompt": text, "threadId": text, "sandbox": text }), json!([]));
        let (name, arguments) =
            reply(std::slice::from_ref(&same), &same, &set, &session, "Again!").expect("itself");
        assert_eq!((name.as_str(), arguments.len()), ("ask", 3));
        assert_eq!(super::session(&json!({ "threadId": "" })), None);
    }
}
