//! The key of an answer: a hash of who asks, what, and how it would be asked of Bedrock.

use std::fmt::Write as _;
use std::ops::Range;

use outcrop_bedrock::call::{CallBody, Operation};
use outcrop_bedrock::json::{Fault, Kind, Reader};
use ring::digest;

use crate::inquiry::Caller;

/// The key of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; digest::SHA256_OUTPUT_LEN]);

impl Key {
    /// Its name in Redis.
    pub(super) fn name(&self) -> String {
        let mut name = "outcrop:".to_owned();
        for byte in self.0 {
            // Writing into a text can't fail.
            let _ = write!(name, "{byte:02x}");
        }
        name
    }

    #[cfg(test)]
    pub(super) fn of(number: u8) -> Self {
        Self([number; digest::SHA256_OUTPUT_LEN])
    }
}

/// Makes a key, part by part.
pub(super) struct KeyMaker {
    hash: digest::Context,
    /// Whether something isn't what it was for certain, or is no JSON.
    is_unsure: bool,
}

impl KeyMaker {
    /// For a request of endpoint `E`.
    pub(super) fn new<E>(caller: &Caller, namespace: Option<&str>) -> Self {
        let mut maker = Self {
            hash: digest::Context::new(&digest::SHA256),
            is_unsure: false,
        };
        // Another version may answer otherwise.
        maker.text(env!("CARGO_PKG_VERSION"));
        maker.text(std::any::type_name::<E>());
        maker.optional(caller.key.as_deref());
        maker.optional(namespace);
        maker.optional(caller.path_model.as_deref());
        // Who asks at AWS is told to nobody else, and where it asks may be why.
        let login = caller.login.as_ref();
        maker.optional(login.and_then(|login| login.account.as_deref()));
        maker.optional(login.and_then(|login| login.region.as_deref()));
        maker.text(&format!("{:?} {:?}", caller.guardrail, caller.on_unsupported));
        maker
    }

    pub(super) fn number(&mut self, number: usize) {
        self.hash.update(&(number as u64).to_le_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Each part begins with its length, so that no two rows of parts are the same bytes.
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.hash.update(bytes);
    }

    fn optional(&mut self, text: Option<&str>) {
        self.number(text.is_some().into());
        self.text(text.unwrap_or_default());
    }

    /// A call as it would be made. Where it would be made is left out: a model is the same in each region.
    pub(super) fn call(
        &mut self,
        operation: Operation,
        model_id: &str,
        headers: &[(&'static str, String)],
        body: &CallBody,
    ) {
        self.text(&format!("{operation:?}"));
        self.text(model_id);
        self.number(headers.len());
        for (name, value) in headers {
            self.text(name);
            self.text(value);
        }
        match body.pieces() {
            [one] => self.json(one),
            _ => self.json(&body.to_vec()),
        }
    }

    /// A document, whatever the order of its members and its white space.
    pub(super) fn json(&mut self, document: &[u8]) {
        let mut canonical = Canonical {
            out: Vec::with_capacity(document.len()),
            names_a_file: false,
        };
        let read = Reader::document(document, |reader| canonical.value(reader, Level::Top));
        self.is_unsure |= read.is_err() || canonical.names_a_file;
        self.bytes(&canonical.out);
    }

    /// None, if the same key may mean something else later.
    pub(super) fn finish(self) -> Option<Key> {
        if self.is_unsure {
            return None;
        }
        let digest = self.hash.finish();
        digest.as_ref().try_into().ok().map(Key)
    }
}

/// Writes a document in one form of many.
struct Canonical {
    out: Vec<u8>,
    /// Whether it names a file in S3.
    names_a_file: bool,
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// The document itself.
    Top,
    /// `extra_body` in it, which is as good as the document.
    Extra,
    Inner,
}

impl Canonical {
    fn value(&mut self, reader: &mut Reader<'_>, level: Level) -> Result<(), Fault> {
        match reader.kind()? {
            Kind::Object => self.object(reader, level),
            Kind::Array => {
                self.out.push(b'[');
                reader.array(|reader| {
                    self.value(reader, Level::Inner)?;
                    self.out.push(b',');
                    Ok(())
                })?;
                self.out.push(b']');
                Ok(())
            }
            Kind::String => {
                let text = reader.text()?;
                self.out.extend_from_slice(text.token().as_bytes());
                Ok(())
            }
            _ => {
                let value = reader.json()?;
                self.out.extend_from_slice(value.as_str().as_bytes());
                Ok(())
            }
        }
    }

    fn object(&mut self, reader: &mut Reader<'_>, level: Level) -> Result<(), Fault> {
        self.out.push(b'{');
        let start = self.out.len();
        let mut members: Vec<(String, Range<usize>)> = Vec::new();
        reader.object(|name, reader| {
            // What the request says of the cache is no part of what it asks.
            if name == "cache" && level != Level::Inner {
                return reader.skip();
            }
            self.names_a_file |= name == "s3Location";
            let from = self.out.len();
            outcrop_bedrock::json::write_str(name, &mut self.out);
            self.out.push(b':');
            let is_extra = level == Level::Top && name == "extra_body";
            let value = self.out.len();
            self.value(reader, if is_extra { Level::Extra } else { Level::Inner })?;
            if is_extra && self.out.get(value..) == Some(b"{}") {
                self.out.truncate(from);
                return Ok(());
            }
            self.out.push(b',');
            members.push((name.to_owned(), from..self.out.len()));
            Ok(())
        })?;
        // Of several members of one name the order counts, and is kept.
        if !members.is_sorted_by(|(one, _), (next, _)| one <= next) {
            members.sort_by(|(one, _), (next, _)| one.cmp(next));
            let mut sorted = Vec::with_capacity(self.out.len() - start);
            for (_, range) in members {
                sorted.extend_from_slice(&self.out[range]);
            }
            self.out.truncate(start);
            self.out.extend_from_slice(&sorted);
        }
        self.out.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::Login;

    fn caller(key: &str) -> Caller {
        Caller {
            path_model: None,
            key: Some(key.to_owned()),
            tenant: None,
            user: None,
            guardrail: None,
            on_unsupported: None,
            session: None,
            patience: None,
            login: None,
        }
    }

    fn key_of(caller: &Caller, namespace: Option<&str>, document: &str) -> Option<Key> {
        let mut maker = KeyMaker::new::<()>(caller, namespace);
        maker.json(document.as_bytes());
        maker.finish()
    }

    fn key(document: &str) -> Key {
        key_of(&caller("k"), None, document).unwrap()
    }

    #[test]
    fn order_and_white_space_dont_matter() {
        let plain = key(r#"{"a":{"b":[1,{"x":1,"y":2}],"c":"t"},"d":null}"#);
        for same in [
            r#"{ "d" : null , "a" : { "c" : "t", "b" : [ 1 , { "y": 2, "x": 1 } ] } }"#,
            "{\n\"a\": {\"b\": [1, {\"x\": 1, \"y\": 2}], \"c\": \"t\"},\r\n\t\"d\": null}",
            r#"{"a":{"b":[1,{"x":1,"y":2}],"c":"t"},"d":null,"cache":{"ttl":5}}"#,
        ] {
            assert_eq!(key(same), plain, "{same}");
        }
    }

    #[test]
    fn all_else_does() {
        let documents = [
            r#"{"a":[1,2]}"#,
            r#"{"a":[2,1]}"#,
            r#"{"a":[[1],2]}"#,
            r#"{"a":[12]}"#,
            r#"{"a":"1,2"}"#,
            r#"{"a":[1,2],"b":null}"#,
            r#"{"a":{"cache":{}}}"#,
            r#"{"a":{}}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":2,"a":1}"#,
            r#"{"extra_body":{"a":{}}}"#,
        ];
        for (index, one) in documents.iter().enumerate() {
            for other in &documents[index + 1..] {
                assert_ne!(key(one), key(other), "{one} {other}");
            }
        }
        assert_eq!(key(r#"{"extra_body":{"cache":{}}}"#), key("{}"));
    }

    #[test]
    fn each_caller_has_its_own() {
        let of = |caller: &Caller, namespace| key_of(caller, namespace, "{}").unwrap();
        let at = |account: Option<&str>, region: Option<&str>| Caller {
            login: Some(Login {
                account: account.map(ToOwned::to_owned),
                region: region.map(ToOwned::to_owned),
                is_tenants: false,
                is_clients: account.is_some(),
            }),
            ..caller("k")
        };
        let keys = [
            of(&caller("k"), None),
            of(&caller("other"), None),
            of(
                &Caller {
                    key: None,
                    ..caller("k")
                },
                None,
            ),
            of(&caller("k"), Some("")),
            of(&caller("k"), Some("n")),
            of(&caller("kn"), None),
            of(&at(Some("request-1"), None), None),
            of(&at(Some("request-2"), None), None),
            of(&at(None, Some("eu-west-1")), None),
            of(&at(None, Some("eu-west-2")), None),
        ];
        for (index, one) in keys.iter().enumerate() {
            assert!(!keys[index + 1..].contains(one), "{index}");
        }
        assert!(!keys[0].name().contains("key") && keys[0].name().len() == 8 + 64);
    }

    #[test]
    fn what_may_change_has_no_key() {
        for document in [
            r#"{"messages":[{"source":{"s3Location":{"uri":"s3://b/k"}}}]}"#,
            "{",
            "",
        ] {
            assert_eq!(key_of(&caller("k"), None, document), None, "{document}");
        }
    }
}
