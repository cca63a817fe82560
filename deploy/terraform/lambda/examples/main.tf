# A function with a public URL and a key: terraform init && terraform apply -var code_bucket=my-bucket

variable "code_bucket" {
  description = "The S3 bucket that holds the package."
  type        = string
}

resource "aws_secretsmanager_secret" "api_key" {
  name = "outcrop/api-key"
}

module "outcrop" {
  source = "../"

  code_bucket     = var.code_bucket
  code_key        = "outcrop-lambda-0.1.0-x86_64.zip"
  api_keys_secret = aws_secretsmanager_secret.api_key.arn
}

output "openai_base_url" {
  description = "OPENAI_BASE_URL for clients."
  value       = module.outcrop.openai_base_url
}
