//! A random walk through the rules: whatever happens in whatever order, what was promised holds.
//!
//! `definition` makes workflows, `step` what happens, `machine` plays everything around the rules, and `promises` says
//! what must hold. `PROPTEST_CASES=100000 cargo test -p docket-core --test random_walk` walks farther.

#[path = "../common/mod.rs"]
mod common;
mod definition;
mod machine;
mod promises;
mod step;

use definition::{budget, definition};
use docket_core::run::RunStatus;
use machine::Machine;
use proptest::prelude::*;
use step::{How, Step, step};

/// How many walks there are unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 2000;

fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    let is_default = config.cases == 256;
    ProptestConfig {
        cases: if is_default { CASES } else { config.cases },
        failure_persistence: None,
        ..config
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_happens_the_promises_hold(
        text in definition(),
        budget in budget(),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut machine = Machine::start(&text, budget);
        for step in &steps {
            machine.step(step);
        }
    }

    /// Left alone, every run comes to an end, and well if nothing but good happens from then on.
    #[test]
    fn every_run_ends(text in definition(), budget in budget(), steps in proptest::collection::vec(step(), 0..30)) {
        let mut machine = Machine::start(&text, budget);
        for step in &steps {
            machine.step(step);
        }
        machine.calm();
        for _ in 0..200 {
            if machine.state.status.is_over() {
                break;
            }
            machine.step(&Step::End { which: 0, how: How::Well(2) });
            machine.step(&Step::Answer { which: 0, value: 1 });
            machine.step(&Step::ChildChanged { which: 0 });
            machine.step(&Step::Tick);
            if machine.state.status != RunStatus::Running {
                machine.step(&Step::Resume);
            }
        }
        prop_assert!(machine.state.status.is_over(), "{:?}", machine.state.status);
    }
}
