//! From whole replies to the answer (OpenAI's API description, `CreateCompletionResponse`, read 2026-11).

use outcrop_bedrock::converse::ConverseResponse;
use outcrop_bedrock::json::{JsonText, ObjectWriter, write_array};

use super::Memo;
use crate::openai::chat::{Completed, write_costs};
use crate::problem::Problem;

/// Writes the answer: one choice for each reply.
pub(super) fn write(memo: &Memo, replies: &[ConverseResponse<'_>]) -> Result<Vec<u8>, Problem> {
    let choices = replies
        .iter()
        .map(|reply| Completed::of(&memo.chat, reply))
        .collect::<Result<Vec<_>, _>>()?;
    let mut out = Vec::with_capacity(1024);
    ObjectWriter::write(&mut out, |answer| {
        answer.field("id", &memo.id);
        answer.field("object", "text_completion");
        answer.field("created", &memo.chat.created());
        answer.field("model", memo.chat.model());
        write_array(
            answer.key("choices"),
            choices.iter().enumerate(),
            |(index, choice), out| {
                ObjectWriter::write(out, |object| write_choice(memo, index, choice, object));
            },
        );
        write_costs(&memo.chat, replies, answer);
    });
    Ok(out)
}

fn write_choice(memo: &Memo, index: usize, choice: &Completed, object: &mut ObjectWriter<'_>) {
    match memo.echo(index) {
        Some(prompt) => object.field("text", &JsonText::join(&[prompt.clone(), choice.text.clone()], "")),
        None => object.field("text", &choice.text),
    }
    object.field("index", &(index as u64));
    object.key("logprobs").extend_from_slice(b"null");
    object.field("finish_reason", choice.finish_reason);
    // As chat completions tell thoughts; OpenAI's own completions have none.
    object.optional("reasoning_content", &choice.thoughts);
}
