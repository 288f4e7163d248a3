//! A moment of every fuzz target: its seeds, what once broke it, and some thousands of changed seeds, the same each time.
//! It has a `main` of its own because docket starts itself again to supervise processes, and here that is this program.

#![expect(clippy::print_stdout, reason = "a test without the standard harness has to tell its results")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use docket_fuzz::mutate::{Random, mutate};
use docket_fuzz::{Seed, TARGETS, Target, regressions};

/// Where the changes begin: another number gives other inputs.
const SEED: u64 = 20_261_123;

fn main() -> ExitCode {
    #[cfg(feature = "host")]
    if let Some(code) = docket_fuzz::become_helper() {
        return ExitCode::from(code);
    }
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let chosen = |target: &&Target| words.is_empty() || words.iter().any(|word| target.name.contains(word));
    let mut has_failed = false;
    for target in TARGETS.iter().filter(chosen) {
        let start = Instant::now();
        match run(target) {
            Ok(inputs) => println!("target {} ... ok ({inputs} inputs, {:?})", target.name, start.elapsed()),
            Err(message) => {
                println!("target {} ... FAILED\n{message}", target.name);
                has_failed = true;
            }
        }
    }
    // Last, because nothing holds after it.
    #[cfg(feature = "host")]
    if words.is_empty() {
        let noticed = docket_fuzz::sabotage();
        println!("sabotage ... {}", noticed.as_ref().map_or_else(String::as_str, |()| "noticed"));
        has_failed |= noticed.is_err();
    }
    #[cfg(feature = "host")]
    docket_fuzz::clean_up();
    ExitCode::from(u8::from(has_failed))
}

/// How many inputs held; the one that did not, and where it was put.
fn run(target: &Target) -> Result<usize, String> {
    let mut seeds = regressions(target.name);
    seeds.extend((target.seeds)());
    if seeds.is_empty() {
        return Err("there are no seeds".to_owned());
    }
    for seed in &seeds {
        hold(target, &seed.name, &seed.bytes)?;
    }
    let mut random = Random::new(SEED);
    for number in 0..target.smoke_runs {
        let Seed { name, bytes } = &seeds[random.below(seeds.len())];
        let changed = mutate(bytes, &seeds[random.below(seeds.len())].bytes, &mut random);
        hold(target, &format!("{name}-changed-{number}"), &changed)?;
    }
    Ok(seeds.len() + target.smoke_runs)
}

fn hold(target: &Target, name: &str, bytes: &[u8]) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).map_err(|_| {
        let path = std::env::temp_dir().join(format!("docket-fuzz-{}-{name}", target.name));
        let kept =
            std::fs::write(&path, bytes).map_or_else(|cause| cause.to_string(), |()| "is there".into());
        format!("the input {name} broke it; {} {kept}", path.display())
    })
}
