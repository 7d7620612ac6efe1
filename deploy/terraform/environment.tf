# Everything the product reads from its environment and that differs from its defaults (docs/operating.md). A test
# compares the names with the product's own, and starts its settings with these values.

locals {
  environment = {
    DJANGO_ENV              = "production"
    ALLOWED_HOSTS           = var.domain
    SITE_URL                = local.site_url
    TRUSTED_PROXIES         = "1" # the application balancer
    VAR_DIR                 = "/var/lib/rounds"
    AWS_REGION              = var.region
    MEDIA_STORAGE           = "s3"
    MEDIA_BUCKET            = module.media.bucket
    MEDIA_GRANTS            = "cloudfront"
    MEDIA_COOKIE_DOMAIN     = ".${var.domain}"
    MEDIA_CLOUDFRONT_DOMAIN = local.media_domain
    MEDIA_CLOUDFRONT_KEY_ID = module.media.key_id
    MEDIA_ORIGINS           = "https://${module.media.bucket_domain},https://${module.media.bucket}.s3.amazonaws.com" # signed addresses of uploads
    RTMP_URL                = "rtmps://${local.ingest_domain}:443/live"
    EMAIL_HOST              = "email-smtp.${var.region}.amazonaws.com"
    EMAIL_PORT              = "587"
    EMAIL_USE_TLS           = "true"
    DEFAULT_FROM_EMAIL      = "Rounds <${var.mail_from}>"
    BACKUP_URL              = "s3://${aws_s3_bucket.backups.bucket}/rounds"
    # Prometheus asks replicas itself. What comes by the balancer has its caller's address, and no rule for /metrics.
    METRICS_NETWORKS       = "127.0.0.0/8,::1/128,${local.network.NetworkAddresses}"
    LIVE_IVS_RECORDING_ARN = var.live_ivs_enabled ? module.live.recording_arn : ""
    AUTOSCALE_CLUSTER      = local.name
    AUTOSCALE_CONNECTIONS  = tostring(module.pooler.callers)
    AUTOSCALE_SERVICES = join(",", [
      for name in ["web", "realtime", "worker"] :
      "${name}=${name}:${var.services[name].minimum}-${var.services[name].maximum}"
    ])
  }

  # Who carries messages to doctors (docs/messages.md), as the site names it. With SES its events come back by the topic
  # of mail.tf.
  message_environment = merge(
    lookup(var.messages, "MESSAGES_EMAIL", "") != "ses" ? {} : {
      SES_CONFIGURATION_SET = local.name
      AWS_SNS_TOPICS        = "arn:aws:sns:${var.region}:${data.aws_caller_identity.current.account_id}:${local.name}-mail-events"
    },
    var.messages,
  )

  # Only of one service, beside the pool that each has.
  # DRAIN_SECONDS: a little more than the balancer needs to notice, two probes of ten seconds.
  environment_of = {
    for name, service in var.services : name => merge(
      { DATABASE_POOL_SIZE = tostring(service.pool), DATABASE_TRANSACTION_POOLER = "true" },
      name == "web" ? { WEB_BIND = "0.0.0.0:8001", WEB_WORKERS = tostring(service.processes), DRAIN_SECONDS = "22" } : {},
      name == "realtime" ? { REALTIME_BIND = "0.0.0.0:8002", REALTIME_PROCESSES = tostring(service.processes), DRAIN_SECONDS = "22" } : {},
      name == "ingest" ? { RTMP_HOST = "0.0.0.0", LIVE_CPU_CORES = tostring(max(1, floor(service.cpu / 1024))) } : {},
      name == "transcoder" ? { MEDIA_FFMPEG_THREADS = tostring(max(1, floor(service.cpu / 1024))) } : {},
    )
  }

  # The services go by PgBouncer. What needs a session of its own asks the database itself: migrations, pg_dump, drills.
  # require: PgBouncer's certificate is made at its start, and SCRAM shows that it is ours. keepalives: the balancer
  # between forgets who is silent. sslrootcert: the image holds Amazon's bundle.
  database_addresses = {
    services   = "${module.pooler.address}/rounds?sslmode=require&keepalives_idle=60&keepalives_interval=10&keepalives_count=3"
    operations = "${module.database.address}:5432/rounds?sslmode=verify-full&sslrootcert=/etc/ssl/rounds/rds.pem"
  }

  # ssl_cert_reqs: without it Celery would trust any server.
  secrets = {
    SECRET_KEY                    = var.secret_key
    SECRET_KEY_FALLBACKS          = var.secret_key_fallbacks
    CERTIFICATE_KEYS              = var.certificate_keys
    DATABASE_URL                  = "postgresql://rounds:${urlencode(var.database_password)}@${local.database_addresses.services}"
    REDIS_URL                     = "rediss://:${var.cache_token}@${module.cache.address}:6379/0?ssl_cert_reqs=required"
    MEDIA_CLOUDFRONT_PRIVATE_KEY  = var.media_private_key
    LIVE_IVS_PLAYBACK_PRIVATE_KEY = var.live_ivs_private_key
    EMAIL_HOST_USER               = var.mail_user
    EMAIL_HOST_PASSWORD           = var.mail_password
    SENDGRID_API_KEY              = lookup(var.message_secrets, "SENDGRID_API_KEY", "")
    SENDGRID_WEBHOOK_KEY          = lookup(var.message_secrets, "SENDGRID_WEBHOOK_KEY", "")
    MAILGUN_API_KEY               = lookup(var.message_secrets, "MAILGUN_API_KEY", "")
    MAILGUN_SIGNING_KEY           = lookup(var.message_secrets, "MAILGUN_SIGNING_KEY", "")
    TWILIO_AUTH_TOKEN             = lookup(var.message_secrets, "TWILIO_AUTH_TOKEN", "")
    VONAGE_API_SECRET             = lookup(var.message_secrets, "VONAGE_API_SECRET", "")
    VONAGE_SIGNATURE_SECRET       = lookup(var.message_secrets, "VONAGE_SIGNATURE_SECRET", "")
    META_TOKEN                    = lookup(var.message_secrets, "META_TOKEN", "")
    META_APP_SECRET               = lookup(var.message_secrets, "META_APP_SECRET", "")
    META_VERIFY_TOKEN             = lookup(var.message_secrets, "META_VERIFY_TOKEN", "")
    VAPID_PRIVATE_KEY             = lookup(var.message_secrets, "VAPID_PRIVATE_KEY", "")
  }
  secret_names = [
    "SECRET_KEY", "SECRET_KEY_FALLBACKS", "CERTIFICATE_KEYS", "DATABASE_URL", "REDIS_URL",
    "MEDIA_CLOUDFRONT_PRIVATE_KEY", "LIVE_IVS_PLAYBACK_PRIVATE_KEY", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD",
    "SENDGRID_API_KEY", "SENDGRID_WEBHOOK_KEY", "MAILGUN_API_KEY", "MAILGUN_SIGNING_KEY", "TWILIO_AUTH_TOKEN",
    "VONAGE_API_SECRET", "VONAGE_SIGNATURE_SECRET", "META_TOKEN", "META_APP_SECRET", "META_VERIFY_TOKEN",
    "VAPID_PRIVATE_KEY",
  ]
}

resource "aws_secretsmanager_secret" "application" {
  name                    = "${local.name}/application"
  description             = "What the tasks get as variables; written by Terraform, in no state."
  recovery_window_in_days = 30
}

# For PgBouncer, and for what goes past it; the services get neither.
resource "aws_secretsmanager_secret" "database" {
  name                    = "${local.name}/database"
  description             = "The way to PostgreSQL itself; written by Terraform, in no state."
  recovery_window_in_days = 30
}

resource "aws_secretsmanager_secret_version" "database" {
  secret_id = aws_secretsmanager_secret.database.id
  secret_string_wo = jsonencode({
    PGPASSWORD   = var.database_password
    DATABASE_URL = "postgresql://rounds:${urlencode(var.database_password)}@${local.database_addresses.operations}"
  })
  secret_string_wo_version = var.secrets_version
}

resource "aws_secretsmanager_secret_version" "application" {
  secret_id                = aws_secretsmanager_secret.application.id
  secret_string_wo         = jsonencode(local.secrets)
  secret_string_wo_version = var.secrets_version
}
