//! What an operator's file changes.

use std::collections::HashSet;

use super::Catalogue;
use super::file::Layer;

/// What the file that was laid over the others last adds to them, and what it overrides: ids of models, and beginnings
/// of families' ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Models that had no row.
    pub added_models: Vec<String>,
    /// Models that had one.
    pub overridden_models: Vec<String>,
    /// Families that had no row.
    pub added_families: Vec<String>,
    /// Families that had one.
    pub overridden_families: Vec<String>,
}

impl Catalogue {
    /// What the last file of [`Catalogue::with`] changes.
    #[must_use]
    pub fn changes(&self) -> Changes {
        let Some((last, before)) = self.layers.split_last() else {
            return Changes::default();
        };
        let before = || before.iter().map(AsRef::<Layer>::as_ref);
        let models: HashSet<&str> = before().flat_map(Layer::model_ids).collect();
        let families: HashSet<&str> = before().flat_map(Layer::beginnings).collect();
        let (overridden_models, added_models) = split(last.model_ids(), &models);
        let (overridden_families, added_families) = split(last.beginnings(), &families);
        Changes {
            added_models,
            overridden_models,
            added_families,
            overridden_families,
        }
    }
}

impl Layer {
    fn model_ids(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(String::as_str)
    }

    fn beginnings(&self) -> impl Iterator<Item = &str> {
        self.families.iter().map(|(beginning, _)| beginning.as_str())
    }
}

/// Those that are known and those that are not, by the alphabet and each once.
fn split<'a>(names: impl Iterator<Item = &'a str>, known: &HashSet<&str>) -> (Vec<String>, Vec<String>) {
    let mut names: Vec<String> = names.map(ToOwned::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().partition(|name| known.contains(name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_new_or_lie_over_others() {
        let toml = r#"
            [[family]]
            ids = ["amazon.nova-", "amazon.nova-9-"]
            tools = true
            [[model]]
            id = "amazon.nova-lite-v1:0"
            tools = false
            [[model]]
            id = "amazon.nova-9-lite-v1:0"
        "#;
        // Which families there are is not for this test to say.
        let before =
            "provider = \"amazon\"\n[[family]]\nids = [\"amazon.nova-\"]\n[[model]]\nid = \"amazon.nova-lite-v1:0\"\n";
        let catalogue = Catalogue::of_files(&[("amazon.toml", before), ("own.toml", toml)]).unwrap();
        let names = |names: &[&str]| -> Vec<String> { names.iter().map(|&name| name.to_owned()).collect() };
        assert_eq!(
            catalogue.changes(),
            Changes {
                added_models: names(&["amazon.nova-9-lite-v1:0"]),
                overridden_models: names(&["amazon.nova-lite-v1:0"]),
                added_families: names(&["amazon.nova-9-"]),
                overridden_families: names(&["amazon.nova-"]),
            }
        );
    }
}
