//! What Service Quotas says, by what is called.

use std::collections::HashMap;

use outcrop_routing::ledger::{Quota, QuotaName, Quotas, Scope, names_model};
use outcrop_translate::Catalogue;
use outcrop_translate::catalogue::Model;

/// The quotas of models and their profiles, of quotas' names and values. What no model of the catalogue has is left
/// out, and so are zeros: AWS says 0 for models that an account may not use, for some that it may, and a gateway that
/// believed it would never find out.
pub(crate) fn by_model<'a>(
    catalogue: &Catalogue,
    told: impl IntoIterator<Item = (&'a str, f64)>,
) -> HashMap<String, Quotas> {
    let providers: HashMap<&str, &str> = catalogue
        .providers()
        .map(|provider| (provider.id.as_str(), provider.name.as_str()))
        .collect();
    let mut quotas: HashMap<String, Quotas> = HashMap::new();
    for (name, value) in told {
        let (Some(name), Some(value)) = (QuotaName::parse(name), whole(value)) else {
            continue;
        };
        for model in catalogue.models().filter(|model| !model.id.starts_with("arn:")) {
            let provider = providers.get(model.provider.as_str()).copied().unwrap_or_default();
            if !names_model(name.model, &model.name, provider) {
                continue;
            }
            for (called, times) in called(model, name.scope) {
                let quotas = quotas.entry(called).or_default();
                let value = Some(value.saturating_mul(times));
                match name.quota {
                    Quota::Requests => quotas.requests_per_minute = value,
                    Quota::Tokens => quotas.tokens_per_minute = value,
                    // A quota of the day that is of one way alone says more than one of all ways.
                    Quota::TokensPerDay if name.scope == Scope::All => {
                        quotas.tokens_per_day = quotas.tokens_per_day.or(value);
                    }
                    Quota::TokensPerDay => quotas.tokens_per_day = value,
                }
            }
        }
    }
    quotas
}

/// What a model is called by in a scope, and how many times the quota's value each has.
fn called(model: &Model, scope: Scope) -> Vec<(String, u64)> {
    let profile = |geography: &String| format!("{geography}.{}", model.id);
    let geographic = || {
        model
            .profiles
            .iter()
            .filter(|geography| *geography != "global")
            .map(profile)
    };
    match scope {
        Scope::OnDemand => vec![(model.id.clone(), 1)],
        Scope::CrossRegion => geographic().map(|called| (called, 1)).collect(),
        Scope::Global => vec![(format!("global.{}", model.id), 1)],
        Scope::All => std::iter::once((model.id.clone(), 1))
            .chain(geographic().map(|called| (called, 2)))
            .collect(),
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "above nothing, and the cast saturates"
)]
fn whole(value: f64) -> Option<u64> {
    (value.is_finite() && value >= 1.0).then_some(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_found_for_what_is_called() {
        let told = [
            (
                "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1",
                200_000.0,
            ),
            (
                "Cross-region model inference requests per minute for Anthropic Claude Sonnet 4.5 V1",
                200.0,
            ),
            (
                "Global cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1",
                500_000.0,
            ),
            (
                "Global cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1 1M Context Length",
                1_000_000.0,
            ),
            (
                "Model invocation max tokens per day for Anthropic Claude Sonnet 4.5 V1 (doubled for cross-region calls)",
                144_000_000.0,
            ),
            (
                "On-demand model inference requests per minute for Amazon Nova Lite",
                1000.0,
            ),
            ("On-demand model inference tokens per minute for Amazon Nova Pro", 0.0),
            ("Records per batch inference job for Nova Micro V1", 50_000.0),
        ];
        let quotas = by_model(Catalogue::built_in(), told);
        let sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0";
        assert_eq!(
            quotas[&format!("eu.{sonnet}")],
            Quotas {
                requests_per_minute: Some(200),
                tokens_per_minute: Some(200_000),
                tokens_per_day: Some(288_000_000),
            }
        );
        assert_eq!(
            quotas[&format!("global.{sonnet}")],
            Quotas {
                tokens_per_minute: Some(500_000),
                ..Quotas::default()
            }
        );
        assert_eq!(quotas[sonnet].tokens_per_day, Some(144_000_000));
        assert_eq!(quotas["amazon.nova-lite-v1:0"].requests_per_minute, Some(1000));
        assert!(!quotas.contains_key("amazon.nova-pro-v1:0"), "0 says nothing");
        assert!(
            !quotas.contains_key("us.amazon.nova-lite-v1:0"),
            "a profile has its own"
        );
    }
}
