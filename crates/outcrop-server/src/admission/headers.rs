//! Quotas in OpenAI's headers, `x-ratelimit-…`.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use outcrop_routing::ledger::{RateLimit, RateLimits};

const REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
const TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// Sets the headers that tell of the quotas that are known.
pub(crate) fn rate_limit_headers(limits: &RateLimits, headers: &mut HeaderMap) {
    for (names, limit) in [(REQUESTS, limits.requests), (TOKENS, limits.tokens)] {
        let Some(RateLimit {
            limit,
            remaining,
            reset,
        }) = limit
        else {
            continue;
        };
        let values = [limit.to_string(), remaining.to_string(), reset_text(reset)];
        for (name, value) in names.into_iter().zip(values) {
            // Digits, letters and points can always stand in a header.
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

/// A time as OpenAI writes it: `120ms`, `1s`, `1.5s`, `6m0s`, `1h2m3s`.
fn reset_text(time: Duration) -> String {
    let millis = time.as_millis();
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = String::new();
    if hours > 0 {
        text.push_str(&format!("{hours}h"));
    }
    if hours > 0 || minutes > 0 {
        text.push_str(&format!("{minutes}m"));
    }
    text.push_str(&seconds.to_string());
    if millis > 0 {
        text.push('.');
        text.push_str(format!("{millis:03}").trim_end_matches('0'));
    }
    text.push('s');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_openai_writes_them() {
        for (millis, expected) in [
            (0, "0ms"),
            (120, "120ms"),
            (1000, "1s"),
            (1500, "1.5s"),
            (60_000, "1m0s"),
            (360_000, "6m0s"),
            (61_050, "1m1.05s"),
            (3_723_000, "1h2m3s"),
            (3_600_000, "1h0m0s"),
        ] {
            assert_eq!(reset_text(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn only_what_is_known_is_told() {
        let mut headers = HeaderMap::new();
        let limits = RateLimits {
            requests: None,
            tokens: Some(RateLimit {
                limit: 200_000,
                remaining: 150_000,
                reset: Duration::from_secs(58),
            }),
        };
        rate_limit_headers(&limits, &mut headers);
        let told: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(
            told,
            [
                ("x-ratelimit-limit-tokens", "200000"),
                ("x-ratelimit-remaining-tokens", "150000"),
                ("x-ratelimit-reset-tokens", "58s"),
            ]
        );
    }
}
