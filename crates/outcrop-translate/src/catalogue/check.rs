//! What only the whole catalogue can tell of a row: whether what it names is there.

use std::collections::HashMap;

use outcrop_bedrock::model_id;

use super::file::{Faults, Layer};
use super::row::Row;
use super::{Catalogue, Shape};
use crate::resolve::Arn;

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
        if let Some(reason) = unreachable_name(catalogue, name) {
            faults.push(layer.fault(id, "short_names", &format!("`{name}` {reason}")));
        }
        let bearer = bearers
            .entry(name.to_ascii_lowercase())
            .or_insert_with(|| id.to_owned());
        if bearer != id {
            faults.push(layer.fault(id, "short_names", &format!("`{name}` is the name of `{bearer}` too")));
        }
    }
}

/// Why nobody could ask for a model by this short name.
fn unreachable_name(catalogue: &Catalogue, name: &str) -> Option<String> {
    let is_taken_apart = |letter: char| {
        letter.is_control() || letter.is_whitespace() || matches!(letter, '/' | '[' | ']' | '@' | '%' | '*')
    };
    if name.is_empty() || name.starts_with("arn:") || name.contains(is_taken_apart) {
        return Some(
            "can't be asked for: names have no white space, none of `/[]@%*`, and don't begin as ARNs".to_owned(),
        );
    }
    let thinking = name
        .len()
        .checked_sub("-thinking".len())
        .and_then(|at| name.split_at_checked(at));
    let (plain, _) = thinking.filter(|(_, suffix)| suffix.eq_ignore_ascii_case("-thinking"))?;
    let other = catalogue.by_short_name(plain)?;
    let is_its_own = catalogue.by_short_name(name).is_some_and(|model| model.id == other.id);
    (!is_its_own).then(|| format!("already means `{}` with thinking on", other.id))
}

/// Whether a row's model can be called at all.
fn check_id(layer: &Layer, id: &str, faults: &mut Faults) {
    let is_sound = if id.starts_with("arn:") {
        Arn::parse(id).is_some()
    } else {
        model_id::is_plausible(id) && !id.contains('/') && !id.contains("..")
    };
    if !is_sound {
        faults.push(layer.fault(id, "id", "is neither an id nor an ARN that Bedrock can be asked by"));
    }
}

/// Whether successors end somewhere.
fn check_successors(catalogue: &Catalogue, layer: &Layer, id: &str, faults: &mut Faults) {
    let mut seen = vec![id];
    let mut at = id;
    while let Some(next) = catalogue
        .model(at)
        .and_then(|model| model.lifecycle.successor.as_deref())
    {
        if seen.contains(&next) {
            if next == id {
                faults.push(layer.fault(id, "successor", "goes round in a circle"));
            }
            return;
        }
        seen.push(next);
        at = next;
    }
}

fn check_model(catalogue: &Catalogue, layer: &Layer, id: &str, row: &Row, faults: &mut Faults) {
    let Some(model) = catalogue.model(id) else { return };
    check_id(layer, id, faults);
    if row.successor.is_some() {
        check_successors(catalogue, layer, id, faults);
    }
    if row.base_model.as_deref().is_some_and(|base| base.starts_with("arn:")) {
        faults.push(layer.fault(id, "base_model", "is the id of a model, not an ARN"));
    }
    let needs_prompt = matches!(model.invoke, Some(Shape::Imported | Shape::MetaLlama));
    if (row.invoke.is_some() || row.prompt.is_some()) && needs_prompt && model.prompt.is_none() {
        faults.push(layer.fault(id, "prompt", "is needed: these bodies hold one text"));
    }
    let is_word =
        |profile: &String| !profile.is_empty() && profile.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    if let Some(profile) = row.profiles.iter().flatten().find(|profile| !is_word(profile)) {
        faults.push(layer.fault(
            id,
            "profiles",
            &format!("`{profile}` is no geography, as `us` or `global` is"),
        ));
    }
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
