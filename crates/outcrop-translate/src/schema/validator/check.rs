//! Checking a value, one keyword after the other, until the first violation.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use outcrop_bedrock::json::Fault;
use serde_json::{Map, Number, Value};

use super::equality::{canonical, compare, whole};
use super::{Validator, Violation, resolve};

/// Work for one value, about a second's at most. A step is a schema met, or a byte compared.
const MAX_STEPS: usize = 2_000_000;

/// Schemas entered within one another: a document of ninety levels, each behind a reference and an alternative, needs
/// fewer. More would be a reference that runs in a circle, or more than the stack of a thread (2 MiB) holds in a build
/// without optimisation.
const MAX_NESTING: usize = 280;

pub(super) fn check(validator: &Validator, value: &Value) -> Result<(), Violation> {
    let mut check = Check {
        validator,
        steps: MAX_STEPS,
        nesting: 0,
    };
    match check.schema(&validator.schema, value) {
        Ok(()) => Ok(()),
        Err(Failure::Mismatch(fault)) => Err(Violation {
            path: fault.path,
            message: fault.message,
        }),
        Err(Failure::TooMuchWork) => Err(Violation {
            path: String::new(),
            message: "checking the value against the schema takes too much work".to_owned(),
        }),
    }
}

struct Check<'v> {
    validator: &'v Validator,
    steps: usize,
    nesting: usize,
}

enum Failure {
    Mismatch(Fault),
    /// Neither fits nor doesn't: `not` and `anyOf` must not make anything else of it.
    TooMuchWork,
}

impl Failure {
    fn under_key(self, key: &str) -> Self {
        match self {
            Self::Mismatch(fault) => Self::Mismatch(fault.under_key(key)),
            other => other,
        }
    }

    fn at_index(self, index: usize) -> Self {
        match self {
            Self::Mismatch(fault) => Self::Mismatch(fault.at_index(index)),
            other => other,
        }
    }
}

type Checked = Result<(), Failure>;

fn mismatch(message: impl Into<String>) -> Checked {
    Err(Failure::Mismatch(Fault::shape(message)))
}

impl<'v> Check<'v> {
    fn spend(&mut self, steps: usize) -> Checked {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err(Failure::TooMuchWork),
        }
    }

    fn schema(&mut self, schema: &'v Value, value: &Value) -> Checked {
        self.spend(1)?;
        let members = match schema {
            Value::Bool(false) => return mismatch("nothing is allowed here"),
            Value::Object(members) => members,
            _ => return Ok(()),
        };
        if self.nesting == MAX_NESTING {
            return Err(Failure::TooMuchWork);
        }
        self.nesting += 1;
        let checked = self.members(members, value);
        self.nesting -= 1;
        checked
    }

    fn members(&mut self, schema: &'v Map<String, Value>, value: &Value) -> Checked {
        // The kind first: it says most clearly what is wrong.
        if let Some(types) = schema.get("type") {
            check_type(types, value)?;
        }
        for (keyword, rule) in schema {
            self.spend(1)?;
            self.any_value(schema, keyword, rule, value)?;
            match value {
                Value::Number(number) => check_number(schema, keyword, rule, number)?,
                Value::String(text) => self.string(keyword, rule, text)?,
                Value::Array(items) => self.array(schema, keyword, rule, items)?,
                Value::Object(members) => self.object(schema, keyword, rule, members)?,
                Value::Null | Value::Bool(_) => {}
            }
        }
        Ok(())
    }

    /// Keywords that hold for values of any kind.
    fn any_value(&mut self, schema: &'v Map<String, Value>, keyword: &str, rule: &'v Value, value: &Value) -> Checked {
        match keyword {
            "const" if !self.is_one_of(std::slice::from_ref(rule), value)? => {
                mismatch(format!("expected {}", shortened(rule)))
            }
            "enum" if !self.is_one_of(list(rule), value)? => {
                let allowed: Vec<String> = list(rule).iter().take(20).map(shortened).collect();
                mismatch(format!("expected one of {}", allowed.join(", ")))
            }
            "$ref" => match rule
                .as_str()
                .and_then(|reference| resolve(&self.validator.schema, reference))
            {
                Some(target) => {
                    self.spend(rule.as_str().map_or(0, str::len))?;
                    self.schema(target, value)
                }
                None => Ok(()),
            },
            "allOf" => list(rule).iter().try_for_each(|schema| self.schema(schema, value)),
            "anyOf" => self.any_of(list(rule), value),
            "oneOf" => self.one_of(list(rule), value),
            "dependentRequired" | "dependentSchemas" | "dependencies" => self.dependent(rule, value),
            "not" => match self.fits(rule, value)? {
                true => mismatch("it is what 'not' excludes"),
                false => Ok(()),
            },
            "if" => {
                let branch = if self.fits(rule, value)? { "then" } else { "else" };
                match schema.get(branch) {
                    Some(branch) => self.schema(branch, value),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Whether the value fits, where a mismatch isn't the end.
    fn fits(&mut self, schema: &'v Value, value: &Value) -> Result<bool, Failure> {
        match self.schema(schema, value) {
            Ok(()) => Ok(true),
            Err(Failure::Mismatch(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    fn any_of(&mut self, schemas: &'v [Value], value: &Value) -> Checked {
        // The alternative that went wrong deepest inside is most likely the one that was meant.
        let mut closest: Option<Fault> = None;
        for schema in schemas {
            match self.schema(schema, value) {
                Ok(()) => return Ok(()),
                Err(Failure::Mismatch(fault)) => {
                    if closest
                        .as_ref()
                        .is_none_or(|closest| fault.path.len() > closest.path.len())
                    {
                        closest = Some(fault);
                    }
                }
                Err(other) => return Err(other),
            }
        }
        match closest {
            Some(fault) if schemas.len() == 1 || !fault.path.is_empty() => Err(Failure::Mismatch(fault)),
            _ => mismatch("it fits none of the alternatives"),
        }
    }

    fn one_of(&mut self, schemas: &'v [Value], value: &Value) -> Checked {
        let mut fitting = 0;
        for schema in schemas {
            fitting += usize::from(self.fits(schema, value)?);
        }
        match fitting {
            0 => self.any_of(schemas, value),
            1 => Ok(()),
            _ => mismatch("it fits more than one of the alternatives, where exactly one is allowed"),
        }
    }

    fn is_one_of(&mut self, allowed: &[Value], value: &Value) -> Result<bool, Failure> {
        self.spend(allowed.len())?;
        if allowed.iter().any(|allowed| allowed == value) {
            return Ok(true);
        }
        // What is no number and holds none has but one form.
        if matches!(value, Value::Null | Value::Bool(_) | Value::String(_)) {
            return Ok(false);
        }
        let value = canonical(value);
        self.spend(value.len())?;
        for allowed in allowed {
            let allowed = canonical(allowed);
            self.spend(1 + allowed.len())?;
            if allowed == value {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the text has a match; `None` if the pattern can't be checked.
    fn matches(&mut self, pattern: &str, text: &str) -> Result<Option<bool>, Failure> {
        let Some(Some(pattern)) = self.validator.patterns.get(pattern) else {
            return Ok(None);
        };
        self.spend((1 + text.len()).saturating_mul(pattern.steps_per_byte))?;
        Ok(Some(pattern.regex.is_match(text)))
    }

    fn string(&mut self, keyword: &str, rule: &Value, text: &str) -> Checked {
        match keyword {
            "minLength" | "maxLength" => {
                self.spend(text.len() / 16)?;
                check_count(keyword, rule, text.chars().count(), "character")
            }
            "pattern" => {
                let pattern = rule.as_str().unwrap_or("");
                match self.matches(pattern, text)? {
                    Some(false) => mismatch(format!("it does not match {}", shortened(rule))),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn array(&mut self, schema: &'v Map<String, Value>, keyword: &str, rule: &'v Value, items: &[Value]) -> Checked {
        match keyword {
            "prefixItems" => self.tuple(list(rule), items),
            "items" => match rule {
                Value::Array(schemas) => self.tuple(schemas, items),
                rest => self.items_from(schema.get("prefixItems").map_or(0, |it| list(it).len()), rest, items),
            },
            "additionalItems" => match schema.get("items") {
                Some(Value::Array(schemas)) => self.items_from(schemas.len(), rule, items),
                _ => Ok(()),
            },
            "contains" => self.contains(schema, rule, items),
            "minItems" | "maxItems" => check_count(keyword, rule, items.len(), "item"),
            "uniqueItems" if *rule == Value::Bool(true) => {
                let mut seen = BTreeSet::new();
                for (index, item) in items.iter().enumerate() {
                    let item = canonical(item);
                    self.spend(item.len())?;
                    if !seen.insert(item) {
                        return mismatch("the item is there already, and items must be unique")
                            .map_err(|failure| failure.at_index(index));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn tuple(&mut self, schemas: &'v [Value], items: &[Value]) -> Checked {
        for (index, (schema, item)) in schemas.iter().zip(items).enumerate() {
            self.schema(schema, item).map_err(|failure| failure.at_index(index))?;
        }
        Ok(())
    }

    fn items_from(&mut self, start: usize, schema: &'v Value, items: &[Value]) -> Checked {
        for (index, item) in items.iter().enumerate().skip(start) {
            self.schema(schema, item).map_err(|failure| failure.at_index(index))?;
        }
        Ok(())
    }

    fn contains(&mut self, schema: &'v Map<String, Value>, rule: &'v Value, items: &[Value]) -> Checked {
        let mut count = 0_usize;
        for item in items {
            count += usize::from(self.fits(rule, item)?);
        }
        match schema.get("minContains") {
            Some(least) => check_count("minContains", least, count, "item of a kind")?,
            None if count == 0 => return mismatch("no item is as 'contains' demands"),
            None => {}
        }
        match schema.get("maxContains") {
            Some(most) => check_count("maxContains", most, count, "item of a kind"),
            None => Ok(()),
        }
    }

    fn object(
        &mut self,
        schema: &'v Map<String, Value>,
        keyword: &str,
        rule: &'v Value,
        members: &Map<String, Value>,
    ) -> Checked {
        match keyword {
            "required" => self.required(list(rule), members),
            "properties" => {
                for (name, schema) in object(rule) {
                    self.spend(1)?;
                    if let Some(member) = members.get(name) {
                        self.schema(schema, member).map_err(|failure| failure.under_key(name))?;
                    }
                }
                Ok(())
            }
            "patternProperties" => {
                for (pattern, schema) in object(rule) {
                    for (name, member) in members {
                        if self.matches(pattern, name)? == Some(true) {
                            self.schema(schema, member).map_err(|failure| failure.under_key(name))?;
                        }
                    }
                }
                Ok(())
            }
            "additionalProperties" => self.additional(schema, rule, members),
            "propertyNames" => members.keys().try_for_each(|name| {
                self.schema(rule, &Value::from(name.as_str()))
                    .map_err(|failure| failure.under_key(name))
            }),
            "minProperties" | "maxProperties" => check_count(keyword, rule, members.len(), "member"),
            _ => Ok(()),
        }
    }

    /// What must come along with a member, as names or as a schema for the whole object.
    fn dependent(&mut self, rule: &'v Value, value: &Value) -> Checked {
        let Value::Object(members) = value else { return Ok(()) };
        for (name, demand) in object(rule) {
            self.spend(1)?;
            match demand {
                _ if !members.contains_key(name) => {}
                Value::Array(names) => self.required(names, members)?,
                schema => self.schema(schema, value)?,
            }
        }
        Ok(())
    }

    fn required(&mut self, names: &[Value], members: &Map<String, Value>) -> Checked {
        self.spend(names.len())?;
        match names
            .iter()
            .filter_map(Value::as_str)
            .find(|name| !members.contains_key(*name))
        {
            Some(name) => mismatch("is required").map_err(|failure| failure.under_key(name)),
            None => Ok(()),
        }
    }

    fn additional(&mut self, schema: &'v Map<String, Value>, rule: &'v Value, members: &Map<String, Value>) -> Checked {
        let named = schema.get("properties").map(object);
        let patterns = schema.get("patternProperties").map(object);
        for (name, member) in members {
            self.spend(1)?;
            if named.is_some_and(|named| named.contains_key(name)) {
                continue;
            }
            let mut is_patterned = false;
            for pattern in patterns.into_iter().flat_map(Map::keys) {
                // A pattern that can't be checked may have matched.
                is_patterned |= self.matches(pattern, name)?.unwrap_or(true);
            }
            if is_patterned {
                continue;
            }
            let checked = match rule {
                Value::Bool(false) => mismatch("is not a member that the schema allows"),
                schema => self.schema(schema, member),
            };
            checked.map_err(|failure| failure.under_key(name))?;
        }
        Ok(())
    }
}

/// The kind of a value with its article, for messages.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn check_type(types: &Value, value: &Value) -> Checked {
    let fits = |name: &str| match (name, value) {
        ("integer", Value::Number(number)) => number.as_f64().is_some_and(|number| number.fract() == 0.0),
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("number", Value::Number(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_)) => true,
        _ => false,
    };
    let names: Vec<&str> = match types {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        name => name.as_str().into_iter().collect(),
    };
    if names.iter().any(|name| fits(name)) {
        return Ok(());
    }
    mismatch(format!("expected {}, but got {}", names.join(" or "), kind(value)))
}

fn check_number(schema: &Map<String, Value>, keyword: &str, rule: &Value, number: &Number) -> Checked {
    // Draft 4 makes a bound exclusive by a flag beside it.
    let flagged = |flag: &str| schema.get(flag) == Some(&Value::Bool(true));
    let Value::Number(bound) = rule else { return Ok(()) };
    let order = compare(number, bound);
    let (fits, words) = match keyword {
        "minimum" if flagged("exclusiveMinimum") => (order == Ordering::Greater, "above"),
        "minimum" => (order != Ordering::Less, "at least"),
        "exclusiveMinimum" => (order == Ordering::Greater, "above"),
        "maximum" if flagged("exclusiveMaximum") => (order == Ordering::Less, "below"),
        "maximum" => (order != Ordering::Greater, "at most"),
        "exclusiveMaximum" => (order == Ordering::Less, "below"),
        "multipleOf" => (is_multiple(number, bound), "a multiple of"),
        _ => return Ok(()),
    };
    if fits {
        Ok(())
    } else {
        mismatch(format!("expected {words} {bound}, but got {number}"))
    }
}

fn is_multiple(number: &Number, factor: &Number) -> bool {
    if let (Some(number), Some(factor)) = (whole(number), whole(factor)) {
        return number.checked_rem(factor) == Some(0);
    }
    let quotient = number.as_f64().unwrap_or(0.0) / factor.as_f64().unwrap_or(1.0);
    // 19.99 is a multiple of 0.01, though not among doubles.
    (quotient - quotient.round()).abs() <= 1e-9 * quotient.abs().max(1.0)
}

fn check_count(keyword: &str, rule: &Value, count: usize, what: &str) -> Checked {
    let bound = rule.as_f64().unwrap_or(0.0);
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of what is in memory are far below 2^53"
    )]
    let order = (count as f64).partial_cmp(&bound);
    match order {
        Some(Ordering::Less) if keyword.starts_with("min") => {
            mismatch(format!("expected at least {rule} {what}(s), but there are {count}"))
        }
        Some(Ordering::Greater) if keyword.starts_with("max") => {
            mismatch(format!("expected at most {rule} {what}(s), but there are {count}"))
        }
        _ => Ok(()),
    }
}

/// What the compiler made sure of; empty can't happen.
fn list(rule: &Value) -> &[Value] {
    rule.as_array().map_or(&[], Vec::as_slice)
}

fn object(rule: &Value) -> &Map<String, Value> {
    static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    rule.as_object().unwrap_or(&EMPTY)
}

/// As much of a rule as a message shows.
fn shortened(rule: &Value) -> String {
    match rule {
        Value::String(text) => match text.char_indices().nth(100) {
            Some((end, _)) => format!("{}…", Value::from(&text[..end])),
            None => rule.to_string(),
        },
        Value::Array(_) | Value::Object(_) => format!("{} that the schema gives", kind(rule)),
        plain => plain.to_string(),
    }
}
