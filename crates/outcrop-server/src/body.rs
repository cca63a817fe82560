//! The body of a request: read within limits of size, time and type.

use std::io::Read as _;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use flate2::read::{GzDecoder, ZlibDecoder};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, EXPECT};
use http::request::Parts;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use outcrop_translate::{Problem, ProblemKind};

use crate::config::Config;

/// The largest first allocation for a body whose length is only announced.
const MAX_TRUSTED_BYTES: u64 = 4 * 1024 * 1024;
/// How much of a body over the limit is read and thrown away, in multiples of the limit, so that a client which sends
/// first and reads later gets to read the error.
const DRAIN_FACTOR: usize = 2;
/// Media type of forms with files.
pub(crate) const FORM: &str = "multipart/form-data";
/// A sender that pauses for this long is waiting for the answer.
const DRAIN_PATIENCE: Duration = Duration::from_millis(250);

/// What the body of a request may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// JSON.
    Json,
    /// JSON, or a form.
    JsonOrForm,
}

/// Reads the body of a request.
///
/// # Errors
/// When its type, encoding, size or speed is not acceptable.
pub(crate) async fn read(head: &Parts, body: Body, takes: Takes, config: &Config) -> Result<Bytes, Problem> {
    read_within(head, body, takes, config, config.body_limit).await
}

/// The same within a limit that is smaller than that of requests to models.
///
/// # Errors
/// When its type, encoding, size or speed is not acceptable.
pub(crate) async fn read_within(
    head: &Parts,
    body: Body,
    takes: Takes,
    config: &Config,
    limit: usize,
) -> Result<Bytes, Problem> {
    let limit = limit.min(config.body_limit);
    let encoding = match check_content_type(head, takes).and_then(|()| encoding(head)) {
        Ok(encoding) => encoding,
        Err(problem) => {
            discard(head, body, config).await;
            return Err(problem);
        }
    };
    let reading = read_bytes(head, body, limit);
    let bytes = tokio::time::timeout(config.body_timeout, reading).await.map_err(|_| {
        let message = format!("The request body did not arrive within {:?}.", config.body_timeout);
        Problem::new(408, ProblemKind::Timeout, message).with_code("request_timeout")
    })??;
    match encoding {
        None => Ok(bytes),
        Some(encoding) => {
            // Decompressing takes the processor for a while; others should be answered meanwhile.
            tokio::task::spawn_blocking(move || decompress(&bytes, encoding, limit))
                .await
                .map_err(|_| invalid_encoding())?
        }
    }
}

#[derive(Clone, Copy)]
enum Encoding {
    Gzip,
    Deflate,
}

fn check_content_type(head: &Parts, takes: Takes) -> Result<(), Problem> {
    let Some(essence) = essence(head) else {
        return Ok(());
    };
    let is_json = essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    if is_json || (takes == Takes::JsonOrForm && essence == FORM) {
        return Ok(());
    }
    let message = match takes {
        Takes::Json => "Unsupported content type: send the request body as 'application/json'.",
        Takes::JsonOrForm => {
            "Unsupported content type: send the request body as 'multipart/form-data' or 'application/json'."
        }
    };
    Err(Problem::new(415, ProblemKind::InvalidRequest, message)
        .with_code("unsupported_content_type")
        .with_param("content-type"))
}

/// The media type of the body, in small letters and without parameters; `None` where the client doesn't say.
pub(crate) fn essence(head: &Parts) -> Option<String> {
    let value = head.headers.get(CONTENT_TYPE)?.to_str().unwrap_or_default();
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn encoding(head: &Parts) -> Result<Option<Encoding>, Problem> {
    let Some(value) = head.headers.get(CONTENT_ENCODING) else {
        return Ok(None);
    };
    match value.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
        b"" | b"identity" => Ok(None),
        b"gzip" | b"x-gzip" => Ok(Some(Encoding::Gzip)),
        b"deflate" => Ok(Some(Encoding::Deflate)),
        _ => {
            let message = "Unsupported content encoding: send the request body as it is, or with 'gzip' or 'deflate'.";
            Err(Problem::new(415, ProblemKind::InvalidRequest, message)
                .with_code("unsupported_content_encoding")
                .with_param("content-encoding"))
        }
    }
}

async fn read_bytes(head: &Parts, mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    let announced = body.size_hint().lower();
    if announced > limit as u64 {
        // A client that waits for leave to send has nothing to be rid of.
        if !head.headers.contains_key(EXPECT) {
            drain(&mut body, limit.saturating_mul(DRAIN_FACTOR)).await;
        }
        return Err(too_large(limit));
    }
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Problem::invalid("The request body could not be read to its end.").with_code("incomplete_body")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            drain(&mut body, limit.saturating_mul(DRAIN_FACTOR)).await;
            return Err(too_large(limit));
        }
        if bytes.is_empty() {
            if body.is_end_stream() {
                return Ok(data);
            }
            // The capacity is not a promise: what is announced may never come.
            bytes.reserve(announced.min(MAX_TRUSTED_BYTES) as usize);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

/// Reads and forgets the body of a request that is refused for something else, within the same limits.
pub(crate) async fn discard(head: &Parts, mut body: Body, config: &Config) {
    if !head.headers.contains_key(EXPECT) {
        // Whatever of it does not come in time, the connection is closed over.
        let _ = tokio::time::timeout(config.body_timeout, drain(&mut body, config.body_limit)).await;
    }
}

async fn drain(body: &mut Body, limit: usize) {
    let mut drained = 0;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(DRAIN_PATIENCE, body.frame()).await {
        drained += frame.data_ref().map_or(0, Bytes::len);
        if drained > limit {
            return;
        }
    }
}

fn decompress(bytes: &[u8], encoding: Encoding, limit: usize) -> Result<Bytes, Problem> {
    let mut plain = Vec::new();
    let enough = limit as u64 + 1;
    let read = match encoding {
        Encoding::Gzip => GzDecoder::new(bytes).take(enough).read_to_end(&mut plain),
        Encoding::Deflate => ZlibDecoder::new(bytes).take(enough).read_to_end(&mut plain),
    };
    read.map_err(|_| invalid_encoding())?;
    if plain.len() > limit {
        return Err(too_large(limit));
    }
    Ok(plain.into())
}

fn invalid_encoding() -> Problem {
    Problem::invalid("The request body is not what its content encoding says.")
        .with_code("invalid_content_encoding")
        .with_param("content-encoding")
}

fn too_large(limit: usize) -> Problem {
    let message = format!("The request body is larger than {limit} bytes.");
    Problem::new(413, ProblemKind::InvalidRequest, message).with_code("request_too_large")
}
