//! The example of a third party's stage: built as a stranger would, added, granted, and right about what git says.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use docket_tests::Place;
use serde_json::{Value, json};

use crate::place;
use crate::sandbox::{definition, results, run_of};

/// The capability it asks for, in docket's words.
const READ: &str = "read .git";
const DOCUMENT: &str = "docs/a.md";

/// Builds the example. Everything it depends on is in docket's own `Cargo.lock`, too, so that it is there after a plain
/// `cargo fetch` and no network is needed.
fn component() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the repository");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples");
        let output = Command::new(env!("CARGO"))
            .args(["build", "--locked", "--offline", "--release", "--target", "wasm32-wasip2", "--quiet"])
            .arg("--manifest-path")
            .arg(root.join("examples/git-changes/Cargo.toml"))
            .arg("--target-dir")
            .arg(&target)
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .output()
            .expect("cargo can be run");
        assert!(
            output.status.success(),
            "examples/git-changes does not build (target missing? `cargo xtask setup`; crates missing? `cargo fetch`):\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        target.join("wasm32-wasip2/release/git_changes.wasm")
    })
}

/// git in the project; none where it is missing.
fn git(place: &Place, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(["-c", "commit.gpgsign=false", "-c", "user.name=Ada", "-c", "user.email=a@b"])
        .args(arguments)
        .current_dir(place.project())
        .env("HOME", place.home())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CEILING_DIRECTORIES", place.project().parent().expect("a folder"))
        .output()
        .ok()?;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

/// Makes the project a repository of two commits, and returns the hash and subject of each, newest first: by git, or by hand
/// where it is missing.
fn repository(place: &Place) -> Vec<(String, String)> {
    place.write(".gitignore", ".docket\n");
    if git(place, &["--version"]).is_none() {
        return by_hand(place);
    }
    git(place, &["init", "-q", "-b", "main"]);
    for (content, subject) in [("one", "Begin"), ("two", "Go on")] {
        place.write(DOCUMENT, content);
        place.write("src/b.rs", content);
        git(place, &["add", "-A"]);
        git(place, &["commit", "-q", "-m", subject]);
    }
    git(place, &["gc", "-q"]);
    let log = git(place, &["log", "--format=%H %s"]).expect("git is there");
    let split =
        |line: &str| line.split_once(' ').map(|(hash, subject)| (hash.to_owned(), subject.to_owned()));
    log.lines().filter_map(split).collect()
}

/// The same as loose objects, under names that nobody hashed.
fn by_hand(place: &Place) -> Vec<(String, String)> {
    let name = |number: u8| format!("{number:02x}").repeat(20);
    let object = |number: u8, kind: &str, content: &[u8]| {
        let name = name(number);
        let bytes = [format!("{kind} {}\0", content.len()).as_bytes(), content].concat();
        let path = format!(".git/objects/{}/{}", &name[..2], &name[2..]);
        place.write(&path, miniz_oxide::deflate::compress_to_vec_zlib(&bytes, 6));
    };
    let entry =
        |mode: &str, name: &str, number: u8| [format!("{mode} {name}\0").as_bytes(), &[number; 20]].concat();
    for (base, file) in [(0x10, 0xa0), (0x20, 0xb0)] {
        object(base + 1, "tree", &entry("100644", "a.md", file));
        object(base + 2, "tree", &entry("100644", "b.rs", file));
        object(
            base + 3,
            "tree",
            &[entry("40000", "docs", base + 1), entry("40000", "src", base + 2)].concat(),
        );
    }
    let commit = |base: u8, parent: &str, subject: &str| {
        let people = format!("author Ada <a@b> {base} +0000\ncommitter Ada <a@b> {base} +0000");
        object(
            base,
            "commit",
            format!("tree {}\n{parent}{people}\n\n{subject}\n", name(base + 3)).as_bytes(),
        );
    };
    commit(0x10, "", "Begin");
    commit(0x20, &format!("parent {}\n", name(0x10)), "Go on");
    place.write(".git/HEAD", "ref: refs/heads/main\n");
    place.write(".git/refs/heads/main", name(0x20));
    vec![(name(0x20), "Go on".into()), (name(0x10), "Begin".into())]
}

fn start(place: &Place) -> docket_tests::Output {
    place.run_or_kill(&["workflow", "start", "changes"])
}

/// The project, a repository, with a definition that asks for its changes; and its commits.
fn project() -> (Place, Vec<(String, String)>) {
    let place = place();
    let commits = repository(&place);
    let config = json!({ "document": DOCUMENT, "commits": 5 });
    let text = definition(json!([{ "name": "s", "type": "git-changes", "config": config }]));
    place.write(".docket/workflows/definitions/changes.yml", text);
    (place, commits)
}

#[test]
fn the_example_tells_what_git_tells_once_it_is_granted() {
    let (place, commits) = project();
    let file = component().display().to_string();
    place.run(&["plugin", "add", &file]).code(4).says(READ);
    place.run(&["plugin", "add", &file, "--yes"]).success();
    place.run(&["trust", "--yes"]).success();
    let result = results(&place, &run_of(&start(&place).success()))["s"].clone();
    assert_eq!((&result["branch"], &result["shallow"]), (&json!("main"), &json!(false)));
    let found = result["commits"].as_array().expect("a list");
    let told: Vec<(String, String)> = found
        .iter()
        .map(|commit| ["hash", "subject"].map(|name| commit[name].as_str().expect("text").to_owned()))
        .map(|[hash, subject]| (hash, subject))
        .collect();
    assert_eq!(told, commits);
    let changed = |path: &str| json!({ "path": path, "change": "modified" });
    assert_eq!(found[0]["files"], json!([changed(DOCUMENT), changed("src/b.rs")]), "{result}");
    let together: &Value = &result["document"]["together"];
    assert!(
        together.as_array().expect("a list").contains(&json!({ "path": "src/b.rs", "count": 2 })),
        "{result}"
    );
}

#[test]
fn without_the_grant_the_example_says_what_it_lacks() {
    let (place, _) = project();
    // Trust comes first: after it, `trust --yes` would grant the plugin along with the definition.
    place.run(&["trust", "--yes"]).success();
    place.run(&["plugin", "add", &component().display().to_string(), "--no-grant"]).success();
    start(&place).code(4).says(READ).says("git-changes.wasm (needs to be granted what it asks for)");
    assert_eq!(place.runs(), [""; 0], "nothing ran");
    place.run(&["plugin", "grant", "git-changes", "--yes"]).success();
    start(&place).success();
}
