//! The load: requests at a steady rate, however long answers take, from several tenants; a third of them are streams.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::error::{Error, Result};

/// Tokens of an answer's text; the model burns each five times.
const ANSWER: u64 = 40;
const BURN_RATE: u64 = 5;
/// The limit that a request sets to its answer.
const MAX_TOKENS: u64 = 120;
/// Characters of a prompt, from the shortest to the longest, of which four are a token.
const PROMPT: (u64, u64) = (400, 2000);
/// How many sessions each tenant has.
const SESSIONS: u64 = 50;
/// As OpenAI's clients wait before they try again, if nobody says for how long.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// What is sent, and to whom.
#[derive(Clone, Debug)]
pub(super) struct Load {
    name: &'static str,
    keys: &'static [&'static str],
    /// How many requests.
    pub(super) requests: u64,
    /// The time over which they are sent.
    pub(super) lasting: Duration,
    /// What quotas are multiplied by.
    pub(super) quotas: f64,
}

/// A client with connections that it keeps.
#[derive(Clone, Debug)]
pub(super) struct Client(hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>);

/// What one request came to.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The key that sent it.
    pub(super) tenant: usize,
    /// Whether it asked for a stream.
    pub(super) streams: bool,
    /// What went wrong, if something did.
    pub(super) error: Option<String>,
    /// From the request to the first byte of a stream, or to the end of a whole answer.
    pub(super) took: Duration,
    /// Calls that the gateway made for it.
    pub(super) attempts: u32,
    /// The region that answered.
    pub(super) region: Option<String>,
}

impl Load {
    /// `requests` for the model `name` within that time, of tenants with these keys; quotas are multiplied by `quotas`.
    pub(super) fn new(
        name: &'static str,
        keys: &'static [&'static str],
        (requests, lasting): (u64, Duration),
        quotas: f64,
    ) -> Self {
        Self {
            name,
            keys,
            requests,
            lasting,
            quotas,
        }
    }

    /// A region's quota that has room for `share` of this load.
    pub(super) fn quota(&self, share: f64) -> u64 {
        self.tokens_a_minute(share * self.quotas)
    }

    /// The tokens that AWS counts in a minute of `share` times this load.
    pub(super) fn tokens_a_minute(&self, share: f64) -> u64 {
        let prompt = (PROMPT.0 + PROMPT.1) / 2 / 4;
        let minutes = self.lasting.as_secs_f64() / 60.0;
        ((prompt + ANSWER * BURN_RATE) as f64 * self.requests as f64 / minutes * share) as u64
    }

    /// Sends all of it.
    pub(super) async fn send(&self, client: &Client, gateway: SocketAddr, retries: u32) -> Result<Vec<Answer>> {
        let start = tokio::time::Instant::now();
        let mut sending = JoinSet::new();
        let mut answers = Vec::new();
        for number in 0..self.requests {
            let at = self.lasting.mul_f64(number as f64 / self.requests as f64);
            tokio::time::sleep_until(start + at).await;
            sending.spawn(self.one(client.clone(), gateway, number, retries));
            while let Some(answer) = sending.try_join_next() {
                answers.push(answer.map_err(|error| Error::Malformed(error.to_string()))?);
            }
        }
        while let Some(answer) = sending.join_next().await {
            answers.push(answer.map_err(|error| Error::Malformed(error.to_string()))?);
        }
        Ok(answers)
    }

    /// The request of that number, and what it came to.
    fn one(
        &self,
        client: Client,
        gateway: SocketAddr,
        number: u64,
        retries: u32,
    ) -> impl Future<Output = Answer> + use<> {
        let mixed = mix(number);
        // The first tenant sends half of all.
        let others = self.keys.len() as u64 - 1;
        let tenant = if mixed.is_multiple_of(2) {
            0
        } else {
            1 + (mixed >> 8) % others
        };
        let key = self.keys[tenant as usize];
        let streams = (mixed >> 16).is_multiple_of(3);
        let length = PROMPT.0 + (mixed >> 24) % (PROMPT.1 - PROMPT.0);
        let text = format!(
            "[[sim:tokens {ANSWER}]][[sim:chunk 20]] Request {number}: {}",
            words(length)
        );
        let mut body = json!({
            "model": self.name,
            "messages": [{"role": "user", "content": text}],
            "max_tokens": MAX_TOKENS,
            "stream": streams,
        });
        if (mixed >> 40).is_multiple_of(2) {
            body["user"] = json!(format!("{tenant}-{}", (mixed >> 48) % SESSIONS));
        }
        let body = Bytes::from(body.to_string());
        async move {
            let start = Instant::now();
            let mut answer = Answer {
                tenant: tenant as usize,
                streams,
                error: None,
                took: Duration::ZERO,
                attempts: 0,
                region: None,
            };
            for round in 0.. {
                let told = client.ask(gateway, key, body.clone(), start, &mut answer).await;
                let Err((error, wait)) = told else { break };
                if round >= retries {
                    answer.error = Some(error);
                    break;
                }
                tokio::time::sleep(wait.unwrap_or(FIRST_WAIT * (1 << round))).await;
            }
            answer
        }
    }
}

impl Client {
    pub(super) fn new() -> Self {
        Self(hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http())
    }

    /// Sets what the simulator has.
    pub(super) async fn put(&self, simulator: SocketAddr, what: &str, rows: &Value) -> Result<()> {
        let path = format!("/_simulator/{what}");
        self.simulator(Method::PUT, simulator, &path, rows.to_string())
            .await
            .map(drop)
    }

    /// Asks the simulator.
    pub(super) async fn get(&self, simulator: SocketAddr, path: &str) -> Result<Value> {
        let body = self.simulator(Method::GET, simulator, path, String::new()).await?;
        Ok(serde_json::from_slice(&body)?)
    }

    async fn simulator(&self, method: Method, address: SocketAddr, path: &str, body: String) -> Result<Bytes> {
        let malformed = |error: &dyn std::fmt::Display| Error::Malformed(format!("{path}: {error}"));
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{address}{path}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| malformed(&error))?;
        let response = self.0.request(request).await.map_err(|error| malformed(&error))?;
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|error| malformed(&error))?;
        let body = body.to_bytes();
        if !status.is_success() {
            return Err(malformed(&format!("{status}: {}", String::from_utf8_lossy(&body))));
        }
        Ok(body)
    }

    /// Asks the gateway once; an error comes with the time after which the client may ask again.
    async fn ask(
        &self,
        gateway: SocketAddr,
        key: &str,
        body: Bytes,
        start: Instant,
        answer: &mut Answer,
    ) -> std::result::Result<(), (String, Option<Duration>)> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("http://{gateway}/v1/chat/completions"))
            .header(AUTHORIZATION, format!("Bearer {key}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| (error.to_string(), None))?;
        let response = self
            .0
            .request(request)
            .await
            .map_err(|error| (error.to_string(), None))?;
        let (status, headers) = (response.status(), response.headers().clone());
        answer.attempts += number(&headers, "x-outcrop-attempts").unwrap_or(0) as u32;
        let mut body = response.into_body();
        let mut received = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| (format!("broke off: {error}"), None))?;
            if let Some(bytes) = frame.data_ref() {
                if received.is_empty() {
                    answer.took = start.elapsed();
                }
                received.extend_from_slice(bytes);
            }
        }
        if !answer.streams {
            answer.took = start.elapsed();
        }
        let text = String::from_utf8_lossy(&received);
        if status != StatusCode::OK {
            let wait = number(&headers, RETRY_AFTER.as_str()).map(Duration::from_secs);
            return Err((format!("{}: {}", status.as_u16(), message(&text)), wait));
        }
        let is_whole = if answer.streams {
            text.ends_with("data: [DONE]\n\n")
        } else {
            text.contains("\"usage\"")
        };
        if !is_whole {
            return Err(("an answer that isn't whole".to_owned(), None));
        }
        answer.region = headers
            .get("x-bedrock-region")
            .and_then(|value| Some(value.to_str().ok()?.to_owned()));
        Ok(())
    }
}

/// The message of an error.
fn message(text: &str) -> String {
    let parsed: Value = serde_json::from_str(text).unwrap_or_default();
    parsed["error"]["message"].as_str().unwrap_or(text).to_owned()
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// Numbers that look random, and are the same in each run (SplitMix64).
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// So many characters of text.
fn words(length: u64) -> String {
    "the quick brown fox jumps over a lazy dog and "
        .chars()
        .cycle()
        .take(length as usize)
        .collect()
}
