//! An agent (ACP) or a server (MCP) that a test holds in its hand: `docket-test-peer acp|mcp <behaviour> <folder>`. What
//! it hears it writes to `heard` in the folder, what it answers stands in `answer` and `answer-1` … there. Must not know
//! anything of docket but the two protocols.

mod acp;
mod line;
mod mcp;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [protocol, behaviour, folder] = arguments.as_slice() else { return ExitCode::from(64) };
    let line = line::Line::new(folder.into());
    let code = match protocol.as_str() {
        "acp" => acp::Agent::new(line, behaviour).serve(),
        "mcp" => mcp::Server::new(line, behaviour).serve(),
        _ => 64,
    };
    ExitCode::from(code)
}
