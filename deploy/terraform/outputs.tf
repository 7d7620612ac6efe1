output "site_url" {
  value = local.site_url
}

output "cluster" {
  value = module.compute.cluster
}

output "services" {
  description = "Names of the ECS services, by process."
  value       = module.compute.services
}

output "repository_url" {
  value = module.compute.repository_url
}

output "release_network" {
  description = "Where deploy/release.py runs one-off tasks."
  value = {
    subnets        = local.private_subnets
    security_group = local.network.OperationsSecurityGroupId
  }
}

output "release_role" {
  value = module.compute.release_policy_arn
}

# For the test that starts the product's settings with what a task gets. No secret is among them.
output "environment" {
  value = { for name in keys(var.services) : name => merge(local.environment, var.more_environment, local.environment_of[name]) }
}

output "secret_names" {
  value = local.secret_names
}

output "pooler_repository_url" {
  value = module.pooler.repository_url
}

output "connections" {
  description = "What all services can ask PgBouncer for when they have grown to their limit, and what stands behind it."
  value = {
    wanted   = local.connections_wanted
    taken    = module.pooler.callers
    behind   = module.pooler.connections
    database = var.database.max_connections
  }

  precondition {
    condition     = local.connections_wanted <= module.pooler.callers
    error_message = "The services may open more connections than PgBouncer takes when one of its tasks is gone: lower pools or maxima, or take more tasks."
  }
  precondition {
    condition     = 2 * module.pooler.connections <= var.database.max_connections - 50
    error_message = "While its tasks are replaced, PgBouncer may open more connections than the server takes, less 50 for migrations, backups and people."
  }
}

# Without name and password.
output "database_addresses" {
  value = local.database_addresses
}

# What the tests look at.
output "containers" {
  value = module.compute.container_definitions
}

output "operations_container" {
  value = module.compute.operations_container
}

output "pooler_container" {
  value = module.pooler.container_definition
}
