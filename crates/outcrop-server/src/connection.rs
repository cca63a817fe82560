//! A client's connection, with the limits that hyper does not have.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use crate::config::Config;
use crate::framing::Framing;

/// Time for an answer that has ended with an error to be taken.
const GRACE: Duration = Duration::from_secs(2);

/// What is known of a connection's requests before hyper has read them.
#[derive(Debug)]
pub(crate) struct Ambiguity(AtomicU64);

impl Ambiguity {
    fn new() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }

    /// Whether the request numbered `request`, from 0, must not be trusted to have the length that hyper took.
    pub(crate) fn concerns(&self, request: u64) -> bool {
        request >= self.0.load(Ordering::Relaxed)
    }
}

/// A connection that watches its requests on their way in.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    framing: Framing,
    ambiguity: Arc<Ambiguity>,
    header_timeout: Duration,
    send_timeout: Duration,
    answer_timeout: Duration,
    /// When the client last sent something: the answer that is being written belongs to that.
    last_read: Instant,
    /// Set while a head has begun and not ended.
    head_deadline: Option<Pin<Box<Sleep>>>,
    /// Set while the client takes nothing of what is there for it.
    send_deadline: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, config: &Config) -> Self {
        Self {
            stream,
            framing: Framing::default(),
            ambiguity: Arc::new(Ambiguity::new()),
            header_timeout: config.header_timeout,
            send_timeout: config.send_timeout,
            answer_timeout: config.answer_timeout,
            last_read: Instant::now(),
            head_deadline: None,
            send_deadline: None,
        }
    }

    pub(crate) fn ambiguity(&self) -> Arc<Ambiguity> {
        Arc::clone(&self.ambiguity)
    }

    fn observe(&mut self, bytes: &[u8]) {
        if let Some(request) = self.framing.observe(bytes) {
            self.ambiguity.0.store(request, Ordering::Relaxed);
        }
        if !self.framing.is_in_head() {
            self.head_deadline = None;
        } else if self.head_deadline.is_none() {
            self.head_deadline = Some(Box::pin(tokio::time::sleep_until(Instant::now() + self.header_timeout)));
        }
    }
}

impl Connection {
    /// The outcome of a write, or an error if the client has taken nothing for too long. hyper asks the body of an
    /// answer for more only when what it has is written, so nobody else would notice.
    fn watch_write(&mut self, written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.send_deadline = None;
            return written;
        }
        // A client that takes a little now and then doesn't get more time than the answer as a whole has. Others are
        // told before: the body of the answer looks at the same limit when it is asked for more.
        let answer_ends = self.last_read + self.answer_timeout + GRACE;
        let ends = answer_ends.min(Instant::now() + self.send_timeout);
        let deadline = self
            .send_deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(ends)));
        deadline
            .as_mut()
            .poll(cx)
            .map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads nothing")))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let filled = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        match read {
            Poll::Ready(Ok(())) => {
                self.last_read = Instant::now();
                self.observe(&buf.filled()[filled..]);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => match &mut self.head_deadline {
                Some(deadline) => deadline.as_mut().poll(cx).map(|()| {
                    Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "the head of a request took too long",
                    ))
                }),
                None => Poll::Pending,
            },
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch_write(written, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch_write(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
