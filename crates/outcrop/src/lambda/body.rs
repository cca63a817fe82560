//! The body of a streamed answer, whose last byte waits until all that the request leaves behind is written: what is not
//! written then may have to wait for hours, or is lost, since Lambda freezes the process between two requests.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use http_body::Body as _;
use outcrop_server::Body;
use tracing::Span;

use super::settle::{Settler, Until};

/// The body of a streamed answer.
pub(super) struct Settled {
    /// `None` once it is over.
    body: Option<Body>,
    /// What came last, while nobody knows whether it is the end.
    held: Option<Bytes>,
    settling: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    settler: Arc<Settler>,
    until: Until,
    span: Span,
}

impl Settled {
    /// The body of an answer; `until` is how long it may take to write down what it leaves behind.
    pub(super) fn new(body: Body, settler: Arc<Settler>, until: Until, span: Span) -> Self {
        Self {
            body: Some(body),
            held: None,
            settling: None,
            settler,
            until,
            span,
        }
    }
}

impl Stream for Settled {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let _entered = this.span.clone().entered();
        while let Some(body) = &mut this.body {
            match Pin::new(body).poll_frame(cx) {
                Poll::Pending => {
                    // There is more to come, but not now.
                    return this
                        .held
                        .take()
                        .map_or(Poll::Pending, |held| Poll::Ready(Some(Ok(held))));
                }
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if let Some(held) = this.held.replace(data) {
                        return Poll::Ready(Some(Ok(held)));
                    }
                }
                Poll::Ready(Some(Err(_)) | None) => {
                    // What the request leaves behind is made here.
                    this.body = None;
                    this.settling = Some(Box::pin(Arc::clone(&this.settler).settle(this.until)));
                }
            }
        }
        if let Some(settling) = &mut this.settling {
            ready!(settling.as_mut().poll(cx));
            this.settling = None;
        }
        Poll::Ready(this.held.take().map(Ok))
    }
}

impl Drop for Settled {
    fn drop(&mut self) {
        let _entered = self.span.clone().entered();
        if self.body.take().is_some() || self.settling.is_some() {
            // Nobody takes the answer any more.
            self.settler.settle_aside(self.until);
        }
    }
}
