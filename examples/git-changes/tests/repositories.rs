//! The stage's reading of git repositories, compared with what the program git says about them. Where git is missing, a
//! repository written by hand takes its place.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use git_changes::{Changes, Config, changes_in};

/// The commit that every repository of these tests begins with, by the book.
const NAMES: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "Ada Ö"),
    ("GIT_AUTHOR_EMAIL", "a@b"),
    ("GIT_COMMITTER_NAME", "C"),
    ("GIT_COMMITTER_EMAIL", "c@d"),
];

struct Checkout {
    folder: tempfile::TempDir,
    time: u32,
}

impl Checkout {
    /// A new repository; none where git is missing.
    fn new(arguments: &[&str]) -> Option<Self> {
        let there = Command::new("git").arg("--version").output().is_ok_and(|output| output.status.success());
        let checkout = Self { folder: tempfile::tempdir().expect("a folder"), time: 1_700_000_000 };
        if !there {
            eprintln!("git is not installed: only the repository written by hand is read");
            return None;
        }
        checkout.git(&[&["init", "-q", "-b", "main"], arguments].concat());
        Some(checkout)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn git(&self, arguments: &[&str]) -> String {
        git_in(self.path(), self.time, arguments)
    }

    /// Commits these files with their contents; no content removes one.
    fn commit(&mut self, files: &[(&str, Option<&str>)], message: &str) {
        for (name, content) in files {
            let path = self.path().join(name);
            match content {
                Some(content) => {
                    fs::create_dir_all(path.parent().expect("a folder")).expect("created");
                    fs::write(path, content).expect("written");
                }
                None => {
                    fs::remove_file(&path).expect("removed");
                    // As git does: a folder without files is none.
                    let parents = path.ancestors().skip(1).take_while(|folder| *folder != self.path());
                    parents.for_each(|folder| drop(fs::remove_dir(folder)));
                }
            }
        }
        self.time += 60;
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }

    fn read(&self, config: &Config) -> Changes {
        changes_in(&self.path().join(".git"), config).expect("it can be read")
    }

    /// Compares what the stage finds with `git log`.
    fn assert_same_as_git(&self, what: &str, count: usize) -> Changes {
        let found = self.read(&Config { document: None, commits: count });
        let format = "--format=%x01%H%x02%an%x02%aI%x02%s";
        let limit = format!("-{count}");
        let log = self.git(&["log", &limit, "--no-renames", "--name-status", "-z", format]);
        let expected: Vec<String> =
            log.split('\u{1}').skip(1).map(|text| text.replace(['\0', '\n'], "|")).collect();
        assert_eq!(found.commits.len(), expected.len(), "{what}");
        for (commit, expected) in found.commits.iter().zip(expected) {
            let head = [&*commit.hash, &commit.author, &commit.time.replace("+00:00", "Z"), &commit.subject]
                .join("\u{2}");
            let files = commit.files.iter().map(|file| {
                let letter = match serde_json(&file.change).as_str() {
                    "\"added\"" => "A",
                    "\"deleted\"" => "D",
                    _ => "M",
                };
                format!("{letter}|{}", file.path)
            });
            let shown: Vec<String> = std::iter::once(head).chain(files).collect();
            let expected: Vec<&str> = expected.split('|').filter(|part| !part.is_empty()).collect();
            assert_eq!(shown.join("|"), expected.join("|").replace("+00:00", "Z"), "{what}");
        }
        found
    }
}

fn serde_json(value: &impl serde::Serialize) -> String {
    docket_plugin::json!(value).to_string()
}

fn git_in(folder: &Path, time: u32, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs(NAMES)
        .envs(["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"].map(|name| (name, format!("{time} +0130"))))
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn config(document: Option<&str>) -> Config {
    Config { document: document.map(str::to_owned), commits: 20 }
}

/// A repository with folders, moves, a merge, and a file that changes often, so that packs have differences.
fn busy() -> Option<Checkout> {
    let mut checkout = Checkout::new(&[])?;
    let text: String = (0..400).map(|line| format!("line {line} of a long text\n")).collect();
    checkout.commit(
        &[("docs/a.md", Some("a")), ("docs/deep/er/b.md", Some("b")), ("x", Some(&text))],
        "First\nline\n\nbody",
    );
    for number in 0..40 {
        let changed = text.replace(&format!("line {number} "), "another line ");
        let other = format!("src/{}.rs", number % 7);
        checkout
            .commit(&[("x", Some(&changed)), (&other, Some(&changed))], &format!("Change {number} ünïcode"));
    }
    checkout.git(&["checkout", "-q", "-b", "side"]);
    checkout.commit(&[("docs/a.md", Some("side")), ("src/0.rs", Some("side"))], "On the side");
    checkout.git(&["checkout", "-q", "main"]);
    checkout
        .commit(&[("docs/deep/er/b.md", None), ("docs/deep", Some("a file now"))], "A folder becomes a file");
    checkout.time += 60;
    checkout.git(&["merge", "-q", "--no-ff", "-m", "Merge", "side"]);
    checkout.commit(&[("docs/a.md", Some("last")), ("src/0.rs", None)], "Last");
    Some(checkout)
}

#[test]
fn commits_and_files_are_those_that_git_tells() {
    let Some(checkout) = busy() else { return by_hand() };
    let found = checkout.assert_same_as_git("loose objects", 500);
    assert_eq!((found.branch.as_deref(), found.shallow), (Some("main"), false));
    assert_eq!(found.commits.len(), 45);
    checkout.assert_same_as_git("the last few", 3);

    checkout.git(&["gc", "-q", "--aggressive"]);
    assert!(!checkout.path().join(".git/refs/heads/main").exists(), "references are packed");
    checkout.assert_same_as_git("a pack with differences by offset", 500);
    checkout.git(&["-c", "repack.useDeltaBaseOffset=false", "repack", "-q", "-a", "-d", "-f"]);
    checkout.assert_same_as_git("a pack with differences by hash", 500);
    let pack = fs::read_dir(checkout.path().join(".git/objects/pack")).expect("there").flatten();
    let pack = pack.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "pack"));
    let pack = pack.expect("a pack").display().to_string();
    checkout.git(&["index-pack", "--index-version=2,0x40", &pack]);
    checkout.assert_same_as_git("an index with large offsets", 500);
    checkout.git(&["checkout", "-q", "--detach", "HEAD~2"]);
    assert_eq!(checkout.assert_same_as_git("a commit checked out", 500).branch, None);
}

#[test]
fn what_changed_together_with_a_document_is_counted() {
    let Some(checkout) = busy() else { return by_hand() };
    let document = checkout.read(&config(Some("docs/a.md"))).document.expect("asked for");
    assert_eq!(document.commits.len(), 2);
    let together: Vec<(&str, usize)> =
        document.together.iter().map(|other| (&*other.path, other.count)).collect();
    assert_eq!(together, [("src/0.rs", 2)]);
    let unknown = checkout.read(&config(Some("nowhere.md"))).document.expect("asked for");
    assert_eq!((unknown.commits.len(), unknown.together.len()), (0, 0));
}

#[test]
fn shallow_clones_end_where_they_end() {
    let Some(checkout) = busy() else { return by_hand() };
    let place = tempfile::tempdir().expect("a folder");
    let source = format!("file://{}", checkout.path().display());
    git_in(place.path(), checkout.time, &["clone", "-q", "--depth", "3", &source, "clone"]);
    let found = changes_in(&place.path().join("clone/.git"), &config(None)).expect("it can be read");
    assert!(found.shallow);
    let expected = git_in(&place.path().join("clone"), checkout.time, &["log", "--format=%H"]);
    assert_eq!(
        found.commits.iter().map(|commit| &*commit.hash).collect::<Vec<_>>(),
        expected.lines().collect::<Vec<_>>()
    );
}

#[track_caller]
fn refused(folder: &Path) -> (String, String) {
    let error = changes_in(folder, &config(None)).expect_err("it can't be read");
    (error.code, format!("{} {}", error.message, error.hint.unwrap_or_default()))
}

#[test]
fn what_can_not_be_read_is_refused_by_name() {
    let nothing = tempfile::tempdir().expect("a folder");
    let (code, told) = refused(&nothing.path().join(".git"));
    assert!(code == "repository-missing" && told.contains("docket plugin grant git-changes"), "{told}");
    assert_eq!(refused(nothing.path()).0, "repository-missing");
    fs::write(nothing.path().join(".git"), "gitdir: /elsewhere/.git/worktrees/w\n").expect("written");
    let (code, told) = refused(&nothing.path().join(".git"));
    assert!(code == "repository-elsewhere" && told.contains("/elsewhere/.git/worktrees/w"), "{told}");
    for (setting, words) in [("objectformat = sha256", "sha256"), ("refStorage = reftable", "reftable")] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("config"), format!("[core]\n\tx = 1\n[extensions]\n\t{setting}\n"))
            .expect("written");
        let (code, told) = refused(folder.path());
        assert!(code == "repository-unsupported" && told.contains(words), "{told}");
    }
}

#[test]
fn a_branch_without_commits_is_empty() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("HEAD"), "ref: refs/heads/new/thing\n").expect("written");
    let found = changes_in(folder.path(), &config(Some("a"))).expect("it can be read");
    assert_eq!((found.branch.as_deref(), found.head, found.commits.len()), (Some("new/thing"), None, 0));
    for (head, words) in [("ref: refs/heads/../../x", "no name of a branch"), ("nonsense", "HEAD leads to")] {
        fs::write(folder.path().join("HEAD"), head).expect("written");
        assert!(refused(folder.path()).1.contains(words), "{head}");
    }
}

/// Every file of a repository, cut short and with flipped bits: an answer or an error, never a panic and never for ever.
#[test]
fn damaged_files_are_errors_and_nothing_worse() {
    let Some(checkout) = busy() else { return by_hand() };
    checkout.git(&["gc", "-q"]);
    let mut files = Vec::new();
    collect(&checkout.path().join(".git"), &mut files);
    let mut refused = 0;
    for file in files.iter().filter(|file| !file.ends_with("index")) {
        let whole = fs::read(file).expect("readable");
        fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("set");
        let places = (0..whole.len()).step_by(whole.len() / 10 + 1);
        for place in places {
            let mut flipped = whole.clone();
            flipped[place] ^= 0x55;
            for damaged in [&whole[..place], &flipped] {
                fs::write(file, damaged).expect("written");
                refused += usize::from(changes_in(&checkout.path().join(".git"), &config(None)).is_err());
            }
        }
        fs::write(file, &whole).expect("written");
    }
    assert!(refused > 10, "damage is noticed: {refused}");
    checkout.assert_same_as_git("whole again", 500);
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("readable").flatten() {
        let path = entry.path();
        let is_used = !path.ends_with("hooks") && !path.ends_with("logs");
        if path.is_dir() && is_used {
            collect(&path, found)
        } else if path.is_file() {
            found.push(path)
        }
    }
}

/// A repository of one commit with loose objects, under names that nobody hashed: reading does not need git.
#[test]
fn by_hand() {
    let folder = tempfile::tempdir().expect("a folder");
    let (commit, tree, blob) = ("11".repeat(20), "22".repeat(20), [0x33_u8; 20]);
    let object = |hash: &str, kind: &str, content: &[u8]| {
        let path = folder.path().join("objects").join(&hash[..2]);
        fs::create_dir_all(&path).expect("created");
        let bytes = [format!("{kind} {}\0", content.len()).as_bytes(), content].concat();
        let mut file = fs::File::create(path.join(&hash[2..])).expect("created");
        file.write_all(&miniz_oxide::deflate::compress_to_vec_zlib(&bytes, 6)).expect("written");
    };
    object(&tree, "tree", &[b"100644 a.md\0".as_slice(), &blob].concat());
    let text = format!("tree {tree}\nauthor Ada <a> 0 +0000\ncommitter C <c> 0 +0000\n\nBegin\n");
    object(&commit, "commit", text.as_bytes());
    fs::write(folder.path().join("HEAD"), format!("{commit}\n")).expect("written");
    let found = changes_in(folder.path(), &config(Some("a.md"))).expect("it can be read");
    assert_eq!((found.branch, found.head.as_deref()), (None, Some(&*commit)));
    assert_eq!((&*found.commits[0].subject, &*found.commits[0].author), ("Begin", "Ada"));
    assert_eq!(
        (&*found.commits[0].files[0].path, &*found.commits[0].time),
        ("a.md", "1970-01-01T00:00:00+00:00")
    );
}
