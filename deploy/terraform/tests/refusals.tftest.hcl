# terraform test -var-file=production.tfvars -var-file=tests/names.tfvars
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "more_connections_behind_pgbouncer_than_the_server_takes" {
  command = plan
  variables {
    database = {
      instance_class  = "db.r7g.2xlarge"
      storage_gib     = 400
      max_storage_gib = 2000
      multi_az        = true
      replicas        = 1
      backup_days     = 35
      max_connections = 100
    }
  }
  expect_failures = [output.connections]
}

run "services_that_ask_for_more_connections_than_pgbouncer_takes" {
  command = plan
  variables {
    services = {
      for name, service in var.services : name => merge(service, { pool = name == "web" ? 40 : service.pool })
    }
  }
  expect_failures = [output.connections]
}

run "a_single_pgbouncer" {
  command = plan
  variables {
    pooler = { cpu = 1024, memory = 2048, tasks = 1 }
  }
  expect_failures = [var.pooler]
}
