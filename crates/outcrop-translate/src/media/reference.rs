//! Where a medium's bytes are, by what the client wrote.

use std::borrow::Cow;

use outcrop_bedrock::base64::Base64;
use outcrop_bedrock::json::{Fault, JsonText};

/// Where the bytes are.
#[derive(Clone, Debug)]
pub(super) enum Reference<'a> {
    /// In the request itself.
    Inline {
        base64: Base64<'a>,
        media_type: Option<String>,
    },
    /// Behind an http or https URL.
    Url(Cow<'a, str>),
    /// In a bucket: `s3://bucket/key`.
    S3(Cow<'a, str>),
}

/// What a field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A URL: `data:`, `http:`, `https:` or `s3:`.
    Url,
    /// A URL, or base64 without any label.
    UrlOrBase64,
}

/// The most characters of an S3 URI (service model of Bedrock Runtime, botocore 1.44.5, 2026-11).
const MAX_S3_URI_CHARS: usize = 1024;

impl<'a> Reference<'a> {
    pub(super) fn read(text: &'a JsonText<'_>, form: Form) -> Result<Self, Fault> {
        let text = text.decoded();
        // A scheme is short; base64 has no colon in it, and may be long.
        let scheme = text
            .bytes()
            .take(16)
            .position(|byte| byte == b':')
            .and_then(|end| text.get(..end))
            .unwrap_or_default()
            .to_ascii_lowercase();
        match scheme.as_str() {
            "data" => Self::read_data_url(text),
            "http" | "https" => Ok(Self::Url(text)),
            "s3" => Self::read_s3_uri(text),
            _ if form == Form::UrlOrBase64 => Ok(Self::Inline {
                base64: Base64::parse(text).ok_or_else(|| Fault::shape("expected base64, or a data URL"))?,
                media_type: None,
            }),
            _ => Err(Fault::shape(
                "expected a data URL, such as 'data:image/png;base64,…', or an http, https or s3 URL",
            )),
        }
    }

    fn read_data_url(url: Cow<'a, str>) -> Result<Self, Fault> {
        let (head, payload) = match url {
            Cow::Borrowed(url) => split_data_url(url).map(|(head, payload)| (head, Cow::Borrowed(payload))),
            Cow::Owned(url) => split_data_url(&url).map(|(head, payload)| (head, Cow::Owned(payload.to_owned()))),
        }
        .ok_or_else(|| Fault::shape("the data URL is not in base64"))?;
        let base64 = Base64::parse(payload).ok_or_else(|| Fault::shape("the data URL is not valid base64"))?;
        let media_type = Some(head).filter(|head| !head.is_empty());
        Ok(Self::Inline { base64, media_type })
    }

    /// Checks the URI against the service model's pattern, `s3://[a-z0-9][.\-a-z0-9]{1,61}[a-z0-9](/.*)?`.
    fn read_s3_uri(uri: Cow<'a, str>) -> Result<Self, Fault> {
        let rest = uri.get(5..).unwrap_or_default();
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let is_end = |letter: Option<u8>| letter.is_some_and(|l| l.is_ascii_lowercase() || l.is_ascii_digit());
        let is_bucket = (3..=63).contains(&bucket.len())
            && is_end(bucket.bytes().next())
            && is_end(bucket.bytes().last())
            && bucket
                .bytes()
                .all(|letter| is_end(Some(letter)) || b".-".contains(&letter));
        if !uri.starts_with("s3://") || !is_bucket || key.is_empty() || key.contains('\n') {
            return Err(Fault::shape("expected 's3://bucket/key'"));
        }
        if uri.len() > MAX_S3_URI_CHARS {
            let found = uri.len();
            return Err(Fault::shape(format!(
                "the S3 URI has {found} characters, but Bedrock takes at most {MAX_S3_URI_CHARS}"
            )));
        }
        Ok(Self::S3(uri))
    }
}

/// The media type, and the base64.
fn split_data_url(url: &str) -> Option<(String, &str)> {
    let (head, payload) = url.split_once(',')?;
    let head = head.get("data:".len()..)?.to_ascii_lowercase();
    let media_type = head.strip_suffix(";base64")?;
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    Some((media_type.to_owned(), payload))
}
