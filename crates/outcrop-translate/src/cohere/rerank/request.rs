//! The request, read.

use std::borrow::Cow;

use outcrop_bedrock::json::{Fault, Json, JsonText, Kind, Reader};

use crate::openai::members::read_members;
use crate::policy::OnUnsupported;

/// A request for reranking.
#[derive(Debug, Default)]
pub(super) struct Request<'a> {
    pub(super) model: Option<Cow<'a, str>>,
    pub(super) query: Option<JsonText<'a>>,
    pub(super) documents: Option<Vec<Document<'a>>>,
    /// Which members of documents are looked at.
    pub(super) rank_fields: Option<Vec<Cow<'a, str>>>,
    pub(super) top_n: Option<u64>,
    pub(super) return_documents: bool,
    pub(super) on_unsupported: Option<OnUnsupported>,
    /// Whether a guardrail is asked for.
    pub(super) names_guardrail: bool,
    /// Who it is for.
    pub(super) user: Option<String>,
    /// What Bedrock has nothing for.
    pub(super) dropped: Vec<&'static str>,
    /// What is the model's own.
    pub(super) others: Vec<(String, Json<'a>)>,
}

/// A document to be ranked.
#[derive(Clone, Debug)]
pub(super) enum Document<'a> {
    Text(JsonText<'a>),
    /// Its members in order, and all of it.
    Object(Vec<(String, Json<'a>)>, Json<'a>),
}

/// Parameters that change nothing about the order: whose request it is, how soon it is answered, and how long documents
/// were cut before models read them whole.
const DROPPED: [&str; 4] = ["max_chunks_per_doc", "metadata", "priority", "user"];

/// LiteLLM's switches, and OpenAI's book-keeping: nothing that an order would show.
const IGNORED: [&str; 5] = ["cache", "drop_params", "modify_params", "store", "safety_identifier"];

impl<'a> Request<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// What is no JSON, or of another type than it must be, by its place.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let mut request = Self::default();
        read_members(body, |name, reader| request.read_member(name, reader))?;
        Ok(request)
    }

    fn read_member(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<(), Fault> {
        match name {
            "model" => self.model = reader.nullable(Reader::string)?,
            "query" => self.query = reader.nullable(Reader::text)?,
            "documents" => self.documents = reader.nullable(|reader| reader.list(document))?,
            "rank_fields" => self.rank_fields = reader.nullable(|reader| reader.list(Reader::string))?,
            "top_n" => self.top_n = reader.nullable(Reader::count)?,
            "return_documents" => self.return_documents = reader.nullable(Reader::bool)?.unwrap_or_default(),
            // Whatever it says, it has nothing to be applied to.
            "guardrailConfig" | "guardrail_config" => {
                self.names_guardrail |= reader.nullable(Reader::json)?.is_some();
            }
            "on_unsupported" => self.on_unsupported = reader.nullable(on_unsupported)?,
            _ => self.add_other(name, reader)?,
        }
        Ok(())
    }

    fn add_other(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<(), Fault> {
        let Some(value) = reader.nullable(Reader::json)? else {
            return Ok(());
        };
        if IGNORED.contains(&name) {
            return Ok(());
        }
        if name == "user" {
            self.user = value.read(|reader| reader.string().map(Cow::into_owned)).ok();
        }
        match DROPPED.iter().find(|known| **known == name) {
            Some(name) => self.dropped.push(name),
            // As with every parameter, the last one of a name counts.
            None => {
                self.others.retain(|(known, _)| known != name);
                self.others.push((name.to_owned(), value));
            }
        }
        Ok(())
    }
}

fn document<'a>(reader: &mut Reader<'a>) -> Result<Document<'a>, Fault> {
    match reader.kind()? {
        Kind::String => reader.text().map(Document::Text),
        Kind::Object => {
            let whole = reader.json()?;
            let mut members = Vec::new();
            // Slices of the client's own body, so that nothing of it is copied.
            let text = whole.as_slice().unwrap_or_default();
            Reader::document(text.as_bytes(), |reader| {
                reader.object(|name, reader| {
                    members.push((name.to_owned(), reader.json()?));
                    Ok(())
                })
            })?;
            Ok(Document::Object(members, whole))
        }
        _ => Err(Fault::shape("expected a text or an object")),
    }
}

fn on_unsupported(reader: &mut Reader<'_>) -> Result<OnUnsupported, Fault> {
    let name = reader.string()?;
    OnUnsupported::from_name(&name).ok_or_else(|| Fault::shape("expected 'adapt' or 'reject'"))
}
