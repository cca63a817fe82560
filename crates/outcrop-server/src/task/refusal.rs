//! What a failed call means for the client, in the words of the task.

use std::sync::Arc;

use outcrop_bedrock::call::Operation;
use outcrop_translate::openai::token_counts;
use outcrop_translate::{Task, TaskPlan};
use outcrop_upstream::Failure;

use crate::error;
use crate::exchange::Gateway;
use crate::record::Record;
use crate::refusal::Refusal;

/// What Bedrock says of a model whose tokens it doesn't count.
const CANT_COUNT: &str = "support counting tokens";

/// What a failed call means for the client, who knows the part of its request that the call was about.
pub(super) async fn refusal<T: Task>(
    gateway: &Arc<Gateway>,
    failure: &Failure,
    index: usize,
    plan: &TaskPlan<T::Memo>,
    record: &mut Record,
) -> Refusal {
    let mut refusal = gateway.refusal(failure, &plan.model_id, record).await;
    let problem = &mut refusal.problem;
    let Some(call) = plan.calls.get(index) else {
        return refusal;
    };
    match call.operation {
        // No model is what isn't there.
        Operation::ApplyGuardrail if problem.status == 404 => {
            problem.message = error::of_error(&failure.error).message;
            problem.code = Some("guardrail_not_found");
            problem.param = None;
            return refusal;
        }
        // The model is there, but can't count.
        Operation::CountTokens if problem.status == 404 || problem.message.contains(CANT_COUNT) => {
            problem.message = token_counts::not_counted(&call.model_id, &gateway.config.catalogue);
            problem.status = 400;
            problem.code = Some("model_not_supported");
            problem.param = Some("model".to_owned());
        }
        // It has none.
        Operation::Rerank if problem.param.as_deref() == Some("messages") => problem.param = None,
        _ => {}
    }
    // What failed on the way, or for want of the gateway's own credentials, isn't the request's fault.
    if problem.status >= 500 || problem.param.as_deref() == Some("model") {
        return refusal;
    }
    let blamed = match problem.code {
        Some("context_length_exceeded") => None,
        _ => problem.param.as_deref(),
    };
    if let Some(param) = blamed.and_then(|field| T::parameter(&plan.memo, field)) {
        problem.param = Some(param);
        return refusal;
    }
    match call.param.as_deref() {
        Some(param) => refusal.about(param),
        None => refusal,
    }
}
