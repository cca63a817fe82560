//! The checker of values against the `jsonschema` crate: they take and refuse the same values.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use outcrop_translate::schema::Validator;
use serde_json::{Map, Value, json};

fuzz_target!(|bytes: &[u8]| {
    let mut source = Unstructured::new(bytes);
    if let (Ok(schema), Ok(value)) = (document(&mut source), value(&mut source, 3)) {
        check(&schema, &value);
    }
});

fn check(schema: &Value, value: &Value) {
    let (ours, oracle) = (Validator::new(schema), jsonschema::draft202012::new(schema));
    match (&ours, &oracle) {
        (Ok(ours), Ok(oracle)) => {
            let checked = ours.validate(value);
            assert_eq!(
                checked.is_ok(),
                oracle.is_valid(value),
                "{value} against {schema}: {checked:?}"
            );
        }
        (ours, oracle) => assert_eq!(
            ours.is_ok(),
            oracle.is_ok(),
            "{schema}: {ours:?}, {:?}",
            oracle.as_ref().err()
        ),
    }
}

/// A schema with definitions. The first refers to nothing and the second to the first, so that no reference runs in a
/// circle.
fn document(source: &mut Unstructured<'_>) -> arbitrary::Result<Value> {
    let plain = schema(source, 2, &[])?;
    let referring = schema(source, 2, &["#/$defs/a"])?;
    let mut root = schema(source, 3, &["#/$defs/a", "#/$defs/b~1%25"])?;
    if let Value::Object(root) = &mut root {
        root.insert("$defs".to_owned(), json!({"a": plain, "b/%": referring}));
    }
    Ok(root)
}

fn schema(source: &mut Unstructured<'_>, depth: u8, references: &[&str]) -> arbitrary::Result<Value> {
    const KEYWORDS: [&str; 31] = [
        "type",
        "enum",
        "const",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "pattern",
        "minItems",
        "maxItems",
        "uniqueItems",
        "contains",
        "minContains",
        "maxContains",
        "items",
        "prefixItems",
        "properties",
        "patternProperties",
        "additionalProperties",
        "propertyNames",
        "required",
        "minProperties",
        "maxProperties",
        "dependentRequired",
        "dependentSchemas",
        "anyOf",
        "if",
        "$ref",
    ];
    if depth == 0 || source.ratio(1, 12)? {
        return Ok(Value::Bool(source.ratio(3, 4)?));
    }
    let mut members = Map::new();
    for _ in 0..source.int_in_range(0..=4)? {
        let keyword = *source.choose(&KEYWORDS)?;
        let inner = |source: &mut Unstructured<'_>| schema(source, depth - 1, references);
        let rule = match keyword {
            "type" => json!(source.choose(&["null", "boolean", "integer", "number", "string", "array", "object"])?),
            "enum" => json!([value(source, 1)?, value(source, 1)?]),
            "const" => value(source, 2)?,
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => number(source)?,
            "multipleOf" => json!(source.choose(&[1.0, 0.5, 2.0, 3.0])?),
            "uniqueItems" => json!(bool::arbitrary(source)?),
            "pattern" => json!(source.choose(&["^a", "b$", "^[ab]*$", "é"])?),
            "prefixItems" => json!([inner(source)?, inner(source)?]),
            "properties" | "dependentSchemas" => json!({name(source)?: inner(source)?, name(source)?: inner(source)?}),
            "patternProperties" => json!({*source.choose(&["^a", "b$"])?: inner(source)?}),
            "required" => json!([name(source)?]),
            "dependentRequired" => json!({name(source)?: [name(source)?]}),
            "anyOf" => {
                let keyword = *source.choose(&["anyOf", "oneOf", "allOf"])?;
                members.insert(keyword.to_owned(), json!([inner(source)?, inner(source)?]));
                continue;
            }
            "if" => {
                members.insert("then".to_owned(), inner(source)?);
                members.insert("else".to_owned(), inner(source)?);
                members.insert("not".to_owned(), inner(source)?);
                inner(source)?
            }
            "$ref" if references.is_empty() => continue,
            "$ref" => json!(source.choose(references)?),
            "contains" | "items" | "additionalProperties" | "propertyNames" => inner(source)?,
            _ => json!(source.int_in_range(0..=2)?),
        };
        members.insert(keyword.to_owned(), rule);
    }
    Ok(Value::Object(members))
}

fn value(source: &mut Unstructured<'_>, depth: u8) -> arbitrary::Result<Value> {
    let kinds = if depth == 0 { 3 } else { 5 };
    Ok(match source.int_in_range(0..=kinds)? {
        0 => Value::Null,
        1 => json!(bool::arbitrary(source)?),
        2 => number(source)?,
        3 => json!(name(source)?),
        4 => {
            let length = source.int_in_range(0..=3)?;
            (0..length)
                .map(|_| value(source, depth - 1))
                .collect::<Result<_, _>>()?
        }
        _ => {
            let mut members = Map::new();
            for _ in 0..source.int_in_range(0..=3)? {
                members.insert(name(source)?.to_owned(), value(source, depth - 1)?);
            }
            Value::Object(members)
        }
    })
}

fn number(source: &mut Unstructured<'_>) -> arbitrary::Result<Value> {
    let numbers = [
        json!(0),
        json!(1),
        json!(1.0),
        json!(1.5),
        json!(-2),
        json!(3),
        json!(6.0),
        json!(1e300),
        json!(u64::MAX),
    ];
    source.choose(&numbers).cloned()
}

fn name<'n>(source: &mut Unstructured<'_>) -> arbitrary::Result<&'n str> {
    source.choose(&["a", "b", "ab", "é", ""]).copied()
}
