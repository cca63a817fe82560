//! Durations in scenario files: `"10s"`, `"1m 30s"`.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

pub(super) fn serialize<S: Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(&humantime::format_duration(*value)),
        None => serializer.serialize_none(),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let read = |text: String| {
        humantime::parse_duration(&text)
            .map_err(|error| D::Error::custom(format!("`{text}` isn't a duration such as 10s: {error}")))
    };
    text.map(read).transpose()
}
