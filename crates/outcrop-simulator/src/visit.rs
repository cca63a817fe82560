//! The simulator as one caller meets it.

use std::ops::Deref;
use std::time::Duration;

use crate::access::Caller;
use crate::exchange::Shared;
use crate::models::Target;
use crate::refusal::Refusal;
use crate::world::{Asked, Latency, Reservation};

/// A call that was admitted.
pub(crate) struct Visit<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) caller: Caller,
    /// How slow things are for it.
    pub(crate) latency: Latency,
}

impl Deref for Visit<'_> {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        self.shared
    }
}

impl Visit<'_> {
    /// Waits as long as an answer takes to begin.
    pub(crate) async fn wait(&self, own: Duration) {
        let all = own + self.latency.first_byte.unwrap_or_default();
        if !all.is_zero() {
            tokio::time::sleep(all).await;
        }
    }

    /// Takes what a call may need from the quotas that go for it.
    ///
    /// # Errors
    ///
    /// `ThrottlingException` where it doesn't fit.
    pub(crate) fn reserve(
        &self,
        operation: &str,
        identifier: &str,
        target: &Target,
        tokens: u64,
    ) -> Result<Option<Reservation>, Refusal> {
        let Some(model) = self.catalogue.counted_as(identifier, target) else {
            return Ok(None);
        };
        let asked = Asked {
            region: self.catalogue.region(),
            account: &self.caller.account,
            operation,
            model: &model,
        };
        self.world.quotas.reserve(asked, tokens)
    }
}
