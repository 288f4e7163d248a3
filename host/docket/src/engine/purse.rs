//! What the stages of a run share while they are at work: the launches that are left, and whether the budget is used up.
//! A purse lies in that of the run above, so that the runs of sub-workflows draw on both. Only counts: what is used up is
//! decided by the core and said by each run's owner.

use std::sync::{Arc, Mutex, PoisonError};

/// What is left of a run's budget while its stages are at work.
pub(super) struct Purse {
    inner: Mutex<Inner>,
    above: Option<Arc<Purse>>,
}

struct Inner {
    /// Launches that are left; nothing means as many as there may be.
    left: Option<u64>,
    /// Whether the budget was passed: nothing more is started.
    is_closed: bool,
}

impl Purse {
    /// A purse with so many launches, within another one.
    pub(super) fn new(left: Option<u64>, above: Option<Arc<Purse>>) -> Self {
        Self { inner: Mutex::new(Inner { left, is_closed: false }), above }
    }

    /// Takes a launch out of this purse and those around it; out of none of them when one has none left.
    pub(super) fn take_launch(&self) -> bool {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.is_closed
            || inner.left == Some(0)
            || !self.above.as_ref().is_none_or(|above| above.take_launch())
        {
            return false;
        }
        inner.left = inner.left.map(|left| left - 1);
        true
    }

    /// Nothing more is started: the budget was passed.
    pub(super) fn close(&self) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
    }

    /// More was given: so many launches are left.
    pub(super) fn reopen(&self, left: Option<u64>) {
        *self.inner.lock().unwrap_or_else(PoisonError::into_inner) = Inner { left, is_closed: false };
    }

    /// Whether the budget of this run, or of one that it is part of, was passed.
    pub(super) fn is_closed(&self) -> bool {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).is_closed
            || self.above.as_ref().is_some_and(|above| above.is_closed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_launch_is_taken_out_of_every_purse_or_of_none() {
        let outer = Arc::new(Purse::new(Some(3), None));
        let one = Purse::new(Some(2), Some(Arc::clone(&outer)));
        let other = Purse::new(None, Some(Arc::clone(&outer)));
        assert!(one.take_launch() && one.take_launch() && !one.take_launch());
        assert!(other.take_launch() && !other.take_launch());
        outer.reopen(Some(2));
        assert!(!one.take_launch(), "it has none of its own");
        assert!(other.take_launch() && outer.take_launch() && !other.take_launch());
    }

    #[test]
    fn a_closed_purse_gives_nothing_and_neither_do_those_within() {
        let outer = Arc::new(Purse::new(None, None));
        let inner = Purse::new(Some(5), Some(Arc::clone(&outer)));
        assert!(inner.take_launch() && !inner.is_closed());
        outer.close();
        assert!(inner.is_closed() && !inner.take_launch());
        outer.reopen(None);
        assert!(!inner.is_closed() && inner.take_launch());
        inner.close();
        assert!(inner.is_closed() && !outer.is_closed() && outer.take_launch());
    }
}
