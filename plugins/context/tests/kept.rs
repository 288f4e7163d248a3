//! What is kept from one time to the next never changes what is found: a project is changed at random, and so is the
//! index, and after each change the package is the one of somebody who kept nothing.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use docket_plugin_context::gather::gather;
use docket_plugin_context::settings::{Include, Settings, Strategy};
use tempfile::TempDir;

/// Numbers that look random and are the same each time: splitmix64 (Vigna, 2016).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("small")
    }
}

struct Walk {
    project: TempDir,
    cache: TempDir,
    random: Random,
    /// Seconds since the project was made.
    clock: u64,
}

impl Walk {
    fn new(seed: u64, documents: usize) -> Self {
        let folder = || tempfile::tempdir().expect("a folder");
        let mut walk = Self { project: folder(), cache: folder(), random: Random(seed), clock: 0 };
        fs::create_dir(walk.project.path().join("docs")).expect("created");
        (0..documents).for_each(|number| walk.write(number));
        walk
    }

    fn path(&self, number: usize) -> PathBuf {
        self.project.path().join(format!("docs/adr-{number:04}-x.md"))
    }

    /// Writes a document, as it was some time ago.
    fn write(&mut self, number: usize) {
        const WORDS: [&str; 12] = [
            "journal",
            "sandbox",
            "grant",
            "plugin",
            "answer",
            "budget",
            "lease",
            "shard",
            "quorum",
            "replica",
            "compaction",
            "snapshot",
        ];
        // Few words are common, many are rare.
        let word = |random: &mut Random| {
            let width = 1 + random.below(WORDS.len());
            WORDS[random.below(width)]
        };
        let random = &mut self.random;
        let title: Vec<&str> = (0..3).map(|_| word(random)).collect();
        let mut text = format!("# ADR-{number:04}: {}\n\n**Status:** Accepted\n\n", title.join(" "));
        for _ in 0..random.below(60) {
            text.push_str(word(random));
            text.push_str(if random.below(9) == 0 { "\n\n## Part\n\n" } else { " " });
        }
        let (cited, linked) = (random.below(40), random.below(40));
        text.push_str(&format!("\n\nSee ADR-{cited:04} and [this](adr-{linked:04}-x.md).\n\n- [ ] check\n"));
        // Whether these addresses are the project's own is learned from all of them.
        let site = "https://example.org/owner/project/blob/main";
        text.push_str(&format!("- [its begin](../src/lib.rs), {site}/src/lib.rs\n"));
        if random.below(4) == 0 {
            text.push_str(&format!("- {site}/docs/adr-{cited:04}-x.md\n"));
        }
        let path = self.path(number);
        fs::write(&path, text).expect("written");
        self.age(&path);
    }

    /// Gives a file a time of change of its own, long enough ago to be believed.
    fn age(&mut self, path: &Path) {
        self.clock += 1;
        let time = SystemTime::now() - Duration::from_secs(100_000 - self.clock);
        let file = File::options().write(true).open(path).expect("there");
        file.set_modified(time).expect("the time is set");
    }

    /// Does something to the project or to what is kept, and says what.
    fn step(&mut self) -> &'static str {
        let number = self.random.below(40);
        let path = self.path(number);
        match self.random.below(9) {
            0..=2 => {
                self.write(number);
                "written"
            }
            3 if path.exists() => {
                fs::remove_file(&path).expect("removed");
                "removed"
            }
            4 if path.exists() => {
                self.age(&path);
                "touched"
            }
            5 => {
                fs::write(&path, b"\0\x01binary").expect("written");
                "no text"
            }
            6 => {
                let folder = self.project.path().join("src");
                if folder.exists() {
                    fs::remove_dir_all(&folder).expect("removed");
                } else {
                    fs::create_dir(&folder).expect("created");
                    if self.random.below(2) == 0 {
                        fs::write(folder.join("lib.rs"), "pub fn main() {}\n").expect("written");
                    }
                }
                "another folder or file that documents refer to"
            }
            7 => {
                self.damage();
                "damaged"
            }
            _ => "nothing",
        }
    }

    fn damage(&mut self) {
        let path = self.cache.path().join("documents.index");
        let Ok(mut bytes) = fs::read(&path) else { return };
        if self.random.below(3) == 0 {
            bytes.truncate(self.random.below(bytes.len()));
        } else {
            let at = self.random.below(bytes.len());
            bytes[at] ^= 1 << self.random.below(8);
        }
        fs::write(&path, bytes).expect("written");
    }

    fn gathered(&self, target: &str, cache: Option<&Path>) -> Result<String, String> {
        let include = vec![
            Include::ParseReferences,
            Include::RelatedAdrs,
            Include::ArchitectureDocs,
            Include::OpenTodos,
        ];
        let settings = Settings { include, ..Settings::of(Strategy::RfcReview, target) };
        let package = gather(self.project.path(), cache, &settings).map_err(|error| error.to_string())?;
        Ok(serde_json::to_string_pretty(&package).expect("written"))
    }
}

#[test]
fn what_is_kept_never_changes_what_is_found() {
    for seed in 0..4 {
        // Small projects keep every change, larger ones only many.
        let mut walk = Walk::new(seed, if seed % 2 == 0 { 12 } else { 130 });
        for step in 0..40 {
            let what = walk.step();
            let target = format!("docs/adr-{:04}-x.md", walk.random.below(12));
            let with = walk.gathered(&target, Some(walk.cache.path()));
            let without = walk.gathered(&target, None);
            assert_eq!(with, without, "seed {seed}, step {step}: {what}");
        }
    }
}

#[test]
fn a_target_larger_than_others_may_be_is_read_all_the_same() {
    let walk = Walk::new(9, 3);
    let docs = walk.project.path().join("docs");
    let refers = "# Other\n\nSee [x](adr-0001-x.md).\n";
    fs::write(docs.join("other.md"), refers).expect("written");
    // Only what it refers to says that it has something in common with the other one.
    let large = format!("# Large\n\nSee [x](adr-0001-x.md).\n\n{}", "unlike ".repeat(400_000));
    assert!(large.len() > 2 << 20);
    fs::write(docs.join("large.md"), large).expect("written");
    for cache in [None, Some(walk.cache.path()), Some(walk.cache.path())] {
        let package = walk.gathered("docs/large.md", cache).expect("a package");
        assert!(package.contains("cites the same documents: docs/adr-0001-x.md"), "{package}");
    }
}
