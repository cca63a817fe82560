//! Images as models of vectors take them.

use serde_json::Value;

use super::{decoded, text_at};
use crate::refusal::Refusal;
use crate::rules::image_format;

/// The bytes of an image in base64, if it is one of `formats` and no larger than `max_bytes`.
///
/// # Errors
///
/// Something else.
pub(super) fn bytes(encoded: &str, place: &str, formats: &[&str], max_bytes: usize) -> Result<Vec<u8>, Refusal> {
    let bytes = decoded(encoded, place)?;
    if bytes.len() > max_bytes {
        return Err(Refusal::validation(format!(
            "{place}: the image has {} bytes, the maximum is {max_bytes}.",
            bytes.len()
        )));
    }
    match image_format(&bytes) {
        Some(format) if formats.contains(&format) => Ok(bytes),
        _ => Err(Refusal::validation(format!(
            "{place}: the image could not be processed. Supported formats: {}.",
            formats.join(", ")
        ))),
    }
}

/// The bytes of an image in a data URL, which names its own format.
///
/// # Errors
///
/// What isn't one, or says that it is another format.
pub(super) fn of_data_url(url: &str, place: &str, formats: &[&str], max_bytes: usize) -> Result<Vec<u8>, Refusal> {
    let parts = url
        .strip_prefix("data:image/")
        .and_then(|rest| rest.split_once(";base64,"));
    let Some((declared, encoded)) = parts else {
        return Err(Refusal::validation(format!(
            "invalid request: {place} must be a data URI with an image in base64"
        )));
    };
    bytes(encoded, place, &[declared], max_bytes).and_then(|bytes| match formats.contains(&declared) {
        true => Ok(bytes),
        false => Err(Refusal::validation(format!(
            "invalid request: {place}: image/{declared} is not supported"
        ))),
    })
}

/// What `{"s3Location": …}` names can't be read here.
///
/// # Errors
///
/// Always, if it's there.
pub(super) fn refuse_s3(body: &Value, path: &str) -> Result<(), Refusal> {
    match text_at(body, &format!("{path}/s3Location/uri")) {
        Some(uri) => Err(Refusal::validation(format!("Unable to read the object at {uri}."))),
        None => Ok(()),
    }
}
