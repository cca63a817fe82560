//! What requests come to, by labels.

use outcrop_tenants::{Money, UsageRecord};

use super::definition::{
    ATTEMPTS, CACHE, CONNECTIONS, COST, DURATION, DURATIONS, FIRST_TOKEN, FIRST_TOKENS, GAPS, IN_FLIGHT,
    MODEL_REQUESTS, OPEN_STREAMS, PER_TOKEN, REQUESTS, RETRIES, STREAM_GAP, TENANT_COST, TENANT_REQUESTS,
    TENANT_TOKENS, TOKEN_COUNTS, TOKEN_USAGE, TOKENS,
};
use super::page::{Page, Sample};
use super::value::{Bounded, Counter, Histogram};
use super::{Metrics, OTHER};
use crate::meter::Metered;
use crate::response_cache::Cached;
use crate::tenants::Tenant;

/// The value of `gen_ai.provider.name` for Bedrock.
const PROVIDER: &str = "aws.bedrock";
/// Where nobody answered, or nothing went wrong, there is no name for it.
const NONE: &str = "none";

/// By endpoint, status, how it ended, and the code of the error.
pub(super) type Ends = Bounded<Counter>;
/// By endpoint, model and region.
pub(super) type Models = Bounded<OfModel>;
/// By organization and project.
pub(super) type Tenants = Bounded<OfTenant>;

/// A request that is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finished<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) path: &'a str,
    /// HTTP status; 0 where the client left before there was one.
    pub(crate) status: u16,
    /// `completed`, `failed` or `client_left`.
    pub(crate) outcome: &'static str,
    pub(crate) error_code: Option<&'static str>,
    pub(crate) is_stream: bool,
    pub(crate) seconds: f64,
    pub(crate) first_byte_seconds: Option<f64>,
    pub(crate) cache: Option<Cached>,
    pub(crate) tenant: Option<&'a Tenant>,
    /// Whether its model is one that there is: it has answered, or stands in the catalogue. Other names are the client's.
    pub(crate) is_model_known: bool,
    /// What it leaves behind, where it asked a model.
    pub(crate) usage: Option<&'a UsageRecord>,
}

/// What is counted of a model in a region, at an endpoint.
#[derive(Debug)]
pub(super) struct OfModel {
    completed: Counter,
    failed: Counter,
    client_left: Counter,
    duration: Histogram,
    first_token: Histogram,
    per_token: Histogram,
    read: Histogram,
    written: Histogram,
    spent: Spent,
}

impl Default for OfModel {
    fn default() -> Self {
        Self {
            completed: Counter::default(),
            failed: Counter::default(),
            client_left: Counter::default(),
            duration: Histogram::new(DURATIONS),
            first_token: Histogram::new(FIRST_TOKENS),
            per_token: Histogram::new(GAPS),
            read: Histogram::new(TOKEN_COUNTS),
            written: Histogram::new(TOKEN_COUNTS),
            spent: Spent::default(),
        }
    }
}

/// What is counted of a project.
#[derive(Debug, Default)]
pub(super) struct OfTenant {
    requests: Counter,
    spent: Spent,
}

/// Tokens and what they cost.
#[derive(Debug, Default)]
struct Spent {
    input: Counter,
    output: Counter,
    cache_read: Counter,
    cache_write: Counter,
    reasoning: Counter,
    /// In billionths of a dollar.
    cost: Counter,
}

impl Spent {
    fn add(&self, usage: &UsageRecord) {
        let tokens = &usage.tokens;
        self.input.add(tokens.input);
        self.output.add(tokens.output);
        self.cache_read.add(tokens.cache_read);
        self.cache_write
            .add(tokens.cache_write.saturating_add(tokens.cache_write_1h));
        self.reasoning.add(tokens.reasoning);
        let cost = usage.cost.map_or(0, Money::nanos);
        self.cost.add(u64::try_from(cost).unwrap_or(0));
    }

    fn kinds(&self) -> [(&'static str, &Counter); 5] {
        [
            ("input", &self.input),
            ("output", &self.output),
            ("cache_read", &self.cache_read),
            ("cache_write", &self.cache_write),
            ("reasoning", &self.reasoning),
        ]
    }

    fn dollars(&self) -> f64 {
        self.cost.get() as f64 / 1e9
    }
}

impl Metrics {
    /// Counts a request that is over, and writes its line for CloudWatch.
    pub(crate) fn finish(&self, finished: &Finished<'_>) {
        let endpoint = endpoint_of(finished.path);
        let status = match finished.status {
            0 => NONE.to_owned(),
            status => status.to_string(),
        };
        let error = finished.error_code.unwrap_or(NONE);
        let labels = [endpoint, &status, finished.outcome, error];
        let others = [endpoint, OTHER, finished.outcome, OTHER];
        self.ends.of(&labels, &others, true).value.add(1);
        match finished.cache {
            Some(Cached::Hit) => self.cache_hits.add(1),
            Some(Cached::Miss) => self.cache_misses.add(1),
            None => {}
        }
        if let Some(usage) = finished.usage {
            let labels = [endpoint, usage.called_model.as_str(), usage.region.as_str()];
            let others = [endpoint, OTHER, OTHER];
            let series = self.models.of(&labels, &others, finished.is_model_known);
            series.value.add(finished, usage);
            if let Some(tenant) = finished.tenant {
                let labels = [&*tenant.organization.name, &*tenant.project.name];
                let series = self.projects.of(&labels, &[OTHER, OTHER], true);
                series.value.requests.add(1);
                series.value.spent.add(usage);
            }
        }
        if let Some(emf) = &self.emf
            && Metered::of(finished.path).is_some()
        {
            emf.write(finished);
        }
    }

    /// Adds what was counted of requests.
    pub(super) fn tell(&self, page: &mut Page) {
        for series in self.ends.all() {
            page.count(&REQUESTS, &series.labels, series.value.get());
        }
        page.number(&IN_FLIGHT, &[], self.in_flight.get() as f64);
        page.number(&OPEN_STREAMS, &[], self.open_streams.get() as f64);
        page.number(&CONNECTIONS, &[], self.connections.get() as f64);
        page.add(&STREAM_GAP, &[], Sample::from(&self.gaps));
        for (result, counter) in [("hit", &self.cache_hits), ("miss", &self.cache_misses)] {
            page.count(&CACHE, &[result.to_owned()], counter.get());
        }
        for series in self.attempts.all() {
            page.count(&ATTEMPTS, &series.labels, series.value.get());
        }
        for (kind, counter) in [("same_target", &self.repeats), ("other_target", &self.moves)] {
            page.count(&RETRIES, &[kind.to_owned()], counter.get());
        }
        for series in self.models.all() {
            series.value.tell(&series.labels, page);
        }
        for series in self.projects.all() {
            page.count(&TENANT_REQUESTS, &series.labels, series.value.requests.get());
            for (kind, counter) in series.value.spent.kinds() {
                page.count(&TENANT_TOKENS, &with(&series.labels, kind), counter.get());
            }
            page.number(&TENANT_COST, &series.labels, series.value.spent.dollars());
        }
    }
}

impl OfModel {
    fn add(&self, finished: &Finished<'_>, usage: &UsageRecord) {
        let ended = match finished.outcome {
            "completed" => &self.completed,
            "failed" => &self.failed,
            _ => &self.client_left,
        };
        ended.add(1);
        self.spent.add(usage);
        // What was given again says nothing of the model, and what failed nothing of its speed.
        if finished.cache == Some(Cached::Hit) || finished.outcome != "completed" {
            return;
        }
        self.duration.observe(finished.seconds);
        self.read.observe(usage.tokens.all_input() as f64);
        self.written.observe(usage.tokens.output as f64);
        if let (true, Some(first)) = (finished.is_stream, finished.first_byte_seconds) {
            self.first_token.observe(first);
            if usage.tokens.output > 1 {
                let rest = (finished.seconds - first).max(0.0);
                self.per_token.observe(rest / (usage.tokens.output - 1) as f64);
            }
        }
    }

    fn tell(&self, labels: &[String], page: &mut Page) {
        let [endpoint, model, region] = labels else { return };
        for (outcome, counter) in [
            ("completed", &self.completed),
            ("failed", &self.failed),
            ("client_left", &self.client_left),
        ] {
            page.count(&MODEL_REQUESTS, &with(labels, outcome), counter.get());
        }
        for (kind, counter) in self.spent.kinds() {
            page.count(&TOKENS, &with(labels, kind), counter.get());
        }
        page.number(&COST, labels, self.spent.dollars());
        let of_conventions = [operation(endpoint), PROVIDER, model, region].map(ToOwned::to_owned);
        page.add(&DURATION, &of_conventions, Sample::from(&self.duration));
        page.add(&FIRST_TOKEN, &of_conventions, Sample::from(&self.first_token));
        page.add(&PER_TOKEN, &of_conventions, Sample::from(&self.per_token));
        for (kind, histogram) in [("input", &self.read), ("output", &self.written)] {
            page.add(&TOKEN_USAGE, &with(&of_conventions, kind), Sample::from(histogram));
        }
    }
}

fn with(labels: &[String], last: &str) -> Vec<String> {
    labels.iter().cloned().chain([last.to_owned()]).collect()
}

/// `gen_ai.operation.name` of an endpoint: where the conventions have a word for it, that one.
fn operation(endpoint: &str) -> &'static str {
    match endpoint {
        "/v1/chat/completions" => "chat",
        "/v1/completions" => "text_completion",
        "/v1/embeddings" => "embeddings",
        "/v1/images/generations" => "image_generation",
        "/v1/images/edits" => "image_edit",
        "/v1/images/variations" => "image_variation",
        "/v1/moderations" => "moderation",
        "/v1/rerank" => "rerank_v1",
        "/v2/rerank" => "rerank",
        _ => OTHER,
    }
}

/// Endpoints that ask no model, by what their paths hold.
const OTHERS: [(&str, &str); 10] = [
    ("/input_tokens", "/v1/chat/completions/input_tokens"),
    ("/utils/token_counter", "/utils/token_counter"),
    ("/admin/v1", "/admin/v1"),
    ("/models", "/v1/models"),
    ("/organization/", "/v1/organization"),
    ("/usage", "/v1/usage"),
    ("/auth/session", "/v1/auth/session"),
    ("/metrics", "/metrics"),
    ("/images/", "/v1/images"),
    ("/mappings", "/v1/mappings"),
];

/// The endpoint of a path: one of a small set, whatever clients ask for.
pub(super) fn endpoint_of(path: &str) -> &'static str {
    if let Some(metered) = Metered::of(path) {
        return metered.endpoint;
    }
    let found = OTHERS.iter().find(|(part, _)| path.contains(part));
    found.map_or(OTHER, |(_, endpoint)| endpoint)
}
