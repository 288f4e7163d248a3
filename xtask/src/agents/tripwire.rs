//! A proxy that leads nowhere: whatever an agent sends to anywhere but loopback goes here, is refused and remembered.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::http::{self, Request, Response};

/// A running one.
pub(crate) struct Tripwire {
    address: SocketAddr,
    tried: Arc<Mutex<Vec<String>>>,
}

impl Tripwire {
    /// Starts one.
    pub(crate) fn start() -> std::io::Result<Self> {
        let tried = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&tried);
        let address = http::serve(Arc::new(move |request: &Request| {
            let line = format!("{} {}", request.method, request.target);
            all.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            Response { status: "502 Bad Gateway", kind: "text/plain", body: String::new() }
        }))?;
        Ok(Self { address, tried })
    }

    /// The variables that send programs here, in the spellings there are.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let here = format!("http://{}", self.address);
        let proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];
        let mut variables: Vec<(String, String)> =
            proxies.iter().map(|name| ((*name).to_owned(), here.clone())).collect();
        variables.push(("NO_PROXY".to_owned(), "127.0.0.1,localhost".to_owned()));
        let small = variables.clone().into_iter().map(|(name, value)| (name.to_lowercase(), value));
        variables.extend(small);
        variables
    }

    /// What was tried.
    pub(crate) fn tried(&self) -> Vec<String> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
