//! What the fault points tell of undisturbed runs: how often docket waits for the disk, and that the harness knows every
//! point there is.

use std::collections::BTreeSet;

use docket_tests::Place;
use docket_tests::crash::command::notes;
use docket_tests::crash::plan::POINTS;

use super::DOCKET;

/// The points that docket reached in a run of this many stages that write nothing. Not the user's first: that one makes
/// the key, once for all runs.
fn points_of(stages: usize) -> Vec<String> {
    let place = Place::new(DOCKET);
    place.write("docs/a.md", "# A\n\n**Status:** Draft\n");
    let stage = |number: usize| {
        format!(
            "  - name: stage-{number}\n    type: metadata\n    config:\n      file: docs/a.md\n      \
             updates: [{{ field: Status, value: Draft }}]\n"
        )
    };
    let stages: String = (1..=stages).map(stage).collect();
    place.trusted_definition("nothing", &format!("name: Nothing\nversion: 1\nstages:\n{stages}"));
    place.run(&["workflow", "start", "nothing"]).success();
    let log = place.home().join("points");
    let mut command = place.command(&["workflow", "start", "nothing"]);
    let output = docket_tests::finish(command.env("DOCKET_FAULTS", format!("log:{}", log.display())));
    let _ = output.success();
    assert_eq!(place.read("docs/a.md"), "# A\n\n**Status:** Draft\n");
    notes(&log).into_iter().map(|noted| noted.point).collect()
}

#[test]
fn a_run_of_n_stages_waits_for_its_journal_n_plus_1_times() {
    for stages in [1, 4, 9] {
        let points = points_of(stages);
        let count = |name: &str| points.iter().filter(|point| *point == name).count();
        assert_eq!(count("journal.sync"), stages + 1, "{stages} stages: {points:?}");
        assert_eq!(count("journal.write"), stages + 1, "{stages} stages: {points:?}");
        // And for nothing else, but once for the names of the journal and its folder.
        assert_eq!((count("file.sync"), count("folder.sync"), count("apply.sync")), (0, 2, 0), "{points:?}");
    }
}

#[test]
fn the_harness_knows_every_point_there_is() {
    let place = Place::without_project(DOCKET);
    let mut command = place.command(&["--version"]);
    let output = docket_tests::finish(command.env("DOCKET_FAULTS", "skip:no-such-point"));
    let output = output.code(2).says("names no fault point");
    let list = output.stderr.split("there are ").nth(1).and_then(|rest| rest.lines().next());
    let docket: BTreeSet<&str> = list.expect("the points are listed").split(", ").collect();
    let harness: BTreeSet<&str> = POINTS.iter().map(|plan| plan.name).collect();
    assert_eq!(docket, harness);
}
