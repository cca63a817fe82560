//! The body of a request as hyper takes it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use outcrop_bedrock::call::CallBody;

/// The pieces of a call's body, of known length; they are sent as they are, without being joined.
#[derive(Clone, Debug)]
pub(crate) struct PiecesBody {
    pieces: std::vec::IntoIter<Bytes>,
    left: u64,
}

impl PiecesBody {
    pub(crate) fn new(body: &CallBody) -> Self {
        let pieces: Vec<Bytes> = body
            .pieces()
            .iter()
            .filter(|piece| !piece.is_empty())
            .cloned()
            .collect();
        Self {
            left: pieces.iter().map(|piece| piece.len() as u64).sum(),
            pieces: pieces.into_iter(),
        }
    }
}

impl Body for PiecesBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.pieces.next().map(|piece| {
            self.left -= piece.len() as u64;
            Ok(Frame::data(piece))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
