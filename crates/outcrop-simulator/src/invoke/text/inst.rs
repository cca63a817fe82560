//! Templates with `[INST] … [/INST]` around what the user says: Llama 2's and Mistral's.

use super::{Role, Told, wrong_prompt};
use crate::refusal::Refusal;

const BEGIN: &str = "<s>";
const END: &str = "</s>";
const OPEN: &str = "[INST] ";
const CLOSE: &str = " [/INST]";
const OPEN_SYSTEM: &str = "<<SYS>>\n";
const CLOSE_SYSTEM: &str = "\n<</SYS>>\n\n";

/// Reads a prompt for Llama 2 back: `<s>[INST] <<SYS>>\n…\n<</SYS>>\n\nu1 [/INST] a1 </s><s>[INST] u2 [/INST]`.
///
/// Source: Bedrock's user guide, "Meta Llama models", and Meta's own code (2026-11).
///
/// # Errors
///
/// What isn't in the template.
pub(super) fn llama_2(prompt: &str) -> Result<Told, Refusal> {
    let wrong = |what: &str| wrong_prompt("Llama 2", what);
    let mut told = Told::default();
    let mut rest = prompt;
    loop {
        let Some(begun) = rest.strip_prefix(BEGIN) else {
            return Err(wrong("each pair of turns must begin with <s>."));
        };
        let (mut user, after) = instruction(begun).map_err(wrong)?;
        if let Some(system) = user.strip_prefix(OPEN_SYSTEM).filter(|_| told.turns.is_empty()) {
            let Some((system, asked)) = system.split_once(CLOSE_SYSTEM) else {
                return Err(wrong("the system prompt must end with \"\\n<</SYS>>\\n\\n\"."));
            };
            told.system = Some(system.to_owned());
            user = asked;
        }
        if user.contains("<<SYS>>") || user.contains("<</SYS>>") {
            return Err(wrong(
                "the system prompt must stand at the beginning of the first user turn, as <<SYS>>\\n…\\n<</SYS>>\\n\\n.",
            ));
        }
        told.turns.push((Role::User, user.to_owned()));
        if after.is_empty() {
            return Ok(told);
        }
        let answer = after.strip_prefix(' ').and_then(|after| after.split_once(" </s>"));
        let Some((answer, after)) = answer else {
            return Err(wrong(
                "an answer must stand as \" … </s>\" after [/INST], and nothing else.",
            ));
        };
        told.turns.push((Role::Assistant, answer.to_owned()));
        rest = after;
    }
}

/// Reads a prompt for Mistral back: `<s>[INST] u1 [/INST] a1</s>[INST] u2 [/INST]`. It knows no system prompts.
///
/// Source: Bedrock's user guide, "Mistral AI text completion", and Mistral's own guide (2026-11).
///
/// # Errors
///
/// What isn't in the template.
pub(super) fn mistral(prompt: &str) -> Result<Told, Refusal> {
    let wrong = |what: &str| wrong_prompt("Mistral", what);
    let Some(mut rest) = prompt.strip_prefix(BEGIN) else {
        return Err(wrong("it must start with <s>."));
    };
    if rest.contains(BEGIN) {
        return Err(wrong("<s> must stand at the start only."));
    }
    if rest.contains("<<SYS>>") {
        return Err(wrong("<<SYS>> is Llama 2's."));
    }
    let mut told = Told::default();
    loop {
        let (user, after) = instruction(rest).map_err(wrong)?;
        told.turns.push((Role::User, user.to_owned()));
        if after.is_empty() {
            return Ok(told);
        }
        let answer = after.strip_prefix(' ').and_then(|after| after.split_once(END));
        let Some((answer, after)) = answer else {
            return Err(wrong(
                "an answer must stand as \" …</s>\" after [/INST], and nothing else.",
            ));
        };
        told.turns.push((Role::Assistant, answer.to_owned()));
        rest = after;
    }
}

/// What stands between `[INST]` and `[/INST]`, and what follows.
fn instruction(rest: &str) -> Result<(&str, &str), &'static str> {
    let Some(asked) = rest.strip_prefix(OPEN) else {
        return Err("a user turn must begin with \"[INST] \".");
    };
    let Some((user, after)) = asked.split_once(CLOSE) else {
        return Err("a user turn must end with \" [/INST]\".");
    };
    if user.contains("[INST]") {
        return Err("a user turn must end with \" [/INST]\" before the next begins.");
    }
    Ok((user, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_are_read_back() {
        let turns = vec![
            (Role::User, "u1".to_owned()),
            (Role::Assistant, "a1".to_owned()),
            (Role::User, "u2".to_owned()),
        ];
        let told = llama_2("<s>[INST] <<SYS>>\nBrief\n<</SYS>>\n\nu1 [/INST] a1 </s><s>[INST] u2 [/INST]").unwrap();
        assert_eq!((told.system.as_deref(), &told.turns), (Some("Brief"), &turns));
        let told = mistral("<s>[INST] u1 [/INST] a1</s>[INST] u2 [/INST]").unwrap();
        assert_eq!((told.system, told.turns), (None, turns));
    }

    #[test]
    fn what_isnt_in_the_template_is_told() {
        let wrong = |prompt: &str| llama_2(prompt).unwrap_err().message;
        let outside = "<s>[INST] <<SYS>>\nBrief\n<</SYS>> [/INST] </s><s>[INST] u [/INST]";
        assert!(
            wrong(outside).contains("the system prompt must end with"),
            "{}",
            wrong(outside)
        );
        let late = "<s>[INST] u [/INST] a </s><s>[INST] <<SYS>>\nBrief\n<</SYS>>\n\nu [/INST]";
        assert!(wrong(late).contains("at the beginning of the first user turn"));
        assert!(wrong("<s>[INST] u [/INST] a </s>[INST] u [/INST]").contains("must begin with <s>"));
        assert!(wrong("<s>[INST] u [/INST] ").contains("and nothing else"));
        let wrong = |prompt: &str| mistral(prompt).unwrap_err().message;
        assert!(wrong("[INST] u [/INST]").contains("must start with <s>"));
        assert!(wrong("<s>[INST] u [/INST] a</s><s>[INST] u [/INST]").contains("at the start only"));
        assert!(wrong("<s>[INST]u[/INST]").contains("must begin with \"[INST] \""));
        assert!(wrong("<s>[INST] u").contains("must end with \" [/INST]\""));
    }
}
