# What `outcrop iam-policy` prints; a test holds the two together.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  partition = data.aws_partition.this.partition
  account   = data.aws_caller_identity.this.account_id
  region    = data.aws_region.this.region

  model_resources = coalesce(var.model_resources, [
    "arn:${local.partition}:bedrock:*::foundation-model/*",
    "arn:${local.partition}:bedrock:*:*:inference-profile/*",
  ])

  own_kinds = [
    "application-inference-profile", "inference-profile", "provisioned-model", "custom-model",
    "custom-model-deployment", "imported-model", "default-prompt-router", "prompt-router",
  ]

  secrets = compact([var.api_keys_secret, var.admin_keys_secret, var.database_secret])
}

data "aws_iam_policy_document" "gateway" {
  statement {
    sid       = "Answers"
    actions   = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "bedrock:CountTokens"]
    resources = local.model_resources
  }

  statement {
    sid       = "Lists"
    actions   = ["bedrock:ListFoundationModels", "bedrock:ListInferenceProfiles", "bedrock:Rerank"]
    resources = ["*"]
  }

  dynamic "statement" {
    for_each = var.guardrail == null ? [] : [var.guardrail.id]

    content {
      sid       = "Guardrails"
      actions   = ["bedrock:ApplyGuardrail"]
      resources = ["arn:${local.partition}:bedrock:${local.region}:${local.account}:guardrail/${statement.value}"]
    }
  }

  dynamic "statement" {
    for_each = var.guardrail == null ? [1] : []

    content {
      sid       = "Moderations"
      actions   = ["bedrock:InvokeGuardrailChecks"]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = var.own_models ? [1] : []

    content {
      sid = "OwnModels"
      actions = [
        "bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "bedrock:GetInferenceProfile",
        "bedrock:GetProvisionedModelThroughput", "bedrock:GetCustomModel", "bedrock:GetCustomModelDeployment",
        "bedrock:GetImportedModel", "bedrock:GetPromptRouter",
      ]
      resources = [for kind in local.own_kinds : "arn:${local.partition}:bedrock:*:${local.account}:${kind}/*"]
    }
  }

  dynamic "statement" {
    for_each = var.own_models ? [1] : []

    content {
      sid = "OwnModelLists"
      actions = [
        "bedrock:ListProvisionedModelThroughputs", "bedrock:ListCustomModels",
        "bedrock:ListCustomModelDeployments", "bedrock:ListImportedModels",
      ]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = length(local.secrets) > 0 ? [1] : []

    content {
      sid       = "Secrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = local.secrets
    }
  }

  statement {
    sid       = "LambdaLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  dynamic "statement" {
    for_each = var.vpc == null ? [] : [1]

    # Lambda makes the network interfaces, and none of these actions can be bound to a subnet beforehand.
    content {
      sid = "LambdaVpc"
      actions = [
        "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]
    }
  }
}

resource "aws_iam_role_policy" "gateway" {
  name   = "outcrop"
  role   = aws_iam_role.gateway.id
  policy = data.aws_iam_policy_document.gateway.json
}
