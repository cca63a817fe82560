//! Requests to models of all families, under any policy and with any lessons.

use std::sync::Arc;

use bytes::Bytes;
use outcrop_translate::catalogue::{Api, Catalogue};
use outcrop_translate::openai::chat::ChatCompletions;
use outcrop_translate::policy::{Guardrail, OnUnsupported, PromptCaching, StreamMode, Trace};
use outcrop_translate::resolve::{Asked, Directory, Target, Unresolved, resolve};
use outcrop_translate::{Advisor, Context, Endpoint, Lesson, Policy, Repair};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::CONTEXT;
use crate::requests::{changed, check_plan_in};

/// A model of each way to be told things.
const MODELS: [&str; 16] = [
    "anthropic.claude-3-haiku-20240307-v1:0",
    "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.anthropic.claude-opus-4-7",
    "us.anthropic.claude-opus-5-5",
    "us.amazon.nova-lite-v1:0",
    "us.amazon.nova-2-lite-v1:0",
    "us.meta.llama3-1-70b-instruct-v1:0",
    "mistral.mistral-7b-instruct-v0:2",
    "mistral.mistral-large-2402-v1:0",
    "cohere.command-r-plus-v1:0",
    "openai.gpt-oss-120b-1:0",
    "openai.gpt-5.6",
    "us.deepseek.r1-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDEFGHIJ:1",
    "acme.seer-v1",
];

/// A request that uses everything.
pub(crate) fn request_to(model: &str) -> Value {
    let cached = json!({"type": "ephemeral", "ttl": "1h"});
    let schema = json!({"type": "object", "properties": {"at": {"type": "string", "minLength": 1}}});
    json!({
        "model": model,
        "messages": [
            {"role": "system", "content": "Be brief.", "cache_control": cached},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind.", "cache_control": cached}]},
            {"role": "user", "name": "ada", "content": [
                {"type": "text", "text": "What is this?", "cache_control": cached},
                {"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lGODlhAQABAAAAACw=", "detail": "low"}},
                {"type": "text", "text": "And why?", "prompt_cache_breakpoint": {"mode": "explicit"}},
            ]},
            {"role": "assistant", "content": "Let me look.", "refusal": null, "reasoning_content": "I should look.",
                "thinking_blocks": [
                    {"type": "thinking", "thinking": "I should look.", "signature": "c2ln"},
                    {"type": "redacted_thinking", "data": "cmVk"},
                ],
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{\"deep\": true}"}},
                    {"id": "call_2", "type": "function", "function": {"name": "look", "arguments": ""}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_2", "content": "nothing", "is_error": true},
            {"role": "tool", "tool_call_id": "call_1", "content": "a stone"},
            {"role": "user", "content": [{"type": "guarded_text", "text": "So?"}]},
            {"role": "assistant", "content": "It is "},
        ],
        "stream": true,
        "stream_options": {"include_usage": true},
        "n": 2,
        "max_tokens": 10,
        "max_completion_tokens": 2000,
        "temperature": 0.5,
        "top_p": 0.5,
        "stop": ["END"],
        "stop_sequences": "\n\n",
        "tools": [{"type": "function", "function": {
            "name": "look", "description": "Looks.", "parameters": schema, "strict": true,
        }, "cache_control": cached}],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "parallel_tool_calls": false,
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": true, "schema": schema}},
        "reasoning_effort": "low",
        "include_thinking_data": true,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "user": "ada",
        "metadata": {"team": "geology"},
        "extra_body": {"top_k": 5, "anthropic_beta": ["x"]},
        "seed": 1,
        "logit_bias": {},
        "prompt_cache_key": "k",
        "prompt_cache_options": {"mode": "implicit", "ttl": "30m"},
        "service_tier": "flex",
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1", "trace": "enabled"},
        "performanceConfig": {"latency": "optimized"},
        "promptVariables": {"a": {"text": "b"}},
        "additionalModelResponseFieldPaths": ["/a"],
        "on_unsupported": "adapt",
    })
}

/// What a gateway may know of a model.
#[derive(Clone, Debug)]
struct Knowledge {
    policy: Policy,
    lessons: Vec<Lesson>,
    repair: Option<Repair>,
}

impl Knowledge {
    /// What a request is planned with; asked again only where the first answer was looked at.
    fn context(&self, body: &Bytes) -> Context<'_> {
        let first = Context {
            advisor: Some(self),
            ..*CONTEXT
        };
        let is_reviewed = ChatCompletions::plan(body, &first).is_ok_and(|plan| plan.is_reviewed);
        Context {
            repair: self.repair.as_ref().filter(|_| is_reviewed),
            ..first
        }
    }
}

impl Advisor for Knowledge {
    fn resolve(&self, asked: &Asked<'_>) -> Result<Arc<Target>, Unresolved> {
        resolve(asked, &Directory::offline(Catalogue::built_in())).map(Arc::new)
    }

    fn policy(&self, _: &[&str], _: bool) -> Policy {
        self.policy.clone()
    }

    fn lessons(&self, _: &str) -> Vec<Lesson> {
        self.lessons.clone()
    }
}

fn lesson() -> impl Strategy<Value = Lesson> {
    prop::sample::select(vec![
        Lesson::Parameter("temperature".to_owned()),
        Lesson::Parameter("reasoning_effort".to_owned()),
        Lesson::Parameter("thinking".to_owned()),
        Lesson::Parameter("service_tier".to_owned()),
        Lesson::Parameter("stop".to_owned()),
        Lesson::SamplingTogether,
        Lesson::ForcedTools,
        Lesson::ToolChoice,
        Lesson::StrictTools,
        Lesson::StructuredOutput,
        Lesson::CachePoints,
        Lesson::CacheOneHour,
        Lesson::Prefill,
        Lesson::StopSequences(0),
        Lesson::StopSequences(1),
        Lesson::ToolStreaming,
        Lesson::System,
        Lesson::MixedTurns,
        Lesson::MediaInResults,
        Lesson::OneToolAtATime,
        Lesson::ThinkingBudget,
        Lesson::LeastThinkingBudget(4096),
        Lesson::ThinkingOff,
        Lesson::ThinkingAdaptive,
        Lesson::Thinking,
        Lesson::ThinkingTokens,
        Lesson::Thoughts,
    ])
}

fn knowledge() -> impl Strategy<Value = Knowledge> {
    let guardrail = Guardrail {
        id: "g".to_owned(),
        version: "1".to_owned(),
        trace: Some(Trace::EnabledFull),
        stream_mode: Some(StreamMode::Sync),
    };
    let caching = vec![PromptCaching::Off, PromptCaching::Explicit, PromptCaching::Auto];
    let policy = (
        prop::sample::select(vec![OnUnsupported::Adapt, OnUnsupported::Reject]),
        prop::sample::select(caching),
        prop::option::of(Just(guardrail)),
        prop::option::of(prop::sample::select(vec![Api::Converse, Api::Invoke, Api::OpenAi])),
    )
        .prop_map(|(on_unsupported, prompt_caching, guardrail, bedrock_api)| Policy {
            on_unsupported,
            prompt_caching,
            guardrail,
            bedrock_api,
            is_guardrail_fixed: false,
            request_metadata: std::sync::Arc::from([]),
        });
    let repair = any::<(String, String)>().prop_map(|(answer, complaint)| Repair { answer, complaint });
    (
        policy,
        prop::collection::vec(lesson(), 0..4),
        prop::option::weighted(0.2, repair),
    )
        .prop_map(|(policy, lessons, repair)| Knowledge {
            policy,
            lessons,
            repair,
        })
}

fn any_request() -> impl Strategy<Value = Value> {
    prop::sample::select(&MODELS[..]).prop_flat_map(|model| changed(move || request_to(model)))
}

proptest! {
    #[test]
    fn whatever_is_known_a_request_is_planned_or_refused_with_the_field(
        request in any_request(), knowledge in knowledge(),
    ) {
        let body = Bytes::from(request.to_string());
        check_plan_in(&body, &knowledge.context(&body));
    }

    #[test]
    fn whatever_is_known_a_request_always_gives_the_same_plan(request in any_request(), knowledge in knowledge()) {
        let body = Bytes::from(request.to_string());
        let plan = || ChatCompletions::plan(&body, &knowledge.context(&body)).map(|plan| (plan.body, plan.notes));
        prop_assert_eq!(plan(), plan());
    }
}
