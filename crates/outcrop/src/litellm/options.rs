//! `litellm_settings`, `router_settings` and `general_settings`: what of them are single settings.

use super::entry::Group;
use super::names::problem_of;
use super::{Converter, as_text, section};
use crate::settings::{Origin, Raw, RawTable};

/// What a debug log is of ours.
const DEBUG_LOG: &str = "info,outcrop=debug,outcrop_server=debug,outcrop_upstream=debug";

impl Converter<'_> {
    /// What the router says comes later, since it wins.
    pub(super) fn options(&mut self, module: &RawTable, router: &RawTable, general: &RawTable, routes: &[Group]) {
        self.region();
        self.general(general, routes);
        self.module(module);
        for table in [module, router] {
            self.tries(table);
        }
        self.timeouts(module, "request_timeout");
        self.timeouts(router, "timeout");
        if let Some((origin, seconds)) = self.number_of(router, "cooldown_time") {
            self.set("breaker_cool_down", &origin, super::seconds(seconds));
        }
        if let Some((origin, true)) = self.switch_of(router, "disable_cooldowns") {
            self.set("breaker_cool_down", &origin, Raw::Integer(0));
        }
    }

    /// LiteLLM has a variable of its own for it.
    fn region(&mut self) {
        let variables = ["AWS_REGION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION"];
        let own = self.surroundings.get("AWS_REGION_NAME");
        let in_file = || {
            let mut found = variables.iter().filter_map(|name| self.surroundings.in_file(name));
            found.next().map(|(origin, text)| (origin.clone(), text))
        };
        if let Some((origin, region)) = own.or_else(in_file) {
            self.set("region", &origin, Raw::Text(region));
        }
    }

    fn tries(&mut self, table: &RawTable) {
        if let Some((origin, retries)) = self.count_of(table, "num_retries") {
            self.set("max_attempts", &origin, Raw::Integer(retries.saturating_add(1)));
        }
        if let Some((origin, fails)) = self.count_of(table, "allowed_fails") {
            self.set("breaker_min_calls", &origin, Raw::Integer(fails.saturating_add(1)));
            self.set("breaker_window", &origin, Raw::Text("1m".to_owned()));
        }
    }

    fn timeouts(&mut self, table: &RawTable, key: &str) {
        let timeout = self.number_of(table, key).filter(|(_, seconds)| *seconds > 0.0);
        if let Some((origin, seconds)) = timeout {
            self.set("total_timeout", &origin, super::seconds(seconds));
            self.set("first_byte_timeout", &origin, super::seconds(seconds));
        }
    }

    fn module(&mut self, module: &RawTable) {
        if let Some((origin, drops)) = self.switch_of(module, "drop_params") {
            let word = if drops { "adapt" } else { "reject" };
            self.set("on_unsupported", &origin, Raw::Text(word.to_owned()));
        }
        if let Some((origin, true)) = self.switch_of(module, "json_logs") {
            self.set("log_format", &origin, Raw::Text("json".to_owned()));
        }
        if let Some((origin, true)) = self.switch_of(module, "set_verbose") {
            self.set("log", &origin, Raw::Text(DEBUG_LOG.to_owned()));
        }
        if let Some((origin, true)) = self.switch_of(module, "cache") {
            let empty = RawTable::empty(&origin);
            let params = section(module, "cache_params").unwrap_or(&empty);
            self.cache(&origin, params);
        }
    }

    fn cache(&mut self, origin: &Origin, params: &RawTable) {
        self.look_at_keys("cache_params", params);
        let (at, kind) = self
            .text_of(params, "type")
            .unwrap_or_else(|| (origin.clone(), "redis".to_owned()));
        if let Some((at, mode)) = self.text_of(params, "mode")
            && mode == "default_off"
        {
            let message = "answers are not kept: with `default_off` only requests that ask for it would be, which is not supported";
            self.note(&at, message.to_owned());
            return;
        }
        let (place, own_ttl) = match kind.as_str() {
            "local" => ("memory".to_owned(), "default_in_memory_ttl"),
            "redis" => match self.redis(params) {
                Some(url) => (url, "default_in_redis_ttl"),
                None => {
                    self.note(
                        &at,
                        "answers are not kept: neither the file nor REDIS_HOST or REDIS_URL says where Redis is"
                            .to_owned(),
                    );
                    return;
                }
            },
            other => {
                self.note(
                    &at,
                    format!("answers are not kept: {other:?} is none of `local` and `redis`"),
                );
                return;
            }
        };
        self.set("response_cache", &at, Raw::Text(place));
        let ttl = self
            .number_of(params, "ttl")
            .or_else(|| self.number_of(params, own_ttl));
        if let Some((origin, seconds)) = ttl.filter(|(_, seconds)| *seconds > 0.0) {
            self.set("response_cache_ttl", &origin, super::seconds(seconds));
        }
    }

    /// The URL of Redis, by the file or by the variables that LiteLLM reads.
    fn redis(&mut self, params: &RawTable) -> Option<String> {
        let mut word = |key: &str, variable: &str| {
            let in_file = self.text_of(params, key).map(|(_, text)| text);
            in_file.or_else(|| self.surroundings.get(variable).map(|(_, text)| text))
        };
        if let Some(url) = word("url", "REDIS_URL") {
            return Some(url);
        }
        let host = word("host", "REDIS_HOST")?;
        let port = word("port", "REDIS_PORT").unwrap_or_else(|| "6379".to_owned());
        let user = word("username", "REDIS_USERNAME").unwrap_or_default();
        let password = word("password", "REDIS_PASSWORD");
        let database = word("db", "REDIS_DB").map(|db| format!("/{db}")).unwrap_or_default();
        let ssl = word("ssl", "REDIS_SSL").is_some_and(|ssl| ssl.eq_ignore_ascii_case("true"));
        let scheme = if ssl { "rediss" } else { "redis" };
        let who = password.map(|password| format!("{}:{}@", encoded(&user), encoded(&password)));
        Some(format!("{scheme}://{}{host}:{port}{database}", who.unwrap_or_default()))
    }

    fn general(&mut self, general: &RawTable, routes: &[Group]) {
        let key = match general.get("master_key") {
            Some((origin, value)) => as_text(value).map(|text| (origin.clone(), self.surroundings.later(text))),
            None => {
                let variable = "LITELLM_MASTER_KEY";
                let found = self.surroundings.get(variable);
                found.map(|(origin, text)| match origin {
                    Origin::Environment(_) => (origin, format!("os.environ/{variable}")),
                    _ => (origin, text),
                })
            }
        };
        if let Some((origin, key)) = key {
            // It is LiteLLM's key for administration as well as one that asks models.
            for setting in ["api_keys", "admin_keys"] {
                self.set(setting, &origin, Raw::List(vec![Raw::Text(key.clone())]));
            }
        }
        if let Some((origin, megabytes)) = self
            .number_of(general, "max_request_size_mb")
            .filter(|(_, size)| *size > 0.0)
        {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "what is too large for a size is refused as one"
            )]
            let bytes = (megabytes * 1024.0 * 1024.0) as i64;
            self.set("body_limit", &origin, Raw::Integer(bytes));
        }
        for (key, setting) in [
            ("completion_model", "default_model"),
            ("embedding_model", "default_embedding_model"),
            ("image_generation_model", "default_image_model"),
        ] {
            let Some((origin, name)) = self.text_of(general, key) else {
                continue;
            };
            let route = routes.iter().find(|route| route.name == name);
            let model = route.map_or_else(|| Some(name.clone()), Group::first_model);
            match model.filter(|model| problem_of(model).is_none()) {
                Some(model) => self.set(setting, &origin, Raw::Text(model)),
                None => self.note(
                    &origin,
                    format!("{key} is not taken over: {name:?} is no model of Bedrock's"),
                ),
            }
        }
    }
}

/// As it may stand in a URL in front of the host.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}
