//! Control from another terminal: how long a request to a run takes whose agent works, until it is recorded and
//! acknowledged. The run's owner is another process, started with `--detach`.

use std::path::Path;

use super::figure::Figure;
use super::{measure, prepare};
use crate::failure::Failure;
use crate::scratch::{self, Scratch};

const REQUESTS: u32 = 20;
const NAME: &str = "patient";
const DEFINITION: &str = "\
name: Patient
version: 1
stages:
  - name: wait
    type: agent
    config: { prompt_template: patient.md }
";
/// An agent that works for as long as it is measured, and not for ever should nobody end it.
const CONFIG: &str =
    "profiles:\n  patient: { launcher: shell, agent: generic, command: [/bin/sleep, \"600\"] }\n";
/// What a request may take: the promise of the specification.
const BUDGET_MILLISECONDS: f64 = 200.0;

/// Measures asking for a pause, and taking it back, while an agent works.
pub(super) fn measure(program: &Path) -> Result<Vec<Figure>, Failure> {
    let scratch = Scratch::empty("bench-control", program)?;
    prepare(&scratch, &["init"])?;
    let definitions = scratch.docket_home().join("workflows/definitions");
    scratch::write(&definitions.join(format!("{NAME}.yml")), DEFINITION.as_bytes())?;
    scratch::write(&definitions.join("patient.md"), b"Wait.\n")?;
    scratch::write(&scratch.docket_home().join("config.yml"), CONFIG.as_bytes())?;
    let run = start(&scratch)?;
    let pause = ["workflow", "pause", &run];
    let resume = ["workflow", "resume", &run];
    // Taken back before the next one, so that each pause is a request of its own.
    let mut asked = false;
    let pauses = measure::series(&scratch, &pause, REQUESTS, || {
        if std::mem::replace(&mut asked, true) { prepare(&scratch, &resume) } else { Ok(()) }
    });
    // Whatever came of it, the agent must not go on.
    prepare(&scratch, &["workflow", "cancel", &run])?;
    let pauses = pauses?;
    let figures = [
        Some(Figure::wall("pause a run from another terminal: wall", &pauses).budget(BUDGET_MILLISECONDS)),
        Figure::processor("pause a run from another terminal: user+sys (mean)", &pauses),
    ];
    Ok(figures.into_iter().flatten().collect())
}

/// Starts the run in the background and returns its id.
fn start(scratch: &Scratch) -> Result<String, Failure> {
    let output = scratch
        .docket(&["workflow", "start", NAME, "--profile", "patient", "--detach"])
        .output()
        .map_err(|cause| Failure::file("run", scratch.program(), &cause))?;
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !id.is_empty() {
        return Ok(id);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Failure::new(format!("docket did not start a run in the background: {said}")))
}
