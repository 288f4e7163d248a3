//! Timing programs from outside: wall clock, processor time, peak memory, synced writes. Must not know what is run.
//!
//! Processor time comes from `/proc/self/stat`, where the kernel adds up that of children that have ended. It counts in
//! hundredths of a second, so it is taken over a whole series and divided. Peak memory is the process's own
//! high-water mark in `/proc/<id>/status`, looked at until the process ends, in a run of its own because
//! looking costs time.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::failure::{Failure, code_of};
use crate::process;
use crate::scratch::Scratch;

/// What the kernel counts processor time in for `/proc`: the same on every architecture Rust runs on.
const TICK: Duration = Duration::from_millis(10);
/// How often a running process's memory is looked at.
const MEMORY_INTERVAL: Duration = Duration::from_micros(200);
/// The calls that make a write durable.
const SYNC_CALLS: &str = "fsync,fdatasync,sync_file_range,syncfs,sync,msync";

/// What one run took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    /// From its start until it was over.
    pub(super) wall: Duration,
    /// User and system time, with that of the children it waited for. `None` where there is no `/proc`.
    pub(super) processor: Option<Duration>,
}

/// Runs of the same command.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// How long each took, sorted.
    pub(super) walls: Vec<Duration>,
    /// User and system time of one, on average. `None` where there is no `/proc`.
    pub(super) processor: Option<Duration>,
}

impl Series {
    /// Several runs together.
    pub(super) fn of(samples: &[Sample]) -> Self {
        let mut walls: Vec<Duration> = samples.iter().map(|sample| sample.wall).collect();
        walls.sort_unstable();
        let count = u32::try_from(samples.len()).unwrap_or(u32::MAX).max(1);
        let processor: Option<Duration> = samples.iter().map(|sample| sample.processor).sum();
        Self { walls, processor: processor.map(|sum| sum / count) }
    }

    /// How many there were.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.walls.len()).unwrap_or(u32::MAX)
    }

    /// The middle of the times.
    pub(super) fn median(&self) -> Duration {
        median(&self.walls)
    }
}

/// Runs docket `count` times, with `before` ahead of each, which is not timed.
pub(super) fn series(
    scratch: &Scratch,
    arguments: &[&str],
    count: u32,
    mut before: impl FnMut() -> Result<(), Failure>,
) -> Result<Series, Failure> {
    let mut samples = Vec::new();
    for _ in 0..count {
        before()?;
        samples.push(once(scratch, arguments)?);
    }
    Ok(Series::of(&samples))
}

/// Runs docket once and returns what it took.
pub(super) fn once(scratch: &Scratch, arguments: &[&str]) -> Result<Sample, Failure> {
    let mut command = scratch.docket(arguments);
    hush(scratch.folder(), &mut command)?;
    let (sample, status) = sample(&mut command)?;
    if status.success() { Ok(sample) } else { Err(failed(scratch, arguments, code_of(status))) }
}

/// Runs a command, whose input and output have been arranged, to its end.
pub(super) fn sample(command: &mut Command) -> Result<(Sample, ExitStatus), Failure> {
    let before = ended_children();
    let start = Instant::now();
    let status = command.status();
    let wall = start.elapsed();
    let processor = ended_children().zip(before).map(|(now, before)| now.saturating_sub(before));
    let program = command.get_program().to_owned();
    let status = status.map_err(|cause| Failure::new(format!("can't run {}: {cause}", program.display())))?;
    Ok((Sample { wall, processor }, status))
}

/// The largest memory docket has resident, in bytes. `None` where there is no `/proc`.
pub(super) fn peak_memory(scratch: &Scratch, arguments: &[&str]) -> Result<Option<u64>, Failure> {
    let mut child = spawn(scratch, &mut scratch.docket(arguments))?;
    let path = format!("/proc/{}/status", child.id());
    let mut peak = None;
    loop {
        let seen = fs::read_to_string(&path).ok().and_then(|status| high_water_mark(&status));
        peak = seen.max(peak);
        match child.try_wait() {
            Ok(None) => std::thread::sleep(MEMORY_INTERVAL),
            Ok(Some(status)) if status.success() => return Ok(peak),
            Ok(Some(status)) => return Err(failed(scratch, arguments, code_of(status))),
            Err(cause) => return Err(Failure::new(format!("docket can't be waited for: {cause}"))),
        }
    }
}

/// How many calls docket makes that wait for the disk. `None` when there is no strace to count them.
pub(super) fn synced_writes(scratch: &Scratch, arguments: &[&str]) -> Result<Option<u32>, Failure> {
    match count_synced_writes(&scratch.docket(arguments), scratch.folder())? {
        Some((_, status)) if !status.success() => Err(failed(scratch, arguments, code_of(status))),
        counted => Ok(counted.map(|(count, _)| count)),
    }
}

/// Runs a command, whose environment is all its own, below strace, and returns how many calls of all its processes
/// wait for the disk. What it says goes to `stderr.txt` in `folder`.
pub(super) fn count_synced_writes(
    plain: &Command,
    folder: &Path,
) -> Result<Option<(u32, ExitStatus)>, Failure> {
    if !process::works("strace", &["--version"]) {
        return Ok(None);
    }
    let counts = folder.join("strace.txt");
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-e", &format!("trace={SYNC_CALLS}"), "-o"]).arg(&counts);
    command.arg(plain.get_program()).args(plain.get_args()).env_clear();
    command.current_dir(plain.get_current_dir().unwrap_or(folder));
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    hush(folder, &mut command)?;
    let status = command.status().map_err(|cause| Failure::new(format!("strace can't be run: {cause}")))?;
    let text = fs::read_to_string(&counts).map_err(|cause| Failure::file("read", &counts, &cause))?;
    Ok(Some((calls(&text), status)))
}

/// The middle of sorted times; zero when there are none.
pub(super) fn median(sorted: &[Duration]) -> Duration {
    let middle = sorted.len() / 2;
    match sorted.get(middle) {
        None => Duration::ZERO,
        Some(upper) if sorted.len() % 2 == 1 => *upper,
        Some(upper) => (*upper + sorted[middle - 1]) / 2,
    }
}

/// Has a command put out nothing here; what it says goes to a file in case it fails.
fn hush(folder: &Path, command: &mut Command) -> Result<(), Failure> {
    let talk = folder.join("stderr.txt");
    let file = File::create(&talk).map_err(|cause| Failure::file("create", &talk, &cause))?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    Ok(())
}

fn spawn(scratch: &Scratch, command: &mut Command) -> Result<Child, Failure> {
    hush(scratch.folder(), command)?;
    let program = command.get_program().to_owned();
    command.spawn().map_err(|cause| Failure::new(format!("can't run {}: {cause}", program.display())))
}

fn failed(scratch: &Scratch, arguments: &[&str], code: u8) -> Failure {
    let talk = fs::read_to_string(scratch.folder().join("stderr.txt")).unwrap_or_default();
    let words = arguments.join(" ");
    Failure::new(format!(
        "`docket {words}` in {} exited with {code}, so there is nothing to measure:\n{}",
        scratch.project().display(),
        talk.trim_end()
    ))
}

/// User and system time of all children that have ended.
fn ended_children() -> Option<Duration> {
    processor_time(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// `cutime` and `cstime` of a `/proc/<id>/stat` line, fields 16 and 17 of proc(5). The program's name, in
/// parentheses, may have spaces in it.
fn processor_time(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = fields.get(13)?.parse::<u32>().ok()? + fields.get(14)?.parse::<u32>().ok()?;
    Some(TICK * ticks)
}

/// `VmHWM` of a `/proc/<id>/status` file, in bytes.
fn high_water_mark(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(value.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Adds up the calls of a table of `strace -c`, whose columns end with the calls' names and have their number
/// fourth. Its last row is the total.
fn calls(table: &str) -> u32 {
    table
        .lines()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let name = columns.last()?;
            SYNC_CALLS.split(',').any(|call| call == *name).then(|| columns.get(3)?.parse::<u32>().ok())?
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let seconds = |times: &[u64]| times.iter().map(|time| Duration::from_secs(*time)).collect::<Vec<_>>();
        assert_eq!(median(&seconds(&[])), Duration::ZERO);
        assert_eq!(median(&seconds(&[1, 2, 9])), Duration::from_secs(2));
        assert_eq!(median(&seconds(&[1, 2, 4, 9])), Duration::from_secs(3));
    }

    #[test]
    fn a_series_has_the_mean_of_processor_times_if_all_are_known() {
        let sample = |seconds, processor: Option<u64>| Sample {
            wall: Duration::from_secs(seconds),
            processor: processor.map(Duration::from_secs),
        };
        let series = Series::of(&[sample(9, Some(1)), sample(1, Some(2)), sample(2, Some(6))]);
        assert_eq!((series.median(), series.count()), (Duration::from_secs(2), 3));
        assert_eq!(series.processor, Some(Duration::from_secs(3)));
        assert_eq!(Series::of(&[sample(1, Some(1)), sample(1, None)]).processor, None);
    }

    #[test]
    fn the_kernels_figures_are_read() {
        let stat = "12 (a b) c) S 1 12 12 0 -1 4194560 100 200 0 0 3 4 50 25 20 0 1 0 99 0 0";
        assert_eq!(processor_time(stat), Some(Duration::from_millis(750)));
        assert_eq!(high_water_mark("VmPeak:\t  99 kB\nVmHWM:\t    2048 kB\n"), Some(2 * 1024 * 1024));
        assert_eq!(high_water_mark("State:\tZ (zombie)\n"), None);
    }

    #[test]
    fn the_processor_time_of_children_grows() {
        let Some(before) = ended_children() else { return };
        let spin = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        Command::new("sh").args(["-c", spin]).status().expect("sh is there");
        assert!(ended_children().expect("as before") > before);
    }

    #[test]
    fn synced_writes_are_added_up() {
        let table = "% time     seconds  usecs/call     calls    errors syscall\n\
                     ------ ----------- ----------- --------- --------- ----------------\n\
                     \x2090,00    0,000010          10         4           fdatasync\n\
                     \x2010,00    0,000001           1         2         1 fsync\n\
                     ------ ----------- ----------- --------- --------- ----------------\n\
                     100,00    0,000011           1         6         1 total\n";
        assert_eq!(calls(table), 6);
        assert_eq!(calls(""), 0);
    }
}
