# Where the real provider insists on the shape of a value, a made-up one has it.
mock_resource "aws_iam_role" { defaults = { arn = "arn:aws:iam::123456789012:role/made-up" } }
mock_resource "aws_iam_policy" { defaults = { arn = "arn:aws:iam::123456789012:policy/made-up" } }
mock_resource "aws_ivs_recording_configuration" {
  defaults = { arn = "arn:aws:ivs:eu-central-1:123456789012:recording-configuration/made-up" }
}
mock_resource "aws_kms_key" { defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/made-up" } }
mock_resource "aws_sns_topic" { defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:made-up" } }
mock_resource "aws_lb" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/made-up/1"
    arn_suffix = "app/made-up/1"
    dns_name   = "made-up.eu-central-1.elb.amazonaws.com"
    zone_id    = "Z215JYRZR1TBD5"
  }
}
mock_resource "aws_lb_listener" {
  defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/made-up/1/1" }
}
mock_resource "aws_lb_target_group" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/made-up/1"
    arn_suffix = "targetgroup/made-up/1"
  }
}
mock_resource "aws_wafv2_web_acl" {
  defaults = { arn = "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/made-up/1" }
}
mock_resource "aws_s3_bucket" {
  defaults = {
    bucket                      = "rounds-production-media-1"
    arn                         = "arn:aws:s3:::rounds-production-media-1"
    bucket_regional_domain_name = "rounds-production-media-1.s3.eu-central-1.amazonaws.com"
    region                      = "eu-central-1"
  }
}
mock_resource "aws_cloudfront_distribution" {
  defaults = {
    arn            = "arn:aws:cloudfront::123456789012:distribution/E1"
    domain_name    = "d1.cloudfront.net"
    hosted_zone_id = "Z2FDTNDATAQYW2"
  }
}
mock_resource "aws_cloudfront_public_key" { defaults = { id = "K2JCJMDEHXQW5F" } }
mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rounds-production/application-AbCdEf" }
}
mock_resource "aws_db_instance" {
  defaults = {
    arn     = "arn:aws:rds:eu-central-1:123456789012:db:rounds-production"
    address = "rounds-production.c1.eu-central-1.rds.amazonaws.com"
  }
}
mock_resource "aws_backup_vault" {
  defaults = { arn = "arn:aws:backup:eu-central-1:123456789012:backup-vault:rounds-production" }
}
mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:made-up" }
}
mock_resource "aws_ecr_repository" {
  defaults = { arn = "arn:aws:ecr:eu-central-1:123456789012:repository/rounds-production" }
}
mock_resource "aws_ecs_cluster" {
  defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/rounds-production" }
}
mock_resource "aws_ecs_task_definition" {
  defaults = {
    arn                  = "arn:aws:ecs:eu-central-1:123456789012:task-definition/made-up:1"
    arn_without_revision = "arn:aws:ecs:eu-central-1:123456789012:task-definition/made-up"
  }
}
mock_resource "aws_ecs_service" {
  defaults = { id = "arn:aws:ecs:eu-central-1:123456789012:service/rounds-production/made-up" }
}
mock_resource "aws_appautoscaling_target" {
  defaults = { arn = "arn:aws:application-autoscaling:eu-central-1:123456789012:scalable-target/made-up" }
}
mock_data "aws_iam_policy_document" { defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" } }
mock_data "aws_caller_identity" { defaults = { account_id = "123456789012" } }
mock_data "aws_cloudformation_stack" {
  defaults = {
    outputs = {
      VpcId                         = "vpc-1"
      PublicSubnetIds               = "subnet-p1,subnet-p2,subnet-p3"
      PrivateSubnetIds              = "subnet-a1,subnet-a2,subnet-a3"
      DataSubnetIds                 = "subnet-d1,subnet-d2,subnet-d3"
      BalancerSecurityGroupId       = "sg-balancer"
      IngestBalancerSecurityGroupId = "sg-ingest"
      ServiceSecurityGroupId        = "sg-service"
      OperationsSecurityGroupId     = "sg-operations"
      PoolerBalancerSecurityGroupId = "sg-poolerbalancer"
      PoolerSecurityGroupId         = "sg-pooler"
      DatabaseSecurityGroupId       = "sg-database"
      CacheSecurityGroupId          = "sg-cache"
      NetworkAddresses              = "10.40.0.0/16"
    }
  }
}
mock_resource "aws_cloudfront_response_headers_policy" { defaults = { id = "made-up" } }
mock_resource "aws_cloudfront_cache_policy" { defaults = { id = "made-up" } }
mock_resource "aws_cloudfront_key_group" { defaults = { id = "made-up" } }
mock_resource "aws_cloudfront_origin_access_control" { defaults = { id = "made-up" } }
