//! Claims of tasks: one holder at a time, leases that run out, and what whoever held a task last may still do.

use crate::common::me;
use docket_core::Timestamp;
use docket_core::run::{
    Actor, ClaimChange, ClaimEntry, ClaimRefusal, Claims, DEFAULT_LEASE, MAX_LEASE, TaskId,
};

fn task() -> TaskId {
    TaskId { stage: "review".into(), attempt: 1 }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a time")
}

fn agent() -> Actor {
    Actor { client: Some("agent 1.0".into()), ..me() }
}

/// Claims the task with this token for a minute, at second 0.
fn claimed(token: &str) -> ClaimEntry {
    Claims::default().claim(&task(), token, 60, agent(), Some("7-1".into()), at(0)).expect("nobody has it")
}

#[test]
fn a_task_has_one_holder_until_the_claim_runs_out() {
    let first = claimed("one");
    let claims = Claims::of([&first]);
    let holder = claims.holder(&task(), at(59)).expect("a holder");
    assert_eq!((holder.by.to_string().as_str(), holder.expires_at), ("me through agent 1.0 (MCP)", at(60)));
    let refused = claims.claim(&task(), "two", 60, me(), None, at(59));
    let taken = ClaimRefusal::Taken {
        stage: "review".into(),
        by: "me through agent 1.0 (MCP)".into(),
        until: at(60),
    };
    assert_eq!(refused, Err(taken));
    assert_eq!(claims.holder(&task(), at(60)), None);
    let second = claims.claim(&task(), "two", 60, me(), None, at(60)).expect("it ran out");
    let claims = Claims::of([&first, &second]);
    assert!(claims.require(&task(), "two", at(61)).is_ok());
    assert!(matches!(claims.require(&task(), "one", at(61)), Err(ClaimRefusal::Taken { .. })));
    // Nobody has it any more, but the first one had it before somebody else did.
    let late = claims.require(&task(), "one", at(500));
    assert_eq!(late, Err(ClaimRefusal::NotHeld { stage: "review".into() }));
    assert!(claims.require(&task(), "two", at(500)).is_ok(), "whoever had it last may still hand it in");
}

#[test]
fn a_claim_is_renewed_from_now_on_even_after_it_ran_out() {
    let first = claimed("one");
    let claims = Claims::of([&first]);
    for now in [30, 90] {
        let renewed = claims.extend(&task(), "one", 60, agent(), at(now)).expect("its holder");
        assert_eq!(renewed.change, ClaimChange::Extended { expires_at: at(now + 60) });
        let claims = Claims::of([&first, &renewed]);
        assert!(claims.holder(&task(), at(now + 59)).is_some());
        assert!(claims.holder(&task(), at(now + 60)).is_none());
    }
    assert!(matches!(claims.extend(&task(), "two", 60, me(), at(30)), Err(ClaimRefusal::Taken { .. })));
}

#[test]
fn what_was_given_back_can_be_claimed_and_giving_back_can_be_repeated() {
    let first = claimed("one");
    let claims = Claims::of([&first]);
    assert!(claims.release(&task(), "two", me(), at(1)).is_err());
    let back = claims.release(&task(), "one", agent(), at(1)).expect("its holder").expect("an entry");
    let claims = Claims::of([&first, &back]);
    assert_eq!(claims.release(&task(), "one", agent(), at(2)), Ok(None));
    assert!(claims.require(&task(), "one", at(2)).is_err());
    assert_eq!(claims.of_token("one").count(), 0);
    assert!(claims.claim(&task(), "two", DEFAULT_LEASE, me(), None, at(2)).is_ok());
}

#[test]
fn another_attempt_is_another_task() {
    let first = claimed("one");
    let claims = Claims::of([&first]);
    let again = TaskId { attempt: 2, ..task() };
    assert!(claims.claim(&again, "two", 60, me(), None, at(1)).is_ok());
    assert_eq!(claims.of_token("one").collect::<Vec<_>>(), [&task()]);
    assert_eq!(claims.of_token("two").count(), 0);
}

#[test]
fn leases_have_bounds() {
    for seconds in [0, MAX_LEASE + 1, u32::MAX] {
        let refused = Claims::default().claim(&task(), "one", seconds, me(), None, at(0));
        assert_eq!(refused, Err(ClaimRefusal::Lease { seconds }));
    }
    assert!(Claims::default().claim(&task(), "one", MAX_LEASE, me(), None, at(0)).is_ok());
}

#[test]
fn entries_keep_no_token_and_read_back_as_they_were() {
    let first = claimed("a-secret-token");
    let text = serde_json::to_string(&first).expect("JSON");
    assert!(!text.contains("a-secret-token"), "{text}");
    assert_eq!(serde_json::from_str::<ClaimEntry>(&text).expect("an entry"), first);
    let extended = Claims::of([&first]).extend(&task(), "a-secret-token", 5, me(), at(1)).expect("held");
    let text = serde_json::to_string(&extended).expect("JSON");
    assert_eq!(serde_json::from_str::<ClaimEntry>(&text).expect("an entry"), extended);
    // What belongs to no claim changes nothing.
    assert_eq!(Claims::of([&extended]), Claims::default());
}
