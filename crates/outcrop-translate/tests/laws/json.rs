//! JSON of any kind.

use proptest::prelude::*;
use serde_json::{Value, json};

pub(crate) fn json_object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..3).prop_map(Value::from_iter),
        ]
    });
    prop::collection::vec((any::<String>(), value), 0..4).prop_map(Value::from_iter)
}

/// The places of all values in `value`.
pub(crate) fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(members) => {
            // Keys that a pointer would have to escape stay as they are.
            for (key, member) in members.iter().filter(|(key, _)| !key.contains(['/', '~'])) {
                pointers(member, &format!("{at}/{key}"), found);
            }
        }
        _ => {}
    }
}

pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    prop_oneof![
        json_object(),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec![
            json!([]),
            json!({}),
            json!(""),
            json!([""]),
            json!([{}]),
            json!("auto"),
            json!("none"),
            json!("required"),
            json!("text"),
            json!("data:image/png;base64,"),
            json!("data:,"),
            json!("{"),
            json!("assistant"),
        ]),
    ]
}

/// The same JSON in ASCII, as Python's `json.dumps` writes it.
pub(crate) fn escape(json: &str) -> String {
    let mut units = [0; 2];
    json.chars()
        .map(|letter| match letter {
            ' '..='~' => letter.to_string(),
            _ => letter
                .encode_utf16(&mut units)
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect(),
        })
        .collect()
}
