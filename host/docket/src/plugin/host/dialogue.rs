//! The ability `dialogue`: talking to the one command that the user's launcher profile names. The process is one like
//! those of [`super::process`]; what is sent to it is recorded first (see [`super::said`]) and handed on by its
//! supervisor, so that a plugin that is run again after a crash says nothing twice. It is given what its process printed
//! in the steps in which it read it before.

use wasmtime::component::Resource;

use docket_core::secret::SecretStream;

use super::StageContext;
use super::child::Child;
use super::contract::docket::stage::dialogue::{Host, HostPartner, SendError};
use super::contract::docket::stage::process::{Command, Event, ProcessError};
use super::process::Followed;
use super::process_folder::Started;
use super::said::{MAX_LINE, Said};

/// What a plugin is told that says something else than it said before.
const DIVERGED: &str =
    "an earlier attempt at this stage, before docket died, sent something else at this point";

/// A process that a plugin talks to.
pub struct Partner {
    child: Child,
    said: Said,
    /// What this attempt says, masked: an earlier one's may have been masked already.
    masked: SecretStream,
    has_diverged: bool,
}

impl Partner {
    /// Sends a line, unless an earlier attempt sent it.
    fn send(&mut self, line: &str) -> Result<(), SendError> {
        let failed = |cause: std::io::Error| SendError::Failed(cause.to_string());
        if self.said.is_finished() {
            return Err(SendError::Closed);
        }
        if self.has_diverged {
            return Err(SendError::Diverged(DIVERGED.to_owned()));
        }
        refuse_no_line(line).map_err(SendError::Failed)?;
        let Some(before) = self.said.upcoming() else {
            if self.child.hears_nothing() {
                return Err(SendError::Closed);
            }
            return self.said.say(Some(line), self.child.read()).map_err(failed);
        };
        let masked = self.masked.line(line);
        if before.line.as_deref() != Some(line) && before.line.as_deref() != Some(&masked) {
            self.has_diverged = true;
            return Err(SendError::Diverged(DIVERGED.to_owned()));
        }
        self.said.repeat().map_err(failed)
    }

    /// Closes the input, unless an earlier attempt did.
    fn finish(&mut self) -> Result<(), String> {
        if self.said.is_finished() {
            return Ok(());
        }
        match self.said.upcoming() {
            // There is nobody to whom it could be said.
            None if self.child.hears_nothing() => Ok(()),
            None => self.said.say(None, self.child.read()).map_err(|cause| cause.to_string()),
            Some(before) if before.line.is_none() => self.said.repeat().map_err(|cause| cause.to_string()),
            Some(_) => Err(DIVERGED.to_owned()),
        }
    }
}

/// A line is one line, and not longer than anybody reads.
fn refuse_no_line(line: &str) -> Result<(), String> {
    if line.contains(['\n', '\r']) {
        return Err("a line that is sent may not contain a line end".to_owned());
    }
    if line.len() > MAX_LINE {
        return Err(format!("a line that is sent may have {} MiB at most", MAX_LINE / 1024 / 1024));
    }
    Ok(())
}

impl Followed for Partner {
    fn poll(&mut self) -> Option<Event> {
        // What an earlier attempt had not read when it said something was not what made it say that.
        self.child.poll(self.said.upcoming().map(super::said::Record::read))
    }

    fn started(&self) -> Option<Started> {
        self.child.started()
    }
}

impl Host for StageContext {
    async fn open(&mut self, command: Command) -> wasmtime::Result<Result<Resource<Partner>, ProcessError>> {
        let (child, folder) = match self.start_process(&command, true)? {
            Ok(started) => started,
            Err(error) => return Ok(Err(error)),
        };
        let said = match Said::open(&folder.said()) {
            Ok(said) => said,
            Err(cause) => {
                let told = format!("what was said to the command before docket died can't be read: {cause}");
                return Ok(Err(ProcessError::Lost(told)));
            }
        };
        let masked = self.masked_lines();
        Ok(Ok(self.table.push(Partner { child, said, masked, has_diverged: false })?))
    }
}

impl HostPartner for StageContext {
    async fn next(
        &mut self,
        partner: Resource<Partner>,
        timeout_milliseconds: u64,
    ) -> wasmtime::Result<Event> {
        self.next_event(&partner, timeout_milliseconds).await
    }

    async fn send(
        &mut self,
        partner: Resource<Partner>,
        line: String,
    ) -> wasmtime::Result<Result<(), SendError>> {
        Ok(self.table.get_mut(&partner)?.send(&line))
    }

    async fn finish(&mut self, partner: Resource<Partner>) -> wasmtime::Result<()> {
        // Nobody is told how closing went, so a plugin that goes another way than before is stopped here.
        let finished = self.table.get_mut(&partner)?.finish();
        finished.map_err(|cause| wasmtime::Error::msg(format!("an agent's input can't be closed: {cause}")))
    }

    async fn stop(&mut self, partner: Resource<Partner>, grace_milliseconds: u64) -> wasmtime::Result<()> {
        self.stop_process(&partner, grace_milliseconds).await
    }

    async fn drop(&mut self, partner: Resource<Partner>) -> wasmtime::Result<()> {
        self.table.delete(partner)?;
        Ok(())
    }
}
