//! The load client: a fixed number of connections sends a fixed number of requests, each as soon as the one before it
//! on its connection is answered (a closed loop), and checks every answer.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::check::Expect;
use crate::error::{Doing, Error, Result};

/// What the client prints once each connection has seen the first byte of an answer.
pub(crate) const ALL_OPEN: &str = "all open";

/// What is to be sent, and how.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Whom to ask.
    pub(crate) target: SocketAddr,
    /// The path, as it stands on the wire.
    pub(crate) path: String,
    /// The body of each request; without one, it is a GET.
    pub(crate) body: Bytes,
    /// The key sent as a bearer token.
    pub(crate) key: String,
    /// Connections at once.
    pub(crate) connections: usize,
    /// Requests in all.
    pub(crate) requests: usize,
    /// The time over which the connections are started, evenly.
    pub(crate) ramp: Duration,
    /// How each answer should look.
    pub(crate) expect: Expect,
    /// How slowly the answers are read.
    pub(crate) slow: Option<Slow>,
    /// When to give up.
    pub(crate) time_limit: Duration,
}

/// A reader that lags behind for a while, then catches up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slow {
    /// Bytes per second, at first.
    pub(crate) bytes_per_second: u64,
    /// For how long.
    pub(crate) lasting: Duration,
}

/// What came of it; printed as one line of JSON.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Requests answered as they should be.
    pub(crate) ok: usize,
    /// Requests that failed in whatever way.
    pub(crate) errors: usize,
    /// The first failure.
    pub(crate) first_error: Option<String>,
    /// Bytes of all answers' bodies.
    pub(crate) bytes: u64,
    /// From the first connection to the last answer, in seconds.
    pub(crate) seconds: f64,
    /// From sending a request to the first byte of its answer's body, in microseconds: the median.
    pub(crate) first_byte_p50_us: f64,
    /// The same, 99th percentile.
    pub(crate) first_byte_p99_us: f64,
}

/// What the connections share.
#[derive(Debug)]
struct Shared {
    job: Job,
    /// Requests begun.
    begun: AtomicUsize,
    /// Connections that have seen a first byte.
    open: AtomicUsize,
}

/// What one connection has seen.
#[derive(Debug, Default)]
struct Tally {
    ok: usize,
    errors: Vec<String>,
    bytes: u64,
    first_bytes: Vec<Duration>,
}

/// Does the job. Failures of requests are in the report.
pub(crate) async fn run(job: Job) -> Result<Report> {
    let start = Instant::now();
    let time_limit = job.time_limit;
    let shared = Arc::new(Shared {
        job,
        begun: AtomicUsize::new(0),
        open: AtomicUsize::new(0),
    });
    let mut connections = JoinSet::new();
    for number in 0..shared.job.connections {
        connections.spawn(connection(shared.clone(), number));
    }
    let tallies = tokio::time::timeout(time_limit, connections.join_all())
        .await
        .map_err(|_| Error::Malformed(format!("not answered within {time_limit:?}")))?;
    Ok(report(tallies, start.elapsed()))
}

fn report(tallies: Vec<Tally>, elapsed: Duration) -> Report {
    let mut report = Report {
        seconds: elapsed.as_secs_f64(),
        ..Report::default()
    };
    let mut first_bytes = Vec::new();
    for tally in tallies {
        report.ok += tally.ok;
        report.errors += tally.errors.len();
        report.bytes += tally.bytes;
        report.first_error = report.first_error.or(tally.errors.into_iter().next());
        first_bytes.extend(tally.first_bytes);
    }
    first_bytes.sort_unstable();
    let at = |part: f64| {
        let index = (first_bytes.len().saturating_sub(1) as f64 * part).round() as usize;
        first_bytes.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    };
    (report.first_byte_p50_us, report.first_byte_p99_us) = (at(0.5), at(0.99));
    report
}

/// The life of one connection, opened anew after a failure.
async fn connection(shared: Arc<Shared>, number: usize) -> Tally {
    let job = &shared.job;
    tokio::time::sleep(job.ramp.mul_f64(number as f64 / job.connections as f64)).await;
    let mut tally = Tally::default();
    let mut sender = None;
    while shared.begun.fetch_add(1, Ordering::Relaxed) < job.requests {
        let connected = match sender.take() {
            Some(sender) => Ok(sender),
            None => connect(job.target).await,
        };
        let answered = match connected {
            Ok(mut connected) => exchange(&shared, &mut connected, &mut tally).await.map(|()| connected),
            Err(error) => Err(error),
        };
        match answered {
            Ok(usable) => {
                tally.ok += 1;
                sender = Some(usable);
            }
            Err(error) => tally.errors.push(error),
        }
    }
    tally
}

async fn connect(target: SocketAddr) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect(target)
        .await
        .map_err(|error| format!("connect: {error}"))?;
    stream
        .set_nodelay(true)
        .map_err(|error| format!("set no-delay: {error}"))?;
    let (sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("handshake: {error}"))?;
    tokio::spawn(connection);
    Ok(sender)
}

/// One request and its whole answer.
async fn exchange(shared: &Shared, sender: &mut SendRequest<Full<Bytes>>, tally: &mut Tally) -> Result<(), String> {
    let job = &shared.job;
    // Whoever has nothing to send, asks for something.
    let method = if job.body.is_empty() { Method::GET } else { Method::POST };
    let request = Request::builder()
        .method(method)
        .uri(job.path.as_str())
        .header(HOST, job.target.to_string())
        .header(AUTHORIZATION, format!("Bearer {}", job.key))
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(job.body.clone()))
        .map_err(|error| error.to_string())?;
    sender.ready().await.map_err(|error| format!("connection: {error}"))?;
    let start = Instant::now();
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| format!("send: {error}"))?;
    let status = response.status();
    let mut body = response.into_body();
    if status != StatusCode::OK {
        let text = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        return Err(format!("status {status}: {}", String::from_utf8_lossy(&text)));
    }
    let mut check = job.expect.check();
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| format!("body: {error}"))?;
        let Some(bytes) = frame.data_ref() else {
            continue;
        };
        if received == 0 && !bytes.is_empty() {
            tally.first_bytes.push(start.elapsed());
            announce(shared)?;
        }
        received += bytes.len() as u64;
        check.push(bytes);
        if let Some(slow) = job.slow {
            lag(slow, start, received).await;
        }
    }
    tally.bytes += received;
    check.finish()
}

/// Tells the harness when each connection holds an answer that has begun.
fn announce(shared: &Shared) -> Result<(), String> {
    if shared.open.fetch_add(1, Ordering::Relaxed) + 1 == shared.job.connections {
        writeln!(std::io::stdout(), "{ALL_OPEN}").map_err(|error| format!("print: {error}"))?;
    }
    Ok(())
}

/// Waits until `received` bytes are due at the slow pace.
async fn lag(slow: Slow, start: Instant, received: u64) {
    let due = Duration::from_secs_f64(received as f64 / slow.bytes_per_second as f64).min(slow.lasting);
    if let Some(early) = due.checked_sub(start.elapsed()) {
        tokio::time::sleep(early).await;
    }
}

/// The job in words of the command line; the body goes through a file.
pub(crate) fn to_args(job: &Job, body_file: &std::path::Path) -> Vec<String> {
    let mut args = vec![
        "load".to_owned(),
        format!("--target={}", job.target),
        format!("--path={}", job.path),
        format!("--body={}", body_file.display()),
        format!("--key={}", job.key),
        format!("--connections={}", job.connections),
        format!("--requests={}", job.requests),
        format!("--ramp-ms={}", job.ramp.as_millis()),
        format!("--expect={}", job.expect.to_arg()),
        format!("--time-limit-s={}", job.time_limit.as_secs()),
    ];
    if let Some(slow) = job.slow {
        args.push(format!("--slow-bytes-per-s={}", slow.bytes_per_second));
        args.push(format!("--slow-ms={}", slow.lasting.as_millis()));
    }
    args
}

/// Prints the report as one line.
pub(crate) fn print(report: &Report) -> Result<()> {
    let line = serde_json::to_string(report)?;
    writeln!(std::io::stdout(), "{line}").doing("print the report")
}
