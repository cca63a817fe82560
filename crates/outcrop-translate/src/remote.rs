//! What requests point to by URL. Translation doesn't fetch: it says what it lacks, and is asked again once that is
//! there.

use std::collections::HashMap;

use bytes::Bytes;

/// What was fetched for a request, and what is still to be.
#[derive(Clone, Debug, Default)]
pub struct Remote {
    fetched: HashMap<String, Result<Fetched, String>>,
    missing: Vec<String>,
    left_out: Vec<String>,
}

/// As many URLs are asked for in one request; nobody fetches more.
const MAX_MISSING: usize = 128;

/// What a URL led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// All of it.
    pub bytes: Bytes,
    /// The media type that its server claims; only asked where the bytes tell nothing.
    pub media_type: Option<String>,
}

impl Remote {
    /// Adds what `url` led to.
    pub fn add(&mut self, url: impl Into<String>, fetched: Fetched) {
        self.settle(url.into(), Ok(fetched));
    }

    /// Adds that `url` can't be fetched. `reason` is read by the client, after "the URL can't be fetched: ".
    pub fn add_failure(&mut self, url: impl Into<String>, reason: impl Into<String>) {
        self.settle(url.into(), Err(reason.into()));
    }

    /// Has a name stand in for what `url` leads to, as where a call is only described. Such a plan is to be looked at,
    /// not carried out.
    pub fn leave_out(&mut self, url: impl Into<String>) {
        let url = url.into();
        self.missing.retain(|missing| *missing != url);
        if !self.left_out.contains(&url) {
            self.left_out.push(url);
        }
    }

    /// The URLs that a name stands in for.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Whether a name stands in for what `url` leads to.
    pub(crate) fn is_left_out(&self, url: &str) -> bool {
        self.left_out.iter().any(|left_out| left_out == url)
    }

    fn settle(&mut self, url: String, outcome: Result<Fetched, String>) {
        self.missing.retain(|missing| *missing != url);
        self.fetched.insert(url, outcome);
    }

    /// The URLs that a translation asked for in vain, each once, in the order of the request. While there are any, what
    /// the translation made must be thrown away.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// What `url` led to; `None` notes it as missing.
    pub(crate) fn look_up(&mut self, url: &str) -> Option<&Result<Fetched, String>> {
        if self.missing.len() < MAX_MISSING
            && !self.fetched.contains_key(url)
            && !self.missing.iter().any(|missing| missing == url)
        {
            self.missing.push(url.to_owned());
        }
        self.fetched.get(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_once_in_order_until_it_is_there() {
        let mut remote = Remote::default();
        for url in ["https://b", "https://a", "https://b"] {
            assert!(remote.look_up(url).is_none());
        }
        assert_eq!(remote.missing(), ["https://b", "https://a"]);
        let fetched = Fetched {
            bytes: Bytes::from_static(b"x"),
            media_type: None,
        };
        remote.add("https://b", fetched.clone());
        remote.add_failure("https://a", "it took too long");
        assert!(remote.missing().is_empty());
        assert!(remote.look_up("https://c").is_none());
        remote.leave_out("https://c");
        assert!(remote.missing().is_empty());
        assert_eq!(remote.left_out(), ["https://c"]);
        assert_eq!(remote.look_up("https://b"), Some(&Ok(fetched)));
        assert_eq!(remote.look_up("https://a"), Some(&Err("it took too long".to_owned())));
    }
}
