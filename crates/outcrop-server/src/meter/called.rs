//! One call, as far as its price needs it.

use std::sync::Arc;

use outcrop_bedrock::call::CallBody;
use outcrop_routing::ledger::Input;
use outcrop_tenants::{TokenCounts, UsageRecord};
use outcrop_translate::catalogue::{Consumption, Cost, Terms};
use outcrop_translate::resolve::Target;
use outcrop_translate::{CallSize, Catalogue};

use crate::inquiry::behind;

/// What a prompt consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prompt(pub(crate) Input);

impl Prompt {
    /// That of a call.
    pub(crate) fn of(body: &CallBody, size: CallSize) -> Self {
        let length: usize = body.pieces().iter().map(bytes::Bytes::len).sum();
        let media_chars = size.media.image_chars.saturating_add(size.media.other_chars);
        Self(Input {
            text_bytes: u64::try_from(length).unwrap_or(u64::MAX).saturating_sub(media_chars),
            images: size.media.images,
            document_bytes: size.media.other_chars / 4 * 3,
        })
    }
}

/// One call, as far as its price needs it.
#[derive(Debug)]
pub(crate) struct Called {
    /// What stands behind the name, where that is known.
    pub(crate) target: Option<Arc<Target>>,
    /// The id that Bedrock is asked by.
    pub(crate) model_id: String,
    /// The region that is asked.
    pub(crate) region: String,
    /// The account of the settings.
    pub(crate) account: Option<String>,
    pub(crate) terms: Terms,
    pub(crate) prompt: Prompt,
}

impl Called {
    /// The catalogue's name of the model, where it is known.
    pub(crate) fn base_id(&self) -> Option<&str> {
        self.target.as_deref().and_then(behind)
    }

    /// What this costs by the prices of the model; `None` where nobody knows.
    pub(crate) fn cost(&self, catalogue: &Catalogue, terms: &Terms, used: &Consumption) -> Option<Cost> {
        let target = self.target.as_deref().filter(|target| target.model_id == self.model_id);
        let tariff = match target {
            Some(target) => catalogue.tariff(target, &self.region),
            None => catalogue.tariff_of(&self.model_id, self.base_id(), &self.region),
        };
        tariff?.cost(terms, used)
    }

    /// Says in a record what was called.
    pub(super) fn describe(&self, record: &mut UsageRecord) {
        record.called_model.clone_from(&self.model_id);
        self.base_id().unwrap_or_default().clone_into(&mut record.base_model);
        record.region.clone_from(&self.region);
        self.account
            .as_deref()
            .unwrap_or_default()
            .clone_into(&mut record.account);
        self.terms.tier.name().clone_into(&mut record.tier);
    }
}

/// What was used, as it is counted.
pub(super) fn counts(used: &Consumption) -> TokenCounts {
    TokenCounts {
        input: used.input,
        output: used.output,
        cache_read: used.cache_read,
        cache_write: used.cache_write,
        cache_write_1h: used.cache_write_1h,
        reasoning: 0,
        images: used.images.count,
        searches: used.searches,
    }
}
