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
    security_group = local.network.ServiceSecurityGroupId
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

output "connections" {
  description = "What all services can ask PostgreSQL for when they have grown to their limit."
  value       = local.connections_wanted

  precondition {
    condition     = local.connections_wanted <= var.database.max_connections - 50
    error_message = "The services may open more connections than the server takes, less 50 for migrations, probes and people: lower pools or maxima, take a larger server, or put PgBouncer in between."
  }
}

# What the tests look at.
output "containers" {
  value = module.compute.container_definitions
}
