//! A first look at a request, for what routing must know before the request is planned.

use outcrop_bedrock::json::{Fault, Kind, Reader};
use outcrop_translate::Input;

/// The members that tell which conversation a request belongs to, from the most telling to the least.
const SESSION_MEMBERS: [&str; 3] = ["prompt_cache_key", "safety_identifier", "user"];

/// What a first look at a request tells. What isn't as it should be is left for the plan to find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Glance {
    /// The model that the body names.
    pub(crate) model: Option<String>,
    /// Whether the answer is to be streamed.
    pub(crate) streams: bool,
    /// What tells which conversation it belongs to.
    pub(crate) session: Option<String>,
    /// Whether it says itself what is called, by LiteLLM's `model_id`.
    pub(crate) brings_model_id: bool,
}

impl Glance {
    /// Looks at a request.
    pub(crate) fn at(input: &Input) -> Self {
        match input {
            Input::Json(body) => Self::at_json(body),
            Input::Form(form) => {
                let field = |name: &str| {
                    let part = form.parts.iter().find(|part| part.name == name)?;
                    String::from_utf8(part.bytes.to_vec()).ok()
                };
                Self {
                    model: field("bedrock_model")
                        .filter(|model| !model.is_empty())
                        .or_else(|| field("model")),
                    streams: field("stream").as_deref() == Some("true"),
                    session: field("user"),
                    brings_model_id: field("model_id").is_some(),
                }
            }
        }
    }

    fn at_json(body: &[u8]) -> Self {
        let mut glance = Self::default();
        let mut bedrock_model = None;
        let mut sessions: [Option<String>; SESSION_MEMBERS.len()] = Default::default();
        // What is wrong with it is told by whoever reads it in earnest.
        let _: Result<(), Fault> = Reader::document(body, |reader| {
            reader.object(|key, value| {
                if key == "model" && value.kind()? == Kind::String {
                    glance.model = Some(value.string()?.into_owned());
                } else if key == "bedrock_model" && value.kind()? == Kind::String {
                    bedrock_model = Some(value.string()?.into_owned()).filter(|model| !model.is_empty());
                } else if key == "stream" && value.kind()? == Kind::Bool {
                    glance.streams = value.bool()?;
                } else if key == "model_id" {
                    glance.brings_model_id = value.kind()? == Kind::String;
                    value.skip()?;
                } else if let Some(place) = SESSION_MEMBERS.iter().position(|member| *member == key)
                    && value.kind()? == Kind::String
                {
                    let session = value.string()?.into_owned();
                    if let Some(slot) = sessions.get_mut(place).filter(|_| !session.is_empty()) {
                        *slot = Some(session);
                    }
                } else {
                    value.skip()?;
                }
                Ok(())
            })
        });
        glance.model = bedrock_model.or(glance.model);
        glance.session = sessions.into_iter().flatten().next();
        glance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_telling_member_names_the_session() {
        let of = |body: &str| Glance::at_json(body.as_bytes());
        let glance = of(r#"{"user":"u","messages":[{"user":"x"}],"prompt_cache_key":"k","model":"m","stream":true}"#);
        let expected = Glance {
            model: Some("m".to_owned()),
            streams: true,
            session: Some("k".to_owned()),
            brings_model_id: false,
        };
        assert_eq!(glance, expected);
        assert_eq!(of(r#"{"bedrock_model":"b","model":"m"}"#).model.as_deref(), Some("b"));
        assert_eq!(of(r#"{"user":"","model":7}"#), Glance::default());
        assert_eq!(of(r#"{"user":"u"#), Glance::default());
        assert_eq!(of("[]"), Glance::default());
    }
}
