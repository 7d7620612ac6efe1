variable "name" { type = string }
variable "region" { type = string }
variable "vpc_id" { type = string }
variable "public_subnet_ids" { type = list(string) }
variable "private_subnet_ids" { type = list(string) }
variable "balancer_group_id" { type = string }
variable "ingest_balancer_group_id" { type = string }
variable "service_group_id" { type = string }
variable "operations_group_id" { type = string }
variable "certificate_arn" { type = string }
variable "image" { type = string }
variable "services" {
  type = map(object({
    cpu         = number
    memory      = number
    minimum     = number
    maximum     = number
    processes   = number
    pool        = number
    scratch_gib = number
  }))
}
variable "environment" { type = map(string) }
variable "environment_of" { type = map(map(string)) }
variable "secret_arn" { type = string }
variable "secret_names" { type = list(string) }
variable "database_secret_arn" { type = string }
variable "media_bucket_arn" { type = string }
variable "backup_bucket_arn" { type = string }
variable "live_ivs_enabled" { type = bool }
variable "live_ivs_policy" { type = string }
variable "message_actions" { type = map(list(string)) }
variable "log_days" { type = number }
variable "requests_per_address" { type = number }
variable "staging_repository_arn" { type = string }
variable "protected" { type = bool }
