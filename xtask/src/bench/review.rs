//! The four-stage review of an RFC with an agent that answers at once: what docket costs by itself, warm and cold.

use std::fs;
use std::path::{Path, PathBuf};

use super::figure::Figure;
use super::{measure, prepare};
use crate::failure::Failure;
use crate::scratch::{self, DOCUMENT, Scratch};

const WARM_RUNS: u32 = 20;
const COLD_RUNS: u32 = 5;
const MEMORY_RUNS: u32 = 3;
const REVIEW: [&str; 6] = ["review", DOCUMENT, "--perspective", "architecture", "--launcher", "checklist"];

/// Measures it on a copy of docket's own documents.
pub(super) fn measure(program: &Path) -> Result<Vec<Figure>, Failure> {
    let scratch = Scratch::with_own_documents("bench-review", program)?;
    prepare(&scratch, &["init"])?;
    let start = Start::note(&scratch)?;
    let cache = scratch.cache();

    prepare(&scratch, &REVIEW)?;
    let warm = measure::series(&scratch, &REVIEW, WARM_RUNS, || start.restore())?;
    let mut peak = None;
    for _ in 0..MEMORY_RUNS {
        start.restore()?;
        peak = measure::peak_memory(&scratch, &REVIEW)?.max(peak);
    }
    start.restore()?;
    let synced = measure::synced_writes(&scratch, &REVIEW)?;
    let forget = || {
        start.restore()?;
        fs::remove_dir_all(&cache).map_err(|cause| Failure::file("remove", &cache, &cause))
    };
    let cold = measure::series(&scratch, &REVIEW, COLD_RUNS, forget)?;

    let figures = [
        Some(Figure::wall("review of four stages, warm: wall", &warm).budget(60.0)),
        Figure::processor("review of four stages, warm: user+sys (mean)", &warm)
            .map(|figure| figure.budget(40.0)),
        peak.map(|bytes| {
            Figure::memory("review of four stages, warm: peak memory", bytes).runs(MEMORY_RUNS).budget(100.0)
        }),
        synced.map(|count| Figure::calls("review of four stages: waits for the disk", f64::from(count))),
        Some(Figure::wall("review of four stages, cold: wall", &cold).budget(600.0)),
        Figure::processor("review of four stages, cold: user+sys (mean)", &cold),
    ];
    Ok(figures.into_iter().flatten().collect())
}

/// How the project was before a review: without it, the second review would find the document edited already and
/// have less to do.
struct Start {
    document: PathBuf,
    text: Vec<u8>,
    reviews: PathBuf,
}

impl Start {
    fn note(scratch: &Scratch) -> Result<Self, Failure> {
        let folder = scratch.project().join("docs/rfcs");
        let named = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(DOCUMENT))
        };
        let document = scratch::entries(&folder)?.into_iter().find(named);
        let document = document
            .ok_or_else(|| Failure::new(format!("{} has no {DOCUMENT}-….md to review", folder.display())))?;
        let text = fs::read(&document).map_err(|cause| Failure::file("read", &document, &cause))?;
        Ok(Self { document, text, reviews: scratch.reviews() })
    }

    fn restore(&self) -> Result<(), Failure> {
        scratch::write(&self.document, &self.text)?;
        if self.reviews.exists() {
            fs::remove_dir_all(&self.reviews)
                .map_err(|cause| Failure::file("remove", &self.reviews, &cause))?;
        }
        Ok(())
    }
}
