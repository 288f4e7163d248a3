//! What a plugin tries with giant strings, lists and numbers, import by import. Each is refused as a value, or ends the
//! stage with a failure that names the plugin.

use serde_json::json;

use crate::ground::Ground;
use crate::limits::HOST_CALL;

/// One call carried too much.
fn too_much(ground: &Ground) {
    ground.fails(json!({}), "host-call-limit", &HOST_CALL);
}

pub(crate) fn log(ground: Ground) {
    too_much(&ground);
}

pub(crate) fn progress(ground: Ground) {
    too_much(&ground);
}

/// Sums that no number holds stay numbers, and the JSON that tells them stays readable.
pub(crate) fn usage(ground: Ground) {
    let ended = ground.attempt(json!({}));
    assert_eq!(ended.result(0)["used"], true);
    let status = ground.place.status(&ended.run);
    let text = status.to_string();
    assert!(text.contains(&u64::MAX.to_string()), "the tokens are not at their most: {text}");
    let cost = status.pointer("/usage/cost_usd").and_then(serde_json::Value::as_f64);
    assert!(cost.is_none_or(f64::is_finite), "{text}");
}

pub(crate) fn poll(ground: Ground) {
    too_much(&ground);
}

/// A length that docket refuses ends the stage; what the plugin asked for was never made.
pub(crate) fn random_bytes(ground: Ground) {
    ground.fails(json!({}), "plugin-crashed", &["'hostile-guest'", "exceeds limit"]);
}

pub(crate) fn insecure_random_bytes(ground: Ground) {
    ground.fails(json!({}), "plugin-crashed", &["'hostile-guest'", "exceeds limit"]);
}

pub(crate) fn file_read(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn file_write(ground: Ground) {
    too_much(&ground);
}

pub(crate) fn file_offsets(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn file_size(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn stream_read(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn stream_write(ground: Ground) {
    too_much(&ground);
}

pub(crate) fn stream_zeroes(ground: Ground) {
    ground.fails(json!({}), "plugin-crashed", &["'hostile-guest'"]);
}

pub(crate) fn stream_splice(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn stream_skip(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn long_paths(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn long_links(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn preopens(ground: Ground) {
    ground.fails(json!({}), "handle-limit", &["'hostile-guest'"]);
}

pub(crate) fn folder_listings(ground: Ground) {
    ground.fails(json!({}), "handle-limit", &["'hostile-guest'"]);
}

pub(crate) fn clocks(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn terminals(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn answer_check(ground: Ground) {
    too_much(&ground);
}

pub(crate) fn odd_answers(ground: Ground) {
    ground.is_sealed(json!({}));
}

pub(crate) fn answer_keep(ground: Ground) {
    too_much(&ground);
}

/// What is kept has an end, in bytes and in files, and the log says so.
pub(crate) fn kept_flood(ground: Ground) {
    let ended = ground.attempt(json!({}));
    let kept = ended.result(0)["kept"].as_array().expect("names").len();
    assert_eq!(kept, 3, "the third is cut, and nothing is left for a fourth");
    let folder = ground.place.run_folder(&ended.run).join("results/try-0/attempt-1");
    let files: Vec<u64> = std::fs::read_dir(folder)
        .expect("kept answers")
        .map(|entry| entry.and_then(|entry| entry.metadata()).expect("a file").len())
        .collect();
    assert_eq!(files.len(), 3);
    assert!(files.iter().sum::<u64>() <= 8 * 1024 * 1024 + 100, "{files:?}");
    let logs = ground.docket(&["workflow", "logs", &ended.run]).stdout;
    assert_eq!(logs.matches("no more of what the agent says is kept").count(), 1, "{logs}");
}
