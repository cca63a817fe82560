//! The simulator through a socket: what boto3 can't show, bytes and connections.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use outcrop_simulator::{Config, Rule, Scenario, Simulator};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A running simulator, ended when dropped.
struct Running {
    address: SocketAddr,
    _shutdown: oneshot::Sender<()>,
}

fn start(config: Config) -> Running {
    let (shutdown, ended) = oneshot::channel::<()>();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            let ended = async { drop(ended.await) };
            // Spawned, as those who embed it do.
            let served = tokio::spawn(Simulator::new(config).serve(listener, ended));
            served.await.unwrap().unwrap();
        });
    });
    Running {
        address,
        _shutdown: shutdown,
    }
}

impl Running {
    fn send(&self, method: &str, path: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let length = body.len();
        let authorization = "Authorization: Bearer bedrock-api-key-simulator";
        let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{authorization}\r\nConnection: close\r\n");
        write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
        stream
    }

    /// Status line and headers, and the rest as it came.
    fn exchange(&self, method: &str, path: &str, body: &str) -> (String, Vec<u8>) {
        let mut all = Vec::new();
        self.send(method, path, body).read_to_end(&mut all).unwrap();
        let end = all.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        (
            String::from_utf8(all[..end].to_vec()).unwrap().to_ascii_lowercase(),
            all[end + 4..].to_vec(),
        )
    }

    fn converse(&self, prompt: &str) -> (String, Vec<u8>) {
        self.exchange("POST", "/model/amazon.nova-lite-v1%3A0/converse", &ask(prompt))
    }

    fn state(&self) -> Value {
        serde_json::from_slice(&self.exchange("GET", "/_simulator/state", "").1).unwrap()
    }
}

fn ask(prompt: &str) -> String {
    json!({"messages": [{"role": "user", "content": [{"text": prompt}]}]}).to_string()
}

fn status(head: &str) -> &str {
    head.split(' ').nth(1).unwrap()
}

#[test]
fn errors_carry_their_type_and_an_id() {
    let simulator = start(Config::default());
    let (head, body) = simulator.converse("[[sim:error ThrottlingException message=slow]]");
    assert_eq!(status(&head), "429");
    assert!(head.contains("x-amzn-errortype: throttlingexception:http://"), "{head}");
    assert!(head.contains("x-amzn-requestid: "), "{head}");
    assert_eq!(body, br#"{"message":"slow"}"#);
}

#[test]
fn what_isnt_json_is_malformed() {
    let simulator = start(Config::default());
    let deep = "[".repeat(10_000);
    for body in ["", "{", "[]", "null", &deep] {
        let (head, answer) = simulator.exchange("POST", "/model/amazon.nova-lite-v1%3A0/converse", body);
        assert_eq!(status(&head), "400");
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.contains("Malformed input request, please reformat"), "{answer}");
    }
}

#[test]
fn other_paths_are_unknown_operations() {
    let (head, _) = start(Config::default()).exchange("POST", "/v1/chat/completions", "{}");
    assert_eq!(status(&head), "404");
    assert!(head.contains("unknownoperationexception"), "{head}");
}

#[test]
fn a_huge_error_is_as_long_as_asked_for() {
    let (head, body) = start(Config::default()).converse("[[sim:huge-error bytes=100000]]");
    assert_eq!(status(&head), "400");
    // Its chunks have their own framing.
    assert!(body.iter().filter(|byte| **byte == b'x').count() == 100_000);
}

#[test]
fn redirects_are_counted_when_followed() {
    let simulator = start(Config::default());
    let (head, _) = simulator.converse("[[sim:redirect]]");
    assert_eq!(status(&head), "307");
    assert!(head.contains("location: /_simulator/redirected"), "{head}");
    assert_eq!(simulator.state()["redirectsFollowed"], 0);
    simulator.exchange("GET", "/_simulator/redirected", "");
    assert_eq!(simulator.state()["redirectsFollowed"], 1);
}

#[test]
fn a_cut_is_a_reset() {
    let simulator = start(Config::default());
    let path = "/model/amazon.nova-lite-v1%3A0/converse-stream";
    let mut stream = simulator.send("POST", path, &ask("[[sim:cut after=1]][[sim:pace 0ms]]"));
    let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn scenarios_decide_by_rule_and_number() {
    let rule = Rule {
        prompt: Some("twice".to_owned()),
        calls: Some(vec![2]),
        actions: vec![outcrop_simulator::Action::Text("second".to_owned())],
        ..Rule::default()
    };
    let simulator = start(Config {
        scenario: Some(Scenario {
            rules: vec![rule],
            ..Scenario::default()
        }),
        ..Config::default()
    });
    let says_second = |prompt| {
        String::from_utf8(simulator.converse(prompt).1)
            .unwrap()
            .contains("\"second\"")
    };
    assert_eq!(
        [says_second("twice"), says_second("once"), says_second("twice")],
        [false, false, true]
    );
}

#[test]
fn lists_follow_scenarios_too() {
    let text = "[[rules]]\noperation = 'ListFoundationModels'\ncall = 1\nactions = ['error AccessDeniedException']";
    let simulator = start(Config {
        scenario: Some(Scenario::parse(text).unwrap()),
        ..Config::default()
    });
    let statuses = [0, 1].map(|_| status(&simulator.exchange("GET", "/foundation-models", "").0).to_owned());
    assert_eq!(statuses, ["403", "200"]);
}

#[test]
fn calls_are_counted_and_forgotten() {
    let simulator = start(Config::default());
    simulator.converse("Hello");
    simulator.converse("[[sim:error ValidationException]]");
    let state = simulator.state();
    assert_eq!(
        state["calls"],
        json!({"total": 2, "active": 0, "finished": 2, "aborted": 0})
    );
    assert_eq!(state["requests"][0]["headers"]["authorization"], "Bearer [redacted]");
    simulator.exchange("DELETE", "/_simulator/state", "");
    assert_eq!(simulator.state()["calls"]["total"], 0);
}
