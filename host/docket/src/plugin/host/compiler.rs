//! Compiling a stranger's component in a process of its own. A compiler can't be stopped from inside and takes the
//! memory it takes, so it gets a process: with an empty environment, no files, a bound on its memory and its CPU time,
//! and a parent that ends it when its time is up. Component and code go through one socket, its standard input; nothing
//! else is taken from it.
//!
//! What it returns is machine code that docket runs, so the compiler itself is trusted; what is not is the time and the
//! memory that a component makes it need.

use std::io::{self, Read, Write as _};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use docket_core::text::printable;
use rustix::process::{Resource, Rlimit, Signal, setrlimit};

use super::supervisor::own_program;
use crate::plugin::compile::CompileError;
use crate::plugin::limits::{LimitHit, Limits};
use crate::plugin::machine;

/// The hidden command line argument that makes docket a compiler.
pub const ARGUMENT: &str = "__compile";

/// What the compiler's answer begins with: code follows.
const CODE: u8 = 0;
/// What it begins with: the reason why there is none follows.
const INVALID: u8 = 1;
/// Files a compiler may have open: its socket, and what the system makes it look at to count processors.
const FILES: u64 = 32;
/// How much of a compiler's last words is read.
const MAX_WORDS: u64 = 4096;
/// Longest reason that is shown, in characters.
const MAX_REASON: usize = 2000;
/// What Rust says before it ends a process that got no memory.
const NO_MEMORY: &str = "memory allocation of";
/// What the system says when it refuses to map some, and what says that there is none for a thread.
const NO_MAPPING: [&str; 2] = ["Cannot allocate memory", "ThreadPoolBuildError"];

/// One at a time: the memory that is allowed is allowed once.
static TURN: Mutex<()> = Mutex::new(());

/// Compiles a component; the code fits [`machine::engine`] with the optimising compiler.
///
/// # Errors
/// A limit that was hit, or why there is no code.
pub(in crate::plugin) fn compile(component: &[u8], limits: &Limits) -> Result<Vec<u8>, CompileError> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let deadline = Instant::now() + limits.compile;
    let failed = |cause: io::Error| CompileError::Failed(format!("its compiler can't be started: {cause}"));
    let (mut socket, theirs) = UnixStream::pair().map_err(failed)?;
    let mut process = Process(start(theirs, limits).map_err(failed)?);
    let answer = exchange(&mut socket, component, deadline, limits.compile_memory);
    if answer.as_ref().is_err_and(|cause| cause.kind() == io::ErrorKind::TimedOut) {
        return Err(CompileError::Limit(LimitHit::Compile(limits.compile)));
    }
    match answer.ok().and_then(|answer| answer.split_first().map(|(kind, rest)| (*kind, rest.to_vec()))) {
        Some((CODE, code)) => Ok(code),
        Some((INVALID, reason)) => Err(refused(&String::from_utf8_lossy(&reason), limits)),
        _ => Err(died(&mut process, deadline, limits)),
    }
}

/// A compiler that does not outlive this value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Its answer is here or no longer wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(socket: UnixStream, limits: &Limits) -> io::Result<Child> {
    // Its threads share the work, so its CPU time may be a multiple of the time it takes; this is for the case that
    // nobody is left to end it.
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let seconds = limits.compile.as_secs().saturating_add(1).saturating_mul(threads);
    Command::new(own_program()?)
        .arg(ARGUMENT)
        .arg(limits.compile_memory.to_string())
        .arg(seconds.to_string())
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(socket)))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Ctrl-C is for docket, which then ends it.
        .process_group(0)
        .spawn()
}

/// Sends the component and reads the answer, `TimedOut` at the deadline.
fn exchange(socket: &mut UnixStream, component: &[u8], deadline: Instant, most: u64) -> io::Result<Vec<u8>> {
    let mut rest = component;
    while !rest.is_empty() {
        socket.set_write_timeout(Some(left(deadline)?))?;
        match socket.write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(cause) if is_retried(&cause) => {}
            Err(cause) => return Err(cause),
        }
    }
    socket.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    let mut piece = vec![0; 256 * 1024];
    loop {
        socket.set_read_timeout(Some(left(deadline)?))?;
        match socket.read(&mut piece) {
            Ok(0) => return Ok(answer),
            Ok(read) if (answer.len() + read) as u64 > most => return Err(io::ErrorKind::OutOfMemory.into()),
            Ok(read) => answer.extend_from_slice(&piece[..read]),
            Err(cause) if is_retried(&cause) => {}
            Err(cause) => return Err(cause),
        }
    }
}

/// What the loops above look at again: a deadline that may have come, and signals.
fn is_retried(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// The compiler said why there is no code.
fn refused(reason: &str, limits: &Limits) -> CompileError {
    if is_out_of_memory(reason) {
        return CompileError::Limit(LimitHit::CompileMemory(limits.compile_memory));
    }
    CompileError::Invalid(printable(&reason.chars().take(MAX_REASON).collect::<String>()))
}

fn is_out_of_memory(words: &str) -> bool {
    words.contains(NO_MEMORY) || NO_MAPPING.iter().any(|sign| words.contains(sign))
}

/// The compiler ended, or was ended, without an answer.
fn died(process: &mut Process, deadline: Instant, limits: &Limits) -> CompileError {
    let out_of_memory = CompileError::Limit(LimitHit::CompileMemory(limits.compile_memory));
    let Some(status) = wait(&mut process.0, deadline) else {
        // Its socket is closed, or its answer is larger than its memory: whatever it does, it is not compiling.
        return out_of_memory;
    };
    let mut words = Vec::new();
    if let Some(stderr) = process.0.stderr.take() {
        // It has ended, so this does not wait; what can't be read is not known.
        let _ = stderr.take(MAX_WORDS).read_to_end(&mut words);
    }
    let words = String::from_utf8_lossy(&words);
    if is_out_of_memory(&words) {
        return out_of_memory;
    }
    match status.signal() {
        Some(signal) if signal == Signal::XCPU.as_raw() => {
            CompileError::Limit(LimitHit::Compile(limits.compile))
        }
        Some(signal) => CompileError::Failed(format!("the compiler crashed on it (signal {signal})")),
        None => CompileError::Failed(format!(
            "the compiler ended without an answer: {}",
            printable(words.lines().next().unwrap_or("it said nothing"))
        )),
    }
}

/// Waits until a process that has closed its socket has ended.
fn wait(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(2)),
            _ => return None,
        }
    }
}

/// Is the compiler: reads a component from standard input, which is a socket, and answers there. `memory` is how many
/// bytes of memory it may use, `cpu` how many seconds of CPU time.
///
/// # Errors
/// When a limit can't be set, or nobody is there for the answer. That the component is none is the answer.
pub fn serve(memory: &str, cpu: &str) -> io::Result<()> {
    // Whoever started it is gone: nobody is left to end it.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let number = |text: &str| text.parse::<u64>().map_err(io::Error::other);
    // Memory that can be written, not addresses: allocators and threads reserve far more addresses than they use.
    let limits = [
        (Resource::Data, number(memory)?),
        (Resource::Cpu, number(cpu)?),
        (Resource::Nofile, FILES),
        (Resource::Core, 0),
    ];
    for (resource, most) in limits {
        // A stricter limit of the user's own stays.
        let hard = rustix::process::getrlimit(resource).maximum;
        let most = hard.map_or(most, |hard| hard.min(most));
        // At the soft limit of CPU time comes a signal of its own, which tells it from other ends.
        let after = most.saturating_add(u64::from(resource == Resource::Cpu));
        let after = hard.map_or(after, |hard| hard.min(after));
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(after) })?;
    }
    let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut component = Vec::new();
    socket.read_to_end(&mut component)?;
    let compiled = machine::compiling_engine().and_then(|engine| engine.precompile_component(&component));
    match compiled {
        Ok(code) => {
            socket.write_all(&[CODE])?;
            socket.write_all(&code)
        }
        Err(cause) => {
            socket.write_all(&[INVALID])?;
            socket.write_all(format!("{cause:#}").as_bytes())
        }
    }
}
