//! `response_format`: the form that an answer's text must have.

use outcrop_bedrock::json::{Fault, Json, JsonText, Reader};

use super::request::read_object;

/// The form of an answer.
#[derive(Clone, Debug, Default)]
pub(super) enum ResponseFormat<'a> {
    /// Any text.
    #[default]
    Text,
    /// A JSON object, whatever it holds.
    JsonObject,
    /// JSON that fits a schema.
    JsonSchema(JsonSchema<'a>),
}

/// A schema that an answer must fit.
#[derive(Clone, Debug)]
pub(super) struct JsonSchema<'a> {
    pub(super) name: Option<JsonText<'a>>,
    pub(super) description: Option<JsonText<'a>>,
    /// Anything goes if there is none.
    pub(super) schema: Option<Json<'a>>,
    /// Whether an answer that doesn't fit is an error.
    pub(super) strict: bool,
}

impl<'a> ResponseFormat<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let (mut kind, mut json_schema) = (None, None);
        reader.object(|name, reader| {
            match name {
                "type" => kind = Some(reader.string()?),
                "json_schema" => json_schema = reader.nullable(JsonSchema::read)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        let missing = |member: &str| Fault::shape("is required").under_key(member);
        match kind.as_deref() {
            Some("text") => Ok(Self::Text),
            Some("json_object") => Ok(Self::JsonObject),
            Some("json_schema") => json_schema.map(Self::JsonSchema).ok_or_else(|| missing("json_schema")),
            Some(_) => Err(Fault::shape("expected 'text', 'json_object' or 'json_schema'").under_key("type")),
            None => Err(missing("type")),
        }
    }
}

impl<'a> JsonSchema<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let mut read = Self {
            name: None,
            description: None,
            schema: None,
            strict: false,
        };
        reader.object(|name, reader| {
            match name {
                "name" => read.name = reader.nullable(Reader::text)?,
                "description" => read.description = reader.nullable(Reader::text)?,
                "strict" => read.strict = reader.nullable(Reader::bool)?.unwrap_or(false),
                "schema" => {
                    read.schema = reader.nullable(read_object)?;
                }
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        if read.name.is_none() {
            return Err(Fault::shape("is required").under_key("name"));
        }
        Ok(read)
    }
}
