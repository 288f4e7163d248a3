//! A session with one server: its tool is called with the task, and called again to have an answer mended; in the agent's
//! own session where the server tells of one, else with the whole task.

use std::time::Duration;

use docket_json_rpc::{Connection, Trouble, Wire};
use docket_launcher::ask::{Reply, Session};
use docket_launcher::prompt;
use docket_plugin::report::{self, Level};
use docket_plugin::{Agent as Task, Error, Fault, Value, json};
use serde::de::DeserializeOwned;
use serde_json::Map;

use crate::listener::Listener;
use crate::options::Options;
use crate::result;
use crate::tool::{self, SessionId};
use crate::wire::{Initialized, REVISION, REVISIONS, Tool, ToolPage};

/// How many pages of tools are read.
const MOST_PAGES: usize = 100;
/// Where the protocol's methods are named once.
const CALL: &str = "tools/call";

/// Starts the server's program, or takes it up.
pub(crate) type Open<'a> = &'a dyn Fn() -> Result<Box<dyn Wire>, Error>;

/// A session with a server.
pub(crate) struct McpSession<'a> {
    program: &'a str,
    options: Options,
    idle_timeout: Duration,
    open: Open<'a>,
    server: Option<Server>,
    /// Calls so far: what their progress is told by.
    calls: u64,
    /// The agent's own session, if the last result told of one.
    again: Option<SessionId>,
}

/// A server that can be called.
struct Server {
    connection: Connection,
    tools: Vec<Tool>,
}

/// How a call ended.
enum Ended {
    /// With an answer, or an error to tell.
    Told(Result<Reply, Error>),
    /// The process was gone before it can have worked on it; the error if that is the end.
    Unheard(Error),
}

impl<'a> McpSession<'a> {
    /// A session that has not begun, with a program that is opened when it is needed.
    pub(crate) fn new(program: &'a str, options: Options, idle_timeout: Duration, open: Open<'a>) -> Self {
        Self { program, options, idle_timeout, open, server: None, calls: 0, again: None }
    }

    /// Ends the server's process.
    pub(crate) fn close(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.connection.close();
        }
    }

    fn begin(&mut self) -> Result<(), Error> {
        let mut connection = Connection::new((self.open)()?, self.program, self.idle_timeout);
        match initialize(&mut connection).and_then(|()| tools(&mut connection)) {
            Ok(tools) => {
                self.server = Some(Server { connection, tools });
                Ok(())
            }
            Err(error) => {
                connection.close();
                Err(error)
            }
        }
    }

    /// Calls the tool with the whole of a task.
    fn task(&mut self, task: &Task, again: Option<(&str, &[Fault])>) -> Result<Ended, Error> {
        let Some(server) = &self.server else { return Err(no_server()) };
        let tool = tool::chosen(&server.tools, &self.options)?;
        let native = task.schema.as_ref().filter(|_| tool::schema_argument(tool, &self.options).is_some());
        let words = match again {
            Some((text, faults)) => prompt::again(task, text, faults),
            None if native.is_some() => task.prompt.clone(),
            None => prompt::with_schema(task),
        };
        let arguments = tool::arguments(tool, &self.options, &words, native)?;
        let name = tool.name.clone();
        Ok(self.call(&name, arguments))
    }

    fn call(&mut self, tool: &str, arguments: Map<String, Value>) -> Ended {
        let Some(Server { connection, .. }) = &mut self.server else { return Ended::Told(Err(no_server())) };
        self.calls += 1;
        let token = format!("docket-{}", self.calls);
        report::progress(format!("Waiting for {tool}"));
        let params = json!({ "name": tool, "arguments": arguments, "_meta": { "progressToken": token } });
        let mut listener = Listener::new(token);
        let answered = match connection.request(CALL, params) {
            Ok(id) => match connection.answer(id, &mut listener) {
                Err(trouble @ (Trouble::Silent(_) | Trouble::Ended(_))) => {
                    cancel(connection, id, &mut listener);
                    Err(trouble)
                }
                answered => answered,
            },
            Err(trouble) => Err(trouble),
        };
        match answered {
            Ok(result) => Ended::Told(match result::read(result, tool, &self.options) {
                Ok((reply, again)) => {
                    self.again = again;
                    Ok(reply)
                }
                Err(error) => Err(connection.attach(error)),
            }),
            Err(trouble) => {
                let unheard = matches!(trouble, Trouble::Gone(_)) && connection.ended_unheard();
                let error = connection.error(trouble, &format!("{CALL} '{tool}'"));
                if unheard { Ended::Unheard(error) } else { Ended::Told(Err(error)) }
            }
        }
    }

    /// Tells the agent in its own session what to mend, if there is a way.
    fn reply(&mut self, words: &str) -> Option<Ended> {
        let session = self.again.take()?;
        let tools = &self.server.as_ref()?.tools;
        let first = tool::chosen(tools, &self.options).ok()?;
        let (name, arguments) = tool::reply(tools, first, &self.options, &session, words)?;
        Some(self.call(&name, arguments))
    }
}

impl Session for McpSession<'_> {
    fn ask(&mut self, task: &Task) -> Result<Reply, Error> {
        self.begin()?;
        match self.task(task, None)? {
            Ended::Told(told) => told,
            Ended::Unheard(error) => Err(error),
        }
    }

    fn mend(&mut self, task: &Task, text: &str, faults: &[Fault]) -> Result<Reply, Error> {
        let words = prompt::mend(faults, task.schema.as_ref());
        let ended = match self.reply(&words) {
            Some(ended) => ended,
            None => self.task(task, Some((text, faults)))?,
        };
        let error = match ended {
            Ended::Told(told) => return told,
            Ended::Unheard(error) => error,
        };
        report::log(Level::Warn, format!("{}; starting it again", error.message));
        self.begin()?;
        match self.task(task, Some((text, faults)))? {
            Ended::Told(told) => told,
            Ended::Unheard(error) => Err(error),
        }
    }
}

fn initialize(connection: &mut Connection) -> Result<(), Error> {
    let method = "initialize";
    let params = json!({
        "protocolVersion": REVISION, "capabilities": {},
        "clientInfo": { "name": "docket", "version": env!("CARGO_PKG_VERSION") },
    });
    let answer = connection.ask(method, params, &mut Listener::default()).map_err(|trouble| {
        connection
            .error(trouble, method)
            .hint("the profile's command has to be an MCP server on its standard input and output")
    })?;
    let about: Initialized = read(connection, method, answer)?;
    if !REVISIONS.contains(&about.protocol_version.as_str()) {
        let message = format!(
            "the server speaks revision '{}' of MCP, docket speaks {}",
            about.protocol_version.escape_debug(),
            REVISIONS.join(", ")
        );
        return Err(connection.attach(
            Error::new("agent-protocol-unsupported", message).hint("use another version of the server"),
        ));
    }
    if let Some(server) = &about.server_info {
        report::log(Level::Info, format!("the server is {} {}", server.name, server.version));
    }
    let told = "notifications/initialized";
    connection.tell(told, Value::Null).map_err(|trouble| connection.error(trouble, told))
}

/// All tools of a server, page by page.
fn tools(connection: &mut Connection) -> Result<Vec<Tool>, Error> {
    let method = "tools/list";
    let mut tools = Vec::new();
    let mut cursor: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let params = cursor.as_ref().map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }));
        let answer = connection
            .ask(method, params, &mut Listener::default())
            .map_err(|trouble| connection.error(trouble, method))?;
        let page: ToolPage = read(connection, method, answer)?;
        tools.extend(page.tools);
        match page.next_cursor {
            Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
            _ => return Ok(tools),
        }
    }
    report::log(
        Level::Warn,
        format!("the server has more than {MOST_PAGES} pages of tools; the rest is not looked at"),
    );
    Ok(tools)
}

fn read<T: DeserializeOwned>(connection: &Connection, method: &str, answer: Value) -> Result<T, Error> {
    serde_json::from_value(answer).map_err(|cause| {
        let message = format!("the server's answer to {method} is not what the protocol says: {cause}");
        connection
            .attach(Error::new("agent-protocol-broken", message).hint("use another version of the server"))
    })
}

/// Tells the server that nobody waits for its answer any more, gives it a moment, and ends it.
fn cancel(connection: &mut Connection, id: u64, listener: &mut Listener) {
    let params = json!({ "requestId": id, "reason": "nothing was heard for too long" });
    if connection.tell("notifications/cancelled", params).is_ok() {
        // A server need not answer what was cancelled; whatever it says, it was stopped.
        let _ = connection.settle(id, listener);
    }
    connection.stop();
}

fn no_server() -> Error {
    Error::new("no-session", "BUG: there is no server to call")
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
