# A function with a public URL and a key: terraform init && terraform apply -var code_bucket=my-bucket -var api_keys_secret=ARN

variable "code_bucket" {
  description = "The S3 bucket that holds the package."
  type        = string
}

# Made beforehand, so that the key is there when the gateway starts, and never in the state: docs/aws.md.
variable "api_keys_secret" {
  description = "ARN of the secret that holds the key that clients show."
  type        = string
}

module "outcrop" {
  source = "../"

  code_bucket     = var.code_bucket
  code_key        = "outcrop-lambda-0.1.0-x86_64.zip"
  api_keys_secret = var.api_keys_secret
}

output "openai_base_url" {
  description = "OPENAI_BASE_URL for clients."
  value       = module.outcrop.openai_base_url
}
