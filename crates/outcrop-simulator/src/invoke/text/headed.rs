//! Templates in which each turn has a header with a role: Llama 3, Llama 4, ChatML.

use super::{Role, Told, wrong_prompt};
use crate::refusal::Refusal;

/// The words of such a template.
pub(super) struct Headed {
    name: &'static str,
    /// How a prompt begins.
    begin: &'static str,
    /// What stands around a role.
    open: &'static str,
    close: &'static str,
    /// What ends a turn.
    end: &'static str,
    /// What follows that, before the next header.
    between: &'static str,
}

/// Source: Meta's model card of Llama 3 (2026-11).
pub(super) const LLAMA_3: Headed = Headed {
    name: "Llama 3",
    begin: "<|begin_of_text|>",
    open: "<|start_header_id|>",
    close: "<|end_header_id|>\n\n",
    end: "<|eot_id|>",
    between: "",
};

/// Source: Meta's model card of Llama 4 (2026-11).
pub(super) const LLAMA_4: Headed = Headed {
    name: "Llama 4",
    begin: "<|begin_of_text|>",
    open: "<|header_start|>",
    close: "<|header_end|>\n\n",
    end: "<|eot|>",
    between: "",
};

/// Qwen's. Source: the tokenizer's chat template of Qwen 2.5 (2026-11).
pub(super) const CHATML: Headed = Headed {
    name: "ChatML",
    begin: "",
    open: "<|im_start|>",
    close: "\n",
    end: "<|im_end|>",
    between: "\n",
};

impl Headed {
    /// Reads a prompt back.
    ///
    /// # Errors
    ///
    /// What isn't in the template.
    pub(super) fn read(&self, prompt: &str) -> Result<Told, Refusal> {
        let wrong = |what: String| wrong_prompt(self.name, &what);
        let Some(mut rest) = prompt.strip_prefix(self.begin) else {
            return Err(wrong(format!("it must start with {}.", self.begin)));
        };
        if !self.begin.is_empty() && rest.contains(self.begin) {
            return Err(wrong(format!("{} must stand at the start only.", self.begin)));
        }
        let mut told = Told::default();
        loop {
            if rest.is_empty() {
                return Err(wrong("it must end with an open assistant header.".to_owned()));
            }
            let Some(headed) = rest.strip_prefix(self.open) else {
                return Err(wrong(format!("a turn must begin with {}.", self.open)));
            };
            let Some((role, text)) = headed.split_once(self.close) else {
                return Err(wrong(format!("a header must end with {:?}.", self.close)));
            };
            if role == "assistant" && text.is_empty() {
                return Ok(told);
            }
            let Some((text, after)) = text.split_once(self.end) else {
                return Err(match role {
                    "assistant" => wrong("nothing may follow the open assistant header.".to_owned()),
                    _ => wrong(format!("the turn of role {role} must end with {}.", self.end)),
                });
            };
            if text.contains(self.open) {
                return Err(wrong(format!("the turn of role {role} must end with {}.", self.end)));
            }
            match role {
                "system" if told.system.is_none() && told.turns.is_empty() => told.system = Some(text.to_owned()),
                "system" => return Err(wrong("only the first turn may be the system's.".to_owned())),
                "user" => told.turns.push((Role::User, text.to_owned())),
                "assistant" => told.turns.push((Role::Assistant, text.to_owned())),
                _ => return Err(wrong(format!("there is no role {role}."))),
            }
            rest = match after.strip_prefix(self.between) {
                Some(after) => after,
                None => return Err(wrong(format!("{:?} must follow {}.", self.between, self.end))),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(role: Role, text: &str) -> (Role, String) {
        (role, text.to_owned())
    }

    #[test]
    fn a_conversation_is_read_back() {
        let prompt = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBrief<|eot_id|>\
                      <|start_header_id|>user<|end_header_id|>\n\nHi\n<|eot_id|>\
                      <|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|>\
                      <|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|>\
                      <|start_header_id|>assistant<|end_header_id|>\n\n";
        let told = LLAMA_3.read(prompt).unwrap();
        assert_eq!(told.system.as_deref(), Some("Brief"));
        assert_eq!(
            told.turns,
            [
                said(Role::User, "Hi\n"),
                said(Role::Assistant, "Hello"),
                said(Role::User, "Why?")
            ]
        );
        let prompt = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
        assert_eq!(CHATML.read(prompt).unwrap().turns, [said(Role::User, "Hi")]);
    }

    #[test]
    fn what_isnt_in_the_template_is_told() {
        let wrong = |prompt: &str| LLAMA_4.read(prompt).unwrap_err().message;
        let user = "<|begin_of_text|><|header_start|>user<|header_end|>\n\nHi<|eot|>";
        assert!(wrong("Hi").contains("must start with <|begin_of_text|>"));
        assert!(wrong(user).contains("must end with an open assistant header"));
        let open = "<|header_start|>assistant<|header_end|>";
        assert!(wrong(&format!("{user}{open}")).contains("a header must end with"));
        assert!(wrong(&format!("{user}{open}\n\nSure")).contains("nothing may follow"));
        assert!(wrong(&format!("{user}\n{open}\n\n")).contains("a turn must begin with"));
        let system = "<|header_start|>system<|header_end|>\n\nBrief<|eot|>";
        assert!(wrong(&format!("{user}{system}{open}\n\n")).contains("only the first turn"));
        let unclosed = format!("<|begin_of_text|><|header_start|>user<|header_end|>\n\nHi{open}\n\n");
        assert!(wrong(&unclosed).contains("the turn of role user must end with <|eot|>"));
    }
}
