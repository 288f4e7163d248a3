//! Fan-out: many stages that need nothing from each other, four at a time. Whether the time per stage stays the same
//! and memory flat while their number grows. The stages do as little as a built-in one can: each makes sure of a
//! field of a document of its own. In the first run, which is not timed, it has to change it, so that it shows which
//! stages ran; in the others it is right already.

use std::fs;
use std::path::{Path, PathBuf};

use super::figure::Figure;
use super::measure::{self, Series};
use super::prepare;
use crate::failure::Failure;
use crate::scratch::{self, Scratch};

/// How many stages there are, and how often that many are run: the large ones are steadier.
const SIZES: [(u32, u32); 3] = [(1, 10), (100, 5), (1_000, 3)];
const LARGEST: u32 = 1_000;
const PARALLEL: u32 = 4;
const OPEN: &str = "# Note\n\n**Status:** Open\n";
const DRAFT: &str = "# Note\n\n**Status:** Draft\n";

/// How the stages are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One after the other in the file, each with `depends_on: []`.
    Listed,
    /// One stage with a `matrix`.
    Matrix,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Matrix => "matrix",
        }
    }
}

/// One size of one form, measured.
struct Point {
    stages: u32,
    series: Series,
    peak: Option<u64>,
}

/// Measures it in a project with as many small documents as there are stages at most. A form that this docket's
/// check refuses is left out, and said to be.
pub(super) fn measure(program: &Path) -> Result<Vec<Figure>, Failure> {
    let scratch = Scratch::empty("bench-fanout", program)?;
    prepare(&scratch, &["init"])?;
    let mut figures = Vec::new();
    for form in [Form::Listed, Form::Matrix] {
        if let Some(refusal) = write_definitions(&scratch, form)? {
            let name = form.name();
            eprintln!("left out: fan-out, {name}, which this docket's check refuses: {refusal}");
            continue;
        }
        let points = SIZES.iter().map(|(stages, runs)| point(&scratch, form, *stages, *runs));
        figures.extend(figures_of(form, &points.collect::<Result<Vec<_>, _>>()?));
    }
    Ok(figures)
}

fn point(scratch: &Scratch, form: Form, stages: u32, runs: u32) -> Result<Point, Failure> {
    let name = definition_name(form, stages);
    let start = ["workflow", "start", &name];
    reopen_notes(scratch)?;
    prepare(scratch, &start)?;
    every_stage_worked(scratch, &name, stages)?;
    let series = measure::series(scratch, &start, runs, || Ok(()))?;
    Ok(Point { stages, series, peak: measure::peak_memory(scratch, &start)? })
}

/// Puts every note into a state that its stage has to change.
fn reopen_notes(scratch: &Scratch) -> Result<(), Failure> {
    (0..LARGEST).try_for_each(|number| scratch::write(&note(scratch, number), OPEN.as_bytes()))
}

/// A fan-out that left stages out would be quick.
fn every_stage_worked(scratch: &Scratch, name: &str, stages: u32) -> Result<(), Failure> {
    for number in 0..LARGEST {
        let path = note(scratch, number);
        let text = fs::read_to_string(&path).map_err(|cause| Failure::file("read", &path, &cause))?;
        let expected = if number < stages { DRAFT } else { OPEN };
        if text != expected {
            let path = path.display();
            return Err(Failure::new(format!(
                "after `{name}`, {path} should read {expected:?}, not {text:?}"
            )));
        }
    }
    Ok(())
}

fn note(scratch: &Scratch, number: u32) -> PathBuf {
    scratch.project().join(format!("notes/note-{number}.md"))
}

/// Writes one definition for each size, and returns what docket's check has against them.
fn write_definitions(scratch: &Scratch, form: Form) -> Result<Option<String>, Failure> {
    for (stages, _) in SIZES {
        let name = definition_name(form, stages);
        let file = scratch.docket_home().join(format!("workflows/definitions/{name}.yml"));
        scratch::write(&file, definition(form, stages).as_bytes())?;
    }
    let output = scratch
        .docket(&["workflow", "check", &definition_name(form, LARGEST)])
        .output()
        .map_err(|cause| Failure::new(format!("can't run {}: {cause}", scratch.program().display())))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let refusal = said.lines().next().unwrap_or("it does not say why").to_owned();
    Ok((!output.status.success()).then_some(refusal))
}

fn definition_name(form: Form, stages: u32) -> String {
    format!("fanout-{}-{stages}", form.name())
}

/// A definition of the user's own, which needs no trust.
fn definition(form: Form, stages: u32) -> String {
    let mut text = format!(
        "name: Fan-out {stages}\ndescription: Measures what many independent stages cost\nversion: 1\n\
         max_parallel: {PARALLEL}\nstages:\n"
    );
    let mut stage = |name: &str, order: &str, note: &str| {
        text.push_str(&format!(
            "  - name: {name}\n    type: metadata\n    {order}\n    config:\n      file: notes/note-{note}.md\n      \
             updates:\n        - field: Status\n          value: Draft\n"
        ));
    };
    match form {
        Form::Listed => (0..stages).for_each(|number| {
            stage(&format!("stage-{number}"), "depends_on: []", &number.to_string());
        }),
        Form::Matrix => {
            let values: Vec<String> = (0..stages).map(|number| number.to_string()).collect();
            stage("stage", &format!("matrix: {{ n: [{}] }}", values.join(", ")), "${{ matrix.n }}");
        }
    }
    text
}

/// Per size: wall time, processor time, peak memory. Per step between sizes: what one more stage cost, which is the
/// same at every step when the whole is linear.
fn figures_of(form: Form, points: &[Point]) -> Vec<Figure> {
    let mut figures = Vec::new();
    let form = form.name();
    for Point { stages, series, peak } in points {
        let name = format!("fan-out, {form}, {stages} stages");
        figures.push(Figure::wall(&format!("{name}: wall"), series));
        figures.extend(Figure::processor(&format!("{name}: user+sys (mean)"), series));
        figures.extend(peak.map(|bytes| Figure::memory(&format!("{name}: peak memory"), bytes)));
    }
    for pair in points.windows(2) {
        let [few, many] = pair else { continue };
        let name = format!("fan-out, {form}, one more stage, {}..{}", few.stages, many.stages);
        let more = (many.stages - few.stages).max(1);
        let wall = many.series.median().saturating_sub(few.series.median()) / more;
        figures.push(Figure::time(&format!("{name}: wall"), wall).runs(many.series.count()));
        if let Some((few, used)) = few.series.processor.zip(many.series.processor) {
            let each = used.saturating_sub(few) / more;
            figures.push(Figure::time(&format!("{name}: user+sys (mean)"), each).runs(many.series.count()));
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_stages_are_independent() {
        let text = definition(Form::Listed, 3);
        assert_eq!(text.matches("type: metadata\n    depends_on: []\n").count(), 3);
        assert!(text.contains("name: stage-2\n") && text.contains("file: notes/note-2.md\n"), "{text}");
    }

    #[test]
    fn a_matrix_is_one_stage() {
        let text = definition(Form::Matrix, 3);
        assert_eq!(text.matches("type: metadata").count(), 1);
        assert!(text.contains("    matrix: { n: [0, 1, 2] }\n"), "{text}");
        assert!(text.contains("file: notes/note-${{ matrix.n }}.md\n"), "{text}");
    }

    #[test]
    fn a_stages_share_is_taken_between_neighbouring_sizes() {
        let point = |stages: u32, milliseconds: u64| {
            let wall = std::time::Duration::from_millis(milliseconds);
            Point { stages, series: Series { walls: vec![wall], processor: Some(wall) }, peak: Some(1) }
        };
        let figures = figures_of(Form::Listed, &[point(1, 10), point(11, 30), point(111, 1_030)]);
        let shown = format!("{figures:?}");
        assert_eq!(figures.len(), 3 * 3 + 2 * 2);
        assert!(shown.contains("one more stage, 1..11: wall\", unit: Milliseconds, value: 2.0"), "{shown}");
        assert!(
            shown.contains("one more stage, 11..111: wall\", unit: Milliseconds, value: 10.0"),
            "{shown}"
        );
    }
}
