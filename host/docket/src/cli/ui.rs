//! The only place that prints. Standard output is data, standard error is talk; colour and the live line are for
//! terminals only.

use std::io::{IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use docket_core::text::{fitted, printable, width};
use serde::Serialize;

use super::args::Output;
use super::error::{CliError, ExitCode};
use crate::report::live::{Line, Tone};

/// Prints.
pub(super) struct Ui {
    output: Output,
    live: bool,
    /// Columns of the line that is shown in place.
    live_shown: usize,
    is_unheard: bool,
}

impl Ui {
    pub(super) fn new(output: Output) -> Self {
        Self { output, live: std::io::stderr().is_terminal(), live_shown: 0, is_unheard: false }
    }

    pub(super) fn set_output(&mut self, output: Output) {
        self.output = output;
    }

    pub(super) fn output(&self) -> Output {
        self.output
    }

    /// Whether somebody sits at a terminal and can be asked.
    pub(super) fn can_ask(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Puts out a result: the text for people, the value for programs.
    pub(super) fn result(&mut self, text: &str, value: &impl Serialize) -> Result<(), CliError> {
        match self.output {
            Output::Human => self.data(text),
            Output::Json => self.json(value, true),
            Output::Jsonl => self.json(value, false),
        }
    }

    /// Puts out text as it is.
    pub(super) fn data(&mut self, text: &str) -> Result<(), CliError> {
        self.clear_live();
        let mut out = anstream::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| {
            if text.is_empty() || text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") }
        });
        match written.and_then(|()| out.flush()) {
            // Whoever reads `docket … | head` has what they want.
            Err(cause) if cause.kind() == std::io::ErrorKind::BrokenPipe => self.is_unheard = true,
            other => other?,
        }
        Ok(())
    }

    /// Puts out a value as JSON.
    pub(super) fn json(&mut self, value: &impl Serialize, pretty: bool) -> Result<(), CliError> {
        let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
        let text = text.map_err(|cause| CliError::Output(cause.into()))?;
        self.data(&docket_core::text::escaped_json(&text))
    }

    /// Says something to people, on standard error.
    pub(super) fn say(&mut self, text: &str) {
        self.clear_live();
        let mut out = anstream::stderr().lock();
        // Whoever closed standard error does not want to hear.
        let _ = writeln!(out, "{}", text.trim_end_matches('\n'));
    }

    /// Shows a line of a run as it happens.
    pub(super) fn line(&mut self, line: &Line) {
        let (symbol, colour) = match line.tone {
            Tone::Begin => ("⏳ ", AnsiColor::Cyan),
            Tone::Good => ("✅ ", AnsiColor::Green),
            Tone::Bad => ("❌ ", AnsiColor::Red),
            Tone::Attention => ("✋ ", AnsiColor::Yellow),
            Tone::Detail => ("   ", AnsiColor::BrightBlack),
        };
        let style = Style::new().fg_color(Some(colour.into()));
        self.say(&format!("{style}{symbol}{}{style:#}", line.text));
    }

    /// Whether what is going on right now is shown in place: on a terminal, for people.
    pub(super) fn has_live_line(&self) -> bool {
        self.live && self.output == Output::Human
    }

    /// Whether whoever read standard output has gone.
    pub(super) fn is_unheard(&self) -> bool {
        self.is_unheard
    }

    /// Shows what is going on right now, in one line that the next one takes the place of. Blanks and carriage returns do
    /// it, which every terminal knows and no setting about colour takes out.
    pub(super) fn show_live(&mut self, text: &str) {
        if !self.has_live_line() {
            return;
        }
        let text = fitted(&printable(text), Self::live_columns());
        let columns = width(&text);
        let blanks = " ".repeat(self.live_shown.saturating_sub(columns));
        let mut out = std::io::stderr().lock();
        let _ = write!(out, "\r{text}{blanks}").and_then(|()| out.flush());
        self.live_shown = columns;
    }

    /// Columns that a line that is shown in place may take.
    pub(super) fn live_columns() -> usize {
        // The last column stays free: some terminals begin a new line after it.
        terminal_width().saturating_sub(1)
    }

    fn clear_live(&mut self) {
        if self.live_shown > 0 {
            let mut out = std::io::stderr().lock();
            let _ = write!(out, "\r{}\r", " ".repeat(self.live_shown)).and_then(|()| out.flush());
            self.live_shown = 0;
        }
    }

    /// Asks a question that is answered with yes or no.
    pub(super) fn ask(&mut self, question: &str) -> bool {
        self.clear_live();
        let mut out = anstream::stderr().lock();
        let _ = write!(out, "{question} [y/N] ").and_then(|()| out.flush());
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    }

    /// Tells an error.
    pub(super) fn error(&mut self, error: &CliError) -> ExitCode {
        let told = error.tell();
        if self.output != Output::Human
            && let Ok(text) = serde_json::to_string(&error.shape())
        {
            self.say(&docket_core::text::escaped_json(&text));
            return told.exit;
        }
        let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
        let bold = Style::new().bold();
        self.say(&format!("{red}error:{red:#} {}", told.message));
        if let Some(hint) = told.hint {
            self.say(&format!("{bold}hint:{bold:#} {}", docket_core::text::printable_lines(&hint)));
        }
        told.exit
    }
}

/// Columns of the terminal that standard error goes to.
fn terminal_width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok();
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(80)
}

/// Standard input and output for a protocol. From here on nothing else may be put out there.
pub(super) fn protocol() -> (tokio::io::Stdin, tokio::io::Stdout) {
    (tokio::io::stdin(), tokio::io::stdout())
}

/// Prints what clap has to say: help and versions on standard output, mistakes on standard error.
pub(super) fn usage(error: &clap::Error) -> u8 {
    // Nothing can be said where nothing can be written.
    let _ = error.print();
    if error.use_stderr() { ExitCode::Usage.code() } else { ExitCode::Done.code() }
}
