# terraform test -var-file=production.tfvars -var-file=tests/names.tfvars: no account, no network, made-up answers.
# More is asserted on the same plan by tests/deploy/test_terraform.py.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

# Two of a kind that must not be taken for each other.
override_resource {
  target          = aws_secretsmanager_secret.database
  override_during = plan
  values          = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rounds/database-AbCdEf" }
}

override_resource {
  target          = module.pooler.aws_lb.this
  override_during = plan
  values = {
    arn        = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/pooler/1"
    arn_suffix = "net/pooler/1"
    dns_name   = "pooler.elb.eu-central-1.amazonaws.com"
  }
}

run "sizes" {
  command = plan

  assert {
    condition     = toset(keys(output.services)) == toset(["web", "realtime", "worker", "long", "sender", "transcoder", "ingest", "beat"])
    error_message = "A process has no service."
  }
  assert {
    condition     = output.connections.behind > 0 && output.connections.behind < output.connections.wanted
    error_message = "PgBouncer shares nothing."
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
