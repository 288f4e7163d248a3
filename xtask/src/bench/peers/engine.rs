//! The engines docket is compared with: which packages of theirs, in which versions, with which settings, and what
//! is expected. All pins are here. Must not install or run anything.

/// The packages an engine needs, in an environment of its own: what one brings along must not slow another's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packages {
    /// The environment's folder.
    pub(super) name: &'static str,
    /// What is installed, as `pip` takes it. The first is the engine.
    pub(super) requirements: &'static [&'static str],
}

/// Versions of 2026-11. When moving them, run the bench: it checks that the work is still done.
const LANGGRAPH: Packages = Packages {
    name: "langgraph",
    requirements: &["langgraph==1.2.22", "langgraph-checkpoint-sqlite==3.1.2"],
};
const DBOS: Packages = Packages { name: "dbos", requirements: &["dbos==3.4.0"] };
/// Prefect 3.8.8 asks for any FastAPI from 0.139 on, but its server does not start with the newest.
const PREFECT: Packages = Packages { name: "prefect", requirements: &["prefect==3.8.8", "fastapi==0.139.2"] };

/// An engine with its settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Peer {
    /// What it is called in tables.
    pub(super) name: &'static str,
    pub(super) packages: Packages,
    /// The script's file name.
    pub(super) script: &'static str,
    /// Arguments of the script's own.
    pub(super) arguments: &'static [&'static str],
    /// How many times docket's wall time it is expected to take at least.
    pub(super) expected: Option<f64>,
    /// How it was configured, for people who want to judge the comparison.
    pub(super) configured: &'static str,
}

/// Whom docket is compared with.
pub(super) const PEERS: [Peer; 4] = [
    Peer {
        name: "langgraph",
        packages: LANGGRAPH,
        script: "run_langgraph.py",
        arguments: &[],
        expected: Some(20.0),
        configured: "StateGraph with SqliteSaver (WAL), durability=\"sync\"",
    },
    Peer {
        name: "dbos",
        packages: DBOS,
        script: "run_dbos.py",
        arguments: &[],
        expected: Some(30.0),
        configured: "system database in SQLite, defaults; the process ends without DBOS.destroy()",
    },
    Peer {
        name: "dbos, destroyed",
        packages: DBOS,
        script: "run_dbos.py",
        arguments: &["--destroy"],
        expected: None,
        configured: "the same; the process ends after DBOS.destroy()",
    },
    Peer {
        name: "prefect",
        packages: PREFECT,
        script: "run_prefect.py",
        arguments: &[],
        expected: Some(100.0),
        configured: "tasks and flow with persist_result=True, server started by the flow's process, SQLite",
    },
];

/// The scripts, by their file names. They lie side by side, because all import the first.
pub(super) const SCRIPTS: [(&str, &str); 4] = [
    ("steps.py", include_str!("steps.py")),
    ("run_langgraph.py", include_str!("run_langgraph.py")),
    ("run_dbos.py", include_str!("run_dbos.py")),
    ("run_prefect.py", include_str!("run_prefect.py")),
];

/// Settings of the peers that keep them from talking to anybody while they are measured.
pub(super) const ENVIRONMENT: [(&str, &str); 3] =
    [("PREFECT_SERVER_ANALYTICS_ENABLED", "false"), ("DO_NOT_TRACK", "1"), ("LANGSMITH_TRACING", "false")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_its_script_and_every_package_its_version() {
        for peer in PEERS {
            assert!(SCRIPTS.iter().any(|(name, _)| *name == peer.script), "{}", peer.script);
            for requirement in peer.packages.requirements {
                assert!(requirement.contains("=="), "{requirement}");
            }
        }
    }

    #[test]
    fn a_script_opens_with_what_it_is_for() {
        for (name, text) in SCRIPTS {
            assert!(text.starts_with("\"\"\""), "{name}");
        }
    }
}
