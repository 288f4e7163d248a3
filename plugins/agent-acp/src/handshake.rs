//! From a program to a session with an agent: initialize, log in if the agent demands it, open or take up a session, and
//! choose its mode. Must not prompt.

use agent_client_protocol_schema::ProtocolVersion;
use agent_client_protocol_schema::v1::{
    AGENT_METHOD_NAMES, AuthenticateRequest, ClientCapabilities, Implementation, InitializeRequest,
    InitializeResponse, LoadSessionRequest, NewSessionRequest, ResumeSessionRequest, SessionId,
    SessionModeState, SetSessionModeRequest,
};
use docket_json_rpc::{Connection, Trouble};
use docket_plugin::report::{self, Level};
use docket_plugin::{Error, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::options::Options;
use crate::permission::Permissions;
use crate::turn::Deaf;

/// The code of an error by which an agent demands a login.
const LOGIN_REQUIRED: i64 = -32000;
/// The mode that is chosen when the agent has it and the user neither named one nor allowed everything: agents that
/// have it work more freely by default, and ask for less.
const READ_ONLY_MODE: &str = "read-only";

/// An agent that can be prompted.
pub(crate) struct Agent {
    pub(crate) connection: Connection,
    pub(crate) session: SessionId,
}

/// What matters in the answer to `session/new`: agents tell much more of models and settings.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Opened {
    session_id: SessionId,
    modes: Option<SessionModeState>,
}

/// How a session comes to be.
pub(crate) enum Opening<'a> {
    /// A new one.
    New,
    /// One that another process of the agent's had. What can't be taken up is begun anew.
    Again(&'a SessionId),
}

/// Opens a session over a connection; the second value says whether the agent remembers what was said before.
///
/// # Errors
/// What the agent lacks or demands. The connection is then closed.
pub(crate) fn begin(
    mut connection: Connection,
    opening: &Opening<'_>,
    folder: &str,
    options: &Options,
) -> Result<(Agent, bool), Error> {
    let opened = initialize(&mut connection).and_then(|about| {
        let resumed = resume(&mut connection, &about, opening, folder)?;
        let (session, modes) = match &resumed {
            Some((session, modes)) => (session.clone(), modes.clone()),
            None => create(&mut connection, &about, folder, options)?,
        };
        choose_mode(&mut connection, &session, modes.as_ref(), options)?;
        Ok((session, resumed.is_some()))
    });
    match opened {
        Ok((session, remembers)) => Ok((Agent { connection, session }, remembers)),
        Err(error) => {
            connection.close();
            Err(error)
        }
    }
}

fn initialize(connection: &mut Connection) -> Result<InitializeResponse, Error> {
    let method = AGENT_METHOD_NAMES.initialize;
    let request = InitializeRequest::new(ProtocolVersion::V1)
        .client_capabilities(ClientCapabilities::default())
        .client_info(Implementation::new("docket", env!("CARGO_PKG_VERSION")));
    let about = ask::<InitializeResponse>(connection, method, &request)?.map_err(|trouble| {
        connection.error(trouble, method).hint(
            "the profile's command has to be one that speaks the Agent Client Protocol on its standard input and output",
        )
    })?;
    if about.protocol_version != ProtocolVersion::V1 {
        let message = format!(
            "the agent speaks version {} of the Agent Client Protocol, docket speaks version {}",
            about.protocol_version,
            ProtocolVersion::V1
        );
        return Err(connection.attach(
            Error::new("agent-protocol-unsupported", message).hint("use another version of the agent"),
        ));
    }
    if let Some(agent) = &about.agent_info {
        report::log(Level::Info, format!("the agent is {} {}", agent.name, agent.version));
    }
    Ok(about)
}

/// The session of another process, if this one can take it up.
fn resume(
    connection: &mut Connection,
    about: &InitializeResponse,
    opening: &Opening<'_>,
    folder: &str,
) -> Result<Option<(SessionId, Option<SessionModeState>)>, Error> {
    let Opening::Again(session) = opening else { return Ok(None) };
    let capabilities = &about.agent_capabilities;
    let (method, request) = if capabilities.session_capabilities.resume.is_some() {
        let request = ResumeSessionRequest::new((*session).clone(), folder);
        (AGENT_METHOD_NAMES.session_resume, value(&request)?)
    } else if capabilities.load_session {
        let request = LoadSessionRequest::new((*session).clone(), folder);
        (AGENT_METHOD_NAMES.session_load, value(&request)?)
    } else {
        return Ok(None);
    };
    match connection.ask(method, request, &mut Deaf) {
        Ok(result) => {
            let modes = result.get("modes").cloned().unwrap_or_default();
            Ok(Some(((*session).clone(), serde_json::from_value(modes).unwrap_or_default())))
        }
        Err(Trouble::Refused(refusal)) => {
            report::log(Level::Warn, format!("the agent can't take up its session: {}", refusal.message));
            Ok(None)
        }
        Err(trouble) => Err(connection.error(trouble, method)),
    }
}

fn create(
    connection: &mut Connection,
    about: &InitializeResponse,
    folder: &str,
    options: &Options,
) -> Result<(SessionId, Option<SessionModeState>), Error> {
    let method = AGENT_METHOD_NAMES.session_new;
    let request = NewSessionRequest::new(folder);
    let mut answer = ask::<Opened>(connection, method, &request)?;
    if matches!(&answer, Err(Trouble::Refused(refusal)) if refusal.code == LOGIN_REQUIRED) {
        log_in(connection, about, options)?;
        answer = ask(connection, method, &request)?;
    }
    let session = answer.map_err(|trouble| connection.error(trouble, method))?;
    Ok((session.session_id, session.modes))
}

/// Logs in by the method that the profile names.
fn log_in(connection: &mut Connection, about: &InitializeResponse, options: &Options) -> Result<(), Error> {
    let offered: Vec<&str> = about.auth_methods.iter().map(|method| method.id().0.as_ref()).collect();
    let list = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
    let Some(chosen) = options.auth_method.as_deref() else {
        let message =
            format!("the agent demands a login, and the profile names no method; it offers: {list}");
        return Err(connection.attach(Error::new("agent-login-required", message).hint(
            "log in with the agent's own program first, or set `options: { auth_method: … }` in the launcher profile and \
             grant the variables it needs with `env`",
        )));
    };
    if !offered.contains(&chosen) {
        let message = format!("the agent has no login method '{chosen}'; it offers: {list}");
        return Err(connection.attach(
            Error::new("agent-login-required", message).hint("correct `auth_method` in the launcher profile"),
        ));
    }
    let method = AGENT_METHOD_NAMES.authenticate;
    report::progress("Logging in");
    let request = value(&AuthenticateRequest::new(chosen.to_owned()))?;
    connection.ask(method, request, &mut Deaf).map(drop).map_err(|trouble| connection.error(trouble, method))
}

fn choose_mode(
    connection: &mut Connection,
    session: &SessionId,
    modes: Option<&SessionModeState>,
    options: &Options,
) -> Result<(), Error> {
    let offered: Vec<&str> =
        modes.iter().flat_map(|modes| &modes.available_modes).map(|mode| mode.id.0.as_ref()).collect();
    let cautious = offered.contains(&READ_ONLY_MODE) && options.permissions != Permissions::All;
    let mode = match options.mode.as_deref() {
        Some(mode) if !offered.contains(&mode) => {
            let list = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
            let message = format!("the agent has no mode '{mode}'; it has: {list}");
            return Err(connection.attach(
                Error::new("agent-mode-unknown", message).hint("correct `mode` in the launcher profile"),
            ));
        }
        Some(mode) => mode,
        None if cautious => READ_ONLY_MODE,
        None => return Ok(()),
    };
    if modes.is_some_and(|modes| modes.current_mode_id.0.as_ref() == mode) {
        return Ok(());
    }
    let method = AGENT_METHOD_NAMES.session_set_mode;
    let request = value(&SetSessionModeRequest::new(session.clone(), mode.to_owned()))?;
    connection.ask(method, request, &mut Deaf).map(drop).map_err(|trouble| connection.error(trouble, method))
}

/// Asks, and reads the answer as a type of the protocol. The outer error is an answer that is none.
fn ask<T: DeserializeOwned>(
    connection: &mut Connection,
    method: &str,
    request: &impl Serialize,
) -> Result<Result<T, Trouble>, Error> {
    let result = match connection.ask(method, value(request)?, &mut Deaf) {
        Ok(result) => result,
        Err(trouble) => return Ok(Err(trouble)),
    };
    serde_json::from_value(result).map(Ok).map_err(|cause| {
        let message = format!("the agent's answer to {method} is not what the protocol says: {cause}");
        connection
            .attach(Error::new("agent-protocol-broken", message).hint("use another version of the agent"))
    })
}

/// A message of the protocol as JSON.
pub(crate) fn value(message: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(message).map_err(|cause| {
        Error::new("message-unwritable", format!("BUG: a message can't be written: {cause}"))
    })
}
