//! Conversations as one text, by templates that are data: `catalogue/prompts.toml`, which says what each field means.

use std::sync::LazyLock;

use outcrop_bedrock::converse::{ContentBlock, ConverseRequest, Role, SystemBlock};
use outcrop_bedrock::json::JsonText;
use serde::Deserialize;

use super::completion::AnswerBegins;
use crate::notes::Notes;

/// The template of texts that are no conversation: nothing is added.
pub(super) const RAW: &str = "raw";

/// What stands between several texts of a turn, and behind a system prompt that has no place of its own.
const BLANK_LINE: &str = "\n\n";

static CATALOGUE: LazyLock<Catalogue> =
    // That it can be read is a test's business.
    LazyLock::new(|| toml::from_str(include_str!("../../catalogue/prompts.toml")).unwrap_or_default());
static NO_TEMPLATE: LazyLock<Template> = LazyLock::new(Template::default);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    template: Vec<Template>,
}

/// How a model wants its conversations written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Template {
    name: String,
    #[serde(rename = "source")]
    _source: String,
    begin: String,
    system: Option<System>,
    user: Around,
    assistant: Around,
    answer: String,
    #[serde(default = "yes")]
    prefill: bool,
    #[serde(default)]
    bare: bool,
    /// What its answers begin with that isn't part of them.
    #[serde(default)]
    pub(super) answer_begins: AnswerBegins,
}

fn yes() -> bool {
    true
}

/// What stands around a text.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Around {
    before: String,
    after: String,
}

impl Around {
    fn wrap(&self, text: &str) -> String {
        [&self.before, text, &self.after].concat()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct System {
    place: Place,
    before: String,
    after: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Place {
    Start,
    FirstUserTurn,
}

struct Turn {
    role: Role,
    text: String,
}

impl Template {
    /// The template called `name`, such as `llama3`.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        CATALOGUE.template.iter().find(|template| template.name == name)
    }

    /// The template that code calls `name`; tests see to it that it exists.
    pub(super) fn of(name: &'static str) -> &'static Self {
        Self::named(name).unwrap_or(&NO_TEMPLATE)
    }

    /// Writes the conversation of a request that holds nothing but text, thoughts and cache points; the latter two are
    /// left out.
    pub(super) fn write(&self, request: &ConverseRequest<'_>, notes: &mut Notes) -> String {
        let mut turns: Vec<Turn> = request
            .messages
            .iter()
            .map(|message| Turn {
                role: message.role,
                text: joined(message.content.iter().filter_map(text_of)),
            })
            .collect();
        let system = joined(request.system.iter().filter_map(|block| match block {
            SystemBlock::Text(text) | SystemBlock::GuardText(text) => Some(text),
            SystemBlock::CachePoint(_) => None,
        }));
        let start = self.place_system(&system, &mut turns, notes);
        if self.bare
            && let [Turn { role: Role::User, text }] = turns.as_slice()
        {
            return [&start, text.as_str()].concat();
        }
        let begun = self.take_prefill(&mut turns, notes);
        let mut prompt = start;
        for turn in &turns {
            prompt.push_str(&self.around(turn.role).wrap(&turn.text));
        }
        match begun {
            Some(begun) => {
                prompt.push_str(&self.assistant.before);
                prompt.push_str(&begun);
            }
            None => prompt.push_str(&self.answer),
        }
        prompt
    }

    fn around(&self, role: Role) -> &Around {
        match role {
            Role::User => &self.user,
            Role::Assistant => &self.assistant,
        }
    }

    /// Puts the system prompt where it belongs and gives what stands before the turns.
    fn place_system(&self, system: &str, turns: &mut Vec<Turn>, notes: &mut Notes) -> String {
        if system.is_empty() {
            return self.begin.clone();
        }
        let opening = match &self.system {
            Some(own) => {
                let wrapped = [&own.before, system, &own.after].concat();
                if own.place == Place::Start {
                    return [self.begin.as_str(), &wrapped].concat();
                }
                wrapped
            }
            None => {
                notes.add("messages.system", "user-turn", "unsupported-by-model");
                [system, BLANK_LINE].concat()
            }
        };
        match turns.iter_mut().find(|turn| turn.role == Role::User) {
            Some(first) => first.text.insert_str(0, &opening),
            None => turns.insert(
                0,
                Turn {
                    role: Role::User,
                    text: opening.trim_end().to_owned(),
                },
            ),
        }
        self.begin.clone()
    }

    /// Takes away a last turn of the assistant's and gives its text, where the answer goes on from it.
    fn take_prefill(&self, turns: &mut Vec<Turn>, notes: &mut Notes) -> Option<String> {
        let last = turns.pop_if(|turn| turn.role == Role::Assistant)?;
        // Models do badly when they go on from white space; the planning has noted it.
        let begun = last.text.trim_end();
        if begun.is_empty() {
            return None;
        }
        if self.prefill {
            return Some(begun.to_owned());
        }
        notes.lose("messages", "turn-ended", "model-takes-no-prefill");
        turns.push(last);
        None
    }
}

fn text_of<'b, 'a>(block: &'b ContentBlock<'a>) -> Option<&'b JsonText<'a>> {
    match block {
        ContentBlock::Text(text) | ContentBlock::GuardText(text) => Some(text),
        _ => None,
    }
}

fn joined<'b, 'a: 'b>(texts: impl Iterator<Item = &'b JsonText<'a>>) -> String {
    let texts: Vec<_> = texts
        .filter(|text| !text.is_blank())
        .map(|text| text.decoded())
        .collect();
    texts.join(BLANK_LINE)
}

#[cfg(test)]
#[path = "prompt_tests.rs"]
mod tests;
