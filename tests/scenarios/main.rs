//! Scenarios through the real binary, one module per subject. Each runs in a place of its own, needs no network and
//! nothing installed.

#![expect(clippy::disallowed_methods, reason = "a scenario looks at the files that docket leaves")]

use docket_tests::Place;

mod acp;
mod agent_list;
mod agents;
mod answer;
mod approvals;
mod archive;
mod bad_definitions;
mod bad_input;
mod budget;
mod commands;
mod conflicts;
mod context;
mod control;
mod crash;
mod crew;
mod detached;
mod dialogue;
mod example_git_changes;
mod fake_agent;
mod faults;
mod flow;
mod foreign;
mod formats;
mod frozen_contract;
mod guides;
mod interrupted_approvals;
mod interrupted_sub_workflows;
mod isolation;
mod isolation_cache;
mod isolation_compile;
mod isolation_imports;
mod journals;
mod matrix;
mod matrix_agents;
mod mcp_approvals;
mod mcp_client;
mod mcp_launcher;
mod mcp_protocol;
mod mcp_tasks;
mod metered;
mod old_formats;
mod peers;
mod plugin_check;
mod plugin_new;
mod plugins;
mod prune;
mod retries;
mod review;
mod rework;
mod rights;
mod rights_shown;
mod sandbox;
mod sandbox_files;
mod sandbox_limits;
mod sandbox_outcomes;
mod sandbox_plugins;
mod sandbox_proposals;
mod sandbox_terminal;
mod sandbox_world;
mod secrets;
mod shell_agents;
mod shell_repair;
mod stage_types;
mod stored;
mod sub_workflows;
mod submit;
mod support;
mod swap;
mod timeline;
mod trust_changes;
mod trusting;
mod verify;
mod watching;

/// The binary under test.
const DOCKET: &str = env!("CARGO_BIN_EXE_docket");

/// A place with a project.
fn place() -> Place {
    Place::new(DOCKET)
}
