//! Running one stage of one plugin: a fresh Store, the granted folders, the limits, and nothing else. The Store is
//! thrown away afterwards, whatever happened.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cap_std::fs::Dir;
use docket_core::definition::ConfigFault;
use docket_core::run::{Failure, FileState, PlannedWrite, ProjectPath, Question, Usage};
use serde_json::Value;
use wasmtime::{Engine, Store, UpdateDeadline};

use super::cache::CacheKey;
use super::grants::Grants;
use super::host::answer::Answers;
use super::host::contract::docket::stage::types;
use super::host::contract::{StagePlugin, StagePluginPre};
use super::host::descriptors::Descriptors;
use super::host::files::{Folders, Mounts, no_sandbox};
use super::host::process::{GrantedCommand, Processes, stop_all};
use super::host::{Cancel, Launches, Notices, StageContext, transcript};
use super::imports::{command_interfaces, missing};
use super::limits::{CACHE_LIMIT, LimitHit, Limits};
use super::reply::{completed, fault, refused, waiting};
use super::tier::{Ready, TICK, Tier, Tiers};
use super::trap::trapped;
use super::{Plugin, PluginOrigin};

/// Time a plugin has to look at a config.
const CHECK_TIME: Duration = Duration::from_secs(5);
/// Most faults of one config that are taken from a plugin.
const MAX_FAULTS: usize = 100;
/// What helps when a plugin does not come to an end with a config.
const CHECK_HINT: &str = "looking at a config must be quick: this is a bug of the plugin";
/// Runs stages.
pub struct Runtime {
    tiers: Tiers,
    descriptors: Descriptors,
}

/// One stage to be run.
pub struct StageCall<'a> {
    /// The plugin.
    pub plugin: &'a Plugin,
    /// The request, as JSON after the published schema `stage-request`.
    pub request: String,
    /// What it may touch.
    pub grants: Grants,
    /// The project, opened.
    pub project: &'a Dir,
    /// Where its sandbox lies.
    pub folders: Folders,
    /// Files for `/in`, by path below it.
    pub inputs: Vec<(String, Vec<u8>)>,
    /// Its limits.
    pub limits: Limits,
    /// Where what it says goes.
    pub notices: Notices,
    /// Tells it to stop.
    pub cancel: Cancel,
    /// What an answer must be, and where it is kept.
    pub answers: Answers,
    /// The commands it may run.
    pub commands: Vec<GrantedCommand>,
    /// Asked before one of them is started.
    pub launches: Launches,
    /// The variables it sees.
    pub environment: Vec<(String, String)>,
}

/// What came of a stage.
#[derive(Debug)]
pub struct StageReply {
    /// How it ended.
    pub outcome: Outcome,
    /// What it used.
    pub usage: Usage,
}

/// How a stage ended.
#[derive(Debug)]
pub enum Outcome {
    /// With a result.
    Completed {
        /// The result.
        result: Value,
        /// The files it proposes, all of them granted.
        writes: Vec<PlannedWrite>,
        /// What was at its files when it started.
        seen: BTreeMap<ProjectPath, FileState>,
        /// When it started.
        since: SystemTime,
    },
    /// With a question.
    Waiting(Question),
    /// Not at all.
    Failed(Failure),
    /// It was told to stop.
    Cancelled,
}

impl Runtime {
    /// A runtime that keeps compiled code below this cache folder, sealed with a key that is asked for when it is
    /// needed, and gives plugins so many bytes of stack.
    pub fn new(cache: &Path, key: Box<CacheKey>, stack: usize) -> Self {
        Self { tiers: Tiers::new(cache, key, stack), descriptors: Descriptors::default() }
    }

    /// Compiles or loads a plugin ahead of its use, so that a run's plugins are made ready side by side.
    pub fn prepare(&self, plugin: &Plugin, limits: &Limits) {
        // A failure is told when the plugin is used.
        let with_process = plugin.rights.exec || plugin.can_do_without_commands();
        let ready = |tier: &Tier| tier.ready(plugin, with_process, limits).map(|_| ());
        let _ = self.tiers.of(plugin).and_then(ready);
    }

    /// Whether a plugin of docket's own still runs unoptimised.
    pub fn needs_optimizing(&self, plugin: &Plugin) -> bool {
        plugin.origin == PluginOrigin::BuiltIn && !self.tiers.is_optimized(plugin)
    }

    /// Compiles a plugin with the optimising compiler and keeps the code for later runs.
    ///
    /// # Errors
    /// When it can't be compiled.
    pub fn optimize(&self, plugin: &Plugin, limits: &Limits) -> Result<(), Failure> {
        let with_process = plugin.rights.exec || plugin.can_do_without_commands();
        self.tiers.optimizing()?.ready(plugin, with_process, limits).map(|_| ())
    }

    /// Asks a plugin what is wrong with a config. It sees no file, can run nothing, and has little time.
    ///
    /// # Errors
    /// When the plugin can't be run or does not come to an end.
    pub fn check(
        &self,
        plugin: &Plugin,
        stage_type: &str,
        config: &Value,
        limits: &Limits,
    ) -> Result<Vec<ConfigFault>, Failure> {
        let name = &plugin.manifest.name;
        let limits = Limits {
            cpu: limits.cpu.min(CHECK_TIME),
            wall_clock: limits.wall_clock.min(CHECK_TIME),
            ..*limits
        };
        // A config is right or wrong whatever was granted: the import is answered if it is asked for, and runs nothing.
        let granted = Grants::without_files(&plugin.manifest.capabilities);
        let (tier, stage) = self.link(plugin, &granted, &limits)?;
        let share = self.descriptors.share(limits.handles);
        let context =
            StageContext::new(limits, None, Arc::new(|_| {}), Answers::of_no_stage(), None, share, &[])
                .map_err(|cause| {
                    Failure::new("sandbox-failed", format!("the sandbox of plugin '{name}': {cause:#}"))
                })?;
        let mut store = new_store(tier.engine(), context, &limits);
        let (stage_type, config) = (stage_type.to_owned(), config.to_string());
        let ended = event_loop()?.block_on(async {
            let call = async {
                let instance: StagePlugin = stage.instantiate_async(&mut store).await?;
                instance.docket_stage_stage().call_check(&mut store, &stage_type, &config).await
            };
            tokio::time::timeout(limits.wall_clock, call).await
        });
        let faults = match ended {
            Err(_) => return Err(LimitHit::WallClock(limits.wall_clock).failure(name).hint(CHECK_HINT)),
            Ok(Err(trap)) => return Err(trapped(name, &store.into_data(), &trap)),
            Ok(Ok(faults)) => faults,
        };
        Ok(faults.into_iter().take(MAX_FAULTS).map(fault).collect())
    }

    /// Runs a stage. What goes wrong comes back as the stage's failure.
    pub fn run(&self, call: StageCall<'_>) -> StageReply {
        // All of a stage's commands are kept in one place and hide the same.
        let records = call.commands.first().map(|command| (command.records.clone(), command.secrets.clone()));
        let folders = call.folders.clone();
        let reply = self.run_in_sandbox(call);
        let (outcome, usage) = reply.unwrap_or_else(|failure| (Outcome::Failed(failure), Usage::default()));
        // Whatever a stage that is over left running has no reader any more.
        if let Some((records, secrets)) = records {
            stop_all(&records);
            transcript::mask_all(&records, &secrets);
        }
        // Only scratch; a leftover is removed before the folder is used again.
        let _ = std::fs::remove_dir_all(folders.work);
        // A cache that stayed too large would fail every later stage of this plugin.
        if matches!(&outcome, Outcome::Failed(failure) if failure.code == CACHE_LIMIT) {
            let _ = std::fs::remove_dir_all(folders.cache);
        }
        StageReply { outcome, usage }
    }

    fn run_in_sandbox(&self, call: StageCall<'_>) -> Result<(Outcome, Usage), Failure> {
        let name = call.plugin.manifest.name.clone();
        let (tier, stage) = self.link(call.plugin, &call.grants, &call.limits)?;
        let mounts = Mounts::prepare(call.project, &call.folders, &call.grants, &call.inputs)
            .map_err(|cause| no_sandbox(&name, &cause))?;
        let processes = Some(call.commands).filter(|commands| !commands.is_empty()).map(|commands| {
            Processes::new(commands, call.cancel.clone(), call.limits.processes, call.launches)
        });
        let share = self.descriptors.share(call.limits.handles);
        let context = StageContext::new(
            call.limits,
            Some(&mounts),
            call.notices,
            call.answers,
            processes,
            share,
            &call.environment,
        )
        .map_err(|cause| {
            Failure::new("sandbox-failed", format!("the sandbox of plugin '{name}': {cause:#}"))
        })?;
        let mut store = new_store(tier.engine(), context, &call.limits);
        let ended = event_loop()?.block_on(async {
            tokio::select! {
                biased;
                hit = watch(&call.limits, &call.cancel, &mounts) => Ended::Stopped(hit),
                result = call_stage(&stage, &mut store, &call.request) => Ended::Returned(result),
            }
        });
        let context = store.into_data();
        let usage = context.usage;
        let outcome = match ended {
            Ended::Stopped(None) => Outcome::Cancelled,
            Ended::Stopped(Some(hit)) => Outcome::Failed(hit.failure(&name)),
            Ended::Returned(Err(trap)) => Outcome::Failed(trapped(&name, &context, &trap)),
            Ended::Returned(Ok(Err(error))) => Outcome::Failed(refused(&error)),
            Ended::Returned(Ok(Ok(types::Outcome::Waiting(question)))) => waiting(&name, question),
            Ended::Returned(Ok(Ok(types::Outcome::Completed(result)))) => {
                completed(&name, &result, &call.grants, &call.limits, &mounts)
            }
        };
        Ok((outcome, usage))
    }

    /// Makes a component ready to be instantiated, with what it was granted and no more.
    fn link(&self, plugin: &Plugin, grants: &Grants, limits: &Limits) -> Result<(&Tier, Ready), Failure> {
        let answers_process = grants.exec || plugin.can_do_without_commands();
        if let Some(interfaces) = command_interfaces(&plugin.imports).filter(|_| !answers_process) {
            let name = &plugin.manifest.name;
            let message =
                format!("plugin '{name}' imports {interfaces} but was not granted to run a command");
            return Err(Failure::new("not-granted", message).hint(if plugin.manifest.capabilities.exec {
                format!("grant it to run the launcher profile's command: `docket plugin grant {name}`")
            } else {
                "its manifest must ask for `exec`, and the user must grant it".to_owned()
            }));
        }
        if let Some(failure) = missing(&plugin.manifest.name, &plugin.imports) {
            return Err(failure);
        }
        let tier = self.tiers.of(plugin)?;
        Ok((tier, tier.ready(plugin, answers_process, limits)?))
    }
}

/// A Store for one call, with its limits on.
fn new_store(engine: &Engine, context: StageContext, limits: &Limits) -> Store<StageContext> {
    let mut store = Store::new(engine, context);
    store.limiter(|context| &mut context.guard);
    store.set_hostcall_fuel(limits.host_call);
    let handles = store.data().handles();
    store.set_max_component_handles(handles);
    store.set_epoch_deadline(1);
    let cpu = limits.cpu;
    let start = thread_cpu();
    store.epoch_deadline_callback(move |mut context| {
        // The stage has its thread to itself, and only running code gets here: waiting costs nothing.
        if thread_cpu().saturating_sub(start) > cpu {
            context.data_mut().guard.hit = Some(LimitHit::Cpu(cpu));
            return Ok(UpdateDeadline::Interrupt);
        }
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

enum Ended {
    Returned(wasmtime::Result<Result<types::Outcome, types::StageError>>),
    Stopped(Option<LimitHit>),
}

async fn call_stage(
    stage: &StagePluginPre<StageContext>,
    store: &mut Store<StageContext>,
    request: &String,
) -> wasmtime::Result<Result<types::Outcome, types::StageError>> {
    let instance: StagePlugin = stage.instantiate_async(&mut *store).await?;
    instance.docket_stage_stage().call_run(store, request).await
}

/// The event loop of one stage, on its own thread.
fn event_loop() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|cause| Failure::new("sandbox-failed", format!("BUG: no event loop: {cause}")))
}

/// Comes back when the stage is to be stopped from outside: with the limit it hit, or without when it was cancelled.
async fn watch(limits: &Limits, cancel: &Cancel, mounts: &Mounts) -> Option<LimitHit> {
    let start = std::time::Instant::now();
    let mut ticks = 0_u32;
    loop {
        tokio::time::sleep(TICK).await;
        ticks += 1;
        if cancel.is_cancelled() {
            return None;
        }
        if start.elapsed() > limits.wall_clock {
            return Some(LimitHit::WallClock(limits.wall_clock));
        }
        // Looking at the proposals costs system calls, so not at every tick.
        if ticks.is_multiple_of(10)
            && let Err(hit) = mounts.check_size(limits)
        {
            return Some(hit);
        }
    }
}

/// CPU time of this thread.
fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
