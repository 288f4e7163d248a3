//! On what the figures were taken, and how busy it was: without it they mean nothing. Must not measure.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::process;
use crate::workspace;

/// The machine, the compiler and the day.
#[derive(Debug)]
pub(super) struct Machine {
    cores: usize,
    processor: String,
    kernel: String,
    compiler: String,
    date: String,
    /// How many processes wanted a core, on average over the last minute. More than there are cores, and waiting for
    /// them is what was measured. `None` where there is no `/proc`.
    load: Option<f64>,
}

const UNKNOWN: &str = "unknown";

impl Machine {
    /// Looks at this machine.
    pub(super) fn look() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let or_unknown = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
        Self {
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            processor: or_unknown(processor(&cpuinfo)),
            kernel: or_unknown(process::output(Command::new("uname").arg("-sr"))),
            compiler: or_unknown(workspace::rustc_version()),
            date: or_unknown(process::output(Command::new("date").args(["-u", "+%Y-%m-%d"]))),
            load: fs::read_to_string("/proc/loadavg").ok().and_then(|text| load(&text)),
        }
    }

    /// In a line.
    pub(super) fn text(&self) -> String {
        let Self { cores, processor, kernel, compiler, date, load } = self;
        let load = load.map_or_else(String::new, |load| format!(", load {load:.1}"));
        format!("{date}: {cores} cores of {processor}, {kernel}, {compiler}{load}")
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let Self { cores, processor, kernel, compiler, date, load } = self;
        json!({
            "date": date, "cores": cores, "processor": processor, "kernel": kernel, "compiler": compiler, "load": load,
        })
    }
}

fn processor(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The average over the last minute, the first number of `/proc/loadavg`.
fn load(loadavg: &str) -> Option<f64> {
    loadavg.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_found() {
        assert_eq!(
            processor("processor\t: 0\nmodel name\t: Fast One @ 3GHz\n").as_deref(),
            Some("Fast One @ 3GHz")
        );
        assert_eq!(processor("Features: fp asimd\n"), None);
    }

    #[test]
    fn the_load_is_that_of_the_last_minute() {
        assert_eq!(load("7.36 4.97 3.22 2/310 41234\n"), Some(7.36));
        assert_eq!(load(""), None);
    }
}
