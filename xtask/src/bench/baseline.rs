//! What this machine takes for the two things that docket can't do without: starting a process and waiting for the
//! disk. Figures divided by them can be compared across machines. Must not involve docket.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::measure::median;
use crate::failure::Failure;

const COUNT: usize = 50;
/// About the size of a journal's record.
const RECORD: usize = 1024;

/// Medians of this machine, taken in the same minute as the figures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Baseline {
    /// Starting `true` and waiting for its end.
    pub(super) process: Duration,
    /// Appending a record to a file and waiting until it is on the disk.
    pub(super) sync: Duration,
}

/// Takes the baseline, with a file in `folder`, which is to be on the disk that docket is measured on.
pub(super) fn measure(folder: &Path) -> Result<Baseline, Failure> {
    let start_and_end = || {
        let status = Command::new("true").stdin(Stdio::null()).status();
        status.map(|_| ()).map_err(|cause| Failure::new(format!("can't run `true`: {cause}")))
    };
    let process = repeated(start_and_end)?;
    let path = folder.join("bench-sync");
    let mut file = File::create(&path).map_err(|cause| Failure::file("create", &path, &cause))?;
    let sync = repeated(|| {
        let written = file.write_all(&[b'.'; RECORD]).and_then(|()| file.sync_data());
        written.map_err(|cause| Failure::file("write", &path, &cause))
    })?;
    std::fs::remove_file(&path).map_err(|cause| Failure::file("remove", &path, &cause))?;
    Ok(Baseline { process, sync })
}

fn repeated(mut action: impl FnMut() -> Result<(), Failure>) -> Result<Duration, Failure> {
    let mut times = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        let start = Instant::now();
        action()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(median(&times))
}
