//! Which quotas are known of what.

use std::collections::HashMap;

use crate::config::QuotaRule;

/// Quotas of one model in one region and account. What is `None` is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Requests a minute.
    pub requests_per_minute: Option<u64>,
    /// Tokens a minute.
    pub tokens_per_minute: Option<u64>,
    /// Tokens a day.
    pub tokens_per_day: Option<u64>,
}

impl Quotas {
    /// Lets `over` have its say, number by number.
    fn override_with(&mut self, over: Self) {
        self.requests_per_minute = over.requests_per_minute.or(self.requests_per_minute);
        self.tokens_per_minute = over.tokens_per_minute.or(self.tokens_per_minute);
        self.tokens_per_day = over.tokens_per_day.or(self.tokens_per_day);
    }
}

/// What has quotas of its own: a model as it is called, in a region, by an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LaneKey {
    /// The account's name; `None` for the gateway's own.
    pub account: Option<String>,
    /// The region that is asked.
    pub region: String,
    /// The model id or inference profile.
    pub model: String,
}

/// All that is known of quotas.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What the operator says; later rules win.
    rules: Vec<QuotaRule>,
    /// What AWS says, by account and region, and then by model.
    told: HashMap<(Option<String>, String), HashMap<String, Quotas>>,
}

impl Known {
    pub(super) fn of_rules(rules: &[QuotaRule]) -> Self {
        Self {
            rules: rules.to_vec(),
            told: HashMap::new(),
        }
    }

    pub(super) fn set_rules(&mut self, rules: &[QuotaRule]) {
        self.rules = rules.to_vec();
    }

    /// What AWS says of an account's quotas in a region, in the place of what it said before.
    pub(super) fn tell(&mut self, account: Option<&str>, region: &str, quotas: HashMap<String, Quotas>) {
        self.told
            .insert((account.map(str::to_owned), region.to_owned()), quotas);
    }

    /// The quotas of `key`: the operator's, and where they say nothing, AWS's.
    pub(super) fn of(&self, key: &LaneKey) -> Quotas {
        let place = (key.account.clone(), key.region.clone());
        let told = self.told.get(&place).and_then(|models| models.get(&key.model));
        let mut quotas = told.copied().unwrap_or_default();
        for rule in self.rules.iter().filter(|rule| fits(rule, key)) {
            quotas.override_with(Quotas {
                requests_per_minute: rule.requests_per_minute,
                tokens_per_minute: rule.tokens_per_minute,
                tokens_per_day: rule.tokens_per_day,
            });
        }
        quotas
    }
}

fn fits(rule: &QuotaRule, key: &LaneKey) -> bool {
    rule.account
        .as_deref()
        .is_none_or(|account| Some(account) == key.account.as_deref())
        && rule.region.as_ref().is_none_or(|region| *region == key.region)
        && rule.model.as_ref().is_none_or(|pattern| matches(pattern, &key.model))
}

/// Whether `pattern`, in which `*` is any text, is `text`.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, mut rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    // Each part but the last where it comes first: what is behind it is then as long as can be.
    while let Some((part, behind)) = rest.split_once('*') {
        let Some(at) = text.find(part) else {
            return false;
        };
        text = text.get(at + part.len()..).unwrap_or_default();
        rest = behind;
    }
    text.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(account: Option<&str>, model: &str) -> LaneKey {
        LaneKey {
            account: account.map(str::to_owned),
            region: "eu-west-1".to_owned(),
            model: model.to_owned(),
        }
    }

    #[test]
    fn stars_are_any_text() {
        for (pattern, text, expected) in [
            ("a.b", "a.b", true),
            ("a.b", "a.bc", false),
            ("*", "", true),
            ("us.*", "us.amazon.nova-lite-v1:0", true),
            ("us.*", "eu.amazon.nova-lite-v1:0", false),
            ("*claude*4-5*", "eu.anthropic.claude-sonnet-4-5-v1:0", true),
            ("*claude*4-5", "eu.anthropic.claude-sonnet-4-5-v1:0", false),
            ("a*a", "a", false),
            ("*a*ab", "aab", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_operator_wins_over_aws_number_by_number_and_later_rules_over_earlier() {
        let mut known = Known::of_rules(&[
            QuotaRule {
                tokens_per_minute: Some(100),
                ..QuotaRule::default()
            },
            QuotaRule {
                model: Some("*sonnet*".to_owned()),
                account: Some("two".to_owned()),
                tokens_per_minute: Some(200),
                ..QuotaRule::default()
            },
        ]);
        let told = Quotas {
            requests_per_minute: Some(7),
            tokens_per_minute: Some(900),
            tokens_per_day: None,
        };
        known.tell(
            Some("two"),
            "eu-west-1",
            HashMap::from([("eu.sonnet".to_owned(), told)]),
        );
        assert_eq!(known.of(&key(None, "eu.sonnet")).tokens_per_minute, Some(100));
        let quotas = known.of(&key(Some("two"), "eu.sonnet"));
        assert_eq!(quotas.tokens_per_minute, Some(200));
        assert_eq!(quotas.requests_per_minute, Some(7));
        assert_eq!(known.of(&key(Some("two"), "eu.haiku")).tokens_per_minute, Some(100));
        known.set_rules(&[]);
        assert_eq!(known.of(&key(Some("two"), "eu.sonnet")), told);
    }
}
