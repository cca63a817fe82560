//! For the tests of shapes: requests, and answers to compare.

use std::borrow::Cow;

use outcrop_bedrock::base64;
use outcrop_bedrock::call::TokenCounts;
use outcrop_bedrock::converse::{
    ContentBlock, ConverseRequest, ConverseResponse, Delta, Event, InferenceConfig, Message, Reasoning, Role,
    StopReason, SystemBlock, TokenUsage,
};
use outcrop_bedrock::json::{Json, JsonText};

use super::{Ask, Family, InvokeStream};
use crate::notes::Notes;
use crate::problem::Problem;

/// A request, and what it is asked of.
pub(super) struct Asked {
    pub(super) request: ConverseRequest<'static>,
    base_id: &'static str,
    streams: bool,
}

impl Asked {
    /// A single turn of the user's.
    pub(super) fn say(text: &str) -> Self {
        let request = ConverseRequest {
            messages: vec![turn(Role::User, &[text])],
            ..ConverseRequest::default()
        };
        Self {
            request,
            base_id: "a.model",
            streams: false,
        }
    }

    pub(super) fn system(mut self, text: &str) -> Self {
        self.request.system.push(SystemBlock::Text(JsonText::encode(text)));
        self
    }

    pub(super) fn of(mut self, base_id: &'static str) -> Self {
        self.base_id = base_id;
        self
    }

    pub(super) fn streams(mut self) -> Self {
        self.streams = true;
        self
    }

    /// With all that can be said of length and sampling.
    pub(super) fn sampled(mut self) -> Self {
        self.request.inference_config = InferenceConfig {
            max_tokens: Some(50),
            temperature: Some(0.5),
            top_p: Some(0.9),
            stop_sequences: vec![JsonText::encode("END"), JsonText::encode("\n")],
        };
        self.own("top_k", "7")
    }

    /// With a field of the model's own.
    pub(super) fn own(mut self, name: &'static str, value: &str) -> Self {
        let value = Json::parse(value).unwrap().into_owned();
        let fields = &mut self.request.additional_model_request_fields;
        fields.push((Cow::Borrowed(name), value));
        self
    }

    /// The body that `family` makes of it, and the notes.
    pub(super) fn body(&self, family: &dyn Family) -> (String, String) {
        let (body, notes) = self.try_body(family);
        (body.unwrap(), notes)
    }

    pub(super) fn try_body(&self, family: &dyn Family) -> (Result<String, Problem>, String) {
        let mut notes = Notes::default();
        let ask = Ask {
            request: &self.request,
            streams: self.streams,
            base_id: self.base_id,
            media: crate::Catalogue::built_in().media(Some(self.base_id)),
            max_output: 2048,
        };
        let body = family.body(&ask, &mut notes);
        let body = body.map(|body| String::from_utf8(body.to_vec()).unwrap());
        if let Ok(body) = &body {
            Json::parse(body).unwrap();
        }
        (body, notes.to_string())
    }
}

/// A turn with a block for each text.
pub(super) fn turn(role: Role, texts: &[&str]) -> Message<'static> {
    let blocks = texts.iter().map(|text| ContentBlock::Text(JsonText::encode(text)));
    Message {
        role,
        content: blocks.collect(),
    }
}

pub(super) fn json_text(text: &str) -> String {
    JsonText::encode(text).token().to_owned()
}

/// What an answer comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    thoughts: String,
    text: String,
    pub(super) stop_reason: StopReason,
    usage: TokenUsage,
}

pub(super) fn answer(
    thoughts: &str,
    text: &str,
    stop_reason: StopReason,
    input_tokens: u64,
    output_tokens: u64,
) -> Answer {
    let usage = TokenUsage {
        input_tokens,
        output_tokens,
        ..TokenUsage::default()
    };
    Answer {
        thoughts: thoughts.to_owned(),
        text: text.to_owned(),
        stop_reason,
        usage,
    }
}

/// A whole answer of `family`.
pub(super) fn whole(family: &dyn Family, body: &str) -> Answer {
    let reply: ConverseResponse<'_> = super::reply(family, body.as_bytes(), TokenCounts::default()).unwrap();
    let mut read = answer("", "", reply.stop_reason, 0, 0);
    read.usage = reply.usage;
    for block in reply.content {
        match block {
            ContentBlock::Text(text) => read.text += &text.decoded(),
            ContentBlock::Reasoning(Reasoning::Text { text, signature: None }) => read.thoughts += &text.decoded(),
            other => panic!("an answer of text alone has {other:?}"),
        }
    }
    read
}

/// A streamed answer of `family`, put together again.
pub(super) fn streamed(family: &dyn Family, chunks: &[impl AsRef<str>]) -> Answer {
    let mut read = answer("", "", StopReason::Other("none".to_owned()), 0, 0);
    let mut stream = InvokeStream::new(family);
    let mut sink = |event: Event<'_>| match event {
        Event::ContentBlockDelta { delta, .. } => match delta {
            Delta::Text(text) => read.text += &text.decoded(),
            Delta::ReasoningText(text) => {
                assert_eq!(read.text, "", "thoughts come first");
                read.thoughts += &text.decoded();
            }
            other => panic!("an answer of text alone has {other:?}"),
        },
        Event::MessageStop { stop_reason, .. } => read.stop_reason = stop_reason,
        Event::Metadata { usage, .. } => read.usage = usage,
        _ => {}
    };
    for chunk in chunks {
        let payload = format!(r#"{{"bytes":"{}"}}"#, base64::encode(chunk.as_ref().as_bytes()));
        stream.read("chunk", payload.as_bytes(), &mut sink).unwrap();
    }
    assert!(stream.finish(&mut sink), "the answer is whole");
    read
}
