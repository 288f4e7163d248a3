//! Agents that misbehave: whatever a program does, its stage ends, with the right result or the right failure, with what it
//! printed kept, and with nothing of it left.

use docket_tests::{Place, wait_until};

use crate::fake_agent::{Fake, PROGRAMS, is_running, kept, review_stage, reviewed};
use crate::support::{
    RFC_REVIEW, assert_document_reviewed_once, assert_nothing_written, place_with_document, run_with,
    start_arguments,
};

/// The stage failed with this code, nothing was written, what was printed is kept, and nothing runs any more.
#[track_caller]
fn assert_failed(place: &Place, fake: &Fake, code: &str, launches: usize) {
    let stage = review_stage(place);
    assert_eq!(stage["failure"]["code"], code, "{stage}");
    assert_eq!(fake.launches(), launches);
    assert!(!kept(place, &format!("process-{launches}/exited.json")).is_empty());
    assert_nothing_written(place);
    fake.assert_gone();
}

#[track_caller]
fn assert_succeeded(place: &Place, fake: &Fake) {
    assert_document_reviewed_once(place);
    assert_eq!(fake.launches(), 1);
    assert!(!kept(place, "answer-1.txt").is_empty());
    fake.assert_gone();
}

#[test]
fn every_program_is_understood() {
    for program in PROGRAMS {
        let (place, fake, output) = reviewed(program, "answer", ", model: large");
        let _ = output.success();
        assert_succeeded(&place, &fake);
        let stage = review_stage(&place);
        let usage = &stage["usage"];
        assert_eq!(
            (usage["input_tokens"].as_u64(), usage["output_tokens"].as_u64()),
            (Some(100), Some(20)),
            "{stage}"
        );
        assert_eq!(usage["cached_tokens"].as_u64(), Some(40), "{stage}");
        let cost = usage["cost_usd"].as_f64();
        assert_eq!(cost, ["claude", "opencode"].contains(&program).then_some(0.25), "{stage}");
        let arguments = fake.arguments(1);
        assert!(arguments.windows(2).any(|two| two == ["--model", "large"]), "{arguments:?}");
    }
}

/// Whatever a program can do, it is asked to change nothing, unless the user says otherwise.
#[test]
fn programs_are_asked_to_change_nothing_unless_the_user_says_otherwise() {
    for (program, option, value) in [
        ("claude", "--permission-mode", "dontAsk"),
        ("claude", "--setting-sources", "user"),
        ("codex", "--sandbox", "read-only"),
        ("gemini", "--approval-mode", "default"),
        ("opencode", "--agent", "plan"),
    ] {
        let (_place, fake, output) = reviewed(program, "answer", "");
        let _ = output.success();
        let arguments = fake.arguments(1);
        assert!(arguments.windows(2).any(|two| two == [option, value]), "{arguments:?}");
        let (_place, fake, output) = reviewed(program, &format!("answer, {option}, mine"), "");
        let _ = output.success();
        let arguments = fake.arguments(1);
        assert!(arguments.windows(2).any(|two| two == [option, "mine"]), "{arguments:?}");
        assert_eq!(arguments.iter().filter(|argument| *argument == option).count(), 1, "{arguments:?}");
    }
}

#[test]
fn a_limit_that_is_used_up_is_no_success() {
    for program in PROGRAMS {
        let (place, fake, output) = reviewed(program, "limit", "");
        let _ = output.code(1).says("You've hit your usage limit").says("wait until the limit is reset");
        assert_failed(&place, &fake, "agent-quota", 1);
    }
}

#[test]
fn success_with_an_error_flag_is_a_failure() {
    for program in PROGRAMS {
        let (place, fake, output) = reviewed(program, "error-flag", "");
        let _ = output.code(1);
        assert_failed(&place, &fake, "agent-failed", 1);
    }
}

#[test]
fn a_program_that_ends_before_its_work_was_interrupted() {
    for program in PROGRAMS {
        for behaviour in ["no-end", "mid-line"] {
            let (place, fake, output) = reviewed(program, behaviour, "");
            let _ = output.code(1).says("ended with exit code 0 before its work was over");
            assert_failed(&place, &fake, "agent-interrupted", 1);
            assert!(kept(&place, "process-1/stdout").contains("docs/a.md"));
        }
        let (place, fake, output) = reviewed(program, "fails", "");
        let _ = output.code(1).says("exit code 7").says("something broke");
        assert_failed(&place, &fake, "agent-interrupted", 1);
    }
    let (place, fake, output) = reviewed("generic", "mid-line", "");
    let _ = output.code(1).says("no JSON can be found");
    assert_failed(&place, &fake, "agent-output-unreadable", 2);
}

#[test]
fn a_program_that_stalls_is_ended() {
    for program in ["claude", "opencode", "generic"] {
        let (place, fake, output) = reviewed(program, "stall", ", idle_timeout: 2s");
        let _ = output.code(1).says("printed nothing for 2 s").says("still thinking");
        assert_failed(&place, &fake, "agent-idle", 1);
    }
    let place = place_with_document();
    let fake = Fake::deaf(&place, "codex", "stall", ", idle_timeout: 2s");
    let _ = place.run_or_kill(&start_arguments(&["--profile", "mine"])).code(1);
    assert_failed(&place, &fake, "agent-idle", 1);
}

/// It is never idle, so the time of its stage has to end it.
#[test]
fn a_program_that_talks_for_ever_is_ended_by_its_stage() {
    for program in ["codex", "generic"] {
        let place = place_with_document();
        place.trusted_definition("rfc-review", &RFC_REVIEW.replacen("timeout: 600", "timeout: 3", 1));
        let fake = Fake::new(&place, program, "chatter", "");
        let _ = place.run_or_kill(&start_arguments(&["--profile", "mine"])).code(1);
        assert_failed(&place, &fake, "timeout", 1);
    }
}

#[test]
fn a_program_that_hangs_after_its_result_has_given_it() {
    for program in ["claude", "codex", "gemini"] {
        let (place, fake, output) = reviewed(program, "hang", "");
        let _ = output.success();
        assert_succeeded(&place, &fake);
    }
    let place = place_with_document();
    let fake = Fake::deaf(&place, "claude", "hang", "");
    let _ = place.run_or_kill(&start_arguments(&["--profile", "mine"])).success();
    assert_succeeded(&place, &fake);
}

/// Its children hold its standard output open, and one of them does not want to end.
#[test]
fn children_that_a_program_leaves_behind_are_ended() {
    for program in ["claude", "generic"] {
        let (place, fake, output) = reviewed(program, "forks", "");
        let _ = output.success();
        assert_eq!(fake.processes().len(), 3, "the program and two children");
        assert_succeeded(&place, &fake);
    }
}

#[test]
fn a_daemon_is_not_waited_for() {
    let (place, fake, output) = reviewed("codex", "daemon", "");
    let _ = output.success();
    assert_document_reviewed_once(&place);
    let daemon = *fake.processes().last().expect("a daemon");
    assert!(is_running(daemon), "what left the agent's group is its own");
    let daemon = rustix::process::Pid::from_raw(daemon).expect("not 0");
    rustix::process::kill_process(daemon, rustix::process::Signal::KILL).expect("it is there");
}

#[test]
fn a_flood_is_read_to_its_end_if_it_has_one() {
    for program in ["codex", "generic"] {
        let (place, fake, output) = reviewed(program, "flood", "");
        let _ = output.success();
        assert_succeeded(&place, &fake);
    }
    let (place, fake, output) = reviewed("generic", "endless-flood", "");
    let _ = output.code(1).says("more than 16 MiB");
    assert_failed(&place, &fake, "agent-output-too-large", 1);
}

#[test]
fn bytes_that_are_no_text_and_lines_without_end_are_passed_over() {
    for program in ["claude", "codex", "gemini", "opencode", "generic"] {
        let (place, fake, output) = reviewed(program, "invalid-utf8", "");
        let _ = output.success();
        assert_succeeded(&place, &fake);
    }
    for behaviour in ["giant-line", "giant-answer"] {
        let (place, fake, output) = reviewed("codex", behaviour, "");
        let _ = output.success();
        assert_succeeded(&place, &fake);
    }
}

/// A program that said how its work ended has said so; one that says nothing but its exit code is believed that.
#[test]
fn a_result_counts_more_than_the_exit_code_after_it() {
    for program in PROGRAMS {
        let (place, fake, output) = reviewed(program, "result-then-fails", "");
        let _ = output.success();
        assert_succeeded(&place, &fake);
    }
    let (place, fake, output) = reviewed("generic", "result-then-fails", "");
    let _ = output.code(1).says("exit code 1").says("could not tidy up");
    assert_failed(&place, &fake, "agent-failed", 1);
}

/// Split over lines and pieces of its answer, in base64, in what it says and in what it is asked to mend.
#[test]
fn a_key_that_a_program_tells_is_masked_everywhere() {
    const KEY: &str = "Zq8-first-half-Zq9-second-half";
    for program in ["claude", "codex", "gemini", "opencode", "generic"] {
        let place = place_with_document();
        let fake = Fake::new(&place, program, "tells-secrets", ", env: [REVIEW_KEY]");
        let output = run_with(&place, &[("REVIEW_KEY", KEY)], &start_arguments(&["--profile", "mine"]));
        let output = output.success();
        let mut all = vec![output.stdout.clone(), output.stderr.clone()];
        for command in ["status", "logs", "results"] {
            all.push(place.run(&["workflow", command, &place.only_run(), "--output", "json"]).stdout);
        }
        collect(&place.project(), &mut all);
        assert!(all.iter().any(|text| text.contains("•••[REVIEW_KEY]")));
        for text in &all {
            for trace in ["first-half", "second-half", "ZmlyU3Q", "ZpcnN0LWhhbGYtWnE5LXNlY29uZC1oYWxm"] {
                assert!(!text.contains(trace), "{program} told '{trace}':\n{text}");
            }
        }
        fake.assert_gone();
    }
}

/// The text of every file below a folder.
fn collect(folder: &std::path::Path, all: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            collect(&path, all);
        } else if path.is_file() {
            all.push(String::from_utf8_lossy(&std::fs::read(&path).expect("readable")).into_owned());
        }
    }
}

#[test]
fn a_cancelled_run_leaves_nothing_of_its_agent() {
    let place = place_with_document();
    let fake = Fake::deaf(&place, "claude", "stall", "");
    let owner = place.spawn(&start_arguments(&["--profile", "mine"]));
    wait_until("the agent was launched", || fake.launches() == 1);
    place.run(&["workflow", "cancel", &place.only_run()]).success();
    let _ = docket_tests::Output::of_child(owner);
    fake.assert_gone();
    assert_nothing_written(&place);
}
