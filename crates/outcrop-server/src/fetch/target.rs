//! What may be asked for: the URL itself, before any connection.

use http::HeaderValue;
use url::Url;

use super::error::{FetchError, Reason};

/// The longest URL, in bytes. Signed URLs of object stores are some 2,000 long; servers tend to refuse 8,192 and more.
const MAX_URL_BYTES: usize = 8192;

/// Reads a client's URL. The parser is the one that browsers agreed on (WHATWG), so that the odd spellings of an
/// address (`0x7f.1`, `2130706433`, `127.0.0.1.`) come out as that address.
pub(super) fn parse(text: &str) -> Result<Url, FetchError> {
    if text.len() > MAX_URL_BYTES {
        return Err(bad("it is longer than 8,192 bytes"));
    }
    checked(Url::parse(text).map_err(|_| bad("it is not a valid URL"))?)
}

/// Where a redirect leads. It must not give up encryption that the first URL had.
pub(super) fn follow(from: &Url, location: &HeaderValue) -> Result<Url, FetchError> {
    let location = std::str::from_utf8(location.as_bytes()).ok();
    let location = location.filter(|location| location.len() <= MAX_URL_BYTES);
    let Some(Ok(to)) = location.map(|location| from.join(location)) else {
        return Err(FetchError::new(Reason::BadRedirect, host_of(from)));
    };
    let to = checked(to)?;
    if from.scheme() == "https" && to.scheme() != "https" {
        return Err(FetchError::new(Reason::Downgrade, host_of(&to)));
    }
    Ok(to)
}

fn checked(mut url: Url) -> Result<Url, FetchError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("only http:// and https:// URLs are fetched"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("a user name or password has no place in it"));
    }
    if url.port() == Some(0) {
        return Err(bad("0 is no port"));
    }
    url.set_fragment(None);
    Ok(url)
}

/// What the log may have of a URL: the rest can carry a signature.
pub(super) fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

fn bad(why: &'static str) -> FetchError {
    FetchError::new(Reason::Url(why), String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(result: Result<Url, FetchError>) -> Reason {
        result.map(String::from).unwrap_err().reason
    }

    #[test]
    fn only_plain_http_urls_are_taken() {
        for good in [
            "https://example.com",
            "HTTP://example.com:8080/a?b=c#d",
            "https://example.com/a b/ü.png",
            "http://[2600::1]:80/",
            "https://@example.com/",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "example.com/a.png",
            "/etc/passwd",
            "//example.com/a",
            "file:///etc/passwd",
            "ftp://example.com/a",
            "gopher://example.com/",
            "data:image/png;base64,AAAA",
            "javascript:alert(1)",
            "http://",
            "http://user@example.com/",
            "http://user:password@example.com/",
            "http://:password@example.com/",
            "http://example.com:0/",
            "http://example.com:99999/",
            "http://[::1/",
            "http://[fe80::1%25eth0]/",
            "http://256.256.256.256/",
            "http://a b/",
        ] {
            assert!(matches!(reason(parse(bad)), Reason::Url(_)), "{bad}");
        }
        let long = format!("http://example.com/{}", "a".repeat(MAX_URL_BYTES));
        assert!(matches!(reason(parse(&long)), Reason::Url(_)));
    }

    #[test]
    fn odd_spellings_of_an_address_are_that_address() {
        for odd in [
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://017700000001/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://１２７.0.0.1/",
            "http://127。0。0。1/",
            "http://%31%32%37.0.0.1/",
            "http:\\\\127.0.0.1\\",
            "http:127.0.0.1",
            "ht\ntp://127.0.\t0.1/",
        ] {
            assert_eq!(parse(odd).unwrap().as_str(), "http://127.0.0.1/", "{odd}");
        }
        assert_eq!(
            parse("http://[0:0:0:0:0:ffff:169.254.169.254]/").unwrap().as_str(),
            "http://[::ffff:a9fe:a9fe]/"
        );
    }

    #[test]
    fn a_redirect_is_resolved_and_checked_like_a_url() {
        let from = parse("https://example.com/a/b?c").unwrap();
        let follow = |location: &'static str| follow(&from, &HeaderValue::from_static(location));
        for (location, expected) in [
            ("https://other.example/x#y", "https://other.example/x"),
            ("//other.example/x", "https://other.example/x"),
            ("/x", "https://example.com/x"),
            ("../x", "https://example.com/x"),
            ("?d", "https://example.com/a/b?d"),
        ] {
            assert_eq!(follow(location).unwrap().as_str(), expected);
        }
        assert!(matches!(reason(follow("http://example.com/")), Reason::Downgrade));
        assert!(matches!(reason(follow("file:///etc/passwd")), Reason::Url(_)));
        assert!(matches!(reason(follow("https://u:p@example.com/")), Reason::Url(_)));
        assert!(matches!(reason(follow("https://[")), Reason::BadRedirect));
    }
}
