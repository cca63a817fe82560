output "openai_base_url" {
  description = "OPENAI_BASE_URL for clients. Streams come as they are made."
  value       = "${aws_lambda_function_url.this.function_url}v1"
}

output "rest_api_base_url" {
  description = "OPENAI_BASE_URL by API Gateway, whose stage stands for v1; null without one."
  value       = var.rest_api ? aws_api_gateway_stage.this[0].invoke_url : null
}

output "function_name" {
  description = "The function."
  value       = aws_lambda_function.this.function_name
}

output "role_name" {
  description = "The function's role, for further policies."
  value       = aws_iam_role.gateway.name
}

output "log_group" {
  description = "The log, with a line for each request and its usage."
  value       = aws_cloudwatch_log_group.this.name
}
