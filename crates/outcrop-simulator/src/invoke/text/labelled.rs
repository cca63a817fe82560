//! Plain prompts, and those that tell a conversation by labels: `User: …\nBot:`.
//!
//! Models with no template of their own (Titan, Command, Jurassic-2) take any prompt. If one uses labels, it has to use
//! them right.

use super::{Role, Told, wrong_prompt};
use crate::refusal::Refusal;

const USER: &str = "User:";

/// Reads a prompt back. Without labels, all of it is what the user says; what stands before the first label goes with
/// what the user says first.
///
/// # Errors
///
/// A conversation that doesn't end with the open label of who answers, or has an empty turn.
pub(super) fn read(prompt: &str, model: &str, bot: &str) -> Result<Told, Refusal> {
    let wrong = |what: &str| wrong_prompt(model, what);
    let label = |line: &str| {
        [(USER, Role::User), (bot, Role::Assistant)]
            .into_iter()
            .find(|(label, _)| line.starts_with(label))
    };
    if !prompt.split('\n').any(|line| label(line).is_some()) {
        return Ok(Told {
            system: None,
            turns: vec![(Role::User, prompt.to_owned())],
        });
    }
    let mut before = Vec::new();
    let mut turns: Vec<(Role, Vec<&str>)> = Vec::new();
    for line in prompt.split('\n') {
        match (label(line), turns.last_mut()) {
            (Some((label, role)), _) => turns.push((role, vec![&line[label.len()..]])),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => before.push(line),
        }
    }
    match turns.pop() {
        Some((Role::Assistant, lines)) if lines == [""] => {}
        Some((Role::Assistant, lines)) if lines.concat().trim().is_empty() => {
            return Err(wrong(&format!(
                "nothing may follow the last \"{bot}\", not even a space."
            )));
        }
        _ => return Err(wrong(&format!("a conversation must end with \"\\n{bot}\"."))),
    }
    let mut told = Told::default();
    for (role, lines) in turns {
        let text = lines.join("\n");
        let Some(text) = text.strip_prefix(' ') else {
            return Err(wrong("a label must be followed by a space and what was said."));
        };
        told.turns.push((role, text.to_owned()));
    }
    let before = before.join("\n");
    if let (false, Some((_, first))) = (before.trim().is_empty(), told.turns.first_mut()) {
        *first = format!("{}\n{first}", before.trim_end());
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_prompt_is_what_the_user_says() {
        let told = read("Why is the sky blue?\nTell me.", "Titan", "Bot:").unwrap();
        assert_eq!(told.turns, [(Role::User, "Why is the sky blue?\nTell me.".to_owned())]);
    }

    #[test]
    fn labels_make_turns() {
        let told = read(
            "Be brief.\n\nUser: Hi\nthere\nBot: Hello\nUser: Why?\nBot:",
            "Titan",
            "Bot:",
        )
        .unwrap();
        assert_eq!(
            told.turns,
            [
                (Role::User, "Be brief.\nHi\nthere".to_owned()),
                (Role::Assistant, "Hello".to_owned()),
                (Role::User, "Why?".to_owned()),
            ]
        );
        let wrong = |prompt: &str| read(prompt, "Titan", "Bot:").unwrap_err().message;
        assert!(wrong("User: Hi").contains("must end with \"\\nBot:\""));
        assert!(wrong("User: Hi\nBot: ").contains("not even a space"));
        assert!(wrong("User:Hi\nBot:").contains("followed by a space"));
    }
}
