//! Where schemas stand inside a schema. What stands elsewhere (`const`, `enum`, `default`, `examples`) is data, though
//! it may look like a schema.

use outcrop_bedrock::json::Fault;
use serde_json::{Map, Value};

/// What a keyword's value is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A schema, or an array of schemas where older drafts allow one.
    Schema,
    /// An array of schemas.
    List,
    /// An object of schemas, by names that mean nothing here.
    Named,
}

/// Keywords that hold schemas (JSON Schema 2020-12, core and applicator vocabularies, with what draft 4 to 2019-09
/// had instead; read 2026-11).
const PLACES: [(&str, Place); 22] = [
    ("$defs", Place::Named),
    ("additionalItems", Place::Schema),
    ("additionalProperties", Place::Schema),
    ("allOf", Place::List),
    ("anyOf", Place::List),
    ("contains", Place::Schema),
    ("definitions", Place::Named),
    ("dependencies", Place::Named),
    ("dependentSchemas", Place::Named),
    ("else", Place::Schema),
    ("if", Place::Schema),
    ("items", Place::Schema),
    ("not", Place::Schema),
    ("oneOf", Place::List),
    ("patternProperties", Place::Named),
    ("prefixItems", Place::List),
    ("properties", Place::Named),
    ("propertyNames", Place::Schema),
    ("then", Place::Schema),
    ("unevaluatedItems", Place::Schema),
    ("unevaluatedProperties", Place::Schema),
    ("contentSchema", Place::Schema),
];

fn place_of(keyword: &str) -> Option<Place> {
    PLACES
        .iter()
        .find(|(name, _)| *name == keyword)
        .map(|&(_, place)| place)
}

/// Visits the schemas right inside of `schema`, in its order, with the keyword that holds them. A fault gets the path from `schema` on.
pub(super) fn visit<'v>(
    schema: &'v Map<String, Value>,
    mut visitor: impl FnMut(&'v str, &'v Value) -> Result<(), Fault>,
) -> Result<(), Fault> {
    for (keyword, value) in schema {
        let Some(place) = place_of(keyword) else { continue };
        match (place, value) {
            (Place::Schema | Place::List, Value::Array(schemas)) => {
                for (index, schema) in schemas.iter().enumerate() {
                    visitor(keyword, schema).map_err(|fault| fault.at_index(index).under_key(keyword))?;
                }
            }
            (Place::Schema, schema) => visitor(keyword, schema).map_err(|fault| fault.under_key(keyword))?,
            (Place::Named, Value::Object(schemas)) => {
                for (name, schema) in schemas {
                    visitor(keyword, schema).map_err(|fault| fault.under_key(name).under_key(keyword))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// As [`visit`], to change them.
pub(super) fn visit_mut(schema: &mut Map<String, Value>, mut visitor: impl FnMut(&str, &mut Value)) {
    for (keyword, value) in schema {
        let Some(place) = place_of(keyword) else { continue };
        match (place, value) {
            (Place::Schema | Place::List, Value::Array(schemas)) => {
                schemas.iter_mut().for_each(|schema| visitor(keyword, schema));
            }
            (Place::Schema, schema) => visitor(keyword, schema),
            (Place::Named, Value::Object(schemas)) => {
                schemas.values_mut().for_each(|schema| visitor(keyword, schema));
            }
            _ => {}
        }
    }
}
