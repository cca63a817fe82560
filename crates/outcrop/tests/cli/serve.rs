use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::run::Place;

/// Starts a command that serves, and waits for the line of its banner that begins so.
fn started(command: &mut Command, line: &str) -> (Child, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut banner = String::new();
    while !banner.lines().any(|known| known.starts_with(line)) {
        assert_ne!(stdout.read_line(&mut banner).unwrap(), 0, "it ended after {banner:?}");
    }
    child.stdout = Some(stdout.into_inner());
    (child, banner)
}

fn value(banner: &str, label: &str) -> String {
    let line = banner
        .lines()
        .find_map(|line| line.trim().strip_prefix(label))
        .expect(label);
    line.trim().to_owned()
}

#[cfg(unix)]
fn terminate(child: Child) -> std::process::Output {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    child.wait_with_output().unwrap()
}

#[cfg(unix)]
#[test]
fn serve_tells_where_it_is_and_stops_when_asked() {
    let place = Place::new("serve-simulate");
    let (child, banner) = started(
        &mut place.outcrop(&["serve", "--simulate", "--listen", "127.0.0.1:0"]),
        "curl ",
    );
    let base_url = value(&banner, "Base URL");
    assert!(
        banner.contains("simulated") && banner.contains("sk-outcrop-local"),
        "{banner}"
    );
    assert!(
        banner.contains(&format!("curl -N {base_url}/chat/completions ")),
        "{banner}"
    );

    let address = base_url.strip_prefix("http://").unwrap().strip_suffix("/v1").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("GET /v1/models HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer sk-outcrop-local\r\n");
    write!(stream, "{head}connection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");

    assert_eq!(terminate(child).status.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_configured_key_stays_out_of_banner_and_log() {
    let place = Place::new("serve-key").with("outcrop.toml", "region = \"us-east-1\"\nlog = \"trace\"\n");
    let mut command = place.outcrop(&["serve", "--listen", "0.0.0.0:0"]);
    let (child, banner) = started(
        command.env("OUTCROP_API_KEYS", "sk-secret").env("OUTCROP_LOGG", "x"),
        "curl ",
    );
    assert!(value(&banner, "Base URL").starts_with("http://127.0.0.1:"), "{banner}");
    assert!(banner.contains("Bearer $OPENAI_API_KEY"), "{banner}");
    let output = terminate(child);
    assert_eq!(output.status.code(), Some(0));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(
        !banner.contains("sk-secret") && !log.contains("sk-secret"),
        "{banner}{log}"
    );
    let warning = log
        .lines()
        .find(|line| line.contains("OUTCROP_LOGG"))
        .expect("a warning");
    let warning: serde_json::Value = serde_json::from_str(warning).expect("JSON, as stderr is no terminal");
    assert_eq!(warning["level"], "WARN");
}

#[cfg(unix)]
#[test]
fn simulate_tells_how_to_point_an_sdk_at_it() {
    let place = Place::new("simulate");
    let mut command = place.outcrop(&["simulate", "--listen", "127.0.0.1:0"]);
    let (child, banner) = started(&mut command, "export AWS_SECRET_ACCESS_KEY=");
    let endpoint = value(&banner, "Endpoint");
    assert!(
        banner.contains(&format!("export AWS_ENDPOINT_URL_BEDROCK_RUNTIME={endpoint}\n")),
        "{banner}"
    );
    assert_eq!(terminate(child).status.code(), Some(0));
}

#[test]
fn an_open_public_address_is_refused() {
    let ran = Place::new("serve-open").run(&["serve", "--simulate", "--listen", "0.0.0.0:0"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr.contains("OUTCROP_API_KEYS") && ran.stderr.contains("--insecure-no-auth"),
        "{ran:?}"
    );
}

#[test]
fn an_address_in_use_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = Place::new("serve-taken").run(&["serve", "--simulate", "--listen", &address]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains(&format!("cannot listen on {address}")), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn names_mean_the_same_to_the_gateway_and_on_the_command_line() {
    let file = "simulate = true\nlisten = \"127.0.0.1:0\"\ncatalogue = \"own.toml\"\n[[aliases]]\nname = \"gpt-4o*\"\n\
                model = \"Own\"\n";
    let own = "[[model]]\nid = \"anthropic.claude-own-v1:0\"\nshort_names = [\"Own\"]\nprofiles = [\"us\"]\n";
    let place = Place::new("serve-mappings")
        .with("outcrop.toml", file)
        .with("own.toml", own);
    let (child, banner) = started(&mut place.outcrop(&["serve"]), "curl ");
    let base_url = value(&banner, "Base URL");
    let address = base_url.strip_prefix("http://").unwrap().strip_suffix("/v1").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET /v1/mappings?name=gpt-4o-mini HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    terminate(child);

    let (_, body) = response.split_once("\r\n\r\n").unwrap();
    let of_gateway: Value = serde_json::from_str(body).unwrap();
    assert_eq!(of_gateway["model_id"], "us.anthropic.claude-own-v1:0", "{response}");
    let ran = place.run(&["models", "resolve", "--json", "gpt-4o-mini"]);
    assert_eq!(of_gateway, serde_json::from_str::<Value>(&ran.stdout).unwrap());
}
