//! A memory of prompts: what was written up to a cache point is read by the next request that begins with it.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use crate::models::Target;
use crate::rules::{blocks, list, messages};
use crate::tokens::Count;

const KEPT_PREFIXES: usize = 10_000;
/// How many blocks before a point are looked at for something that was written earlier (Claude only).
const LOOKBACK: usize = 20;

/// The prefixes that were written, by hash; the oldest are forgotten first.
#[derive(Debug, Default)]
pub(crate) struct PromptCache {
    known: HashSet<u64>,
    oldest_first: VecDeque<u64>,
}

/// What a cache did for one request, in tokens.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cached {
    pub(crate) read: u64,
    pub(crate) written: u64,
    /// What was written, by how long it's kept; the longest first.
    pub(crate) details: Vec<(String, u64)>,
}

/// The end of a block: what was read up to it.
struct Border<'a> {
    hash: u64,
    tokens: u64,
    /// If it's a cache point, for how long.
    ttl: Option<&'a str>,
}

impl PromptCache {
    /// Reads what is known of a request's beginning, and remembers what it marks. Nothing if it has no cache point.
    pub(crate) fn pass(&mut self, body: &Value, target: &Target) -> Option<Cached> {
        let borders = borders(body, target);
        let points = points(&borders);
        if points.is_empty() {
            return None;
        }
        let mut cached = Cached::default();
        let minimum = target.cache_minimum();
        cached.read = self.known_tokens(&borders, &points, target);
        let mut covered = cached.read;
        for border in points.iter().map(|at| &borders[*at]) {
            if border.tokens < minimum {
                continue;
            }
            self.remember(border.hash);
            if border.tokens > covered {
                cached.write(border.ttl.unwrap_or_default(), border.tokens - covered);
                covered = border.tokens;
            }
        }
        Some(cached)
    }

    /// What is known of a request's beginning.
    fn known_tokens(&self, borders: &[Border<'_>], points: &[usize], target: &Target) -> u64 {
        let lookback = if target.family.strict_model { LOOKBACK } else { 0 };
        let within = |point: usize| point.saturating_sub(lookback)..=point;
        let looked_at = points.iter().flat_map(|point| within(*point));
        let hit = |at: &usize| self.known.contains(&borders[*at].hash);
        looked_at.filter(hit).map(|at| borders[at].tokens).max().unwrap_or(0)
    }

    fn remember(&mut self, hash: u64) {
        if self.known.insert(hash) {
            self.oldest_first.push_back(hash);
        }
        if self.oldest_first.len() > KEPT_PREFIXES
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

impl Cached {
    /// What someone says it did.
    pub(crate) fn told(read: u64, written: u64) -> Cached {
        let mut cached = Cached {
            read,
            ..Cached::default()
        };
        if written > 0 {
            cached.write("5m", written);
        }
        cached
    }

    fn write(&mut self, ttl: &str, tokens: u64) {
        self.written += tokens;
        match self.details.iter_mut().find(|(known, _)| known == ttl) {
            Some((_, written)) => *written += tokens,
            None => self.details.push((ttl.to_owned(), tokens)),
        }
        self.details.sort();
    }
}

/// Which of them are cache points.
fn points(borders: &[Border<'_>]) -> Vec<usize> {
    (0..borders.len()).filter(|at| borders[*at].ttl.is_some()).collect()
}

/// The ends of all blocks, in the order in which a model reads them.
fn borders<'a>(body: &'a Value, target: &Target) -> Vec<Border<'a>> {
    let tools = list(body.get("toolConfig").unwrap_or(&Value::Null), "tools");
    let mut walk = Walk {
        borders: Vec::new(),
        hasher: DefaultHasher::new(),
        count: Count::default(),
    };
    target.model.id.hash(&mut walk.hasher);
    walk.section("tools", tools);
    walk.section("system", list(body, "system"));
    for message in messages(body) {
        let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
        walk.count.add_message();
        walk.section(role, blocks(message));
    }
    walk.borders
}

struct Walk<'a> {
    borders: Vec<Border<'a>>,
    hasher: DefaultHasher,
    count: Count,
}

impl<'a> Walk<'a> {
    fn section(&mut self, name: &str, items: &'a [Value]) {
        name.hash(&mut self.hasher);
        for item in items {
            match item.get("cachePoint") {
                Some(point) => {
                    if let Some(border) = self.borders.last_mut() {
                        border.ttl = Some(point.get("ttl").and_then(Value::as_str).unwrap_or("5m"));
                    }
                }
                None => {
                    item.to_string().hash(&mut self.hasher);
                    self.count.add(item);
                    self.borders.push(Border {
                        hash: self.hasher.finish(),
                        tokens: self.count.tokens(),
                        ttl: None,
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::models::Catalogue;
    use crate::tokens;

    const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

    fn target(model: &str) -> Target {
        Catalogue::new("us-east-1").resolve(model).unwrap()
    }

    fn point() -> Value {
        json!({"cachePoint": {"type": "default"}})
    }

    /// So many tokens of text.
    fn text(tokens: usize) -> Value {
        json!({"text": "word".repeat(tokens)})
    }

    fn user(content: &[Value]) -> Value {
        json!({"role": "user", "content": content})
    }

    #[test]
    fn what_was_written_is_read() {
        let mut cache = PromptCache::default();
        let body = json!({"system": [text(2000), point()], "messages": [user(&[text(10)])]});
        let first = cache.pass(&body, &target(CLAUDE)).unwrap();
        assert_eq!((first.read, first.written), (0, 2000));
        assert_eq!(first.details, [("5m".to_owned(), 2000)]);
        assert!(tokens::input(&body) > 2000);
        let second = cache.pass(&body, &target(CLAUDE)).unwrap();
        assert_eq!((second.read, second.written, second.details), (2000, 0, vec![]));
        let other = cache.pass(&body, &target("us.anthropic.claude-sonnet-4-6")).unwrap();
        assert_eq!(other.read, 0, "another model's cache is another cache");
    }

    #[test]
    fn a_conversation_grows_behind_its_point() {
        let mut cache = PromptCache::default();
        let assistant = json!({"role": "assistant", "content": [text(100)]});
        let first = json!({"messages": [user(&[text(2000), point()])]});
        let longer = json!({"messages": [user(&[text(2000)]), assistant, user(&[text(50), point()])]});
        let written = cache.pass(&first, &target(CLAUDE)).unwrap().written;
        let second = cache.pass(&longer, &target(CLAUDE)).unwrap();
        assert_eq!(second.read, written);
        assert!((150..170).contains(&second.written), "{second:?}");
        // Nova reads only what it's pointed at.
        let nova = target("amazon.nova-lite-v1:0");
        cache.pass(&first, &nova);
        assert_eq!(cache.pass(&longer, &nova).unwrap().read, 0);
    }

    #[test]
    fn short_prefixes_arent_kept() {
        let mut cache = PromptCache::default();
        let body = json!({"system": [text(1023), point()], "messages": [user(&[text(10)])]});
        for _ in 0..2 {
            assert_eq!(cache.pass(&body, &target(CLAUDE)), Some(Cached::default()));
        }
        let opus_5 = target("us.anthropic.claude-opus-5");
        assert_eq!(cache.pass(&body, &opus_5).unwrap().written, 1023);
        let plain = json!({"messages": [user(&[text(5000)])]});
        assert_eq!(cache.pass(&plain, &opus_5), None);
    }

    #[test]
    fn each_time_to_live_is_told() {
        let mut cache = PromptCache::default();
        let hour = json!({"cachePoint": {"type": "default", "ttl": "1h"}});
        let body = json!({
            "system": [text(2000), hour],
            "messages": [user(&[text(500), point()])],
        });
        let cached = cache.pass(&body, &target(CLAUDE)).unwrap();
        assert_eq!(
            cached.details.iter().map(|(ttl, _)| ttl.as_str()).collect::<Vec<_>>(),
            ["1h", "5m"]
        );
        assert_eq!(
            cached.details.iter().map(|(_, tokens)| tokens).sum::<u64>(),
            cached.written
        );
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut cache = PromptCache::default();
        for hash in 0..(KEPT_PREFIXES as u64 + 5) {
            cache.remember(hash);
        }
        assert_eq!(cache.known.len(), KEPT_PREFIXES);
        assert!(!cache.known.contains(&4) && cache.known.contains(&5));
    }
}
