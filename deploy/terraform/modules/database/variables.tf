variable "name" { type = string }
variable "subnet_ids" { type = list(string) }
variable "security_group_id" { type = string }
variable "password" {
  type      = string
  sensitive = true
  ephemeral = true
}
variable "password_version" { type = number }
variable "instance_class" { type = string }
variable "storage_gib" { type = number }
variable "max_storage_gib" { type = number }
variable "multi_az" { type = bool }
variable "replicas" { type = number }
variable "backup_days" {
  type = number
  validation {
    condition     = var.backup_days >= 7 && var.backup_days <= 35
    error_message = "7 to 35: below it a fault found after a weekend cannot be undone, above it RDS refuses."
  }
}
variable "max_connections" { type = number }
variable "protected" { type = bool }
