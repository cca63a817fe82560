//! What a request says of the cache: `cache` in its body, as LiteLLM has it (its document on cache controls, read
//! 2026-11), and `Cache-Control` (RFC 9111).

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CACHE_CONTROL;
use outcrop_bedrock::json::{Fault, Json, Kind, Reader};
use outcrop_translate::Problem;

/// The longest time that makes sense, in seconds: some thirty years, and no sum of it overflows.
const LONGEST_SECONDS: f64 = 1e9;

/// What a request wants of the cache.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Control {
    /// No answer from the cache.
    pub(super) no_cache: bool,
    /// The answer isn't kept.
    pub(super) no_store: bool,
    /// The cache, although the answer may be another each time.
    pub(super) use_cache: bool,
    /// For how long the answer is kept.
    pub(super) ttl: Option<Duration>,
    /// How old an answer may be.
    pub(super) max_age: Option<Duration>,
    /// A part of the caller's own, apart from the others.
    pub(super) namespace: Option<String>,
}

impl Control {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut control = Self::default();
        reader.object(|name, reader| {
            match name {
                "no-cache" => control.no_cache = reader.nullable(Reader::bool)?.unwrap_or_default(),
                "no-store" => control.no_store = reader.nullable(Reader::bool)?.unwrap_or_default(),
                "use-cache" => control.use_cache = reader.nullable(Reader::bool)?.unwrap_or_default(),
                "ttl" => control.ttl = reader.nullable(seconds)?,
                "s-maxage" | "s-max-age" => control.max_age = reader.nullable(seconds)?,
                "namespace" => {
                    control.namespace = reader.nullable(Reader::string)?.map(|name| name.into_owned());
                }
                _ => {
                    return Err(Fault::shape(
                        "expected 'no-cache', 'no-store', 'use-cache', 'ttl', 's-maxage' or 'namespace'",
                    ));
                }
            }
            Ok(())
        })?;
        Ok(control)
    }

    /// Adds what headers say. As HTTP wants it, what isn't understood is passed over.
    pub(super) fn read_headers(&mut self, headers: &HeaderMap) {
        let values = headers.get_all(CACHE_CONTROL).iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        for directive in texts.flat_map(|text| text.split(',')) {
            let directive = directive.trim().to_ascii_lowercase();
            match directive.split_once('=').map_or((directive.as_str(), ""), |pair| pair) {
                ("no-cache", _) => self.no_cache = true,
                ("no-store", _) => self.no_store = true,
                ("max-age", age) => {
                    let age = age.trim_matches('"').parse().map(Duration::from_secs);
                    self.max_age = [self.max_age, age.ok()].into_iter().flatten().min();
                }
                _ => {}
            }
        }
    }

    /// Whether the cache has nothing to do with the request.
    pub(super) fn leaves_out_all(&self) -> bool {
        self.no_cache && self.no_store
    }
}

fn seconds(reader: &mut Reader<'_>) -> Result<Duration, Fault> {
    let seconds = reader.number()?;
    if !(0.0..=LONGEST_SECONDS).contains(&seconds) {
        return Err(Fault::shape("expected a number of seconds, 0 or above"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// What a request says that matters to the cache.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) control: Control,
    /// Whether it is JSON at all.
    pub(super) is_object: bool,
    /// Whether `temperature` is 0.
    pub(super) is_cold: bool,
    /// Whether there is a `seed`.
    pub(super) has_seed: bool,
    /// Whether the answer is to hold its files itself: those that it only names are gone after a while.
    pub(super) wants_all_here: bool,
}

impl Said {
    /// Reads a request's body, and no more of it than that. What else is wrong with it is for others to say.
    ///
    /// # Errors
    /// When its `cache` is wrong.
    pub(super) fn read(body: &Bytes) -> Result<Self, Problem> {
        let mut said = Self::default();
        match said.read_body(body) {
            Ok(()) => said.is_object = true,
            Err(fault) if fault.offset.is_none() && is_ours(&fault.path) => return Err(fault.into()),
            Err(_) => {}
        }
        Ok(said)
    }

    fn read_body(&mut self, body: &[u8]) -> Result<(), Fault> {
        let mut extra_body: Option<Json<'_>> = None;
        Reader::document(body, |reader| {
            reader.object(|name, reader| match name {
                "extra_body" => {
                    extra_body = reader.nullable(Reader::json)?;
                    Ok(())
                }
                _ => self.read_member(name, reader),
            })
        })?;
        // As everywhere, its members win.
        if let Some(extra_body) = extra_body.as_ref().filter(|extra| extra.as_str().starts_with('{')) {
            let read = extra_body.read(|reader| reader.object(|name, reader| self.read_member(name, reader)));
            read.map_err(|fault| fault.under_key("extra_body"))?;
        }
        Ok(())
    }

    fn read_member(&mut self, name: &str, reader: &mut Reader<'_>) -> Result<(), Fault> {
        match (name, reader.kind()?) {
            ("cache", Kind::Null) => reader.skip()?,
            ("cache", _) => self.control = Control::read(reader)?,
            ("temperature", Kind::Number) => self.is_cold = reader.number()? == 0.0,
            ("seed", kind) => {
                reader.skip()?;
                self.has_seed = kind == Kind::Number;
            }
            ("response_format", Kind::String) => self.wants_all_here = reader.string()? == "b64_json",
            _ => reader.skip()?,
        }
        Ok(())
    }
}

fn is_ours(path: &str) -> bool {
    let path = path.strip_prefix("extra_body.").unwrap_or(path);
    path == "cache" || path.starts_with("cache.")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn said(body: &'static str) -> Said {
        Said::read(&Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn cache_is_read_as_litellm_has_it() {
        let control =
            said(r#"{"cache": {"no-cache": true, "ttl": 1.5, "s-maxage": 60, "namespace": "a", "use-cache": null}}"#)
                .control;
        let expected = Control {
            no_cache: true,
            ttl: Some(Duration::from_millis(1500)),
            max_age: Some(Duration::from_secs(60)),
            namespace: Some("a".to_owned()),
            ..Control::default()
        };
        assert_eq!(control, expected);
        let inner = said(r#"{"extra_body": {"cache": {"no-store": true}}, "cache": {"no-cache": true}}"#).control;
        assert!(inner.no_store && !inner.no_cache, "{inner:?}");
        assert_eq!(said(r#"{"cache": null}"#).control, Control::default());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (cache, param) in [
            (r#"{"ttl": "1"}"#, "cache.ttl"),
            (r#"{"ttl": -1}"#, "cache.ttl"),
            (r#"{"ttl": 1e99}"#, "cache.ttl"),
            (r#"{"s-maxage": true}"#, "cache.s-maxage"),
            (r#"{"no-cache": 1}"#, "cache.no-cache"),
            (r#"{"namespace": 1}"#, "cache.namespace"),
            (r#"{"no_cache": true}"#, "cache.no_cache"),
            ("true", "cache"),
        ] {
            let problem = Said::read(&format!(r#"{{"cache": {cache}}}"#).into()).unwrap_err();
            assert_eq!(
                (problem.status, problem.param.as_deref()),
                (400, Some(param)),
                "{cache}"
            );
        }
    }

    #[test]
    fn what_else_is_wrong_is_not_ours() {
        for body in [
            "",
            "[]",
            "{",
            r#"{"temperature": "x"}"#,
            r#"{"messages": {"cache": 1}}"#,
        ] {
            assert!(Said::read(&Bytes::from_static(body.as_bytes())).is_ok(), "{body}");
        }
        assert!(!said("{").is_object && said("{}").is_object);
    }

    #[test]
    fn cold_is_zero_however_it_is_written() {
        for (body, is_cold) in [
            (r#"{"temperature": 0}"#, true),
            (r#"{"temperature": 0.0}"#, true),
            (r#"{"temperature": 0e3}"#, true),
            (r#"{"temperature": 0.1}"#, false),
            (r#"{"temperature": null}"#, false),
            (r#"{"temperature": 0, "extra_body": {"temperature": 1}}"#, false),
            ("{}", false),
        ] {
            assert_eq!(said(body).is_cold, is_cold, "{body}");
        }
    }

    #[test]
    fn headers_say_it_too() {
        let mut headers = HeaderMap::new();
        headers.append(CACHE_CONTROL, HeaderValue::from_static("No-Cache, max-age=5"));
        headers.append(CACHE_CONTROL, HeaderValue::from_static("no-store, max-age=x, other"));
        let mut control = Control {
            max_age: Some(Duration::from_secs(9)),
            ..Control::default()
        };
        control.read_headers(&headers);
        assert!(control.leaves_out_all());
        assert_eq!(control.max_age, Some(Duration::from_secs(5)));
    }
}
