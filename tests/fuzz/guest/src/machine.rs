//! Carries out a program: one call to the host after the other, until its bytes are used up or it traps.

use std::sync::atomic::{AtomicU32, Ordering};

use docket_plugin::process::Argument;
use docket_plugin::{Error, Outcome, Question, json, report};
use wasip2::cli::{environment, stdin};
use wasip2::filesystem::types::Descriptor;
use wasip2::sockets::{instance_network, network, tcp_create_socket, udp_create_socket};

use crate::files::Files;
use crate::program::Program;
use crate::talk;

/// Most steps that are carried out.
const MOST_STEPS: usize = 200;
/// What files that no stage may read contain.
const SECRET: &[u8] = b"docket-fuzz-secret";
/// How often this instance was run: a second time would show that a store was used again.
static RUNS: AtomicU32 = AtomicU32::new(0);

/// A program and what it holds.
pub(crate) struct Machine<'a> {
    program: Program<'a>,
    word: &'a str,
    files: Files,
    talk: talk::Talk,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(program: Program<'a>, word: &'a str) -> Self {
        Self { program, word, files: Files::new(), talk: talk::Talk::default() }
    }

    /// Carries out the program; how it ends is chosen by its last bytes, too.
    pub(crate) fn run(mut self) -> Result<Outcome, Error> {
        self.look_around();
        for _ in 0..MOST_STEPS {
            let Some(step) = self.program.byte() else { break };
            if step == 255 {
                return self.end();
            }
            if let Some(found) = self.step(step) {
                self.look(&found);
            }
        }
        Ok(Outcome::Completed(json!({ "files": self.files.count() })))
    }

    /// What must hold before the first step.
    fn look_around(&self) {
        if RUNS.fetch_add(1, Ordering::Relaxed) != 0 {
            self.tell("this store was used before");
        }
        if !environment::get_environment().is_empty() || !environment::get_arguments().is_empty() {
            self.tell("there is an environment or arguments");
        }
        let places = wasip2::filesystem::preopens::get_directories();
        for (_, place) in &places {
            let known = ["/in", "/out", "/cache"].contains(&place.as_str()) || place.starts_with("/project");
            if !known {
                self.tell(&format!("there is a folder at {place}"));
            }
        }
        if std::fs::read_dir("/out").is_ok_and(|entries| entries.count() > 0) {
            self.tell("there are proposals of another run");
        }
    }

    /// Tells the host's side that something does not hold.
    fn tell(&self, what: &str) {
        report::log(report::Level::Error, format!("{}: {what}", self.word));
    }

    /// Looks at bytes that came from the host.
    fn look(&self, found: &[u8]) {
        if found.windows(SECRET.len()).any(|window| window == SECRET) {
            self.tell("a file that was not granted was read");
        }
    }

    fn step(&mut self, step: u8) -> Option<Vec<u8>> {
        let program = &mut self.program;
        match step % 64 {
            0..=39 => self.files.step(step % 40, program),
            40..=49 => self.talk.step(step % 10, program),
            50 => stdin::get_stdin().read(program.number()).ok(),
            51 => std::fs::read(program.path()).ok(),
            52 => {
                connect(program);
                None
            }
            53 => {
                // More memory than there may be is refused, not a trap.
                let _ = core::arch::wasm32::memory_grow(0, program.below(256) * program.below(256));
                None
            }
            54 => {
                let handle = u32::try_from(program.number()).unwrap_or(u32::MAX);
                #[expect(unsafe_code, reason = "a handle that was never given is what is tried here")]
                // SAFETY: not a memory matter of this program: the host has to refuse a handle it never gave.
                let stranger = unsafe { Descriptor::from_handle(handle) };
                self.files.add(stranger);
                None
            }
            55 => Some(wasip2::random::random::get_random_bytes(program.number() % (1 << 24))),
            _ => self.talk.process(step % 8, program),
        }
    }

    fn end(mut self) -> Result<Outcome, Error> {
        let text = |program: &mut Program<'_>| program.text();
        match self.program.below(5) {
            0 => Err(Error {
                code: text(&mut self.program),
                message: text(&mut self.program),
                hint: Some(text(&mut self.program)),
                retryable: self.program.below(2) == 0,
            }),
            1 => Ok(Outcome::Waiting(Question {
                prompt: text(&mut self.program),
                schema: Some(json!({ "type": text(&mut self.program) })),
            })),
            2 => Ok(Outcome::Waiting(Question { prompt: text(&mut self.program), schema: None })),
            3 => panic!("{}", text(&mut self.program)),
            _ => Ok(Outcome::Completed(json!({ "text": text(&mut self.program) }))),
        }
    }
}

/// Tries to reach the network.
fn connect(program: &mut Program<'_>) {
    let network = instance_network::instance_network();
    let ipv4 = network::IpAddressFamily::Ipv4;
    let port = u16::try_from(program.number() % 65_536).unwrap_or(1);
    let address = network::Ipv4SocketAddress { port, address: (127, 0, 0, 1) };
    let address = network::IpSocketAddress::Ipv4(address);
    if let Ok(socket) = tcp_create_socket::create_tcp_socket(ipv4) {
        let _ = socket.start_connect(&network, address);
        let _ = socket.start_bind(&network, address);
    }
    if let Ok(socket) = udp_create_socket::create_udp_socket(ipv4) {
        let _ = socket.start_bind(&network, address);
        let _ = socket.stream(Some(address));
    }
    let _ = wasip2::sockets::ip_name_lookup::resolve_addresses(&network, &program.text());
}

/// Any argument of a command.
pub(crate) fn argument(program: &mut Program<'_>) -> Argument {
    match program.below(4) {
        0 => Argument::Attachment(program.text()),
        1 => Argument::AnswerFile(program.text()),
        _ => Argument::Text(program.text().chars().take(4_000).collect()),
    }
}
