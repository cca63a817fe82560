//! What models that make vectors answer. Vectors stay slices of the answer: they are many, and most of them only pass.

use outcrop_bedrock::json::{Fault, Kind, Reader};

/// An answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply<'a> {
    /// The vectors by the type of their numbers.
    pub(crate) types: Vec<Typed<'a>>,
    /// The tokens that were read, where the body tells.
    pub(crate) tokens: Option<u64>,
}

/// Vectors of one type.
#[derive(Clone, Debug)]
pub(crate) struct Typed<'a> {
    pub(crate) name: String,
    /// Each a JSON array, as it stands in the answer.
    pub(crate) vectors: Vec<&'a str>,
}

impl<'a> Reply<'a> {
    /// Reads an answer of any family: their members have different names.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Fault> {
        let mut reply = Self::default();
        Reader::document(body, |reader| {
            reader.object(|name, reader| match name {
                "embedding" => {
                    let vector = vector(reader)?;
                    reply.add(super::FLOAT, vec![vector]);
                    Ok(())
                }
                "embeddingsByType" => reader.object(|name, reader| {
                    let vector = vector(reader)?;
                    reply.add(name, vec![vector]);
                    Ok(())
                }),
                "embeddings" if reader.kind()? == Kind::Object => reader.object(|name, reader| {
                    let vectors = reader.list(vector)?;
                    reply.add(name, vectors);
                    Ok(())
                }),
                "embeddings" | "data" => {
                    let vectors = match reader.kind()? {
                        Kind::Object => vec![named(reader)?],
                        _ => reader.list(|reader| match reader.kind()? {
                            Kind::Object => named(reader),
                            _ => vector(reader),
                        })?,
                    };
                    reply.add(super::FLOAT, vectors);
                    Ok(())
                }
                "inputTextTokenCount" | "inputTokenCount" => {
                    reply.tokens = reader.nullable(Reader::count)?;
                    Ok(())
                }
                _ => reader.skip(),
            })
        })?;
        Ok(reply)
    }

    /// Titan tells the same vector twice.
    fn add(&mut self, name: &str, vectors: Vec<&'a str>) {
        if !self.types.iter().any(|known| known.name == name) {
            let name = name.to_owned();
            self.types.push(Typed { name, vectors });
        }
    }
}

/// A vector, of which nothing is read that isn't needed.
fn vector<'a>(reader: &mut Reader<'a>) -> Result<&'a str, Fault> {
    reader.numbers()
}

/// A vector that is a member of an object.
fn named<'a>(reader: &mut Reader<'a>) -> Result<&'a str, Fault> {
    let mut found = None;
    reader.object(|name, reader| match name {
        "embedding" => vector(reader).map(|vector| found = Some(vector)),
        _ => reader.skip(),
    })?;
    found.ok_or_else(|| Fault::shape("is required").under_key("embedding"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(body: &str) -> Vec<String> {
        let reply = Reply::read(body.as_bytes()).unwrap();
        let vectors = &reply.types.iter().find(|typed| typed.name == "float").unwrap().vectors;
        vectors.iter().map(|vector| (*vector).to_owned()).collect()
    }

    #[test]
    fn each_familys_vectors_are_found() {
        for (body, expected) in [
            (
                r#"{"embedding":[0.10, -1e-3],"inputTextTokenCount":3}"#,
                &["[0.10, -1e-3]"][..],
            ),
            (
                r#"{"embedding":[1],"embeddingsByType":{"float":[1],"binary":[1]}}"#,
                &["[1]"],
            ),
            (
                r#"{"id":"x","embeddings":[[1],[2]],"texts":["a","b"]}"#,
                &["[1]", "[2]"],
            ),
            (r#"{"embeddings":{"int8":[[7]],"float":[[1]]}}"#, &["[1]"]),
            (r#"{"embeddings":[{"embeddingType":"TEXT","embedding":[1]}]}"#, &["[1]"]),
            (r#"{"data":[{"embedding":[1],"startSec":0}]}"#, &["[1]"]),
            (r#"{"data":{"embedding":[1]}}"#, &["[1]"]),
        ] {
            assert_eq!(floats(body), expected, "{body}");
        }
        let reply = Reply::read(br#"{"inputTextTokenCount":3,"embedding":[1],"message":null}"#).unwrap();
        assert_eq!(reply.tokens, Some(3));
    }

    #[test]
    fn what_is_no_vector_is_a_fault() {
        for body in [
            r#"{"embedding":"AAAA"}"#,
            r#"{"data":[{}]}"#,
            r#"{"embeddings":[5]}"#,
            "[]",
            "{",
        ] {
            assert!(Reply::read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
