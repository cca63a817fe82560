//! When an answer must end, whether it is whole or not.

use futures_util::future::{BoxFuture, FutureExt as _};
use http::request::Parts;
use outcrop_translate::Problem;
use tokio::time::Instant;

use crate::error;
use crate::exchange::Gateway;

/// When the time for an answer is over, among the extensions of its request; without it, the request has all the time
/// that the settings give.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndsAt(pub(crate) Instant);

/// Comes true when an answer must end, and says why.
pub(crate) type Ending = BoxFuture<'static, Problem>;

/// The end of a request's answer.
pub(crate) fn of(gateway: &Gateway, head: &Parts) -> Ending {
    let stopping = gateway.ending.clone().cancelled_owned();
    match head.extensions.get::<EndsAt>() {
        None => stopping.map(|()| error::shutting_down()).boxed(),
        Some(&EndsAt(at)) => async move {
            tokio::select! {
                () = stopping => error::shutting_down(),
                () = tokio::time::sleep_until(at) => error::out_of_time(),
            }
        }
        .boxed(),
    }
}
