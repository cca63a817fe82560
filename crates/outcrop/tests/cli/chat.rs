use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::mpsc;

use serde_json::{Value, json};

use crate::canned::{self, Canned, STREAM, chunk};
use crate::run::{Place, Ran, finish, finish_with_input};

fn chat(place: &str, gateway: &Canned) -> Ran {
    Place::new(place).run(&["chat", "Hello!", "--base-url", &gateway.base_url])
}

#[test]
fn a_stream_is_printed_as_text() {
    let reasoning = r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"Hm."}}]}"#;
    let other = r#"data: {"choices":[{"index":1,"delta":{"content":"no"}}]}"#;
    let usage = r#"data: {"choices":[],"usage":{"prompt_tokens":1}}"#;
    let stop = r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    let (one, two) = (chunk("Good "), chunk("morning \u{1f305}."));
    let gateway = Canned::answering(format!(
        "{STREAM}{reasoning}\n\n{one}: keep-alive\n\n{other}\n\n{two}{stop}\n\n{usage}\n\ndata: [DONE]\n\n"
    ));
    let ran = chat("chat-stream", &gateway);
    assert_eq!(
        (ran.status, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "Good morning \u{1f305}.\n", "")
    );
}

#[test]
fn the_question_is_what_the_flags_say() {
    let gateway = Canned::answering(format!("{STREAM}data: [DONE]\n\n"));
    let place = Place::new("chat-question");
    let arguments = [
        "--model",
        "m",
        "--system",
        "Be short.",
        "--max-tokens",
        "7",
        "--temperature",
        "0.5",
    ];
    let mut command = place.outcrop(&["chat", "Why?"]);
    command
        .args(arguments)
        .env("OPENAI_BASE_URL", &gateway.base_url)
        .env("OPENAI_API_KEY", "sk-from-env");
    assert_eq!(finish(&mut command).status, 0);

    let request = gateway.request();
    assert!(
        request.head.starts_with("POST /v1/chat/completions HTTP/1.1"),
        "{}",
        request.head
    );
    assert!(
        request.head.contains("authorization: Bearer sk-from-env"),
        "{}",
        request.head
    );
    let expected = json!({
        "model": "m",
        "stream": true,
        "messages": [{ "role": "system", "content": "Be short." }, { "role": "user", "content": "Why?" }],
        "max_tokens": 7,
        "temperature": 0.5,
    });
    assert_eq!(serde_json::from_str::<Value>(&request.body).unwrap(), expected);
}

#[test]
fn a_flag_names_the_gateway_and_key_over_the_environment() {
    let gateway = Canned::answering(format!("{STREAM}data: [DONE]\n\n"));
    let place = Place::new("chat-flags");
    let mut command = place.outcrop(&["chat", "Hi", "--base-url", &gateway.base_url, "--api-key", "sk-flag"]);
    command
        .env("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
        .env("OPENAI_API_KEY", "sk-env");
    assert_eq!(finish(&mut command).status, 0);
    assert!(gateway.request().head.contains("authorization: Bearer sk-flag"));
}

#[test]
fn the_prompt_can_come_from_standard_input() {
    for (name, arguments) in [("chat-stdin", &["chat"][..]), ("chat-dash", &["chat", "-"][..])] {
        let gateway = Canned::answering(format!("{STREAM}data: [DONE]\n\n"));
        let place = Place::new(name);
        let mut command = place.outcrop(arguments);
        command.args(["--base-url", &gateway.base_url]);
        assert_eq!(finish_with_input(&mut command, "Sum this up: 1 2 3\n").status, 0);
        let body: Value = serde_json::from_str(&gateway.request().body).unwrap();
        assert_eq!(body["messages"][0]["content"], "Sum this up: 1 2 3\n");
    }
}

#[test]
fn nothing_on_standard_input_is_a_usage_error() {
    let ran = Place::new("chat-nothing").run(&["chat"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.stderr.contains("there is no prompt"), "{ran:?}");
}

#[test]
fn the_answer_is_printed_while_it_arrives() {
    let (printed, wait) = mpsc::channel::<()>();
    let gateway = Canned::with(move |stream| {
        stream
            .write_all(format!("{STREAM}{}", chunk("first")).as_bytes())
            .unwrap();
        // Only goes on once the test has read what was sent.
        wait.recv().unwrap();
        stream
            .write_all(format!("{}data: [DONE]\n\n", chunk(" second")).as_bytes())
            .unwrap();
    });
    let place = Place::new("chat-live");
    let mut child = place
        .outcrop(&["chat", "Hi", "--base-url", &gateway.base_url])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0; 5];
    stdout.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"first");
    printed.send(()).unwrap();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, " second\n");
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_error_response_is_told_with_its_status() {
    let body = r#"{"error":{"message":"Incorrect API key","type":"authentication_error","param":null,"code":null}}"#;
    let ran = chat(
        "chat-refused",
        &Canned::answering(canned::json("401 Unauthorized", body)),
    );
    let expected = "error: the gateway refused with status 401: Incorrect API key\n";
    assert_eq!(
        (ran.status, ran.stdout.as_str(), ran.stderr.as_str()),
        (1, "", expected)
    );
}

#[test]
fn an_error_in_mid_stream_fails_whatever_its_shape() {
    let error = r#"data: {"error":{"message":"Too many tokens","type":"rate_limit_error"}}"#;
    for (name, prefix) in [("chat-mid-plain", ""), ("chat-mid-named", "event: error\n")] {
        let gateway = Canned::answering(format!("{STREAM}{}{prefix}{error}\n\n", chunk("Once upon")));
        let ran = chat(name, &gateway);
        let expected = "error: the answer broke off: Too many tokens\n";
        assert_eq!(
            (ran.status, ran.stdout.as_str(), ran.stderr.as_str()),
            (1, "Once upon\n", expected)
        );
    }
}

#[test]
fn a_stream_that_ends_early_fails() {
    let ran = chat(
        "chat-cut",
        &Canned::answering(format!("{STREAM}{}", chunk("Once upon"))),
    );
    assert_eq!((ran.status, ran.stdout.as_str()), (1, "Once upon\n"));
    assert!(ran.stderr.contains("ended before it was complete"), "{ran:?}");
}

#[test]
fn a_connection_that_fails_in_mid_stream_fails() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let part = chunk("Once upon");
    let ran = chat(
        "chat-reset",
        &Canned::answering(format!("{head}{:x}\r\n{part}\r\n", part.len())),
    );
    assert_eq!((ran.status, ran.stdout.as_str()), (1, "Once upon\n"));
    assert!(ran.stderr.contains("the answer broke off"), "{ran:?}");
}

#[test]
fn an_answer_at_the_token_limit_says_so() {
    let stop = r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#;
    let ran = chat(
        "chat-length",
        &Canned::answering(format!("{STREAM}{}{stop}\n\ndata: [DONE]\n\n", chunk("a"))),
    );
    assert_eq!((ran.status, ran.stdout.as_str()), (0, "a\n"));
    assert!(ran.stderr.starts_with("note: "), "{ran:?}");
}

#[test]
fn a_base_url_that_is_no_gateway_is_suspected() {
    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<p/>";
    let ran = chat("chat-html", &Canned::answering(page));
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.contains("is the base URL right, `/v1` included?"), "{ran:?}");
}

#[test]
fn an_error_cannot_drive_the_terminal() {
    let body = r#"{"error":{"message":"\u001b]0;gotcha\u0007"}}"#;
    let ran = chat("chat-escape", &Canned::answering(canned::json("400 Bad Request", body)));
    assert!(!ran.stderr.contains(['\u{1b}', '\u{7}']), "{ran:?}");
}

#[test]
fn no_gateway_at_all_is_told() {
    // A port that was just free and that no one listens on any more.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ran = Place::new("chat-nobody").run(&["chat", "Hi", "--base-url", &format!("http://{free}/v1")]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr
            .contains(&format!("cannot reach http://{free}/v1/chat/completions")),
        "{ran:?}"
    );
}

#[test]
fn a_password_in_the_base_url_is_refused_and_not_repeated() {
    let ran = Place::new("chat-password").run(&["chat", "Hi", "--base-url", "http://me:hunter2@127.0.0.1/v1"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("--base-url") && !ran.stderr.contains("hunter2"),
        "{ran:?}"
    );
}

#[test]
fn without_a_gateway_one_is_started() {
    let ran = Place::new("chat-simulate").run(&["chat", "--simulate", "Hello!"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(!ran.stdout.trim().is_empty());
}

#[test]
fn its_own_gateway_accepts_the_configured_key() {
    let place = Place::new("chat-own-key").with("outcrop.toml", "api_keys = [\"sk-a\", \"sk-b\"]\nsimulate = true\n");
    let ran = place.run(&["chat", "Hello!"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
}

#[test]
fn a_flag_for_its_own_gateway_wins_over_the_environment() {
    let place = Place::new("chat-own-flag");
    let mut command = place.outcrop(&["chat", "--simulate", "Hello!"]);
    assert_eq!(
        finish(command.env("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")).status,
        0
    );
}
