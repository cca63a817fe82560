//! Reading a schema: everything that could be wrong with it is found here, so that checking a value can't fail for
//! the schema's sake.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use outcrop_bedrock::json::{Fault, MAX_DEPTH};
use regex_lite::RegexBuilder;
use serde_json::{Map, Value};

use super::super::places;
use super::{Pattern, Validator, resolve};

/// Schemas within one schema. OpenAI takes 5,000 properties (structured outputs, supported schemas, read 2026-11).
const MAX_SCHEMAS: usize = 50_000;

/// Regular expressions that are compiled, each of which may take some milliseconds.
const MAX_PATTERNS: usize = 200;

/// Sizes in bytes that a compiled regular expression may have, each tried after the other: what it costs to match one
/// depends on its size, and there is no other way to learn it.
const PATTERN_SIZES: [usize; 3] = [1 << 12, 1 << 14, 1 << 16];

/// The kinds of values that `type` knows.
const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

pub(super) fn compile(root: &Value) -> Result<Validator, Fault> {
    let mut compiler = Compiler {
        root,
        patterns: BTreeMap::new(),
        unchecked: BTreeSet::new(),
        targets: Vec::new(),
        seen: HashSet::new(),
    };
    compiler.schema(root, 0)?;
    // A reference may lead to where no keyword does, and the schema there may have references of its own.
    while let Some((reference, target)) = compiler.targets.pop() {
        compiler.schema(target, 0).map_err(|fault| fault.under_key(reference))?;
    }
    Ok(Validator {
        schema: root.clone(),
        patterns: compiler.patterns,
        unchecked: compiler.unchecked,
    })
}

struct Compiler<'v> {
    root: &'v Value,
    patterns: BTreeMap<String, Option<Pattern>>,
    unchecked: BTreeSet<&'static str>,
    /// Where references lead.
    targets: Vec<(&'v str, &'v Value)>,
    /// Schemas that were read, by address.
    seen: HashSet<*const Value>,
}

impl<'v> Compiler<'v> {
    fn schema(&mut self, schema: &'v Value, depth: usize) -> Result<(), Fault> {
        if !self.seen.insert(schema) {
            return Ok(());
        }
        if self.seen.len() > MAX_SCHEMAS {
            return Err(Fault::shape(format!("the schema has more than {MAX_SCHEMAS} parts")));
        }
        if depth > MAX_DEPTH {
            return Err(Fault::shape(format!(
                "the schema is nested deeper than {MAX_DEPTH} levels"
            )));
        }
        let members = match schema {
            Value::Bool(_) => return Ok(()),
            Value::Object(members) => members,
            other => return Err(expected("a schema (an object or a boolean)", other)),
        };
        for (keyword, value) in members {
            self.keyword(keyword, value).map_err(|fault| fault.under_key(keyword))?;
        }
        places::visit(members, |keyword, schema| match (keyword, schema) {
            // Draft 7: names of members that must come along.
            ("dependencies", names @ Value::Array(_)) => strings(names),
            _ => self.schema(schema, depth + 1),
        })
    }

    fn keyword(&mut self, keyword: &str, value: &'v Value) -> Result<(), Fault> {
        match keyword {
            "type" => match value {
                Value::Array(names) => names
                    .iter()
                    .enumerate()
                    .try_for_each(|(index, name)| type_name(name).map_err(|fault| fault.at_index(index))),
                name => type_name(name),
            },
            "enum" => list(value).map(drop),
            "required" => strings(value),
            "dependentRequired" => {
                let lists = object(value)?;
                lists
                    .iter()
                    .try_for_each(|(name, names)| strings(names).map_err(|fault| fault.under_key(name)))
            }
            "allOf" | "anyOf" | "oneOf" => match list(value)? {
                [] => Err(Fault::shape("expected at least one schema")),
                _ => Ok(()),
            },
            "prefixItems" => list(value).map(drop),
            "patternProperties" => {
                for pattern in object(value)?.keys() {
                    self.pattern("patternProperties", pattern);
                }
                Ok(())
            }
            "properties" | "$defs" | "definitions" | "dependentSchemas" | "dependencies" => object(value).map(drop),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" | "minContains"
            | "maxContains" => match value.as_f64() {
                Some(count) if count >= 0.0 && count.fract() == 0.0 => Ok(()),
                _ => Err(expected("a whole number, 0 or above", value)),
            },
            "exclusiveMinimum" | "exclusiveMaximum" if value.is_boolean() => Ok(()),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" if value.is_number() => Ok(()),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => Err(expected("a number", value)),
            "multipleOf" => match value.as_f64() {
                Some(factor) if factor > 0.0 => Ok(()),
                _ => Err(expected("a number above 0", value)),
            },
            "uniqueItems" => match value {
                Value::Bool(_) => Ok(()),
                other => Err(expected("a boolean", other)),
            },
            "pattern" => {
                let pattern = string(value)?;
                self.pattern("pattern", pattern);
                Ok(())
            }
            "$ref" => {
                let reference = string(value)?;
                let target = resolve(self.root, reference)
                    .ok_or_else(|| Fault::shape(format!("'{}' leads nowhere in this schema", shortened(reference))))?;
                self.targets.push((reference, target));
                Ok(())
            }
            "$dynamicRef" | "$recursiveRef" => {
                self.unchecked.insert("$dynamicRef");
                Ok(())
            }
            "unevaluatedProperties" | "unevaluatedItems" => {
                self.unchecked.insert(if keyword == "unevaluatedItems" {
                    "unevaluatedItems"
                } else {
                    "unevaluatedProperties"
                });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Compiles a regular expression, once. One that can't be is no fault: ECMA's may look around, ours can't.
    fn pattern(&mut self, keyword: &'static str, source: &str) {
        let is_room = self.patterns.len() < MAX_PATTERNS;
        let is_known = self.patterns.contains_key(source);
        if is_room && !is_known {
            self.patterns.insert(source.to_owned(), compile_pattern(source));
        }
        if !matches!(self.patterns.get(source), Some(Some(_))) {
            self.unchecked.insert(keyword);
        }
    }
}

fn compile_pattern(source: &str) -> Option<Pattern> {
    PATTERN_SIZES.iter().find_map(|&size| {
        let regex = RegexBuilder::new(source).size_limit(size).build().ok()?;
        Some(Pattern {
            regex,
            steps_per_byte: size / PATTERN_SIZES[0],
        })
    })
}

fn type_name(name: &Value) -> Result<(), Fault> {
    match name.as_str() {
        Some(name) if TYPES.contains(&name) => Ok(()),
        Some(name) => Err(Fault::shape(format!(
            "'{}' is no type; there are {}",
            shortened(name),
            TYPES.join(", ")
        ))),
        None => Err(expected("the name of a type", name)),
    }
}

fn list(value: &Value) -> Result<&[Value], Fault> {
    value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| expected("an array", value))
}

fn object(value: &Value) -> Result<&Map<String, Value>, Fault> {
    value.as_object().ok_or_else(|| expected("an object", value))
}

fn string(value: &Value) -> Result<&str, Fault> {
    value.as_str().ok_or_else(|| expected("a string", value))
}

fn strings(value: &Value) -> Result<(), Fault> {
    list(value)?
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| string(item).map(drop).map_err(|fault| fault.at_index(index)))
}

fn expected(what: &str, value: &Value) -> Fault {
    Fault::shape(format!("expected {what}, but got {}", super::check::kind(value)))
}

/// As much of a client's own words as a message shows.
fn shortened(text: &str) -> &str {
    text.char_indices().nth(100).map_or(text, |(end, _)| &text[..end])
}
