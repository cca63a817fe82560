//! What bodies of a single text have in common: what they refuse, and that the client's own fields count first.

use std::borrow::Cow;

use bytes::Bytes;
use outcrop_bedrock::call::CallBody;
use outcrop_bedrock::converse::{ContentBlock, ConverseRequest, SystemBlock};
use outcrop_bedrock::json::{Json, ObjectWriter, Reader, ToJson};

use super::prompt::Template;
use super::write_additional_fields;
use crate::catalogue::{ForcedTools, Thinking, Traits};
use crate::notes::Notes;
use crate::problem::Problem;

/// Changes what is known of a model to what a text prompt can say.
pub(super) fn adapt(traits: &mut Traits) {
    traits.tools = false;
    traits.forced_tools = ForcedTools::Unsaid;
    traits.strict_tools = false;
    traits.structured_output = false;
    traits.cache = None;
    traits.thinking = Thinking::Untold;
    // Who begins an answer may expect that its first space stays; only Claude's text is known to go on well.
    traits.prefill = false;
    // The same words in each turn, whoever says them.
    traits.mixed_turns = true;
}

/// The conversation of a request as one text.
///
/// # Errors
/// When there is more to it than text, or the answer is to be more.
pub(super) fn prompt(template: &Template, request: &ConverseRequest<'_>, notes: &mut Notes) -> Result<String, Problem> {
    check(request, notes)?;
    Ok(template.write(request, notes))
}

fn check(request: &ConverseRequest<'_>, notes: &mut Notes) -> Result<(), Problem> {
    if request.tool_config.is_some() {
        let problem = refusal("Unsupported parameter: this model can't call tools through Bedrock's Invoke API.");
        return Err(problem.with_param("tools"));
    }
    if request.output_config.text_format.is_some() {
        let problem = refusal("Unsupported parameter: this model can't be held to a schema by Bedrock's Invoke API.");
        return Err(problem.with_param("response_format"));
    }
    if request.output_config.effort.is_some() {
        notes.lose("reasoning_effort", "dropped", "unsupported-by-model");
    }
    if !request.additional_model_response_field_paths.is_empty() {
        notes.lose("additionalModelResponseFieldPaths", "dropped", "invoke-api");
    }
    let (mut has_cache_point, mut has_guard_text) = (false, false);
    for block in &request.system {
        has_cache_point |= matches!(block, SystemBlock::CachePoint(_));
        has_guard_text |= matches!(block, SystemBlock::GuardText(_));
    }
    for block in request.messages.iter().flat_map(|message| &message.content) {
        match block {
            // The model has no place for its earlier thoughts, and can do without.
            ContentBlock::Text(_) | ContentBlock::Reasoning(_) => {}
            ContentBlock::GuardText(_) => has_guard_text = true,
            ContentBlock::CachePoint(_) => has_cache_point = true,
            ContentBlock::Image(_) => return Err(unsupported("images")),
            ContentBlock::Document(_) => return Err(unsupported("documents")),
            ContentBlock::Audio(_) => return Err(unsupported("audio")),
            ContentBlock::Video(_) => return Err(unsupported("video")),
            ContentBlock::ToolUse(_) => return Err(unsupported("calls of tools")),
            ContentBlock::ToolResult(_) => return Err(unsupported("results of tools")),
            ContentBlock::Other { member, .. } => return Err(unsupported(&format!("'{member}'"))),
        }
    }
    if has_cache_point {
        notes.lose("cache_control", "dropped", "unsupported-by-model");
    }
    if has_guard_text {
        notes.lose("messages", "judged-as-a-whole", "invoke-api");
    }
    Ok(())
}

fn unsupported(what: &str) -> Problem {
    let message = format!("Unsupported content: this model can't take {what} through Bedrock's Invoke API.");
    refusal(&message).with_param("messages")
}

fn refusal(message: &str) -> Problem {
    Problem::invalid(message).with_code("unsupported_parameter")
}

/// Writes a body of what `write` writes and the client's own fields, but for those in `placed`.
pub(super) fn body(
    request: &ConverseRequest<'_>,
    placed: &[&str],
    write: impl FnOnce(&mut Members<'_, '_, '_>),
) -> CallBody {
    let mut out = Vec::with_capacity(4096);
    ObjectWriter::write(&mut out, |object| {
        let own = &request.additional_model_request_fields;
        write(&mut Members { own, object });
        write_additional_fields(request, placed, object);
    });
    CallBody::new(vec![Bytes::from(out)])
}

/// An object of what `write` writes and the members of `own`, the client's own object in its place.
pub(super) fn merged(own: Option<&Json<'_>>, write: impl FnOnce(&mut Members<'_, '_, '_>)) -> Json<'static> {
    let mut members = Vec::new();
    if let Some(own) = own {
        // The client's own; what is no object has no members.
        let _ = own.read(|reader: &mut Reader<'_>| {
            reader.object(|name, reader| {
                members.push((Cow::Owned(name.to_owned()), reader.json()?.into_owned()));
                Ok(())
            })
        });
    }
    Json::object(|object| {
        write(&mut Members { own: &members, object });
        for (name, value) in &members {
            object.field(name, value);
        }
    })
}

/// Writes members of a body: one that the client has written itself, in the model's own words, is left to it.
pub(super) struct Members<'m, 'a, 'o> {
    own: &'m [(Cow<'a, str>, Json<'a>)],
    object: &'m mut ObjectWriter<'o>,
}

impl<'m, 'a, 'o> Members<'m, 'a, 'o> {
    /// Adds a member that is among those `placed`.
    pub(super) fn placed(&mut self, name: &str, value: &(impl ToJson + ?Sized)) {
        self.object.field(name, value);
    }

    /// Adds a member.
    pub(super) fn field(&mut self, name: &str, value: &(impl ToJson + ?Sized)) {
        if self.own(name).is_none() {
            self.object.field(name, value);
        }
    }

    /// Adds a member if there is a value.
    pub(super) fn optional<T: ToJson>(&mut self, name: &str, value: &Option<T>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }

    /// Adds a member if the list has items.
    pub(super) fn unless_empty<T: ToJson>(&mut self, name: &str, items: &[T]) {
        if !items.is_empty() {
            self.field(name, items);
        }
    }

    /// The client's own field of this name.
    pub(super) fn own(&self, name: &str) -> Option<&'m Json<'a>> {
        let found = self.own.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use outcrop_bedrock::converse::{
        CacheTtl, Document, DocumentFormat, Image, ImageFormat, JsonSchema, Source, ToolConfig, ToolResult, ToolUse,
    };
    use outcrop_bedrock::json::JsonText;

    use super::super::testing::Asked;
    use super::super::{
        Ai21J2, AnthropicText, CohereCommand, DeepSeekPrompt, Family, Imported, MetaLlama, MistralPrompt, TitanText,
    };
    use super::*;

    fn families() -> [&'static dyn Family; 8] {
        [
            &Ai21J2::CHAT,
            &AnthropicText,
            &CohereCommand::CHAT,
            &DeepSeekPrompt,
            &MetaLlama { template: "llama2" },
            &MistralPrompt::CHAT,
            &TitanText::CHAT,
            Imported::named("llama3").unwrap(),
        ]
    }

    fn refused(asked: &Asked) -> Vec<(Option<&'static str>, Option<String>, String)> {
        let refused = families().into_iter().map(|family| {
            let problem = asked.try_body(family).0.unwrap_err();
            assert_eq!(problem.status, 400);
            (problem.code, problem.param, problem.message)
        });
        refused.collect()
    }

    #[test]
    fn what_is_no_text_is_refused_by_name() {
        let text = || JsonText::encode("x");
        let bytes = || Source::Bytes(Bytes::from_static(b"x"));
        let image = ContentBlock::Image(Image {
            format: ImageFormat::Png,
            source: bytes(),
        });
        let document = ContentBlock::Document(Document {
            format: DocumentFormat::Pdf,
            name: "x".into(),
            source: bytes(),
        });
        let call = ContentBlock::ToolUse(ToolUse {
            id: text(),
            name: text(),
            input: Json::EMPTY_OBJECT,
        });
        let result = ContentBlock::ToolResult(ToolResult {
            id: text(),
            content: Vec::new(),
            status: None,
        });
        let other = ContentBlock::Other {
            member: "searchResult".into(),
            value: Json::EMPTY_OBJECT,
        };
        for (block, what) in [
            (image, "images"),
            (document, "documents"),
            (call, "calls of tools"),
            (result, "results of tools"),
            (other, "'searchResult'"),
        ] {
            let mut asked = Asked::say("Hi");
            asked.request.messages[0].content.push(block);
            for (code, param, message) in refused(&asked) {
                assert_eq!(
                    (code, param.as_deref()),
                    (Some("unsupported_parameter"), Some("messages"))
                );
                assert!(message.contains(what), "{message}");
            }
        }
    }

    #[test]
    fn tools_and_schemas_are_refused() {
        let mut tools = Asked::say("Hi");
        tools.request.tool_config = Some(ToolConfig {
            tools: Vec::new(),
            tool_choice: None,
        });
        let mut schema = Asked::say("Hi");
        schema.request.output_config.text_format = Some(JsonSchema {
            schema: JsonText::encode("{}"),
            name: None,
            description: None,
        });
        for (asked, expected) in [(tools, "tools"), (schema, "response_format")] {
            for (code, param, _) in refused(&asked) {
                assert_eq!(
                    (code, param.as_deref()),
                    (Some("unsupported_parameter"), Some(expected))
                );
            }
        }
    }

    #[test]
    fn what_has_no_place_is_noted_as_lost() {
        let mut asked = Asked::say("Hi");
        asked.request.output_config.effort = Some("low");
        asked.request.additional_model_response_field_paths = vec![JsonText::encode("/x")];
        asked.request.system = vec![SystemBlock::GuardText(JsonText::encode("Be brief."))];
        let blocks = &mut asked.request.messages[0].content;
        blocks.push(ContentBlock::CachePoint(CacheTtl::Default));
        for family in families() {
            let (_, notes) = asked.body(family);
            for note in [
                "reasoning_effort=dropped(unsupported-by-model)",
                "additionalModelResponseFieldPaths=dropped(invoke-api)",
                "cache_control=dropped(unsupported-by-model)",
                "messages=judged-as-a-whole(invoke-api)",
            ] {
                assert!(notes.contains(note), "{family:?}: {notes}");
            }
        }
    }

    #[test]
    fn the_clients_own_prompt_does_not_take_the_place_of_the_conversation() {
        for family in families() {
            let (body, _) = Asked::say("Hi")
                .own("prompt", r#""mine""#)
                .own("inputText", r#""mine""#)
                .body(family);
            let titans = format!("{family:?}").starts_with("TitanText");
            let name = if titans { "\"inputText\":" } else { "\"prompt\":" };
            assert_eq!(body.matches(name).count(), 1, "{body}");
            assert!(body.contains("Hi"), "{body}");
        }
    }
}
