//! One call to Bedrock: what to ask, and nothing of how to get there.

use bytes::Bytes;

use crate::model_id::path_segment;

/// The operations of Bedrock Runtime that are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `Converse`: the whole reply at once.
    Converse,
    /// `ConverseStream`: the reply as events.
    ConverseStream,
}

/// The body of a call, in one or several pieces: a large image stays where the client's request has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallBody {
    pieces: Vec<Bytes>,
}

impl CallBody {
    /// A body of these pieces, one after the other.
    pub fn new(pieces: Vec<Bytes>) -> Self {
        Self { pieces }
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> &[Bytes] {
        &self.pieces
    }

    /// All pieces as one; copies them.
    pub fn to_vec(&self) -> Vec<u8> {
        self.pieces.concat()
    }
}

/// A call, ready to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What to ask.
    pub operation: Operation,
    /// A model id, inference profile or ARN.
    pub model_id: String,
    /// The JSON body.
    pub body: CallBody,
}

impl Call {
    /// The path of the call, with the model id as one encoded segment.
    pub fn path(&self) -> String {
        let operation = match self.operation {
            Operation::Converse => "converse",
            Operation::ConverseStream => "converse-stream",
        };
        format!("/model/{}/{operation}", path_segment(&self.model_id))
    }

    /// Whether the reply is a stream of events.
    pub fn is_stream(&self) -> bool {
        self.operation == Operation::ConverseStream
    }
}
