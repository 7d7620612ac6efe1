output "recording_arn" {
  value = one(aws_ivs_recording_configuration.this[*].arn)
}

output "policy" {
  description = "What tasks need; empty where there is nothing to ask."
  value       = local.policy
}
