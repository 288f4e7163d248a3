//! What may happen next, at random.

use proptest::prelude::*;

/// What happens next, as far as it can.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// The n-th stage that is executed ends.
    End {
        which: usize,
        how: How,
    },
    /// The n-th waiting stage is answered.
    Answer {
        which: usize,
        value: u8,
    },
    /// The n-th stage that waits for approval gets it.
    Approve {
        which: usize,
    },
    /// The n-th stage that waits for approval does not get it; the work of another one may be done again.
    Reject {
        which: usize,
        to: Option<usize>,
    },
    /// Somebody wants the n-th stage done again, or what failed, and perhaps allows so many more launches for it.
    Retry {
        from: Option<usize>,
        more: Option<u64>,
    },
    /// The n-th agent that is executed starts a further process, if it may.
    Launch {
        which: usize,
    },
    /// The child of the n-th stage that waits for one went on.
    ChildChanged {
        which: usize,
    },
    /// So much time goes by that what is to be tried again can be.
    Tick,
    Pause,
    Resume,
    Cancel,
    /// docket dies; everything but the journal is forgotten, and records that need not have reached the disk may not
    /// have. Then somebody wants something of the run.
    Crash {
        loses: bool,
        then: Then,
    },
    /// Somebody changes a file, or changes it back.
    Meddle,
}

/// How a stage ends.
#[derive(Debug, Clone)]
pub(crate) enum How {
    /// Having found so many things.
    Well(usize),
    WithFiles,
    Waiting,
    Badly,
    /// In a way that another attempt can't mend.
    ForGood,
}

/// What is wanted of a run whose owner died.
#[derive(Debug, Clone)]
pub(crate) enum Then {
    Resume,
    Cancel,
    Pause,
    /// It is resumed and, before anything is done, told this.
    Told(Box<Step>),
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![
        4 => (0..5_usize).prop_map(How::Well),
        3 => Just(How::WithFiles),
        3 => Just(How::Waiting),
        2 => Just(How::Badly),
        1 => Just(How::ForGood),
    ]
}

fn told() -> impl Strategy<Value = Step> {
    let perhaps = || proptest::option::of(any::<usize>());
    prop_oneof![
        3 => (any::<usize>(), any::<u8>()).prop_map(|(which, value)| Step::Answer { which, value }),
        3 => any::<usize>().prop_map(|which| Step::Approve { which }),
        3 => (any::<usize>(), perhaps()).prop_map(|(which, to)| Step::Reject { which, to }),
        3 => (perhaps(), proptest::option::of(0..5_u64)).prop_map(|(from, more)| Step::Retry { from, more }),
    ]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let then = prop_oneof![
        4 => Just(Then::Resume),
        1 => Just(Then::Cancel),
        1 => Just(Then::Pause),
        2 => told().prop_map(|step| Then::Told(Box::new(step))),
    ];
    prop_oneof![
        16 => (any::<usize>(), how()).prop_map(|(which, how)| Step::End { which, how }),
        10 => told(),
        2 => any::<usize>().prop_map(|which| Step::ChildChanged { which }),
        3 => any::<usize>().prop_map(|which| Step::Launch { which }),
        3 => Just(Step::Tick),
        1 => Just(Step::Pause),
        3 => Just(Step::Resume),
        3 => (any::<bool>(), then).prop_map(|(loses, then)| Step::Crash { loses, then }),
        2 => Just(Step::Meddle),
        1 => Just(Step::Cancel),
    ]
}
