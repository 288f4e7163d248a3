//! Acts that look for a world outside the sandbox.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use docket_plugin::{Value, json};

use crate::files::told;

/// What there is of environment, arguments, standard input and working folder.
pub(crate) fn environment() -> Value {
    let variables: Vec<Value> = std::env::vars_os()
        .map(|(name, value)| json!([name.to_string_lossy(), value.to_string_lossy()]))
        .collect();
    let arguments: Vec<String> =
        std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let mut input = Vec::new();
    let read = std::io::stdin().lock().take(1024).read_to_end(&mut input);
    json!({
        "variables": variables,
        "arguments": arguments,
        "stdin": told(read),
        "folder": told(std::env::current_dir().map(|folder| folder.display().to_string())),
        "root": crate::files::list("/"),
    })
}

/// Tries to reach other machines. Addresses are of the local machine, so that nothing leaves it in any case; somebody
/// may listen at the port.
pub(crate) fn network(port: Option<u64>) -> Value {
    let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or(80);
    let datagram = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"x", "127.0.0.1:9"));
    json!({
        "connect": told(TcpStream::connect(("127.0.0.1", port)).map(|_| true)),
        "listen": told(TcpListener::bind(("127.0.0.1", 0)).map(|_| true)),
        "datagram": told(datagram),
        "lookup": told("localhost:80".to_socket_addrs().map(Iterator::count)),
    })
}

/// The clocks: seconds since 1970, and whether time only goes forward.
pub(crate) fn time() -> Value {
    let start = Instant::now();
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs());
    json!({ "seconds": told(seconds), "forward": Instant::now() >= start })
}
