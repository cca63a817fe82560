//! What only the whole catalogue can tell of a row: whether what it names is there.

use std::collections::HashMap;

use super::Catalogue;
use super::file::{Faults, Layer};
use super::row::Row;

/// Notes each row that names what isn't there.
pub(super) fn check(catalogue: &Catalogue, faults: &mut Faults) {
    let mut short_names = HashMap::new();
    for model in catalogue.models() {
        for name in &model.short_names {
            short_names
                .entry(name.to_ascii_lowercase())
                .or_insert_with(Vec::new)
                .push(&model.id);
        }
    }
    for layer in &catalogue.layers {
        for (beginning, _) in &layer.families {
            if catalogue.provider_of(beginning).is_none() {
                faults.push(layer.fault(beginning, "ids", &unknown_provider(beginning)));
            }
        }
        for (id, row) in &layer.models {
            check_model(catalogue, layer, id, row, faults);
            for name in row.short_names.iter().flatten() {
                let bearers = short_names.get(&name.to_ascii_lowercase());
                if let Some(other) = bearers.into_iter().flatten().find(|bearer| **bearer != id) {
                    faults.push(layer.fault(id, "short_names", &format!("`{name}` is the name of `{other}` too")));
                }
            }
        }
    }
}

fn check_model(catalogue: &Catalogue, layer: &Layer, id: &str, row: &Row, faults: &mut Faults) {
    let Some(model) = catalogue.model(id) else { return };
    if !id.starts_with("arn:") {
        if catalogue.provider_of(id).is_none() {
            faults.push(layer.fault(id, "id", &unknown_provider(id)));
        }
        if row.base_model.is_some() {
            faults.push(layer.fault(id, "base_model", "is for ARNs; an id says itself which model it is"));
        }
    }
    if let Some(base) = row
        .base_model
        .as_deref()
        .filter(|base| catalogue.base_id(base).is_none())
    {
        faults.push(layer.fault(id, "base_model", &unknown_provider(base)));
    }
    if let Some(successor) = row
        .successor
        .as_deref()
        .filter(|successor| catalogue.model(successor).is_none())
    {
        faults.push(layer.fault(id, "successor", &format!("there is no model `{successor}`")));
    }
    if row.redirect == Some(true) && model.lifecycle.successor.is_none() {
        faults.push(layer.fault(id, "redirect", "needs a successor to go to"));
    }
    if let Some(profile) = row
        .named_profile
        .as_ref()
        .filter(|profile| !model.profiles.contains(profile))
    {
        faults.push(layer.fault(id, "named_profile", &format!("`{profile}` is not one of its profiles")));
    }
}

fn unknown_provider(id: &str) -> String {
    format!("`{id}` begins with no provider that is known; leave out the geography, or name the file's `provider`")
}
