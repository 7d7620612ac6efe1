variable "name" { type = string }
variable "subnet_ids" { type = list(string) }
variable "security_group_id" { type = string }
variable "node_type" { type = string }
variable "nodes" {
  type = number
  validation {
    condition     = var.nodes >= 1 && var.nodes <= 6
    error_message = "One node and at most five replicas."
  }
}
variable "token" {
  type      = string
  sensitive = true
}
