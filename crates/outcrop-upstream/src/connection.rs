//! Connections, and whether they have served before.

use std::io::{Error, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::Extensions;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

/// Whether a connection has brought an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Served(Arc<AtomicBool>);

impl Served {
    /// It has brought the answer to which these belong.
    pub(crate) fn note(extensions: &Extensions) {
        if let Some(Self(served)) = extensions.get() {
            served.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a request went over a connection that has brought an answer to another one, and none now. What is shared
    /// by many calls at a time doesn't count: it breaks in other ways.
    pub(crate) fn is_true_of(connected: &Connected) -> bool {
        if connected.is_negotiated_h2() {
            return false;
        }
        let mut extensions = Extensions::new();
        connected.get_extras(&mut extensions);
        extensions
            .get()
            .is_some_and(|Self(served)| served.load(Ordering::Relaxed))
    }
}

/// A connection that knows whether it has served.
pub(crate) struct Marked<T> {
    inner: T,
    served: Served,
}

impl<T> Marked<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            served: Served::default(),
        }
    }
}

impl<T: Connection> Connection for Marked<T> {
    fn connected(&self) -> Connected {
        self.inner.connected().extra(self.served.clone())
    }
}

impl<T: Read + Unpin> Read for Marked<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<T: Write + Unpin> Write for Marked<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<Result<usize, Error>> {
        Pin::new(&mut self.inner).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, buffers)
    }
}
