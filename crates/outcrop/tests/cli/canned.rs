//! A gateway that sends what it is told to, byte for byte. Plain sockets, so that it can also break off where no HTTP
//! server would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

/// Serves one connection.
pub(crate) struct Canned {
    pub(crate) base_url: String,
    server: JoinHandle<Request>,
}

/// What the client sent.
#[derive(Debug)]
pub(crate) struct Request {
    /// Request line and headers, names in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Canned {
    /// Answers one request with these bytes, then closes.
    pub(crate) fn answering(response: impl Into<Vec<u8>>) -> Self {
        let response = response.into();
        Self::with(move |stream| stream.write_all(&response).unwrap())
    }

    /// Answers one request by whatever this does to the connection.
    pub(crate) fn with(answer: impl FnOnce(&mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let request = read(&stream);
            answer(&mut stream);
            request
        });
        Self { base_url, server }
    }

    /// The request, once it has been answered.
    pub(crate) fn request(self) -> Request {
        self.server.join().unwrap()
    }
}

fn read(stream: &TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
        match line.split_once(": ") {
            Some((name, value)) => head.push_str(&format!("{}: {value}", name.to_lowercase())),
            None => head.push_str(&line),
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Request {
        head,
        body: String::from_utf8(body).unwrap(),
    }
}

/// A whole response of JSON.
pub(crate) fn json(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// The head of a stream of events that ends when the connection does.
pub(crate) const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

/// A chunk that adds to the answer.
pub(crate) fn chunk(text: &str) -> String {
    let chunk = serde_json::json!({
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "choices": [{ "index": 0, "delta": { "content": text }, "finish_reason": null }],
    });
    format!("data: {chunk}\n\n")
}
