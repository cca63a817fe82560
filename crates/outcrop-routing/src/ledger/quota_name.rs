//! The names of Bedrock's quotas in Service Quotas.
//!
//! There is no list that says which model a quota is for; its name does, for people: `Cross-region model inference
//! tokens per minute for Anthropic Claude Sonnet 4 V1`. The examples in the tests are AWS's.

use super::need::Quota;

/// By which way a model is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// By its own id.
    OnDemand,
    /// By the profile of a geography.
    CrossRegion,
    /// By the global profile.
    Global,
    /// All of these ways, of which profiles have twice as much.
    All,
}

/// What the name of a quota says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaName<'a> {
    /// By which way the model is called.
    pub scope: Scope,
    /// What is counted.
    pub quota: Quota,
    /// The model, as people call it.
    pub model: &'a str,
}

impl<'a> QuotaName<'a> {
    /// What `name` says; `None` if it is a quota of something else, or of a variant of calls (a context of a million
    /// tokens, low latency, the endpoint `bedrock-mantle`).
    #[must_use]
    pub fn parse(name: &'a str) -> Option<Self> {
        let at = find(name, " for ")?;
        let (kind, model) = (name.get(..at)?, name.get(at + " for ".len()..)?.trim());
        let model = find(model, "(doubled for cross-region calls)")
            .and_then(|end| model.get(..end))
            .unwrap_or(model)
            .trim();
        let kind = kind.to_ascii_lowercase();
        let is_variant = ["1m context", "latency-optimized", "latency optimized"]
            .iter()
            .any(|variant| find(model, variant).is_some());
        if is_variant || model.is_empty() {
            return None;
        }
        let (scope, quota) = if kind == "model invocation max tokens per day" {
            (Scope::All, Quota::TokensPerDay)
        } else {
            let (scope, rest) = [
                ("on-demand ", Scope::OnDemand),
                ("cross-region ", Scope::CrossRegion),
                ("global cross-region ", Scope::Global),
            ]
            .into_iter()
            .find_map(|(beginning, scope)| Some((scope, kind.strip_prefix(beginning)?)))?;
            let rest = rest
                .strip_prefix("model inference ")
                .or_else(|| rest.strip_prefix("invokemodel "))?;
            let quota = match rest {
                "requests per minute" => Quota::Requests,
                "tokens per minute" => Quota::Tokens,
                "tokens per day" => Quota::TokensPerDay,
                _ => return None,
            };
            (scope, quota)
        };
        Some(Self { scope, quota, model })
    }
}

/// Where `part`, in small letters, is in `text`.
fn find(text: &str, part: &str) -> Option<usize> {
    text.to_ascii_lowercase().find(part)
}

/// Whether a quota's name for a model means the model that a provider calls `name`. Words may stand in another order,
/// the provider's name may be there or not, and `V1` says nothing.
#[must_use]
pub fn names_model(in_quota: &str, name: &str, provider: &str) -> bool {
    let provider = words(provider);
    let meaning = |text: &str| {
        let mut all = words(text);
        let named: Vec<String> = all.iter().filter(|word| !provider.contains(word)).cloned().collect();
        if !named.is_empty() {
            all = named;
        }
        all.retain(|word| !MEANINGLESS.contains(&word.as_str()));
        all.sort_unstable();
        all
    };
    let (in_quota, name) = (meaning(in_quota), meaning(name));
    !name.is_empty() && in_quota == name
}

/// Words that one list has and the other one doesn't.
const MEANINGLESS: &[&str] = &["v1", "instruct", "chat", "g1"];

/// The words of a name, in small letters. A point within a number goes: AWS writes `24.02` as `2402`.
fn words(text: &str) -> Vec<String> {
    let text = text.to_ascii_lowercase().replace('.', "").replace('+', " plus ");
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_quotas_are_understood() {
        for (name, scope, quota, model) in [
            (
                "On-demand model inference tokens per minute for Mistral AI Mistral 7B Instruct",
                Scope::OnDemand,
                Quota::Tokens,
                "Mistral AI Mistral 7B Instruct",
            ),
            (
                "Cross-Region model inference requests per minute for Anthropic Claude 3.5 Sonnet V2",
                Scope::CrossRegion,
                Quota::Requests,
                "Anthropic Claude 3.5 Sonnet V2",
            ),
            (
                "Global cross-region model inference tokens per day for Amazon Nova 2 Lite",
                Scope::Global,
                Quota::TokensPerDay,
                "Amazon Nova 2 Lite",
            ),
            (
                "Cross-Region InvokeModel tokens per minute for Anthropic Claude Opus 4.1",
                Scope::CrossRegion,
                Quota::Tokens,
                "Anthropic Claude Opus 4.1",
            ),
            (
                "Model invocation max tokens per day for Anthropic Claude Sonnet 4 V1 (doubled for cross-region calls)",
                Scope::All,
                Quota::TokensPerDay,
                "Anthropic Claude Sonnet 4 V1",
            ),
        ] {
            assert_eq!(
                QuotaName::parse(name),
                Some(QuotaName { scope, quota, model }),
                "{name}"
            );
        }
    }

    #[test]
    fn other_quotas_are_left_alone() {
        for name in [
            "Global cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1 1M Context Length",
            "On-demand, latency-optimized model inference tokens per minute for Amazon Nova Pro",
            "On-demand model inference input tokens per minute for Anthropic Claude Opus 5",
            "[bedrock-mantle endpoint] Output tokens per minute for Claude Opus 5.5",
            "Model units per provisioned model for Cohere Command Light",
            "Batch inference job size (in GB) for Claude 3.7 Sonnet",
            "(Knowledge Bases) Rerank requests per second",
            "Records per batch inference job for Mistral Small",
        ] {
            assert_eq!(QuotaName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn models_are_known_by_their_words() {
        for (in_quota, name, provider) in [
            ("Anthropic Claude Sonnet 4 V1", "Claude Sonnet 4", "Anthropic"),
            ("Anthropic Claude 3.7 Sonnet V1", "Claude 3.7 Sonnet", "Anthropic"),
            ("Anthropic Claude 3.5 Sonnet V2", "Claude 3.5 Sonnet v2", "Anthropic"),
            ("Anthropic Claude Haiku 4.5", "Claude Haiku 4.5", "Anthropic"),
            ("Amazon Nova 2 Lite", "Nova 2 Lite", "Amazon"),
            ("Amazon Titan Text Embeddings V2", "Titan Text Embeddings V2", "Amazon"),
            ("Mistral AI Mistral 7B Instruct", "Mistral 7B Instruct", "Mistral AI"),
            ("Mistral Pixtral Large 25.02 V1", "Pixtral Large (25.02)", "Mistral AI"),
            ("Meta Llama 3.2 3B Instruct", "Llama 3.2 3B Instruct", "Meta"),
            ("OpenAI GPT OSS 20B", "gpt-oss-20b", "OpenAI"),
            ("Qwen3 235B a22b 2507 V1", "Qwen3 235B A22B 2507", "Qwen"),
            ("DeepSeek R1 V1", "DeepSeek-R1", "DeepSeek"),
            ("GPT-6 Astra", "GPT-6 Astra", "OpenAI"),
        ] {
            assert!(names_model(in_quota, name, provider), "{in_quota}: {name}");
        }
        for (in_quota, name) in [
            ("Anthropic Claude 3.5 Sonnet V2", "Claude 3.5 Sonnet"),
            ("Anthropic Claude 3.5 Sonnet", "Claude 3.5 Sonnet v2"),
            ("Anthropic Claude Opus 4", "Claude Opus 4.1"),
            ("Anthropic Claude Opus 5.5", "Claude Opus 5"),
        ] {
            assert!(!names_model(in_quota, name, "Anthropic"), "{in_quota}: {name}");
        }
    }
}
