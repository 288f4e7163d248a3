//! What a plugin tries to learn of the world, and to reach of it. Somebody listens, and nobody may come.

use std::net::{TcpListener, UdpSocket};

use serde_json::json;

use crate::ground::{Ground, assert_sealed};

pub(crate) fn environment(ground: Ground) {
    ground.define(&[json!({})], &json!(null));
    ground.trust();
    let before = ground.look();
    let input = ground.root().join("canary/kept.md");
    let mut command = ground.place.command(&["workflow", "start", "attempts"]);
    command.env("SECRET_TOKEN", "x").stdin(std::fs::File::open(input).expect("there"));
    let output = docket_tests::finish_or_kill(&mut command);
    assert_sealed(&ground.ended(&output, &before, &[]).result(0));
}

/// Runs the attempt with the port of somebody who listens by both protocols.
fn nobody_comes(ground: &Ground) {
    let (listener, port, datagrams) = loop {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        if let Ok(datagrams) = UdpSocket::bind(("127.0.0.1", port)) {
            break (listener, port, datagrams);
        }
    };
    listener.set_nonblocking(true).expect("set");
    datagrams.set_nonblocking(true).expect("set");
    ground.is_sealed(json!({ "port": port }));
    assert!(listener.accept().is_err(), "somebody connected");
    assert!(datagrams.recv(&mut [0]).is_err(), "somebody sent something");
}

pub(crate) fn network_by_library(ground: Ground) {
    nobody_comes(&ground);
}

pub(crate) fn sockets(ground: Ground) {
    nobody_comes(&ground);
}

pub(crate) fn name_lookup(ground: Ground) {
    ground.is_sealed(json!({}));
}
