# terraform test -var-file=production.tfvars -var-file=tests/names.tfvars
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "services_that_ask_for_more_connections_than_there_are" {
  command = plan
  variables {
    database = {
      instance_class  = "db.r7g.2xlarge"
      storage_gib     = 400
      max_storage_gib = 2000
      multi_az        = true
      replicas        = 1
      backup_days     = 35
      max_connections = 500
    }
  }
  expect_failures = [output.connections]
}
