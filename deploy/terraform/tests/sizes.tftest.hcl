# terraform test -var-file=production.tfvars -var-file=tests/names.tfvars: no account, no network, made-up answers.
# More is asserted on the same plan by tests/deploy/test_terraform.py.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "sizes" {
  command = plan

  assert {
    condition     = toset(keys(output.services)) == toset(["web", "realtime", "worker", "long", "transcoder", "ingest", "beat"])
    error_message = "A process has no service."
  }
  assert {
    condition     = output.connections > 0 && output.connections <= var.database.max_connections - 50
    error_message = "The services may open more connections than PostgreSQL takes."
  }
  assert {
    condition     = alltrue([for name in ["web", "realtime", "ingest"] : length(output.containers[name].portMappings) == 1])
    error_message = "What a balancer sends to has no port."
  }
  assert {
    condition     = toset([for secret in output.containers.web.secrets : secret.name]) == toset(output.secret_names)
    error_message = "A secret does not reach the tasks."
  }
}
