//! The exact bytes of each template.

use outcrop_bedrock::converse::{CacheTtl, ContentBlock, Reasoning, Role};
use outcrop_bedrock::json::JsonText;

use super::super::testing::{Asked, turn};
use super::*;

/// What a template writes of each kind of conversation.
struct Case {
    template: &'static str,
    /// The user says "Hi".
    single: &'static str,
    /// With the system prompt "Be brief."
    system: &'static str,
    /// With the system prompt; then the assistant says "Yes?", and the user "Why?"
    several: &'static str,
    /// The user says "Hi", and the assistant begins with "Well,".
    prefill: &'static str,
}

const CASES: &[Case] = &[
    Case {
        template: "llama2",
        single: "<s>[INST] Hi [/INST]",
        system: "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST]",
        several: "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Yes? </s><s>[INST] Why? [/INST]",
        prefill: "<s>[INST] Hi [/INST] Well,",
    },
    Case {
        template: "llama3",
        single: "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>\
                 <|start_header_id|>assistant<|end_header_id|>\n\n",
        system: "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>\
                 <|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>\
                 <|start_header_id|>assistant<|end_header_id|>\n\n",
        several: "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>\
                  <|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>\
                  <|start_header_id|>assistant<|end_header_id|>\n\nYes?<|eot_id|>\
                  <|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|>\
                  <|start_header_id|>assistant<|end_header_id|>\n\n",
        prefill: "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>\
                  <|start_header_id|>assistant<|end_header_id|>\n\nWell,",
    },
    Case {
        template: "llama4",
        single: "<|begin_of_text|><|header_start|>user<|header_end|>\n\nHi<|eot|>\
                 <|header_start|>assistant<|header_end|>\n\n",
        system: "<|begin_of_text|><|header_start|>system<|header_end|>\n\nBe brief.<|eot|>\
                 <|header_start|>user<|header_end|>\n\nHi<|eot|><|header_start|>assistant<|header_end|>\n\n",
        several: "<|begin_of_text|><|header_start|>system<|header_end|>\n\nBe brief.<|eot|>\
                  <|header_start|>user<|header_end|>\n\nHi<|eot|>\
                  <|header_start|>assistant<|header_end|>\n\nYes?<|eot|>\
                  <|header_start|>user<|header_end|>\n\nWhy?<|eot|><|header_start|>assistant<|header_end|>\n\n",
        prefill: "<|begin_of_text|><|header_start|>user<|header_end|>\n\nHi<|eot|>\
                  <|header_start|>assistant<|header_end|>\n\nWell,",
    },
    Case {
        template: "mistral",
        single: "<s>[INST] Hi [/INST]",
        system: "<s>[INST] Be brief.\n\nHi [/INST]",
        several: "<s>[INST] Be brief.\n\nHi [/INST] Yes?</s>[INST] Why? [/INST]",
        prefill: "<s>[INST] Hi [/INST] Well,",
    },
    Case {
        template: "deepseek-r1",
        single: "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜><think>\n",
        system: "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hi<｜Assistant｜><think>\n",
        several: "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hi<｜Assistant｜>Yes?<｜end▁of▁sentence｜>\
                  <｜User｜>Why?<｜Assistant｜><think>\n",
        prefill: "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜>Well,<｜end▁of▁sentence｜>\
                  <｜Assistant｜><think>\n",
    },
    Case {
        template: "claude-text",
        single: "\n\nHuman: Hi\n\nAssistant:",
        system: "Be brief.\n\nHuman: Hi\n\nAssistant:",
        several: "Be brief.\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: Why?\n\nAssistant:",
        prefill: "\n\nHuman: Hi\n\nAssistant: Well,",
    },
    Case {
        template: "claude-text-2.0",
        single: "\n\nHuman: Hi\n\nAssistant:",
        system: "\n\nHuman: Be brief.\n\nHi\n\nAssistant:",
        several: "\n\nHuman: Be brief.\n\nHi\n\nAssistant: Yes?\n\nHuman: Why?\n\nAssistant:",
        prefill: "\n\nHuman: Hi\n\nAssistant: Well,",
    },
    Case {
        template: "titan",
        single: "User: Hi\nBot:",
        system: "User: Be brief.\n\nHi\nBot:",
        several: "User: Be brief.\n\nHi\nBot: Yes?\nUser: Why?\nBot:",
        prefill: "User: Hi\nBot: Well,",
    },
    Case {
        template: "chatml",
        single: "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
        system: "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
        several: "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n\
                  <|im_start|>assistant\nYes?<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n",
        prefill: "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nWell,",
    },
    Case {
        template: "cohere-command",
        single: "Hi",
        system: "Be brief.\n\nHi",
        several: "User: Be brief.\n\nHi\nChatbot: Yes?\nUser: Why?\nChatbot:",
        prefill: "User: Hi\nChatbot: Well,",
    },
    Case {
        template: "plain",
        single: "Hi",
        system: "Be brief.\n\nHi",
        several: "User: Be brief.\n\nHi\nAssistant: Yes?\nUser: Why?\nAssistant:",
        prefill: "User: Hi\nAssistant: Well,",
    },
    // Conversations don't come here; nothing is added even so.
    Case {
        template: "raw",
        single: "Hi",
        system: "Be brief.\n\nHi",
        several: "Be brief.\n\nHiYes?Why?",
        prefill: "HiWell,",
    },
];

fn prompt(template: &str, asked: &Asked) -> (String, String) {
    let mut notes = Notes::default();
    let prompt = Template::named(template).unwrap().write(&asked.request, &mut notes);
    (prompt, notes.to_string())
}

fn going_on(mut asked: Asked, turns: &[(Role, &[&str])]) -> Asked {
    let turns = turns.iter().map(|(role, texts)| turn(*role, texts));
    asked.request.messages.extend(turns);
    asked
}

#[test]
fn each_template_has_a_case() {
    let templates: Vec<_> = CATALOGUE.template.iter().map(|template| &template.name).collect();
    let cases: Vec<_> = CASES.iter().map(|case| case.template).collect();
    assert_eq!(templates, cases);
}

#[test]
fn each_conversation_is_written_byte_for_byte() {
    for case in CASES {
        let name = case.template;
        let system = || Asked::say("Hi").system("Be brief.");
        let (single, notes) = prompt(name, &Asked::say("Hi"));
        assert_eq!((single.as_str(), notes.as_str()), (case.single, ""), "{name}");
        assert_eq!(prompt(name, &system()).0, case.system, "{name}");
        let several = going_on(system(), &[(Role::Assistant, &["Yes?"]), (Role::User, &["Why?"])]);
        assert_eq!(prompt(name, &several).0, case.several, "{name}");
        let prefill = going_on(Asked::say("Hi"), &[(Role::Assistant, &["Well,"])]);
        assert_eq!(prompt(name, &prefill).0, case.prefill, "{name}");
    }
}

#[test]
fn a_system_prompt_that_says_nothing_is_none() {
    for case in CASES {
        let empty = Asked::say("Hi").system("").system(" \n");
        assert_eq!(prompt(case.template, &empty), (case.single.to_owned(), String::new()));
    }
}

#[test]
fn texts_of_a_turn_and_of_the_system_have_a_blank_line_between_them() {
    let mut asked = Asked::say("One").system("First.").system("Second.");
    asked.request.messages = vec![turn(Role::User, &["One", "", "Two"])];
    let several = going_on(asked, &[(Role::Assistant, &["a", "b"]), (Role::User, &["Three"])]);
    let (llama2, _) = prompt("llama2", &several);
    assert_eq!(
        llama2,
        "<s>[INST] <<SYS>>\nFirst.\n\nSecond.\n<</SYS>>\n\nOne\n\nTwo [/INST] a\n\nb </s><s>[INST] Three [/INST]"
    );
    let (claude, _) = prompt("claude-text", &several);
    assert_eq!(
        claude,
        "First.\n\nSecond.\n\nHuman: One\n\nTwo\n\nAssistant: a\n\nb\n\nHuman: Three\n\nAssistant:"
    );
}

#[test]
fn the_client_is_told_of_a_system_prompt_without_a_place_of_its_own() {
    for case in CASES {
        let has_place = Template::named(case.template).unwrap().system.is_some();
        let (_, notes) = prompt(case.template, &Asked::say("Hi").system("Be brief."));
        let note = "messages.system=user-turn(unsupported-by-model)";
        assert_eq!(notes, if has_place { "" } else { note }, "{}", case.template);
    }
}

#[test]
fn the_client_is_told_where_the_answer_cannot_go_on_from_its_words() {
    for case in CASES {
        let prefill = going_on(Asked::say("Hi"), &[(Role::Assistant, &["Well,"])]);
        let (_, notes) = prompt(case.template, &prefill);
        let note = "messages=turn-ended(model-takes-no-prefill)";
        let expected = if case.template == "deepseek-r1" { note } else { "" };
        assert_eq!(notes, expected, "{}", case.template);
    }
}

#[test]
fn an_answer_goes_on_from_no_white_space() {
    let trailing = going_on(Asked::say("Hi"), &[(Role::Assistant, &["Well, \n"])]);
    assert_eq!(prompt("claude-text", &trailing).0, "\n\nHuman: Hi\n\nAssistant: Well,");
    let blank = going_on(Asked::say("Hi"), &[(Role::Assistant, &[" "])]);
    assert_eq!(prompt("claude-text", &blank).0, "\n\nHuman: Hi\n\nAssistant:");
}

#[test]
fn earlier_thoughts_and_cache_points_are_left_out() {
    let mut asked = going_on(
        Asked::say("Hi"),
        &[(Role::Assistant, &["Yes?"]), (Role::User, &["Why?"])],
    );
    let thought = Reasoning::Text {
        text: JsonText::encode("hm"),
        signature: None,
    };
    asked.request.messages[1]
        .content
        .insert(0, ContentBlock::Reasoning(thought));
    asked.request.messages[2]
        .content
        .push(ContentBlock::CachePoint(CacheTtl::Default));
    let (prompt, _) = prompt("mistral", &asked);
    assert_eq!(prompt, "<s>[INST] Hi [/INST] Yes?</s>[INST] Why? [/INST]");
}

#[test]
fn whatever_comes_is_written() {
    for case in CASES {
        let mut nothing = Asked::say("");
        nothing.request.messages.clear();
        let _ = prompt(case.template, &nothing);
        let only_system = nothing.system("Be brief.");
        assert!(prompt(case.template, &only_system).0.contains("Be brief."));
        let assistant_only = going_on(only_system, &[(Role::Assistant, &["a"]), (Role::Assistant, &["b"])]);
        let (prompt, _) = prompt(case.template, &assistant_only);
        assert!(prompt.contains("Be brief.") && prompt.contains('a') && prompt.contains('b'));
    }
}
