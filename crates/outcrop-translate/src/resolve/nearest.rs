//! What is said of a name that nobody knows: what could have been meant.

use super::{Directory, not_found, shown, without_version};
use crate::catalogue::{Model, Status};
use crate::problem::Problem;

/// The most names that an error offers.
const MOST_OFFERS: usize = 3;
/// How much two names must have in common, from 0 to 1.
const LEAST_LIKENESS: f64 = 0.75;

/// The problem with a name that nobody knows.
pub(super) fn unknown(name: &str, directory: &Directory<'_>) -> Problem {
    let offers = near(name, directory);
    let mut message = format!(
        "The model '{}' does not exist: it is no alias, no name in the catalogue, and no Bedrock model id, inference \
         profile or ARN.",
        shown(name)
    );
    if !offers.is_empty() {
        message.push_str(&format!(" Did you mean {}?", offers.join(" or ")));
    }
    not_found(message)
}

/// The names that are most like `name`, the most like it first, in quotes.
pub fn near(name: &str, directory: &Directory<'_>) -> Vec<String> {
    let wanted = shown(name).to_ascii_lowercase();
    let mut offers: Vec<(f64, &str)> = Vec::new();
    let mut offer = |candidate: &str, offered| {
        // What is much longer or shorter can't be like it, and this is far cheaper to tell.
        let (short, long) = (wanted.len().min(candidate.len()), wanted.len().max(candidate.len()));
        if (short as f64) < LEAST_LIKENESS * long as f64 {
            return;
        }
        let likeness = strsim::normalized_damerau_levenshtein(&wanted, &candidate.to_ascii_lowercase());
        if likeness >= LEAST_LIKENESS {
            offers.push((likeness, offered));
        }
    };
    for alias in directory.rules.aliases.iter().filter(|alias| alias.name.is_exact()) {
        offer(alias.name.as_str(), alias.name.as_str());
    }
    let is_there = |model: &&Model| model.lifecycle.status != Status::Retired;
    for model in directory.catalogue.models().filter(is_there) {
        for short_name in &model.short_names {
            offer(short_name, short_name);
        }
        offer(&model.id, &model.id);
        if let Some((_, bare)) = model.id.split_once('.') {
            offer(bare, &model.id);
            offer(without_version(bare), &model.id);
        }
    }
    // Of equals, the shorter, then by the alphabet: the same name always gets the same answer.
    offers.sort_by(|(a, left), (b, right)| b.total_cmp(a).then(left.len().cmp(&right.len())).then(left.cmp(right)));
    let mut names: Vec<String> = Vec::new();
    for (_, offered) in offers {
        let offered = format!("'{offered}'");
        if names.len() < MOST_OFFERS && !names.contains(&offered) {
            names.push(offered);
        }
    }
    names
}
