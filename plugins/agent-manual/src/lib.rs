//! The launcher `manual`: a person runs the agent, wherever and whichever, and submits its result.
//!
//! It asks and ends; docket keeps the question, so a run can wait for days. Needs no capability and must not gain one:
//! this is the launcher that works everywhere.

mod outline;

use docket_plugin::{Agent, Error, Outcome, Question, Request, Stage, plugin};

/// The launcher `manual`.
pub struct Manual;

impl Stage for Manual {
    fn run(request: &Request) -> Result<Outcome, Error> {
        let agent = request.agent()?;
        Ok(Outcome::Waiting(Question { prompt: instructions(request, agent), schema: agent.schema.clone() }))
    }
}

/// What a person has to do, in the order they have to do it.
fn instructions(request: &Request, agent: &Agent) -> String {
    let mut text = format!(
        "Stage '{stage}' of run {run} needs an agent's answer.\n\
         \n\
         1. Give this prompt to any agent:\n\
         \x20    {prompt}\n\
         2. Save its answer, one JSON value and nothing else, as result.json.\n\
         3. Submit it; docket checks it and goes on with the run:\n\
         \x20    docket workflow submit {run} --file result.json\n\
         \x20  When the run waits for several answers, say which one this is: --stage {stage}\n",
        stage = request.stage,
        run = request.run,
        prompt = agent.prompt_file,
    );
    let lines = agent.schema.as_ref().map(outline::outline).unwrap_or_default();
    if lines.is_empty() {
        text.push_str("\nAny JSON value will do.\n");
    } else {
        text.push_str("\nThe answer must have this shape (the prompt has the whole schema):\n");
        for line in lines {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}

plugin!(Manual, manifest = "../manifest.json");

#[cfg(test)]
mod tests {
    use docket_plugin::{Value, json};

    use super::*;

    fn request(agent: &Value) -> Request {
        serde_json::from_value(json!({
            "run": "wf-1a2b", "workflow": "RFC Review", "stage": "review-security", "type": "agent", "attempt": 1,
            "date": "2026-11-22", "config": { "prompt_template": "a.md" }, "inputs": {}, "agent": agent,
        }))
        .expect("a request")
    }

    fn question(schema: &Value) -> Question {
        let agent = json!({
            "prompt": "Review!", "prompt_file": ".docket/workflows/state/wf-1a2b/prompts/review.md", "schema": schema,
            "profile": { "name": "", "agent": null, "program": null, "idle_timeout": null },
        });
        match Manual::run(&request(&agent)).expect("an outcome") {
            Outcome::Waiting(question) => question,
            Outcome::Completed(result) => panic!("completed with {result}"),
        }
    }

    #[test]
    fn a_person_is_told_everything_needed_to_answer() {
        let schema = json!({ "type": "object", "required": ["summary"], "properties": { "summary": { "type": "string" } } });
        let question = question(&schema);
        for expected in [
            "Stage 'review-security' of run wf-1a2b",
            ".docket/workflows/state/wf-1a2b/prompts/review.md",
            "docket workflow submit wf-1a2b --file result.json\n",
            "--stage review-security\n",
            "  summary: text\n",
        ] {
            assert!(question.prompt.contains(expected), "'{expected}' is missing in:\n{}", question.prompt);
        }
        assert_eq!(question.schema, Some(schema));
    }

    #[test]
    fn without_a_schema_any_value_will_do() {
        let question = question(&Value::Null);
        assert!(question.prompt.ends_with("\nAny JSON value will do.\n"), "{}", question.prompt);
        assert_eq!(question.schema, None);
    }

    #[test]
    fn other_stages_are_refused() {
        assert_eq!(Manual::run(&request(&Value::Null)).expect_err("no agent").code, "not-an-agent-stage");
    }

    #[test]
    fn the_manifest_is_json_and_asks_for_nothing() {
        let manifest: Value = serde_json::from_str(include_str!("../manifest.json")).expect("JSON");
        assert_eq!(manifest["launcher"], "manual");
        assert_eq!(manifest.get("capabilities"), None);
    }
}
