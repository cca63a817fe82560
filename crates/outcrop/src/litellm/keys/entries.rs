//! The keys of the file itself, and of `model_list`.

use super::Fate::{Missed, Needless, Taken};
use super::{Fate, NO_CALLBACKS, NO_DATABASE, NO_SPEND, OWN_LIMITS, Section};

const CREDENTIAL: Fate = Taken("the target's `[[accounts]]`");

/// The file itself.
pub(super) const WHOLE: Section = Section {
    name: "",
    keys: &[
        ("model_list", Taken("`[[routes]]`, `[[accounts]]` and `[[quotas]]`")),
        ("litellm_settings", Taken("see below")),
        ("router_settings", Taken("see below; it wins over `litellm_settings`")),
        ("general_settings", Taken("see below")),
        (
            "environment_variables",
            Taken("what `os.environ/NAME` means in the file, before the environment itself"),
        ),
        ("credential_list", Taken("what `litellm_credential_name` means")),
        ("callback_settings", NO_CALLBACKS),
        ("include", Missed("other files are not read; put all in one")),
        (
            "guardrails",
            Missed("set `guardrail_id` and `guardrail_version`, or `[[policies]]`"),
        ),
        ("mcp_servers", Missed("there is no MCP")),
        ("mcp_tools", Missed("there is no MCP")),
        ("vector_store_registry", Missed("there are no vector stores")),
        ("search_tools", Missed("there is no search")),
        ("files_settings", Missed("files are not stored")),
        ("finetune_settings", Missed("models are not tuned")),
        ("assistant_settings", Missed("there are no assistants")),
        ("prompts", Missed("prompts are not stored")),
    ],
};

/// An entry of `model_list`.
pub(super) const ENTRY: Section = Section {
    name: "model_list",
    keys: &[
        (
            "model_name",
            Taken("the route's `name`; entries of one name are its targets"),
        ),
        ("litellm_params", Taken("see below")),
        ("model_info", Needless("what models are and cost is in the catalogue")),
        ("access_groups", NO_DATABASE),
    ],
};

/// What an entry says of its model.
pub(super) const PARAMS: Section = Section {
    name: "litellm_params",
    keys: &[
        (
            "model",
            Taken("the target's `model`, with LiteLLM's prefixes; models that aren't Bedrock's are left out"),
        ),
        ("custom_llm_provider", Taken("`bedrock` and `bedrock_converse`")),
        ("model_id", Taken("the target's `model_id`")),
        ("provider", Taken("`model_provider` in the target's `parameters`")),
        ("aws_access_key_id", CREDENTIAL),
        ("aws_secret_access_key", CREDENTIAL),
        ("aws_session_token", CREDENTIAL),
        ("aws_region_name", Taken("the target's `region`")),
        ("region_name", Taken("the target's `region`")),
        ("aws_session_name", Taken("`role_session_name` of `[[accounts]]`")),
        ("aws_session_tags", Taken("`session_tags` of `[[accounts]]`")),
        ("aws_profile_name", Taken("`profile` of `[[accounts]]`")),
        ("aws_role_name", Taken("`role_arn` of `[[accounts]]`")),
        (
            "aws_web_identity_token",
            Taken("`web_identity_token` of `[[accounts]]`; of the `oidc/` forms `env`, `env_path` and `file`"),
        ),
        ("aws_sts_endpoint", Taken("`sts_endpoint_url` of `[[accounts]]`")),
        ("aws_external_id", Taken("`external_id` of `[[accounts]]`")),
        (
            "aws_bedrock_runtime_endpoint",
            Taken("`endpoint_url` of `[[accounts]]`"),
        ),
        ("api_base", Taken("`endpoint_url` of `[[accounts]]`")),
        ("api_key", Taken("`bedrock_api_key` of `[[accounts]]`")),
        ("litellm_credential_name", Taken("the values of that credential")),
        (
            "rpm",
            Taken("`requests_per_minute` of `[[quotas]]`, and the weight where `weight` is not set"),
        ),
        (
            "tpm",
            Taken("`tokens_per_minute` of `[[quotas]]`, and the weight where neither `weight` nor `rpm` is set"),
        ),
        ("weight", Taken("the target's `weight`")),
        ("order", Taken("the order of the targets, with the strategy `ordered`")),
        ("max_parallel_requests", Taken("the target's `max_parallel_requests`")),
        ("timeout", Taken("the target's `first_byte_timeout`")),
        (
            "stream_timeout",
            Missed("one limit holds for streams and whole answers: `timeout`"),
        ),
        ("max_retries", OWN_LIMITS),
        ("num_retries", OWN_LIMITS),
        ("drop_params", Needless("`on_unsupported` says it for all models")),
        (
            "additional_drop_params",
            Missed("parameters that a model refuses are left out by themselves; others can't be"),
        ),
        ("allowed_openai_params", Needless("what a model takes is tried")),
        ("aws_bedrock_client", Missed("there is no Python here")),
        (
            "aws_bedrock_project_id",
            Missed("projects of Bedrock's are not supported"),
        ),
        ("tags", Missed("requests are not routed by tags")),
        (
            "cache_control_injection_points",
            Missed("set `prompt_caching` to `auto`"),
        ),
        (
            "configurable_clientside_auth_params",
            Missed("set `request_aws_parameters`"),
        ),
        ("mock_response", Missed("`--simulate` answers instead of AWS")),
        ("max_budget", NO_DATABASE),
        ("budget_duration", NO_DATABASE),
        ("input_cost_per_token", NO_SPEND),
        ("output_cost_per_token", NO_SPEND),
        ("input_cost_per_second", NO_SPEND),
        ("output_cost_per_second", NO_SPEND),
        ("cache_read_input_token_cost", NO_SPEND),
        ("cache_creation_input_token_cost", NO_SPEND),
        ("use_in_pass_through", Needless("requests are not passed through")),
        (
            "use_litellm_proxy",
            Missed("requests are not handed to another gateway"),
        ),
        (
            "merge_reasoning_content_in_choices",
            Missed("reasoning has a member of its own"),
        ),
        ("max_file_size_mb", Needless("files have a limit: `fetch_max_bytes`")),
        ("callbacks", NO_CALLBACKS),
        (
            "guardrails",
            Missed("set `guardrailConfig`, `guardrail_id` or `[[policies]]`"),
        ),
    ],
};
