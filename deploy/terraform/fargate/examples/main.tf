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

# Made beforehand, so that the key is there when the gateway starts, and never in the state: docs/aws.md.
variable "api_keys_secret" {
  description = "ARN of the secret that holds the key that clients show."
  type        = string
}

module "outcrop" {
  source = "../"

  image                    = var.image
  certificate_arn          = var.certificate_arn
  vpc_id                   = var.network.vpc_id
  load_balancer_subnet_ids = var.network.public
  task_subnet_ids          = var.network.private
  api_keys_secret          = var.api_keys_secret
}

output "load_balancer_name" {
  description = "Point the certificate's name here."
  value       = module.outcrop.load_balancer_name
}
