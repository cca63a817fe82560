//! The body of a streamed answer, whose last byte waits until all that the request leaves behind is written: what is not
//! written then may have to wait for hours, or is lost, since Lambda freezes the process between two requests.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::task::AtomicWaker;
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
    left: Arc<Left>,
}

/// Says that nobody takes an answer any more, before it is tried to pass on the next piece.
#[derive(Default)]
pub(super) struct Left {
    is_true: AtomicBool,
    waker: AtomicWaker,
}

impl Left {
    pub(super) fn set(&self) {
        self.is_true.store(true, Ordering::Release);
        self.waker.wake();
    }
}

impl Settled {
    /// The body of an answer; `until` is how long it may take to write down what it leaves behind.
    pub(super) fn new(body: Body, settler: Arc<Settler>, until: Until, span: Span, left: Arc<Left>) -> Self {
        Self {
            body: Some(body),
            held: None,
            settling: None,
            settler,
            until,
            span,
            left,
        }
    }
}

impl Settled {
    /// Nobody takes the answer any more, unless it is over.
    fn leave(&mut self) {
        if self.body.take().is_some() || self.settling.take().is_some() {
            self.settler.settle_aside(self.until);
        }
    }
}

impl Stream for Settled {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let _entered = this.span.clone().entered();
        this.left.waker.register(cx.waker());
        if this.left.is_true.load(Ordering::Acquire) {
            this.leave();
            return Poll::Ready(None);
        }
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
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};
    use outcrop_server::{KeptAnswers, Limits, Meter};

    use super::*;

    /// Notes that what a request leaves behind is made.
    struct Leaves(Arc<AtomicBool>);

    impl Drop for Leaves {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn the_last_byte_comes_after_what_the_request_leaves_behind() {
        let is_over = Arc::new(AtomicBool::new(false));
        let left = Leaves(Arc::clone(&is_over));
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<&str>();
        let pieces = stream::unfold((receiver, left), |(mut receiver, left)| async move {
            let piece = receiver.recv().await?;
            Some((Ok::<_, Infallible>(piece), (receiver, left)))
        });
        let settler = Settler::new(Meter::Off, Limits::new(None), KeptAnswers::default());
        let mut settled = Settled::new(Body::from_stream(pieces), settler, None, Span::none(), Arc::default());
        sender.send("a").unwrap();
        // A piece that may not be the last goes out at once.
        assert_eq!(settled.next().await.unwrap().unwrap(), "a");
        sender.send("b").unwrap();
        sender.send("c").unwrap();
        drop(sender);
        assert_eq!(settled.next().await.unwrap().unwrap(), "b");
        assert!(!is_over.load(Ordering::SeqCst));
        assert_eq!(settled.next().await.unwrap().unwrap(), "c");
        assert!(is_over.load(Ordering::SeqCst));
        assert!(settled.next().await.is_none());
    }
}
