//! The canonical request of SigV4: what both sides hash.

use std::fmt::Write as _;

use http::HeaderMap;
use ring::digest::{SHA256, digest};

use super::Signed;
use crate::uri;

/// The canonical request's text, over the headers named in `signed_headers`.
pub(super) fn request(request: &Signed<'_>, signed_headers: &[&str]) -> String {
    let mut out = format!("{}\n{}\n{}\n", request.method, path(request.path), query(request.query));
    for name in signed_headers {
        // Writing to a String can't fail.
        let _ = writeln!(out, "{name}:{}", header(request.headers, name));
    }
    let _ = write!(out, "\n{}\n{}", signed_headers.join(";"), sha256(request.body));
    out
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

/// The path, normalised and encoded once more: all services but S3 encode the path as sent a second time, so a model id
/// that came as `%3A` is signed as `%253A`.
fn path(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let end = if path.ends_with('/') && !kept.is_empty() {
        "/"
    } else {
        ""
    };
    uri::encode(&format!("/{}{end}", kept.join("/")), "/")
}

fn query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = uri::query(query)
        .into_iter()
        .map(|(name, value)| (uri::encode(&name, ""), uri::encode(&value, "")))
        .collect();
    pairs.sort();
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

fn header(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    });
    values.collect::<Vec<_>>().join(",")
}
