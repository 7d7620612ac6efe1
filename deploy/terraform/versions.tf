terraform {
  required_version = ">= 1.11" # write-only attributes: passwords never reach the state

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # Bucket, key and region come by `terraform init -backend-config=<environment>.s3.tfbackend`.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Product     = "rounds"
      Environment = var.environment
    }
  }
}
