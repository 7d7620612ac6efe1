# terraform test -var-file=production.tfvars -var-file=tests/names.tfvars: no account, no network, made-up answers.
mock_provider "aws" {
  source = "./tests/mocks"
}

run "production" {
  command = apply
  assert {
    condition     = output.site_url == "https://learn.example.org"
    error_message = "x"
  }
}
