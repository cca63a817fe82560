//! Errors in OpenAI's shape (OpenAI's API description, schema `ErrorResponse`, read 2026-11).

use outcrop_bedrock::json::{ObjectWriter, ToJson};

use crate::problem::{Problem, ProblemKind};

/// The body of an error: the four fields of OpenAI's, and what AWS said in fields of our own.
pub fn error_body(problem: &Problem) -> Vec<u8> {
    let mut out = Vec::new();
    write_error(problem, &mut out);
    out
}

/// Appends the body of an error.
pub(crate) fn write_error(problem: &Problem, out: &mut Vec<u8>) {
    ObjectWriter::write(out, |body| {
        body.object("error", |error| {
            error.field("message", &problem.message);
            error.field("type", type_name(problem.kind));
            error.field("param", &Nullable(problem.param.as_deref()));
            error.field("code", &Nullable(problem.code));
            if let Some(aws) = &problem.aws {
                error.optional("aws_error_type", &aws.error_type);
                error.optional("aws_request_id", &aws.request_id);
                error.optional("region", &aws.region);
                error.optional("model", &aws.model);
            }
        });
    });
}

fn type_name(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::InvalidRequest | ProblemKind::Authentication => "invalid_request_error",
        ProblemKind::Permission => "permission_error",
        ProblemKind::RateLimit => "rate_limit_error",
        ProblemKind::Quota => "insufficient_quota",
        ProblemKind::Timeout => "timeout",
        ProblemKind::Server => "server_error",
        ProblemKind::UpstreamCredentials => "upstream_credentials",
    }
}

/// A string or `null`.
struct Nullable<'a>(Option<&'a str>);

impl ToJson for Nullable<'_> {
    fn write_json(&self, out: &mut Vec<u8>) {
        match self.0 {
            Some(text) => text.write_json(out),
            None => out.extend_from_slice(b"null"),
        }
    }
}
