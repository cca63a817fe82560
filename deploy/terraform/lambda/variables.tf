variable "code_bucket" {
  description = "The S3 bucket, in this region, that holds the package."
  type        = string
}

variable "code_key" {
  description = "The package in it, such as outcrop-lambda-0.1.0-x86_64.zip."
  type        = string
}

variable "architecture" {
  description = "What the package was built for."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "x86_64 or arm64."
  }
}

variable "url_auth" {
  description = "Who may reach the function's URL. NONE leaves it to the gateway's keys, AWS_IAM asks for a signature of AWS's."
  type        = string
  default     = "NONE"

  validation {
    condition     = contains(["NONE", "AWS_IAM"], var.url_auth)
    error_message = "NONE or AWS_IAM."
  }
}

variable "rest_api" {
  description = "Whether there is an API Gateway REST API besides, which streams too."
  type        = bool
  default     = false
}

variable "api_keys_secret" {
  description = "ARN of the secret in Secrets Manager that holds the key that clients show. Empty only with AWS_IAM."
  type        = string
  default     = ""

  validation {
    condition     = var.api_keys_secret == "" || startswith(var.api_keys_secret, "arn:")
    error_message = "The ARN of a secret, never the key itself."
  }
}

variable "name" {
  description = "The name of all that is made."
  type        = string
  default     = "outcrop"

  validation {
    condition     = can(regex("^[a-zA-Z][a-zA-Z0-9-]{0,30}$", var.name))
    error_message = "At most 31 letters, digits and hyphens, a letter first."
  }
}

variable "admin_keys_secret" {
  description = "ARN of the secret that holds the key for administration. Empty for none."
  type        = string
  default     = ""
}

variable "database_secret" {
  description = "ARN of the secret that holds a postgres:// URL, for keys and usage in a database. Empty for none."
  type        = string
  default     = ""
}

variable "model_resources" {
  description = "ARNs of what may be called, as `outcrop iam-policy` prints them. Null for all models of the partition."
  type        = list(string)
  default     = null
}

variable "own_models" {
  description = "Whether what the account has of its own may be called and listed, such as application profiles, provisioned and imported models."
  type        = bool
  default     = false
}

variable "default_model" {
  description = "The model for names that nobody knows. Empty for none."
  type        = string
  default     = ""
}

variable "guardrail" {
  description = "A guardrail of this account and region, for all requests. Null for none."
  type        = object({ id = string, version = string })
  default     = null
}

variable "environment" {
  description = "Further settings of the gateway, by the names of their variables, such as those for aliases and quotas. No secrets: refer to them."
  type        = map(string)
  default     = {}
}

variable "log_retention_days" {
  description = "How long the log, which has the usage, is kept."
  type        = number
  default     = 90
}

variable "alarm_topic" {
  description = "ARN of an SNS topic that alarms are sent to. Empty for alarms that only show."
  type        = string
  default     = ""
}

variable "memory_size" {
  description = "MB of memory. Processor time grows with it; 1769 MB are one processor."
  type        = number
  default     = 512

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240
    error_message = "From 128 to 10240."
  }
}

variable "reserved_concurrency" {
  description = "The most requests at the same time, which bounds what can be spent. -1 for the account's limit."
  type        = number
  default     = -1
}

variable "vpc" {
  description = "Private subnets with a way to AWS, and security groups, where the database is in a VPC. Function URLs can't stream from a VPC. Null for none."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string) })
  default     = null
}
