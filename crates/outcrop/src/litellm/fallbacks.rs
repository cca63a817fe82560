//! Fallbacks: LiteLLM has them in lists of their own, by the name of the model that failed.

use super::entry::Group;
use super::names::problem_of;
use super::{Converter, as_texts};
use crate::settings::{NamePattern, Origin, Raw, RawTable};

/// The lists, by LiteLLM's names, which are ours.
const LISTS: [&str; 3] = ["fallbacks", "context_window_fallbacks", "content_policy_fallbacks"];

impl Converter<'_> {
    /// Adds each list to its route. What the router says of a list wins.
    pub(super) fn fallbacks(&mut self, groups: &mut [Group], module: &RawTable, router: &RawTable) {
        let names: Vec<String> = groups.iter().map(|group| group.name.clone()).collect();
        for list in LISTS {
            let given = router.get(list).or_else(|| module.get(list));
            let Some((_, Raw::List(items))) = given else { continue };
            for item in items {
                let Raw::Table(table) = item else { continue };
                for (model, origin, value) in &table.members {
                    let fallbacks = self.known(origin, value, model, &names);
                    self.add_fallbacks(groups, list, model, origin, fallbacks);
                }
            }
        }
        let defaults = router
            .get("default_fallbacks")
            .or_else(|| module.get("default_fallbacks"));
        if let Some((origin, value)) = defaults {
            let fallbacks = self.known(origin, value, "", &names);
            self.set("fallbacks", origin, texts(fallbacks));
        }
    }

    fn add_fallbacks(
        &mut self,
        groups: &mut [Group],
        list: &'static str,
        model: &str,
        origin: &Origin,
        fallbacks: Vec<String>,
    ) {
        if fallbacks.is_empty() {
            return;
        }
        if model == "*" {
            self.set(list, origin, texts(fallbacks));
            return;
        }
        match groups.iter_mut().find(|group| group.name == model) {
            Some(group) => {
                group.members.retain(|(key, ..)| key != list);
                group.members.push((list.to_owned(), origin.clone(), texts(fallbacks)));
            }
            None => self.note(
                origin,
                format!("the {list} of {model:?} are left out: it is not in model_list"),
            ),
        }
    }

    /// Those that can be asked.
    fn known(&mut self, origin: &Origin, value: &Raw, of: &str, names: &[String]) -> Vec<String> {
        if let Raw::List(items) = value
            && items.iter().any(|item| matches!(item, Raw::Table(_)))
        {
            self.note(origin, "a fallback with parameters of its own is left out".to_owned());
        }
        let mut fallbacks = as_texts(value);
        fallbacks.retain(|fallback| {
            if fallback == of {
                return false;
            }
            let mut routes = names.iter().filter_map(|name| name.parse::<NamePattern>().ok());
            if routes.any(|pattern| pattern.matches(fallback)) {
                return true;
            }
            let problem = problem_of(fallback);
            if let Some(problem) = &problem {
                self.note(origin, format!("the fallback {fallback:?} is left out: {problem}"));
            }
            problem.is_none()
        });
        fallbacks
    }
}

fn texts(words: Vec<String>) -> Raw {
    Raw::List(words.into_iter().map(Raw::Text).collect())
}
