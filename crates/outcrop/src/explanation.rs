//! An explanation of a request as a page for people.

use std::fmt::Write as _;

use serde_json::Value;

use crate::terminal::clean;

/// A text in base64 that is longer than this is cut short on the page.
const MAX_BASE64_CHARS: usize = 200;
/// As much of it is shown.
const SHOWN_CHARS: usize = 32;

/// The page: the call, then what was adapted, what it needs, what isn't there, and what may be asked next.
pub(crate) fn page(explanation: &[u8]) -> String {
    let Ok(mut explanation) = serde_json::from_slice::<Value>(explanation) else {
        // Nested too deeply to be taken apart; it is still there to be read.
        return format!("{}\n", clean(&String::from_utf8_lossy(explanation)));
    };
    abbreviate(&mut explanation["body"]);
    abbreviate(&mut explanation["further_bodies"]);
    let mut page = call(&explanation);
    if explanation["account"].is_string() {
        let account = [
            text(&explanation["account"]),
            text(&explanation["region"]),
            String::new(),
        ];
        add_table(&mut page, "by the account:", &[account]);
    }
    let adapted = rows(&explanation["adaptations"], ["parameter", "outcome", "reason"]);
    add_table(&mut page, "adapted:", &adapted);
    add_table(
        &mut page,
        "needs:",
        &rows(&explanation["iam"], ["action", "resource", "note"]),
    );
    let not_fetched = explanation["not_fetched"].as_array().into_iter().flatten();
    let not_fetched: Vec<_> = not_fetched
        .map(|url| [text(url), "--fetch fetches it".to_owned(), String::new()])
        .collect();
    add_table(&mut page, "not fetched:", &not_fetched);
    for (when, heading) in [
        ("failed", "if that fails:"),
        ("context_window", "if the prompt is too long:"),
        ("content_policy", "if content is refused:"),
    ] {
        add_table(&mut page, heading, &next(&explanation, when));
    }
    page
}

/// What may be asked then: the model, the region and the account.
fn next(explanation: &Value, when: &str) -> Vec<[String; 3]> {
    let next = explanation["next"].as_array().into_iter().flatten();
    next.filter(|stop| stop["when"] == when)
        .map(|stop| {
            let model = stop.get("model_id").unwrap_or(&stop["model"]);
            let account = stop["account"]
                .as_str()
                .map(|_| format!("account {}", text(&stop["account"])));
            [text(model), text(&stop["region"]), account.unwrap_or_default()]
        })
        .collect()
}

fn call(explanation: &Value) -> String {
    let mut call = format!("{} {}\n", text(&explanation["method"]), text(&explanation["url"]));
    for (name, value) in explanation["headers"].as_object().into_iter().flatten() {
        // Writing to a string cannot fail.
        let _ = writeln!(call, "{}: {}", clean(name), text(value));
    }
    let body = format!("{:#}", explanation["body"]);
    let _ = writeln!(call, "\n{}", clean(&body));
    for body in explanation["further_bodies"].as_array().into_iter().flatten() {
        let _ = writeln!(call, "\n{}", clean(&format!("{body:#}")));
    }
    let bodies = 1 + explanation["further_bodies"].as_array().map_or(0, Vec::len) as u64;
    if let Some(calls @ 2..) = explanation["calls"].as_u64().filter(|calls| *calls == bodies) {
        let _ = writeln!(call, "\n{calls} calls, side by side: one with each body");
    } else if let Some(calls @ 2..) = explanation["calls"].as_u64() {
        let _ = writeln!(call, "\ncalled {calls} times, side by side: once for each choice");
    }
    call
}

/// A row for each item, of the texts of these members.
fn rows(items: &Value, members: [&str; 3]) -> Vec<[String; 3]> {
    let items = items.as_array().into_iter().flatten();
    items.map(|item| members.map(|member| text(&item[member]))).collect()
}

fn add_table(page: &mut String, heading: &str, rows: &[[String; 3]]) {
    if rows.is_empty() {
        return;
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let _ = writeln!(page, "\n{heading}");
    for [a, b, c] in rows {
        let row = format!("  {a:<first$}  {b:<second$}  {c}");
        let _ = writeln!(page, "{}", row.trim_end());
    }
}

fn text(value: &Value) -> String {
    clean(value.as_str().unwrap_or_default()).replace(['\n', '\t'], " ")
}

/// Cuts images and the like short: a screen has no room for them, and no one reads them.
fn abbreviate(value: &mut Value) {
    match value {
        Value::String(text) if is_long_base64(text) => {
            let shown = text.get(..SHOWN_CHARS).unwrap_or_default();
            *text = format!("{shown}… ({} characters of base64)", text.len());
        }
        Value::Array(items) => items.iter_mut().for_each(abbreviate),
        Value::Object(members) => members.values_mut().for_each(abbreviate),
        _ => {}
    }
}

fn is_long_base64(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    text.len() > MAX_BASE64_CHARS && text.bytes().all(is_base64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(explanation: &Value) -> String {
        page(explanation.to_string().as_bytes())
    }

    #[test]
    fn a_page_has_the_call_and_tables_that_line_up() {
        let told = of(&json!({
            "method": "POST",
            "url": "https://host/model/m/converse",
            "headers": { "accept": "application/json" },
            "body": { "messages": [] },
            "calls": 2,
            "adaptations": [
                { "parameter": "top_p", "outcome": "dropped", "reason": "temperature-set", "loss": true },
                { "parameter": "temperature", "outcome": "1", "reason": "largest-on-bedrock", "loss": true },
            ],
            "iam": [{ "action": "bedrock:InvokeModel", "resource": "arn:aws:bedrock:*::foundation-model/m" }],
            "not_fetched": ["https://host/a.png"],
            "region": "eu-west-1",
            "account": "europe",
            "next": [
                { "when": "failed", "model": "n", "model_id": "eu.n", "region": "eu-west-1", "account": "other" },
                { "when": "failed", "model": "backup-model", "region": "us-east-1" },
                { "when": "context_window", "model": "long", "model_id": "us.long", "region": "us-east-1" },
            ],
        }));
        let expected = "POST https://host/model/m/converse\n\
                        accept: application/json\n\
                        \n\
                        {\n  \"messages\": []\n}\n\
                        \n\
                        called 2 times, side by side: once for each choice\n\
                        \n\
                        by the account:\n\
                        \x20 europe  eu-west-1\n\
                        \n\
                        adapted:\n\
                        \x20 top_p        dropped  temperature-set\n\
                        \x20 temperature  1        largest-on-bedrock\n\
                        \n\
                        needs:\n\
                        \x20 bedrock:InvokeModel  arn:aws:bedrock:*::foundation-model/m\n\
                        \n\
                        not fetched:\n\
                        \x20 https://host/a.png  --fetch fetches it\n\
                        \n\
                        if that fails:\n\
                        \x20 eu.n          eu-west-1  account other\n\
                        \x20 backup-model  us-east-1\n\
                        \n\
                        if the prompt is too long:\n\
                        \x20 us.long  us-east-1\n";
        assert_eq!(told, expected);
    }

    #[test]
    fn only_long_base64_is_cut_short() {
        let (image, prose) = ("iVBORw0KGgo".repeat(40), "Why is the sky blue? ".repeat(40));
        let told = of(&json!({ "body": { "bytes": image, "text": prose } }));
        assert!(
            !told.contains(&image) && told.contains("… (440 characters of base64)"),
            "{told}"
        );
        assert!(told.contains(&prose), "{told}");
    }

    #[test]
    fn a_request_cannot_drive_the_terminal() {
        let told = of(&json!({ "url": "a\u{1b}[2J\nb", "body": { "text": "\u{9b}1m\u{1b}" } }));
        assert!(!told.contains(['\u{1b}', '\u{9b}']), "{told:?}");
        assert!(told.starts_with(" a\u{fffd}[2J b\n"), "{told:?}");
    }
}
