//! The line that a request leaves in the log, written once, when the request is over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderValue, Method};
use outcrop_bedrock::converse::{Served, ServiceTier, TokenUsage};
use outcrop_routing::ledger::{Lane, RateLimits};
use outcrop_tenants::{Money, UsageRecord};
use outcrop_translate::{Billed, Untold};

use crate::exchange::Gateway;
use crate::limits::{LimitHeaders, Permit};
use crate::meter::{Bill, Called, End, Metering, Tally};
use crate::metrics::{Counted, Finished, Metrics};
use crate::response_cache::Cached;
use crate::routing::{Hold, share};
use crate::tenants::Tenant;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The answer is whole.
    Completed,
    /// The answer is, or ends with, an error.
    Failed,
}

/// What is known of a request; written to the log when it is over, at the latest when this is dropped.
#[derive(Debug)]
pub(crate) struct Record {
    request_id: HeaderValue,
    method: Method,
    path: String,
    start: Instant,
    /// Whose key it is; `None` for those of the settings.
    pub(crate) tenant: Option<Arc<Tenant>>,
    /// HTTP status; 0 while there is none.
    pub(crate) status: u16,
    /// Model id that is asked.
    pub(crate) model: String,
    /// The region that is asked.
    pub(crate) region: String,
    /// Which of Bedrock's APIs is asked; empty while that isn't known.
    pub(crate) route: &'static str,
    /// Whether the request brings AWS credentials of its own, or says whose are used.
    pub(crate) brings_account: bool,
    /// Whether the client pays AWS itself.
    pub(crate) is_clients: bool,
    /// Whether the answer is streamed.
    pub(crate) is_stream: bool,
    /// What was adapted.
    pub(crate) adapted: String,
    /// `x-amzn-requestid` of each call.
    pub(crate) aws_request_id: String,
    /// Tries of all calls.
    pub(crate) attempts: u32,
    /// Tokens of all calls.
    pub(crate) usage: TokenUsage,
    /// Tokens of each call, where there are several: what a token costs may depend on how much its call has read.
    of_each: Vec<TokenUsage>,
    /// What is paid for besides tokens.
    pub(crate) billed: Billed,
    /// How the calls were served, as the headers of the answers tell.
    pub(crate) served: Served,
    /// Whether another body was asked than was planned at first.
    pub(crate) is_changed: bool,
    /// Whether a call was left before it told its tokens, so that AWS counts more than `usage`.
    pub(crate) is_usage_partial: bool,
    /// Tokens of answers that were thrown away, as far as they are among `usage`.
    pub(crate) told_spent: TokenUsage,
    /// What has come of choices whose tokens Bedrock has not told.
    pub(crate) untold: Untold,
    /// Whether Bedrock has answered.
    pub(crate) is_answered: bool,
    /// The call that the answer is of.
    called: Option<Arc<Called>>,
    /// What tells the cost; `None` while no model is asked.
    metering: Option<Metering>,
    /// What calls hold as long as their answer is read.
    holds: Vec<Hold>,
    /// What it holds of its tenant's limits.
    pub(crate) permit: Option<Permit>,
    /// What is told of these limits.
    pub(crate) limit_headers: Option<Box<LimitHeaders>>,
    /// Where the calls count that the answer, or the error, is of.
    pub(crate) lane: Option<Arc<Lane>>,
    /// Whether the answer was given before, where one was looked for.
    pub(crate) cache: Option<Cached>,
    /// Seconds until the first byte of the answer's body was there.
    first_byte_seconds: Option<f64>,
    /// `None` until the request ends by itself: if it never does, the client left.
    outcome: Option<Ending>,
    error: Option<String>,
    /// The code of the error that the client was told.
    pub(crate) error_code: Option<&'static str>,
    /// Where it is counted, and what counts it as one that isn't over.
    counted: Option<(Arc<Metrics>, Counted)>,
    is_finished: bool,
}

impl Record {
    pub(crate) fn new(request_id: HeaderValue, method: Method, path: &str, start: Instant) -> Self {
        Self {
            request_id,
            method,
            path: path.to_owned(),
            start,
            tenant: None,
            status: 0,
            model: String::new(),
            region: String::new(),
            route: "",
            brings_account: false,
            is_clients: false,
            is_stream: false,
            adapted: String::new(),
            aws_request_id: String::new(),
            attempts: 0,
            usage: TokenUsage::default(),
            of_each: Vec::new(),
            billed: Billed::default(),
            served: Served::default(),
            is_changed: false,
            is_usage_partial: false,
            told_spent: TokenUsage::default(),
            untold: Untold::default(),
            is_answered: false,
            called: None,
            metering: None,
            holds: Vec::new(),
            permit: None,
            limit_headers: None,
            lane: None,
            cache: None,
            first_byte_seconds: None,
            outcome: None,
            error: None,
            error_code: None,
            counted: None,
            is_finished: false,
        }
    }

    /// The same, counted by `metrics`.
    pub(crate) fn counted_by(mut self, metrics: &Arc<Metrics>) -> Self {
        self.counted = Some((Arc::clone(metrics), metrics.request()));
        self
    }

    /// The usage of all calls, and how they were served: the answers tell, or else their headers.
    pub(crate) fn billed_usage(&self) -> TokenUsage {
        let mut usage = self.usage;
        if usage.served == Served::default() {
            usage.served = self.served;
        }
        usage
    }

    /// Notes the tokens of each call.
    pub(crate) fn note_usages(&mut self, usages: Vec<TokenUsage>) {
        self.usage = usages.iter().copied().fold(TokenUsage::default(), TokenUsage::plus);
        self.of_each = if usages.len() > 1 { usages } else { Vec::new() };
    }

    /// A byte of the answer's body is there. Whether it isn't the first.
    pub(crate) fn first_byte(&mut self) -> bool {
        let is_further = self.first_byte_seconds.is_some();
        if !is_further {
            self.first_byte_seconds = Some(self.start.elapsed().as_secs_f64());
        }
        is_further
    }

    /// From here on the request asks a model, and leaves a record of usage. One that a limit stops comes never so far.
    pub(crate) fn meter(&mut self, gateway: &Arc<Gateway>, tally: &Arc<Tally>) {
        tally.let_through();
        self.metering = Metering::new(gateway, tally, &self.path);
    }

    /// Bedrock has answered; takes what calls hold, until the request is over.
    pub(crate) fn hold(&mut self, holds: Vec<Hold>) {
        self.is_answered = true;
        if let Some(metering) = &self.metering {
            metering.answered(holds.iter().filter_map(Hold::called));
        }
        self.called = holds.first().and_then(Hold::called).map(Arc::clone);
        if let Some(lane) = holds.first().and_then(Hold::lane) {
            self.lane = Some(Arc::clone(lane));
        }
        self.holds.extend(holds);
    }

    /// The path of the request.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The quotas of the model that was asked, as far as they are known, and the tenant's own limits: of each the one with
    /// less left.
    pub(crate) fn rate_limits(&self) -> Option<RateLimits> {
        let quotas = self.lane.as_ref().and_then(|lane| lane.snapshot(Instant::now()));
        match &self.limit_headers {
            Some(own) => Some(own.rates_with(quotas)),
            None => quotas,
        }
    }

    /// Bedrock has failed in the middle of its answer.
    pub(crate) fn break_off(&mut self) {
        for hold in &mut self.holds {
            hold.broke_off(Instant::now());
        }
    }

    /// The request ended well.
    pub(crate) fn complete(&mut self) {
        self.outcome = Some(Ending::Completed);
    }

    /// The request failed; `error` is for operators, not for the client.
    pub(crate) fn fail(&mut self, error: impl Into<String>) {
        self.outcome = Some(Ending::Failed);
        self.error = Some(error.into());
    }

    /// How the request ends, for what it costs.
    fn end(&self) -> End<'_> {
        End {
            called: self.called.as_ref(),
            is_answered: self.is_answered,
            usage: self.billed_usage(),
            of_each: &self.of_each,
            told_spent: self.told_spent,
            billed: self.billed,
            untold: self.untold,
        }
    }

    /// What the record knows for the record of usage.
    fn usage_record(&self, outcome: &str) -> UsageRecord {
        let tenant = self.tenant.as_deref();
        let milliseconds =
            |seconds: f64| Duration::try_from_secs_f64(seconds).map_or(0, |time| time.as_millis() as u64);
        UsageRecord {
            request_id: self.request_id.to_str().unwrap_or_default().to_owned(),
            aws_request_id: self.aws_request_id.clone(),
            called_model: self.model.clone(),
            region: self.region.clone(),
            route: self.route.to_owned(),
            is_stream: self.is_stream,
            status: self.status,
            outcome: outcome.to_owned(),
            error_type: self.error_code.unwrap_or_default().to_owned(),
            attempts: self.attempts,
            is_cache_hit: self.cache == Some(Cached::Hit),
            first_byte_ms: self.first_byte_seconds.map(milliseconds),
            duration_ms: milliseconds(self.start.elapsed().as_secs_f64()),
            organization_id: tenant.map(|tenant| tenant.organization.id.clone()),
            project_id: tenant.map(|tenant| tenant.project.id.clone()),
            key_id: tenant.map(|tenant| tenant.credential.id.clone()),
            user: tenant
                .and_then(|tenant| tenant.credential.user.clone())
                .unwrap_or_default(),
            metadata: tenant.map_or_else(BTreeMap::new, |tenant| tenant.metadata.iter().cloned().collect()),
            ..UsageRecord::default()
        }
    }
}

/// The tokens and the cost of a request; `None` if nobody was asked.
fn settled(bill: Option<&Bill>, is_made: bool) -> Option<(u64, Money)> {
    let Some(bill) = bill else {
        return is_made.then_some((0, Money::ZERO));
    };
    let tokens = bill.tokens.all_input().saturating_add(bill.tokens.output);
    (is_made || !bill.tokens.is_nothing()).then_some((tokens, bill.known_cost))
}

impl Drop for Record {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Record {
    /// The request is over, and its answer known but for bytes that are written already: settles what it holds, and leaves
    /// behind what is told of it. Whoever serves from a process that is frozen between requests must have it done before
    /// the last bytes leave. Done once, whoever asks.
    pub(crate) fn finish(&mut self) {
        if std::mem::replace(&mut self.is_finished, true) {
            return;
        }
        let metering = self.metering.take();
        let bill = metering.as_ref().map(|metering| metering.bill(&self.end()));
        // Of an answer that broke off, nobody knows what it cost.
        if self.outcome == Some(Ending::Completed) && !self.is_usage_partial {
            let share = share(self.usage, self.holds.len());
            for hold in self.holds.drain(..) {
                hold.settle(share);
            }
        }
        let usage = self.billed_usage();
        let outcome = match self.outcome {
            Some(Ending::Completed) => "completed",
            Some(Ending::Failed) => "failed",
            None => "client_left",
        };
        let counted = self.counted.take();
        let left = metering.zip(bill.as_ref()).map(|(metering, bill)| {
            let is_model_known = metering.is_known(&self.model, &self.region);
            let left = metering.leave(bill, &self.end(), self.usage_record(outcome));
            (left, is_model_known)
        });
        if let Some((metrics, _)) = &counted {
            metrics.finish(&Finished {
                request_id: self.request_id.to_str().unwrap_or_default(),
                path: &self.path,
                status: self.status,
                outcome,
                error_code: self.error_code,
                is_stream: self.is_stream,
                seconds: self.start.elapsed().as_secs_f64(),
                first_byte_seconds: self.first_byte_seconds,
                cache: self.cache,
                tenant: self.tenant.as_deref(),
                is_model_known: self.is_answered || left.as_ref().is_some_and(|(_, is_known)| *is_known),
                usage: left.as_ref().map(|(left, _)| &left.record),
            });
        }
        if let Some((left, _)) = left {
            left.hand_over();
        }
        // What it cost is on its way to the database by now. A request for which Bedrock wasn't asked comes back whole.
        let is_made = self.attempts > 0 || self.cache == Some(Cached::Hit);
        if let Some(permit) = self.permit.take()
            && let Some((tokens, cost)) = settled(bill.as_ref(), is_made)
        {
            permit.settle(tokens, if self.is_clients { Money::ZERO } else { cost });
        }
        let cost = bill.and_then(|bill| bill.cost).map(Money::dollars);
        let tenant = self.tenant.as_deref();
        let is_our_failure = self.outcome == Some(Ending::Failed) && (self.status >= 500 || self.status == 200);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    request_id = self.request_id.to_str().unwrap_or_default(),
                    method = self.method.as_str(),
                    path = self.path,
                    status = self.status,
                    outcome,
                    model = self.model,
                    route = self.route,
                    // Only where it is so.
                    region = (!self.region.is_empty()).then_some(self.region.as_str()),
                    stream = self.is_stream,
                    input_tokens = self.usage.prompt_tokens(),
                    output_tokens = self.usage.output_tokens,
                    images = (self.billed.images.count > 0).then_some(self.billed.images.count),
                    // Only where it isn't the usual one.
                    service_tier = (usage.served.tier != ServiceTier::Default).then(|| usage.served.tier.name()),
                    // Only where it is so: a member of its own in few lines.
                    usage_partial = self.is_usage_partial.then_some(true),
                    cache_hit = self.cache.map(|cached| cached == Cached::Hit),
                    attempts = self.attempts,
                    duration_seconds = self.start.elapsed().as_secs_f64(),
                    first_byte_seconds = self.first_byte_seconds,
                    aws_request_id = self.aws_request_id,
                    organization = tenant.map(|tenant| tenant.organization.name.as_str()),
                    project = tenant.map(|tenant| tenant.project.name.as_str()),
                    key = tenant.map(|tenant| tenant.credential.name.as_str()),
                    cost_usd = cost,
                    adapted = self.adapted,
                    error = self.error,
                    "request"
                )
            };
        }
        if is_our_failure {
            line!(warn);
        } else {
            line!(info);
        }
    }
}
