//! As much of an HTTP/1.1 server as an agent's client needs, on loopback and on threads of its own. Knows no path and no
//! model; every answer ends its connection.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// Longest body that is read; an agent sends its tools and its whole conversation each time.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// What was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A header's value; `name` in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) body: String,
}

/// Answers a request.
pub(crate) type Handler = Arc<dyn Fn(&Request) -> Response + Send + Sync>;

/// Serves on a free port of 127.0.0.1 until the process ends, and says where.
pub(crate) fn serve(handler: Handler) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let handler = Arc::clone(&handler);
            // A client that goes away in the middle is its own business.
            std::thread::spawn(move || answer(connection, &handler));
        }
    });
    Ok(address)
}

fn answer(connection: TcpStream, handler: &Handler) -> io::Result<()> {
    let mut reader = BufReader::new(connection.try_clone()?);
    let Some(request) = read(&mut reader)? else { return Ok(()) };
    let response = handler(&request);
    let mut connection = connection;
    write!(
        connection,
        "HTTP/1.1 {}\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{}",
        response.status,
        response.kind,
        response.body.len(),
        response.body
    )?;
    connection.flush()
}

fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let first = line(reader)?;
    let mut words = first.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let mut request = Request { method: method.to_owned(), target: target.to_owned(), ..Request::default() };
    loop {
        let header = line(reader)?;
        let Some((name, value)) = header.split_once(':') else { break };
        request.headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = request.header("content-length").and_then(|length| length.parse::<usize>().ok());
    request.body = match (length, request.header("transfer-encoding")) {
        (Some(length), _) => exactly(reader, length)?,
        (None, Some("chunked")) => chunks(reader)?,
        (None, _) => Vec::new(),
    };
    Ok(Some(request))
}

fn line(reader: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

fn exactly(reader: &mut BufReader<TcpStream>, length: usize) -> io::Result<Vec<u8>> {
    if length > MAX_BODY {
        return Err(io::Error::other("the body is too long"));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

fn chunks(reader: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(line(reader)?.split(';').next().unwrap_or_default(), 16)
            .map_err(io::Error::other)?;
        if body.len() + size > MAX_BODY {
            return Err(io::Error::other("the body is too long"));
        }
        body.extend(exactly(reader, size)?);
        line(reader)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str) -> String {
        let echo = |request: &Request| Response {
            status: "200 OK",
            kind: "text/plain",
            body: format!(
                "{} {} {} {}",
                request.method,
                request.target,
                request.header("x-key").unwrap_or("-"),
                String::from_utf8_lossy(&request.body)
            ),
        };
        let address = serve(Arc::new(echo)).expect("a port");
        let mut connection = TcpStream::connect(address).expect("connected");
        connection.write_all(text.as_bytes()).expect("sent");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("an answer that ends");
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).expect("a body")
    }

    #[test]
    fn bodies_come_whole_whether_counted_or_in_chunks() {
        assert_eq!(ask("POST /a HTTP/1.1\r\nX-Key: k\r\nContent-Length: 5\r\n\r\nhello"), "POST /a k hello");
        let chunked =
            "POST /b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
        assert_eq!(ask(chunked), "POST /b - hello");
        assert_eq!(ask("GET /c HTTP/1.1\r\n\r\n"), "GET /c - ");
    }
}
