//! Gathering context in a project of ten thousand documents: cold, when nothing was read before, warm, when nothing
//! changed since, and with a few documents changed. Beside it ripgrep looking for one word in the same files, which is
//! about what has to be read at least.
//!
//! The documents are made up, the same ones each time: words drawn with the frequencies of a language, titles, statuses,
//! dates, and references to each other by id and by link.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use super::figure::Figure;
use super::measure::{self, Series};
use super::prepare;
use crate::failure::Failure;
use crate::process;
use crate::scratch::{self, Scratch};

const DOCUMENTS: u32 = 10_000;
/// Documents in one folder.
const IN_FOLDER: u32 = 100;
/// Words in a document.
const LENGTH: u32 = 500;
/// Words in the language.
const VOCABULARY: u64 = 20_000;
const COLD_RUNS: u32 = 5;
const WARM_RUNS: u32 = 20;
const CHANGED_RUNS: u32 = 5;
/// Documents that are changed between two runs.
const CHANGED: u32 = 10;
/// The document that context is gathered for.
const TARGET: u32 = 4_242;
/// What a project of so many documents may take.
const COLD_BUDGET: f64 = 3_000.0;
const WARM_BUDGET: f64 = 300.0;
/// What a stage's sandbox may have, which docket enforces; the process around it has more.
const MEMORY_BUDGET: f64 = 256.0;
/// Said where there is nothing to compare with.
const NO_RIPGREP: &str = "ripgrep is not there, so nothing is compared with it: `apt-get install ripgrep`, or `cargo install ripgrep`";

/// Measures it.
pub(super) fn measure(program: &Path) -> Result<Vec<Figure>, Failure> {
    let scratch = Scratch::empty("bench-context", program)?;
    let bytes = make_documents(&scratch.project())?;
    eprintln!("{DOCUMENTS} documents of {} MiB in {}", bytes >> 20, scratch.project().display());
    // As in a user's project: docket's own plugins are compiled once, with the optimising compiler.
    prepare(&scratch, &["init"])?;
    let target = path(TARGET);
    let arguments = ["context", &target, "--output", "json"];
    prepare(&scratch, &arguments)?;
    let indexes = scratch.cache().join("docket/plugins");
    let cold = measure::series(&scratch, &arguments, COLD_RUNS, || forget(&indexes))?;
    forget(&indexes)?;
    let cold_peak = measure::peak_memory(&scratch, &arguments)?;
    let warm = measure::series(&scratch, &arguments, WARM_RUNS, || Ok(()))?;
    let warm_peak = measure::peak_memory(&scratch, &arguments)?;
    let mut round = 0;
    let changed = measure::series(&scratch, &arguments, CHANGED_RUNS, || {
        round += 1;
        (0..CHANGED).try_for_each(|number| {
            let place = scratch.project().join(path(number * 997));
            scratch::write(&place, text(number * 997, round).as_bytes())
        })
    })?;
    let mut figures = of_docket(&cold, &warm, &changed);
    let peaks = [("cold", cold_peak), ("warm", warm_peak)];
    figures.extend(peaks.into_iter().filter_map(|(name, peak)| {
        let name = format!("context of 10,000 documents, {name}: peak memory of the process");
        Some(Figure::memory(&name, peak?).budget(MEMORY_BUDGET))
    }));
    match ripgrep(&scratch)? {
        Some(found) => figures.extend(of_ripgrep(&found, &cold, &warm)),
        None => eprintln!("{NO_RIPGREP}"),
    }
    Ok(figures)
}

fn of_docket(cold: &Series, warm: &Series, changed: &Series) -> Vec<Figure> {
    let name = |what: &str| format!("context of 10,000 documents, {what}");
    let figures = [
        Some(Figure::wall(&name("cold: wall"), cold).budget(COLD_BUDGET)),
        Figure::processor(&name("cold: user+sys (mean)"), cold),
        Some(Figure::wall(&name("warm: wall"), warm).budget(WARM_BUDGET)),
        Figure::processor(&name("warm: user+sys (mean)"), warm),
        Some(Figure::wall(&name(&format!("{CHANGED} changed: wall")), changed)),
    ];
    figures.into_iter().flatten().collect()
}

fn of_ripgrep(ripgrep: &Series, cold: &Series, warm: &Series) -> Vec<Figure> {
    let times = |series: &Series| series.median().as_secs_f64() / ripgrep.median().as_secs_f64().max(1e-6);
    vec![
        Figure::wall("`rg -l` over the same documents: wall", ripgrep),
        Figure::times_of("context, cold, in times of `rg -l`", times(cold)),
        Figure::times_of("context, warm, in times of `rg -l`", times(warm)),
    ]
}

/// Looks for a word with ripgrep. `None` where there is none.
fn ripgrep(scratch: &Scratch) -> Result<Option<Series>, Failure> {
    if !process::works("rg", &["--version"]) {
        return Ok(None);
    }
    let mut samples = Vec::new();
    for _ in 0..=WARM_RUNS {
        let mut command = Command::new("rg");
        command.args(["-l", &word(VOCABULARY / 10), "."]).current_dir(scratch.project());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        samples.push(measure::sample(&mut command)?.0);
    }
    // The first one is there to have everything in memory.
    Ok(Some(Series::of(&samples[1..])))
}

/// Takes away what docket's plugins keep of the project.
fn forget(indexes: &Path) -> Result<(), Failure> {
    if !indexes.exists() {
        return Err(Failure::new(format!("docket kept nothing in {}", indexes.display())));
    }
    fs::remove_dir_all(indexes).map_err(|cause| Failure::file("remove", indexes, &cause))
}

/// Makes all documents and says how many bytes they have. They look as if they had been there for a while.
fn make_documents(project: &Path) -> Result<u64, Failure> {
    let long_ago = SystemTime::now() - Duration::from_hours(24);
    let mut bytes = 0;
    for number in 0..DOCUMENTS {
        let (place, text) = (project.join(path(number)), text(number, 0));
        bytes += text.len() as u64;
        scratch::write(&place, text.as_bytes())?;
        let aged = File::options().write(true).open(&place).and_then(|file| file.set_modified(long_ago));
        aged.map_err(|cause| Failure::file("change the time of", &place, &cause))?;
    }
    Ok(bytes)
}

fn path(number: u32) -> String {
    let number = number % DOCUMENTS;
    let kind = ["rfcs/rfc", "adr/adr", "notes/note"][number as usize % 3];
    format!("docs/{:02}/{kind}-{number:05}.md", number / IN_FOLDER)
}

/// The text of a document. `round` makes it another one.
fn text(number: u32, round: u32) -> String {
    let mut random = Random(u64::from(number) << 20 | u64::from(round));
    let title: Vec<String> = (0..4).map(|_| word(random.below(VOCABULARY / 20))).collect();
    let status = ["Draft", "Accepted", "Superseded", "In Review"][random.below(4) as usize];
    let mut text = format!(
        "# {}\n\n**Status:** {status}\n**Created:** 20{:02}-{:02}-{:02}\n\n## Summary\n\n",
        title.join(" "),
        10 + random.below(15),
        1 + random.below(12),
        1 + random.below(28)
    );
    for at in 1..=LENGTH {
        // The product of draws favours the small: common words are common, and five hundred words are about three
        // hundred different ones, as in English.
        let draw = |random: &mut Random, rank: u64| rank * random.below(VOCABULARY) / VOCABULARY;
        let rank = (0..2).fold(random.below(VOCABULARY), |rank, _| draw(&mut random, rank));
        text.push_str(&word(rank));
        text.push_str(if at % 120 == 0 {
            "\n\n## Part\n\n"
        } else if at % 14 == 0 {
            "\n"
        } else {
            " "
        });
    }
    text.push_str("\n## References\n\n");
    for _ in 0..3 {
        let other = u32::try_from(random.below(u64::from(DOCUMENTS))).unwrap_or(0);
        text.push_str(&format!("- [{}](../../../{})\n", word(random.below(VOCABULARY)), path(other)));
        text.push_str(&format!("- ADR-{:05}\n", random.below(u64::from(DOCUMENTS))));
    }
    text
}

/// A word of the made-up language: two to five syllables, the same for the same rank.
fn word(rank: u64) -> String {
    const FIRST: [&str; 16] =
        ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "st", "tr"];
    const SECOND: [&str; 5] = ["a", "e", "i", "o", "u"];
    let mut word = String::new();
    let mut rest = rank;
    loop {
        let syllable = usize::try_from(rest % 80).unwrap_or(0);
        word.push_str(FIRST[syllable / 5]);
        word.push_str(SECOND[syllable % 5]);
        rest /= 80;
        if rest == 0 {
            break;
        }
    }
    word.push('n');
    word
}

/// Numbers that look random and are the same each time. Vigna, "An experimental exploration of Marsaglia's xorshift
/// generators" (2016): splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn documents_are_the_same_each_time_and_differ_from_each_other() {
        assert_eq!(text(7, 0), text(7, 0));
        assert_ne!(text(7, 0), text(8, 0));
        assert_ne!(text(7, 0), text(7, 1));
        assert!((3_000..8_000).contains(&text(7, 0).len()), "{}", text(7, 0).len());
        let paths: HashSet<String> = (0..DOCUMENTS).map(path).collect();
        assert_eq!(paths.len(), DOCUMENTS as usize);
    }

    #[test]
    fn common_words_are_common_and_a_rare_one_is_rare() {
        let having = |rank: u64| (0..200).filter(|number| text(*number, 0).contains(&word(rank))).count();
        assert!(having(3) > having(VOCABULARY / 10));
    }
}
