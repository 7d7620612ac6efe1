output "address" {
  value = "${aws_lb.this.dns_name}:${local.port}"
}

output "repository_url" {
  value = aws_ecr_repository.this.repository_url
}

output "service" {
  value = aws_ecs_service.this.name
}

output "balancer_suffix" {
  value = aws_lb.this.arn_suffix
}

output "target_group_suffix" {
  value = aws_lb_target_group.this.arn_suffix
}

output "connections" {
  description = "To PostgreSQL; twice as many while tasks are replaced."
  value       = local.each * var.size.tasks
}

output "callers" {
  description = "What those that are left take when one task is gone."
  value       = local.callers * (var.size.tasks - 1)
}

output "container_definition" {
  value = jsondecode(aws_ecs_task_definition.this.container_definitions)[0]
}
