//! One call to Bedrock: what to ask, and nothing of how to get there.

use bytes::Bytes;

use crate::converse::Served;
use crate::model_id::path_segment;

/// The operations that are called: of Bedrock Runtime, if nothing else is said.
///
/// Source: service models `bedrock-runtime` and `bedrock-agent-runtime` (botocore 1.44.5, 2026-11).
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
    /// `CountTokens`: how many tokens a call would have.
    CountTokens,
    /// `ApplyGuardrail`: what a guardrail says of a text. In the place of a model stands `identifier/version`.
    ApplyGuardrail,
    /// `InvokeGuardrailChecks`: the same by checks that the body names. No model is asked.
    InvokeGuardrailChecks,
    /// `Rerank`, of Bedrock's agent runtime. The model stands in the body, too.
    Rerank,
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
            Self::Converse
            | Self::InvokeModel
            | Self::ChatCompletions
            | Self::CountTokens
            | Self::ApplyGuardrail
            | Self::InvokeGuardrailChecks
            | Self::Rerank => ReplyForm::Whole,
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
    /// The account whose credentials and endpoints are used, by its name; `None` for the client's own.
    pub account: Option<String>,
    /// The region to ask; `None` for the account's, or the client's own.
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
            Operation::CountTokens => "count-tokens",
            Operation::ApplyGuardrail => {
                // An identifier may be an ARN, which has slashes of its own; a version has none.
                let (identifier, version) = self.model_id.rsplit_once('/').unwrap_or((&self.model_id, "DRAFT"));
                return format!(
                    "/guardrail/{}/version/{}/apply",
                    path_segment(identifier),
                    path_segment(version)
                );
            }
            Operation::InvokeGuardrailChecks => return "/guardrail-checks/invoke".to_owned(),
            Operation::Rerank => return "/rerank".to_owned(),
        };
        format!("/model/{}/{operation}", path_segment(&self.model_id))
    }

    /// Whether the reply comes in pieces.
    pub fn is_stream(&self) -> bool {
        self.operation.is_stream()
    }
}

/// What the headers of an `InvokeModel` reply tell of its tokens, and how it was served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCounts {
    /// `X-Amzn-Bedrock-Input-Token-Count`
    pub input: Option<u64>,
    /// `X-Amzn-Bedrock-Output-Token-Count`
    pub output: Option<u64>,
    /// `X-Amzn-Bedrock-Service-Tier` and `X-Amzn-Bedrock-PerformanceConfig-Latency`
    pub served: Served,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_goes_to_the_path_of_its_operation() {
        let arn = "arn:aws:bedrock:us-east-1:1:guardrail/g";
        for (operation, model_id, expected) in [
            (Operation::CountTokens, "a.b:0", "/model/a.b%3A0/count-tokens"),
            (Operation::ApplyGuardrail, "g/7", "/guardrail/g/version/7/apply"),
            (Operation::Rerank, "cohere.rerank-v3-5:0", "/rerank"),
            (Operation::InvokeGuardrailChecks, "", "/guardrail-checks/invoke"),
        ] {
            assert_eq!(call(operation, model_id).path(), expected);
        }
        let path = call(Operation::ApplyGuardrail, &format!("{arn}/DRAFT")).path();
        assert_eq!(
            path,
            "/guardrail/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aguardrail%2Fg/version/DRAFT/apply"
        );
    }

    fn call(operation: Operation, model_id: &str) -> Call {
        Call {
            operation,
            model_id: model_id.to_owned(),
            account: None,
            region: None,
            headers: Vec::new(),
            body: CallBody::default(),
        }
    }
}
