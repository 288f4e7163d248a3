//! The ability `answer`: what docket would say to an answer as the stage's result, and keeping what an agent said. Always
//! there; it can look at nothing but what the plugin gives it, and writes only to the folder of its attempt.

use std::path::PathBuf;

use docket_core::run::Misfit;
use docket_core::secret::Secrets;
use docket_core::text::{escaped_lines, printable};
use serde_json::Value;

use super::StageContext;
use super::contract::docket::stage::answer;
use super::contract::docket::stage::types::Fault;
use crate::disk::{Durability, create_private, replace_private};

/// Most faults of one answer that are told.
const MAX_FAULTS: usize = 100;
/// Longest text of a fault, in characters.
const MAX_TOLD: usize = 2000;
/// Most bytes that are kept of what an agent said, all texts together.
const MAX_KEPT: usize = 8 * 1024 * 1024;
/// Most texts that are kept.
const MAX_TEXTS: usize = 100;
/// What stands at the end of a text that was cut.
const CUT: &str = "\n… (cut: docket keeps 8 MiB of what an agent says)\n";

/// What is wrong with a value as a stage's result.
pub type Judge = Box<dyn Fn(Value) -> Vec<Misfit> + Send + Sync>;

/// Where a stage's answers are kept.
#[derive(Debug, Clone)]
pub struct AnswerFolder {
    /// The folder; made when it is needed.
    pub path: PathBuf,
    /// How it is shown: relative to the project.
    pub shown: String,
    /// The values that nobody may see.
    pub secrets: Secrets,
}

/// The answers of one stage.
pub struct Answers {
    judge: Judge,
    folder: Option<AnswerFolder>,
    texts: usize,
    left: usize,
}

impl Answers {
    /// The answers of a stage: what its result must be, and where they are kept, if anywhere.
    pub fn new(judge: Judge, folder: Option<AnswerFolder>) -> Self {
        Self { judge, folder, texts: 0, left: MAX_KEPT }
    }

    /// Where no stage is run, no answer fits.
    pub fn of_no_stage() -> Self {
        let message = "no stage is run, so there is nothing that an answer could be the result of";
        let misfit = Misfit { pointer: String::new(), message: message.to_owned() };
        Self::new(Box::new(move |_| vec![misfit.clone()]), None)
    }

    fn check(&self, text: &str) -> Vec<Fault> {
        let misfits = match serde_json::from_str(text) {
            Ok(value) => (self.judge)(value),
            Err(cause) => vec![Misfit { pointer: String::new(), message: format!("it is no JSON: {cause}") }],
        };
        let more = misfits.len().saturating_sub(MAX_FAULTS);
        let mut faults: Vec<Fault> = misfits.into_iter().take(MAX_FAULTS).map(fault).collect();
        if more > 0 {
            let message = format!("and {more} more faults");
            faults.push(Fault { pointer: String::new(), message, hint: None });
        }
        faults
    }

    /// Keeps a text; its name, or why it could not be kept. `None` when there is no place for texts, or no room.
    fn keep(&mut self, text: &str) -> Option<Result<String, String>> {
        let folder = self.folder.as_ref()?;
        if self.texts == MAX_TEXTS || self.left == 0 {
            return None;
        }
        self.texts += 1;
        let mut text = escaped_lines(&folder.secrets.mask(text));
        if text.len() > self.left {
            text.truncate(text.floor_char_boundary(self.left));
            text.push_str(CUT);
            self.left = 0;
        } else {
            self.left -= text.len();
        }
        let name = format!("answer-{}.txt", self.texts);
        let written = create_private(&folder.path)
            .and_then(|()| replace_private(&folder.path.join(&name), text.as_bytes(), Durability::Derived));
        Some(match written {
            Ok(()) => Ok(printable(&format!("{}/{name}", folder.shown))),
            Err(cause) => Err(cause.to_string()),
        })
    }

    /// Whether there is no room for another text.
    fn is_full(&self) -> bool {
        self.folder.is_some() && (self.texts == MAX_TEXTS || self.left == 0)
    }
}

fn fault(misfit: Misfit) -> Fault {
    let short = |text: &str| printable(&text.chars().take(MAX_TOLD).collect::<String>());
    Fault { pointer: short(&misfit.pointer), message: short(&misfit.message), hint: None }
}

impl answer::Host for StageContext {
    async fn check(&mut self, text: String) -> wasmtime::Result<Vec<Fault>> {
        Ok(self.answers.check(&text))
    }

    async fn keep(&mut self, text: String) -> wasmtime::Result<String> {
        let was_full = self.answers.is_full();
        let kept = self.answers.keep(&text);
        if !was_full && self.answers.is_full() {
            self.log.add("warn", "no more of what the agent says is kept");
        }
        Ok(match kept {
            Some(Ok(name)) => name,
            None => String::new(),
            Some(Err(cause)) => {
                self.log.add("warn", &format!("what the agent said could not be kept: {cause}"));
                String::new()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(secrets: Secrets) -> (tempfile::TempDir, Answers) {
        let folder = tempfile::tempdir().expect("a folder");
        let place = AnswerFolder {
            path: folder.path().join("attempt-1"),
            shown: "results/s/attempt-1".to_owned(),
            secrets,
        };
        (folder, Answers::new(Box::new(|_| Vec::new()), Some(place)))
    }

    fn keep(answers: &mut Answers, text: &str) -> Option<String> {
        answers.keep(text).map(|kept| kept.expect("written"))
    }

    #[test]
    fn texts_are_numbered_private_and_safe_to_show() {
        use std::os::unix::fs::PermissionsExt as _;
        let (folder, mut answers) = kept(Secrets::new([("K", "hidden-value")]));
        let text = "one\r\n\ttwo hidden-\nvalue \u{1b}[2Jé";
        assert_eq!(keep(&mut answers, text).as_deref(), Some("results/s/attempt-1/answer-1.txt"));
        assert_eq!(keep(&mut answers, "").as_deref(), Some("results/s/attempt-1/answer-2.txt"));
        let path = folder.path().join("attempt-1/answer-1.txt");
        let read = std::fs::read_to_string(&path).expect("readable");
        assert_eq!(read, "one\r\n\ttwo •••[K]\n•••[K] \\u001b[2Jé");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        // A stage that runs again writes the same files.
        let shown = "results/s/attempt-1".to_owned();
        let place =
            AnswerFolder { path: folder.path().join("attempt-1"), shown, secrets: Secrets::default() };
        let mut again = Answers::new(Box::new(|_| Vec::new()), Some(place));
        assert_eq!(keep(&mut again, "three").as_deref(), Some("results/s/attempt-1/answer-1.txt"));
        assert_eq!(std::fs::read_dir(folder.path().join("attempt-1")).expect("readable").count(), 2);
    }

    #[test]
    fn a_flood_ends() {
        let (folder, mut answers) = kept(Secrets::default());
        let large = "é".repeat(MAX_KEPT / 3);
        assert!(keep(&mut answers, &large).is_some() && !answers.is_full());
        assert!(keep(&mut answers, &large).is_some() && answers.is_full());
        assert_eq!(keep(&mut answers, "more"), None);
        let second = std::fs::read_to_string(folder.path().join("attempt-1/answer-2.txt")).expect("text");
        assert!(second.ends_with(CUT));
        let (folder, mut answers) = kept(Secrets::default());
        assert_eq!((0..1000).filter(|_| keep(&mut answers, "").is_some()).count(), MAX_TEXTS);
        assert_eq!(std::fs::read_dir(folder.path().join("attempt-1")).expect("readable").count(), MAX_TEXTS);
    }

    #[test]
    fn what_is_no_json_is_told_and_faults_have_an_end() {
        let many = |_| vec![Misfit { pointer: "/a\u{1b}".into(), message: "x".repeat(9999) }; 5000];
        let answers = Answers::new(Box::new(many), None);
        let faults = answers.check("{}");
        assert_eq!(faults.len(), MAX_FAULTS + 1);
        assert_eq!((faults[0].pointer.as_str(), faults[0].message.len()), ("/a", MAX_TOLD));
        assert_eq!(faults[MAX_FAULTS].message, "and 4900 more faults");
        for text in ["", "{", "no", &"[".repeat(100_000), "\u{0}"] {
            let faults = answers.check(text);
            assert!(faults.len() == 1 && faults[0].message.starts_with("it is no JSON"), "{faults:?}");
        }
        assert_eq!(Answers::of_no_stage().check("1").len(), 1);
    }
}
