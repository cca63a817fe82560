use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Quarters: the oracle reads other fractions to within a bit only.
        any::<i32>().prop_map(|quarters| Value::from(f64::from(quarters) / 4.0)),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6).prop_map(Value::from_iter),
        ]
    })
}

/// Reads a document through the pull interface alone, as the oracle would.
fn read_value(reader: &mut Reader<'_>) -> Result<Value, Fault> {
    Ok(match reader.kind()? {
        Kind::Null => reader.nullable(|_| Ok(())).map(|_| Value::Null)?,
        Kind::Bool => reader.bool()?.into(),
        Kind::Number => {
            let token = reader.json()?;
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

proptest! {
    #[test]
    fn every_document_reads_as_the_oracle_reads_it(value in json_value(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        prop_assert_eq!(Reader::document(text.as_bytes(), read_value).unwrap(), value);
        let carried = Json::parse(&text).unwrap();
        prop_assert_eq!(carried.as_str(), text.as_str());
    }

    #[test]
    fn a_damaged_document_is_refused_whenever_the_oracle_refuses_it(
        value in json_value(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut bytes = serde_json::to_vec(&value).unwrap();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at); } else { bytes[at] = byte; }
        let oracle = serde_json::from_slice::<Value>(&bytes).is_ok();
        let pulled = Reader::document(&bytes, read_value).is_ok();
        let skipped = Reader::document(&bytes, Reader::json).is_ok();
        prop_assert_eq!(pulled, oracle);
        // Skipping doesn't compute numbers, so it may let 1e999 pass that the oracle finds too large.
        prop_assert!(skipped || !oracle);
        prop_assert!(!skipped || oracle || bytes.iter().any(|byte| matches!(byte, b'e' | b'E')));
    }

    #[test]
    fn a_string_survives_encoding_and_decoding(text in any::<String>()) {
        let encoded = JsonText::encode(&text);
        prop_assert_eq!(serde_json::from_str::<String>(encoded.token()).unwrap(), text.clone());
        prop_assert_eq!(encoded.is_blank(), text.trim().is_empty());
        let oracle = serde_json::to_string(&text).unwrap();
        let read = Reader::document(oracle.as_bytes(), Reader::text).unwrap();
        prop_assert_eq!(read.is_blank(), text.trim().is_empty());
        prop_assert_eq!(read.into_decoded(), text);
    }

    #[test]
    fn numbers_are_written_so_that_they_read_back(number in any::<f64>(), count in any::<u64>()) {
        prop_assume!(number.is_finite());
        prop_assert_eq!(Json::encode(&number).as_str().parse::<f64>().unwrap(), number);
        prop_assert_eq!(serde_json::from_str::<u64>(Json::encode(&count).as_str()).unwrap(), count);
    }
}

#[test]
fn escapes_are_decoded_and_lone_surrogates_refused() {
    let read = |text: &str| Reader::document(text.as_bytes(), |reader| Ok(reader.string()?.into_owned()));
    assert_eq!(read(r#""\u00e9\n\/\ud83d\ude00\"""#).unwrap(), "é\n/😀\"");
    for lone in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#, r#""\ud800\ud800""#] {
        assert!(read(lone).is_err(), "{lone}");
    }
}

#[test]
fn a_fault_names_the_path() {
    let document = br#"{"messages":[{"role":"user"},{"role":7}]}"#;
    let fault = Reader::document(document, |reader| {
        reader.object(|_, reader| reader.array(|reader| reader.object(|_, reader| reader.string().map(drop))))
    })
    .unwrap_err();
    assert_eq!(fault.path, "messages[1].role");
    assert_eq!(fault.message, "expected a string, but got a number");
}

#[test]
fn depth_is_limited_however_it_is_read() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert!(Json::parse(&nested(MAX_DEPTH)).is_ok());
        assert!(Json::parse(&nested(MAX_DEPTH + 1)).is_err());
        assert!(Json::parse(&open.repeat(1_000_000)).is_err());
        assert!(Reader::document(nested(MAX_DEPTH + 1).as_bytes(), read_value).is_err());
    }
}

#[test]
fn texts_are_joined_without_decoding() {
    let (a, b) = (JsonText::encode("one\n"), JsonText::encode("two"));
    assert_eq!(JsonText::join(&[a, b], "\n").decoded(), "one\n\ntwo");
}

#[test]
fn long_arrays_of_numbers_stay_as_they_stand() {
    let many: Vec<String> = (0..500)
        .map(|n| format!("{}e-{}", f64::from(n) * -0.37, n % 9))
        .collect();
    let long = format!("[{}]", many.join(", "));
    for array in ["[]", "[1]", "[ 0.5,\n-1E+3 ]", &long] {
        let document = format!(" {array} ");
        assert_eq!(
            Reader::document(document.as_bytes(), Reader::numbers).as_deref(),
            Ok(array)
        );
    }
    let with_a_word = long.replace(", ", r#", "", "#);
    for wrong in [
        "[1",
        "[true]",
        "[[1]]",
        r#"["1"]"#,
        "1",
        "{}",
        "",
        &with_a_word,
        &long[..long.len() - 1],
    ] {
        assert!(Reader::document(wrong.as_bytes(), Reader::numbers).is_err(), "{wrong}");
    }
}
