variable "name" { type = string }
variable "region" { type = string }
variable "account_id" { type = string }
variable "enabled" { type = bool }
variable "public_key" { type = string }
variable "recording_days" {
  description = "As LIVE_SEGMENT_DAYS: so long the product can look for a recording again."
  type        = number
}
