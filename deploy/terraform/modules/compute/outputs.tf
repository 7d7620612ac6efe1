output "cluster" {
  value = aws_ecs_cluster.this.name
}

output "cluster_id" {
  value = aws_ecs_cluster.this.id
}

output "services" {
  value = { for name, service in aws_ecs_service.this : name => service.name }
}

output "repository_url" {
  value = aws_ecr_repository.this.repository_url
}

output "balancer_dns_name" {
  value = aws_lb.site.dns_name
}

output "balancer_zone_id" {
  value = aws_lb.site.zone_id
}

output "balancer_suffix" {
  value = aws_lb.site.arn_suffix
}

output "target_group_suffixes" {
  value = { for name, group in aws_lb_target_group.http : name => group.arn_suffix }
}

output "ingest_dns_name" {
  value = aws_lb.ingest.dns_name
}

output "ingest_zone_id" {
  value = aws_lb.ingest.zone_id
}

output "operations_definition" {
  description = "Without a revision."
  value       = aws_ecs_task_definition.operations.arn_without_revision
}

output "release_policy_arn" {
  value = aws_iam_policy.release.arn
}

output "container_definitions" {
  value = { for name, task in aws_ecs_task_definition.service : name => jsondecode(task.container_definitions)[0] }
}

output "operations_container" {
  value = jsondecode(aws_ecs_task_definition.operations.container_definitions)[0]
}

output "task_policies" {
  value = { for name, policy in aws_iam_role_policy.media : name => policy.policy }
}
