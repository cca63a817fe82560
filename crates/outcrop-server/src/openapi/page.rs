//! The page of the API for people: one HTML document that needs nothing else.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Deeper schemas are named, not shown.
const MAX_DEPTH: usize = 5;

const STYLE: &str = "\
:root{color-scheme:light dark;--soft:light-dark(#5b6470,#9aa4b2);--line:light-dark(#dde1e6,#30363d);\
--code:light-dark(#f4f6f8,#161b22);--accent:light-dark(#0b5cad,#6cb6ff)}\
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;padding:2rem 1rem 6rem;max-width:56rem}\
h1{margin:0}h2{margin:3rem 0 .5rem;border-bottom:1px solid var(--line)}\
a{color:var(--accent);text-decoration:none}code,pre{font:.875em/1.5 ui-monospace,monospace}\
code{background:var(--code);padding:.1em .3em;border-radius:.25em}\
pre{background:var(--code);padding:1rem;overflow-x:auto;border-radius:.5em}pre code{padding:0}\
article{margin:1.5rem 0;padding:0 1rem .5rem;border:1px solid var(--line);border-radius:.5em}\
article h3{margin:.75rem 0 .25rem;font-size:1rem}.method{color:var(--accent);font-weight:700}\
.soft{color:var(--soft)}details{margin:.5rem 0}summary{cursor:pointer}\
ul{list-style:none;padding-left:1rem;margin:.25rem 0;border-left:2px solid var(--line)}\
li{margin:.25rem 0}nav ul{border:0;padding:0}";

/// The page of an OpenAPI document of ours.
pub(super) fn of(document: &Value) -> String {
    let page = Page { document };
    let mut out = String::with_capacity(128 * 1024);
    page.write(&mut out);
    out
}

struct Page<'a> {
    document: &'a Value,
}

impl Page<'_> {
    fn write(&self, out: &mut String) {
        let info = &self.document["info"];
        let _ = write!(
            out,
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}: the API</title>\
             <style>{STYLE}</style><h1>{title} <span class=\"soft\">{version}</span></h1><p>{about}</p>\
             <p>The same for programs: <a href=\"/v1/openapi.json\">/v1/openapi.json</a>. A key goes into \
             <code>Authorization: Bearer KEY</code> or <code>api-key: KEY</code>.</p>",
            title = text(&info["title"]),
            version = text(&info["version"]),
            about = text(&info["description"]),
        );
        let operations = self.operations();
        out.push_str("<nav><ul>");
        for operation in &operations {
            let _ = write!(
                out,
                "<li><a href=\"#{id}\"><span class=\"method\">{method}</span> {path}</a> \
                 <span class=\"soft\">{summary}</span></li>",
                id = text(&operation.said["operationId"]),
                method = operation.method,
                path = escape(operation.path),
                summary = text(&operation.said["summary"]),
            );
        }
        out.push_str("</ul></nav>");
        for tag in self.document["tags"].as_array().into_iter().flatten() {
            let _ = write!(out, "<h2>{}</h2>", text(&tag["name"]));
            for operation in operations
                .iter()
                .filter(|operation| operation.said["tags"][0] == tag["name"])
            {
                self.write_operation(operation, out);
            }
        }
        out.push_str("</html>\n");
    }

    fn operations(&self) -> Vec<Shown<'_>> {
        let mut operations = Vec::new();
        // Azure's form takes and answers the same.
        let paths = members(&self.document["paths"]).filter(|(path, _)| !path.starts_with("/openai/deployments/"));
        for (path, item) in paths {
            for (method, said) in members(item) {
                operations.push(Shown {
                    method: method.to_ascii_uppercase(),
                    path,
                    said,
                });
            }
        }
        operations
    }

    fn write_operation(&self, operation: &Shown<'_>, out: &mut String) {
        let said = operation.said;
        let _ = write!(
            out,
            "<article id=\"{id}\"><h3><span class=\"method\">{method}</span> <code>{path}</code></h3>\
             <p>{summary}. {description}</p>",
            id = text(&said["operationId"]),
            method = operation.method,
            path = escape(operation.path),
            summary = text(&said["summary"]),
            description = text(&said["description"]),
        );
        let deployment = operation
            .path
            .strip_prefix("/v1/")
            .map(|rest| format!("/openai/deployments/{{model}}/{rest}"))
            .filter(|path| self.document["paths"].get(path).is_some());
        if let Some(path) = deployment {
            let _ = write!(
                out,
                "<p class=\"soft\">Also at <code>{}</code>, with the model in the path.</p>",
                escape(&path)
            );
        }
        if let Some(parameters) = said["parameters"].as_array() {
            out.push_str("<h3>Parameters</h3><ul>");
            for parameter in parameters {
                let is_required = parameter["required"] == Value::Bool(true);
                self.write_member(&text(&parameter["name"]), parameter, is_required, 0, out);
            }
            out.push_str("</ul>");
        }
        for (media_type, media) in members(&said["requestBody"]["content"]) {
            let _ = write!(
                out,
                "<h3>Request <span class=\"soft\">{}</span></h3>",
                escape(media_type)
            );
            if let Some(example) = media.get("example") {
                let example = serde_json::to_string_pretty(example).unwrap_or_default();
                let _ = write!(out, "<pre><code>{}</code></pre>", escape(&example));
            }
            self.write_schema(&media["schema"], 0, out);
        }
        for (media_type, media) in members(&said["responses"]["200"]["content"]) {
            let _ = write!(
                out,
                "<details><summary>Answer <span class=\"soft\">{}</span></summary>",
                escape(media_type)
            );
            self.write_schema(&media["schema"], 0, out);
            out.push_str("</details>");
        }
        out.push_str("</article>");
    }

    /// The members of an object, or what may stand in a place.
    fn write_schema(&self, schema: &Value, depth: usize, out: &mut String) {
        let schema = self.followed(schema);
        if depth > MAX_DEPTH {
            return;
        }
        let is_required = |name: &str| {
            let required = schema["required"].as_array();
            required.is_some_and(|required| required.iter().any(|known| known == name))
        };
        if let Some(properties) = schema["properties"].as_object() {
            out.push_str("<ul>");
            for (name, property) in properties {
                self.write_member(&escape(name), property, is_required(name), depth, out);
            }
            out.push_str("</ul>");
        }
        for choice in ["oneOf", "anyOf"] {
            let choices = schema[choice].as_array();
            let shown = choices.into_iter().flatten().filter(|choice| self.has_members(choice));
            for choice in shown {
                self.write_schema(choice, depth + 1, out);
            }
        }
        if self.has_members(&schema["items"]) {
            self.write_schema(&schema["items"], depth + 1, out);
        }
    }

    fn write_member(&self, name: &str, member: &Value, is_required: bool, depth: usize, out: &mut String) {
        let schema = self.followed(member.get("schema").unwrap_or(member));
        let description = member.get("description").or_else(|| schema.get("description"));
        let required = if is_required { ", required" } else { "" };
        let head = format!(
            "<code>{name}</code> <span class=\"soft\">{kind}{required}</span> {description}",
            kind = escape(&self.kind(schema)),
            description = text(description.unwrap_or(&Value::Null)),
        );
        if self.has_members(schema) && depth < MAX_DEPTH {
            let _ = write!(out, "<li><details><summary>{head}</summary>");
            self.write_schema(schema, depth + 1, out);
            out.push_str("</details></li>");
        } else {
            let _ = write!(out, "<li>{head}</li>");
        }
    }

    /// Whether there is more to show than a kind.
    fn has_members(&self, schema: &Value) -> bool {
        let schema = self.followed(schema);
        let any = |choice: &str| {
            let choices = schema[choice].as_array();
            choices.is_some_and(|choices| choices.iter().any(|choice| self.has_members(choice)))
        };
        schema["properties"].is_object()
            || any("oneOf")
            || any("anyOf")
            || schema.get("items").is_some_and(|items| self.has_members(items))
    }

    /// In a word or two, what may stand in a place.
    fn kind(&self, schema: &Value) -> String {
        let schema = self.followed(schema);
        let kinds = |values: &[Value]| {
            let kinds = values.iter().filter(|value| **value != "null");
            kinds
                .map(|kind| kind.as_str().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        };
        if let Some(words) = schema["enum"].as_array() {
            let words = words.iter().filter(|word| !word.is_null());
            return words
                .map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(" | ");
        }
        if let Some(word) = schema.get("const") {
            return word.to_string();
        }
        match &schema["type"] {
            Value::String(kind) if kind == "array" => format!("array of {}", self.kind(&schema["items"])),
            Value::String(kind) => kind.clone(),
            Value::Array(several) => kinds(several).join(" | "),
            _ => {
                let choices = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
                let mut names: Vec<String> = choices.into_iter().flatten().map(|choice| self.kind(choice)).collect();
                names.retain(|name| name != "null");
                names.dedup();
                names.join(" | ")
            }
        }
    }

    fn followed<'v>(&'v self, schema: &'v Value) -> &'v Value {
        let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        name.map_or(schema, |name| &self.document["components"]["schemas"][name])
    }
}

struct Shown<'a> {
    method: String,
    path: &'a str,
    said: &'a Value,
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// A text as HTML; code between backticks stays code.
fn text(value: &Value) -> String {
    let mut out = String::new();
    for (index, piece) in value.as_str().unwrap_or_default().split('`').enumerate() {
        match index % 2 {
            0 => out.push_str(&escape(piece)),
            _ => out.push_str(&format!("<code>{}</code>", escape(piece))),
        }
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
