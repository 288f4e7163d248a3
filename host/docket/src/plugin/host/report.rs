//! The ability `report`: log lines, progress, usage. Always there; can't do anything but be heard.

use std::sync::{Arc, Mutex, PoisonError};

use docket_core::run::{Notice, Usage};
use docket_core::text::printable;

use super::contract::docket::stage::{report, types};
use super::{Notices, StageContext};

/// Longest activity that is shown.
const MAX_ACTIVITY: usize = 200;
/// What a line counts beside its own bytes: the time, level and stage that stand before it in a run's log. Without it a
/// million empty lines would cost a plugin nothing.
const LINE_COST: usize = 32;
/// How many of the last lines a failure quotes.
const QUOTED_LINES: usize = 5;
/// How much of each, in characters.
const QUOTED_LENGTH: usize = 400;

/// A stage's log, up to its limit.
#[derive(Clone)]
pub(in crate::plugin) struct Log {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    left: usize,
    full: bool,
    last: Vec<String>,
    notices: Notices,
}

impl Log {
    /// A log that takes so many bytes.
    pub(super) fn new(limit: usize, notices: Notices) -> Self {
        Self { inner: Arc::new(Mutex::new(Inner { left: limit, full: false, last: Vec::new(), notices })) }
    }

    /// Adds a text, line by line. What is over the limit is dropped, and the log says so once.
    pub(in crate::plugin) fn add(&self, level: &'static str, text: &str) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        for line in text.lines() {
            let cost = line.len() + LINE_COST;
            if inner.full {
                return;
            }
            if cost > inner.left {
                inner.full = true;
                let text = "the log is full; what follows is left out (limits: log_kib)".to_owned();
                (inner.notices)(Notice::Log { level: "warn", text });
                return;
            }
            inner.left -= cost;
            let text = printable(line);
            if inner.last.len() == QUOTED_LINES {
                inner.last.remove(0);
            }
            inner.last.push(text.chars().take(QUOTED_LENGTH).collect());
            (inner.notices)(Notice::Log { level, text });
        }
    }

    /// The last lines, for a failure.
    pub(in crate::plugin) fn last_lines(&self) -> Vec<String> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).last.clone()
    }

    fn progress(&self, activity: &str) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        // Cut first: the rest of a text of megabytes is not worth a look.
        let text: String = activity.chars().take(MAX_ACTIVITY).collect();
        let text = printable(&text);
        // Activities count against the log, so that they can't be a flood of their own.
        let cost = text.len() + LINE_COST;
        if !inner.full && cost <= inner.left {
            inner.left -= cost;
            (inner.notices)(Notice::Progress(text));
        }
    }
}

impl types::Host for StageContext {}

impl report::Host for StageContext {
    async fn log(&mut self, level: report::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            types::Level::Debug => "debug",
            types::Level::Info => "info",
            types::Level::Warn => "warn",
            types::Level::Error => "error",
        };
        self.log.add(level, &message);
        Ok(())
    }

    async fn progress(&mut self, activity: String) -> wasmtime::Result<()> {
        self.log.progress(&activity);
        Ok(())
    }

    async fn add_usage(&mut self, used: report::Usage) -> wasmtime::Result<()> {
        self.use_up(Usage {
            input_tokens: used.input_tokens,
            cached_tokens: used.cached_tokens,
            output_tokens: used.output_tokens,
            // A cost that is no number would make every sum no number.
            cost_usd: used.cost_usd.filter(|cost| cost.is_finite() && *cost >= 0.0),
            // Counted by docket itself.
            launches: None,
            unpriced: None,
        });
        Ok(())
    }
}
