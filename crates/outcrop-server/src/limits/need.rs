//! What a request needs of its limits, before anything is sent.

use outcrop_bedrock::call::CallBody;
use outcrop_tenants::Money;
use outcrop_tenants::limits::MostCost;
use outcrop_translate::catalogue::Ask;
use outcrop_translate::resolve::Target;
use outcrop_translate::{Billed, CallSize};

use super::{LimitHeaders, Need, problem};
use crate::exchange::Gateway;
use crate::inquiry::behind;
use crate::meter::Metered;
use crate::record::Record;
use outcrop_translate::Problem;

/// Tokens that an answer is taken to have where nothing tells.
const USUAL_OUTPUT: u64 = 1024;
/// The most tokens that a call for anything but texts reads: what is longer in its body are images.
const MOST_OF_TASK: u64 = 16_384;

/// The calls of a request.
pub(crate) struct Calls<'a> {
    /// The model, as far as it is known.
    pub(crate) target: Option<&'a Target>,
    /// The id that is asked.
    pub(crate) model_id: &'a str,
    pub(crate) size: CallSize,
    /// Their bodies, and how often each is sent.
    pub(crate) bodies: Vec<(&'a CallBody, u64)>,
    /// What they ask for besides tokens, all together.
    pub(crate) asks: Billed,
    pub(crate) is_stream: bool,
}

impl Need {
    /// What nothing is asked for: an answer that was kept.
    pub(crate) const NOTHING: Self = Self {
        input_tokens: 0,
        output_tokens: 0,
        most_cost: MostCost::Free,
        is_stream: false,
    };

    /// What the calls of a request need. Input is estimated; what it may cost has half of that on top.
    fn of(gateway: &Gateway, calls: &Calls<'_>, region: &str, metered: Option<Metered>) -> Self {
        let operation = metered.map_or("", |metered| metered.operation);
        let mut need = Self {
            is_stream: calls.is_stream,
            ..Self::NOTHING
        };
        let catalogue = &gateway.config.catalogue;
        let base_id = calls.target.and_then(behind);
        let tariff = match calls.target.filter(|target| target.model_id == calls.model_id) {
            // It knows the geography of an application inference profile.
            Some(target) => catalogue.tariff(target, region),
            None => catalogue.tariff_of(calls.model_id, base_id, region),
        };
        let mut most = Some(0_i64);
        // The first call stands for all of it.
        let mut asks = calls.asks;
        for (body, times) in &calls.bodies {
            let size = calls.size;
            let estimate = gateway
                .admission
                .estimate(catalogue, base_id, calls.model_id, body, size)
                .need;
            let read = match operation {
                "completions" => estimate.input_tokens,
                "embeddings" => estimate.input_tokens.min(MOST_OF_TASK),
                _ => 0,
            };
            let likely = match (size.max_tokens, estimate.expected_output_tokens) {
                (Some(limit), _) => limit,
                (None, 0) => estimate.output_tokens.min(USUAL_OUTPUT),
                (None, expected) => expected,
            };
            need.input_tokens = need.input_tokens.saturating_add(read.saturating_mul(*times));
            need.output_tokens = need.output_tokens.saturating_add(likely.saturating_mul(*times));
            let ask = Ask {
                input: read.saturating_add(read / 2),
                output: estimate.output_tokens,
                may_cache: operation == "completions",
                input_images: asks.input_images,
                images: asks.images.count,
                searches: asks.searches,
            };
            let cost = tariff.as_ref().and_then(|tariff| tariff.most(&size.terms, &ask));
            asks = Billed::default();
            let times = i64::try_from(*times).unwrap_or(i64::MAX);
            most = most
                .zip(cost)
                .map(|(most, cost)| most.saturating_add(cost.saturating_mul(times)));
        }
        // Where no model is asked, there is nothing to pay for by tokens.
        let is_free = metered.is_none() || calls.model_id.is_empty() || operation == "moderations";
        need.most_cost = match most {
            _ if is_free => MostCost::Free,
            Some(nanos) => MostCost::AtMost(Money::from_nanos(nanos)),
            None => MostCost::Unknown,
        };
        need
    }
}

impl Record {
    /// Lets a request through the limits of its tenant, if none is in its way. It holds on to them until it is over.
    ///
    /// # Errors
    /// 429, if one is.
    pub(crate) async fn admit(&mut self, gateway: &Gateway, calls: Option<Calls<'_>>) -> Result<(), Problem> {
        let Some(tenant) = self.tenant.clone() else {
            return Ok(());
        };
        if tenant.limits.iter().all(|scope| scope.limits.is_empty()) {
            return Ok(());
        }
        let mut need = match &calls {
            Some(calls) => Need::of(gateway, calls, &self.region, Metered::of(self.path())),
            None => Need::NOTHING,
        };
        if self.is_clients {
            need.most_cost = MostCost::Free;
        }
        match gateway.config.limits.admit(&tenant.limits, need).await {
            Ok(permit) => {
                self.limit_headers = permit.headers();
                self.permit = Some(permit);
                Ok(())
            }
            Err(refused) => {
                self.limit_headers = Some(LimitHeaders::of_refusal(&refused));
                Err(problem(&refused))
            }
        }
    }
}
