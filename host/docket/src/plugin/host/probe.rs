//! Asking a program for its version, to tell people whether it is there and works: `PROGRAM --version`, in a process group
//! of its own, with nothing to read, a bounded time and a bounded answer. Which programs may be asked is the engine's
//! business: only ones that the user named, never one inside a project.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use docket_core::text::printable;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// The argument that nearly every program answers with its version.
const ARGUMENT: &str = "--version";
/// How long a program may take. Agents that are scripts of a runtime start slowly on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much a program may print.
const MAX_PRINTED: usize = 64 * 1024;
/// How many characters of a version are shown.
const SHOWN_CHARACTERS: usize = 80;
/// How often it is looked whether a program ended that closed its output.
const POLL: Duration = Duration::from_millis(5);

/// A program to be asked.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Its absolute path.
    pub program: PathBuf,
    /// Its whole environment.
    pub environment: Vec<(String, String)>,
    /// Where it is started: a folder in which no project can have put anything.
    pub folder: PathBuf,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It said this, in one printable line.
    Version(String),
    /// It gave no version, and why.
    None(String),
}

impl Probe {
    /// Asks the program.
    pub fn version(&self) -> Answer {
        self.version_within(PATIENCE)
    }

    fn version_within(&self, patience: Duration) -> Answer {
        let deadline = Instant::now() + patience;
        let mut child = match self.start() {
            Ok(child) => child,
            Err(cause) => return Answer::None(format!("it can't be started: {cause}")),
        };
        let heard = listen(&mut child, deadline);
        let ended = heard.is_ok() && ends(&child, deadline);
        // The whole group goes, while its leader's number can't be anybody else's yet.
        if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let status = child.wait();
        match (heard, status) {
            (Err(why), _) => Answer::None(why),
            (Ok(_), Ok(_)) if !ended => Answer::None(too_late(patience)),
            (Ok(text), Ok(status)) => judged(&text, status),
            (Ok(_), Err(cause)) => Answer::None(format!("it can't be waited for: {cause}")),
        }
    }

    fn start(&self) -> std::io::Result<Child> {
        Command::new(&self.program)
            .arg(ARGUMENT)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
    }
}

/// What a program prints until it closes its output.
///
/// # Errors
/// Why that is not waited for any longer.
fn listen(child: &mut Child, deadline: Instant) -> Result<Vec<u8>, String> {
    let Some(mut stdout) = child.stdout.take() else { return Err("it has no output".to_owned()) };
    let (sender, pieces) = channel();
    // A process that left the group may hold the output open for ever: the thread then ends with docket.
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = stdout.read(&mut piece) {
            if sender.send(piece[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    collect(&pieces, deadline)
}

fn collect(pieces: &Receiver<Vec<u8>>, deadline: Instant) -> Result<Vec<u8>, String> {
    let start = Instant::now();
    let mut heard = Vec::new();
    loop {
        match pieces.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(piece) => heard.extend(piece),
            Err(RecvTimeoutError::Disconnected) => return Ok(heard),
            Err(RecvTimeoutError::Timeout) => {
                return Err(too_late(deadline.saturating_duration_since(start)));
            }
        }
        if heard.len() > MAX_PRINTED {
            return Err(format!("it printed more than {} KiB", MAX_PRINTED / 1024));
        }
    }
}

fn too_late(patience: Duration) -> String {
    format!("it did not answer within {} s", patience.as_secs_f32().round())
}

/// Whether a process ends in time. It stays to be waited for, so that its number stays its own.
fn ends(child: &Child, deadline: Instant) -> bool {
    let Some(id) = Pid::from_raw(child.id().cast_signed()) else { return false };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    loop {
        match waitid(WaitId::Pid(id), options) {
            Ok(None) if Instant::now() < deadline => std::thread::sleep(POLL),
            Ok(status) => return status.is_some(),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// The first line that is not empty, if the program says that it did well.
fn judged(text: &[u8], status: ExitStatus) -> Answer {
    if !status.success() {
        return Answer::None(format!("it ended with {status}").replace("exit status:", "exit code"));
    }
    let text = String::from_utf8_lossy(text);
    let line = text.lines().map(printable).find(|line| !line.trim().is_empty());
    match line {
        None => Answer::None("it printed nothing".to_owned()),
        Some(line) => {
            let line = line.trim();
            let shown: String = line.chars().take(SHOWN_CHARACTERS).collect();
            Answer::Version(if shown.len() < line.len() { format!("{shown}…") } else { shown })
        }
    }
}

/// Asks several programs at once; answers in their order.
pub fn ask_all(probes: &[Probe]) -> Vec<Answer> {
    std::thread::scope(|scope| {
        let asked: Vec<_> = probes.iter().map(|probe| scope.spawn(|| probe.version())).collect();
        let lost = |_| Answer::None("BUG: asking it went wrong".to_owned());
        asked.into_iter().map(|answer| answer.join().unwrap_or_else(lost)).collect()
    })
}

/// Where programs are asked: the file system's root, where no project can have put anything.
pub fn neutral_folder() -> &'static Path {
    Path::new("/")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn ask(script: &str, patience: Duration) -> Answer {
        let folder = tempfile::tempdir().expect("a folder");
        let (program, text) = (folder.path().join("agent"), folder.path().join("text"));
        std::fs::write(&text, format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(&text, std::fs::Permissions::from_mode(0o755)).expect("mode");
        // Copied by another process: a file that this one wrote may still be open in one that another test started.
        assert!(Command::new("cp").args([&text, &program]).status().expect("cp is there").success());
        let environment = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        Probe { program, environment, folder: neutral_folder().to_owned() }.version_within(patience)
    }

    fn answer(script: &str) -> Answer {
        ask(script, PATIENCE)
    }

    #[test]
    fn a_version_is_one_printable_line() {
        let version = |text: &str| Answer::Version(text.to_owned());
        assert_eq!(answer("echo \"agent 1.2.3 ($1)\"; echo more"), version("agent 1.2.3 (--version)"));
        assert_eq!(answer(r"printf '\n\033[31mred\033[0m 2\007\n'"), version("red 2"));
        assert_eq!(answer("cat; env | grep -c ^HOME; pwd; exit 0"), version("0"), "no input, no environment");
        let Answer::Version(long) = answer("printf 'v%0500d' 1") else { panic!("a version") };
        assert_eq!(long.chars().count(), SHOWN_CHARACTERS + 1);
    }

    #[test]
    fn what_is_no_answer_is_told() {
        let none = |text: &str| Answer::None(text.to_owned());
        assert_eq!(answer("echo 1.0; exit 3"), none("it ended with exit code 3"));
        assert_eq!(answer("echo 1.0 >&2"), none("it printed nothing"));
        assert_eq!(answer("exec yes"), none("it printed more than 64 KiB"));
        let Answer::None(signal) = answer("kill -9 $$") else { panic!("killed") };
        assert!(signal.contains("signal: 9"), "{signal}");
        let short = Duration::from_millis(200);
        for script in
            ["sleep 1000", "exec >&-; sleep 1000", "sleep 1000 & echo 1.0", "trap '' TERM; sleep 1000"]
        {
            assert_eq!(ask(script, short), none("it did not answer within 0 s"), "{script}");
        }
        let missing = Probe { program: "/no/such/agent".into(), environment: vec![], folder: "/".into() };
        assert!(matches!(missing.version(), Answer::None(why) if why.starts_with("it can't be started")));
    }

    #[test]
    fn whatever_a_program_starts_ends_with_the_question() {
        let folder = tempfile::tempdir().expect("a folder");
        let mark = folder.path().join("child");
        let script = format!("sleep 1000 >/dev/null & echo $! > '{}'; echo 1.0", mark.display());
        assert_eq!(answer(&script), Answer::Version("1.0".to_owned()));
        let child = std::fs::read_to_string(&mark).expect("written");
        // A killed process is a zombie until its new parent takes note, and for a moment not even that.
        let lives = || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim()));
            stat.is_ok_and(|stat| !stat.contains(") Z "))
        };
        let deadline = Instant::now() + PATIENCE;
        while lives() && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        assert!(!lives(), "process {child} still runs");
    }

    #[test]
    fn several_are_asked_at_once() {
        let probe =
            |program: &str| Probe { program: program.into(), environment: vec![], folder: "/".into() };
        let answers = ask_all(&[probe("/no/such"), probe("/bin/true"), probe("/bin/false")]);
        assert!(matches!(&answers[0], Answer::None(why) if why.contains("started")), "{answers:?}");
        assert!(matches!(&answers[1], Answer::Version(text) if text.contains("true")), "{answers:?}");
    }
}
