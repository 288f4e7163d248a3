//! Claims: which agent is at work on a stage that waits for one, and until when nobody else is given it.
//!
//! A claim is a lease. It decides who is handed a task, and nothing about the run: an answer counts whoever held the
//! claim, so losing all of them loses no work. That is why they are no events of the journal but a list of their own
//! (docs/adr/adr-0022). Time and tokens are arguments.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Actor, sha256};
use crate::Timestamp;

/// Seconds a claim holds when nobody says how long: half an hour.
pub const DEFAULT_LEASE: u32 = 30 * 60;
/// Most seconds a claim holds without being renewed: a day. One that nobody renews must not keep a task for ever.
pub const MAX_LEASE: u32 = 24 * 60 * 60;

/// A task: an attempt at a stage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskId {
    /// The stage's name.
    pub stage: String,
    /// Its attempt.
    pub attempt: u32,
}

/// Something that happened to a claim: a line of a run's `claims.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimEntry {
    /// When.
    pub at: Timestamp,
    /// What was claimed.
    #[serde(flatten)]
    pub task: TaskId,
    /// Who did it.
    pub by: Actor,
    /// What happened.
    #[serde(flatten)]
    pub change: ClaimChange,
}

/// What happened to a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClaimChange {
    /// Somebody was given the task.
    Claimed {
        /// SHA-256 of the token they were given: whoever reads the list can't speak for them.
        token_sha256: String,
        /// Until when.
        expires_at: Timestamp,
        /// The process that started the server they came through: one that connects twice is still one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<String>,
    },
    /// They need it longer.
    Extended {
        /// Until when.
        expires_at: Timestamp,
    },
    /// They gave it back.
    Released,
}

/// The last claim of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who was given the task.
    pub by: Actor,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    token_sha256: String,
    is_released: bool,
}

impl Claim {
    /// Whether nobody else may have the task.
    pub fn holds(&self, now: Timestamp) -> bool {
        !self.is_released && now < self.expires_at
    }

    /// Whether this is the token that was given with it.
    pub fn is_of(&self, token: &str) -> bool {
        self.token_sha256 == sha256(token.as_bytes())
    }
}

/// Why a claim is not given, renewed or given back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimRefusal {
    /// Somebody else has it.
    #[error("stage '{stage}' is claimed by {by} until {until:.0}")]
    Taken {
        /// The stage.
        stage: String,
        /// Who has it.
        by: String,
        /// Until when.
        until: Timestamp,
    },
    /// The token belongs to no claim of this task, or to one that was followed by another or given back.
    #[error(
        "the claim given for stage '{stage}' does not hold: it was given back, or somebody else had the task since"
    )]
    NotHeld {
        /// The stage.
        stage: String,
    },
    /// The lease is too long or no lease at all.
    #[error("a task can be claimed for 1 to {MAX_LEASE} seconds at a time, not for {seconds}")]
    Lease {
        /// What was asked for.
        seconds: u32,
    },
}

/// The claims of a run: for each task the last one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims(BTreeMap<TaskId, Claim>);

impl Claims {
    /// What entries add up to, oldest first. An entry that fits no claim changes nothing.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a ClaimEntry>) -> Self {
        let mut claims = Self::default();
        entries.into_iter().for_each(|entry| claims.apply(entry));
        claims
    }

    fn apply(&mut self, entry: &ClaimEntry) {
        match &entry.change {
            ClaimChange::Claimed { token_sha256, expires_at, .. } => {
                let claim = Claim {
                    by: entry.by.clone(),
                    since: entry.at,
                    expires_at: *expires_at,
                    token_sha256: token_sha256.clone(),
                    is_released: false,
                };
                self.0.insert(entry.task.clone(), claim);
            }
            ClaimChange::Extended { expires_at } => {
                if let Some(claim) = self.0.get_mut(&entry.task) {
                    claim.expires_at = *expires_at;
                }
            }
            ClaimChange::Released => {
                if let Some(claim) = self.0.get_mut(&entry.task) {
                    claim.is_released = true;
                }
            }
        }
    }

    /// Who has a task now.
    pub fn holder(&self, task: &TaskId, now: Timestamp) -> Option<&Claim> {
        self.0.get(task).filter(|claim| claim.holds(now))
    }

    /// The tasks whose last claim this is the token of, whether or not it ran out.
    pub fn of_token<'a>(&'a self, token: &'a str) -> impl Iterator<Item = &'a TaskId> {
        self.0.iter().filter(|(_, claim)| claim.is_of(token) && !claim.is_released).map(|(task, _)| task)
    }

    /// Gives a task that nobody has to somebody, with this token.
    ///
    /// # Errors
    /// [`ClaimRefusal::Taken`], [`ClaimRefusal::Lease`].
    pub fn claim(
        &self,
        task: &TaskId,
        token: &str,
        lease: u32,
        by: Actor,
        session: Option<String>,
        now: Timestamp,
    ) -> Result<ClaimEntry, ClaimRefusal> {
        if let Some(holder) = self.holder(task, now) {
            return Err(taken(task, holder));
        }
        let expires_at = end(now, lease)?;
        let token_sha256 = sha256(token.as_bytes());
        let change = ClaimChange::Claimed { token_sha256, expires_at, session };
        Ok(ClaimEntry { at: now, task: task.clone(), by, change })
    }

    /// Renews a claim from now on. One that ran out can be renewed as long as nobody else was given the task.
    ///
    /// # Errors
    /// [`ClaimRefusal::Taken`], [`ClaimRefusal::NotHeld`], [`ClaimRefusal::Lease`].
    pub fn extend(
        &self,
        task: &TaskId,
        token: &str,
        lease: u32,
        by: Actor,
        now: Timestamp,
    ) -> Result<ClaimEntry, ClaimRefusal> {
        self.require(task, token, now)?;
        let change = ClaimChange::Extended { expires_at: end(now, lease)? };
        Ok(ClaimEntry { at: now, task: task.clone(), by, change })
    }

    /// Gives a task back. `None` when that was done before.
    ///
    /// # Errors
    /// [`ClaimRefusal::Taken`], [`ClaimRefusal::NotHeld`].
    pub fn release(
        &self,
        task: &TaskId,
        token: &str,
        by: Actor,
        now: Timestamp,
    ) -> Result<Option<ClaimEntry>, ClaimRefusal> {
        if self.0.get(task).is_some_and(|claim| claim.is_released && claim.is_of(token)) {
            return Ok(None);
        }
        self.require(task, token, now)?;
        Ok(Some(ClaimEntry { at: now, task: task.clone(), by, change: ClaimChange::Released }))
    }

    /// Refuses whoever does not hold a task. Who held it last, and ran out of time, still counts as its holder while
    /// nobody else was given it: their work is worth having.
    ///
    /// # Errors
    /// [`ClaimRefusal::Taken`], [`ClaimRefusal::NotHeld`].
    pub fn require(&self, task: &TaskId, token: &str, now: Timestamp) -> Result<(), ClaimRefusal> {
        match self.0.get(task) {
            Some(claim) if claim.is_of(token) && !claim.is_released => Ok(()),
            Some(claim) if claim.holds(now) => Err(taken(task, claim)),
            _ => Err(ClaimRefusal::NotHeld { stage: task.stage.clone() }),
        }
    }
}

fn taken(task: &TaskId, holder: &Claim) -> ClaimRefusal {
    ClaimRefusal::Taken { stage: task.stage.clone(), by: holder.by.to_string(), until: holder.expires_at }
}

fn end(now: Timestamp, lease: u32) -> Result<Timestamp, ClaimRefusal> {
    check_lease(lease)?;
    let end = now.checked_add(jiff::SignedDuration::from_secs(i64::from(lease)));
    end.map_err(|_| ClaimRefusal::Lease { seconds: lease })
}

/// Refuses a lease that is too long, or none at all.
///
/// # Errors
/// [`ClaimRefusal::Lease`].
pub fn check_lease(seconds: u32) -> Result<(), ClaimRefusal> {
    if seconds == 0 || seconds > MAX_LEASE { Err(ClaimRefusal::Lease { seconds }) } else { Ok(()) }
}
