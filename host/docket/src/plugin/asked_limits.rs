//! Limits above docket's own that a plugin asks for in its manifest, and what a granted one does to a stage's limits.
//! Must not lower anything: a plugin that asks for less than everybody has gets what everybody has.

use docket_core::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::Limits;

const MIB: u64 = 1024 * 1024;
const KIB: u64 = 1024;

/// Limits that a plugin asks to have raised, under the names and in the units of `limits` in the user's `config.yml`.
/// The wall clock is not among them: a stage's `timeout` sets it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AskedLimits {
    /// Memory of a stage, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
    /// CPU time of a stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Duration>,
    /// Entries of all of a stage's tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_entries: Option<u64>,
    /// What one call from the plugin to docket may carry, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_call_mib: Option<u64>,
    /// A stage's log, in KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_kib: Option<u64>,
    /// What a stage may propose to write, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_mib: Option<u64>,
    /// What the plugin may keep in its cache for a project, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_mib: Option<u64>,
    /// The component itself, in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component_mib: Option<u64>,
    /// Time to compile the component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compile_timeout: Option<Duration>,
}

impl AskedLimits {
    /// Each limit as a short text.
    pub(super) fn listed(&self) -> Vec<String> {
        let usual = Limits::default();
        let mib = |bytes: usize| bytes as u64 / MIB;
        let asks = [
            self.memory_mib.map(|asked| format!("use {asked} MiB of memory (default {})", mib(usual.memory))),
            self.cpu.map(|asked| {
                format!("use {} s of CPU time (default {})", asked.seconds, usual.cpu.as_secs())
            }),
            self.table_entries
                .map(|asked| format!("use {asked} table entries (default {})", usual.table_entries)),
            self.host_call_mib
                .map(|asked| format!("pass {asked} MiB in one call (default {})", mib(usual.host_call))),
            self.log_kib
                .map(|asked| format!("write {asked} KiB of log (default {})", usual.log as u64 / KIB)),
            self.out_mib.map(|asked| format!("propose files of {asked} MiB (default {})", usual.out / MIB)),
            self.cache_mib
                .map(|asked| format!("keep {asked} MiB in its cache (default {})", usual.cache / MIB)),
            self.component_mib
                .map(|asked| format!("be a component of {asked} MiB (default {})", usual.component / MIB)),
            self.compile_timeout.map(|asked| {
                format!("take {} s to compile (default {})", asked.seconds, usual.compile.as_secs())
            }),
        ];
        asks.into_iter().flatten().collect()
    }

    /// Those whose text was granted.
    pub(super) fn granted(&self, is_granted: &dyn Fn(&str) -> bool) -> Self {
        // Each is looked at alone, so that what it is called is said in one place only.
        let kept = |alone: Self| alone.listed().iter().all(|text| is_granted(text));
        let none = Self::default;
        Self {
            memory_mib: self.memory_mib.filter(|_| kept(Self { memory_mib: self.memory_mib, ..none() })),
            cpu: self.cpu.filter(|_| kept(Self { cpu: self.cpu, ..none() })),
            table_entries: self
                .table_entries
                .filter(|_| kept(Self { table_entries: self.table_entries, ..none() })),
            host_call_mib: self
                .host_call_mib
                .filter(|_| kept(Self { host_call_mib: self.host_call_mib, ..none() })),
            log_kib: self.log_kib.filter(|_| kept(Self { log_kib: self.log_kib, ..none() })),
            out_mib: self.out_mib.filter(|_| kept(Self { out_mib: self.out_mib, ..none() })),
            cache_mib: self.cache_mib.filter(|_| kept(Self { cache_mib: self.cache_mib, ..none() })),
            component_mib: self
                .component_mib
                .filter(|_| kept(Self { component_mib: self.component_mib, ..none() })),
            compile_timeout: self
                .compile_timeout
                .filter(|_| kept(Self { compile_timeout: self.compile_timeout, ..none() })),
        }
    }

    /// These limits with what was asked for in place of what is lower.
    pub fn raise(&self, limits: Limits) -> Limits {
        let size = |asked: Option<u64>, unit: u64, limit: usize| {
            let asked = asked.unwrap_or(0).saturating_mul(unit);
            limit.max(usize::try_from(asked).unwrap_or(usize::MAX))
        };
        let bytes = |asked: Option<u64>, limit: u64| limit.max(asked.unwrap_or(0).saturating_mul(MIB));
        let time = |asked: Option<Duration>, limit: std::time::Duration| {
            limit.max(std::time::Duration::from_secs(asked.map_or(0, |asked| asked.seconds)))
        };
        Limits {
            memory: size(self.memory_mib, MIB, limits.memory),
            cpu: time(self.cpu, limits.cpu),
            table_entries: size(self.table_entries, 1, limits.table_entries),
            host_call: size(self.host_call_mib, MIB, limits.host_call),
            log: size(self.log_kib, KIB, limits.log),
            out: bytes(self.out_mib, limits.out),
            cache: bytes(self.cache_mib, limits.cache),
            component: bytes(self.component_mib, limits.component),
            compile: time(self.compile_timeout, limits.compile),
            ..limits
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asked_limits_raise_and_never_lower() {
        let asked = AskedLimits {
            memory_mib: Some(512),
            cpu: Some(Duration { seconds: 1 }),
            log_kib: Some(u64::MAX),
            ..AskedLimits::default()
        };
        let raised = asked.raise(Limits::default());
        assert_eq!(raised.memory, 512 << 20);
        assert_eq!(raised.cpu, Limits::default().cpu);
        assert_eq!(raised.log, usize::MAX);
        assert_eq!(raised.out, Limits::default().out);
        // The user's own limit above it wins.
        let generous = Limits { memory: 1 << 30, ..Limits::default() };
        assert_eq!(asked.raise(generous).memory, 1 << 30);
    }

    #[test]
    fn every_limit_can_be_granted_alone() {
        let text = r#"{"memory_mib":300,"cpu":"2m","table_entries":2000,"host_call_mib":9,"log_kib":2000,
            "out_mib":65,"cache_mib":600,"component_mib":65,"compile_timeout":31}"#;
        let asked: AskedLimits = serde_json::from_str(text).expect("limits");
        let texts = asked.listed();
        assert_eq!(texts.len(), 9);
        assert_eq!(texts[0], "use 300 MiB of memory (default 256)");
        for granted in &texts {
            let had = asked.granted(&|text| text == granted);
            assert_eq!(had.listed(), [granted.as_str()]);
            assert_ne!(had.raise(Limits::default()), Limits::default(), "{granted} raises nothing");
        }
        assert_eq!(asked.granted(&|_| true), asked);
        assert_eq!(asked.granted(&|_| false), AskedLimits::default());
    }
}
