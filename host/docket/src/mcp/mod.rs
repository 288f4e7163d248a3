//! docket as a server of the Model Context Protocol: an agent that speaks it starts and watches runs, and is handed the
//! stages that wait for an agent.
//!
//! Lies between `cli` and `engine`: tools call what the commands call and answer with the same published shapes. Must
//! not print, read the environment or know exit codes; what it speaks through, and how errors are told, comes in from
//! `cli` as [`Surroundings`]. Nothing of it is set up unless `docket mcp` is run.

mod answer;
mod client;
mod server;
mod tools;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use docket_core::run::Actor;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{RoleServer, ServiceExt as _};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::engine::{Engine, EngineError, LaunchWishes, self_approval};
use crate::store::Project;

pub use answer::Told;
pub use tools::table;

/// Largest message that is read; longer ones are dropped. As much as an answer may have (`docket workflow submit`).
const MAX_MESSAGE: usize = 17 * 1024 * 1024;
/// How many tools are at work at the same time; the others wait.
const MAX_AT_WORK: usize = 16;
/// How long the server waits, after its client went away, for tools to finish what they are recording.
const LAST_WORDS: Duration = Duration::from_secs(30);

/// What the server works in. Asked anew for each call: settings, trust and plugins may change while it lives.
pub trait Surroundings: Send + Sync + 'static {
    /// The project.
    ///
    /// # Errors
    /// When there is none, with what to do.
    fn project(&self) -> Result<Project, Told>;
    /// An engine for it that acts for somebody. Paths given to it are relative to the project.
    ///
    /// # Errors
    /// When there is no project, or its settings can't be used.
    fn engine(&self, by: Actor) -> Result<Arc<Engine>, Told>;
    /// Who runs the server.
    fn actor(&self) -> Actor;
    /// Launchers as somebody wishes them, and as the server's own environment does otherwise.
    fn launch(&self, launcher: Option<String>, profile: Option<String>) -> LaunchWishes;
    /// Puts an error into words, and logs it if it is a denial.
    fn tell(&self, by: &Actor, error: EngineError) -> Told;
}

/// What can end the server other than its client going away.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The runtime can't be set up.
    #[error("the server can't be started: {0}")]
    Runtime(#[source] std::io::Error),
    /// What came in first is no beginning of the protocol.
    #[error("the client did not begin as the protocol says: {0}")]
    Begin(String),
    /// Our mistake.
    #[error("BUG: the server crashed: {0}")]
    Bug(String),
}

/// Serves a client until it goes away. Runs go on as they are. `allows_approvals` lets it approve and reject.
/// `open` makes the two ends of the conversation.
///
/// # Errors
/// When the client does not speak the protocol.
pub fn serve<R, W>(
    surroundings: Arc<dyn Surroundings>,
    allows_approvals: bool,
    open: impl FnOnce() -> (R, W),
) -> Result<(), ServerError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(MAX_AT_WORK + 2)
        .build()
        .map_err(ServerError::Runtime)?;
    let closing = Arc::new(AtomicBool::new(false));
    let server =
        server::Server::new(surroundings, allows_approvals, self_approval::session(), Arc::clone(&closing));
    let served = runtime.block_on(async move {
        let (read, write) = open();
        let transport =
            AsyncRwTransport::<RoleServer, R, W>::new(read, write).with_max_line_length(MAX_MESSAGE);
        match server.serve(transport).await {
            Ok(running) => {
                running.waiting().await.map(drop).map_err(|cause| ServerError::Bug(cause.to_string()))
            }
            // Whoever says nothing and goes away has made no mistake.
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(cause) => Err(ServerError::Begin(docket_core::text::printable(&cause.to_string()))),
        }
    });
    closing.store(true, Ordering::Relaxed);
    runtime.shutdown_timeout(LAST_WORDS);
    served
}
