//! A question to one model by one API, and what it came to.

use outcrop_translate::catalogue::{Api, Word};
use serde_json::{Value, json};

use super::answer::Answer;
use super::gateway::{Gateway, Reply};

/// One model, asked by one API.
pub(super) struct Ask<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) model: &'a str,
    pub(super) api: Api,
}

/// How a question ended, if it ended as it may.
#[derive(Debug)]
pub(super) enum Outcome {
    Answered(Answered),
    /// It was refused with a 400 that names this parameter.
    Refused(String),
}

/// An answer, and what was done in another way.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) answer: Answer,
    pub(super) notes: Vec<String>,
}

impl Answered {
    /// Whether a note speaks of one of these parameters, or of a part of it.
    pub(super) fn notes_speak_of(&self, parameters: &[&str]) -> bool {
        let speaks = |note: &String, parameter: &str| note.strip_prefix(parameter).is_some_and(ends_a_name);
        self.notes
            .iter()
            .any(|note| parameters.iter().any(|parameter| speaks(note, parameter)))
    }
}

fn ends_a_name(rest: &str) -> bool {
    rest.starts_with(['=', '.'])
}

impl Ask<'_> {
    /// Asks, and reads the answer as it was asked for, whole or streamed.
    pub(super) async fn send(&self, fields: &Value) -> Result<Outcome, String> {
        let reply = self.reply(fields).await?;
        let error = |what: &str| {
            format!(
                "{what}; status {} by {:?}, {:?}: {}",
                reply.status, reply.route, reply.notes, reply.body
            )
        };
        match reply.status {
            200 => {}
            400 => return refusal(&reply).map_err(|what| error(&what)),
            _ => return Err(error("an error")),
        }
        if reply.calls > 1 && !reply.notes.iter().any(|note| note.contains("repaired")) {
            return Err(error("something that the catalogue should know was found out"));
        }
        let told = reply.notes.iter().any(|note| note.starts_with("bedrock_api="));
        if reply.route != self.api.name() && !told {
            return Err(error("it went by another API, and no note says so"));
        }
        let streamed = fields["stream"] == json!(true);
        let read = if streamed { Answer::streamed } else { Answer::whole };
        let answer = read(&reply.body).map_err(|what| error(&what))?;
        Ok(Outcome::Answered(Answered {
            answer,
            notes: reply.notes,
        }))
    }

    /// Asks for what has to be answered.
    pub(super) async fn answer(&self, fields: &Value) -> Result<Answered, String> {
        match self.send(fields).await? {
            Outcome::Answered(answered) => Ok(answered),
            Outcome::Refused(param) => Err(format!("refused because of `{param}`")),
        }
    }

    /// Whether Bedrock doesn't answer for this model any more, and the client is told that it is retired.
    pub(super) async fn is_gone(&self) -> bool {
        let fields = json!({ "messages": [{ "role": "user", "content": "Hello." }] });
        let reply = self.reply(&fields).await;
        reply.is_ok_and(|reply| reply.status == 404 && reply.body.contains("end of its life"))
    }

    async fn reply(&self, fields: &Value) -> Result<Reply, String> {
        let mut body = json!({ "model": self.model, "bedrock_api": self.api.name() });
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.gateway.chat(&body).await
    }
}

/// What a 400 blames.
fn refusal(reply: &Reply) -> Result<Outcome, String> {
    let body: Value = serde_json::from_str(&reply.body).map_err(|error| error.to_string())?;
    let error = &body["error"];
    match (error["param"].as_str(), error["message"].as_str()) {
        (Some(param), Some(message)) if !message.is_empty() => Ok(Outcome::Refused(param.to_owned())),
        _ => Err("a refusal that blames nothing".to_owned()),
    }
}
