//! Calls of tools in answers of OpenAI's shape, whole and in pieces.

use outcrop_bedrock::converse::ToolUse;
use outcrop_bedrock::json::{Fault, Json, JsonText, Kind, Reader};

use super::super::Sayings;
use super::super::call_id::call_id;

/// A call, or a piece of one.
#[derive(Default)]
pub(super) struct CallPart<'a> {
    index: Option<u64>,
    id: Option<JsonText<'a>>,
    name: Option<JsonText<'a>>,
    arguments: Option<Arguments<'a>>,
}

/// Arguments of a call.
enum Arguments<'a> {
    /// JSON in a string, as OpenAI has it.
    Text(JsonText<'a>),
    /// The JSON itself, as some servers have it.
    Json(Json<'a>),
}

impl<'a> CallPart<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Fault> {
        let mut part = Self::default();
        reader.object(|member, reader| {
            match member {
                "index" => part.index = reader.nullable(Reader::count)?,
                "id" => part.id = non_empty(reader)?,
                "function" => {
                    if reader.kind()? != Kind::Object {
                        return reader.skip();
                    }
                    reader.object(|member, reader| {
                        match member {
                            "name" => part.name = non_empty(reader)?,
                            "arguments" => {
                                part.arguments = match reader.kind()? {
                                    Kind::Null => return reader.skip(),
                                    Kind::String => Some(Arguments::Text(reader.text()?)),
                                    _ => Some(Arguments::Json(reader.json()?)),
                                }
                            }
                            _ => reader.skip()?,
                        }
                        Ok(())
                    })?;
                }
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(part)
    }

    /// The call as Converse has it; `number` counts the calls of the answer.
    pub(super) fn into_whole(self, number: usize) -> Result<ToolUse<'a>, Fault> {
        let name = self.name.ok_or_else(|| Fault::shape("a call lacks its name"))?;
        let id = self.id.unwrap_or_else(|| call_id(number, &name.decoded()));
        let input = match self.arguments {
            None => Json::EMPTY_OBJECT,
            Some(Arguments::Json(json)) => json,
            Some(Arguments::Text(text)) => {
                let text = text.into_decoded();
                match Json::parse(&text) {
                    Ok(json) if json.as_str().trim_start().starts_with('{') => json.into_owned(),
                    _ if text.trim().is_empty() => Json::EMPTY_OBJECT,
                    // An answer that was cut off; Converse's input is an object.
                    _ => Json::object(|object| object.field("arguments", text.as_ref())),
                }
            }
        };
        Ok(ToolUse { id, name, input })
    }
}

fn non_empty<'a>(reader: &mut Reader<'a>) -> Result<Option<JsonText<'a>>, Fault> {
    let text = reader.nullable(Reader::text)?;
    Ok(text.filter(|text| !text.inner().is_empty()))
}

/// The calls of a streamed answer, each in any number of pieces, which may be mixed.
#[derive(Debug, Default)]
pub(super) struct Calls {
    begun: Vec<Begun>,
}

/// A call that has begun.
#[derive(Debug)]
struct Begun {
    index: Option<u64>,
    id: Option<String>,
    name: String,
    /// What came of its arguments, where it has no id: once they are whole, the same name begins another call.
    arguments: String,
}

impl Calls {
    /// Whether the answer calls tools.
    pub(super) fn have_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Says a piece.
    pub(super) fn say(&mut self, part: CallPart<'_>, said: &mut Sayings<'_>) -> Result<(), Fault> {
        let is_empty = match &part.arguments {
            None => true,
            Some(Arguments::Text(text)) => text.inner().is_empty(),
            Some(Arguments::Json(_)) => false,
        };
        let number = match self.number_of(&part) {
            Some(number) => number,
            None => {
                let Some(name) = part.name else {
                    // Nothing is lost with a piece that says nothing.
                    return if is_empty {
                        Ok(())
                    } else {
                        Err(Fault::shape("a piece of a call comes before its name"))
                    };
                };
                let number = self.begun.len();
                self.begun.push(Begun {
                    index: part.index,
                    id: part.id.as_ref().map(|id| id.inner().to_owned()),
                    name: name.inner().to_owned(),
                    arguments: String::new(),
                });
                let id = part.id.unwrap_or_else(|| call_id(number, &name.decoded()));
                said.call(number as u64, id, name);
                number
            }
        };
        let arguments = match part.arguments {
            Some(Arguments::Text(text)) => text,
            Some(Arguments::Json(json)) => JsonText::encode(json.as_str()),
            None => return Ok(()),
        };
        if let Some(call) = self.begun.get_mut(number).filter(|call| call.id.is_none()) {
            call.arguments.push_str(&arguments.decoded());
        }
        said.arguments(number as u64, arguments);
        Ok(())
    }

    /// The number of the call that this is a piece of; `None` if it begins the next one.
    fn number_of(&self, part: &CallPart<'_>) -> Option<usize> {
        let id = part.id.as_ref().map(JsonText::inner);
        // Some servers give no numbers, or the same to all, and some no ids: then the id tells, or the name.
        let number = self.begun.iter().rposition(|call| match (part.index, id) {
            (Some(index), _) => call.index == Some(index),
            (None, Some(id)) => call.id.as_deref() == Some(id),
            (None, None) => true,
        });
        let number = match number {
            None if part.index.is_none() => self.begun.len().checked_sub(1)?,
            number => number?,
        };
        let call = self.begun.get(number)?;
        let begins = match (id, &part.name) {
            (_, None) => false,
            (Some(id), Some(_)) => call.id.as_deref() != Some(id),
            (None, Some(name)) => call.name != name.inner() || Json::parse(&call.arguments).is_ok(),
        };
        (!begins).then_some(number)
    }
}
