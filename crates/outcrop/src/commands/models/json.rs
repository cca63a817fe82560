//! A model of the catalogue as JSON.

use outcrop_server::catalogue::{Modality, Model, Rates, Set, Word as _};
use serde_json::{Value, json};

/// What is known of it. What is not known is `null`.
pub(super) fn model(model: &Model) -> Value {
    let words = |modalities: Set<Modality>| modalities.iter().map(|word| word.name()).collect::<Vec<_>>();
    let rates = |rates: Rates| {
        json!({
            "input": rates.input,
            "output": rates.output,
            "cache_read": rates.cache_read,
            "cache_write": rates.cache_write,
            "cache_write_1h": rates.cache_write_1h,
        })
    };
    let prices = model.prices.as_ref().map(|prices| {
        let mut base = rates(prices.rates(None));
        let geographic = prices.geographic.iter();
        base["geographic"] = geographic
            .map(|other| json!({ "profiles": other.profiles, "rates": rates(other.rates) }))
            .collect();
        base
    });
    let lifecycle = &model.lifecycle;
    json!({
        "id": model.id,
        "object": "model",
        "name": model.name,
        "provider": model.provider,
        "short_names": model.short_names,
        "profiles": model.profiles,
        "on_demand": model.on_demand,
        "base_model": model.base_model,
        "input": words(model.input),
        "output": words(model.output),
        "apis": model.apis.iter().map(|api| api.name()).collect::<Vec<_>>(),
        "streaming": model.streaming,
        "context": model.context,
        "max_output": model.max_output,
        "prices": prices,
        "released": model.released,
        "status": lifecycle.status.name(),
        "legacy": lifecycle.legacy,
        "end_of_life": lifecycle.end_of_life,
        "successor": lifecycle.successor,
        "redirect": lifecycle.redirect,
    })
}
