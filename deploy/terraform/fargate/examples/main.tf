# Two tasks behind a load balancer, in a network that is there already.

variable "image" {
  description = "The image."
  type        = string
}

variable "certificate_arn" {
  description = "The certificate of the name that clients use."
  type        = string
}

variable "network" {
  description = "The VPC, its public and its private subnets."
  type        = object({ vpc_id = string, public = list(string), private = list(string) })
}

resource "aws_secretsmanager_secret" "api_key" {
  name = "outcrop/api-key"
}

module "outcrop" {
  source = "../"

  image                    = var.image
  certificate_arn          = var.certificate_arn
  vpc_id                   = var.network.vpc_id
  load_balancer_subnet_ids = var.network.public
  task_subnet_ids          = var.network.private
  api_keys_secret          = aws_secretsmanager_secret.api_key.arn
}

output "load_balancer_name" {
  description = "Point the certificate's name here."
  value       = module.outcrop.load_balancer_name
}
