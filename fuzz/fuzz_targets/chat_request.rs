//! Any body is planned or refused, whatever the gateway knows of the model: never a panic, never a call that is no JSON
//! or has too many cache points, always a 4xx, with the field to blame where the body is an object; and the same body
//! comes to the same plan.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use std::sync::Arc;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use outcrop_translate::catalogue::Api;
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::policy::{Guardrail, OnUnsupported, PromptCaching, StreamMode, Trace};
use outcrop_translate::resolve::{Asked, Directory, Target, Unresolved, resolve};
use outcrop_translate::{Advisor, Catalogue, Context, Endpoint, Halt, Lesson, Policy, Repair};
use serde_json::Value;

/// Refusals that teach; what is in them beside the words is the fuzzer's.
const REFUSALS: [&str; 20] = [
    "`temperature` is deprecated for this model.",
    "`temperature` and `top_p` cannot both be specified for this model.",
    "reasoning_effort: Extra inputs are not permitted",
    "thinking: Extra inputs are not permitted",
    "You invoked an unsupported model or your request did not allow prompt caching.",
    "This model doesn't support the ttl 1h for cachePoint.",
    "tools.0.custom.strict: Extra inputs are not permitted",
    "This model doesn't support the toolConfig.toolChoice.any field.",
    "This model doesn't support the toolConfig.toolChoice field.",
    "This model doesn't support the outputConfig.textFormat field.",
    "This model doesn't support tool use in streaming mode.",
    "This model does not support assistant message prefill.",
    "The number of stop sequences exceeds the model limit of 1. Try again with at most 1.",
    "This model doesn't support the stopSequences field.",
    "\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\".",
    "thinking.type: \"disabled\" is not supported for this model.",
    "thinking.enabled.budget_tokens: Input should be greater than or equal to 2048",
    "This model doesn't support system messages.",
    "This model doesn't support the reasoningContent field.",
    "Conversation blocks and tool result blocks cannot be provided in the same turn.",
];

/// A model for each way of being told things; none where the body names it.
const MODELS: [Option<&str>; 12] = [
    None,
    Some("us.anthropic.claude-3-7-sonnet-20250219-v1:0"),
    Some("us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    Some("us.anthropic.claude-opus-4-7"),
    Some("us.anthropic.claude-opus-5-5"),
    Some("us.amazon.nova-lite-v1:0"),
    Some("us.amazon.nova-2-lite-v1:0"),
    Some("us.meta.llama3-1-70b-instruct-v1:0"),
    Some("mistral.mistral-7b-instruct-v0:2"),
    Some("openai.gpt-oss-120b-1:0"),
    Some("arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDEFGHIJ:1"),
    Some("acme.seer-v1"),
];

#[derive(Arbitrary, Debug)]
struct Knowledge {
    model: u8,
    rejects: bool,
    caching: u8,
    has_guardrail: bool,
    refusals: Vec<u8>,
    repair: Option<(String, String)>,
}

impl Advisor for Knowledge {
    fn resolve(&self, asked: &Asked<'_>) -> Result<Arc<Target>, Unresolved> {
        resolve(asked, &Directory::offline(Catalogue::built_in())).map(Arc::new)
    }

    fn policy(&self, _: &[&str], _: bool) -> Policy {
        Policy {
            on_unsupported: if self.rejects {
                OnUnsupported::Reject
            } else {
                OnUnsupported::Adapt
            },
            prompt_caching: match self.caching % 3 {
                0 => PromptCaching::Off,
                1 => PromptCaching::Explicit,
                _ => PromptCaching::Auto,
            },
            guardrail: self.has_guardrail.then(|| Guardrail {
                id: "g".to_owned(),
                version: "1".to_owned(),
                trace: Some(Trace::Enabled),
                stream_mode: Some(StreamMode::Async),
            }),
            bedrock_api: [None, Some(Api::Converse), Some(Api::Invoke), Some(Api::OpenAi)]
                [usize::from(self.caching / 3 % 4)],
            ..Policy::default()
        }
    }

    fn lessons(&self, _: &str) -> Vec<Lesson> {
        let asked = ["temperature", "top_p", "reasoning_effort", "thinking"];
        let refusals = self.refusals.iter().take(8);
        refusals
            .filter_map(|&number| Lesson::of_refusal(REFUSALS[usize::from(number) % REFUSALS.len()], &asked))
            .collect()
    }
}

/// The last bytes of the input are what the gateway knows, so that a body at its beginning is one by itself.
const KNOWLEDGE_BYTES: usize = 24;

fuzz_target!(|input: &[u8]| {
    let (body, known) = input.split_at(input.len().saturating_sub(KNOWLEDGE_BYTES));
    let nothing = Context {
        unique: 7,
        created: 1_800_000_000,
        path_model: None,
        max_choices: 8,
        region: "us-east-1",
        catalogue: Catalogue::built_in(),
        advisor: None,
        remote: None,
        repair: None,
    };
    check(input, &nothing);
    let Ok(knowledge) = Knowledge::arbitrary(&mut Unstructured::new(known)) else {
        return;
    };
    let repair = knowledge
        .repair
        .clone()
        .map(|(answer, complaint)| Repair { answer, complaint });
    let first = Context {
        path_model: MODELS[usize::from(knowledge.model) % MODELS.len()],
        advisor: Some(&knowledge),
        ..nothing
    };
    if check(body, &first) {
        let again = Context {
            repair: repair.as_ref(),
            ..first
        };
        check(body, &again);
    }
});

/// Checks what comes of a body, and whether its answer must be reviewed.
fn check(body: &[u8], context: &Context<'_>) -> bool {
    let body = Bytes::copy_from_slice(body);
    match ChatCompletions::plan(&body, context) {
        Ok(plan) => {
            let call = plan.body.to_vec();
            // serde_json refuses what is deeper than the body was, by the levels that Converse's envelope has more.
            match serde_json::from_slice::<Value>(&call) {
                Ok(call) => assert!(cache_points(&call) <= 4, "{call}"),
                Err(error) => {
                    let message = error.to_string();
                    assert!(
                        message.starts_with("recursion limit") || message.starts_with("number out of range"),
                        "{message}: {}",
                        String::from_utf8_lossy(&call)
                    );
                }
            }
            assert!((1..=context.max_choices).contains(&plan.choices));
            assert!(plan.notes.to_string().bytes().all(|byte| (0x20..0x7f).contains(&byte)));
            let again = ChatCompletions::plan(&body, context).expect("it was planned before");
            assert_eq!((again.body.to_vec(), &again.notes), (call, &plan.notes));
            plan.is_reviewed
        }
        Err(Halt::LookUp(arn)) => {
            assert!(arn.starts_with("arn:"));
            false
        }
        Err(Halt::Fetch(urls)) => {
            assert!(!urls.is_empty());
            false
        }
        Err(Halt::Problem(problem)) => {
            assert!((400..500).contains(&problem.status), "{problem:?}");
            let error: Value = serde_json::from_slice(&ChatCompletions::error(&problem)).expect("an error is JSON");
            assert!(error["error"]["message"].is_string());
            if serde_json::from_slice::<Value>(&body).is_ok_and(|body| body.is_object()) {
                assert!(problem.param.is_some(), "{problem:?}");
            }
            false
        }
    }
}

/// How many cache points a call has, where it may have them.
fn cache_points(call: &Value) -> usize {
    let items = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let contents = items(&call["messages"])
        .into_iter()
        .flat_map(|message| items(&message["content"]));
    let blocks = items(&call["system"])
        .into_iter()
        .chain(items(&call["toolConfig"]["tools"]));
    blocks
        .chain(contents)
        .filter(|block| block["cachePoint"].is_object())
        .count()
}
