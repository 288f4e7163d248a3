//! On what the figures were taken: without it they mean nothing. Must not measure.

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
        }
    }

    /// In a line.
    pub(super) fn text(&self) -> String {
        let Self { cores, processor, kernel, compiler, date } = self;
        format!("{date}: {cores} cores of {processor}, {kernel}, {compiler}")
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let Self { cores, processor, kernel, compiler, date } = self;
        json!({ "date": date, "cores": cores, "processor": processor, "kernel": kernel, "compiler": compiler })
    }
}

fn processor(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
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
}
