locals {
  # References: the gateway reads the secrets itself, and neither the console nor the state has them.
  environment = merge(
    {
      OUTCROP_DATABASE = var.database_secret == "" ? "none" : var.database_secret
    },
    # An empty list of keys would be refused.
    var.api_keys_secret == "" ? {} : { OUTCROP_API_KEYS = var.api_keys_secret },
    var.admin_keys_secret == "" ? {} : { OUTCROP_ADMIN_KEYS = var.admin_keys_secret },
    # IAM alone keeps others out: without this a function that has no keys doesn't start.
    var.url_auth == "AWS_IAM" && var.api_keys_secret == "" && var.database_secret == "" ? { OUTCROP_INSECURE_NO_AUTH = "true" } : {},
    var.default_model == "" ? {} : { OUTCROP_DEFAULT_MODEL = var.default_model },
    var.guardrail == null ? {} : {
      OUTCROP_GUARDRAIL_ID      = var.guardrail.id
      OUTCROP_GUARDRAIL_VERSION = var.guardrail.version
    },
    var.environment,
  )

  alarm_actions = compact([var.alarm_topic])
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  # The log has the usage.
  skip_destroy = true
}

resource "aws_iam_role" "gateway" {
  name_prefix = "${var.name}-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_lambda_function" "this" {
  function_name = var.name
  description   = "Outcrop, OpenAI's API in front of Amazon Bedrock"
  runtime       = "provided.al2023"
  handler       = "bootstrap"
  architectures = [var.architecture]
  s3_bucket     = var.code_bucket
  s3_key        = var.code_key
  role          = aws_iam_role.gateway.arn
  memory_size   = var.memory_size
  # The longest that Lambda allows, and so the longest stream.
  timeout                        = 900
  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = local.environment
  }

  dynamic "vpc_config" {
    for_each = var.vpc == null ? [] : [var.vpc]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  lifecycle {
    precondition {
      condition     = var.api_keys_secret != "" || (var.url_auth == "AWS_IAM" && !var.rest_api)
      error_message = "Without AWS_IAM, and with the REST API, api_keys_secret is needed, or anyone spends on your account."
    }
  }

  depends_on = [aws_iam_role_policy.gateway, aws_cloudwatch_log_group.this]
}

resource "aws_lambda_function_url" "this" {
  function_name      = aws_lambda_function.this.function_name
  authorization_type = var.url_auth
  invoke_mode        = "RESPONSE_STREAM"
}

# Since October 2025 a public URL needs both permissions.
resource "aws_lambda_permission" "url" {
  count                  = var.url_auth == "NONE" ? 1 : 0
  statement_id           = "PublicUrl"
  function_name          = aws_lambda_function.this.function_name
  action                 = "lambda:InvokeFunctionUrl"
  principal              = "*"
  function_url_auth_type = "NONE"
}

resource "aws_lambda_permission" "url_invoke" {
  count                    = var.url_auth == "NONE" ? 1 : 0
  statement_id             = "PublicUrlInvoke"
  function_name            = aws_lambda_function.this.function_name
  action                   = "lambda:InvokeFunction"
  principal                = "*"
  invoked_via_function_url = true
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { Errors = 5, Throttles = 1 }

  alarm_name          = "${var.name}-${lower(each.key)}"
  alarm_description   = "The gateway's function: ${each.key} in 5 minutes. Errors that clients are told, such as 429, aren't among them."
  namespace           = "AWS/Lambda"
  metric_name         = each.key
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  threshold           = each.value
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
}
