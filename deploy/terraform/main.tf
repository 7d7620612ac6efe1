data "aws_caller_identity" "current" {}

data "aws_cloudformation_stack" "network" {
  name = var.network_stack
}

locals {
  name          = "rounds-${var.environment}"
  network       = data.aws_cloudformation_stack.network.outputs
  site_url      = "https://${var.domain}"
  media_domain  = "media.${var.domain}"
  ingest_domain = "ingest.${var.domain}"
  mail_domain   = split("@", var.mail_from)[1]

  public_subnets  = split(",", local.network.PublicSubnetIds)
  private_subnets = split(",", local.network.PrivateSubnetIds)
  data_subnets    = split(",", local.network.DataSubnetIds)

  # What the services can ask PgBouncer for when all have grown to their limit.
  connections_wanted = sum([for service in var.services : service.maximum * service.processes * service.pool])

  # Behind PgBouncer four a core of the database, as `manage.py capacity` reckons: more at work at once make it slower.
  vcpus = {
    medium = 2, large = 2, xlarge = 4, "2xlarge" = 8, "4xlarge" = 16, "8xlarge" = 32, "12xlarge" = 48, "16xlarge" = 64
  }
  server_connections = 4 * local.vcpus[split(".", var.database.instance_class)[2]]
}

module "database" {
  source = "./modules/database"

  name              = local.name
  subnet_ids        = local.data_subnets
  security_group_id = local.network.DatabaseSecurityGroupId
  password          = var.database_password
  password_version  = var.secrets_version
  instance_class    = var.database.instance_class
  storage_gib       = var.database.storage_gib
  max_storage_gib   = var.database.max_storage_gib
  multi_az          = var.database.multi_az
  replicas          = var.database.replicas
  backup_days       = var.database.backup_days
  max_connections   = var.database.max_connections
  protected         = var.environment == "production"
}

module "pooler" {
  source = "./modules/pooler"

  name              = local.name
  region            = var.region
  vpc_id            = local.network.VpcId
  subnet_ids        = local.private_subnets
  group_id          = local.network.PoolerSecurityGroupId
  balancer_group_id = local.network.PoolerBalancerSecurityGroupId
  cluster_id        = module.compute.cluster_id
  image             = var.pooler_image
  size              = var.pooler
  connections       = local.server_connections
  database_address  = module.database.address
  secret_arn        = aws_secretsmanager_secret.database.arn
  log_days          = var.log_days
  protected         = var.environment == "production"
}

module "cache" {
  source = "./modules/cache"

  name              = local.name
  subnet_ids        = local.data_subnets
  security_group_id = local.network.CacheSecurityGroupId
  node_type         = var.cache.node_type
  nodes             = var.cache.nodes
  token             = var.cache_token
}

module "media" {
  source = "./modules/media"

  name            = local.name
  site_url        = local.site_url
  domain          = local.media_domain
  certificate_arn = var.media_certificate_arn
  public_key      = var.media_public_key
  upload_days     = 7
}

module "live" {
  source = "./modules/live"

  name           = local.name
  region         = var.region
  account_id     = data.aws_caller_identity.current.account_id
  enabled        = var.live_ivs_enabled
  public_key     = var.live_ivs_public_key
  recording_days = 30
}

module "compute" {
  source = "./modules/compute"

  name                     = local.name
  region                   = var.region
  vpc_id                   = local.network.VpcId
  public_subnet_ids        = local.public_subnets
  private_subnet_ids       = local.private_subnets
  balancer_group_id        = local.network.BalancerSecurityGroupId
  ingest_balancer_group_id = local.network.IngestBalancerSecurityGroupId
  service_group_id         = local.network.ServiceSecurityGroupId
  operations_group_id      = local.network.OperationsSecurityGroupId
  certificate_arn          = var.certificate_arn
  image                    = var.image
  services                 = var.services
  environment              = merge(local.environment, local.message_environment, var.more_environment)
  environment_of           = local.environment_of
  secret_arn               = aws_secretsmanager_secret.application.arn
  secret_names             = local.secret_names
  database_secret_arn      = aws_secretsmanager_secret.database.arn
  backup_bucket_arn        = aws_s3_bucket.backups.arn
  media_bucket_arn         = module.media.bucket_arn
  live_ivs_enabled         = var.live_ivs_enabled
  live_ivs_policy          = module.live.policy
  message_actions          = local.message_actions
  log_days                 = var.log_days
  requests_per_address     = var.requests_per_address
  staging_repository_arn   = var.staging_repository_arn
  protected                = var.environment == "production"
}

resource "aws_route53_record" "site" {
  zone_id = var.zone_id
  name    = var.domain
  type    = "A"
  alias {
    name                   = module.compute.balancer_dns_name
    zone_id                = module.compute.balancer_zone_id
    evaluate_target_health = true
  }
}

resource "aws_route53_record" "ingest" {
  zone_id = var.zone_id
  name    = local.ingest_domain
  type    = "A"
  alias {
    name                   = module.compute.ingest_dns_name
    zone_id                = module.compute.ingest_zone_id
    evaluate_target_health = true
  }
}

resource "aws_route53_record" "media" {
  zone_id = var.zone_id
  name    = local.media_domain
  type    = "A"
  alias {
    name                   = module.media.distribution_domain
    zone_id                = module.media.distribution_zone_id
    evaluate_target_health = false
  }
}
