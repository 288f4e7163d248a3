//! `cargo xtask demo`: docket's main job on real documents, its own, in a copy. Must leave the repository untouched.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::process::run;
use crate::scratch::{self, DOCUMENT, Scratch};
use crate::setup;
use crate::workspace::{self, Profile};

/// From where the document is looked at, one review each.
const PERSPECTIVES: [&str; 3] = ["architecture", "security", "implementation"];

/// Builds docket, reviews a document from each perspective, and says where the reviews are.
pub(crate) fn demo() -> Result<(), Failure> {
    setup::ensure()?;
    let program = workspace::build_docket(Profile::Development)?;
    let demo = Scratch::with_own_documents("demo", &program)?;
    println!("A copy of docket's own documents is in {}\n", shown(&demo.project()).display());
    step(&mut demo.docket(&["init"]))?;
    for perspective in PERSPECTIVES {
        println!();
        let arguments = ["review", DOCUMENT, "--perspective", perspective, "--launcher", "checklist"];
        step(&mut demo.docket(&arguments))?;
    }
    let reviews = reviews(&demo)?;
    println!("\nThe reviews:");
    for review in &reviews {
        println!("  {}", shown(review).display());
    }
    println!("\nWhat to look at next:");
    println!("  cd {}", shown(&demo.project()).display());
    println!(
        "  export DOCKET_HOME={} PATH={}:$PATH",
        demo.docket_home().display(),
        folder_of(&demo).display()
    );
    println!("  docket workflow list");
    println!("  docket workflow results RUN      # the review in short; RUN is an id of the list");
    println!("  docket workflow diff RUN         # what it changed, file by file");
    println!("  docket workflow show rfc-review  # the workflow that did this");
    Ok(())
}

/// Runs a step and fails loudly when it does.
fn step(command: &mut Command) -> Result<(), Failure> {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    let text = words.join(" ");
    run(command).map_err(|failure| {
        let code = failure.code();
        Failure::new(format!("the demo ended here: `docket {text}` exited with {code}")).with_code(code)
    })
}

/// The file that each perspective left.
fn reviews(demo: &Scratch) -> Result<Vec<PathBuf>, Failure> {
    let there = scratch::entries(&demo.reviews())?;
    PERSPECTIVES
        .iter()
        .map(|perspective| {
            let end = format!("-{perspective}.md");
            let found = there.iter().find(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(DOCUMENT) && name.ends_with(&end)
            });
            found.cloned().ok_or_else(|| {
                let folder = demo.reviews();
                Failure::new(format!(
                    "docket said it was done, but {} has no review *{end}",
                    folder.display()
                ))
            })
        })
        .collect()
}

fn folder_of(demo: &Scratch) -> &Path {
    demo.program().parent().unwrap_or(Path::new("."))
}

/// A path below the current folder without that folder, which is shorter to read and to paste.
fn shown(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).to_owned()
}
