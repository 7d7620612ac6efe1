# Sizes and names differ between production.tfvars and staging.tfvars; the code is the same.

variable "environment" {
  description = "Stands in every name."
  type        = string
  validation {
    condition     = contains(["production", "staging"], var.environment)
    error_message = "production or staging."
  }
}

variable "region" {
  type = string
}

variable "network_stack" {
  description = "The CloudFormation stack made from deploy/cloudformation/network.yaml."
  type        = string
}

variable "domain" {
  description = "Host name of the site. media.<domain> and ingest.<domain> belong to it."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.domain))
    error_message = "A host name, without https://."
  }
}

variable "zone_id" {
  description = "Route 53 zone that holds the domain."
  type        = string
}

variable "certificate_arn" {
  description = "ACM, in the region: <domain> and ingest.<domain>."
  type        = string
}

variable "media_certificate_arn" {
  description = "ACM in us-east-1, where CloudFront looks: media.<domain>."
  type        = string
  validation {
    condition     = startswith(var.media_certificate_arn, "arn:aws:acm:us-east-1:")
    error_message = "CloudFront takes certificates from us-east-1 only."
  }
}

variable "media_public_key" {
  description = "PEM of the public half of media_private_key; not a secret."
  type        = string
}

variable "image" {
  description = "The image of a first start, by digest. Later ones are rolled out by deploy/release.py."
  type        = string
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by digest: a tag can be moved."
  }
}

variable "pooler_image" {
  description = "The image of PgBouncer (deploy/docker/pooler), by digest. No release replaces it: build it anew for security, name it here, apply."
  type        = string
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.pooler_image))
    error_message = "Name the image by digest: a tag can be moved."
  }
}

variable "operator_emails" {
  description = "Who gets the alarms."
  type        = list(string)
  validation {
    condition     = length(var.operator_emails) > 0
    error_message = "An alarm that nobody gets is none."
  }
}

variable "mail_from" {
  description = "Sender; its domain is verified with SES."
  type        = string
}

# Secrets. Ephemeral: they are in no plan and no state. The pipeline sets TF_VAR_…; the version says when to write them.
variable "secret_key" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "secret_key_fallbacks" {
  description = "Former secrets, separated by commas, while a change is under way; else empty."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "certificate_keys" {
  description = "Keys that sign certificates, in base64, separated by commas; the first signs. Empty: nothing is issued."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "database_password" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "media_private_key" {
  description = "PEM of the RSA key that signs media cookies."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "live_ivs_enabled" {
  description = "Live pictures by AWS IVS as well (docs/live.md). AWS gives an account three keys, and channels are found by name: an account for each environment."
  type        = bool
  default     = false
}

variable "live_ivs_public_key" {
  description = "PEM of the public half of live_ivs_private_key; not a secret."
  type        = string
  default     = ""
}

variable "live_ivs_private_key" {
  description = "PEM of the key (P-384) that signs for viewers of AWS IVS; empty without it."
  type        = string
  default     = ""
  sensitive   = true
  ephemeral   = true
}

variable "mail_user" {
  description = "SES SMTP credential, made in the console for a user that may only send."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "mail_password" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "secrets_version" {
  description = "Raise it to write changed secrets."
  type        = number
  default     = 1
}

# ElastiCache knows no write-only attribute: this one secret stands in the (encrypted, locked) state.
variable "cache_token" {
  type      = string
  sensitive = true
  validation {
    condition     = can(regex("^[A-Za-z0-9]{32,128}$", var.cache_token))
    error_message = "32 to 128 letters and digits; it stands in a URL."
  }
}

variable "database" {
  type = object({
    instance_class  = string
    storage_gib     = number
    max_storage_gib = number
    multi_az        = bool
    replicas        = number
    backup_days     = number
    max_connections = number
  })
}

variable "pooler" {
  description = "PgBouncer. It uses one core at most."
  type = object({
    cpu    = number
    memory = number
    tasks  = number
  })
  validation {
    condition     = var.pooler.tasks >= 2
    error_message = "Two tasks at least, in two zones: without one the site has no database."
  }
}

variable "cache" {
  type = object({
    node_type = string
    nodes     = number
  })
}

variable "services" {
  description = "cpu: units of 1/1024 core. maximum: what autoscaling may reach; minimum = maximum is a fixed number."
  type = map(object({
    cpu         = number
    memory      = number
    minimum     = number
    maximum     = number
    processes   = number
    pool        = number
    scratch_gib = optional(number, 21)
  }))
  validation {
    condition     = toset(keys(var.services)) == toset(["web", "realtime", "worker", "long", "sender", "transcoder", "ingest", "beat"])
    error_message = "web, realtime, worker, long, sender, transcoder, ingest and beat, all of them and no other."
  }
  validation {
    condition     = alltrue([for service in var.services : service.minimum <= service.maximum])
    error_message = "minimum is above maximum."
  }
}

variable "messages" {
  description = "Who carries messages to doctors, without secrets: MESSAGES_EMAIL, MESSAGES_SMS, MESSAGES_WHATSAPP, MESSAGES_PUSH, MESSAGES_FROM and what docs/messages.md names for each."
  type        = map(string)
  default     = {}
  validation {
    condition = length(setintersection(keys(var.messages), [
      "SENDGRID_API_KEY", "SENDGRID_WEBHOOK_KEY", "MAILGUN_API_KEY", "MAILGUN_SIGNING_KEY", "TWILIO_AUTH_TOKEN",
      "VONAGE_API_SECRET", "VONAGE_SIGNATURE_SECRET", "META_TOKEN", "META_APP_SECRET", "META_VERIFY_TOKEN",
      "VAPID_PRIVATE_KEY",
    ])) == 0
    error_message = "Secrets belong into message_secrets: what stands here is in the plan and the state."
  }
}

variable "message_secrets" {
  description = "Secrets of who carries messages, by the product's own names (TWILIO_AUTH_TOKEN …); those of providers that are not used are left out."
  type        = map(string)
  default     = {}
  sensitive   = true
  ephemeral   = true
}

variable "more_environment" {
  description = "Further variables of docs/operating.md for all tasks, such as SENTRY_DSN, OTEL_EXPORTER_OTLP_ENDPOINT or LIVE_GRANT_SECONDS; no secrets."
  type        = map(string)
  default     = {}
}

variable "log_days" {
  type    = number
  default = 90
}

variable "backup_copy_vault_arn" {
  description = "Vault in another region or account that gets a copy of every daily backup; empty for none."
  type        = string
  default     = ""
}

variable "staging_repository_arn" {
  description = "Staging's image repository: production releases the images that staging ran. Empty in staging itself."
  type        = string
  default     = ""
}

variable "requests_per_address" {
  description = "WAF: requests in five minutes from one address. A hospital's doctors share one; the API has its own limits."
  type        = number
  default     = 30000
}
