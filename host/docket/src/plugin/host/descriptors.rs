//! File descriptors: how many docket may have, and how many of them the stages that run side by side may use, so that a
//! plugin that opens a million files takes none from the journal.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More are of no use, and a large limit costs programs that look at all of them.
const MOST: u64 = 65_536;
/// What systems without a limit of their own give a process (macOS: `OPEN_MAX`).
const MODEST: u64 = 10_240;
/// What docket keeps for itself: journals, locks, pipes, sockets, the sandboxes' own folders.
const RESERVED: usize = 256;
/// What a stage gets however few there are: a plugin can't read a file without.
const LEAST: usize = 16;

/// The soft limit that docket was started with, once it was raised.
static BEFORE: OnceLock<Option<u64>> = OnceLock::new();

/// The descriptors that stages share.
#[derive(Debug, Clone, Default)]
pub(in crate::plugin) struct Descriptors {
    promised: Arc<AtomicUsize>,
}

/// One stage's part of them, given back when this is dropped.
#[derive(Debug)]
pub(in crate::plugin) struct Share {
    promised: Arc<AtomicUsize>,
    /// How many handles the stage may have open at a time.
    pub(in crate::plugin) handles: usize,
}

impl Descriptors {
    /// A stage's part: what it is allowed, unless that is more than half of what is left. The first call raises
    /// docket's limit as far as the system lets it.
    pub(in crate::plugin) fn share(&self, allowed: usize) -> Share {
        raise();
        let most = getrlimit(Resource::Nofile).current.unwrap_or(MOST).min(MOST);
        self.part(allowed, usize::try_from(most).unwrap_or(usize::MAX))
    }

    fn part(&self, allowed: usize, most: usize) -> Share {
        let promised = Arc::clone(&self.promised);
        let mut handles = 0;
        // Stages start side by side, so looking and promising are one step; the closure always has an answer.
        let _ = promised.fetch_update(Ordering::AcqRel, Ordering::Acquire, |already| {
            let left = most.saturating_sub(RESERVED).saturating_sub(already);
            handles = allowed.min((left / 2).max(LEAST));
            Some(already + handles)
        });
        Share { promised, handles }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.promised.fetch_sub(self.handles, Ordering::AcqRel);
    }
}

/// Raises the soft limit to the hard one.
fn raise() {
    BEFORE.get_or_init(|| {
        let limit = getrlimit(Resource::Nofile);
        let raised = |most: u64| Rlimit { current: Some(most), maximum: limit.maximum };
        let most = limit.maximum.map_or(MOST, |hard| hard.min(MOST));
        if limit.current.is_some_and(|current| current < most)
            && setrlimit(Resource::Nofile, raised(most)).is_err()
        {
            // Refused where the hard limit is no limit but the kernel has one. Then it stays as it is, or this helps.
            let _ = setrlimit(Resource::Nofile, raised(most.min(MODEST)));
        }
        limit.current
    });
}

/// The soft limit that programs of the user's are to have: the one that docket was started with. Programs that use
/// `select` fail with more. As text, for a supervisor's arguments; empty for no limit.
pub(super) fn for_commands() -> String {
    let now = || getrlimit(Resource::Nofile).current;
    BEFORE.get().copied().unwrap_or_else(now).map(|limit| limit.to_string()).unwrap_or_default()
}

/// Takes on what [`for_commands`] said.
pub(super) fn take_on(text: &str) {
    let limit = getrlimit(Resource::Nofile);
    if let Ok(soft) = text.parse::<u64>()
        && limit.current.is_none_or(|current| soft < current)
    {
        // Lowering a soft limit is always allowed; a command with more than it expects still runs.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(soft), maximum: limit.maximum });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_never_get_more_than_there_is() {
        let descriptors = Descriptors::default();
        assert_eq!(descriptors.part(1000, 20_000).handles, 1000);
        let shares: Vec<Share> = (0..8).map(|_| descriptors.part(1000, 1024)).collect();
        let handles: Vec<usize> = shares.iter().map(|share| share.handles).collect();
        assert_eq!(handles, [384, 192, 96, 48, 24, 16, 16, 16]);
        drop(shares);
        assert_eq!(descriptors.part(1000, 1024).handles, 384, "what is over is given back");
    }

    #[test]
    fn a_stage_always_gets_some() {
        assert_eq!(Descriptors::default().part(1000, 10).handles, LEAST);
        assert_eq!(Descriptors::default().part(4, 20_000).handles, 4);
    }
}
