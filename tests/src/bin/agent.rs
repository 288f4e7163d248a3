//! A fake agent: it speaks like the program it is told to be, and misbehaves as it is told to. Made by this crate's build
//! script as a program of its own, so it uses the standard library and nothing else.
//!
//!     agent FOLDER PROGRAM BEHAVIOUR [what the launcher adds]
//!
//! FOLDER has its answer (`answer`) and one that does not fit (`unfit`). It leaves there what it was given each time it
//! was launched (`arguments-1`, `prompt-1`), and the processes it started (`pids`).

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal: printing is its job"
)]

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

/// The id of its sessions.
const SESSION: &str = "01a2171f-9862-7cb1-841c-de91daed2af6";
/// How long it waits for nothing, should nobody end it.
const LONG: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, program, behaviour, more @ ..] = arguments.as_slice() else {
        eprintln!("usage: agent FOLDER PROGRAM BEHAVIOUR");
        return ExitCode::from(2);
    };
    if more.iter().any(|argument| argument == "--version") {
        println!("fake {program} 1.0.0");
        return ExitCode::SUCCESS;
    }
    let agent = Agent { folder: PathBuf::from(folder), program: program.clone() };
    agent.remember(&std::process::id().to_string());
    // To the end, before anything else: whoever leaves it open waits for ever.
    let mut prompt = Vec::new();
    std::io::stdin().read_to_end(&mut prompt).expect("readable");
    let launch = agent.record(more, &prompt);
    agent.behave(behaviour, launch, &String::from_utf8_lossy(&prompt))
}

struct Agent {
    folder: PathBuf,
    program: String,
}

impl Agent {
    fn remember(&self, pid: &str) {
        let path = self.folder.join("pids");
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).expect("writable");
        writeln!(file, "{pid}").expect("written");
    }

    /// Writes down what it was given; returns which launch this is.
    fn record(&self, arguments: &[String], prompt: &[u8]) -> usize {
        let launch = (1..).find(|launch| !self.folder.join(format!("prompt-{launch}")).exists()).unwrap_or(1);
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(self.folder.join(format!("{name}-{launch}")), bytes).expect("written");
        };
        write("arguments", arguments.join("\n").as_bytes());
        write("prompt", prompt);
        launch
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_else(|cause| panic!("{name}: {cause}"))
    }

    fn behave(&self, behaviour: &str, launch: usize, prompt: &str) -> ExitCode {
        let answer = self.read("answer");
        match behaviour {
            "answer" => self.succeed(&answer),
            "stall" => {
                self.begin();
                eprintln!("still thinking");
                std::thread::sleep(LONG);
            }
            "flood" => {
                self.begin();
                let lines: String = (0..20_000).map(|number| format!("progress {number}\n")).collect();
                (0..10).for_each(|_| print(lines.as_bytes()));
                self.succeed(&answer);
            }
            "endless-flood" => {
                self.begin();
                let lines = "the same again and again\n".repeat(40_000);
                while std::io::stdout().write_all(lines.as_bytes()).is_ok() {}
            }
            "mid-line" => {
                self.begin();
                let end = self.end(&answer);
                print(&end.as_bytes()[..end.len() - end.len() / 4]);
            }
            "invalid-utf8" => {
                print(b"\xff\xfe\x80 not text\n\xc3\n");
                self.begin();
                print(b"{\"type\":\"\xf0\x28\x8c\x28\"}\n");
                self.succeed(&answer);
                std::io::stderr().write_all(b"\xff\xff\n").expect("written");
            }
            "hang" => {
                self.succeed(&answer);
                std::thread::sleep(LONG);
            }
            "forks" => {
                self.child("/bin/sleep", &["300"]);
                self.child("/bin/sh", &["-c", "trap '' TERM; while :; do sleep 1; done"]);
                self.succeed(&answer);
            }
            "daemon" => {
                self.child("/usr/bin/setsid", &["/bin/sleep", "300"]);
                self.succeed(&answer);
            }
            "error-flag" => print(self.flagged(&answer).as_bytes()),
            "limit" => {
                self.begin();
                print(self.limited().as_bytes());
            }
            "giant-line" => {
                self.begin();
                print(&vec![b'x'; 20 * 1024 * 1024]);
                println!();
                self.succeed(&answer);
            }
            "giant-answer" => {
                let long = format!("\"summary\":\"{} ", "é".repeat(1_200_000));
                self.succeed(&answer.replacen("\"summary\":\"", &long, 1));
            }
            "chatter" => {
                self.begin();
                while writeln!(std::io::stdout(), "and another thing").is_ok() {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            "no-end" => self.begin(),
            "result-then-fails" => {
                self.succeed(&answer);
                eprintln!("could not tidy up");
                return ExitCode::from(1);
            }
            "fails" => {
                self.begin();
                eprintln!("something broke");
                return ExitCode::from(7);
            }
            "unfit-once" if !prompt.contains("can't be used") => self.succeed(&self.read("unfit")),
            "unfit-once" => self.succeed(&answer),
            "mends-slowly" if launch == 1 => self.succeed(&self.read("unfit")),
            "mends-slowly" => {
                let start = std::time::Instant::now();
                while !self.folder.join("go").exists() && start.elapsed() < LONG {
                    std::thread::sleep(Duration::from_millis(5));
                }
                self.succeed(&answer);
            }
            "unfit-always" => self.succeed(&self.read("unfit")),
            "fails-to-mend" if launch == 1 => self.succeed(&self.read("unfit")),
            "fails-to-mend" => {
                self.begin();
                print(self.limited().as_bytes());
            }
            "forgets" if self.is_resumed(launch) => {
                eprintln!("Error: no rollout found for thread id {SESSION}");
                return ExitCode::from(1);
            }
            "forgets" if launch == 1 => self.succeed(&self.read("unfit")),
            "forgets" => self.succeed(&answer),
            "tells-secrets" => self.tell_secrets(&answer),
            other => {
                eprintln!("no behaviour '{other}'");
                return ExitCode::from(2);
            }
        }
        ExitCode::SUCCESS
    }

    fn is_resumed(&self, launch: usize) -> bool {
        let arguments = self.read(&format!("arguments-{launch}"));
        arguments.lines().any(|argument| matches!(argument, "resume" | "--resume" | "--session"))
    }

    /// Starts a process that keeps this one's standard output, and does not wait for it.
    #[expect(clippy::zombie_processes, reason = "what an agent leaves behind is the point")]
    fn child(&self, program: &str, arguments: &[&str]) {
        let child = Command::new(program).args(arguments).stdin(Stdio::null()).spawn().expect("started");
        self.remember(&child.id().to_string());
    }

    /// Says its key in several ways, and answers with it.
    fn tell_secrets(&self, answer: &str) {
        let key = std::env::var("REVIEW_KEY").expect("the key was granted");
        let (first, second) = key.split_at(key.len() / 2);
        self.begin();
        println!("the key is {first}\n{second}, and once more: {key}");
        println!("authorization: Basic {}", base64(format!("user:{key}").as_bytes()));
        eprintln!("{first}\n{second}");
        self.succeed(&answer.replacen("\"summary\":\"", &format!("\"summary\":\"{key} "), 1));
    }

    fn succeed(&self, answer: &str) {
        self.begin();
        print(self.end(answer).as_bytes());
    }

    /// What it prints before it answers.
    fn begin(&self) {
        let text = match self.program.as_str() {
            "claude" => format!(
                "{{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"{SESSION}\",\"tools\":[]}}\n\
                 {{\"type\":\"assistant\",\"message\":{{\"id\":\"m1\",\"content\":[{{\"type\":\"tool_use\",\"name\":\"Read\",\
                 \"input\":{{\"file_path\":\"docs/a.md\"}}}}],\"usage\":{{\"input_tokens\":60,\"output_tokens\":1}}}}}}\n"
            ),
            "codex" => format!(
                "{{\"type\":\"thread.started\",\"thread_id\":\"{SESSION}\"}}\n{{\"type\":\"turn.started\"}}\n\
                 {{\"type\":\"item.completed\",\"item\":{{\"type\":\"reasoning\",\"text\":\"**Reading docs/a.md**\"}}}}\n"
            ),
            "gemini" => format!(
                "{{\"type\":\"init\",\"session_id\":\"{SESSION}\",\"model\":\"auto\"}}\n\
                 {{\"type\":\"tool_use\",\"tool_name\":\"read_file\",\"parameters\":{{\"file_path\":\"docs/a.md\"}}}}\n"
            ),
            "opencode" => format!(
                "{{\"type\":\"step_start\",\"sessionID\":\"{SESSION}\",\"part\":{{}}}}\n\
                 {{\"type\":\"tool_use\",\"sessionID\":\"{SESSION}\",\"part\":{{\"tool\":\"read\",\"state\":{{\"status\":\"completed\",\
                 \"input\":{{\"filePath\":\"docs/a.md\"}}}}}}}}\n"
            ),
            _ => String::new(),
        };
        print(text.as_bytes());
    }

    /// Its answer and its end.
    fn end(&self, answer: &str) -> String {
        let text = quoted(answer);
        match self.program.as_str() {
            "claude" => format!(
                "{{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"result\":{text},\"session_id\":\"{SESSION}\",\
                 \"total_cost_usd\":0.25,\"usage\":{{\"input_tokens\":100,\"cache_read_input_tokens\":40,\"output_tokens\":20}}}}\n"
            ),
            "codex" => format!(
                "{{\"type\":\"item.completed\",\"item\":{{\"type\":\"agent_message\",\"text\":{text}}}}}\n\
                 {{\"type\":\"turn.completed\",\"usage\":{{\"input_tokens\":140,\"cached_input_tokens\":40,\"output_tokens\":20}}}}\n"
            ),
            "gemini" => {
                // In pieces, as it comes from the model.
                let half = answer.len() / 2;
                let half = (half..answer.len()).find(|place| answer.is_char_boundary(*place)).unwrap_or(0);
                let (first, second) = answer.split_at(half);
                let piece = |text: &str| {
                    format!(
                        "{{\"type\":\"message\",\"role\":\"assistant\",\"content\":{},\"delta\":true}}\n",
                        quoted(text)
                    )
                };
                format!(
                    "{}{}{{\"type\":\"result\",\"status\":\"success\",\"stats\":{{\"input_tokens\":140,\"cached\":40,\"output_tokens\":20}}}}\n",
                    piece(first),
                    piece(second)
                )
            }
            "opencode" => format!(
                "{{\"type\":\"text\",\"sessionID\":\"{SESSION}\",\"part\":{{\"text\":{text}}}}}\n\
                 {{\"type\":\"step_finish\",\"sessionID\":\"{SESSION}\",\"part\":{{\"reason\":\"stop\",\"cost\":0.25,\
                 \"tokens\":{{\"input\":100,\"output\":20,\"cache\":{{\"read\":40,\"write\":0}}}}}}}}\n"
            ),
            _ => format!("{answer}\n"),
        }
    }

    /// Its answer, and in the same breath that it failed.
    fn flagged(&self, answer: &str) -> String {
        self.begin();
        match self.program.as_str() {
            "claude" => self.end(answer).replace("\"is_error\":false", "\"is_error\":true"),
            "codex" => self.end(answer).replace(
                "{\"type\":\"turn.completed\",",
                "{\"type\":\"turn.failed\",\"error\":{\"message\":\"no\"},",
            ),
            "gemini" => self.end(answer).replace("\"status\":\"success\"", "\"status\":\"error\""),
            _ => {
                self.end(answer)
                    + "{\"type\":\"error\",\"error\":{\"name\":\"UnknownError\",\"data\":{\"message\":\"no\"}}}\n"
            }
        }
    }

    /// How it says that its limit is used up, each in the way that is easiest to take for something else.
    fn limited(&self) -> String {
        let words = quoted("You've hit your usage limit. Try again at 12:16 PM.");
        match self.program.as_str() {
            "claude" => format!(
                "{{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\"api_error_status\":429,\"result\":{words}}}\n"
            ),
            "codex" => format!(
                "{{\"type\":\"error\",\"message\":{words}}}\n{{\"type\":\"turn.failed\",\"error\":{{\"message\":{words}}}}}\n"
            ),
            "gemini" => format!(
                "{{\"type\":\"error\",\"severity\":\"error\",\"message\":{words}}}\n\
                 {{\"type\":\"result\",\"status\":\"success\",\"stats\":{{}}}}\n"
            ),
            _ => format!(
                "{{\"type\":\"error\",\"sessionID\":\"{SESSION}\",\"error\":{{\"name\":\"APIError\",\"data\":{{\"message\":{words},\
                 \"statusCode\":429,\"isRetryable\":false}}}}}}\n"
            ),
        }
    }
}

/// Prints bytes as they are. Nobody listening is no reason to fail.
fn print(bytes: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    let mut result = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => result.extend(['\\', character]),
            '\n' => result.push_str("\\n"),
            control if (control as u32) < 32 => result.push_str(&format!("\\u{:04x}", control as u32)),
            other => result.push(other),
        }
    }
    result + "\""
}

/// Bytes in base64 (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            text.push(char::from(LETTERS[(number >> (18 - 6 * place) & 63) as usize]));
        }
        text.push_str(&"=".repeat(3 - group.len()));
    }
    text
}
