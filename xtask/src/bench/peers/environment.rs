//! Python environments for the peers, below the target folder and kept between runs. Installs what is pinned and
//! nothing else. Must not fail the bench: where something is missing, it says what and what to do.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::engine::Packages;
use crate::process;

/// The oldest Python that all peers run on.
const OLDEST: (u32, u32) = (3, 10);
/// Beside an environment's files: what was installed into it.
const STAMP: &str = "installed.txt";
const VERSION: &str = "import sys; print('%d.%d.%d' % sys.version_info[:3])";
const INSTALLED: &str =
    "import sys, importlib.metadata as m; print(', '.join(n + ' ' + m.version(n) for n in sys.argv[1:]))";
#[cfg(windows)]
const PYTHON_OF: &str = "Scripts/python.exe";
#[cfg(not(windows))]
const PYTHON_OF: &str = "bin/python";

/// The Python that environments are made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Python {
    program: PathBuf,
    version: String,
}

impl Python {
    /// The one asked for, or `python3` on the path.
    ///
    /// # Errors
    /// Why there is none, with what to do.
    pub(super) fn find(asked: Option<&Path>) -> Result<Self, String> {
        let program = asked.unwrap_or(Path::new("python3")).to_owned();
        let version = process::output(Command::new(&program).args(["-c", VERSION])).ok_or_else(|| {
            let program = program.display();
            format!("there is no Python: `{program}` can't be run. Install Python 3, or name one with --python PATH")
        })?;
        if !is_new_enough(&version) {
            let (program, (major, minor)) = (program.display(), OLDEST);
            return Err(format!(
                "`{program}` is Python {version}, and the peers need {major}.{minor} or newer. Name another one with --python PATH"
            ));
        }
        Ok(Self { program, version })
    }

    /// Its version, such as `3.11.2`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (major, minor) >= OLDEST
}

/// An environment with its packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Environment {
    /// Its Python.
    pub(super) python: PathBuf,
    /// What is in it, such as `langgraph 1.2.22, langgraph-checkpoint-sqlite 3.1.2`.
    pub(super) versions: String,
}

/// All environments, each made once when it is first asked for.
pub(super) struct Environments {
    python: Python,
    folder: PathBuf,
    asked_for: HashMap<&'static str, Result<Environment, String>>,
}

impl Environments {
    /// None yet, to be made with this Python, below this folder.
    pub(super) fn new(python: Python, folder: PathBuf) -> Self {
        Self { python, folder, asked_for: HashMap::new() }
    }

    /// The one with these packages.
    ///
    /// # Errors
    /// Why it can't be made, with what to do.
    pub(super) fn with(&mut self, packages: Packages) -> Result<Environment, String> {
        let prepare = || Environment::prepare(&self.python, &self.folder.join(packages.name), packages);
        self.asked_for.entry(packages.name).or_insert_with(prepare).clone()
    }
}

impl Environment {
    /// Makes it in `folder`, unless it is there with exactly these packages.
    fn prepare(python: &Python, folder: &Path, packages: Packages) -> Result<Self, String> {
        let stamp = format!("Python {}\n{}\n", python.version, packages.requirements.join("\n"));
        let path = folder.join(STAMP);
        let inside = folder.join(PYTHON_OF);
        let unchanged = fs::read_to_string(&path).is_ok_and(|installed| installed == stamp);
        if let Some(versions) = unchanged.then(|| versions(&inside, packages)).flatten() {
            return Ok(Self { python: inside, versions });
        }
        make(python, folder)?;
        install(python, &inside, packages)?;
        let versions = versions(&inside, packages).ok_or_else(|| {
            let folder = folder.display();
            format!("{folder} lacks packages after they were installed. Remove that folder and try again")
        })?;
        fs::write(&path, stamp).map_err(|cause| format!("can't write {}: {cause}", path.display()))?;
        Ok(Self { python: inside, versions })
    }
}

/// What is really installed; `None` when something is missing.
fn versions(inside: &Path, packages: Packages) -> Option<String> {
    let names = packages.requirements.iter().map(|requirement| name_of(requirement));
    process::output(Command::new(inside).args(["-c", INSTALLED]).args(names))
}

fn name_of(requirement: &str) -> &str {
    requirement.split("==").next().unwrap_or(requirement)
}

/// Makes an empty environment by the first way that works here. Debian leaves `ensurepip` out of Python, so that
/// `venv` works only without pip; then another pip has to install into it.
fn make(python: &Python, folder: &Path) -> Result<(), String> {
    for mut command in makers(python, folder) {
        if folder.exists() {
            fs::remove_dir_all(folder)
                .map_err(|cause| format!("can't remove {}: {cause}", folder.display()))?;
        }
        if quietly(&mut command) && folder.join(PYTHON_OF).exists() {
            return Ok(());
        }
    }
    Err(format!(
        "{} can't make virtual environments: neither `venv`, `virtualenv` nor `uv` works. Install one of them \
         (Debian, Ubuntu: `apt-get install python3-venv`)",
        python.program.display()
    ))
}

fn makers(python: &Python, folder: &Path) -> [Command; 4] {
    let module = |arguments: &[&str]| {
        let mut command = Command::new(&python.program);
        command.arg("-m").args(arguments).arg(folder);
        command
    };
    let mut uv = Command::new("uv");
    uv.args(["venv", "--quiet", "--python"]).arg(&python.program).arg(folder);
    [module(&["venv"]), module(&["virtualenv", "--quiet"]), uv, module(&["venv", "--without-pip"])]
}

/// Installs with the environment's pip, with uv, or with the pip of the Python outside.
fn install(python: &Python, inside: &Path, packages: Packages) -> Result<(), String> {
    let pip = ["install", "--quiet", "--disable-pip-version-check", "--retries", "1"];
    let mut own = Command::new(inside);
    own.args(["-m", "pip"]).args(pip);
    let mut uv = Command::new("uv");
    uv.args(["pip", "install", "--quiet", "--python"]).arg(inside);
    let mut outer = Command::new(&python.program);
    outer.args(["-m", "pip", "--python"]).arg(inside).args(pip);

    let has = |program: &Path| process::works(program, &["-m", "pip", "--version"]);
    let ways =
        [(has(inside), own), (process::works("uv", &["--version"]), uv), (has(&python.program), outer)];
    let Some((_, mut command)) = ways.into_iter().find(|(there, _)| *there) else {
        return Err(
            "there is no pip. Install it (Debian, Ubuntu: `apt-get install python3-venv`), or uv".to_owned()
        );
    };
    command.args(packages.requirements);
    if told(&mut command) {
        return Ok(());
    }
    Err(format!(
        "{} could not be installed; what the installer says is above. Is the package registry reachable? pip's own \
         settings apply, such as PIP_INDEX_URL and HTTPS_PROXY",
        packages.requirements.join(" and ")
    ))
}

fn quietly(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Runs a command that takes long, and says so. Standard output stays free for the figures.
fn told(command: &mut Command) -> bool {
    eprintln!("$ {}", process::line(command));
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_python_is_named_with_its_fix() {
        let refusal = Python::find(Some(Path::new("/no/such/python"))).expect_err("it is not there");
        assert!(
            refusal.contains("`/no/such/python` can't be run") && refusal.contains("--python"),
            "{refusal}"
        );
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_new_enough("3.10.0") && is_new_enough("3.9999") && is_new_enough("4.0"));
        assert!(!is_new_enough("3.9.18") && !is_new_enough("2.7.18") && !is_new_enough(""));
    }

    #[test]
    fn the_name_of_a_requirement_is_what_precedes_its_version() {
        assert_eq!(name_of("langgraph-checkpoint-sqlite==3.1.2"), "langgraph-checkpoint-sqlite");
        assert_eq!(name_of("dbos"), "dbos");
    }

    #[test]
    fn a_python_without_any_way_to_make_environments_is_told_how_to_get_one() {
        let python = Python { program: "/no/such/python".into(), version: "3.11.2".to_owned() };
        let folder = std::env::temp_dir().join(format!("docket-bench-{}", std::process::id()));
        let refusal =
            makers(&python, &folder).map(|mut maker| maker.get_program() != "uv" && quietly(&mut maker));
        assert_eq!(refusal, [false; 4]);
        assert!(!folder.exists());
    }
}
