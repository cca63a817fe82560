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
    /// `InvokeModel`: the model's own body, the whole reply at once.
    InvokeModel,
    /// `InvokeModelWithResponseStream`: the model's own body, the reply as chunks of its own.
    InvokeModelWithResponseStream,
    /// OpenAI's chat completions, which Bedrock Runtime speaks for some models; no operation of the service model.
    ChatCompletions,
    /// The same, streamed.
    ChatCompletionsStream,
}

/// In which form a reply arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyForm {
    /// One JSON document.
    Whole,
    /// Event-stream frames.
    Frames,
    /// Server-sent events.
    ServerSentEvents,
}

impl Operation {
    /// In which form its reply arrives.
    pub fn reply_form(self) -> ReplyForm {
        match self {
            Self::Converse | Self::InvokeModel | Self::ChatCompletions => ReplyForm::Whole,
            Self::ConverseStream | Self::InvokeModelWithResponseStream => ReplyForm::Frames,
            Self::ChatCompletionsStream => ReplyForm::ServerSentEvents,
        }
    }

    /// Whether the reply comes in pieces.
    pub fn is_stream(self) -> bool {
        self.reply_form() != ReplyForm::Whole
    }
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
    /// The region to ask; `None` for the client's own.
    pub region: Option<String>,
    /// Headers of the operation (`x-amzn-bedrock-…`), names in small letters.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: CallBody,
}

impl Call {
    /// The path of the call, with the model id as one encoded segment.
    pub fn path(&self) -> String {
        let operation = match self.operation {
            Operation::Converse => "converse",
            Operation::ConverseStream => "converse-stream",
            Operation::InvokeModel => "invoke",
            Operation::InvokeModelWithResponseStream => "invoke-with-response-stream",
            // The model stands in the body.
            Operation::ChatCompletions | Operation::ChatCompletionsStream => {
                return "/openai/v1/chat/completions".to_owned();
            }
        };
        format!("/model/{}/{operation}", path_segment(&self.model_id))
    }

    /// Whether the reply comes in pieces.
    pub fn is_stream(&self) -> bool {
        self.operation.is_stream()
    }
}

/// What the headers of an `InvokeModel` reply tell of its tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCounts {
    /// `X-Amzn-Bedrock-Input-Token-Count`
    pub input: Option<u64>,
    /// `X-Amzn-Bedrock-Output-Token-Count`
    pub output: Option<u64>,
}
