//! What the settings say to the other crates.

use std::sync::Arc;

use outcrop_routing::{Admission, Breaker, Fallbacks, Hedging, Retries, Routing};
use outcrop_server::{CacheConfig, IdentityConfig, Policies, PolicyMembers};

use crate::secrets::Secrets;
use crate::settings::{BaseUrl, Settings, base_guardrail, name_rules};

/// What the settings say of the way to Bedrock, but for a Bedrock API key, which may have to be looked up.
pub(crate) fn upstream_config(settings: &Settings) -> outcrop_upstream::Config {
    let url = |url: &BaseUrl| url.as_str().to_owned();
    outcrop_upstream::Config {
        region: settings.region.as_ref().map(|region| region.as_str().to_owned()),
        profile: settings.profile.as_ref().map(|profile| profile.as_str().to_owned()),
        runtime_endpoint: settings.endpoint_url.as_ref().map(url),
        control_endpoint: settings.control_endpoint_url.as_ref().map(url),
        agent_runtime_endpoint: settings.agent_runtime_endpoint_url.as_ref().map(url),
        // Unset is not the same as off: AWS's own settings may turn it on.
        use_fips: settings.use_fips.then_some(true),
        use_dual_stack: settings.use_dualstack.then_some(true),
        api_key: None,
        credentials: None,
        accounts: settings
            .tables
            .accounts
            .iter()
            .map(|table| table.account.clone())
            .collect(),
        connect_timeout: *settings.connect_timeout,
        first_byte_timeout: *settings.first_byte_timeout,
        chunk_timeout: *settings.chunk_timeout,
        total_timeout: *settings.total_timeout,
    }
}

/// What the settings say of where calls go.
pub(crate) fn routing(settings: &Settings) -> Routing {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let models = |list: &[crate::settings::ModelName]| list.iter().map(ToString::to_string).collect();
    Routing {
        routes: settings.tables.routes.iter().map(|table| table.route.clone()).collect(),
        fallbacks: Fallbacks {
            general: models(&settings.fallbacks),
            context_window: models(&settings.context_window_fallbacks),
            content_policy: models(&settings.content_policy_fallbacks),
        },
        breaker: Breaker {
            failure_ratio: settings.breaker_failure_ratio.get(),
            min_calls: count(settings.breaker_min_calls.get()),
            window: *settings.breaker_window,
            cool_down: settings.breaker_cool_down,
        },
        retries: Retries {
            max_attempts: count(settings.max_attempts.get()),
            budget: settings.retry_budget.get(),
        },
        hedging: settings.hedge_after.map(|after| Hedging {
            after: *after,
            budget: settings.hedge_budget.get(),
        }),
        admission: Admission {
            enabled: settings.admission,
            quotas: settings.tables.quotas.iter().map(|table| table.rule.clone()).collect(),
            queue_timeout: settings.queue_timeout,
            queue_limit: settings.queue_limit,
            default_output_tokens: u64::try_from(settings.default_output_tokens.get()).unwrap_or(u64::MAX),
        },
    }
}

/// What the settings say of how requests are treated.
pub(crate) fn policies(settings: &Settings, secrets: &Secrets) -> Policies {
    let keys = secrets.policy_keys.iter().cloned();
    Policies {
        base: PolicyMembers {
            on_unsupported: Some(settings.on_unsupported),
            prompt_caching: Some(settings.prompt_caching),
            guardrail: base_guardrail(settings),
            guardrail_trace: settings.guardrail_trace,
            guardrail_stream_mode: settings.guardrail_stream_mode,
            bedrock_api: settings.bedrock_api,
        },
        rules: settings
            .policies
            .iter()
            .zip(keys)
            .filter_map(|(table, keys)| Some(table.rule(keys?)))
            .collect(),
    }
}

/// What the settings say of logins.
fn identity(settings: &Settings) -> IdentityConfig {
    IdentityConfig {
        iam_audience: settings.iam_audience.iter().map(ToString::to_string).collect(),
        iam_max_age: settings.iam_max_age.get(),
        iam_replay: settings.iam_replay,
        session_duration: settings.session_duration.get(),
        sts_endpoint: settings.sts_endpoint_url.as_ref().map(|url| url.as_str().to_owned()),
        is_simulated: settings.simulate,
        forwarded: settings.forwarded_identity.clone(),
        issuers: settings
            .tables
            .issuers
            .iter()
            .map(|table| table.issuer.clone())
            .collect(),
    }
}

/// What the settings say of the server.
pub(crate) fn server_config(settings: &Settings, secrets: &Secrets) -> outcrop_server::Config {
    outcrop_server::Config {
        api_keys: secrets.api_keys.clone(),
        admin_keys: secrets.admin_keys.clone(),
        trusted_proxies: settings.trusted_proxies.to_vec(),
        is_closed: false,
        local_only: !settings.insecure_no_auth,
        body_limit: bytes(settings.body_limit.bytes()),
        kept_files_limit: bytes(settings.kept_files_limit.bytes()),
        public_url: settings.public_url.as_ref().map(|url| url.as_str().to_owned()),
        idle_timeout: *settings.idle_timeout,
        header_timeout: *settings.header_timeout,
        body_timeout: *settings.body_timeout,
        send_timeout: *settings.send_timeout,
        answer_timeout: *settings.total_timeout,
        first_byte_timeout: *settings.first_byte_timeout,
        keep_alive_interval: settings.keep_alive_interval,
        shutdown_delay: settings.shutdown_delay,
        shutdown_timeout: settings.shutdown_timeout,
        max_connections: settings.max_connections.get(),
        max_choices: settings.max_choices.get(),
        fetch: outcrop_server::FetchConfig {
            enabled: settings.fetch_urls,
            hosts: settings.fetch_hosts.to_vec(),
            private_networks: settings.fetch_private_networks.to_vec(),
            max_bytes: bytes(settings.fetch_max_bytes.bytes()),
            timeout: *settings.fetch_timeout,
            max_redirects: settings.fetch_max_redirects,
            max_concurrent: settings.fetch_concurrency.get(),
        },
        policies: policies(settings, secrets),
        model_list_max_age: settings.model_list_max_age,
        list_inference_profiles: settings.list_inference_profiles,
        list_application_profiles: settings.list_application_profiles,
        regions: settings.regions.iter().map(ToString::to_string).collect(),
        catalogue: Arc::clone(&settings.models),
        names: name_rules(settings),
        routing: routing(settings),
        request_aws_parameters: settings
            .request_aws_parameters
            .iter()
            .map(ToString::to_string)
            .collect(),
        service_quotas: settings.service_quotas,
        identity: identity(settings),
        cache: CacheConfig {
            store: secrets.cache.clone(),
            ttl: *settings.response_cache_ttl,
            limit_bytes: bytes(settings.response_cache_limit.bytes()),
        },
        // It is there as long as the gateway, whatever its settings.
        meter: outcrop_server::Meter::Off,
        limits: std::sync::Arc::default(),
        emf: settings.emf.is_on().then(|| outcrop_server::EmfConfig {
            namespace: settings.emf_namespace.as_str().to_owned(),
        }),
        has_metrics: settings.metrics_listen.is_none(),
        route_prefix: settings.route_prefix.as_ref().map(|prefix| prefix.as_str().to_owned()),
    }
}

fn bytes(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
