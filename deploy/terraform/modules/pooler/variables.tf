variable "name" { type = string }
variable "region" { type = string }
variable "vpc_id" { type = string }
variable "subnet_ids" { type = list(string) }
variable "group_id" { type = string }
variable "balancer_group_id" { type = string }
variable "cluster_id" { type = string }
variable "image" { type = string }
variable "size" {
  type = object({
    cpu    = number
    memory = number
    tasks  = number
  })
}
variable "connections" {
  description = "To PostgreSQL, of all tasks together."
  type        = number
}
variable "database_address" { type = string }
variable "secret_arn" { type = string }
variable "log_days" { type = number }
variable "protected" { type = bool }
