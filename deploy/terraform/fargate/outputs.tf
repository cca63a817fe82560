output "load_balancer_name" {
  description = "Point the certificate's name here, by an alias or CNAME record. OPENAI_BASE_URL is https://THAT-NAME/v1."
  value       = aws_lb.this.dns_name
}

output "load_balancer_zone" {
  description = "The hosted zone of the load balancer, for an alias record."
  value       = aws_lb.this.zone_id
}

output "task_security_group" {
  description = "Let the database and Redis admit this group."
  value       = aws_security_group.task.id
}

output "role_name" {
  description = "The role of the tasks, for further policies."
  value       = aws_iam_role.gateway.name
}

output "cluster_name" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_name" {
  description = "The service."
  value       = aws_ecs_service.this.name
}

output "log_group" {
  description = "The log, with a line for each request and its usage."
  value       = aws_cloudwatch_log_group.this.name
}
