//! CloudWatch's embedded metric format: JSON lines on stdout, of which CloudWatch Logs makes metrics, and of which Logs
//! Insights tells who used what.
//!
//! A request leaves one line, written by [`Metrics::finish`](super::Metrics::finish), which its record calls when the
//! request is over: before the response is returned, if the answer is a whole one, and before the body gives its last
//! bytes, if it is a stream (`Record::finish`; a client that leaves has it done by dropping the body). It is written at
//! once and in one call to the system, so a process that is frozen after the last byte has lost nothing, and nobody has
//! to flush anything. Whatever serves requests in another way, such as a Lambda function, needs to do no more than to
//! build the server with `Config::emf` set, and to read bodies to their end or drop them.
//!
//! Where a process stays, [`Server::serve`](crate::Server::serve) writes a line with gauges each minute besides.
//!
//! No line has a prompt, an answer or a key. A document has at most 100 metrics, 30 dimensions in a set and 1 MB; ours
//! have nine, two and a few kilobytes.

use std::io::Write as _;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::series::Finished;
use super::value::{Bounded, Counter};
use super::{MAX_SERIES, OTHER};
use outcrop_tenants::{Money, UsageRecord};

/// The longest value of a dimension, in characters.
const MAX_DIMENSION: usize = 250;
/// What stands where there is no model: the request was refused before one was asked.
const NONE: &str = "none";

/// Settings of these lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmfConfig {
    /// The namespace of the metrics.
    pub namespace: String,
}

/// Writes the lines.
#[derive(Debug)]
pub(crate) struct Emf {
    namespace: String,
    /// Each value of a dimension is a metric that is paid for, so there is an end to them.
    models: Bounded<Counter>,
    projects: Bounded<Counter>,
}

impl Emf {
    pub(super) fn new(config: EmfConfig) -> Self {
        Self {
            namespace: config.namespace,
            models: Bounded::new(MAX_SERIES),
            projects: Bounded::new(MAX_SERIES),
        }
    }

    /// Writes the line of a request that is over.
    pub(super) fn write(&self, finished: &Finished<'_>) {
        write(&self.line(finished, since_1970()));
    }

    /// Writes the line with what is open now.
    pub(super) fn write_gauges(&self, open_streams: i64, in_flight: i64) {
        write(&self.gauges(open_streams, in_flight, since_1970()));
    }

    /// What is open now. It has no dimension, so that the average over instances is that of one of them.
    fn gauges(&self, open_streams: i64, in_flight: i64, now: u64) -> Value {
        let metrics = [("OpenStreams", "Count"), ("InFlight", "Count")];
        let mut line = self.document(&metrics, &json!([[]]), now);
        line.insert("OpenStreams".to_owned(), open_streams.into());
        line.insert("InFlight".to_owned(), in_flight.into());
        line.into()
    }

    fn line(&self, finished: &Finished<'_>, now: u64) -> Value {
        let nothing = UsageRecord::default();
        let usage = finished.usage.unwrap_or(&nothing);
        let mut dimensions = vec![json!(["Model"])];
        if finished.tenant.is_some() {
            dimensions.push(json!(["Organization", "Project"]));
        }
        let mut metrics = vec![
            ("Requests", "Count"),
            ("Errors", "Count"),
            ("Duration", "Milliseconds"),
            ("InputTokens", "Count"),
            ("OutputTokens", "Count"),
            ("CacheReadTokens", "Count"),
            ("CacheWriteTokens", "Count"),
        ];
        // No price is not the same as for nothing.
        let cost = match finished.usage {
            Some(usage) => usage.cost,
            None => Some(Money::ZERO),
        };
        let first_token = finished.first_byte_seconds.filter(|_| finished.is_stream);
        metrics.extend(cost.map(|_| ("Cost", "None")));
        metrics.extend(first_token.map(|_| ("TimeToFirstToken", "Milliseconds")));
        let mut line = self.document(&metrics, &dimensions.into(), now);
        let mut put = |name: &str, value: Value| drop(line.insert(name.to_owned(), value));
        put("Model", self.model(finished, usage).into());
        if let Some(tenant) = finished.tenant {
            let names = [&*tenant.organization.name, &*tenant.project.name].map(dimension);
            let [organization, project] = names.each_ref().map(String::as_str);
            let series = self.projects.of(&[organization, project], &[OTHER, OTHER], true);
            for (name, value) in ["Organization", "Project"].into_iter().zip(&series.labels) {
                put(name, value.as_str().into());
            }
        }
        let tokens = &usage.tokens;
        put("Requests", 1.into());
        put("Errors", u64::from(finished.outcome == "failed").into());
        put("Duration", milliseconds(finished.seconds));
        put("InputTokens", tokens.input.into());
        put("OutputTokens", tokens.output.into());
        put("CacheReadTokens", tokens.cache_read.into());
        put(
            "CacheWriteTokens",
            tokens.cache_write.saturating_add(tokens.cache_write_1h).into(),
        );
        if let Some(cost) = cost {
            put("Cost", cost.dollars().into());
        }
        if let Some(first_token) = first_token {
            put("TimeToFirstToken", milliseconds(first_token));
        }
        properties(finished, usage, put);
        line.into()
    }

    /// The model as a dimension.
    fn model(&self, finished: &Finished<'_>, usage: &UsageRecord) -> String {
        if usage.called_model.is_empty() {
            return NONE.to_owned();
        }
        let model = dimension(&usage.called_model);
        let series = self.models.of(&[&model], &[OTHER], finished.is_model_known);
        series.labels.concat()
    }

    /// A document with its metrics declared.
    fn document(&self, metrics: &[(&str, &str)], dimensions: &Value, now: u64) -> Map<String, Value> {
        let metrics = metrics.iter().map(|(name, unit)| json!({"Name": name, "Unit": unit}));
        let declared = json!({
            "Timestamp": now,
            "CloudWatchMetrics": [{
                "Namespace": self.namespace,
                "Dimensions": dimensions,
                "Metrics": metrics.collect::<Vec<_>>(),
            }],
        });
        Map::from_iter([("_aws".to_owned(), declared)])
    }
}

/// What is no metric, but can be searched for. What isn't known isn't there.
fn properties(finished: &Finished<'_>, usage: &UsageRecord, mut put: impl FnMut(&str, Value)) {
    let mut text = |name: &str, value: &str| {
        if !value.is_empty() {
            put(name, value.into());
        }
    };
    text("RequestId", finished.request_id);
    text("AwsRequestId", &usage.aws_request_id);
    text("Endpoint", super::series::endpoint_of(finished.path));
    text("Outcome", finished.outcome);
    text("ErrorCode", finished.error_code.unwrap_or_default());
    text("AskedModel", &usage.model);
    text("CalledModel", &usage.called_model);
    text("BaseModel", &usage.base_model);
    text("Region", &usage.region);
    text("Account", &usage.account);
    text("Api", &usage.route);
    text("Tier", &usage.tier);
    text("User", &usage.user);
    if let Some(tenant) = finished.tenant {
        text("OrganizationId", &tenant.organization.id);
        text("ProjectId", &tenant.project.id);
        text("KeyId", &tenant.credential.id);
        text("KeyName", &tenant.credential.name);
    }
    put("Status", finished.status.into());
    put("Stream", finished.is_stream.into());
    put("Attempts", usage.attempts.into());
    put("CacheHit", usage.is_cache_hit.into());
    if usage.tokens.reasoning > 0 {
        put("ReasoningTokens", usage.tokens.reasoning.into());
    }
    if usage.tokens.images > 0 {
        put("Images", usage.tokens.images.into());
    }
}

/// A text as CloudWatch takes it for the value of a dimension: of ASCII's letters and signs, not empty, and not beginning
/// with a colon.
fn dimension(text: &str) -> String {
    let text = text.trim().trim_start_matches(':');
    let plain = text.chars().take(MAX_DIMENSION);
    let plain = plain.map(|character| match character {
        ' '..='~' => character,
        _ => '?',
    });
    let plain: String = plain.collect();
    match plain.trim().is_empty() {
        true => NONE.to_owned(),
        false => plain,
    }
}

fn milliseconds(seconds: f64) -> Value {
    // Finer than a microsecond is noise.
    json!((seconds * 1e6).round() / 1e3)
}

fn since_1970() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A line is one call to the system, and on its way when this returns.
fn write(line: &Value) {
    let mut bytes = line.to_string().into_bytes();
    bytes.push(b'\n');
    let mut out = std::io::stdout().lock();
    let written = out.write_all(&bytes).and_then(|()| out.flush());
    if let Err(error) = written {
        tracing::warn!(%error, "a line of metrics could not be written to stdout");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use outcrop_tenants::TokenCounts;

    fn emf() -> Emf {
        Emf::new(EmfConfig {
            namespace: "Outcrop".to_owned(),
        })
    }

    fn usage(model: &str) -> UsageRecord {
        UsageRecord {
            called_model: model.to_owned(),
            model: "asked".to_owned(),
            user: "ada".to_owned(),
            tokens: TokenCounts {
                input: 10,
                output: 5,
                cache_read: 3,
                cache_write: 2,
                cache_write_1h: 1,
                ..TokenCounts::default()
            },
            cost: Some(Money::from_nanos(1500)),
            ..UsageRecord::default()
        }
    }

    fn finished(usage: Option<&UsageRecord>) -> Finished<'_> {
        Finished {
            request_id: "req-1",
            path: "/v1/chat/completions",
            status: 200,
            outcome: "completed",
            error_code: None,
            is_stream: true,
            seconds: 1.25,
            first_byte_seconds: Some(0.5),
            cache: None,
            tenant: None,
            is_model_known: true,
            usage,
        }
    }

    /// What the specification asks of a document.
    fn check(line: &Value) {
        let text = line.to_string();
        assert!(text.len() < 1_000_000 && !text.contains('\n'));
        let declared = &line["_aws"];
        assert!(declared["Timestamp"].is_u64());
        for directive in declared["CloudWatchMetrics"].as_array().unwrap() {
            assert!(directive["Namespace"].is_string());
            for set in directive["Dimensions"].as_array().unwrap() {
                let set = set.as_array().unwrap();
                assert!(set.len() <= 30);
                for name in set {
                    let value = line[name.as_str().unwrap()].as_str().unwrap();
                    let is_plain = value.chars().all(|character| (' '..='~').contains(&character));
                    assert!(is_plain && !value.trim().is_empty() && value.len() <= 1024, "{value}");
                }
            }
            let metrics = directive["Metrics"].as_array().unwrap();
            assert!((1..=100).contains(&metrics.len()));
            for metric in metrics {
                assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
                let units = ["Count", "Milliseconds", "None"];
                assert!(units.contains(&metric["Unit"].as_str().unwrap()));
            }
        }
    }

    #[test]
    fn a_request_is_a_document_of_the_format() {
        let usage = usage("amazon.nova-pro-v1:0");
        let line = emf().line(&finished(Some(&usage)), 1_700_000_000_000);
        check(&line);
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(declared["Namespace"], "Outcrop");
        assert_eq!(declared["Dimensions"], json!([["Model"]]));
        for (name, value) in [
            ("Model", json!("amazon.nova-pro-v1:0")),
            ("Requests", json!(1)),
            ("Errors", json!(0)),
            ("InputTokens", json!(10)),
            ("OutputTokens", json!(5)),
            ("CacheReadTokens", json!(3)),
            ("CacheWriteTokens", json!(3)),
            ("Cost", json!(1.5e-6)),
            ("Duration", json!(1250.0)),
            ("TimeToFirstToken", json!(500.0)),
            ("User", json!("ada")),
            ("AskedModel", json!("asked")),
            ("RequestId", json!("req-1")),
        ] {
            assert_eq!(line[name], value, "{name}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_declared() {
        let mut usage = usage("amazon.nova-pro-v1:0");
        usage.cost = None;
        let line = emf().line(
            &Finished {
                is_stream: false,
                ..finished(Some(&usage))
            },
            1,
        );
        check(&line);
        let declared = line["_aws"].to_string();
        assert!(
            !declared.contains("Cost") && !declared.contains("TimeToFirstToken"),
            "{declared}"
        );
    }

    #[test]
    fn a_request_that_was_refused_has_no_model() {
        let line = emf().line(
            &Finished {
                status: 401,
                outcome: "failed",
                error_code: Some("invalid_api_key"),
                ..finished(None)
            },
            1,
        );
        check(&line);
        assert_eq!(
            [&line["Model"], &line["ErrorCode"]],
            [&json!("none"), &json!("invalid_api_key")]
        );
        assert_eq!([&line["Errors"], &line["Status"]], [&json!(1), &json!(401)]);
    }

    #[test]
    fn there_is_an_end_to_dimensions() {
        let emf = emf();
        let mut models = std::collections::BTreeSet::new();
        for number in 0..1000 {
            let usage = usage(&format!("amazon.model-{number}"));
            let line = emf.line(&finished(Some(&usage)), 1);
            assert_eq!(line["CalledModel"], format!("amazon.model-{number}"));
            models.insert(line["Model"].as_str().unwrap().to_owned());
        }
        assert_eq!(models.len(), MAX_SERIES + 1);
        assert!(models.contains(OTHER));
    }

    #[test]
    fn dimensions_are_what_cloudwatch_takes() {
        assert_eq!(dimension("a b"), "a b");
        assert_eq!(dimension("Größe"), "Gr??e");
        assert_eq!(dimension(":a"), "a");
        assert_eq!(dimension(" \t"), "none");
        assert_eq!(dimension(&"x".repeat(2000)).len(), MAX_DIMENSION);
    }

    #[test]
    fn gauges_have_no_dimension() {
        let line = emf().gauges(3, 4, 1);
        check(&line);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
        assert_eq!([&line["OpenStreams"], &line["InFlight"]], [&json!(3), &json!(4)]);
    }
}
