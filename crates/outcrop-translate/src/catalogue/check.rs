//! What only the whole catalogue can tell of a row: whether what it names is there.

use std::collections::HashMap;

use super::Catalogue;
use super::file::{Faults, Layer};
use super::row::Row;

/// Notes each row that names what isn't there.
pub(super) fn check(catalogue: &Catalogue, faults: &mut Faults) {
    let mut bearers = HashMap::new();
    for layer in &catalogue.layers {
        for (beginning, _) in &layer.families {
            if catalogue.provider_of(beginning).is_none() {
                faults.push(layer.fault(beginning, "ids", &unknown_provider(beginning)));
            }
        }
        for (id, row) in &layer.models {
            check_model(catalogue, layer, id, row, faults);
            check_short_names(catalogue, layer, id, row, &mut bearers, faults);
        }
    }
}

/// A name means one model. The row that takes a name that another one has is wrong, not the one that had it first;
/// names that a later file took away count for nothing.
fn check_short_names(
    catalogue: &Catalogue,
    layer: &Layer,
    id: &str,
    row: &Row,
    bearers: &mut HashMap<String, String>,
    faults: &mut Faults,
) {
    let names = catalogue.model(id).map_or(&[][..], |model| &model.short_names);
    for name in row.short_names.iter().flatten().filter(|name| names.contains(name)) {
        let bearer = bearers
            .entry(name.to_ascii_lowercase())
            .or_insert_with(|| id.to_owned());
        if bearer != id {
            faults.push(layer.fault(id, "short_names", &format!("`{name}` is the name of `{bearer}` too")));
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
