variable "name" { type = string }
variable "site_url" { type = string }
variable "domain" { type = string }
variable "certificate_arn" { type = string }
variable "public_key" { type = string }
variable "upload_days" {
  description = "As MEDIA_UPLOAD_DAYS."
  type        = number
}
