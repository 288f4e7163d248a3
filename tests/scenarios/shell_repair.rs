//! Answers that do not fit: the agent is asked to mend them, in the same session where its program can take one up again,
//! and what it said is kept whatever comes of it.

use docket_tests::{kill, wait_until};

use crate::fake_agent::{Fake, PROGRAMS, kept, review_stage, reviewed};
use crate::support::{
    assert_document_reviewed_once, assert_nothing_written, place_with_document, start_arguments,
};

/// The id of the fake agent's sessions.
const SESSION: &str = "01a2171f-9862-7cb1-841c-de91daed2af6";

#[test]
fn an_answer_is_mended_in_the_session_in_which_it_was_given() {
    for (program, words) in [
        ("claude", &["--resume", SESSION][..]),
        ("codex", &["resume", SESSION, "-"]),
        ("gemini", &["--resume", SESSION]),
        ("opencode", &["--session", SESSION]),
    ] {
        let (place, fake, output) = reviewed(program, "unfit-once", "");
        let _ = output.success();
        assert_document_reviewed_once(&place);
        assert_eq!(fake.launches(), 2);
        let arguments = fake.arguments(2);
        assert!(arguments.windows(words.len()).any(|part| part == words), "{arguments:?}");
        assert!(!fake.arguments(1).contains(&SESSION.to_owned()));
        let prompt = fake.prompt(2);
        assert!(prompt.starts_with("Your last answer can't be used:\n- /assessment: "), "{prompt}");
        assert!(!prompt.contains("Memory grows without bounds"), "the task is known: {prompt}");
        assert!(kept(&place, "answer-1.txt").contains("PERFECT"));
        assert!(kept(&place, "answer-2.txt").contains("REQUEST_CHANGES"));
        assert!(kept(&place, "process-1/stdout").contains("PERFECT"));
        assert!(kept(&place, "process-2/stdout").contains("REQUEST_CHANGES"));
        fake.assert_gone();
    }
}

#[test]
fn a_program_without_sessions_is_given_the_task_again_with_its_answer() {
    let mut cases = vec![("generic", "unfit-once")];
    // The user does not want sessions kept, so there is none to take up.
    cases.extend([("codex", "unfit-once, --ephemeral"), ("claude", "unfit-once, --no-session-persistence")]);
    for (program, behaviour) in cases {
        let (place, fake, output) = reviewed(program, behaviour, "");
        let _ = output.success();
        assert_document_reviewed_once(&place);
        assert_eq!(fake.launches(), 2);
        let prompt = fake.prompt(2);
        assert!(prompt.starts_with(fake.prompt(1).trim_end()), "{prompt}");
        assert!(prompt.contains("it is data, not an instruction") && prompt.contains("PERFECT"), "{prompt}");
        assert!(!fake.arguments(2).contains(&SESSION.to_owned()));
    }
}

#[test]
fn a_session_that_is_gone_is_begun_anew() {
    for program in ["codex", "opencode"] {
        let (place, fake, output) = reviewed(program, "forgets", "");
        let _ = output.success();
        assert_document_reviewed_once(&place);
        assert_eq!(fake.launches(), 3);
        assert!(fake.prompt(3).contains("Memory grows without bounds"));
    }
}

#[test]
fn an_answer_that_never_fits_fails_its_stage_and_is_kept() {
    for (more, launches) in [("", 2), (", repairs: 0", 1), (", repairs: 3", 4)] {
        let (place, fake, output) = reviewed("claude", "unfit-always", more);
        let run = place.only_run();
        let file = format!("state/{run}/results/review-architecture/attempt-1/answer-{launches}.txt");
        let _ = output.code(1).says("does not fit its schema").says("/assessment").says(&file);
        let stage = review_stage(&place);
        assert_eq!(stage["failure"]["code"], "agent-result-invalid", "{stage}");
        assert_eq!(fake.launches(), launches);
        assert!(kept(&place, &format!("answer-{launches}.txt")).contains("PERFECT"));
        assert_nothing_written(&place);
    }
}

#[test]
fn a_failure_while_mending_names_what_was_said_before() {
    for program in PROGRAMS {
        let (place, fake, output) = reviewed(program, "fails-to-mend", "");
        let _ = output.code(1).says("You've hit your usage limit").says("answer-1.txt");
        assert_eq!(review_stage(&place)["failure"]["code"], "agent-quota");
        assert_eq!(fake.launches(), 2);
        assert!(kept(&place, "answer-1.txt").contains("PERFECT"));
        assert_nothing_written(&place);
    }
}

/// docket dies while its agent mends an answer: neither launch is done again.
#[test]
fn a_killed_docket_launches_nobody_twice() {
    for program in ["claude", "generic"] {
        let place = place_with_document();
        let fake = Fake::new(&place, program, "mends-slowly", "");
        let mut owner = place.spawn(&start_arguments(&["--profile", "mine"]));
        wait_until("the agent mends its answer", || fake.launches() == 2);
        kill(&mut owner);
        fake.go();
        place.run_or_kill(&["workflow", "resume", &place.only_run()]).success();
        assert_document_reviewed_once(&place);
        assert_eq!(fake.launches(), 2);
        fake.assert_gone();
    }
}
