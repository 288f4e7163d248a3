//! The tools: what each is called, says of itself, takes and gives. Each calls what a command calls; rules are below, in
//! the engine.

mod decide;
mod inspect;
mod start;
mod task;

use std::sync::Arc;

use docket_core::run::Actor;
use rmcp::model::{JsonObject, Tool as Described, ToolAnnotations};
use schemars::{JsonSchema, schema_for};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Surroundings;
use super::answer::{Answer, Told};
use crate::engine::{Engine, EngineError, self_approval};
use crate::report::results::Results;
use crate::report::shapes::{ListShape, StartShape, TaskShape};
use crate::store::snapshot::RunSnapshot;

/// One call of a tool.
pub(super) struct Call {
    pub(super) surroundings: Arc<dyn Surroundings>,
    /// Who calls.
    pub(super) by: Actor,
    /// Which session they belong to.
    pub(super) session: String,
    /// Whether a client may approve and reject.
    pub(super) allows_approvals: bool,
    /// Whether nobody waits for the answer any more.
    pub(super) is_given_up: Box<dyn Fn() -> bool + Send>,
}

impl Call {
    fn engine(&self) -> Result<Arc<Engine>, Told> {
        self.surroundings.engine(self.by.clone())
    }

    /// For `map_err`: puts an error into words.
    fn tell<E: Into<EngineError>>(&self) -> impl Fn(E) -> Told {
        |error| self.surroundings.tell(&self.by, error.into())
    }

    /// Refuses agents that docket itself launched what they must not do to runs.
    fn refuse_agents(&self, engine: &Engine, what: &str) -> Result<(), Told> {
        let setting = engine.setting();
        self_approval::refuse(&setting.environment, &setting.home, &self.by, what).map_err(self.tell())
    }
}

/// What a tool does to the world, for clients that ask before they let an agent call it. Hints, but true ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hints {
    reads_only: bool,
    destructive: bool,
    idempotent: bool,
    open_world: bool,
}

const READS: Hints = Hints { reads_only: true, destructive: false, idempotent: true, open_world: false };
/// Notes who works on what, and nothing else.
const CLAIMS: Hints = Hints { reads_only: false, destructive: false, idempotent: false, open_world: false };
const GIVES_BACK: Hints = Hints { idempotent: true, ..CLAIMS };
/// A run goes on: it may change files and start agents. Saying the same again changes nothing.
const GOES_ON: Hints = Hints { reads_only: false, destructive: true, idempotent: true, open_world: true };
const STARTS: Hints = Hints { idempotent: false, ..GOES_ON };

/// A tool.
pub(super) struct Tool {
    pub(super) name: &'static str,
    title: &'static str,
    about: &'static str,
    hints: Hints,
    input: fn() -> JsonObject,
    output: fn() -> JsonObject,
    run: fn(&Call, Value) -> Result<Answer, Told>,
}

/// All tools, in the order they are listed.
pub(super) const TOOLS: [Tool; 12] = [
    Tool {
        name: "workflows",
        title: "List workflows",
        about: "Lists the workflows that can be started here, with their inputs.",
        hints: READS,
        input: object::<start::WorkflowsInput>,
        output: object::<start::WorkflowsShape>,
        run: |call, input| start::workflows(call, parse(input)?),
    },
    Tool {
        name: "start",
        title: "Start a workflow",
        about: "Starts a workflow in the background and answers with the run's id at once. Paths among the inputs are \
                relative to the project. A project's own workflows must have been trusted by a person.",
        hints: STARTS,
        input: object::<start::StartInput>,
        output: object::<StartShape>,
        run: |call, input| start::start(call, parse(input)?),
    },
    Tool {
        name: "list",
        title: "List runs",
        about: "Lists this project's runs, newest first.",
        hints: READS,
        input: object::<inspect::ListInput>,
        output: object::<ListShape>,
        run: |call, input| inspect::list(call, parse(input)?),
    },
    Tool {
        name: "status",
        title: "Show where a run stands",
        about: "Shows where a run stands, what its stages are doing and what it waits for. With `wait_seconds`, waits \
                until the run is no longer running.",
        hints: READS,
        input: object::<inspect::StatusInput>,
        output: object::<RunSnapshot>,
        run: |call, input| inspect::status(call, &parse(input)?),
    },
    Tool {
        name: "results",
        title: "Show what came of a run",
        about: "Shows the outputs of a run, the results of its stages and the files it wrote.",
        hints: READS,
        input: object::<inspect::ResultsInput>,
        output: object::<Results>,
        run: |call, input| inspect::results(call, &parse(input)?),
    },
    Tool {
        name: "logs",
        title: "Show a run's log",
        about: "Shows the last lines of a run's log, or what was added since an earlier call.",
        hints: READS,
        input: object::<inspect::LogsInput>,
        output: object::<inspect::LogsShape>,
        run: |call, input| inspect::logs(call, &parse(input)?),
    },
    Tool {
        name: "task_next",
        title: "Claim a task",
        about: "Hands you the agent stage that has waited longest: its prompt, the JSON Schema of the answer, the files \
                worth reading, and a claim. Until the claim runs out nobody else is handed it. With `claim`, hands out \
                that task once more and renews the claim.",
        hints: CLAIMS,
        input: object::<task::NextInput>,
        output: object::<task::NextShape>,
        run: |call, input| task::next(call, parse(input)?),
    },
    Tool {
        name: "task_extend",
        title: "Keep a task for longer",
        about: "Renews your claim of a task, from now on.",
        hints: CLAIMS,
        input: object::<task::ExtendInput>,
        output: object::<task::ClaimShape>,
        run: |call, input| task::extend(call, parse(input)?),
    },
    Tool {
        name: "task_release",
        title: "Give a task back",
        about: "Gives a task back, so that somebody else is handed it.",
        hints: GIVES_BACK,
        input: object::<task::ReleaseInput>,
        output: object::<task::ClaimShape>,
        run: |call, input| task::release(call, parse(input)?),
    },
    Tool {
        name: "task_submit",
        title: "Hand in the answer to a task",
        about: "Hands in the answer to a task you claimed, and the run goes on in the background. What does not fit the \
                schema is named, and nothing is recorded: mend it and submit again. The same answer again is fine.",
        hints: GOES_ON,
        input: object::<task::SubmitInput>,
        output: object::<RunSnapshot>,
        run: |call, input| task::submit(call, parse(input)?),
    },
    Tool {
        name: "approve",
        title: "Approve what a stage asks approval for",
        about: "Approves, and the run goes on. Refused unless the user started the server with --allow-approvals, to \
                agents that docket launched, and to whoever worked on the run.",
        hints: GOES_ON,
        input: object::<decide::ApproveInput>,
        output: object::<RunSnapshot>,
        run: |call, input| decide::approve(call, parse(input)?),
    },
    Tool {
        name: "reject",
        title: "Reject what a stage asks approval for",
        about: "Rejects: the stage fails, or with `to` earlier work is done again with your comment. Refused where \
                `approve` is.",
        hints: GOES_ON,
        input: object::<decide::RejectInput>,
        output: object::<RunSnapshot>,
        run: |call, input| decide::reject(call, parse(input)?),
    },
];

impl Tool {
    /// Calls it.
    pub(super) fn call(&self, call: &Call, input: Value) -> Result<Answer, Told> {
        (self.run)(call, input)
    }

    /// As the protocol lists it.
    pub(super) fn described(&self) -> Described {
        let hints = ToolAnnotations::with_title(self.title)
            .read_only(self.hints.reads_only)
            .destructive(self.hints.destructive)
            .idempotent(self.hints.idempotent)
            .open_world(self.hints.open_world);
        Described::new(self.name, self.about, (self.input)())
            .with_title(self.title)
            .with_raw_output_schema(Arc::new((self.output)()))
            .with_annotations(hints)
    }
}

/// The tools as a table of Markdown: the guide's is held to it by a test.
pub fn table() -> String {
    let mut text = String::from("| tool | what it does | writes |\n|---|---|---|\n");
    for tool in &TOOLS {
        let writes = match tool.hints {
            Hints { reads_only: true, .. } => "nothing",
            Hints { open_world: false, .. } => "claims",
            _ => "the run goes on: it may write files and start agents",
        };
        text.push_str(&format!("| `{}` | {} | {writes} |\n", tool.name, tool.about));
    }
    text
}

/// The schema of a type, as the protocol wants it: without the name of its dialect, which is the protocol's own.
fn object<T: JsonSchema>() -> JsonObject {
    let mut schema = match schema_for!(T).to_value() {
        Value::Object(schema) => schema,
        _ => JsonObject::new(),
    };
    schema.remove("$schema");
    schema.values_mut().for_each(without_widths);
    // What has nothing but optional fields has no properties of its own.
    schema.entry("type").or_insert_with(|| Value::from("object"));
    schema
}

/// Takes out the formats that say how wide a number is: they are schemars' own, and clients complain about each.
fn without_widths(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.retain(|name, value| name != "format" || !value.as_str().is_some_and(is_width));
            fields.values_mut().for_each(without_widths);
        }
        Value::Array(items) => items.iter_mut().for_each(without_widths),
        _ => {}
    }
}

fn is_width(format: &str) -> bool {
    format.starts_with("uint") || format.starts_with("int") || matches!(format, "float" | "double")
}

fn parse<T: DeserializeOwned>(input: Value) -> Result<T, Told> {
    serde_json::from_value(input).map_err(|cause| {
        let cause = docket_core::text::printable(&cause.to_string());
        Told::mistake(
            format!("the arguments don't fit: {cause}"),
            "the tool's input schema says what it takes; nothing was done",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_says_what_it_takes_gives_and_does() {
        for tool in &TOOLS {
            for (what, schema) in [("input", (tool.input)()), ("output", (tool.output)())] {
                assert_eq!(schema["type"], "object", "{} {what}", tool.name);
                let schema = Value::Object(schema);
                assert!(jsonschema::validator_for(&schema).is_ok(), "{} {what}", tool.name);
                assert!(!schema.to_string().contains("\"format\":\""), "{} {what}: {schema}", tool.name);
            }
            let described = serde_json::to_value(tool.described()).expect("JSON");
            let hints = &described["annotations"];
            assert!(!(hints["readOnlyHint"] == true && hints["destructiveHint"] == true), "{}", tool.name);
            let is_reading = ["list", "workflows", "status", "results", "logs"].contains(&tool.name);
            assert_eq!(hints["readOnlyHint"], is_reading, "{}", tool.name);
        }
    }

    #[test]
    fn inputs_are_closed_so_that_a_misspelled_one_is_noticed() {
        for tool in &TOOLS {
            assert_eq!((tool.input)()["additionalProperties"], false, "{}", tool.name);
        }
    }
}
