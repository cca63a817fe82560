variable "image" {
  description = "The container image, such as 123456789012.dkr.ecr.eu-central-1.amazonaws.com/outcrop:0.1.0."
  type        = string
}

variable "architecture" {
  description = "What the image was built for."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "X86_64 or ARM64."
  }
}

variable "cpu" {
  description = "Units of processor time for each task. 1024 are one processor."
  type        = number
  default     = 1024

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.cpu)
    error_message = "256, 512, 1024, 2048 or 4096."
  }
}

variable "memory" {
  description = "MB of memory for each task. Fargate takes some pairs only, such as 1024 with 2048 to 8192."
  type        = number
  default     = 2048
}

variable "certificate_arn" {
  description = "ARN of a certificate in ACM, in this region, for the name that clients use."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:acm:", var.certificate_arn))
    error_message = "The ARN of a certificate in ACM."
  }
}

variable "internal" {
  description = "Whether the load balancer is reached from the network alone."
  type        = bool
  default     = false
}

variable "client_cidrs" {
  description = "From where clients come."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "trusted_proxies" {
  description = "The network of the load balancer's subnets, such as 10.0.0.0/16. Only then is known where a client comes from, for keys bound to networks."
  type        = list(string)
  default     = []
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "load_balancer_subnet_ids" {
  description = "Subnets of the load balancer, in two zones at least. Public ones where it is reached from the internet."
  type        = list(string)

  validation {
    condition     = length(var.load_balancer_subnet_ids) >= 2
    error_message = "A load balancer needs two zones."
  }
}

variable "task_subnet_ids" {
  description = "Private subnets of the tasks, with a way to AWS by NAT or by endpoints."
  type        = list(string)
}

variable "endpoint_route_table_ids" {
  description = "Route tables of the tasks' subnets, to make VPC endpoints for all that a task needs. Empty for none."
  type        = list(string)
  default     = []
}

variable "api_keys_secret" {
  description = "ARN of the secret in Secrets Manager that holds the key that clients show."
  type        = string

  validation {
    condition     = startswith(var.api_keys_secret, "arn:")
    error_message = "The ARN of a secret, never the key itself."
  }
}

variable "redis_secret" {
  description = "ARN of the secret that holds a rediss:// URL, such as that of ElastiCache, by which tasks count limits together. Empty for none."
  type        = string
  default     = ""
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

variable "min_tasks" {
  description = "The fewest tasks."
  type        = number
  default     = 2
}

variable "max_tasks" {
  description = "The most tasks."
  type        = number
  default     = 10
}

variable "streams_per_task" {
  description = "Open streams for each task that scaling aims at."
  type        = number
  default     = 500
}

variable "cpu_percent" {
  description = "Percent of processor time that scaling aims at."
  type        = number
  default     = 60
}
