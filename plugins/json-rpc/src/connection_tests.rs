//! Dialogues with programs that behave, and with others.

use docket_plugin::json;

use super::*;
use crate::script::{Act, Script, answers, refuses, says, tells};

/// Remembers what it was told, and offers `ping` alone.
#[derive(Default)]
struct Ear {
    heard: Vec<String>,
    enough_after: Option<usize>,
}

impl Peer for Ear {
    fn told(&mut self, method: &str, _params: Value) -> Result<(), Error> {
        self.heard.push(method.to_owned());
        match self.enough_after {
            Some(count) if self.heard.len() >= count => Err(Error::new("enough", "that is enough")),
            _ => Ok(()),
        }
    }

    fn asked(&mut self, method: &str, _params: Value) -> Result<Value, Refusal> {
        if method == "ping" { Ok(json!({})) } else { Err(Refusal::not_offered(method)) }
    }
}

fn connection(script: &Script) -> Connection {
    Connection::new(Box::new(script.clone()), "agent", Duration::from_secs(7))
}

/// Asks for `work` once.
fn asked(script: &Script) -> (Result<Value, Trouble>, Ear, Connection) {
    let (mut connection, mut ear) = (connection(script), Ear::default());
    let answer = connection.ask("work", json!({ "on": "it" }), &mut ear);
    (answer, ear, connection)
}

#[test]
fn an_answer_is_found_among_everything_else() {
    let script = Script::new().on(
        "work",
        [
            Act::Line("Listening…".into()),
            Act::Stderr("a warning".into()),
            tells("progress", &json!({})),
            says(&json!({ "id": 99, "result": "to nobody" })),
            says(&json!({ "id": "p", "method": "ping" })),
            says(&json!({ "id": 7, "method": "fs/write" })),
            Act::Line("[{\"method\":\"batched\"},{\"id\":\"1\",\"result\":\"done\"}]".into()),
        ],
    );
    let (answer, ear, _) = asked(&script);
    assert_eq!(answer, Ok(json!("done")));
    assert_eq!(ear.heard, ["progress", "batched"]);
    assert_eq!(
        script.sent(),
        [
            json!({ "jsonrpc": "2.0", "id": 1, "method": "work", "params": { "on": "it" } }),
            json!({ "jsonrpc": "2.0", "id": "p", "result": {} }),
            json!({ "jsonrpc": "2.0", "id": 7,
                "error": { "code": -32601, "message": "docket does not offer 'fs/write'" } }),
        ]
    );
}

#[test]
fn the_same_output_is_told_the_same() {
    let script = || {
        Script::new()
            .on("work", [says(&json!({ "id": 5, "method": "ping" })), answers(&json!(1))])
            .on("work", [answers(&json!(2))])
    };
    let told = |script: Script| {
        let (mut connection, mut ear) = (connection(&script), Ear::default());
        for _ in 0..2 {
            connection.ask("work", Value::Null, &mut ear).expect("answered");
        }
        connection.tell("bye", Value::Null).expect("told");
        script.sent()
    };
    let first = told(script());
    assert_eq!(first, told(script()));
    assert_eq!(first[2], json!({ "jsonrpc": "2.0", "id": 2, "method": "work" }));
}

#[test]
fn an_error_is_told_in_the_programs_own_words() {
    let (answer, _, connection) = asked(&Script::new().on("work", [refuses(-32000, "no more\nquota")]));
    let trouble = answer.expect_err("refused");
    assert_eq!(trouble, Trouble::Refused(Refusal::new(-32000, "no more\nquota")));
    let error = connection.error(trouble, "work");
    assert_eq!(error.code, "agent-failed");
    assert_eq!(error.message, "'agent' answered work with an error: no more\nquota (code -32000)");
}

#[test]
fn silence_is_told_with_the_last_lines_of_standard_error() {
    let script = Script::new().on("work", [Act::Stderr("thinking".into())]);
    let (answer, _, mut connection) = asked(&script);
    let error = connection.error(answer.expect_err("silent"), "work");
    assert_eq!(error.code, "agent-idle");
    assert!(error.message.starts_with("'agent' said nothing for 7 s after work"), "{error}");
    assert!(error.message.ends_with("\n  thinking"), "{error}");
    connection.stop();
    assert!(script.is_stopped());
}

#[test]
fn a_program_that_ends_in_the_middle_gave_no_answer() {
    let script = Script::new().on(
        "work",
        [Act::Stderr("out of memory".into()), Act::Line("{\"id\":1,\"resu".into()), Act::Exit(3)],
    );
    let (answer, mut ear, mut connection) = asked(&script);
    let error = connection.error(answer.expect_err("gone"), "work");
    assert_eq!(error.code, "agent-interrupted");
    assert!(error.message.starts_with("'agent' ended with exit code 3 before it answered work"), "{error}");
    assert!(error.message.contains("out of memory") && connection.ended_unheard(), "{error}");
    // Whoever asks it again learns the same.
    let again = connection.ask("work", Value::Null, &mut ear);
    assert!(matches!(again, Err(Trouble::Gone(exit)) if exit.code == Some(3)));
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn a_launcher_can_have_enough() {
    let script = Script::new().on("work", (0..5).map(|_| tells("chunk", &json!({}))));
    let mut ear = Ear { enough_after: Some(3), ..Ear::default() };
    let answer = connection(&script).ask("work", Value::Null, &mut ear);
    assert!(matches!(answer, Err(Trouble::Ended(error)) if error.code == "enough"));
    assert_eq!(ear.heard.len(), 3);
}

#[test]
fn after_its_last_answer_a_program_is_let_go_by_itself() {
    let script = Script::new().on("work", [answers(&json!(1)), tells("late", &json!({}))]);
    let (answer, ear, mut connection) = asked(&script);
    assert_eq!((answer, ear.heard.len()), (Ok(json!(1)), 0));
    connection.close();
    assert!(script.is_finished() && !script.is_stopped());
}
