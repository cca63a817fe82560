//! What a request may take of quotas, and for whom.

use std::sync::{Arc, PoisonError};

use outcrop_routing::ledger::{Lane, Reservation};
use outcrop_translate::resolve::Target;

use super::Inquiry;
use crate::admission::Asked;

impl Inquiry {
    /// Where calls of a model count that are made at the target that is asked now.
    pub(crate) fn lane(&self, model_id: &str, region: Option<&str>) -> Option<Arc<Lane>> {
        let admission = &self.gateway.admission;
        let login = self.caller.login.as_ref();
        if !admission.counts() || (self.brought_account().is_some() && !login.is_some_and(|login| login.is_tenants)) {
            return None;
        }
        let target = self.kept_target();
        let of_target = self.course.target().and_then(|target| target.account.as_deref());
        let account = match self.caller.tenant.as_deref().filter(|_| login.is_some()) {
            // A role takes of the quotas of an account, as far as is known of the one that assumes it.
            Some(tenant) => tenant.account.as_deref(),
            None => of_target,
        };
        admission.lane(Asked {
            account,
            region: region.unwrap_or_else(|| self.gateway.client.region_of(account)),
            called: model_id,
            base_id: target.as_deref().and_then(behind),
        })
    }

    /// Who asks, as the queue is fair between them.
    pub(crate) fn tenant(&self) -> &str {
        self.caller.key.as_deref().unwrap_or_default()
    }

    /// The model that is meant.
    pub(crate) fn kept_target(&self) -> Option<Arc<Target>> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what was waited for, for the next call.
    pub(crate) fn keep_granted(&self, reservation: Reservation) {
        *self.granted.lock().unwrap_or_else(PoisonError::into_inner) = Granted(Some(reservation));
    }

    /// Whether something was waited for that no call has taken yet.
    pub(crate) fn has_granted(&self) -> bool {
        let granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        granted.0.is_some()
    }

    /// What was waited for, if it is of this lane.
    pub(crate) fn take_granted(&self, lane: &Arc<Lane>) -> Option<Reservation> {
        let mut granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_its = |reservation: &Reservation| reservation.lane().is_some_and(|its| Arc::ptr_eq(its, lane));
        granted.0.take_if(|reservation| is_its(reservation))
    }
}

/// The catalogue's name for what is really behind a name, where it is known.
pub(crate) fn behind(target: &Target) -> Option<&str> {
    target.behind.as_deref().or(target.base_id.as_deref())
}

/// Room for a call that is yet to be made. If it never is, the room comes back.
#[derive(Debug, Default)]
pub(super) struct Granted(Option<Reservation>);

impl Drop for Granted {
    fn drop(&mut self) {
        if let Some(reservation) = self.0.take() {
            reservation.release();
        }
    }
}
