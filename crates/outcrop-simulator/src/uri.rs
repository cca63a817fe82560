//! Percent-encoding, as signatures and model ids in paths need it.

use std::fmt::Write as _;

/// Encodes all but RFC 3986's unreserved characters and those in `keep`.
pub(crate) fn encode(text: &str, keep: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || keep.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Decodes `%XX`; what isn't such a sequence stays as it is. `None` if the result isn't UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok()
}

/// The decoded pairs of a query, in the order given. A name without `=` has an empty value.
pub(crate) fn query(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let decoded = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name).unwrap_or_default(), decode(value).unwrap_or_default())
    });
    decoded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_comes_back() {
        let arn = "arn:aws:bedrock:us-east-1::foundation-model/a.b-v1:0";
        let encoded = encode(arn, "");
        assert_eq!(
            encoded,
            "arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2Fa.b-v1%3A0"
        );
        assert_eq!(decode(&encoded).as_deref(), Some(arn));
    }

    #[test]
    fn half_sequences_stay_as_they_are() {
        assert_eq!(decode("100%"), Some("100%".to_owned()));
        assert_eq!(decode("%zz%4"), Some("%zz%4".to_owned()));
        assert_eq!(decode("%ff"), None);
    }
}
