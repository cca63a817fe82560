//! The text that Prometheus reads: OpenMetrics for whoever asks for it, else Prometheus's own, older form.

use std::fmt;

use http::HeaderMap;
use http::header::ACCEPT;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::definition::{ALL, Definition, Kind};
use super::value::Histogram;

/// Media type of OpenMetrics.
pub(super) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Media type of Prometheus's own form.
pub(super) const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whether a client asks for OpenMetrics.
pub(super) fn wants_open_metrics(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("application/openmetrics-text"))
}

/// What a metric is now.
#[derive(Debug)]
pub(super) enum Sample {
    Count(u64),
    Number(f64),
    Spread {
        sum: f64,
        /// Of each bucket its upper end, and how many values are in it alone.
        buckets: Vec<(f64, u64)>,
    },
}

impl From<&Histogram> for Sample {
    fn from(histogram: &Histogram) -> Self {
        Self::Spread {
            sum: histogram.sum(),
            buckets: histogram.buckets(),
        }
    }
}

/// What all metrics are at one time.
#[derive(Debug, Default)]
pub(super) struct Page(Vec<(&'static str, Vec<String>, Sample)>);

impl Page {
    /// Adds a sample; `labels` are the values of the definition's.
    pub(super) fn add(&mut self, metric: &Definition, labels: &[String], sample: Sample) {
        debug_assert_eq!(metric.labels.len(), labels.len(), "{}", metric.name);
        self.0.push((metric.name, labels.to_vec(), sample));
    }

    pub(super) fn count(&mut self, metric: &Definition, labels: &[String], count: u64) {
        self.add(metric, labels, Sample::Count(count));
    }

    pub(super) fn number(&mut self, metric: &Definition, labels: &[String], number: f64) {
        self.add(metric, labels, Sample::Number(number));
    }

    /// As OpenMetrics.
    pub(super) fn open_metrics(self) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut out = String::new();
        text::encode(&mut out, &registry)?;
        Ok(out)
    }

    /// In Prometheus's own form: there, what describes a counter has the whole name of its sample.
    pub(super) fn prometheus(self) -> Result<String, fmt::Error> {
        let written = self.open_metrics()?;
        let mut out = String::with_capacity(written.len());
        for line in written.lines() {
            let Some(comment) = line.strip_prefix("# ") else {
                out.push_str(line);
                out.push('\n');
                continue;
            };
            let mut words = comment.splitn(3, ' ');
            let (Some(word @ ("HELP" | "TYPE")), Some(name), Some(rest)) = (words.next(), words.next(), words.next())
            else {
                continue;
            };
            let kind = ALL.iter().find(|metric| metric.name == name).map(|metric| metric.kind);
            let (ending, rest) = match kind {
                Some(Kind::Counter) => ("_total", rest),
                Some(Kind::Info) if word == "TYPE" => ("_info", "gauge"),
                Some(Kind::Info) => ("_info", rest),
                _ => ("", rest),
            };
            out.push_str(&format!("# {word} {name}{ending} {rest}\n"));
        }
        Ok(out)
    }
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for metric in ALL {
            let kind = match metric.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
                Kind::Info => MetricType::Info,
            };
            let help = format!("{}.", metric.help);
            let mut described = encoder.encode_descriptor(metric.name, &help, None, kind)?;
            for (_, values, sample) in self.0.iter().filter(|(name, ..)| *name == metric.name) {
                let values = values.iter().map(String::as_str);
                let labels: Vec<(&str, &str)> = metric.labels.iter().copied().zip(values).collect();
                if metric.kind == Kind::Info {
                    described.encode_info(&labels)?;
                    continue;
                }
                let mut encoder = described.encode_family(&labels)?;
                match (metric.kind, sample) {
                    (Kind::Counter, Sample::Count(count)) => ConstCounter::new(*count).encode(encoder)?,
                    (Kind::Counter, Sample::Number(number)) => ConstCounter::new(*number).encode(encoder)?,
                    (_, Sample::Count(count)) => ConstGauge::new(*count).encode(encoder)?,
                    (_, Sample::Number(number)) => ConstGauge::new(*number).encode(encoder)?,
                    (_, Sample::Spread { sum, buckets }) => {
                        let count = buckets.iter().map(|(_, count)| count).sum();
                        encoder.encode_histogram::<[(&str, &str); 0]>(*sum, count, buckets, None)?;
                    }
                }
            }
        }
        Ok(())
    }
}
