//! What stages at work tell the run's owner, and what follows from it: it is shown and logged, counted, or decided upon.
//! Must not start anything.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use docket_core::run::{Ending, Input, Notice, Usage, contested};

use super::drive::Driver;
use super::spending::Working;
use super::stage::JobReply;
use super::trust::log_stage_denial;
use super::{EngineError, now};
use crate::plugin::host::Notices;
use crate::store::snapshot::Activity;

/// What a stage's thread tells.
pub(super) enum Message {
    Notice {
        stage: usize,
        notice: Notice,
    },
    /// What a stage has used so far lies there, if nobody has taken it yet.
    Used {
        stage: usize,
        usage: Arc<Mutex<Option<Usage>>>,
    },
    Ended {
        stage: usize,
        attempt: u32,
        reply: Box<JobReply>,
    },
    /// The disk refused docket itself something that the stage needs to go on.
    Broken {
        stage: usize,
        attempt: u32,
        error: Box<EngineError>,
    },
}

/// Where a stage's notices go.
pub(super) fn notices(stage: usize, sender: Sender<Message>) -> Notices {
    let latest: Arc<Mutex<Option<Usage>>> = Arc::default();
    Arc::new(move |notice| {
        let message = match notice {
            // However often a stage says what it used, there is one message about it at a time.
            Notice::Usage(usage) => {
                let before = latest.lock().unwrap_or_else(PoisonError::into_inner).replace(usage);
                if before.is_some() {
                    return;
                }
                Message::Used { stage, usage: Arc::clone(&latest) }
            }
            notice => Message::Notice { stage, notice },
        };
        // Nobody listens only when the process is about to end.
        let _ = sender.send(message);
    })
}

impl Driver<'_> {
    /// A stage's thread has come to its end. The next attempt at the stage may have begun meanwhile.
    fn forget(&mut self, stage: usize, attempt: u32) -> Option<Working> {
        if !self.is_at_work(stage, attempt) {
            return None;
        }
        self.activities.remove(&stage);
        self.used.remove(&stage);
        self.running.remove(&stage)
    }

    /// Takes a message of a stage's thread.
    pub(super) fn take(&mut self, message: Message) -> Result<(), EngineError> {
        match message {
            Message::Broken { stage, attempt, error } => {
                self.forget(stage, attempt);
                Err(*error)
            }
            Message::Notice { stage, notice } => self.hear(stage, &notice),
            Message::Used { stage, usage } => {
                let usage = usage.lock().unwrap_or_else(PoisonError::into_inner).take();
                usage.map_or(Ok(()), |usage| self.spend(stage, usage))
            }
            Message::Ended { stage, attempt, reply } => {
                let JobReply { ending, plugin, usage, overtaken } = *reply;
                self.warn_of_unpriced(stage, &usage)?;
                let working = self.forget(stage, attempt);
                let ending = working.and_then(|working| working.ended(ending));
                // Told as what it is when it was another item of the same stage.
                let by_other = overtaken.and_then(|path| contested(&self.state, stage, &path, None));
                match by_other.map(Ending::Failed).or(ending) {
                    Some(ending) => {
                        if let Ending::Failed(failure) = &ending {
                            log_stage_denial(self.engine.setting(), plugin.as_ref(), failure);
                        }
                        self.feed(Input::StageEnded { stage, attempt, ending, plugin, usage })?;
                        self.look_after_child(stage)
                    }
                    None => Ok(()),
                }
            }
        }
    }

    pub(super) fn hear(&mut self, stage: usize, notice: &Notice) -> Result<(), EngineError> {
        let name = self.state.stages[stage].name.clone();
        let at = now();
        match notice {
            Notice::Log { level, text } => self.folder.log(at, &name, level, text)?,
            Notice::Progress(text) => {
                self.folder.log(at, &name, "info", text)?;
                self.activities.insert(stage, Activity { text: text.clone(), at });
                self.is_behind = true;
                self.keep_up()?;
            }
            Notice::Usage(usage) => return self.spend(stage, *usage),
        }
        self.observer.notice(&name, notice);
        Ok(())
    }
}
