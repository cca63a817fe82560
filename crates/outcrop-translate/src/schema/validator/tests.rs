use serde_json::json;

use super::*;

fn check(schema: &Value, value: &Value) -> Result<(), Violation> {
    Validator::new(schema).unwrap().validate(value)
}

fn fault(schema: &Value) -> String {
    Validator::new(schema).unwrap_err().to_string()
}

/// For each schema, values that fit and values that don't.
#[test]
fn values_fit_or_do_not() {
    let cases = [
        (json!(true), json!([1, null]), json!([])),
        (json!(false), json!([]), json!([1, null])),
        (json!({}), json!([1, "x", null]), json!([])),
        (
            json!({"type": "integer"}),
            json!([1, -1, 1.0, 1e300]),
            json!([1.5, "1", null]),
        ),
        (json!({"type": "number"}), json!([1, 1.5]), json!(["1", true])),
        (json!({"type": ["string", "null"]}), json!(["", null]), json!([0, []])),
        (json!({"type": "boolean"}), json!([true]), json!(["true", 1])),
        (
            json!({"enum": ["a", 1, {"x": 1, "y": [2]}]}),
            json!(["a", 1, 1.0, {"y": [2.0], "x": 1}]),
            json!(["b", true, {"x": 1}]),
        ),
        (json!({"const": null}), json!([null]), json!([0, false, ""])),
        (
            json!({"minimum": 1, "maximum": 2.5}),
            json!([1, 2.5, "0"]),
            json!([0.99, 2.51]),
        ),
        (
            json!({"exclusiveMinimum": 1, "exclusiveMaximum": 3}),
            json!([2, 1.01]),
            json!([1, 3, 1.0]),
        ),
        (
            json!({"minimum": 1, "exclusiveMinimum": true}),
            json!([1.1]),
            json!([1]),
        ),
        (
            json!({"minimum": 9_007_199_254_740_993_u64}),
            json!([9_007_199_254_740_993_u64]),
            json!([9_007_199_254_740_992_u64]),
        ),
        (
            json!({"multipleOf": 0.01}),
            json!([19.99, 3, 0]),
            json!([0.001, 19.995]),
        ),
        (json!({"multipleOf": 7}), json!([14, 21.0]), json!([15])),
        (
            json!({"minLength": 2, "maxLength": 3}),
            json!(["äö", "abc", 1]),
            json!(["ä", "abcd"]),
        ),
        (
            json!({"pattern": r"^\d{2}$"}),
            json!(["42", 4]),
            json!(["4", "427", "x"]),
        ),
        (
            json!({"items": {"type": "integer"}}),
            json!([[], [1], "x"]),
            json!([["x"], [1, "x"]]),
        ),
        (
            json!({"prefixItems": [{"type": "string"}], "items": false}),
            json!([["a"], []]),
            json!([[1], ["a", 1]]),
        ),
        (
            json!({"items": [{"type": "string"}], "additionalItems": {"type": "null"}}),
            json!([["a", null]]),
            json!([["a", 1], [1]]),
        ),
        (
            json!({"minItems": 1, "maxItems": 2}),
            json!([[1], [1, 2]]),
            json!([[], [1, 2, 3]]),
        ),
        (
            json!({"uniqueItems": true}),
            json!([[1, "1", true], [{"a": 1}, {"a": 2}]]),
            json!([[1, 1.0], [{"a": 1, "b": 2}, {"b": 2, "a": 1}]]),
        ),
        (json!({"contains": {"const": 1}}), json!([[0, 1]]), json!([[], [0]])),
        (
            json!({"contains": {"const": 1}, "minContains": 0, "maxContains": 1}),
            json!([[], [1]]),
            json!([[1, 1]]),
        ),
        (json!({"required": ["a"]}), json!([{"a": null}, []]), json!([{"b": 1}])),
        (
            json!({"properties": {"a": {"type": "null"}}, "additionalProperties": false}),
            json!([{}, {"a": null}]),
            json!([{"b": 1}, {"a": 1}]),
        ),
        (
            json!({"additionalProperties": {"type": "null"}}),
            json!([{"x": null}]),
            json!([{"x": 1}]),
        ),
        (
            json!({"patternProperties": {"^n": {"type": "null"}}, "additionalProperties": false}),
            json!([{"no": null}]),
            json!([{"no": 1}, {"x": null}]),
        ),
        (
            json!({"propertyNames": {"maxLength": 1}}),
            json!([{"a": 1}]),
            json!([{"ab": 1}]),
        ),
        (
            json!({"minProperties": 1, "maxProperties": 1}),
            json!([{"a": 1}]),
            json!([{}, {"a": 1, "b": 2}]),
        ),
        (
            json!({"dependentRequired": {"a": ["b"]}}),
            json!([{}, {"a": 1, "b": 1}]),
            json!([{"a": 1}]),
        ),
        (
            json!({"dependentSchemas": {"a": {"required": ["b"]}}}),
            json!([{}, {"a": 1, "b": 1}]),
            json!([{"a": 1}]),
        ),
        (
            json!({"dependencies": {"a": ["b"], "c": {"required": ["d"]}}}),
            json!([{"c": 1, "d": 1}]),
            json!([{"a": 1}, {"c": 1}]),
        ),
        (
            json!({"allOf": [{"minimum": 1}, {"maximum": 2}]}),
            json!([1]),
            json!([0, 3]),
        ),
        (
            json!({"anyOf": [{"type": "null"}, {"minimum": 2}]}),
            json!([null, 2]),
            json!([1]),
        ),
        (
            json!({"oneOf": [{"type": "integer"}, {"minimum": 2}]}),
            json!([1, 2.5]),
            json!([3, 1.5]),
        ),
        (json!({"not": {"type": "null"}}), json!([1]), json!([null])),
        (
            json!({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"type": "null"}}),
            json!(["a", null]),
            json!(["", 1]),
        ),
        (
            json!({"$ref": "#/$defs/a~1b%25", "$defs": {"a/b%": {"type": "null"}}}),
            json!([null]),
            json!([1]),
        ),
        (
            json!({"$id": "https://x/y", "$ref": "https://x/y#/$defs/a", "$defs": {"a": {"type": "null"}}}),
            json!([null]),
            json!([1]),
        ),
        (
            json!({"properties": {"next": {"$ref": "#"}}, "required": ["id"]}),
            json!([{"id": 1, "next": {"id": 2}}]),
            json!([{"id": 1, "next": {}}]),
        ),
        // Keywords next to a reference count too, and names of members that are keywords are just names.
        (
            json!({"$ref": "#/$defs/a", "minimum": 5, "$defs": {"a": {"type": "integer"}}}),
            json!([5]),
            json!([4, 5.5]),
        ),
        (
            json!({"properties": {"$ref": {"type": "null"}, "type": {"type": "null"}}}),
            json!([{"$ref": null}]),
            json!([{"type": 1}]),
        ),
        (
            json!({"format": "email", "title": "x", "x-own": {"type": 7}}),
            json!(["no address"]),
            json!([]),
        ),
    ];
    for (schema, fitting, others) in cases {
        for value in fitting.as_array().unwrap() {
            assert_eq!(check(&schema, value), Ok(()), "{value} fits {schema}");
        }
        for value in others.as_array().unwrap() {
            assert!(check(&schema, value).is_err(), "{value} does not fit {schema}");
        }
    }
}

#[test]
fn a_violation_says_where_and_why() {
    let schema = json!({
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
            "unit": {"anyOf": [{"enum": ["C", "F"]}, {"type": "null"}]},
        },
        "required": ["items"],
        "additionalProperties": false,
        "$defs": {"Item": {"type": "object", "properties": {"price": {"type": "number", "minimum": 0}}, "required": ["price"]}},
    });
    let cases = [
        (json!([]), "expected object, but got an array"),
        (json!({}), "items: is required"),
        (
            json!({"items": [{"price": 1}, {"price": "2"}]}),
            "items[1].price: expected number, but got a string",
        ),
        (
            json!({"items": [{"price": -1}]}),
            "items[0].price: expected at least 0, but got -1",
        ),
        (json!({"items": [{}]}), "items[0].price: is required"),
        (
            json!({"items": [], "x": 1}),
            "x: is not a member that the schema allows",
        ),
        (
            json!({"items": [], "unit": "K"}),
            "unit: it fits none of the alternatives",
        ),
    ];
    for (value, words) in cases {
        assert_eq!(check(&schema, &value).unwrap_err().to_string(), words);
    }
    let either = json!({"anyOf": [{"type": "null"}, {"properties": {"a": {"const": "b"}}, "type": "object"}]});
    assert_eq!(
        check(&either, &json!({"a": 1})).unwrap_err().to_string(),
        "a: expected \"b\""
    );
}

#[test]
fn a_broken_schema_is_refused_at_its_fault() {
    let cases = [
        (json!(1), "expected a schema (an object or a boolean), but got a number"),
        (
            json!({"properties": {"a": {"type": "text"}}}),
            "properties.a.type: 'text' is no type; there are null, boolean, integer, number, string, array, object",
        ),
        (
            json!({"items": [{}, {"required": "a"}]}),
            "items[1].required: expected an array, but got a string",
        ),
        (json!({"anyOf": []}), "anyOf: expected at least one schema"),
        (
            json!({"$defs": {"a": {"minLength": -1}}}),
            "$defs.a.minLength: expected a whole number, 0 or above, but got a number",
        ),
        (
            json!({"properties": {"a": {"$ref": "#/$defs/b"}}}),
            "properties.a.$ref: '#/$defs/b' leads nowhere in this schema",
        ),
        (
            json!({"$ref": "https://example.com/schema.json"}),
            "$ref: 'https://example.com/schema.json' leads nowhere in this schema",
        ),
        (
            json!({"$ref": "file:///etc/passwd"}),
            "$ref: 'file:///etc/passwd' leads nowhere in this schema",
        ),
        (
            json!({"$ref": "#/x", "x": {"type": 1}}),
            "#/x.type: expected the name of a type, but got a number",
        ),
    ];
    for (schema, words) in cases {
        assert_eq!(fault(&schema), words);
    }
}

#[test]
fn what_is_not_checked_is_named() {
    let unchecked = |schema: Value| Validator::new(&schema).unwrap().unchecked().collect::<Vec<_>>();
    assert!(unchecked(json!({"pattern": "^a/b\\/c$"})).is_empty());
    let schema = json!({"pattern": "^(?=a)", "unevaluatedProperties": false, "patternProperties": {"(?!x)": {"type": "null"}}, "additionalProperties": false});
    assert_eq!(
        unchecked(schema.clone()),
        ["pattern", "patternProperties", "unevaluatedProperties"]
    );
    assert_eq!(check(&schema, &json!("b")), Ok(()));
    // It might be what the pattern names.
    assert_eq!(check(&schema, &json!({"y": 1})), Ok(()));
}

#[test]
fn schemas_made_to_keep_the_gateway_busy_are_given_up() {
    let given_up = "checking the value against the schema takes too much work";
    // Forty definitions, each of which refers twice to the one before.
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let mut definitions = json!({"d0": {"type": if keyword == "allOf" { "integer" } else { "null" }}});
        for index in 1..40 {
            let before = format!("#/$defs/d{}", index - 1);
            definitions[format!("d{index}")] = json!({keyword: [{"$ref": before}, {"$ref": before}]});
        }
        let schema = json!({"$ref": "#/$defs/d39", "$defs": definitions});
        assert_eq!(check(&schema, &json!(1)).unwrap_err().message, given_up);
        // It isn't taken for a mismatch that something else could make good.
        let schema = json!({"anyOf": [{"not": {"$ref": "#/$defs/d39"}}, true], "$defs": schema["$defs"]});
        assert_eq!(check(&schema, &json!(1)).unwrap_err().message, given_up);
    }
    for schema in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"anyOf": [{"$ref": "#/$defs/b"}], "$defs": {"b": {"not": {"$ref": "#"}}}}),
    ] {
        assert_eq!(check(&schema, &json!(1)).unwrap_err().message, given_up);
    }
    let text = "a".repeat(100_000);
    let list: Vec<Value> = (0..1_000).map(|index| json!(format!("{text}{index}"))).collect();
    assert_eq!(
        check(&json!({"items": {"pattern": "^(a+)+[0-9]*$"}}), &json!(list))
            .unwrap_err()
            .message,
        given_up
    );
}

#[test]
fn deep_schemas_are_refused_and_deep_values_checked() {
    let mut schema = json!({"type": "null"});
    for _ in 0..200 {
        schema = json!({"items": schema});
    }
    assert!(fault(&schema).ends_with("the schema is nested deeper than 128 levels"));

    let schema = json!({"$ref": "#/$defs/List", "$defs": {
        "List": {"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#/$defs/List"}}]},
    }});
    let mut value = json!(null);
    for _ in 0..90 {
        value = json!([value]);
    }
    assert_eq!(check(&schema, &value), Ok(()));
}

#[test]
fn large_patterns_are_not_compiled() {
    for pattern in ["(a{1000}){1000}", "((a{100}){100}){100}", "(", r"\p{L}"] {
        let validator = Validator::new(&json!({"pattern": pattern})).unwrap();
        assert_eq!(validator.unchecked().collect::<Vec<_>>(), ["pattern"]);
    }
    let schemas: Vec<Value> = (0..1_000)
        .map(|index| json!({"pattern": format!("^{index}$")}))
        .collect();
    let validator = Validator::new(&json!({"allOf": schemas})).unwrap();
    assert_eq!(validator.unchecked().collect::<Vec<_>>(), ["pattern"]);
}
