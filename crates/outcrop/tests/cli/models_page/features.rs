//! What each feature is, how it is asked for, and when an answer has it.

use outcrop_translate::catalogue::Model;
use serde_json::{Value, json};

use super::ask::{Answered, Ask, Outcome};

/// What the table says of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// As it was asked for.
    Yes,
    /// In another way, and the answer or the manual says so.
    Otherwise,
    /// Refused, and the refusal names the parameter.
    No,
}

/// A feature, and its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feature {
    Text,
    Stream,
    System,
    Tools,
    Images,
    Reasoning,
    StructuredOutput,
    Stop,
}

const QUESTION: &str = "Why is the sky blue? [[sim:pace 0ms]]";
/// The answer to this is the body that reached Bedrock.
const ECHO: &str = "[[sim:echo]]";
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGOoBwAAgQCA05RTSgAAAABJRU5ErkJggg==";
const CALL: &str = r#"[[sim:tool get_weather {"city": "Paris"}]] [[sim:pace 0ms]]"#;
const STOPPED: &str = "[[sim:text One two END three.]] [[sim:pace 0ms]]";
const DOCUMENT: &str = r#"[[sim:text {"city": "Rome", "people": 3}]] [[sim:pace 0ms]]"#;

impl Feature {
    pub(super) const ALL: [Self; 8] = [
        Self::Text,
        Self::Stream,
        Self::System,
        Self::Tools,
        Self::Images,
        Self::Reasoning,
        Self::StructuredOutput,
        Self::Stop,
    ];

    /// The head of its column.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Stream => "stream",
            Self::System => "system",
            Self::Tools => "tools",
            Self::Images => "images",
            Self::Reasoning => "reasoning",
            Self::StructuredOutput => "structured output",
            Self::Stop => "stop",
        }
    }

    /// Asks for it. What is neither a yes nor a no that the client is told is an error.
    pub(super) async fn judge(self, ask: &Ask<'_>, model: &Model) -> Result<Cell, String> {
        match self {
            Self::Text => text(ask).await,
            Self::Stream => stream(ask, model).await,
            Self::System => system(ask).await,
            Self::Tools => tools(ask).await,
            Self::Images => images(ask).await,
            Self::Reasoning => reasoning(ask).await,
            Self::StructuredOutput => structured_output(ask).await,
            Self::Stop => stop(ask).await,
        }
    }
}

async fn text(ask: &Ask<'_>) -> Result<Cell, String> {
    let Answered { answer, notes } = ask.answer(&said(QUESTION)).await?;
    check(answer.text.starts_with("You asked: “Why is the sky blue?”"), &answer)?;
    check(answer.finish.as_deref() == Some("stop"), &answer)?;
    check(
        answer.usage.is_some_and(|(input, output)| input > 0 && output > 0),
        &answer,
    )?;
    check(notes.is_empty(), &notes)?;
    Ok(Cell::Yes)
}

async fn stream(ask: &Ask<'_>, model: &Model) -> Result<Cell, String> {
    let whole = ask.answer(&said(QUESTION)).await?.answer;
    let mut fields = said(QUESTION);
    fields["stream_options"] = json!({ "include_usage": true });
    let Answered { answer, notes } = ask.answer(&streamed(fields)).await?;
    check(answer == whole, &(answer, whole))?;
    check(notes.is_empty(), &notes)?;
    // Where the model doesn't, the gateway does.
    Ok(if model.streaming { Cell::Yes } else { Cell::Otherwise })
}

async fn system(ask: &Ask<'_>) -> Result<Cell, String> {
    let fields = json!({ "messages": [
        { "role": "system", "content": "Speak of pebbles." },
        { "role": "user", "content": ECHO },
    ]});
    let answered = ask.answer(&fields).await?;
    check(answered.answer.text.contains("Speak of pebbles."), &answered)?;
    Ok(yes_unless(answered.notes_speak_of(&["messages", "bedrock_api"])))
}

/// A call, whole and streamed, one that is forced, and a second round with its result.
async fn tools(ask: &Ask<'_>) -> Result<Cell, String> {
    let with_tools = |mut fields: Value| {
        fields["tools"] = json!([{ "type": "function", "function": {
            "name": "get_weather",
            "description": "The weather of a city.",
            "parameters": { "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] },
        }}]);
        fields
    };
    let asked = with_tools(said(CALL));
    let whole = match ask.send(&asked).await? {
        Outcome::Answered(answered) => answered,
        Outcome::Refused(param) => return refused_for(&["tools"], &param),
    };
    let parts = ask.answer(&streamed(asked)).await?;
    for answered in [&whole, &parts] {
        let [call] = answered.answer.calls.as_slice() else {
            return Err(format!("no call: {answered:?}"));
        };
        check(call.name == "get_weather" && !call.id.is_empty(), answered)?;
        check(json_of(&call.arguments)? == json!({ "city": "Paris" }), answered)?;
        check(answered.answer.finish.as_deref() == Some("tool_calls"), answered)?;
    }

    let id = &whole.answer.calls[0].id;
    let function = json!({ "name": "get_weather", "arguments": "{\"city\": \"Paris\"}" });
    let round = with_tools(json!({ "messages": [
        { "role": "user", "content": "How is the weather?" },
        { "role": "assistant", "tool_calls": [{ "id": id, "type": "function", "function": function }] },
        { "role": "tool", "tool_call_id": id, "content": "Sunny." },
    ]}));
    let second = ask.answer(&round).await?;
    check(second.answer.text.contains("Sunny."), &second)?;

    let mut forced = with_tools(said(QUESTION));
    forced["tool_choice"] = json!("required");
    let forced = ask.answer(&forced).await?;
    let is_told = forced.notes_speak_of(&["tool_choice"]);
    check(is_told || forced.answer.calls.len() == 1, &forced)?;
    let others = [whole, parts, second];
    Ok(yes_unless(
        is_told || others.iter().any(|answered| !answered.notes.is_empty()),
    ))
}

async fn images(ask: &Ask<'_>) -> Result<Cell, String> {
    let fields = json!({ "messages": [{ "role": "user", "content": [
        { "type": "text", "text": ECHO },
        { "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{PNG}") } },
    ]}]});
    match ask.send(&fields).await? {
        Outcome::Answered(answered) => {
            check(answered.answer.text.contains(PNG), &answered)?;
            Ok(yes_unless(!answered.notes.is_empty()))
        }
        Outcome::Refused(param) => refused_for(&["messages"], &param),
    }
}

/// Thoughts, whole and streamed. A model that always thinks, but can't be told how hard, does it in another way.
async fn reasoning(ask: &Ask<'_>) -> Result<Cell, String> {
    let mut fields = said(QUESTION);
    fields["reasoning_effort"] = json!("medium");
    let whole = ask.answer(&fields).await?;
    let is_told = whole.notes_speak_of(&["reasoning_effort", "bedrock_api"]);
    let parts = ask.answer(&streamed(fields.clone())).await?;
    check(parts.answer.reasoning == whole.answer.reasoning, &(&whole, &parts))?;
    check(
        parts.answer.text == whole.answer.text && !whole.answer.text.is_empty(),
        &(&whole, &parts),
    )?;
    if !whole.answer.reasoning.is_empty() {
        return Ok(yes_unless(is_told));
    }
    check(is_told, &whole)?;
    refused_if_rejecting(ask, fields, "reasoning_effort").await
}

async fn structured_output(ask: &Ask<'_>) -> Result<Cell, String> {
    let schema = json!({
        "type": "object",
        "properties": { "city": { "type": "string" }, "people": { "type": "integer" } },
        "required": ["city", "people"],
        "additionalProperties": false,
    });
    let with_form = |mut fields: Value, strict: bool| {
        fields["response_format"] =
            json!({ "type": "json_schema", "json_schema": { "name": "place", "strict": strict, "schema": schema } });
        fields
    };
    let mut question = said("A place. [[sim:pace 0ms]]");
    // Where the model is asked in words, the simulator has to be told what to answer.
    let lenient = ask.answer(&with_form(question.clone(), false)).await?;
    if lenient.notes_speak_of(&["response_format"]) && lenient.notes.iter().any(|note| note.contains("=instruction(")) {
        question = said(DOCUMENT);
    }
    let whole = ask.answer(&with_form(question.clone(), true)).await?;
    let parts = ask.answer(&streamed(with_form(question, true))).await?;
    for answered in [&whole, &parts] {
        let document = json_of(&answered.answer.text).map_err(|error| format!("{error}: {answered:?}"))?;
        let fits = document.as_object().is_some_and(|members| members.len() == 2)
            && document["city"].is_string()
            && document["people"].is_i64();
        check(fits && answered.answer.finish.as_deref() == Some("stop"), answered)?;
    }
    Ok(yes_unless(!whole.notes.is_empty()))
}

async fn stop(ask: &Ask<'_>) -> Result<Cell, String> {
    let mut fields = said(STOPPED);
    fields["stop"] = json!(["END"]);
    let whole = ask.answer(&fields).await?;
    let parts = ask.answer(&streamed(fields)).await?;
    for answered in [&whole, &parts] {
        check(answered.answer.text == "One two ", answered)?;
        check(answered.answer.finish.as_deref() == Some("stop"), answered)?;
    }
    Ok(yes_unless(!whole.notes.is_empty()))
}

/// What was left out with a note is refused where the client wants that.
async fn refused_if_rejecting(ask: &Ask<'_>, mut fields: Value, parameter: &str) -> Result<Cell, String> {
    fields["on_unsupported"] = json!("reject");
    match ask.send(&fields).await? {
        Outcome::Refused(param) => refused_for(&[parameter], &param),
        Outcome::Answered(answered) => Err(format!("left out, though it was to be refused: {answered:?}")),
    }
}

/// A refusal that blames the right parameter.
fn refused_for(parameters: &[&str], blamed: &str) -> Result<Cell, String> {
    let is_right = parameters.iter().any(|parameter| blamed.starts_with(parameter));
    is_right
        .then_some(Cell::No)
        .ok_or_else(|| format!("refused because of `{blamed}`"))
}

fn yes_unless(otherwise: bool) -> Cell {
    if otherwise { Cell::Otherwise } else { Cell::Yes }
}

fn said(text: &str) -> Value {
    json!({ "messages": [{ "role": "user", "content": text }] })
}

fn streamed(mut fields: Value) -> Value {
    fields["stream"] = json!(true);
    fields
}

fn json_of(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn check(holds: bool, seen: &impl std::fmt::Debug) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!("not as asked: {seen:?}"))
    }
}
