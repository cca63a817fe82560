//! The gateway on its simulator, and a client that keeps its connections.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::run::Place;

/// So long may an answer take. Nothing here takes a second, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Gateway {
    process: Child,
    base_url: String,
    http: Client<HttpConnector, Full<Bytes>>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// By which of Bedrock's APIs it was asked.
    pub(super) route: String,
    /// What was done in another way, as `parameter=outcome(reason)`.
    pub(super) notes: Vec<String>,
    /// How often Bedrock was called.
    pub(super) calls: usize,
    pub(super) body: String,
}

impl Gateway {
    pub(super) fn start(place: &Place) -> Self {
        let mut command = place.outcrop(&["serve", "--simulate", "--listen", "127.0.0.1:0", "--log", "off"]);
        let log = File::create(place.path("log")).unwrap();
        let mut process = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        // The banner ends so.
        let banner: Vec<String> = lines.take_while(|line| !line.starts_with("curl ")).collect();
        let base_url = banner.iter().find_map(|line| line.trim().strip_prefix("Base URL"));
        let base_url = base_url.expect("it says where it listens").trim().to_owned();
        Self {
            process,
            base_url,
            http: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// Asks for a chat completion.
    pub(super) async fn chat(&self, body: &Value) -> Result<Reply, String> {
        let request = Request::post(format!("{}/chat/completions", self.base_url))
            .header("authorization", "Bearer sk-outcrop-local")
            .header("content-type", "application/json")
            .body(Full::from(body.to_string()))
            .unwrap();
        let answered = async {
            let response = self.http.request(request).await.map_err(|error| error.to_string())?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
            Ok(Reply {
                status: head.status.as_u16(),
                route: listed(&head.headers, "x-outcrop-route").join(","),
                notes: listed(&head.headers, "x-outcrop-adapted"),
                calls: listed(&head.headers, "x-amzn-requestid").len(),
                body: String::from_utf8(body.into()).map_err(|error| error.to_string())?,
            })
        };
        let answered = tokio::time::timeout(PATIENCE, answered).await;
        answered.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn listed(headers: &HeaderMap, name: &str) -> Vec<String> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value
        .into_iter()
        .flat_map(|value| value.split(','))
        .map(|entry| entry.trim().to_owned())
        .collect()
}
