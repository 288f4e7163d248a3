//! A hermetic place to run the real binary in: its own HOME, DOCKET_HOME and cache, an otherwise empty environment, and
//! a project of its own. What a command put out must be looked at.

pub mod component;
pub mod crash;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The test plugin, a component that does what its config says.
pub const GUEST: &str = env!("DOCKET_TEST_GUEST");
/// The test plugin built with the ability to run commands.
pub const GUEST_WITH_SPAWN: &str = env!("DOCKET_TEST_GUEST_SPAWN");
/// The hostile plugin, a component that tries what its config says.
pub const HOSTILE_GUEST: &str = env!("DOCKET_HOSTILE_GUEST");
/// The hostile plugin built with the ability to run commands.
pub const HOSTILE_GUEST_WITH_SPAWN: &str = env!("DOCKET_HOSTILE_GUEST_SPAWN");
/// A fake agent that speaks like the program it is told to be (`src/bin/agent.rs`).
pub const AGENT: &str = env!("DOCKET_TEST_AGENT");

/// The program that plays agents and servers; see `tests/peer`.
pub const PEER: &str = env!("DOCKET_TEST_PEER");

/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A place to run docket in.
pub struct Place {
    folder: tempfile::TempDir,
    binary: PathBuf,
}

/// What a command put out.
#[derive(Debug)]
pub struct Output {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Place {
    /// A place with a project that `docket init` was run in. `binary` is `env!("CARGO_BIN_EXE_docket")`.
    pub fn new(binary: &str) -> Self {
        let place = Self::without_project(binary);
        place.run(&["init"]).success();
        place
    }

    /// A place whose project folder is empty.
    pub fn without_project(binary: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("docket-test-").tempdir().expect("a scratch folder");
        for name in ["project", "home"] {
            std::fs::create_dir(folder.path().join(name)).expect("a scratch folder");
        }
        let place = Self { folder, binary: binary.into() };
        place.write_home("cache-key", [1; 32]);
        place
    }

    /// Leaves everything as it is, for a look at it; returns where.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// The project's folder.
    pub fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// The user's home folder.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The folder that `DOCKET_HOME` names.
    pub fn docket_home(&self) -> PathBuf {
        self.home().join(".docket")
    }

    /// Writes a file of the project, with the folders above it.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        write(&self.project().join(path), content.as_ref());
    }

    /// Writes a file of the user's docket folder.
    pub fn write_home(&self, path: &str, content: impl AsRef<[u8]>) {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.docket_home().join(path);
        write(&file, content.as_ref());
        // Whatever the umask: docket believes no settings that others can write.
        for (path, mode) in [(self.docket_home(), 0o700), (file, 0o600)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
                .expect("the mode can be set");
        }
    }

    /// Reads a file of the project.
    pub fn read(&self, path: &str) -> String {
        let path = self.project().join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
    }

    /// A definition of the project, and trust in everything the project has.
    pub fn trusted_definition(&self, name: &str, text: &str) {
        self.write(&format!(".docket/workflows/definitions/{name}.yml"), text);
        self.run(&["trust", "--yes"]).success();
    }

    /// A copy of this folder of the repository in the project.
    pub fn copy_from_repository(&self, folder: &str) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
        copy(&root.join(folder), &self.project().join(folder));
    }

    /// The command, ready to be changed: in the project's folder, with a cleared environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .current_dir(self.project())
            .env_clear()
            .env("HOME", self.home())
            .env("DOCKET_HOME", self.docket_home())
            .env("XDG_CACHE_HOME", cache())
            .env("PATH", "/usr/bin:/bin")
            .env("USER", "tester")
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::null());
        command
    }

    /// Runs docket.
    #[must_use = "say what is expected of it"]
    pub fn run(&self, arguments: &[&str]) -> Output {
        finish(&mut self.command(arguments))
    }

    /// Starts docket and does not wait for it.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docket can be started")
    }

    /// The ids of the project's runs.
    pub fn runs(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.project().join(".docket/workflows/state")) else {
            return Vec::new();
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut ids: Vec<String> = names.filter(|name| name.starts_with("wf-")).collect();
        ids.sort();
        ids
    }

    /// The id of the only run.
    pub fn only_run(&self) -> String {
        let mut runs = self.runs();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.remove(0)
    }

    /// The folder of a run.
    pub fn run_folder(&self, id: &str) -> PathBuf {
        self.project().join(".docket/workflows/state").join(id)
    }

    /// A run's status as JSON.
    pub fn status(&self, id: &str) -> serde_json::Value {
        self.run(&["workflow", "status", id, "--output", "json"]).success().json()
    }
}

/// Compiled components are the same for every test, so all share one cache: it is keyed by content, and sealed with a
/// key that every place gets.
fn cache() -> PathBuf {
    let folder =
        Path::new(env!("OUT_DIR")).ancestors().nth(3).expect("a target folder").join("docket-test-cache");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

fn write(path: &Path, content: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, content).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("a folder");
        for entry in std::fs::read_dir(from).expect("readable") {
            let name = entry.expect("readable").file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        std::fs::copy(from, to).expect("copied");
    }
}

/// Runs a command to its end.
#[must_use = "say what is expected of it"]
pub fn finish(command: &mut Command) -> Output {
    Output::of(command.output().expect("the command can be started"))
}

/// Waits until something holds.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Ends a process and everything in its way of ending: SIGKILL.
pub fn kill(child: &mut Child) {
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
}

impl Output {
    fn of(output: std::process::Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// What a process that was started with [`Place::spawn`] put out.
    pub fn of_child(child: Child) -> Self {
        Self::of(child.wait_with_output().expect("it ends"))
    }

    /// Expects exit code 0.
    #[track_caller]
    pub fn success(self) -> Self {
        self.code(0)
    }

    /// Expects an exit code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Expects words on standard error.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "no '{words}' in standard error:\n{}", self.stderr);
        self
    }

    /// Expects words on standard output.
    #[track_caller]
    pub fn prints(self, words: &str) -> Self {
        assert!(self.stdout.contains(words), "no '{words}' in standard output:\n{}", self.stdout);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|cause| panic!("no JSON: {cause}\n{}", self.stdout))
    }
}

impl Place {
    /// Runs docket, and ends it when it takes too long: for what would hang if docket were wrong.
    pub fn run_or_kill(&self, arguments: &[&str]) -> Output {
        finish_or_kill(&mut self.command(arguments))
    }
}

/// Runs a command to its end, and ends it when it takes too long.
pub fn finish_or_kill(command: &mut Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    let id = rustix::process::Pid::from_child(&child);
    let (over, told) = std::sync::mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        let late = told.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout);
        // The child is not waited for yet, so its id is still its own.
        late.then(|| rustix::process::kill_process(id, rustix::process::Signal::KILL)).is_some()
    });
    let read = |pipe: Option<Box<dyn std::io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let mut pipe = pipe.expect("a pipe");
            pipe.read_to_end(&mut bytes).expect("readable");
            bytes
        })
    };
    let stdout = read(child.stdout.take().map(|pipe| Box::new(pipe) as _));
    let stderr = read(child.stderr.take().map(|pipe| Box::new(pipe) as _));
    let (stdout, stderr) = (stdout.join().expect("read"), stderr.join().expect("read"));
    drop(over);
    let late = guard.join().expect("it ends");
    let status = child.wait().expect("it ends");
    let output = Output::of(std::process::Output { status, stdout, stderr });
    assert!(!late, "it took longer than {PATIENCE:?} and was killed; stderr:\n{}", output.stderr);
    output
}

/// The run that this output of `start` is about.
#[track_caller]
pub fn run_of(output: &Output) -> String {
    let words = output.stderr.split_whitespace();
    let id = words.map(|word| word.trim_end_matches(':')).find(|word| word.starts_with("wf-"));
    id.unwrap_or_else(|| panic!("no run in:\n{}", output.stderr)).to_owned()
}
