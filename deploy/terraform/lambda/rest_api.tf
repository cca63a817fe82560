# An API Gateway REST API that streams, where one is wanted.

resource "aws_api_gateway_rest_api" "this" {
  count       = var.rest_api ? 1 : 0
  name        = var.name
  description = "Outcrop, with streamed responses"
  # Pictures and sound, up or down.
  binary_media_types = ["*/*"]

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_resource" "any" {
  count       = var.rest_api ? 1 : 0
  rest_api_id = aws_api_gateway_rest_api.this[0].id
  parent_id   = aws_api_gateway_rest_api.this[0].root_resource_id
  path_part   = "{proxy+}"
}

resource "aws_api_gateway_method" "any" {
  count       = var.rest_api ? 1 : 0
  rest_api_id = aws_api_gateway_rest_api.this[0].id
  resource_id = aws_api_gateway_resource.any[0].id
  http_method = "ANY"
  # The gateway's keys are asked for behind it.
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "any" {
  count                   = var.rest_api ? 1 : 0
  rest_api_id             = aws_api_gateway_rest_api.this[0].id
  resource_id             = aws_api_gateway_resource.any[0].id
  http_method             = aws_api_gateway_method.any[0].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  response_transfer_mode  = "STREAM"
  timeout_milliseconds    = 900000
  uri                     = "arn:${local.partition}:apigateway:${local.region}:lambda:path/2021-11-15/functions/${aws_lambda_function.this.arn}/response-streaming-invocations"
}

resource "aws_api_gateway_deployment" "this" {
  count       = var.rest_api ? 1 : 0
  rest_api_id = aws_api_gateway_rest_api.this[0].id
  triggers    = { integration = sha1(jsonencode(aws_api_gateway_integration.any[0])) }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "this" {
  count         = var.rest_api ? 1 : 0
  rest_api_id   = aws_api_gateway_rest_api.this[0].id
  deployment_id = aws_api_gateway_deployment.this[0].id
  stage_name    = "v1"
}

resource "aws_lambda_permission" "api" {
  count         = var.rest_api ? 1 : 0
  statement_id  = "RestApi"
  function_name = aws_lambda_function.this.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.this[0].execution_arn}/*"
}
