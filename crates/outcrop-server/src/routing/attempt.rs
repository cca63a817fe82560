//! One call of a request, with what it takes of quotas.

use std::sync::Arc;
use std::time::Duration;

use outcrop_bedrock::call::Call;
use outcrop_bedrock::exception::Exception;
use outcrop_routing::Flight;
use outcrop_translate::CallSize;
use outcrop_upstream::Error;

use super::Next;
use super::hold::{Missed, NoRoom, Sent};
use crate::admission::{Held, Refused, Wanted};
use crate::inquiry::{Inquiry, behind};
use crate::meter::{Called, Prompt};

impl Inquiry {
    /// Makes a call at the target that is asked now, once, if the quota has room for it.
    pub(crate) async fn attempt(&self, call: &Call, size: CallSize) -> Result<Sent, Missed> {
        let flight = match self.is_at_target() {
            true => self.course.begin().ok_or(Missed::LeftAlone)?,
            false => None,
        };
        let held = self
            .hold(call, size)
            .map_err(|no_room| Missed::NoRoom(Box::new(no_room)))?;
        self.send(call, size, held, flight).await
    }

    /// Makes a call at the target that is asked now, once, with what was taken of the quota for it.
    pub(crate) async fn attempt_held(&self, call: &Call, size: CallSize, held: Option<Held>) -> Result<Sent, Missed> {
        let flight = match self.is_at_target() {
            true => match self.course.begin() {
                Some(flight) => flight,
                None => {
                    held.into_iter().for_each(Held::release);
                    return Err(Missed::LeftAlone);
                }
            },
            false => None,
        };
        self.send(call, size, held, flight).await
    }

    async fn send(
        &self,
        call: &Call,
        size: CallSize,
        held: Option<Held>,
        flight: Option<Flight>,
    ) -> Result<Sent, Missed> {
        let called = self.called(call, size);
        self.tally.begin(&called);
        match self.course.attempt(&self.gateway.client, call, held, flight).await {
            Ok(mut sent) => {
                self.gateway.metrics.attempt(&called.region, "answered");
                sent.hold.is_of(called);
                Ok(sent)
            }
            Err(failure) => {
                self.gateway.metrics.attempt(&called.region, outcome(&failure.error));
                // What was given up may have been answered, and counts.
                if !matches!(failure.error, Error::Timeout { .. }) {
                    self.tally.failed(&called);
                }
                Err(Missed::Failed(failure))
            }
        }
    }

    /// The call, as far as its price needs it.
    fn called(&self, call: &Call, size: CallSize) -> Arc<Called> {
        let account = call.account.as_deref();
        let region = call.region.as_deref();
        Arc::new(Called {
            target: self.kept_target(),
            model_id: call.model_id.clone(),
            region: region
                .unwrap_or_else(|| self.gateway.client.region_of(account))
                .to_owned(),
            account: self.paying_account(call).map(ToOwned::to_owned),
            terms: size.terms,
            prompt: Prompt::of(&call.body, size),
        })
    }

    /// Takes of the quota what the calls for several choices need, or nothing if there isn't room for all. Fails with the
    /// choice for which there is none.
    pub(crate) fn hold_all(
        &self,
        calls: &[(usize, Call)],
        size: CallSize,
    ) -> Result<Vec<Option<Held>>, (Missed, usize)> {
        let mut all = Vec::with_capacity(calls.len());
        for (choice, call) in calls {
            match self.hold(call, size) {
                Ok(held) => all.push(held),
                Err(no_room) => {
                    all.into_iter().flatten().for_each(Held::release);
                    return Err((Missed::NoRoom(Box::new(no_room)), *choice));
                }
            }
        }
        Ok(all)
    }

    /// Makes a call here, and again after a while where that may help.
    pub(crate) async fn attempt_patiently(&self, call: &Call, size: CallSize) -> Result<Sent, Missed> {
        let mut attempts = 0;
        loop {
            let mut failure = match self.attempt(call, size).await {
                Ok(mut sent) => {
                    sent.reply.attempts += attempts;
                    return Ok(sent);
                }
                Err(Missed::Failed(failure)) => failure,
                Err(no_room) => return Err(no_room),
            };
            attempts += failure.attempts;
            failure.attempts = attempts;
            match self.course.repeats_after(&failure, attempts) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(Missed::Failed(failure)),
            }
        }
    }

    /// Takes of the quota what a call needs: what was waited for, or what is left.
    fn hold(&self, call: &Call, size: CallSize) -> Result<Option<Held>, NoRoom> {
        let gateway = &*self.gateway;
        let admission = &gateway.admission;
        // Of an account that a request brings, nothing is known, and what comes back from there teaches nothing.
        if !admission.counts() || self.brought_account().is_some() {
            return Ok(None);
        }
        let target = self.kept_target();
        let base_id = target.as_deref().and_then(behind);
        let account = call.account.as_deref();
        let region = call.region.as_deref();
        let region = region.unwrap_or_else(|| gateway.client.region_of(account));
        if gateway.config.service_quotas {
            admission.refresh(&gateway.client, &gateway.config.catalogue, account, region);
        }
        let Some(lane) = self.lane(&call.model_id, Some(region)) else {
            return Ok(None);
        };
        let catalogue = &gateway.config.catalogue;
        let estimate = admission.estimate(catalogue, base_id, &call.model_id, &call.body, size);
        let reservation = match self.take_granted(&lane) {
            Some(granted) => granted,
            None if self.course.only_waits() => {
                let need = estimate.need;
                return Err(NoRoom { lane, need });
            }
            None => match admission.try_reserve(&lane, estimate.need) {
                Ok(reservation) => reservation,
                Err(full) => {
                    tracing::debug!(
                        quota = full.quota.name(),
                        region,
                        model = call.model_id,
                        "no room for a call"
                    );
                    let need = estimate.need;
                    return Err(NoRoom { lane, need });
                }
            },
        };
        Ok(Some(Held::new(Arc::clone(admission), reservation, estimate)))
    }

    /// Waits for room at one of the targets that had none, and goes there.
    ///
    /// # Errors
    /// When there is none in time; then also what comes next.
    pub(crate) async fn queue(&mut self) -> Result<Next, (Refused, Next)> {
        let (full, until) = self.course.take_full();
        let candidates: Vec<Wanted> = full.iter().map(|(_, wanted)| wanted.clone()).collect();
        let tenant = self.tenant().to_owned();
        let admission = &self.gateway.admission;
        let granted = admission.wait_for_room(&candidates, &tenant, Some(until)).await;
        match granted {
            Ok((index, reservation)) => {
                if let Some((at, _)) = full.get(index) {
                    self.course.go_to(*at);
                }
                self.keep_granted(reservation);
                Ok(Next::Move(Duration::ZERO))
            }
            Err(refused) => Err((refused, self.course.after_queue())),
        }
    }
}

/// The word for a failure in the metrics.
fn outcome(error: &Error) -> &'static str {
    match error {
        Error::Service {
            exception: Exception::Throttling,
            ..
        } => "throttled",
        Error::Service { exception, status, .. } if *status >= 500 || exception.is_retryable() => "failed",
        Error::Service { .. } => "refused",
        Error::Timeout { .. } => "timeout",
        Error::Connect(_) => "connect",
        Error::Interrupted(_) => "interrupted",
        Error::Credentials(_) => "credentials",
        _ => "other",
    }
}
