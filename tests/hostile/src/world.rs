//! Attempts to learn about or reach the world outside: environment, arguments, input, network. Addresses are of the local
//! machine, so that nothing leaves it in any case.

use std::net::{TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket};

use docket_plugin::{Error, Outcome, Request, Value};
use wasip2::cli::environment::{get_arguments, get_environment, initial_cwd};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;
use wasip2::sockets::udp_create_socket::create_udp_socket;

use crate::tries::{Tries, docs, read};

/// Variables, arguments, working folder and input.
pub(crate) fn environment(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    tries.refused("variables", get_environment().pop().ok_or("none"));
    tries.refused("arguments", get_arguments().pop().ok_or("none"));
    // A folder of the guest's own tells nothing.
    tries.refused("folder", initial_cwd().filter(|folder| folder != "/").ok_or("none"));
    tries.refused("input", wasip2::cli::stdin::get_stdin().blocking_read(16));
    tries.refused("variable", std::env::var("SECRET_TOKEN"));
    tries.refused("home", std::fs::read_dir("/home").map(|_| ()));
    tries.refused("processes", std::fs::read("/proc/self/environ"));
    tries.allowed("a.md", read(&docs(), "a.md"));
    tries.done()
}

/// Where somebody listens.
fn port(request: &Request) -> u16 {
    let port = request.config.get("port").and_then(Value::as_u64);
    port.and_then(|port| u16::try_from(port).ok()).unwrap_or(9)
}

/// The network as the library has it.
pub(crate) fn network_by_library(request: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    tries.refused("connect", TcpStream::connect(("127.0.0.1", port(request))).map(|_| ()));
    tries.refused("connect by name", TcpStream::connect(("localhost", port(request))).map(|_| ()));
    tries.refused("listen", TcpListener::bind(("127.0.0.1", 0)).map(|_| ()));
    let datagram =
        UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"x", ("127.0.0.1", port(request))));
    tries.refused("datagram", datagram);
    tries.allowed("a.md", read(&docs(), "a.md"));
    tries.done()
}

/// The network as WASI has it: making a socket may go well, using it must not.
pub(crate) fn sockets(request: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let network = instance_network();
    let address = |port| IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (127, 0, 0, 1) });
    let connected = create_tcp_socket(IpAddressFamily::Ipv4).and_then(|socket| {
        socket.start_connect(&network, address(port(request)))?;
        socket.subscribe().block();
        socket.finish_connect().map(|_| ())
    });
    tries.refused("connect", connected);
    let bound = create_tcp_socket(IpAddressFamily::Ipv4).and_then(|socket| {
        socket.start_bind(&network, address(0))?;
        socket.finish_bind()?;
        socket.start_listen()?;
        socket.finish_listen()
    });
    tries.refused("listen", bound);
    let datagram = create_udp_socket(IpAddressFamily::Ipv4).and_then(|socket| {
        socket.start_bind(&network, address(0))?;
        socket.finish_bind()?;
        socket.stream(Some(address(port(request)))).map(|_| ())
    });
    tries.refused("datagram", datagram);
    tries.allowed("a.md", read(&docs(), "a.md"));
    tries.done()
}

/// Asking for the address of a name, which tells the world what is asked for.
pub(crate) fn name_lookup(_: &Request) -> Result<Outcome, Error> {
    let mut tries = Tries::default();
    let network = instance_network();
    for name in ["localhost", "stolen-secret.localhost", ""] {
        let found = resolve_addresses(&network, name).and_then(|stream| {
            stream.subscribe().block();
            stream.resolve_next_address()?.ok_or(ErrorCode::NameUnresolvable)
        });
        tries.refused(format!("wasi {name:?}"), found);
    }
    tries.refused("library", "localhost:80".to_socket_addrs().map(|_| ()));
    tries.allowed("a.md", read(&docs(), "a.md"));
    tries.done()
}
