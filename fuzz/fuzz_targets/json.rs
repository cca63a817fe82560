//! The reader against serde_json: they take and refuse the same documents, and read the same values.
#![no_main]

use libfuzzer_sys::fuzz_target;
use outcrop_bedrock::json::{Fault, Json, JsonText, Kind, Reader};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let oracle = serde_json::from_slice::<Value>(bytes);
    let pulled = Reader::document(bytes, read_value);
    match (&pulled, &oracle) {
        (Ok(pulled), Ok(oracle)) => assert_eq!(pulled, oracle),
        (Err(_), Err(_)) => {}
        (pulled, oracle) => panic!("{pulled:?} is not {oracle:?}: {:?}", String::from_utf8_lossy(bytes)),
    }
    let skipped = Reader::document(bytes, Reader::json);
    if let Ok(skipped) = &skipped {
        let text = std::str::from_utf8(bytes).expect("it was read");
        assert_eq!(skipped.as_str(), text.trim_matches([' ', '\n', '\r', '\t']));
        assert!(Reader::document(bytes, Reader::skip).is_ok());
    }
    // Skipping doesn't compute numbers, so it takes those that are too large for a double.
    let too_large = || {
        oracle
            .as_ref()
            .is_err_and(|error| error.to_string().starts_with("number out of range"))
    };
    assert!(
        skipped.is_ok() == oracle.is_ok() || too_large(),
        "{:?}",
        String::from_utf8_lossy(bytes)
    );
    if let Ok(text) = std::str::from_utf8(bytes) {
        let encoded = JsonText::encode(text);
        assert_eq!(serde_json::from_str::<String>(encoded.token()).expect("a string"), text);
        assert_eq!(encoded.decoded(), text);
        assert_eq!(encoded.is_blank(), text.trim().is_empty());
    }
});

fn read_value(reader: &mut Reader<'_>) -> Result<Value, Fault> {
    Ok(match reader.kind()? {
        Kind::Null => reader.nullable(|_| Ok(())).map(|_| Value::Null)?,
        Kind::Bool => reader.bool()?.into(),
        Kind::Number => {
            let token: Json<'_> = reader.json()?;
            serde_json::from_str(token.as_str()).map_err(|error| Fault::shape(error.to_string()))?
        }
        Kind::String => reader.string()?.into_owned().into(),
        Kind::Array => reader.list(read_value)?.into(),
        Kind::Object => {
            let mut members = serde_json::Map::new();
            reader.object(|key, reader| {
                let value = read_value(reader)?;
                members.insert(key.to_owned(), value);
                Ok(())
            })?;
            members.into()
        }
    })
}
