//! What a target adds to requests that don't say otherwise.

use bytes::Bytes;
use outcrop_bedrock::json::{Fault, Reader, write_str};
use outcrop_translate::{Input, Part};

/// Members for requests that don't have them, as texts of JSON objects: the target's, and those of the caller's key.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fill<'a> {
    pub(crate) of_target: Option<&'a str>,
    pub(crate) of_key: Option<&'a str>,
}

impl Fill<'_> {
    /// The body with the members that it lacks. One that is no object stays as it is: whoever reads it says so.
    pub(crate) fn body(self, body: &Bytes) -> Bytes {
        if self.of_target.is_none() && self.of_key.is_none() {
            return body.clone();
        }
        let mut present = Vec::new();
        let read = Reader::document(body, |reader| {
            reader.object(|key, value| {
                present.push(key.to_owned());
                value.skip()
            })
        });
        let Some(end) = body.iter().rposition(|byte| *byte == b'}').filter(|_| read.is_ok()) else {
            return body.clone();
        };
        let mut filled = body[..end].to_vec();
        let mut is_first = present.is_empty();
        let _: Result<(), Fault> = self.each(|key, text| {
            if present.iter().any(|member| member == key) {
                return;
            }
            present.push(key.to_owned());
            if !std::mem::take(&mut is_first) {
                filled.push(b',');
            }
            write_str(key, &mut filled);
            filled.push(b':');
            filled.extend_from_slice(text.as_bytes());
        });
        filled.push(b'}');
        filled.into()
    }

    /// The input with the members, or fields, that it lacks.
    pub(crate) fn input(self, input: &Input) -> Input {
        let form = match input {
            Input::Json(body) => return Input::Json(self.body(body)),
            Input::Form(form) => form,
        };
        let mut form = form.clone();
        let _: Result<(), Fault> = self.each(|key, text| {
            if form.parts.iter().any(|part| part.name == key) {
                return;
            }
            let text = Reader::document(text.as_bytes(), |reader| Ok(reader.string()?.into_owned()))
                .unwrap_or_else(|_| text.to_owned());
            form.parts.push(Part {
                name: key.to_owned(),
                bytes: text.into(),
                ..Part::default()
            });
        });
        Input::Form(form)
    }

    /// Calls `member` with each key and the text of its value; the target's come first.
    fn each(self, mut member: impl FnMut(&str, &str)) -> Result<(), Fault> {
        let objects = self.of_target.into_iter().chain(self.of_key);
        objects.into_iter().try_for_each(|object| each(object, &mut member))
    }
}

/// Calls `member` with each key of an object and the text of its value.
fn each(object: &str, mut member: impl FnMut(&str, &str)) -> Result<(), Fault> {
    Reader::document(object.as_bytes(), |reader| {
        reader.object(|key, value| {
            let value = value.json()?;
            member(key, value.as_str());
            Ok(())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_request_lacks_is_added() {
        let fill = Fill {
            of_target: Some(r#"{"temperature": 0.2, "stop": ["a"]}"#),
            of_key: Some(r#"{"temperature": 0.9}"#),
        };
        let of =
            |body: &'static str| String::from_utf8(fill.body(&Bytes::from_static(body.as_bytes())).to_vec()).unwrap();
        assert_eq!(
            of(r#"{"model":"m","temperature":1} "#),
            r#"{"model":"m","temperature":1,"stop":["a"]}"#
        );
        assert_eq!(of("{}"), r#"{"temperature":0.2,"stop":["a"]}"#);
        assert_eq!(of("{oops}"), "{oops}");
        assert_eq!(of("[1]"), "[1]");
    }
}
