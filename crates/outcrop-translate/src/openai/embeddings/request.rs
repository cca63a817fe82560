//! The request as OpenAI's clients write it (OpenAI's API description, `CreateEmbeddingRequest`, read 2026-11), and what
//! others add to it.

use std::borrow::Cow;

use outcrop_bedrock::json::{Fault, Kind, Reader};

use super::input::Inputs;
use crate::openai::members::read_members;
use crate::policy::OnUnsupported;
use crate::problem::Problem;
use crate::vectors::{Aim, Truncate, Wishes};

/// A request, read but not judged.
#[derive(Debug, Default)]
pub(super) struct EmbeddingsRequest<'a> {
    pub(super) model: Option<Cow<'a, str>>,
    /// The proxy API specification's way to name Bedrock's model beside another.
    pub(super) bedrock_model: Option<Cow<'a, str>>,
    /// The proxy API specification's way to say who makes the model.
    pub(super) model_provider: Option<Cow<'a, str>>,
    /// LiteLLM's way to call another id for the model.
    pub(super) model_id: Option<Cow<'a, str>>,
    pub(super) input: Option<Inputs<'a>>,
    pub(super) base64: bool,
    /// What the vectors should be like; `others` holds what is no parameter of ours.
    pub(super) wishes: Wishes<'a>,
    pub(super) user: Option<Cow<'a, str>>,
    /// `requestMetadata` and `metadata`.
    pub(super) metadata: Vec<(String, Cow<'a, str>)>,
    pub(super) on_unsupported: Option<OnUnsupported>,
    /// Whether a guardrail is asked for.
    pub(super) names_guardrail: bool,
    /// What parameters with several names were called.
    pub(super) named: Named,
    /// Whether another API than the only one is asked for.
    pub(super) wants_other_api: bool,
}

/// What parameters with several names were called, and what was said.
#[derive(Debug, Default)]
pub(super) struct Named(Vec<(&'static str, String, String)>);

impl Named {
    fn add(&mut self, parameter: &'static str, name: &str, value: String) {
        // The last one of a name counts.
        self.0.retain(|(_, known, _)| known != name);
        self.0.push((parameter, name.to_owned(), value));
    }

    /// Refuses two names of one parameter that say different things.
    pub(super) fn check(&self) -> Result<(), Problem> {
        for (index, (parameter, name, value)) in self.0.iter().enumerate() {
            let mut earlier = self.0.iter().take(index);
            if let Some((_, other, _)) = earlier.find(|(known, _, said)| known == parameter && said != value) {
                let message = format!("Invalid '{name}': it is another name for '{other}', which says otherwise.");
                return Err(Problem::invalid(message).with_code("invalid_value").with_param(name));
            }
        }
        Ok(())
    }
}

impl<'a> EmbeddingsRequest<'a> {
    /// Reads the body of a request.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let mut request = Self::default();
        read_members(body, |name, reader| request.read_parameter(name, reader))?;
        Ok(request)
    }

    /// Who it is for, as the client says.
    pub(super) fn whose(&self) -> Option<Cow<'_, str>> {
        self.user.as_deref().map(Cow::Borrowed).or_else(|| {
            let said = self.wishes.others.iter().find(|(name, _)| name == "safety_identifier");
            let read = said?.1.read(|reader| reader.string().map(Cow::into_owned));
            read.ok().map(Cow::Owned)
        })
    }

    fn read_parameter(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<(), Fault> {
        // OpenAI takes null for "not given" almost everywhere, and SDKs send it.
        if reader.kind()? == Kind::Null {
            return reader.skip();
        }
        let wishes = &mut self.wishes;
        match name {
            "model" => self.model = Some(reader.string()?),
            "bedrock_model" => self.bedrock_model = Some(reader.string()?),
            "model_provider" => self.model_provider = Some(reader.string()?),
            "model_id" => self.model_id = Some(reader.string()?),
            "bedrock_api" => self.wants_other_api = reader.string()? != "invoke",
            "useConverseAPI" | "use_converse_api" => self.wants_other_api = reader.bool()?,
            "input" => self.input = Some(Inputs::read(reader)?),
            "encoding_format" => {
                self.base64 = match reader.string()?.as_ref() {
                    "float" => false,
                    "base64" => true,
                    _ => return Err(Fault::shape("expected 'float' or 'base64'")),
                }
            }
            // OpenAI's name, and those of the models.
            "dimensions" | "output_dimension" | "outputEmbeddingLength" | "embeddingDimension" => {
                let dimension = reader.count()?;
                wishes.dimension = Some(dimension);
                self.named.add("dimensions", name, format!("{dimension}"));
            }
            "input_type" | "embeddingPurpose" => {
                let purpose = read_purpose(reader)?;
                wishes.purpose = Some(purpose);
                self.named.add("input_type", name, format!("{purpose:?}"));
            }
            "truncate" | "truncationMode" | "textTruncate" => {
                let truncate = read_truncate(reader)?;
                wishes.truncate = Some(truncate);
                self.named.add("truncate", name, format!("{truncate:?}"));
            }
            "normalize" => wishes.normalize = Some(reader.bool()?),
            "embedding_types" | "embeddingTypes" => {
                wishes.types = match reader.kind()? {
                    Kind::String => vec![reader.string()?],
                    _ => reader.list(Reader::string)?,
                };
                self.named.add("embedding_types", name, format!("{:?}", wishes.types));
            }
            // Whatever it says, it has nothing to be applied to.
            "guardrailConfig" | "guardrail_config" => {
                self.names_guardrail = true;
                reader.skip()?;
            }
            "user" => self.user = Some(reader.string()?),
            "requestMetadata" | "metadata" => reader.object(|key, reader| {
                self.metadata.push((key.to_owned(), reader.string()?));
                Ok(())
            })?,
            "on_unsupported" => {
                let word = OnUnsupported::from_name(&reader.string()?);
                self.on_unsupported = Some(word.ok_or_else(|| Fault::shape("expected 'adapt' or 'reject'"))?);
            }
            _ => {
                let value = reader.json()?;
                // As with every parameter, the last one of a name counts.
                wishes.others.retain(|(known, _)| known != name);
                wishes.others.push((name.to_owned().into(), value));
            }
        }
        Ok(())
    }
}

/// What vectors are for.
fn read_purpose(reader: &mut Reader<'_>) -> Result<Aim, Fault> {
    Aim::from_word(&reader.string()?).ok_or_else(|| Fault::shape(format!("expected one of {}", Aim::words())))
}

/// A word, or, as Hugging Face's server has it, whether it is cut at all.
fn read_truncate(reader: &mut Reader<'_>) -> Result<Truncate, Fault> {
    if reader.kind()? == Kind::Bool {
        return Ok(if reader.bool()? { Truncate::End } else { Truncate::Never });
    }
    Truncate::from_name(&reader.string()?)
        .ok_or_else(|| Fault::shape("expected 'NONE', 'START' or 'END', or 'LEFT' or 'RIGHT'"))
}
